"""Clusters of one process each whose links go through proxies, and how two of their indices are compared."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from scripts.chaos.proxy import Proxy
from scripts.chaos.replication import judge
from scripts.chaos.replication.world import Followed, Place, World, build, close, follow

from sealane.transport.tasks import TaskScope

PATIENCE_S = 60.0
"""After so long a test has failed; nothing is concluded from less."""
Pair = tuple[str, str, str, str]
"""Leader's cluster, index, follower's cluster, index."""


class Clusters:
    """Each knows another by that one's name."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __getitem__(self, name: str) -> Place:
        return self.world.places[name]

    def link(self, here: str, there: str) -> Proxy:
        return self.world.proxies[here, there]

    async def made(
        self, place: str, index: str, documents: int = 0, *, shards: int = 1, kept: int = 0
    ) -> None:
        """An index whose history is kept as far as leases need it, and `kept` operations more."""
        settings = {
            "number_of_shards": shards,
            "number_of_replicas": 0,
            "soft_deletes.retention.operations": kept,
        }
        await self[place].call("PUT", f"/{index}", {"settings": settings})
        if documents:
            await self.write(place, index, range(documents))

    async def write(self, place: str, index: str, numbers: Iterable[int], **more: Any) -> None:
        """One document a number. Raises RuntimeError where one is not acknowledged."""
        lines = []
        for n in numbers:
            lines += [json.dumps({"index": {"_id": str(n)}}), json.dumps({"n": n, **more})]
        body = ("\n".join(lines) + "\n").encode()
        answer = await self[place].call("POST", f"/{index}/_bulk", body)
        if answer["errors"]:
            raise RuntimeError(str(answer)[:500])

    async def follow(self, pair: Pair, **parameters: Any) -> None:
        await follow(self.world, _followed(pair), **parameters)

    async def begin_to_follow(self, pair: Pair) -> None:
        """Without waiting for the copy."""
        there, index, here, copy = pair
        body = {"remote_cluster": there, "leader_index": index}
        await self[here].call("PUT", f"/{copy}/_ccr/follow", body)

    async def shard(self, pair: Pair, number: int = 0) -> Any:
        """Its statistics. None where the follower does not answer, or does not run."""
        _, _, here, copy = pair
        try:
            answer = await self[here].ask("GET", f"/{copy}/_ccr/stats")
        except OSError:
            return None
        return answer.body["indices"][0]["shards"][number] if answer.status == 200 else None

    async def until(self, pair: Pair, holds: Callable[[Any], Any]) -> Any:
        """The statistics of its first shard, once they are so."""

        async def found() -> Any:
            shard = await self.shard(pair)
            return shard if shard is not None and holds(shard) else None

        return await until(found)

    async def level(self, *pairs: Pair) -> None:
        late = await judge.level(self.world, map(_followed, pairs), PATIENCE_S)
        assert late == []

    async def equal(self, *pairs: Pair) -> list[dict[str, judge.Document]]:
        """Waits until they are level; fails where they are not the same. Returns the last one's documents by shard."""
        await self.level(*pairs)
        ours: judge.Shards = ()
        for there, index, here, copy in pairs:
            shards = await self.shards(here, copy)
            theirs = await judge.documents(self[there], index, shards)
            ours = await judge.documents(self[here], copy, shards)
            assert list(judge.differences(theirs, ours)) == []
            verified = await self[here].call("GET", f"/{copy}/_ccr/verify")
            assert verified["equal"] is True, verified
        return [dict(each) for each in ours]

    async def shards(self, place: str, index: str) -> int:
        found = await self[place].call("GET", f"/{index}/_settings/index.number_of_shards")
        return int(found[index]["settings"]["index"]["number_of_shards"])

    async def history(self, place: str, index: str) -> list[str]:
        """Its uuids by shard."""
        stats = await self[place].call("GET", f"/{index}/_stats?level=shards")
        shards = stats["indices"][index]["shards"]
        return [each[0]["commit"]["user_data"]["history_uuid"] for each in shards.values()]

    async def kill(self, name: str) -> None:
        await asyncio.to_thread(self[name].node.kill)

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self[name].node.stop)

    async def start(self, name: str) -> None:
        await asyncio.to_thread(self[name].node.start)


def _followed(pair: Pair) -> Followed:
    there, index, here, copy = pair
    return Followed(there, index, here, copy, shards=1)


@asynccontextmanager
async def clusters(
    folder: Path, names: str, links: Sequence[tuple[str, str]]
) -> AsyncIterator[Clusters]:
    """One for each letter of `names`."""
    world = await build(folder, tuple(names), links)
    try:
        yield Clusters(world)
    finally:
        await close(world)


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[Clusters]:
    """`b` knows `a`."""
    async with clusters(folder, "ab", [("b", "a")]) as made:
        yield made


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What `condition` gives, once that is something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def written_to(
    made: Clusters, place: str, index: str, *, text: str = ""
) -> AsyncIterator[list[int]]:
    """Writes without a pause, updates and deletions among it. The list is of what has been acknowledged; a batch of
    which no answer came is sent again.
    """
    acknowledged: list[int] = []

    async def write() -> None:
        at = 1_000_000
        while True:
            try:
                await made.write(place, index, range(at, at + 20), text=text)
                await made.write(place, index, range(at, at + 20, 2), again=True)
                gone = await made[place].ask("DELETE", f"/{index}/_doc/{at + 1}")
            except (OSError, RuntimeError):
                await asyncio.sleep(0.05)
                continue
            if gone.status in (200, 404):
                acknowledged.extend(each for each in range(at, at + 20) if each != at + 1)
                at += 20
            await asyncio.sleep(0.01)

    scope = TaskScope("writing")
    scope.start(write())
    try:
        yield acknowledged
    finally:
        await scope.close()


def ids(shards: Sequence[dict[str, judge.Document]]) -> set[int]:
    return {int(id) for shard in shards for id in shard}
