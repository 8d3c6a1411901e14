import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sealane.engine.base import ShardState
from sealane.errors import ConnectTransport, IllegalState, ReceiveTimeout, UnexpectedHistory
from sealane.model.document import Operation
from sealane.model.replication import (
    NO_OPERATIONS,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    HistoryMark,
    ShardRef,
    mark_of,
)
from sealane.replication.follower.copy import CopyLimits, CopyPlace, ShardCopy
from sealane.replication.follower.ports import ShardIdentity
from sealane.replication.throttle import Throttle
from sealane.testing.simulation import in_virtual_time
from sealane.transport.tasks import TaskScope
from tests.unit.replication.follower.leaders import operation
from tests.unit.replication.follower.worlds import LEASE, Asks, LoopClock, Synced

IDENTITY = ShardIdentity(
    remote_cluster="eu",
    leader=ShardRef(index="leader", index_uuid="leader-uuid", shard=0),
    follower_index="follower",
    follower_uuid="follower-uuid",
    lease_id=LEASE,
)


class Leader:
    """Live documents of a shard by their numbers; a page holds `page` of them."""

    def __init__(self, last: int) -> None:
        self.live = {seq_no: operation(seq_no) for seq_no in range(last + 1)}
        self.checkpoint = last
        self.history_uuid = "h"
        self.page = 3
        self.asked: list[CopyRequest] = []
        self.opened = 0
        self.fails_at: int | None = None
        self.stalls = False
        self.lies = False

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Any) -> CopyStart:
        self.opened += 1
        mark = mark_of(self.live[self.checkpoint]) if self.live else None
        return CopyStart(
            checkpoint=self.checkpoint,
            history_uuid=self.history_uuid,
            total_docs=len(self.live),
            total_bytes=0,
            mark=mark,
        )

    tells_its_last = False
    grows_by = 0

    async def copy(self, request: CopyRequest, ctx: Any) -> CopyAnswer:
        self.asked.append(request)
        self.checkpoint += self.grows_by
        if self.stalls:
            await asyncio.Event().wait()
        if len(self.asked) == self.fails_at:
            raise ConnectTransport("cut")
        wanted = range(request.from_seq_no, request.to_seq_no + 1)
        found = [self.live[each] for each in wanted if each in self.live]
        page, rest = found[: self.page], found[self.page :]
        up_to = rest[0].seq_no - 1 if rest else request.to_seq_no
        if self.lies:
            up_to = request.from_seq_no - 1
        return CopyAnswer(
            operations=page,
            up_to=up_to,
            checkpoint=self.checkpoint,
            mapping_version=1,
            total_docs=len(self.live),
            mark=mark_of(operation(self.checkpoint)) if self.tells_its_last else None,
        )


class Follower:
    """The engine, as far as copies go."""

    def __init__(self) -> None:
        self.checkpoint = NO_OPERATIONS
        self.documents: list[int] = []
        self.pages: list[int] = []

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState:
        return ShardState(
            history_uuid="h",
            primary_term=1,
            max_seq_no=self.checkpoint,
            checkpoint=self.checkpoint,
        )

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None:
        return mark_of(operation(seq_no))

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState:
        assert all(each.seq_no > self.checkpoint for each in operations)
        self.documents.extend(each.seq_no for each in operations)
        self.pages.append(up_to)
        self.checkpoint = up_to
        return await self.shard_state(index_uuid, shard)


class World:
    def __init__(self, last: int) -> None:
        self.leader = Leader(last)
        self.follower = Follower()
        self.sync = Synced()
        self.to_seq_no: int | None = None
        self.mark: HistoryMark | None = None
        self.witness: HistoryMark | None = None
        self.targets: list[int] = []
        self.adopted = 0
        self.rate = 0

    def copy(self, limits: CopyLimits | None = None) -> ShardCopy:
        return ShardCopy(
            identity=IDENTITY,
            feed=self.leader,  # type: ignore[arg-type]  # no more of it is used
            asking=Asks(),
            engine=self.follower,
            sync=self.sync,
            place=CopyPlace(
                to_seq_no=lambda: self.to_seq_no,
                mark=lambda: self.mark,
                put=self._put,
                witness=lambda: self.witness,
                put_witness=self._put_witness,
                adopt=self._adopt,
            ),
            limits=limits
            or CopyLimits(
                page_bytes=lambda: 1 << 20,
                timeout_s=lambda: 60.0,
                throttle=Throttle(lambda: self.rate),
            ),
            on_copied=self.targets.append,
            clock=LoopClock(),
        )

    async def _put(self, to_seq_no: int, mark: HistoryMark | None) -> None:
        self.to_seq_no, self.mark = to_seq_no, mark

    async def _put_witness(self, witness: HistoryMark) -> None:
        assert witness.seq_no > self.follower.checkpoint, "a page was written before its witness"
        self.witness = witness

    async def _adopt(self) -> str:
        self.adopted += 1
        return self.leader.history_uuid


async def test_all_documents_in_their_order() -> None:
    """R-43: page by page, and the end of each is the follower's checkpoint."""
    world = World(9)
    copy = world.copy()
    assert await copy.run("h") == 9
    assert world.follower.documents == list(range(10))
    assert world.follower.pages == [2, 5, 8, 9]
    assert world.targets == [9]
    assert copy.progress is not None
    assert (copy.progress.docs, copy.progress.seq_no, copy.progress.to_seq_no) == (10, 9, 9)
    assert copy.progress.bytes > 0
    assert all(each.mark == mark_of(operation(9)) for each in world.leader.asked)


