"""Batches of operations that come in any order, put into the order of their history.

Each batch says what it continues: the operation before its first one. It joins what is there only where that is the
very operation that is there too. So two answers of one leader, between which its data has been replaced by an older
copy, never become one history, though their numbers fit.

What is not answered here: which operations to ask for (`progress`), and how many may be kept (`machine`).
"""

from collections import deque
from collections.abc import Sequence

from sealane.errors import HistoryDiverged
from sealane.model.document import Operation
from sealane.model.replication import HistoryMark, mark_of

_OVERHEAD_BYTES = 50
"""Of an operation beside its id and source, as leaders count it."""


def size_of(operation: Operation) -> int:
    source = operation.source
    return len(operation.id) + (len(source) if source is not None else 0) + _OVERHEAD_BYTES


def told(mark: HistoryMark) -> str:
    """An operation in the text of an error."""
    return f"term {mark.term}, version {mark.version}, id {mark.id}, time {mark.wall_ms}"


class Batch:
    """Contiguous operations, at least one. `previous` is the operation before them, None where nobody knows it."""

    __slots__ = ("operations", "previous", "size_bytes")

    def __init__(self, previous: HistoryMark | None, operations: Sequence[Operation]) -> None:
        self.previous = previous
        self.operations = operations
        size = 0
        expected = operations[0].seq_no
        for operation in operations:
            if operation.seq_no != expected:
                raise ValueError(f"operation [{operation.seq_no}] in place of [{expected}]")
            expected += 1
            size += size_of(operation)
        self.size_bytes = size

    @property
    def first(self) -> int:
        return self.operations[0].seq_no

    @property
    def last(self) -> int:
        return self.operations[-1].seq_no

    def from_on(self, seq_no: int) -> "Batch":
        """The part from `seq_no` on, which is in it."""
        if seq_no == self.first:
            return self
        at = seq_no - self.first
        return Batch(mark_of(self.operations[at - 1]), self.operations[at:])


class Sequencer:
    """What has come of one shard's history and has not been taken yet.

    `expected` is the lowest number that has not come, `mark` the operation before it where it is known. The ready are
    those below `expected`; the parked ones wait for what is missing before them.
    """

    def __init__(self, expected: int, mark: HistoryMark | None) -> None:
        self.expected = expected
        self.mark = mark
        self.count = 0
        self.size_bytes = 0
        self._ready: deque[Operation] = deque()
        self._parked: dict[int, Batch] = {}
        """By their first number."""

    @property
    def ready(self) -> int:
        return len(self._ready)

    @property
    def first_ready(self) -> Operation | None:
        return self._ready[0] if self._ready else None

    def offer(self, batch: Batch) -> None:
        """Takes what is new in it. Raises HistoryDiverged where it contradicts what is there."""
        if batch.last < self.expected:
            if batch.last == self.expected - 1:
                self._check(batch.last, mark_of(batch.operations[-1]))
            return
        if batch.first > self.expected:
            self._park(batch)
            return
        self._join(batch)
        while self._parked:
            first = min(self._parked)
            if first > self.expected:
                return
            parked = self._parked.pop(first)
            self._forget(parked)
            if parked.last >= self.expected:
                self._join(parked)

    def take(self, max_count: int, max_bytes: int) -> list[Operation]:
        """The next ready ones, in order and within the limits; at least one where there is one."""
        taken: list[Operation] = []
        size = 0
        while self._ready and len(taken) < max_count:
            size += size_of(self._ready[0])
            if taken and size > max_bytes:
                size -= size_of(self._ready[0])
                break
            taken.append(self._ready.popleft())
        self.count -= len(taken)
        self.size_bytes -= size
        return taken

    def _join(self, batch: Batch) -> None:
        new = batch.from_on(self.expected)
        if new.previous is not None:
            self._check(self.expected - 1, new.previous)
        elif self.mark is not None:
            raise ValueError(f"operation [{new.first}] comes without the one before it")
        self._ready.extend(new.operations)
        self.expected = new.last + 1
        self.mark = mark_of(new.operations[-1])
        self.count += len(new.operations)
        self.size_bytes += new.size_bytes

    def _check(self, seq_no: int, theirs: HistoryMark) -> None:
        if self.mark is not None and self.mark != theirs:
            raise HistoryDiverged(seq_no, told(self.mark), told(theirs))

    def _park(self, batch: Batch) -> None:
        """Of two that begin together the longer one stays. Others may overlap: they are cut when they join."""
        held = self._parked.get(batch.first)
        if held is not None:
            if held.last >= batch.last:
                return
            self._forget(held)
        self._parked[batch.first] = batch
        self.count += len(batch.operations)
        self.size_bytes += batch.size_bytes

    def _forget(self, batch: Batch) -> None:
        self.count -= len(batch.operations)
        self.size_bytes -= batch.size_bytes
