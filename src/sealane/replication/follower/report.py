"""How one shard of a follower is doing, as its statistics say it."""

from dataclasses import dataclass

from sealane.errors import ApiError
from sealane.model.followers import CopyProgress, Phase, ReadFailure, ShardFollowStats
from sealane.model.replication import NO_OPERATIONS
from sealane.replication.follower.counters import Counters
from sealane.replication.follower.failures import Attempts
from sealane.replication.follower.lease_keeper import LeaseKeeper
from sealane.replication.follower.machine import Machine
from sealane.replication.follower.ports import LeaderVersions, ShardIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What there is to tell. `machine` is None before the tail has begun, and `began_at` is what the shard had when it
    was looked at last; `waits_for` is the step before the tail that has to be tried again, if there is one.
    """

    identity: ShardIdentity
    counters: Counters
    machine: Machine | None
    began_at: int
    lease: LeaseKeeper
    copy: CopyProgress | None
    versions: LeaderVersions
    phase: Phase
    waits_for: Attempts | None
    fatal: ApiError | None


def report(of: Report, now: float) -> ShardFollowStats:
    """`now` is of the clock that the machine is told."""
    machine, counters = of.machine, of.counters
    copied = max(of.began_at, of.copy.seq_no if of.copy is not None else NO_OPERATIONS)
    return ShardFollowStats(
        remote_cluster=of.identity.remote_cluster,
        leader_index=of.identity.leader.index,
        follower_index=of.identity.follower_index,
        shard_id=of.identity.shard,
        leader_global_checkpoint=machine.leader_checkpoint if machine else NO_OPERATIONS,
        leader_max_seq_no=machine.leader_max_seq_no if machine else NO_OPERATIONS,
        follower_global_checkpoint=machine.checkpoint if machine else copied,
        follower_max_seq_no=machine.max_seq_no if machine else copied,
        last_requested_seq_no=machine.progress.last_requested if machine else NO_OPERATIONS,
        outstanding_read_requests=len(machine.progress.outstanding) if machine else 0,
        outstanding_write_requests=int(machine.is_writing) if machine else 0,
        write_buffer_operation_count=machine.sequencer.count if machine else 0,
        write_buffer_size_in_bytes=machine.sequencer.size_bytes if machine else 0,
        follower_mapping_version=of.versions.mapping,
        follower_settings_version=of.versions.settings,
        follower_aliases_version=of.versions.aliases,
        total_read_time_millis=round(counters.read_s * 1000),
        total_read_remote_exec_time_millis=counters.remote_ms,
        successful_read_requests=counters.successful_reads,
        failed_read_requests=counters.failed_reads,
        operations_read=counters.operations_read,
        bytes_read=counters.bytes_read,
        total_write_time_millis=round(counters.write_s * 1000),
        successful_write_requests=counters.successful_writes,
        failed_write_requests=counters.failed_writes,
        operations_written=counters.operations_written,
        read_exceptions=_read_failures(machine),
        time_since_last_read_millis=_since_last_read_ms(machine, now),
        fatal_exception=of.fatal,
        phase=_phase(of),
        lag_ms=machine.lag_ms(now) if machine else None,
        copy=of.copy,
        retry_in_ms=_retry_in_ms(of, now),
        last_error=_last_error(of),
        lease_renewed_ms=of.lease.renewed_ms,
        lease_error=of.lease.error,
        slowest=counters.slowest(now),
    )


def _read_failures(machine: Machine | None) -> tuple[ReadFailure, ...]:
    if machine is None:
        return ()
    return tuple(
        ReadFailure(from_seq_no=first, retries=attempts.failures, error=attempts.error)
        for first, attempts in machine.progress.failing.items()
        if attempts.error is not None
    )


def _since_last_read_ms(machine: Machine | None, now: float) -> int:
    """-1 before the first."""
    if machine is None or machine.lag.answered_at is None:
        return -1
    return round((now - machine.lag.answered_at) * 1000)


def _last_error(of: Report) -> ApiError | None:
    if of.fatal is not None:
        return of.fatal
    if of.waits_for is not None:
        return of.waits_for.error
    return of.machine.last_error if of.machine is not None else None


def _phase(of: Report) -> Phase:
    if of.fatal is not None:
        return Phase.FAILED
    if _last_error(of) is not None:
        return Phase.WAITING
    return of.phase


def _retry_in_ms(of: Report, now: float) -> int | None:
    """None where nothing waits to be tried again."""
    due_at = of.machine.wake_at(now) if of.machine is not None else None
    if of.waits_for is not None and of.waits_for.error is not None:
        due_at = of.waits_for.due_at
    return None if due_at is None or due_at <= now else round((due_at - now) * 1000)
