"""What is wrong with a request is said before that it may not be made: reading comes first, as in the reference."""

from pathlib import Path
from typing import Any

from tests.integration.security.pair import secured_pair

UNKNOWN: dict[str, Any] = {"query": {"nope": {}}}


async def test_a_body_is_read_before_its_sender_is_denied(tmp_path: Path) -> None:
    """Nothing but the request itself has a say in the answer."""
    async with secured_pair(tmp_path) as pair:
        node = pair.east
        await pair.user("nobody", on=node)
        for target, body, status, kind in (
            ("/logs-1/_search", UNKNOWN, 400, "parsing_exception"),
            ("/missing/_search", UNKNOWN, 400, "parsing_exception"),
            ("/logs-1/_search", {"from": -1}, 400, "illegal_argument_exception"),
            ("/logs-1/_search", {"query": {"match_all": {}}}, 403, "security_exception"),
            ("/logs-1/_count", UNKNOWN, 400, "parsing_exception"),
            ("/logs-1/_count", {"size": 1}, 400, "parsing_exception"),
            ("/logs-1/_count", {}, 403, "security_exception"),
            ("/logs-1/_explain/1", UNKNOWN, 400, "parsing_exception"),
            ("/_mget", {"nope": []}, 400, "parsing_exception"),
            ("/logs-1/_field_caps?fields=*", {"nope": 1}, 400, "x_content_parse_exception"),
            ("/logs-1/_field_caps?fields=*", {}, 403, "security_exception"),
            ("/logs-1/_pit?keep_alive=1m", {"nope": 1}, 400, "x_content_parse_exception"),
            ("/logs-1/_pit?keep_alive=1m", None, 403, "security_exception"),
        ):
            answer = await node.ask("POST", target, body, user="nobody")
            found = (answer.status, answer.body["error"]["type"])
            assert (target, body, found) == (target, body, (status, kind)), answer.text
