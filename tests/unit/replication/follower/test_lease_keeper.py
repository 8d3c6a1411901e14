"""The lease of a shard: there before anything, renewed by a timer, added again, never removed."""

import asyncio
import logging

import pytest

from sealane.errors import LeaseInvalid, LeaseNotFound, NodeDisconnected
from sealane.model.replication import NO_OPERATIONS, ShardRef
from sealane.replication.follower.lease_keeper import LeaseKeeper
from sealane.replication.follower.ports import ShardIdentity
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport.tasks import TaskScope
from tests.unit.replication.follower.worlds import LEADER, LEASE, Asks, Link, LoopClock, engines

IDENTITY = ShardIdentity(
    remote_cluster="r",
    leader=ShardRef(index="leader", index_uuid=LEADER, shard=0),
    follower_index="follower",
    follower_uuid="u",
    lease_id=LEASE,
)
HOUR = 3600.0


class Kept:
    """A keeper of a lease on a leader in memory."""

    def __init__(
        self, link: Link, *, interval_s: float = 30.0, period_s: float = 12 * HOUR
    ) -> None:
        self.link = link
        self.wanted = NO_OPERATIONS
        self.keeper = LeaseKeeper(
            IDENTITY,
            feed=link,
            asking=Asks(),
            retain_from=lambda: self.wanted,
            interval_s=interval_s,
            period_s=period_s,
            clock=LoopClock(),
        )

    async def retains(self) -> int | None:
        held = await self.link.engine.leases(LEADER, 0)
        return held[0].retaining_seq_no if held else None


async def kept(**how: float) -> Kept:
    leader, _ = await engines()
    return Kept(Link(leader), **how)


@in_virtual_time
async def test_lease_is_added() -> None:
    """R-66, R-68: retaining all that there is."""
    there = await kept()
    await there.keeper.ensure()
    (lease,) = await there.link.engine.leases(LEADER, 0)
    assert (lease.id, lease.source) == (LEASE, "ccr")
    assert there.keeper.renewed_ms is not None


@in_virtual_time
async def test_lease_that_is_there_is_renewed() -> None:
    there = await kept()
    await there.keeper.ensure()
    there.wanted = 4
    await there.keeper.ensure()
    assert await there.retains() == 4


@in_virtual_time
async def test_timer_renews_an_idle_lease() -> None:
    """R-72: the leader is idle, so is the follower; the lease never becomes older than an interval."""
    there = await kept()
    await there.keeper.ensure()
    there.wanted = 3
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        await settle(24 * HOUR)
        assert there.keeper.renewed_ms is not None
        assert LoopClock().now_ms() - there.keeper.renewed_ms <= 31_000
    assert await there.retains() == 3


@in_virtual_time
async def test_lower_number_is_ignored() -> None:
    """R-73: it is no error, and the lease retains what it did."""
    there = await kept()
    await there.keeper.ensure()
    there.wanted = 9
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        await settle(40)
        there.wanted = 2
        await settle(60)
        assert there.keeper.error is None
        assert await there.retains() == 9


@in_virtual_time
async def test_number_that_the_leader_has_just_discarded_is_renewed_by_the_next() -> None:
    """R-72: while a copy runs the lease is kept alive, whether the operation at its end is still there or not."""
    there = await kept()
    await there.keeper.ensure()
    there.wanted = 9
    await there.keeper.ensure()
    there.wanted = 8
    before = there.keeper.renewed_ms
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        await settle(31)
    assert there.keeper.renewed_ms != before
    assert there.link.renewals[-2:] == [8, 9]


@in_virtual_time
async def test_missing_lease_is_added_again() -> None:
    """R-70, R-73: from where the follower stands."""
    there = await kept()
    await there.keeper.ensure()
    there.wanted = 7
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        await there.link.engine.remove_lease(LEADER, 0, LEASE)
        await settle(31)
        assert await there.retains() == 7
        assert there.keeper.error is None


@in_virtual_time
async def test_failure_is_shown_and_tried_again_at_the_next_interval() -> None:
    there = await kept()
    await there.keeper.ensure()
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        there.link.lease_error = NodeDisconnected("gone")
        await settle(31)
        assert there.keeper.error is there.link.lease_error
        there.link.lease_error = None
        await settle(30)
        assert there.keeper.error is None


@in_virtual_time
async def test_leader_that_does_not_answer_is_a_failure() -> None:
    there = await kept()
    await there.keeper.ensure()
    async with TaskScope("test") as scope:
        scope.start(there.keeper.run())
        there.link.stalled = True
        await settle(61)
        assert there.keeper.error is not None
        assert there.keeper.error.es_type == "receive_timeout_transport_exception"


@in_virtual_time
async def test_ensure_raises_what_the_leader_raises() -> None:
    there = await kept()
    there.link.lease_error = NodeDisconnected("gone")
    with pytest.raises(NodeDisconnected):
        await there.keeper.ensure()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def test_warns_once_at_half_and_once_at_four_fifths(caplog: pytest.LogCaptureFixture) -> None:
    """A lease that runs out is said before it has."""

    @in_virtual_time
    async def run() -> None:
        there = await kept(interval_s=60.0, period_s=10 * HOUR)
        await there.keeper.ensure()
        async with TaskScope("test") as scope:
            scope.start(there.keeper.run())
            there.link.lease_error = NodeDisconnected("gone")
            await settle(4.9 * HOUR)
            assert warnings(caplog) == []
            await settle(2 * HOUR)
            assert len(warnings(caplog)) == 1
            await settle(3 * HOUR)
            assert len(warnings(caplog)) == 2
            there.link.lease_error = None
            await settle(HOUR)
            there.link.lease_error = NodeDisconnected("gone")
            await settle(5.1 * HOUR)
            assert len(warnings(caplog)) == 3

    run()
    assert "[follower][0]: gone" in warnings(caplog)[0]


@in_virtual_time
async def test_nothing_is_removed_when_it_ends() -> None:
    """R-74: only whoever unfollows does that."""
    there = await kept()
    await there.keeper.ensure()
    async with TaskScope("test") as scope:
        task = scope.start(there.keeper.run())
        await asyncio.sleep(1)
        task.cancel()
    assert await there.retains() is not None


def test_errors_of_leases_are_known_by_their_types() -> None:
    """What comes over the wire is told apart by these alone."""
    for error in (LeaseNotFound("x"), LeaseInvalid("x", "ccr", 5, 3)):
        assert type(type(error).from_wire(error.to_wire())) is type(error)
