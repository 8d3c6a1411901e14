"""Disks without room, at the follower and at the leader."""

import asyncio
from pathlib import Path

import pytest
from scripts.chaos.replication.disk import allow_writes, refuse_writes
from scripts.chaos.replication.world import Place

from tests.integration.replication.clusters import Pair, ids, two, until, written_to

COPY: Pair = ("a", "one", "b", "copy")
LONG = "long " * 4000
"""So that what room there is, is soon taken."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def fill(place: Place) -> None:
    """Of its own file system where it has one; else every write of it fails."""
    if place.disk.mounted:
        await asyncio.to_thread(place.disk.fill)
    else:
        refuse_writes(place.node.pid)


async def relieve(place: Place) -> None:
    await asyncio.to_thread(place.disk.relieve)
    allow_writes(place.node.pid)


async def test_a_follower_without_room_goes_on_once_it_has_some(tmp_path: Path) -> None:
    """R-104: its writes fail, are shown and tried again; nothing is fatal and nothing is left out."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 50, shards=2)
        await made.follow(COPY)
        async with written_to(made, "a", "one", text=LONG) as acknowledged:
            for _ in range(2):
                await fill(made["b"])
                shard = await made.until(COPY, lambda shard: shard["sealane"]["phase"] == "waiting")
                assert shard["failed_write_requests"] > 0
                assert "fatal_exception" not in shard
                await relieve(made["b"])
                await made.until(COPY, lambda shard: shard["sealane"]["phase"] == "following")
        assert ids(await made.equal(COPY)) >= set(acknowledged)


async def test_a_leader_without_room_refuses_writes_and_loses_none(tmp_path: Path) -> None:
    """R-94, R-104: what it acknowledged before and after is found on both sides."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 50, shards=2)
        await made.follow(COPY)
        async with written_to(made, "a", "one", text=LONG) as acknowledged:
            for _ in range(2):
                await fill(made["a"])

                async def refuses() -> bool:
                    answer = await made["a"].ask("PUT", "/one/_doc/1", {"n": 1, "text": LONG})
                    return answer.status >= 500

                await until(refuses)
                await relieve(made["a"])
                wanted = len(acknowledged) + 100

                async def has_more(wanted: int = wanted) -> bool:
                    return len(acknowledged) >= wanted

                await until(has_more)
        assert ids(await made.equal(COPY)) >= set(acknowledged)
