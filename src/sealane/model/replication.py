"""What replication speaks of on both sides of a link: an index as its leader describes it, what is asked of its
operation log, what is answered, and what a follower keeps of whom it follows.

A shard's history is the sequence of its operations under one history uuid. A follower has the history of its leader:
its operations are always a prefix of the leader's, under the same uuid.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from sealane.model.document import Operation

NO_OPERATIONS: Final = -1
"""A checkpoint before the first operation; as a lease's number: every operation is kept."""


class HistoryMark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One operation as both sides must have it: two histories that agree on it are the same up to it.

    The uuid of a history cannot tell that a leader's data came from an old copy, whose numbers were then given again.
    """

    seq_no: int
    term: int
    version: int
    id: str
    wall_ms: int


def mark_of(operation: Operation) -> HistoryMark:
    return HistoryMark(
        operation.seq_no, operation.term, operation.version, operation.id, operation.wall_ms
    )


class Ancestor(msgspec.Struct, frozen=True, array_like=True):
    """A history that this one continues: they are the same up to and including `up_to`."""

    history_uuid: str
    up_to: int


class ShardHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shard stands. `ancestors` are its former histories, the newest first."""

    history_uuid: str
    primary_term: int
    max_seq_no: int
    checkpoint: int
    ancestors: tuple[Ancestor, ...] = ()


class ShardRef(msgspec.Struct, frozen=True, kw_only=True):
    """One shard of the leader. The name is what rights are judged by, the uuid that it is still the same index."""

    index: str
    index_uuid: str
    shard: int


class LeaderAlias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alias of the leader index, as it is copied: whether it is the write index stays behind."""

    filter: str | None = None
    index_routing: str | None = None
    search_routing: str | None = None
    is_hidden: bool | None = None


class Exactness(StrEnum):
    """What a feed of a leader's operations can promise."""

    OPERATIONS = "operations"
    """Every operation of the leader, in its order."""
    SCAN = "scan"
    """The latest state of documents; deletions come late."""


class LeaderKind(StrEnum):
    """What a name is on the leader's cluster."""

    INDEX = "CONCRETE_INDEX"
    ALIAS = "ALIAS"
    DATA_STREAM = "DATA_STREAM"


class LeaderIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index as its cluster describes it to a follower.

    `settings` are those set, with `index.` before them, without private ones. `mapping` is the JSON text of the whole
    mapping. The versions count changes. `history` is by shard, empty where the index is closed. `origins` are the
    uuids of the clusters that its operations have come through, the first of all first and its own last.
    """

    name: str
    uuid: str
    kind: LeaderKind = LeaderKind.INDEX
    open: bool = True
    shards: int = 1
    settings: Mapping[str, str | tuple[str, ...]]
    mapping: bytes
    mapping_version: int
    settings_version: int
    aliases: Mapping[str, LeaderAlias]
    aliases_version: int
    history: tuple[ShardHistory, ...] = ()
    data_stream: str | None = None
    is_system: bool = False
    cluster_uuid: str = ""
    cluster_name: str = ""
    origins: tuple[str, ...] = ()


class IndexSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One index of a cluster, as auto-following looks at it."""

    name: str
    uuid: str
    open: bool = True
    data_stream: str | None = None
    is_system: bool = False
    is_ready: bool = True
    """Whether all primaries are active."""
    soft_deletes: bool = True
    origins: tuple[str, ...] = ()


class LeaderCluster(msgspec.Struct, frozen=True, kw_only=True):
    """All indices that the asker may replicate, as of one version of the cluster's metadata."""

    name: str
    uuid: str
    metadata_version: int
    indices: tuple[IndexSummary, ...]


class ChangesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Operations from `from_seq_no` on, `max_count` at most and about `max_bytes` of them, at least one.

    Where there is none yet it is waited for, `poll_timeout_ms` at most. `previous` is the operation before
    `from_seq_no` as the follower has it, None where it does not know. `history_uuid` is whose continuation is asked.
    """

    shard: ShardRef
    from_seq_no: int
    max_count: int
    max_bytes: int
    poll_timeout_ms: int
    history_uuid: str
    previous: HistoryMark | None = None


class ChangesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Contiguous operations from the wanted one on, or none where none came in time. Only what is durable.

    The versions were read after the operations, so the mapping of that version fits them all. `checkpoint` and
    `max_seq_no` are the leader's now. `history_uuid` differs from the one asked for where the leader continues it
    under a new name. `now_ms` is the leader's clock, `took_ms` without the waiting.
    """

    operations: Sequence[Operation]
    checkpoint: int
    max_seq_no: int
    mapping_version: int
    settings_version: int
    aliases_version: int
    history_uuid: str
    now_ms: int
    took_ms: int


class CopyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Live documents whose number is in [from_seq_no, to_seq_no], ascending: `max_count` at most and about `max_bytes`
    of them, at least one where there is one.
    """

    shard: ShardRef
    from_seq_no: int
    to_seq_no: int
    max_count: int
    max_bytes: int
    history_uuid: str
    mark: HistoryMark | None = None
    """The newest operation that the copy rests on: that of its start, or of the moment of the page before. The leader
    must still have it.
    """


class CopyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Each document as the operation that made it (`wall_ms` 0). There is no other live one in
    [from_seq_no, up_to]. `checkpoint` is the leader's now: until the follower has reached that, it is not the
    state of any one moment. `total_docs` are the shard's live ones. `mark` is the operation `checkpoint`, None where
    the leader does not know it.
    """

    operations: Sequence[Operation]
    up_to: int
    checkpoint: int
    mapping_version: int
    total_docs: int
    mark: HistoryMark | None = None


class CopyStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy begins with: all up to `checkpoint` can be copied, and operations from there on are retained."""

    checkpoint: int
    history_uuid: str
    total_docs: int
    total_bytes: int
    mark: HistoryMark | None = None
    """The operation `checkpoint` as the leader has it; None where it came there as a copy. Copied documents do not
    tell that the leader has meanwhile become an older copy of itself: this does, in each page and in the first read.
    """


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Operations from `retaining_seq_no` on are kept for `source`. `timestamp_ms` is when it was last renewed."""

    id: str
    retaining_seq_no: int
    timestamp_ms: int
    source: str


LEASE_SOURCE: Final = "ccr"


def lease_id(
    *,
    follower_cluster: str,
    follower_index: str,
    follower_uuid: str,
    alias: str,
    leader_index: str,
    leader_uuid: str,
) -> str:
    """The reference's name of the lease of one follower on one leader index."""
    return f"{follower_cluster}/{follower_index}/{follower_uuid}-following-{alias}/{leader_index}/{leader_uuid}"


class FollowParameters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How fast and in what portions a follower works; None is the default. Sizes and times are kept as the texts that
    were given (`32mb`, `500ms`), judged already.
    """

    max_read_request_operation_count: int | None = None
    max_outstanding_read_requests: int | None = None
    max_read_request_size: str | None = None
    max_write_request_operation_count: int | None = None
    max_write_request_size: str | None = None
    max_outstanding_write_requests: int | None = None
    max_write_buffer_count: int | None = None
    max_write_buffer_size: str | None = None
    max_retry_delay: str | None = None
    read_poll_timeout: str | None = None


class FollowState(StrEnum):
    """What the user wants of a follower."""

    ACTIVE = "active"
    PAUSED = "paused"


class Following(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a follower index keeps of its leader, in its own metadata: durable with it, gone with it.

    The versions are those of the leader that the follower's mapping, settings and aliases were last brought to.
    `subject` is on whose behalf the leader is asked: who began to follow, encoded; empty without security.
    `overrides` are the settings that were given for the follower, and are not brought to the leader's.
    """

    remote_cluster: str
    leader_index: str
    leader_uuid: str
    history_uuids: tuple[str, ...]
    state: FollowState = FollowState.ACTIVE
    parameters: FollowParameters = FollowParameters()
    overrides: Mapping[str, str | tuple[str, ...] | None] = {}
    subject: str = ""
    copy_to: tuple[int | None, ...] = ()
    """By shard: its documents up to this number are copied, and from there on it follows the operations. None before
    the copy has begun, NO_OPERATIONS once the shard is as the leader's was at one moment.
    """
    copy_marks: tuple[HistoryMark | None, ...] = ()
    """By shard: the leader's operation of that number, by which it is known to be of the same history still."""
    copy_witnesses: tuple[HistoryMark | None, ...] = ()
    """By shard: the leader's last operation as of the newest page. Documents that had been changed by then were left
    out, for the operations to come: the shard is whole once it has that very operation.
    """
    mapping_version: int = 0
    settings_version: int = 0
    aliases_version: int = 0
    origins: tuple[str, ...] = ()

    @property
    def is_copying(self) -> bool:
        """Whether a shard is not yet known to be as its leader's was at any one moment: not for searches."""
        return any(number != NO_OPERATIONS for number in self.copy_to)