async def test_each_page_proves_the_moment_of_the_one_before() -> None:
    """R-100, R-44: what a page left out comes later only from a leader that still is what it was then."""
    world = World(9)
    world.leader.tells_its_last, world.leader.grows_by = True, 5
    assert await world.copy().run("h") == 29
    assert [each.mark for each in world.leader.asked] == [
        mark_of(operation(number)) for number in (9, 14, 19, 24)
    ]
    assert world.witness == mark_of(operation(29))
    # A restart before it is whole waits for that very operation, and asks for no page of another moment.
    asked = len(world.leader.asked)
    world.follower.checkpoint = 20
    assert await world.copy().run("h") == 29
    assert len(world.leader.asked) == asked


async def test_what_changes_meanwhile_comes_with_the_operations() -> None:
    """R-44: the follower may be searched once it has what the last page's view had."""
    world = World(9)
    world.leader.page = 100
    del world.leader.live[4]
    world.leader.checkpoint = 9
    copy = world.copy()
    assert await copy.run("h") == 9
    world = World(9)
    await world.copy().run("h")
    world.leader.checkpoint = 30
    assert await world.copy().run("h") == 30
    assert world.targets == [9, 30]


async def test_the_end_of_the_copy_may_be_gone_once_the_tail_is_past_it() -> None:
    """R-92, R-100: a restart before the follower may be searched proves the history by its own last operation, which
    the leader has to know; that of the end of the copy it may have discarded.
    """
    world = World(9)
    await world.copy().run("h")
    assert world.leader.asked[-1].mark == mark_of(operation(9))
    world.follower.checkpoint, world.leader.checkpoint = 20, 30
    assert await world.copy().run("h") == 30
    assert world.leader.asked[-1].mark == mark_of(operation(20))
    assert world.follower.pages[-1] == 9


def test_the_pages_of_all_copies_together_are_few() -> None:
    """R-98: however many shards are copied at once from leaders that take their time; and none waits for ever."""

    async def work() -> None:
        worlds = [World(9) for _ in range(20)]
        limits = CopyLimits(
            page_bytes=lambda: 1 << 20,
            timeout_s=lambda: 60.0,
            throttle=Throttle(lambda: 0),
            pages=asyncio.Semaphore(3),
        )
        reading = most = 0

        class Slow(Leader):
            async def copy(self, request: CopyRequest, ctx: Any) -> CopyAnswer:
                nonlocal reading, most
                reading += 1
                most = max(most, reading)
                await asyncio.sleep(1)
                reading -= 1
                return await super().copy(request, ctx)

        async with TaskScope("copies") as scope:
            tasks = []
            for world in worlds:
                world.leader = Slow(9)
                tasks.append(scope.start(world.copy(limits).run("h")))
            await asyncio.wait(tasks)
        assert [task.result() for task in tasks] == [9] * 20
        assert most == 3

    in_virtual_time(work)


async def test_it_goes_on_where_it_was() -> None:
    """R-92: whatever page it fails at, none is taken twice and none is missing."""
    for fails_at in range(1, 5):
        world = World(9)
        world.leader.fails_at = fails_at
        with pytest.raises(ConnectTransport):
            await world.copy().run("h")
        assert world.targets == []
        assert await world.copy().run("h") == 9
        assert world.follower.documents == list(range(10))
        assert world.leader.opened == 1


async def test_what_is_complete_is_not_asked_for() -> None:
    """R-92"""
    world = World(9)
    world.to_seq_no, world.follower.checkpoint = NO_OPERATIONS, 30
    assert await world.copy().run("h") == 30
    assert (world.leader.asked, world.leader.opened) == ([], 0)


async def test_an_empty_leader() -> None:
    """R-42"""
    world = World(-1)
    copy = world.copy()
    assert await copy.run("h") == NO_OPERATIONS
    assert world.to_seq_no == NO_OPERATIONS
    assert copy.progress is None


async def test_another_history() -> None:
    """R-49: nothing has been copied, so the leader's present one is taken; one that changes at each look is refused."""
    world = World(2)
    world.leader.history_uuid = "renamed"
    assert await world.copy().run("h") == 2
    assert world.adopted == 1
    assert {each.history_uuid for each in world.leader.asked} == {"renamed"}

    class Restless(World):
        async def _adopt(self) -> str:
            self.adopted += 1
            return f"h{self.adopted}"

    restless = Restless(2)
    restless.leader.history_uuid = "renamed"
    with pytest.raises(UnexpectedHistory):
        await restless.copy().run("h")
    assert restless.follower.pages == []


async def test_a_page_that_leads_nowhere() -> None:
    """R-99: what a leader answers is not believed blindly."""
    world = World(9)
    world.leader.lies = True
    with pytest.raises(IllegalState, match="cannot end with"):
        await world.copy().run("h")


def test_an_answer_has_its_time() -> None:
    """R-98"""

    async def work() -> None:
        world = World(9)
        world.leader.stalls = True
        with pytest.raises(ReceiveTimeout, match="has not been answered in"):
            await world.copy().run("h")
        assert asyncio.get_running_loop().time() >= 60

    in_virtual_time(work)


def test_it_takes_no_more_than_it_may() -> None:
    """R-98: all copies of a node together."""

    async def work() -> None:
        world = World(99)
        world.rate = 100
        began = asyncio.get_running_loop().time()
        await world.copy().run("h")
        took = asyncio.get_running_loop().time() - began
        copied = sum(len(operation(n).source or b"") + 52 for n in range(100))
        assert took >= copied / 100 * 0.95

    in_virtual_time(work)
