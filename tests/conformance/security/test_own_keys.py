"""API keys that are the caller's own, and what is said to who may not touch others: as 8.19.0 answers."""

from typing import Any

import pytest

from tests.conformance.security.conftest import World

KEYS = "/_security/api_key"
_OWN = "[manage_own_api_key,"
_OTHERS = {"GET": "[read_security,manage_api_key,", "DELETE": "[manage_api_key,"}


@pytest.mark.parametrize(
    ("method", "query", "body", "own"),
    [
        ("GET", "?owner=true", None, True),
        ("GET", "?owner=true&id=x", None, True),
        ("GET", "?username=u&realm_name=default_native", None, True),
        ("GET", "?username=other&realm_name=default_native", None, False),
        ("GET", "?id=x", None, False),
        ("GET", "", None, False),
        ("DELETE", "", {"ids": ["x"]}, False),
        ("DELETE", "", {"name": "x"}, False),
        ("DELETE", "", {"ids": ["x"], "owner": True}, True),
        ("DELETE", "", {"owner": True}, True),
        ("DELETE", "", {"username": "u", "realm_name": "default_native"}, True),
        ("DELETE", "", {"username": "other", "realm_name": "default_native"}, False),
    ],
)
async def test_a_denial_says_which_privileges_would_do(
    world: World, method: str, query: str, body: Any, own: bool
) -> None:
    """X-9: whose keys are meant decides whether the right to one's own would."""
    by = await world.make_user("u", "none")
    answer = await world.ask(method, KEYS + query, body, by=by)
    assert answer.status == 403
    listed = _OWN if own else _OTHERS[method]
    assert f"granted by the cluster privileges {listed}" in answer.reason


async def test_a_key_owns_no_key_but_itself(world: World) -> None:
    """Not with the right to manage own keys either: they are its owner's."""
    await world.make_role("o", cluster=["manage_own_api_key"])
    by = await world.make_user("u", "o")
    key, sibling = await world.make_key("k", by=by), await world.make_key("k2", by=by)
    itself, other = {"ids": [key["id"]]}, {"ids": [sibling["id"]]}
    for query in ("?owner=true", f"?owner=true&id={sibling['id']}", f"?id={sibling['id']}"):
        assert (await world.ask("GET", KEYS + query, by=key["header"])).status == 403
    for body in ({"owner": True}, other, {**other, "owner": True}, {"owner": True, "name": "k2"}):
        assert (await world.ask("DELETE", KEYS, body, by=key["header"])).status == 403
    shown_to_it = await world.ask("GET", f"{KEYS}?owner=true&id={key['id']}", by=key["header"])
    assert [each["name"] for each in shown_to_it.body["api_keys"]] == ["k"]
    done = await world.ask("DELETE", KEYS, {**itself, "owner": True}, by=key["header"])
    assert done.body["invalidated_api_keys"] == [key["id"]]
