"""One shard of a follower at work, from its lease to its tail, against engines in memory."""

import asyncio

from sealane.errors import (
    CircuitBreaking,
    ConnectTransport,
    IllegalArgument,
    IndexNotFound,
    NodeDisconnected,
    SecurityError,
    UnexpectedHistory,
)
from sealane.model.followers import Phase
from sealane.model.replication import FollowParameters
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.shard import Timing
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport.tasks import TaskScope
from tests.unit.replication.follower.worlds import FOLLOWER, LEADER, made, world


@in_virtual_time
async def test_first_document_of_an_empty_leader_arrives() -> None:
    """R-42: checkpoints are -1 until it does."""
    async with world() as there:
        await settle(1)
        assert (there.stats.leader_global_checkpoint, there.stats.follower_global_checkpoint) == (
            -1,
            -1,
        )
        await there.write()
        await there.level(timeout_s=1)
        assert await there.is_equal()


@in_virtual_time
async def test_backlog_is_read_in_parallel_and_ends_equal() -> None:
    """R-43, R-50: several reads at a time, never more than allowed; one write."""
    async with world(
        FollowParameters(max_outstanding_read_requests=3, max_read_request_operation_count=50),
        running=False,
    ) as there:
        await there.write(2000)
        most = 0
        async with TaskScope("run") as scope:
            scope.start(there.shard.run())
            while there.stats.follower_global_checkpoint != 1999:
                most = max(most, there.stats.outstanding_read_requests)
                assert there.stats.outstanding_write_requests <= 1
                await asyncio.sleep(0.0005)
        assert most == 3
        assert await there.is_equal()


@in_virtual_time
async def test_lease_is_there_before_anything_is_copied() -> None:
    """R-66: and the copy is made anew until it succeeds."""
    async with world(running=False) as there:

        async def has_lease() -> bool:
            return len(await there.leader.leases(LEADER, 0)) == 1

        there.copier.has_lease = has_lease
        there.copier.steps = [ConnectTransport("gone"), None]
        await there.write(3)
        async with TaskScope("run") as scope:
            scope.start(there.shard.run())
            await there.level()
        assert there.copier.ran_with_lease == [True, True]
        history = (await there.leader.shard_state(LEADER, 0)).history_uuid
        assert there.copier.histories == [history] * 2


@in_virtual_time
async def test_lease_follows_the_checkpoint() -> None:
    """R-67: within two intervals it retains what comes next."""
    async with world(timing=Timing(renew_interval_s=30)) as there:
        await there.write(10)
        await there.level()
        await settle(60)
        (lease,) = await there.leader.leases(LEADER, 0)
        assert (lease.retaining_seq_no, lease.source) == (10, "ccr")


@in_virtual_time
async def test_phases_of_a_shard() -> None:
    async with world(running=False) as there:
        assert there.stats.phase is Phase.STARTING
        there.link.error = NodeDisconnected("gone")
        there.copier.gate = asyncio.Event()
        async with TaskScope("run") as scope:
            scope.start(there.shard.run())
            await settle(1)
            assert there.stats.phase is Phase.WAITING
            assert there.stats.last_error is there.link.error
            assert there.stats.lag_ms is None
            there.link.error = None
            await settle(1)
            assert there.stats.phase is Phase.COPYING
            there.copier.gate.set()
            await settle(1)
            assert there.stats.phase is Phase.FOLLOWING
            assert there.stats.last_error is None


@in_virtual_time
async def test_failing_reads_are_shown_and_cleared() -> None:
    """R-60, R-63, R-88, R-90: the entry has the number and the retries, and goes with the first success."""
    async with world() as there:
        await there.write(3)
        await there.level()
        there.link.error = CircuitBreaking("full")
        await settle(5)
        (failure,) = there.stats.read_exceptions
        assert (failure.from_seq_no, failure.error) == (3, there.link.error)
        assert failure.retries > 3
        assert there.stats.retry_in_ms is None or there.stats.retry_in_ms <= 500
        assert there.stats.phase is Phase.WAITING
        there.link.error = None
        await settle(1)
        assert there.stats.read_exceptions == ()
        assert there.stats.phase is Phase.FOLLOWING
        assert there.stats.lag_ms == 0
        assert there.fatal == []


