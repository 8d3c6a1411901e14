"""A link that is cut, loses one direction, is slow, or delivers halves and damage, while the leader is written to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripts.chaos.proxy import Proxy

from tests.integration.replication.clusters import Clusters, Pair, ids, two, until, written_to

COPY: Pair = ("a", "one", "b", "copy")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def through(
    folder: Path, harm: Callable[[Proxy], None], harmed: Callable[[Any], bool]
) -> Any:
    """Harms the link under load until the statistics say so and a thousand operations have gathered, then heals it.

    Returns the last statistics.
    """
    async with two(folder) as made:
        await made.made("a", "one", 50, shards=2)
        await made.follow(COPY, read_poll_timeout="1s")
        link = made.link("b", "a")
        async with written_to(made, "a", "one") as acknowledged:
            harm(link)
            await made.until(COPY, harmed)
            wanted = len(acknowledged) + 1000

            async def has_more() -> bool:
                return len(acknowledged) >= wanted

            await until(has_more)
            link.heal()
        assert ids(await made.equal(COPY)) >= set(acknowledged)
        return await told_once(made)


async def told_once(made: Clusters) -> Any:
    """No operation was written twice, none was left out, and nothing was fatal."""
    for number in range(2):
        shard = await made.shard(COPY, number)
        assert "fatal_exception" not in shard
        assert shard["read_exceptions"] == []
        copied = shard["sealane"]["copy"]["seq_no"]
        assert shard["operations_written"] == shard["follower_global_checkpoint"] - copied
    return shard


def fails(shard: Any) -> bool:
    return bool(shard["read_exceptions"])


async def test_a_link_that_is_cut(tmp_path: Path) -> None:
    """R-96: it catches up by itself."""

    def cut(link: Proxy) -> None:
        link.refuses = True
        link.cut()

    await through(tmp_path, cut, fails)


async def test_answers_that_are_lost(tmp_path: Path) -> None:
    """R-97: what was asked has arrived; nothing is doubled."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 50, shards=2)
        await made.follow(COPY, read_poll_timeout="1s")
        link = made.link("b", "a")
        async with written_to(made, "a", "one") as acknowledged:
            for _ in range(4):
                link.stall(asks=False)
                wanted = len(acknowledged) + 100

                async def has_more(wanted: int = wanted) -> bool:
                    return len(acknowledged) >= wanted

                await until(has_more)
                link.cut()
                await made.until(COPY, fails)
                link.heal()
                await made.until(COPY, lambda shard: not fails(shard))
        assert ids(await made.equal(COPY)) >= set(acknowledged)
        await told_once(made)


async def test_a_slow_link(tmp_path: Path) -> None:
    """R-98: with 200 ms there and back it comes along, and keeps no more than it may."""

    def slow(link: Proxy) -> None:
        link.delay_s = 0.1

    def comes_along(shard: Any) -> bool:
        assert shard["write_buffer_size_in_bytes"] <= 16 << 20
        return bool(shard["operations_written"] > 200)

    await through(tmp_path, slow, comes_along)


@pytest.mark.parametrize("harm", ["tears", "flips"])
async def test_answers_that_end_in_the_middle_or_are_damaged(tmp_path: Path, harm: str) -> None:
    """R-99, R-106: nothing of such an answer is written; it is asked for again."""
    async with two(tmp_path) as made:
        await made.made("a", "one", 50, shards=2)
        await made.follow(COPY, read_poll_timeout="1s")
        link = made.link("b", "a")
        async with written_to(made, "a", "one") as acknowledged:
            for _ in range(5):
                setattr(link, harm, True)
                await made.write("a", "one", range(100), text=[f"{n}" for n in range(900)])

                async def harmed() -> bool:
                    return not getattr(link, harm)

                await until(harmed)
        assert ids(await made.equal(COPY)) >= set(acknowledged)
        await told_once(made)
        shards = [await made.shard(COPY, number) for number in range(2)]
        assert sum(shard["failed_read_requests"] for shard in shards) > 0
