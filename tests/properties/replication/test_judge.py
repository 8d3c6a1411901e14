"""What the simulation expects of a follower whose leader follows somebody itself."""

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from sealane.cluster.metadata import KEY_PREFIX, IndexMetadata
from sealane.cluster.store import Entry
from sealane.engine.mapping import Mapping
from sealane.model.replication import NO_OPERATIONS, Following
from sealane.settings import Settings
from sealane.testing.replication_simulation.judge import Index, Judge
from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.site import Program, Site
from sealane.testing.replication_simulation.world import World
from sealane.testing.simulation.trace import Trace


def _index(uuid: str, after: str, copy_to: int) -> IndexMetadata:
    following = Following(
        remote_cluster=after,
        leader_index="leader",
        leader_uuid=f"{after}1",
        history_uuids=("h",),
        copy_to=(copy_to,),
    )
    return IndexMetadata(
        settings=Settings({}),
        mapping_json=b"{}",
        mapping=Mapping(),
        name="leader",
        uuid=uuid,
        shards=1,
        creation_date=0,
        following=following,
    )


class _Judge(Judge):
    """Of one follower, which runs and is not what its leader is."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.lost = ""

    def followers(self) -> Iterator[tuple[Site, IndexMetadata, Following]]:
        index = _index("b1", "a", NO_OPERATIONS)
        assert index.following is not None
        yield self.world.site("b"), index, index.following

    def _lost(self, site: Site, index: Index, following: Following) -> str:
        return self.lost

    def _behind(self, site: Site, index: IndexMetadata, following: Following) -> str:
        return "is behind"


@pytest.fixture
def world() -> Iterator[World]:
    loop = InlineLoop(Random(0))
    world = World(loop, 0, Trace(loop.time))
    world.add_site("a")
    running = SimpleNamespace(failure=None)
    followers = SimpleNamespace(running={"b1": running})
    replication = SimpleNamespace(followers=followers)
    world.add_site("b").program = cast(Program, SimpleNamespace(replication=replication))
    yield world
    loop.close()


@pytest.mark.parametrize("lost", ["", "its leader has another history"])
def test_nobody_can_be_level_with_a_leader_that_is_half_a_copy(world: World, lost: str) -> None:
    """R-65: it answers nobody, for as long as its own leader is away."""
    judge = _Judge(world)
    judge.lost = lost
    for copy_to, is_late in ((NO_OPERATIONS, True), (5, False)):
        leader = _index("a1", "c", copy_to)
        entry = Entry(leader.to_stored(), 1)
        world.site("a").store._entries[KEY_PREFIX + "a1"] = entry
        assert bool(judge.late()) is is_late