@in_virtual_time
async def test_lag_does_not_lie_while_reads_fail() -> None:
    """It grows from the last moment at which the follower is known to have been level."""
    async with world() as there:
        await there.write(3)
        await there.level()
        await settle(20)
        assert there.stats.lag_ms == 0
        there.link.error = NodeDisconnected("gone")
        await settle(30)
        lag_ms = there.stats.lag_ms
        assert lag_ms is not None
        assert lag_ms >= 30_000
        await there.write()
        there.link.error = None
        await there.level(timeout_s=2)
        await settle(1)
        assert there.stats.lag_ms == 0


@in_virtual_time
async def test_lag_does_not_lie_while_a_poll_hangs() -> None:
    """A long poll whose answer is overdue proves nothing."""
    async with world(FollowParameters(read_poll_timeout="10s")) as there:
        await settle(1)
        there.link.stalled = True
        await settle(30)
        lag_ms = there.stats.lag_ms
        assert lag_ms is not None
        assert lag_ms > 15_000


@in_virtual_time
async def test_idle_follower_is_read_within_the_poll_timeout() -> None:
    """R-89: and no read fails."""
    async with world(FollowParameters(read_poll_timeout="10s")) as there:
        longest = 0
        for _ in range(100):
            await settle(1)
            longest = max(longest, there.stats.time_since_last_read_millis)
        assert 5_000 < longest <= 11_000
        assert there.stats.failed_read_requests == 0
        assert there.stats.successful_read_requests == 0


@in_virtual_time
async def test_security_failure_is_retried_and_shown() -> None:
    """R-61: for as long as it takes."""
    async with world() as there:
        await settle(1)
        there.link.error = SecurityError("no rights")
        await settle(24 * 3600)
        assert there.fatal == []
        assert there.stats.last_error is there.link.error
        there.link.error = None
        await there.write()
        await there.level(timeout_s=2)


@in_virtual_time
async def test_mapping_conflict_is_fatal_until_somebody_asks_again() -> None:
    """R-62, R-91: it stands with its reason and goes on when asked."""
    async with world() as there:
        there.sync.error = IllegalArgument(
            "mapper [a] cannot be changed from type [long] to [text]"
        )
        there.link.versions = LeaderVersions(2, 1, 1)
        await there.write(3)
        await settle(5)
        assert there.fatal == [there.sync.error]
        assert there.stats.fatal_exception is there.sync.error
        assert there.stats.phase is Phase.FAILED
        assert await there.state() == -1
        assert len(there.asks.tasks) == 0
        assert there.budget.used_bytes == 0
        there.sync.error = None
        there.shard.retry_now()
        await there.level(timeout_s=2)
        assert there.stats.fatal_exception is None
        assert there.stats.follower_mapping_version == 2


@in_virtual_time
async def test_lost_history_is_fatal() -> None:
    """R-49, R-100: nothing is written after it."""
    async with world() as there:
        await there.write(3)
        await there.level()
        await there.leader.adopt_history(LEADER, 0, "another")
        await there.write(3)
        await settle(61)
        assert [type(error) for error in there.fatal] == [UnexpectedHistory]
        assert await there.state() == 2


@in_virtual_time
async def test_promoted_leader_is_followed_under_its_new_name() -> None:
    """R-65: the follower remembers what its leader remembers."""
    async with world() as there:
        await there.write(3)
        await there.level()
        (state,) = await there.leader.begin_history(LEADER)
        await there.write(3)
        await settle(61)
        await there.level()
        ours = await there.follower.shard_state(FOLLOWER, 0)
        assert there.histories == [state.history_uuid]
        assert (ours.history_uuid, ours.ancestors) == (state.history_uuid, state.ancestors)
        assert await there.is_equal()
        assert there.fatal == []


