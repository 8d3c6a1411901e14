"""The truth that replication is judged by: every operation that a primary ever made durable, by the line it belongs to.

A line is what one shard was, from its beginning on. Where a shard goes on from an earlier moment, because its data came
from an old copy or because a follower was promoted, a new line branches off. Names of histories play no part here: two
lines may bear the same one, which is what a leader restored from an old copy does.
"""

from collections.abc import Iterator
from typing import Final

from sealane.model.document import Operation, OpKind

NOTHING: Final = -1


class Line:
    """`label` is for people. `fork_at` is the last number that is the parent's."""

    def __init__(self, label: str, parent: "Line | None" = None, fork_at: int = NOTHING) -> None:
        self.label = label
        self.parent = parent
        self.fork_at = fork_at
        self._own: list[Operation] = []

    @property
    def last(self) -> int:
        return self.fork_at + len(self._own)

    def append(self, op: Operation) -> None:
        assert op.seq_no == self.last + 1, "a primary leaves no holes"
        self._own.append(op)

    def op(self, seq_no: int) -> Operation | None:
        line: Line | None = self
        while line is not None and seq_no <= line.fork_at:
            line = line.parent
        if line is None or not 0 <= seq_no <= line.last:
            return None
        return line._own[seq_no - line.fork_at - 1]

    def operations(self, up_to: int) -> Iterator[Operation]:
        if self.parent is not None:
            yield from self.parent.operations(min(up_to, self.fork_at))
        yield from self._own[: max(0, up_to - self.fork_at)]

    def documents(self, up_to: int) -> dict[str, Operation]:
        """The live documents of that moment, as the operations that made them."""
        newest = {op.id: op for op in self.operations(up_to) if op.kind is not OpKind.NO_OP}
        return {doc_id: op for doc_id, op in newest.items() if op.kind is OpKind.INDEX}

    def begins_with(self, other: "Line", up_to: int) -> bool:
        """Whether both are the same up to there."""
        if self is other:
            return up_to <= self.last
        return all(self.op(number) == other.op(number) for number in range(up_to + 1))


class Lines:
    """All lines of one run, in the order of their making."""

    def __init__(self) -> None:
        self.all: list[Line] = []

    def begin(self, label: str) -> Line:
        return self._add(Line(label))

    def branch(self, label: str, parent: Line, fork_at: int) -> Line:
        assert fork_at <= parent.last, "a line cannot go on from what has not been"
        return self._add(Line(label, parent, fork_at))

    def _add(self, line: Line) -> Line:
        self.all.append(line)
        return line
