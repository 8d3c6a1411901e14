"""Two clusters of which one follows the other, and how a test waits for it and compares the two."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sealane.cluster.metadata import IndexMetadata
from sealane.errors import IndexNotFound
from sealane.model.document import Operation
from sealane.testing.in_process import Answer, InProcessCluster, clusters
from sealane.testing.in_process_links import Link

PATIENCE_S = 20.0
"""After so long a test has failed; nothing is concluded from less."""


@dataclass
class Replicated:
    """`here` follows indices of `there`, which it knows as `eu`."""

    here: InProcessCluster
    there: InProcessCluster
    link: Link

    async def follow(self, index: str = "copy", leader: str = "cities", **body: Any) -> Answer:
        """Follows, and waits until what was there is here, unless the body says otherwise."""
        asked = {"remote_cluster": "eu", "leader_index": leader, **body}
        return await self.here.request(
            "PUT", f"/{index}/_ccr/follow?wait_for_active_shards=1", asked
        )

    async def made(self, documents: int = 3, **settings: Any) -> None:
        """The leader `cities` with some documents."""
        await self.there.call("PUT", "/cities", {"settings": settings} if settings else None)
        await self.there.fill("cities", {str(n): {"n": n} for n in range(documents)})

    async def write(self, *numbers: int, index: str = "cities") -> None:
        await self.there.fill(index, {str(n): {"n": n} for n in numbers})

    async def caught_up(self, index: str = "copy", leader: str = "cities") -> None:
        """Waits until the follower has every operation that its leader has now, and shows it."""
        await caught_up(self.there, leader, self.here, index)

    async def equal(self, index: str = "copy", leader: str = "cities") -> list[Operation]:
        """Fails unless both hold the same documents. Returns those of the follower."""
        return await equal(self.there, leader, self.here, index)

    async def close(self, index: str = "copy") -> None:
        await self.here.call("POST", f"/{index}/_close")

    async def pause(self, index: str = "copy") -> Answer:
        return await self.here.request("POST", f"/{index}/_ccr/pause_follow")

    async def resume(self, index: str = "copy", **body: Any) -> Answer:
        return await self.here.request("POST", f"/{index}/_ccr/resume_follow", body or None)

    async def unfollow(self, index: str = "copy") -> Answer:
        return await self.here.request("POST", f"/{index}/_ccr/unfollow")

    async def info(self, index: str = "copy") -> Any:
        return (await self.here.call("GET", f"/{index}/_ccr/info"))["follower_indices"]

    async def stats(self, index: str = "copy") -> Any:
        """Of the first shard."""
        found = await self.here.call("GET", f"/{index}/_ccr/stats")
        return found["indices"][0]["shards"][0]


@pytest.fixture
async def replicated(tmp_path: Path) -> AsyncIterator[Replicated]:
    """Two clusters, `there` without an index yet."""
    async with clusters(tmp_path, "here", "there") as (here, there):
        yield Replicated(here, there, here.register(there, "eu"))


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What `condition` gives, once that is something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.01)


def metadata_of(cluster: InProcessCluster, index: str) -> IndexMetadata:
    found = cluster.indices.metadata.index(index)
    assert found is not None, f"there is no index [{index}]"
    return found


async def caught_up(
    there: InProcessCluster, leader: str, here: InProcessCluster, index: str
) -> None:
    theirs, ours = metadata_of(there, leader), metadata_of(here, index)
    for shard in range(theirs.shards):
        wanted = (await there.engine.shard_state(theirs.uuid, shard)).checkpoint
        await until(partial(_has_reached, here, ours.uuid, shard, wanted))
    await here.call("POST", f"/{index}/_refresh")


async def complete(cluster: InProcessCluster, index: str) -> None:
    """Waits until the follower is the state of one moment."""

    async def is_whole() -> bool:
        following = metadata_of(cluster, index).following
        return following is not None and not following.is_copying

    await until(is_whole)


async def _has_reached(cluster: InProcessCluster, index_uuid: str, shard: int, wanted: int) -> bool:
    try:
        reached = await cluster.engine.wait_for_checkpoint(index_uuid, shard, wanted, timeout_s=1.0)
    except IndexNotFound:
        return False  # it is being opened again
    return reached.checkpoint >= wanted


async def documents_of(cluster: InProcessCluster, index: str) -> list[list[Operation]]:
    """By shard, the live documents by their numbers. Terms belong to them, wall times to the log alone."""
    found = metadata_of(cluster, index)
    await cluster.engine.refresh(found.uuid)
    shards: list[list[Operation]] = []
    for shard in range(found.shards):
        state = await cluster.engine.shard_state(found.uuid, shard)
        live = await cluster.engine.live_documents(
            found.uuid, shard, 0, state.checkpoint, max_count=100_000, max_bytes=1 << 30
        )
        shards.append(list(live.operations))
    return shards


async def equal(
    there: InProcessCluster, leader: str, here: InProcessCluster, index: str
) -> list[Operation]:
    theirs, ours = await documents_of(there, leader), await documents_of(here, index)
    assert ours == theirs
    return [each for shard in ours for each in shard]
