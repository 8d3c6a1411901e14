"""A leader's shard in memory, as far as reads of it go: what it has, and what it refuses."""

from collections.abc import Sequence

from sealane.errors import HistoryDiverged, UnexpectedHistory
from sealane.model.document import Operation, OpKind
from sealane.model.replication import Ancestor, ChangesAnswer, ChangesRequest, HistoryMark, mark_of


def operation(
    seq_no: int, *, term: int = 1, size: int = 10, wall_ms: int | None = None
) -> Operation:
    at = 1_000_000 + seq_no if wall_ms is None else wall_ms
    return Operation(seq_no, term, 1, OpKind.INDEX, f"d{seq_no}", None, b"x" * size, at)


def operations(first: int, last: int, **how: int) -> list[Operation]:
    return [operation(seq_no, **how) for seq_no in range(first, last + 1)]


class MemoryLeader:
    """One history, which can be promoted, and replaced by an older copy of itself."""

    def __init__(self, history_uuid: str = "H1") -> None:
        self.log: list[Operation] = []
        self.history_uuid = history_uuid
        self.ancestors: tuple[Ancestor, ...] = ()
        self.term = 1
        self.versions = (1, 1, 1)
        self.clock_ms = 1_000_000

    @property
    def checkpoint(self) -> int:
        return len(self.log) - 1

    def append(self, count: int = 1, size: int = 10) -> None:
        first = len(self.log)
        for seq_no in range(first, first + count):
            self.log.append(operation(seq_no, term=self.term, size=size, wall_ms=self.clock_ms))

    def promote(self, history_uuid: str) -> None:
        self.ancestors = (Ancestor(self.history_uuid, self.checkpoint), *self.ancestors)
        self.history_uuid = history_uuid
        self.term += 1

    def restore(self, up_to: int) -> None:
        """An older copy of the data is put in place: what came after is gone, and the uuid does not tell."""
        del self.log[up_to + 1 :]

    def check(self, history_uuid: str, from_seq_no: int, previous: HistoryMark | None) -> None:
        """Raises UnexpectedHistory, HistoryDiverged."""
        if history_uuid != self.history_uuid:
            ours = next(
                (each for each in self.ancestors if each.history_uuid == history_uuid), None
            )
            if ours is None or from_seq_no - 1 > ours.up_to:
                raise UnexpectedHistory(history_uuid, self.history_uuid)
        if from_seq_no - 1 > self.checkpoint:
            raise HistoryDiverged(from_seq_no - 1, "present", "absent")
        if previous is not None and mark_of(self.log[previous.seq_no]) != previous:
            raise HistoryDiverged(previous.seq_no, "ours", "theirs")

    def changes(self, request: ChangesRequest, at_most: int | None = None) -> ChangesAnswer:
        """At once, also where there is nothing. `at_most` makes the answer shorter than was asked for."""
        self.check(request.history_uuid, request.from_seq_no, request.previous)
        count = min(request.max_count, request.max_count if at_most is None else at_most)
        found: list[Operation] = []
        size = 0
        for each in self.log[request.from_seq_no : request.from_seq_no + count]:
            found.append(each)
            size += len(each.id) + len(each.source or b"") + 50
            if size >= request.max_bytes:
                break
        return self.answer(found)

    def answer(self, found: Sequence[Operation]) -> ChangesAnswer:
        mapping, settings, aliases = self.versions
        return ChangesAnswer(
            operations=found,
            checkpoint=self.checkpoint,
            max_seq_no=self.checkpoint,
            mapping_version=mapping,
            settings_version=settings,
            aliases_version=aliases,
            history_uuid=self.history_uuid,
            now_ms=self.clock_ms,
            took_ms=1,
        )
