"""R-27 to R-30: whoever writes to a follower, by whatever way, is refused, and it is as it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.security.attacks.replication_liar import LyingLeader, lying_leader

NO_WRITES = "a following engine does not accept operations without an assigned sequence number"
BULK = (
    b'{"index":{"_index":"copy","_id":"x"}}\n{"n":9}\n'
    b'{"delete":{"_index":"copy","_id":"1"}}\n'
    b'{"update":{"_index":"copy","_id":"1"}}\n{"doc":{"n":9}}\n'
    b'{"create":{"_index":"copy","_id":"y"}}\n{"field":9}\n'
)


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[LyingLeader]:
    """`copy` follows an honest leader."""
    async with lying_leader(tmp_path) as found:
        await found.follow(wait=1)
        yield found


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/copy/_doc/x", {"n": 9}),
        ("POST", "/copy/_doc", {"n": 9}),
        ("PUT", "/copy/_create/x", {"n": 9}),
        ("DELETE", "/copy/_doc/1", None),
        ("POST", "/copy/_update/1", {"doc": {"n": 9}}),
        ("PUT", "/copy/_mapping", {"properties": {"x": {"type": "long"}}}),
        ("PUT", "/copy/_alias/mine", None),
        ("POST", "/_aliases", {"actions": [{"add": {"index": "copy", "alias": "mine"}}]}),
        (
            "POST",
            "/_aliases",
            {"actions": [{"add": {"index": "c*", "alias": "mine", "is_write_index": True}}]},
        ),
    ],
)
async def test_nobody_writes(followed: LyingLeader, method: str, path: str, body: Any) -> None:
    """R-27, R-28."""
    answer = await followed.victim.request(method, path, body)
    assert answer.status == 403, answer.body
    await is_as_it_was(followed)


async def test_nobody_writes_in_bulk(followed: LyingLeader) -> None:
    """R-27: each item says so, and a new field of one is not mapped."""
    answer = await followed.victim.request("POST", "/_bulk?refresh=true", BULK)
    items = [next(iter(each.values())) for each in answer.body["items"]]
    assert [(each["status"], each["error"]["reason"]) for each in items] == [(403, NO_WRITES)] * 4
    await is_as_it_was(followed)


@pytest.mark.parametrize("marker", [True, False, None])
async def test_nobody_sets_the_marker(followed: LyingLeader, marker: bool | None) -> None:
    """R-30"""
    body = {"index.xpack.ccr.following_index": marker}
    answer = await followed.victim.request("PUT", "/copy/_settings", body)
    assert answer.status == 400, answer.body
    assert "can not update internal setting [index.xpack.ccr.following_index]" in str(answer.body)
    await is_as_it_was(followed)


async def is_as_it_was(followed: LyingLeader) -> None:
    await followed.victim.call("POST", "/copy/_refresh")
    found = await followed.victim.call("GET", "/copy/_search?sort=n")
    assert [each["_source"] for each in found["hits"]["hits"]] == [{"n": n} for n in range(3)]
    mapping = await followed.victim.call("GET", "/copy/_mapping")
    assert mapping == {"copy": {"mappings": {"properties": {"n": {"type": "long"}}}}}
    assert await followed.victim.call("GET", "/copy/_alias") == {"copy": {"aliases": {}}}
    await followed.is_unharmed()
