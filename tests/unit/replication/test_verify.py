import asyncio
from typing import Any

import pytest

from sealane.engine.base import LiveDocuments, ShardState
from sealane.model.document import Operation
from sealane.model.followers import VerifiedShard
from sealane.model.replication import CopyAnswer, CopyRequest, Following
from sealane.model.task import Context, TaskRegistry
from sealane.replication.verify import VerifiedPair
from tests.unit.replication.follower.leaders import operation

FOLLOWING = Following(
    remote_cluster="eu", leader_index="leader", leader_uuid="u", history_uuids=("h",)
)


class Side:
    """The live documents of one shard, a few a page."""

    def __init__(self, last: int) -> None:
        self.live = {n: operation(n) for n in range(last + 1)}
        self.checkpoint = last
        self.pages = 0

    def page(self, first: int, last: int) -> tuple[list[Operation], int]:
        self.pages += 1
        found = [self.live[n] for n in range(first, last + 1) if n in self.live]
        shown, rest = found[:4], found[4:]
        return shown, rest[0].seq_no - 1 if rest else last

    def replace(self, old: int, new: int) -> None:
        """The document of one number is written again under another."""
        del self.live[old]
        self.live[new] = operation(new)
        self.checkpoint = max(self.checkpoint, new)


class Leader(Side):
    on_page: Any = None

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        shown, up_to = self.page(request.from_seq_no, request.to_seq_no)
        answer = CopyAnswer(
            operations=shown,
            up_to=up_to,
            checkpoint=self.checkpoint,
            mapping_version=1,
            total_docs=len(self.live),
        )
        if self.on_page is not None:
            self.on_page(self.pages)
        return answer


class Follower(Side):
    """`catch_up` is what happens when it is waited for."""

    catch_up: Any = None

    async def live_documents(
        self, uuid: str, shard: int, first: int, last: int, *, max_count: int, max_bytes: int
    ) -> LiveDocuments:
        shown, up_to = self.page(first, last)
        return LiveDocuments(
            operations=shown, up_to=up_to, total_docs=len(self.live), state=self._state()
        )

    async def wait_for_checkpoint(
        self, uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState:
        if self.catch_up is not None:
            self.catch_up()
        await asyncio.sleep(0)
        return self._state()

    def _state(self) -> ShardState:
        return ShardState(
            history_uuid="h",
            primary_term=1,
            max_seq_no=self.checkpoint,
            checkpoint=self.checkpoint,
        )


async def compared(leader: Leader, follower: Follower, checkpoint: int) -> VerifiedShard:
    shard = VerifiedPair("f", 0, FOLLOWING, "h", follower, leader)  # type: ignore[arg-type]
    with TaskRegistry("n").start("verify", start_ms=0) as task:
        return await shard.compare(checkpoint, Context(task=task))


async def test_two_that_are_equal() -> None:
    """R-91"""
    found = await compared(Leader(20), Follower(20), 20)
    assert found.equal
    assert (found.checkpoint, found.leader_docs, found.follower_docs) == (20, 21, 21)
    assert found.leader_hash != "0" * 32


@pytest.mark.parametrize("number", [0, 7, 20])
async def test_a_document_that_is_missing(number: int) -> None:
    """R-91: on either side."""
    leader, follower = Leader(20), Follower(20)
    del follower.live[number]
    found = await compared(leader, follower, 20)
    assert (found.equal, found.leader_docs, found.follower_docs) == (False, 21, 20)
    leader, follower = Leader(20), Follower(20)
    del leader.live[number]
    found = await compared(leader, follower, 20)
    assert (found.equal, found.leader_docs, found.follower_docs) == (False, 20, 21)


async def test_a_document_that_differs() -> None:
    """R-91: the counts are equal, the hashes are not."""
    leader, follower = Leader(20), Follower(20)
    follower.live[7] = operation(7, size=11)
    found = await compared(leader, follower, 20)
    assert (found.equal, found.leader_docs, found.follower_docs) == (False, 21, 21)


async def test_what_changes_while_it_is_read_is_no_difference() -> None:
    """R-91: neither what the leader has changed already, nor what the follower has when it is read."""
    leader, follower = Leader(20), Follower(20)
    changes = iter([(0, 21), (19, 22), (13, 23), (2, 24)])

    def change(_: int) -> None:
        for old, new in changes:
            leader.replace(old, new)
            break

    def catch_up() -> None:
        for old in [n for n in follower.live if n not in leader.live]:
            follower.replace(old, leader.checkpoint)
        follower.checkpoint = leader.checkpoint

    leader.on_page = change
    follower.catch_up = catch_up
    found = await compared(leader, follower, 20)
    assert found.error is None
    assert found.equal


async def test_one_that_does_not_catch_up() -> None:
    """R-91: it is told instead of a comparison."""
    found = await compared(Leader(20), Follower(10), 20)
    assert found.error is not None
    assert "has not caught up in time" in found.error.reason
    assert not found.equal
