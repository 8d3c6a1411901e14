"""What the tail of a shard wants done, and what came of a read as the sequencer takes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sealane.model.document import Operation
from sealane.model.replication import mark_of
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.progress import Read
from sealane.replication.follower.sequencer import Batch


@dataclass(frozen=True, slots=True)
class Write:
    """Operations that continue the shard, for the engine."""

    operations: Sequence[Operation]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Reach:
    """The follower's metadata is to be brought to these versions at least."""

    versions: LeaderVersions


@dataclass(frozen=True, slots=True)
class Adopt:
    """The leader goes on under another name with what the follower has: the shard takes that name."""

    history_uuid: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Reads whose answers mean nothing any more."""

    reads: tuple[int, ...]


Work = Write | Reach | Adopt
Effect = Read | Work | Abandon


def batch_of(read: Read, operations: Sequence[Operation]) -> Batch | None:
    """What came, with the operation it continues. Raises ValueError where it is not what was asked for."""
    if not operations:
        if not read.is_poll:
            raise ValueError(f"no operation [{read.from_seq_no}], though the leader has it")
        return None
    if operations[0].seq_no != read.from_seq_no:
        raise ValueError(f"operation [{operations[0].seq_no}] in place of [{read.from_seq_no}]")
    if len(operations) > read.max_count:
        raise ValueError(f"[{len(operations)}] operations, at most [{read.max_count}] were wanted")
    if read.from_seq_no < read.wanted_from:
        if len(operations) == 1:
            return None
        return Batch(mark_of(operations[0]), operations[1:])
    return Batch(read.previous, operations)
