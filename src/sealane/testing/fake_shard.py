"""One shard of the fake engine: its operations, what of them can be searched, its leases and its histories.

It is what a disk would keep, and changes at one moment. Whether, when and in which order it is changed is
`fake_engine`'s.
"""

from collections.abc import Iterable, Sequence
from copy import copy

from sealane.engine.base import RollBack, ShardState
from sealane.errors import (
    HistoryDiverged,
    IllegalArgument,
    IllegalState,
    LeaseAlreadyExists,
    LeaseInvalid,
    LeaseNotFound,
    OperationsMissing,
)
from sealane.model.document import Operation, OpKind
from sealane.model.replication import NO_OPERATIONS, Ancestor, HistoryMark, Lease, mark_of

_OPERATION_BYTES = 50
"""About what an operation takes beside its id and its source."""


class FakeShard:
    """`log` has the operations from `floor` on, and the one before as a proof; `committed` is the checkpoint as of the
    last refresh.
    """

    def __init__(self, history_uuid: str) -> None:
        self.history_uuid = history_uuid
        self.ancestors: tuple[Ancestor, ...] = ()
        self.term = 1
        self.log: dict[int, Operation] = {}
        self.floor = 0
        self.checkpoint = NO_OPERATIONS
        self.max_seq_no = NO_OPERATIONS
        self.committed = NO_OPERATIONS
        self.copied_to: HistoryMark | None = None
        """The operation at which a copy ended, where that was told."""
        self.newest: dict[str, Operation] = {}
        """By id: the operation that a document, or the lack of one, comes from."""
        self.visible: dict[str, Operation] = {}
        self.held_leases: dict[str, Lease] = {}
        self.is_clean = True
        """Whether it was closed in order."""

    def copied(self) -> "FakeShard":
        """As a copy of its files would be."""
        other = copy(self)
        other.log = dict(self.log)
        other.newest = dict(self.newest)
        other.visible = dict(self.visible)
        other.held_leases = dict(self.held_leases)
        return other

    def state(self) -> ShardState:
        return ShardState(
            history_uuid=self.history_uuid,
            primary_term=self.term,
            max_seq_no=self.max_seq_no,
            checkpoint=self.checkpoint,
            ancestors=self.ancestors,
        )

    # -- operations ----------------------------------------------------------------------------------------------

    def append(self, op: Operation) -> None:
        """The next operation, of a primary."""
        self._take(op)

    def take(self, op: Operation) -> None:
        """An operation of another shard. One already taken changes nothing."""
        self._take(op)

    def _take(self, op: Operation) -> None:
        if op.seq_no <= self.checkpoint or op.seq_no in self.log:
            return
        self.log[op.seq_no] = op
        self.term = max(self.term, op.term)
        self.max_seq_no = max(self.max_seq_no, op.seq_no)
        while self.checkpoint + 1 in self.log:
            self.checkpoint += 1
        self._put(op)

    def take_copied(
        self, operations: Sequence[Operation], up_to: int, mark: HistoryMark | None = None
    ) -> None:
        """Raises IllegalArgument where they are not ascending from above the checkpoint to `up_to`."""
        before = self.checkpoint
        for op in operations:
            if not before < op.seq_no <= up_to:
                raise IllegalArgument(f"operation [{op.seq_no}] is not in [{before + 1}, {up_to}]")
            before = op.seq_no
        for op in operations:
            self.term = max(self.term, op.term)
            self._put(op)
        if up_to > self.checkpoint:
            self.checkpoint, self.copied_to = up_to, mark
        self.max_seq_no = max(self.max_seq_no, self.checkpoint)
        self._raise_floor(self.checkpoint + 1)
        while self.checkpoint + 1 in self.log:
            self.checkpoint += 1

    def _put(self, op: Operation) -> None:
        newest = self.newest.get(op.id)
        if op.kind is not OpKind.NO_OP and (newest is None or newest.seq_no < op.seq_no):
            self.newest[op.id] = op

    def read(
        self, from_seq_no: int, max_count: int, max_bytes: int, previous: HistoryMark | None
    ) -> list[Operation]:
        """As OperationLog.changes."""
        if previous is not None:
            self._check_mark(previous)
        self._require(from_seq_no)
        found: list[Operation] = []
        size = 0
        for seq_no in range(from_seq_no, min(self.checkpoint, from_seq_no + max_count - 1) + 1):
            op = self.log[seq_no]
            size += _OPERATION_BYTES + len(op.source or b"") + len(op.id)
            if found and size > max_bytes:
                break
            found.append(op)
        return found

    def mark(self, seq_no: int) -> HistoryMark | None:
        held = self.log.get(seq_no)
        if held is not None:
            return mark_of(held)
        copied_to = self.copied_to
        return copied_to if copied_to is not None and copied_to.seq_no == seq_no else None

    def _check_mark(self, previous: HistoryMark) -> None:
        held = self.mark(previous.seq_no)
        if previous.seq_no > self.max_seq_no:
            raise HistoryDiverged(previous.seq_no, _shown(previous), "not there")
        if held is not None and held != previous:
            raise HistoryDiverged(previous.seq_no, _shown(previous), _shown(held))

    def _require(self, from_seq_no: int) -> None:
        if from_seq_no < self.floor:
            raise OperationsMissing(from_seq_no, self.floor - 1, sorted(self.held_leases))

    def live(
        self, from_seq_no: int, to_seq_no: int, max_count: int, max_bytes: int
    ) -> tuple[list[Operation], int]:
        """Live documents of the view, as the operations that made them, and up to where they are all.

        Raises IllegalState where the view does not go so far.
        """
        if to_seq_no > self.committed:
            raise IllegalState(f"there is no view up to [{to_seq_no}], only to [{self.committed}]")
        wanted = [op for op in self.visible.values() if from_seq_no <= op.seq_no <= to_seq_no]
        wanted.sort(key=lambda op: op.seq_no)
        found: list[Operation] = []
        size = 0
        for op in wanted:
            size += _OPERATION_BYTES + len(op.source or b"") + len(op.id)
            if found and (len(found) == max_count or size > max_bytes):
                return found, found[-1].seq_no
            found.append(as_copied(op))
        return found, to_seq_no

    def touched_since(self, seq_no: int) -> list[str]:
        self._require(seq_no + 1)
        after = [self.log[number] for number in sorted(self.log) if number > seq_no]
        return list(dict.fromkeys(op.id for op in after if op.kind is not OpKind.NO_OP))

    # -- histories -----------------------------------------------------------------------------------------------

    def begin_history(self, history_uuid: str) -> None:
        """Raises IllegalState where there are holes."""
        self.require_whole()
        self.term += 1
        self.ancestors = (Ancestor(self.history_uuid, self.checkpoint), *self.ancestors)
        self.history_uuid = history_uuid

    def adopt(self, history_uuid: str, ancestors: tuple[Ancestor, ...]) -> None:
        self.history_uuid, self.ancestors = history_uuid, ancestors

    def require_whole(self) -> None:
        if self.max_seq_no > self.checkpoint:
            raise IllegalState(
                f"operations are missing between [{self.checkpoint}] and [{self.max_seq_no}]"
            )

    def roll_back(self, back: RollBack) -> None:
        """As Writer.roll_back."""
        if back.to_seq_no > self.checkpoint:
            raise IllegalState(
                f"cannot return to [{back.to_seq_no}] from the checkpoint [{self.checkpoint}]"
            )
        if back.to_seq_no + 1 < self.floor:
            raise IllegalState(f"the operations from [{back.to_seq_no + 1}] on are not all there")
        touched = set(back.touched)
        if not touched.issuperset(self.touched_since(back.to_seq_no)):
            raise IllegalState("not all documents that were touched are told of")
        for op in back.documents:
            if op.id not in touched or op.seq_no > back.to_seq_no or op.kind is not OpKind.INDEX:
                raise IllegalState(f"[{op.id}] is no document to be put back")
        self.log = {number: op for number, op in self.log.items() if number <= back.to_seq_no}
        for doc_id in back.touched:
            self.newest.pop(doc_id, None)
        for op in back.documents:
            self.newest[op.id] = op
        self.checkpoint = self.max_seq_no = back.to_seq_no
        self.committed = min(self.committed, self.checkpoint)
        self.history_uuid, self.ancestors = back.history_uuid, back.ancestors
        self.refresh()

    # -- what can be searched ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        self.visible = {i: op for i, op in self.newest.items() if op.kind is OpKind.INDEX}
        self.committed = self.checkpoint

    def trim(self, retained: int, now_ms: int, period_ms: int) -> None:
        """Drops operations that nobody needs. What is below the floor never comes back."""
        self.drop_expired(now_ms, period_ms)
        keep_from = self.committed + 1 - retained
        for lease in self.held_leases.values():
            keep_from = min(keep_from, lease.retaining_seq_no)
        self._raise_floor(keep_from)

    def _raise_floor(self, floor: int) -> None:
        for number in range(self.floor - 1, min(floor - 1, self.max_seq_no + 1)):
            self.log.pop(number, None)
        self.floor = max(self.floor, floor)

    # -- leases --------------------------------------------------------------------------------------------------

    def drop_expired(self, now_ms: int, period_ms: int) -> None:
        """A clock that went back keeps them."""
        for lease in list(self.held_leases.values()):
            if now_ms - lease.timestamp_ms > period_ms:
                del self.held_leases[lease.id]

    def add_lease(self, lease: Lease) -> Lease:
        if lease.id in self.held_leases:
            raise LeaseAlreadyExists(lease.id)
        return self._keep(lease)

    def renew_lease(self, lease: Lease) -> Lease:
        held = self.held_leases.get(lease.id)
        if held is None:
            raise LeaseNotFound(lease.id)
        wanted = self._retaining(lease)
        if wanted < held.retaining_seq_no:
            raise LeaseInvalid(lease.id, lease.source, held.retaining_seq_no, wanted)
        return self._keep(lease)

    def _keep(self, lease: Lease) -> Lease:
        kept = Lease(
            id=lease.id,
            retaining_seq_no=self._retaining(lease),
            timestamp_ms=lease.timestamp_ms,
            source=lease.source,
        )
        self.held_leases[lease.id] = kept
        return kept

    def _retaining(self, lease: Lease) -> int:
        if lease.retaining_seq_no == NO_OPERATIONS:
            return self.floor
        return lease.retaining_seq_no

    def remove_lease(self, lease_id: str) -> None:
        if self.held_leases.pop(lease_id, None) is None:
            raise LeaseNotFound(lease_id)


def as_copied(op: Operation) -> Operation:
    """A document's operation as a copy of it travels: nobody knows any more when it was made."""
    return Operation(op.seq_no, op.term, op.version, op.kind, op.id, op.routing, op.source, 0)


def copied_shards(shards: Iterable[FakeShard]) -> list[FakeShard]:
    return [shard.copied() for shard in shards]


def _shown(mark: HistoryMark) -> str:
    return f"{mark.id}, term {mark.term}, version {mark.version}, at {mark.wall_ms}"
