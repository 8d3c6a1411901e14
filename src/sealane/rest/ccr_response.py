"""What `_ccr` answers, in the reference's shapes.

Ours in addition: an index's `failure` beside the status `failed`, leases that are still to be removed, and in each
shard's statistics one member `sealane` with what the reference does not tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from sealane.model.followers import (
    AutoFollowPattern,
    AutoFollowStats,
    CopyProgress,
    FailbackAnswer,
    FollowAnswer,
    FollowerInfo,
    FollowerStatus,
    IndexFollowStats,
    Promoted,
    ShardFollowStats,
    ShardsAnswer,
    Verified,
    VerifiedShard,
)
from sealane.rest.human import duration_text
from sealane.rest.index_json import nested
from sealane.settings import bytes_text
from sealane.settings.follow_parameters import given, with_defaults

_FOR_PEOPLE: Mapping[str, tuple[str, bool]] = {
    "write_buffer_size_in_bytes": ("write_buffer_size", True),
    "total_read_time_millis": ("total_read_time", False),
    "total_read_remote_exec_time_millis": ("total_read_remote_exec_time", False),
    "bytes_read": ("total_read", True),
    "total_write_time_millis": ("total_write_time", False),
}
"""Figures that `human` shows once more: under which name, and whether they are sizes rather than times."""
_FIGURES = (
    "leader_global_checkpoint",
    "leader_max_seq_no",
    "follower_global_checkpoint",
    "follower_max_seq_no",
    "last_requested_seq_no",
    "outstanding_read_requests",
    "outstanding_write_requests",
    "write_buffer_operation_count",
    "write_buffer_size_in_bytes",
    "follower_mapping_version",
    "follower_settings_version",
    "follower_aliases_version",
    "total_read_time_millis",
    "total_read_remote_exec_time_millis",
    "successful_read_requests",
    "failed_read_requests",
    "operations_read",
    "bytes_read",
    "total_write_time_millis",
    "successful_write_requests",
    "failed_write_requests",
    "operations_written",
)


def render_follow(answer: FollowAnswer) -> dict[str, bool]:
    return {
        "follow_index_created": answer.index_created,
        "follow_index_shards_acked": answer.shards_acked,
        "index_following_started": answer.following_started,
    }


def render_acknowledged(leases_pending: Sequence[str]) -> dict[str, Any]:
    """`leases_pending` only where there are some."""
    pending = {"leases_pending": list(leases_pending)} if leases_pending else {}
    return {"acknowledged": True, **pending}


def render_info(infos: Sequence[FollowerInfo]) -> dict[str, Any]:
    return {"follower_indices": [_info(each) for each in infos]}


def _info(info: FollowerInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "follower_index": info.index,
        "remote_cluster": info.remote_cluster,
        "leader_index": info.leader_index,
        "status": str(info.status),
    }
    if info.parameters is not None and info.status is not FollowerStatus.PAUSED:
        shown["parameters"] = with_defaults(info.parameters)
    if info.failure is not None:
        shown["failure"] = info.failure.to_cause()
    return shown


# -- statistics --------------------------------------------------------------------------------------


def render_follow_stats(
    stats: Sequence[IndexFollowStats], *, for_people: bool, now_ms: int
) -> dict[str, Any]:
    """By index, then by shard."""
    return {
        "indices": [
            {
                "index": each.index,
                "total_global_checkpoint_lag": each.checkpoint_lag,
                "shards": [
                    _shard(shard, for_people, now_ms)
                    for shard in sorted(each.shards, key=lambda shard: shard.shard_id)
                ],
            }
            for each in sorted(stats, key=lambda each: each.index)
        ]
    }


def _shard(stats: ShardFollowStats, for_people: bool, now_ms: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "remote_cluster": stats.remote_cluster,
        "leader_index": stats.leader_index,
        "follower_index": stats.follower_index,
        "shard_id": stats.shard_id,
    }
    for name in _FIGURES:
        value = getattr(stats, name)
        if for_people and name in _FOR_PEOPLE:
            text, is_size = _FOR_PEOPLE[name]
            shown[text] = bytes_text(value) if is_size else duration_text(value)
        shown[name] = value
    shown["read_exceptions"] = [
        {
            "from_seq_no": each.from_seq_no,
            "retries": each.retries,
            "exception": each.error.to_cause(),
        }
        for each in stats.read_exceptions
    ]
    shown["time_since_last_read_millis"] = stats.time_since_last_read_millis
    if stats.fatal_exception is not None:
        shown["fatal_exception"] = stats.fatal_exception.to_cause()
    shown["sealane"] = dict(_ours(stats, now_ms))
    return shown


def _ours(stats: ShardFollowStats, now_ms: int) -> Iterator[tuple[str, Any]]:
    yield "phase", str(stats.phase)
    yield "lag_millis", stats.lag_ms
    if stats.copy is not None:
        yield "copy", _copy(stats.copy)
    if stats.slowest is not None:
        yield "slowest", stats.slowest
    if stats.retry_in_ms is not None:
        yield "retry_in_millis", stats.retry_in_ms
    if stats.last_error is not None:
        yield "last_error", stats.last_error.to_cause()
    if stats.lease_renewed_ms is not None or stats.lease_error is not None:
        yield "lease", dict(_lease(stats, now_ms))


def _lease(stats: ShardFollowStats, now_ms: int) -> Iterator[tuple[str, Any]]:
    if stats.lease_renewed_ms is not None:
        yield "time_since_renewal_millis", max(0, now_ms - stats.lease_renewed_ms)
    if stats.lease_error is not None:
        yield "last_error", stats.lease_error.to_cause()


def _copy(copy: CopyProgress) -> dict[str, Any]:
    return {
        "seq_no": copy.seq_no,
        "to_seq_no": copy.to_seq_no,
        "docs": copy.docs,
        "total_docs": copy.total_docs,
        "bytes": copy.bytes,
        "start_time_in_millis": copy.started_ms,
        "running_time_in_millis": copy.running_ms,
    }


def render_auto_follow_stats(stats: AutoFollowStats) -> dict[str, Any]:
    return {
        "number_of_failed_follow_indices": stats.failed_follow_indices,
        "number_of_failed_remote_cluster_state_requests": stats.failed_remote_cluster_state_requests,
        "number_of_successful_follow_indices": stats.successful_follow_indices,
        "recent_auto_follow_errors": [
            {
                "leader_index": each.subject,
                "timestamp": each.timestamp_ms,
                "auto_follow_exception": each.error.to_cause(),
            }
            for each in stats.errors
        ],
        "auto_followed_clusters": [
            {
                "cluster_name": each.alias,
                "time_since_last_check_millis": each.time_since_last_check_ms,
                "last_seen_metadata_version": each.last_seen_metadata_version,
                **(
                    {}
                    if each.last_error is None
                    else {"sealane": {"last_error": each.last_error.to_cause()}}
                ),
            }
            for each in stats.clusters
        ],
    }


# -- rules -------------------------------------------------------------------------------------------


def render_patterns(patterns: Sequence[AutoFollowPattern]) -> dict[str, Any]:
    return {"patterns": [{"name": each.name, "pattern": _pattern(each)} for each in patterns]}


def _pattern(pattern: AutoFollowPattern) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "active": pattern.active,
        "remote_cluster": pattern.remote_cluster,
        "leader_index_patterns": list(pattern.leader_index_patterns),
        "leader_index_exclusion_patterns": list(pattern.leader_index_exclusion_patterns),
    }
    if pattern.follow_index_pattern is not None:
        shown["follow_index_pattern"] = pattern.follow_index_pattern
    shown["settings"] = nested(pattern.settings)
    if pattern.include_existing:
        shown["include_existing"] = True
    return shown | given(pattern.parameters)


# -- leases, promotion and what follows it -----------------------------------------------------------


def render_shards(answer: ShardsAnswer) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "total": answer.total,
        "successful": answer.successful,
        "failed": len(answer.failures),
    }
    if answer.failures:
        shown["failures"] = [
            {
                "shard": shard,
                "index": index,
                "status": HTTPStatus(error.status).name,
                "reason": error.to_cause(),
            }
            for index, shard, error in answer.failures
        ]
    return {"_shards": shown}


def render_promoted(promoted: Sequence[Promoted]) -> dict[str, Any]:
    """By index. `acknowledged` is whether every one is an ordinary index now."""
    return {
        "acknowledged": all(each.error is None for each in promoted),
        "indices": {each.index: dict(_promoted(each)) for each in promoted},
    }


def _promoted(promoted: Promoted) -> Iterator[tuple[str, Any]]:
    yield "promoted", promoted.error is None
    if promoted.error is not None:
        yield "error", promoted.error.to_cause()
        return
    yield "checkpoints", list(promoted.checkpoints)
    if promoted.leases_pending:
        yield "leases_pending", list(promoted.leases_pending)


def render_failback(answer: FailbackAnswer) -> dict[str, Any]:
    each = zip(answer.common_seq_nos, answer.undone, answer.touched_ids, strict=True)
    return {
        "acknowledged": True,
        "shards": [
            {
                "shard": shard,
                "common_seq_no": common,
                "undone_operations": undone,
                "touched_documents": touched,
            }
            for shard, (common, undone, touched) in enumerate(each)
        ],
    }


def render_verified(verified: Verified) -> dict[str, Any]:
    return {
        "follower_index": verified.index,
        "remote_cluster": verified.remote_cluster,
        "leader_index": verified.leader_index,
        "equal": all(each.equal for each in verified.shards),
        "shards": [_verified(each) for each in verified.shards],
    }


def _verified(shard: VerifiedShard) -> dict[str, Any]:
    shown: dict[str, Any] = {"shard": shard.shard, "equal": shard.equal}
    if shard.error is not None:
        return {**shown, "error": shard.error.to_cause()}
    return {
        **shown,
        "checkpoint": shard.checkpoint,
        "leader": {"docs": shard.leader_docs, "hash": shard.leader_hash},
        "follower": {"docs": shard.follower_docs, "hash": shard.follower_hash},
    }