@in_virtual_time
async def test_leader_that_is_missing_after_an_outage_is_waited_for() -> None:
    """An index that is not found right after a restart is not taken for one that was deleted."""
    async with world() as there:
        await there.write(3)
        await there.level()
        there.link.error = NodeDisconnected("gone")
        await settle(5)
        there.link.error = IndexNotFound("leader")
        await settle(50)
        assert there.fatal == []
        there.link.error = None
        await there.write()
        await there.level(timeout_s=2)


@in_virtual_time
async def test_deleted_leader_is_fatal() -> None:
    """R-38: what was copied stays."""
    async with world() as there:
        await there.write(3)
        await there.level()
        there.link.error = IndexNotFound("leader")
        await settle(61)
        assert there.fatal == [there.link.error]
        assert await there.state() == 2


@in_virtual_time
async def test_cancelled_shard_leaves_nothing_behind() -> None:
    """R-108: a hundred pauses under load; each ends at once, and the shards end equal."""
    async with world(running=False) as there:
        again = there
        for round_ in range(100):
            await there.write(20)
            async with TaskScope("run") as scope:
                task = scope.start(again.shard.run())
                await asyncio.sleep(0.0007 * (round_ % 13))
                task.cancel()
                async with asyncio.timeout(1):
                    await asyncio.wait([task])
                assert len(again.asks.tasks) == 0
                assert again.budget.used_bytes == 0
                assert len(again.budget) == 0
        async with TaskScope("run") as scope:
            scope.start(again.shard.run())
            await there.level()
        assert await there.is_equal()


@in_virtual_time
async def test_restart_goes_on_from_what_is_durable() -> None:
    """R-52, R-92: a new run asks for what comes next, and proves what came before."""
    async with world(running=False) as there:
        await there.write(5)
        async with TaskScope("run") as scope:
            scope.start(there.shard.run())
            await there.level()
        await there.write(5)
        there.link.asked.clear()
        second = made(
            there.leader,
            there.follower,
            parameters=FollowParameters(),
            timing=Timing(),
            patience=Patience(),
        )
        async with TaskScope("run") as scope:
            scope.start(second.shard.run())
            await there.level()
        first = second.link.asked[0]
        assert first.from_seq_no == 5
        assert first.previous is not None
        assert first.previous.seq_no == 4
        assert second.stats.operations_written == 5
        assert await there.is_equal()


@in_virtual_time
async def test_retry_now_does_not_wait() -> None:
    async with world(FollowParameters(max_retry_delay="5m", read_poll_timeout="10m")) as there:
        await settle(1)
        there.link.error = NodeDisconnected("gone")
        await settle(300)
        there.link.error = None
        there.shard.retry_now()
        await settle(0.1)
        assert there.stats.phase is Phase.FOLLOWING


@in_virtual_time
async def test_one_operation_larger_than_every_limit_arrives() -> None:
    """R-48: the read, the write, the buffer and the node's budget are all smaller."""
    tiny = FollowParameters(
        max_read_request_size="1b", max_write_request_size="1b", max_write_buffer_size="1b"
    )
    async with world(tiny) as there:
        there.budget.resize(1)
        await there.write(2)
        await there.write(1, size=100_000)
        await there.write(2)
        await there.level()
        assert await there.is_equal()


@in_virtual_time
async def test_stalled_leader_times_out() -> None:
    """R-97: a request without an answer is a failed read, and tried again."""
    async with world(FollowParameters(read_poll_timeout="1s")) as there:
        await settle(1)
        there.link.stalled = True
        await settle(200)
        assert there.stats.failed_read_requests >= 1
        there.link.stalled = False
        await there.write()
        await there.level()
