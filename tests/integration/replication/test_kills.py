"""kill -9 at either end, while an index is copied and while it is followed."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.replication.clusters import Clusters, Pair, ids, two, until, written_to

COPY: Pair = ("a", "one", "b", "copy")
SLOWLY = {"ccr.indices.recovery.max_bytes_per_sec": "400kb"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def _is_past(wanted: int, shard: Any) -> bool:
    return int(shard["follower_global_checkpoint"]) >= wanted


def _has_begun(shard: Any) -> bool:
    return bool(shard["sealane"]["phase"] != "starting")


async def slow_copy(made: Clusters) -> None:
    """One that takes some seconds, in many pages."""
    pages = {"ccr.indices.recovery.chunk_size": "20kb"}
    await made["b"].call("PUT", "/_cluster/settings", {"persistent": {**SLOWLY, **pages}})
    await made.made("a", "one")
    for start in range(0, 6000, 1000):
        await made.write("a", "one", range(start, start + 1000), text="long " * 40)
    await made.begin_to_follow(COPY)


def half_copied(shard: Any) -> bool:
    ours = shard["sealane"]
    return ours["phase"] == "copying" and bool(ours.get("copy", {}).get("docs"))


async def test_a_follower_killed_while_it_copies_goes_on_where_it_was(tmp_path: Path) -> None:
    """R-92: twice; it does not begin anew, and is not searched before it is whole."""
    async with two(tmp_path) as made:
        await slow_copy(made)
        reached = 0
        for _ in range(2):
            shard = await made.until(COPY, half_copied)
            assert shard["follower_global_checkpoint"] >= reached
            reached = shard["follower_global_checkpoint"]
            searched = await made["b"].ask("GET", "/copy/_search")
            assert searched.status == 503
            await made.kill("b")
            await made.write("a", "one", [0, 7000])
            await made.start("b")
        fast = {"ccr.indices.recovery.max_bytes_per_sec": None}
        await made["b"].call("PUT", "/_cluster/settings", {"persistent": fast})
        (found,) = await made.equal(COPY)
        assert len(found) == 6001
        assert reached > 0


async def test_a_leader_killed_while_it_is_copied_and_followed(tmp_path: Path) -> None:
    """R-94"""
    async with two(tmp_path) as made:
        await slow_copy(made)
        await made.until(COPY, half_copied)
        await made.kill("a")
        await made.until(COPY, lambda shard: "last_error" in shard["sealane"])
        await made.start("a")
        fast = {"ccr.indices.recovery.max_bytes_per_sec": None}
        await made["b"].call("PUT", "/_cluster/settings", {"persistent": fast})
        await made.equal(COPY)
        async with written_to(made, "a", "one") as acknowledged:
            for _ in range(3):
                wanted = len(acknowledged) + 100

                async def has_more(wanted: int = wanted) -> bool:
                    return len(acknowledged) >= wanted

                await until(has_more)
                await made.kill("a")
                await made.start("a")
        found = ids(await made.equal(COPY))
        assert found >= set(acknowledged)
        assert "fatal_exception" not in await made.shard(COPY)


async def test_what_a_leader_acknowledged_right_before_it_is_killed(tmp_path: Path) -> None:
    """R-95: is there when it is back, under the same history, and arrives."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 10, shards=3)
        await made.follow(COPY)
        before = await made.history("a", "one")
        for round in range(1, 6):
            await made.write("a", "one", range(round * 100, round * 100 + 50))
            await made.kill("a")
            await made.start("a")
        assert await made.history("a", "one") == before
        found = ids(await made.equal(COPY))
        assert len(found) == 10 + 5 * 50
        assert await made.history("b", "copy") == before


async def test_a_follower_killed_again_and_again_while_it_follows(tmp_path: Path) -> None:
    """R-93: what it holds after each start is a state that its leader had: a checkpoint, and all up to it."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 100)
        await made.follow(COPY)
        reached = -1
        async with written_to(made, "a", "one") as acknowledged:
            for _ in range(5):
                shard = await made.until(COPY, partial(_is_past, reached + 150))
                await made.kill("b")
                await made.start("b")
                after = await made.until(COPY, _has_begun)
                assert after["follower_global_checkpoint"] >= shard["follower_global_checkpoint"]
                reached = after["follower_global_checkpoint"]
        assert ids(await made.equal(COPY)) >= set(acknowledged)
