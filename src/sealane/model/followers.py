"""What is asked of the followers of this cluster, and how they are doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from sealane.errors import ApiError
from sealane.model.replication import FollowParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRequest:
    """`index` is to follow `leader_index` of `remote_cluster`.

    `wait_for_active_shards` 0 answers once the follower exists; any other number, or -1 for all, once it has the
    leader's documents and follows. `settings` are flat, `index.` before them: what the follower has of its own.
    """

    index: str
    remote_cluster: str
    leader_index: str
    data_stream_name: str | None = None
    settings: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    parameters: FollowParameters = field(default_factory=FollowParameters)
    wait_for_active_shards: int = 0
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowAnswer:
    index_created: bool
    shards_acked: bool
    following_started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfollowAnswer:
    """`leases_pending` are those on the leader that could not be removed yet; that is tried on."""

    leases_pending: tuple[str, ...] = ()


class FollowerStatus(StrEnum):
    """How a follower is. The reference has `active` and `paused` alone."""

    ACTIVE = "active"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerInfo:
    """`parameters` is None while paused. `failure` is why a failed one has stopped."""

    index: str
    remote_cluster: str
    leader_index: str
    status: FollowerStatus
    parameters: FollowParameters | None = None
    failure: ApiError | None = None


class Phase(StrEnum):
    """What a shard of a follower is doing."""

    STARTING = "starting"
    COPYING = "copying"
    FOLLOWING = "following"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """The copy of one shard: it ends when `seq_no` is `to_seq_no`."""

    seq_no: int
    to_seq_no: int
    docs: int
    total_docs: int
    bytes: int
    started_ms: int
    running_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailure:
    from_seq_no: int
    retries: int
    error: ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFollowStats:
    """One shard of a follower since its task began. Times in ms; the names are the reference's, the last group is ours.

    `lag_ms` is for how long the follower may have been behind: 0 only where a read that is in order says so; None
    before the leader has ever answered.
    """

    remote_cluster: str
    leader_index: str
    follower_index: str
    shard_id: int
    leader_global_checkpoint: int = -1
    leader_max_seq_no: int = -1
    follower_global_checkpoint: int = -1
    follower_max_seq_no: int = -1
    last_requested_seq_no: int = -1
    outstanding_read_requests: int = 0
    outstanding_write_requests: int = 0
    write_buffer_operation_count: int = 0
    write_buffer_size_in_bytes: int = 0
    follower_mapping_version: int = 0
    follower_settings_version: int = 0
    follower_aliases_version: int = 0
    total_read_time_millis: int = 0
    total_read_remote_exec_time_millis: int = 0
    successful_read_requests: int = 0
    failed_read_requests: int = 0
    operations_read: int = 0
    bytes_read: int = 0
    total_write_time_millis: int = 0
    successful_write_requests: int = 0
    failed_write_requests: int = 0
    operations_written: int = 0
    read_exceptions: Sequence[ReadFailure] = ()
    time_since_last_read_millis: int = -1
    fatal_exception: ApiError | None = None

    phase: Phase = Phase.STARTING
    lag_ms: int | None = None
    copy: CopyProgress | None = None
    retry_in_ms: int | None = None
    last_error: ApiError | None = None
    """The last that was met, read or write; None once all is well again."""
    lease_renewed_ms: int | None = None
    """When the leader last took a renewal."""
    lease_error: ApiError | None = None
    slowest: str | None = None
    """Where the time went lately: `read`, `network` or `write`; None while idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFollowStats:
    index: str
    shards: Sequence[ShardFollowStats]

    @property
    def checkpoint_lag(self) -> int:
        return sum(
            max(0, each.leader_global_checkpoint - each.follower_global_checkpoint)
            for each in self.shards
        )


class AutoFollowPattern(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule, as it is stored. `followed` are the uuids of leader indices that have been dealt with; `subject` is who
    put it, encoded.
    """

    name: str
    remote_cluster: str
    leader_index_patterns: tuple[str, ...]
    leader_index_exclusion_patterns: tuple[str, ...] = ()
    follow_index_pattern: str | None = None
    settings: Mapping[str, str | tuple[str, ...] | None] = {}
    parameters: FollowParameters = FollowParameters()
    include_existing: bool = False
    active: bool = True
    followed: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoFollowError:
    """`subject` is `pattern:index`, or the pattern for what concerns all of it."""

    subject: str
    timestamp_ms: int
    error: ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoFollowedCluster:
    """`time_since_last_check_ms` -1 before the first."""

    alias: str
    time_since_last_check_ms: int
    last_seen_metadata_version: int
    last_error: ApiError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoFollowStats:
    successful_follow_indices: int = 0
    failed_follow_indices: int = 0
    failed_remote_cluster_state_requests: int = 0
    errors: Sequence[AutoFollowError] = ()
    clusters: Sequence[AutoFollowedCluster] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetFollower:
    """Names one lease on each shard of `leader_index`, as it was made by the follower."""

    leader_index: str
    follower_cluster: str
    follower_index: str
    follower_index_uuid: str
    leader_remote_cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsAnswer:
    total: int
    successful: int
    failures: Sequence[tuple[str, int, ApiError]] = ()
    """(index, shard, why)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """One index that was made an ordinary one, with what could not be cleaned up at its leader, or why it was not."""

    index: str
    error: ApiError | None = None
    leases_pending: tuple[str, ...] = ()
    checkpoints: tuple[int, ...] = ()
    """Of each shard: all up to there is present, and nothing above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailbackRequest:
    """The ordinary index `index`, which led before, is to follow the one that was promoted in its place."""

    index: str
    remote_cluster: str
    leader_index: str
    settings: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    parameters: FollowParameters = field(default_factory=FollowParameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailbackAnswer:
    """By shard: up to where both histories are the same, and how many operations were undone."""

    common_seq_nos: tuple[int, ...]
    undone: tuple[int, ...]
    touched_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedShard:
    """One shard of leader and follower, compared as both stood at `checkpoint`.

    The hashes are over id, seq_no, version and source of the live documents, whatever their order. `error` is why the
    two could not be compared; the counts and hashes then say nothing.
    """

    shard: int
    checkpoint: int = -1
    leader_docs: int = 0
    follower_docs: int = 0
    leader_hash: str = ""
    follower_hash: str = ""
    error: ApiError | None = None

    @property
    def equal(self) -> bool:
        return (
            self.error is None
            and self.leader_docs == self.follower_docs
            and self.leader_hash == self.follower_hash
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether a follower holds what its leader does."""

    index: str
    remote_cluster: str
    leader_index: str
    shards: Sequence[VerifiedShard]
