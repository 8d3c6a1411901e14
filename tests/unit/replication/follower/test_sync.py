import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.engine.mapping import Mapping
from sealane.errors import ConnectTransport, IllegalArgument, IllegalState
from sealane.model.replication import Following, LeaderIndex
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.sync import IndexSync
from sealane.settings import EMPTY
from sealane.transport.tasks import TaskScope
from tests.unit.replication.follower.worlds import Asks

FOLLOWING = Following(
    remote_cluster="eu", leader_index="cities", leader_uuid="leader-uuid", history_uuids=("h",)
)


def described(versions: tuple[int, int, int], uuid: str = "leader-uuid") -> LeaderIndex:
    mapping, settings, aliases = versions
    return LeaderIndex(
        name="cities",
        uuid=uuid,
        settings={},
        mapping=b"{}",
        mapping_version=mapping,
        settings_version=settings,
        aliases={},
        aliases_version=aliases,
    )


class Indices:
    """Of FollowerIndices, what is used: one follower, whose versions are its leader's as soon as it takes them."""

    def __init__(self) -> None:
        self.index = IndexMetadata(
            name="copy",
            uuid="u",
            shards=1,
            creation_date=0,
            settings=EMPTY,
            mapping_json=b"{}",
            mapping=Mapping(),
            following=FOLLOWING,
        )
        self.taken = 0
        self.error: IllegalArgument | None = None

    @property
    def metadata(self) -> ClusterMetadata:
        return ClusterMetadata([self.index])

    async def take_leader(self, uuid: str, leader: LeaderIndex) -> IndexMetadata:
        if self.error is not None:
            raise self.error
        self.taken += 1
        following = msgspec.structs.replace(
            FOLLOWING,
            mapping_version=leader.mapping_version,
            settings_version=leader.settings_version,
            aliases_version=leader.aliases_version,
        )
        self.index = replace(self.index, following=following)
        return self.index


class Leader:
    """Of ChangeFeed, what is used. Answers wait for `gate`."""

    def __init__(self) -> None:
        self.answer: Callable[[], LeaderIndex] = lambda: described((1, 1, 1))
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0

    async def index(self, name: str, ctx: Any) -> LeaderIndex:
        self.asked += 1
        answer = self.answer()
        await self.gate.wait()
        return answer


@dataclass
class World:
    sync: IndexSync
    indices: Indices
    leader: Leader


def made(scope: TaskScope) -> World:
    indices, leader = Indices(), Leader()
    sync = IndexSync(
        index_uuid="u",
        indices=indices,  # type: ignore[arg-type]  # no more of it is used
        feed=leader,  # type: ignore[arg-type]
        asking=Asks(),
        timeout_s=lambda: 60.0,
        scope=scope,
    )
    return World(sync, indices, leader)


async def test_what_is_reached_is_not_asked_for() -> None:
    """R-31"""
    async with TaskScope("test") as scope:
        world = made(scope)
        await world.sync.reach(LeaderVersions(1, 0, 1))
        await world.sync.reach(LeaderVersions(0, 1, 1))
        assert (world.leader.asked, world.indices.taken) == (1, 1)
        assert world.sync.versions == LeaderVersions(1, 1, 1)


async def test_shards_that_ask_together_are_served_by_one_request() -> None:
    """R-36"""
    async with TaskScope("test") as scope:
        world = made(scope)
        world.leader.gate.clear()
        shards = [scope.start(world.sync.reach(LeaderVersions(1, 1, 1))) for _ in range(5)]
        await asyncio.sleep(0)
        world.leader.gate.set()
        for each in shards:
            await each
        assert world.leader.asked == 1


async def test_who_comes_late_asks_again_where_the_answer_was_too_old() -> None:
    """R-31: a request under way may have been answered before the version was there."""
    async with TaskScope("test") as scope:
        world = made(scope)
        world.leader.gate.clear()
        first = scope.start(world.sync.reach(LeaderVersions(1, 1, 1)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        late = scope.start(world.sync.reach(LeaderVersions(2, 1, 1)))
        await asyncio.sleep(0)
        world.leader.answer = lambda: described((2, 1, 1))
        world.leader.gate.set()
        await first
        await late
        assert world.leader.asked == 2
        assert world.sync.versions.mapping == 2


async def test_one_that_gives_up_leaves_the_request_to_the_others() -> None:
    """R-62"""
    async with TaskScope("test") as scope:
        world = made(scope)
        world.leader.gate.clear()
        first = scope.start(world.sync.reach(LeaderVersions(1, 1, 1)))
        second = scope.start(world.sync.reach(LeaderVersions(1, 1, 1)))
        await asyncio.sleep(0)
        first.cancel()
        world.leader.gate.set()
        await second
        assert first.cancelled()
        assert world.leader.asked == 1


async def test_errors_are_everybodys() -> None:
    """R-62: of the leader, and of a mapping that cannot be merged; nothing keeps a later attempt from succeeding."""
    async with TaskScope("test") as scope:
        world = made(scope)

        def unreachable() -> LeaderIndex:
            raise ConnectTransport("down")

        answer, world.leader.answer = world.leader.answer, unreachable
        with pytest.raises(ConnectTransport):
            await world.sync.reach(LeaderVersions(1, 1, 1))
        world.leader.answer = answer
        world.indices.error = IllegalArgument("cannot be merged")
        with pytest.raises(IllegalArgument, match="cannot be merged"):
            await world.sync.reach(LeaderVersions(1, 1, 1))
        world.indices.error = None
        await world.sync.reach(LeaderVersions(1, 1, 1))


async def test_another_index_of_the_name_is_not_taken() -> None:
    """R-101"""
    async with TaskScope("test") as scope:
        world = made(scope)
        world.leader.answer = lambda: described((9, 9, 9), uuid="another")
        with pytest.raises(IllegalArgument, match="should reference"):
            await world.sync.reach(LeaderVersions(1, 1, 1))
        assert world.indices.taken == 0


async def test_a_leader_that_never_gets_there() -> None:
    """R-31: it is not asked for ever."""
    async with TaskScope("test") as scope:
        world = made(scope)
        with pytest.raises(IllegalState, match="the leader has told of"):
            await world.sync.reach(LeaderVersions(5, 1, 1))
        assert world.leader.asked == 3
