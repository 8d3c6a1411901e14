"""A shard that is watched: whatever becomes durable in it is held against the truth at that moment.

What holds of every follower, always: its operations are those of one line, in their order, each once; its checkpoint
passes no hole and does not go back, but where operations of a lost line are undone as a whole.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from sealane.engine.base import RollBack
from sealane.model.document import Operation, OpKind
from sealane.model.replication import Ancestor, HistoryMark, Lease
from sealane.testing.fake_shard import FakeShard, as_copied
from sealane.testing.replication_simulation.histories import NOTHING, Line, Lines
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation


class Watcher(Protocol):
    """What a shard tells of itself, and is judged with."""

    lines: Lines
    checks: Counter[str]
    trace: Trace

    def violation(self, text: str) -> Violation:
        """To be raised. It counts whoever catches it."""

    def followed(self, shard: "WatchedShard", lease: Lease) -> None:
        """A lease on the shard was added or renewed."""

    def left(self, shard: "WatchedShard", lease_id: str) -> None:
        """A lease was removed by a request."""

    def judge_lease(self, shard: "WatchedShard", lease: Lease) -> None:
        """Operations are about to be dropped as the lease allows."""

    def expired(self, shard: "WatchedShard", lease: Lease) -> None:
        """A lease was dropped because of its age."""

    def copied(self, shard: "WatchedShard") -> None:
        """A page of a copy was written."""

    def comes(self, shard: "WatchedShard", op: Operation) -> None:
        """A follower is about to have this."""


class WatchedShard(FakeShard):
    """`own` is the line it writes, of a primary. Of a follower, `of` are the lines that it may be a beginning of."""

    def __init__(self, history_uuid: str, label: str, watcher: Watcher) -> None:
        super().__init__(history_uuid)
        self.label = label
        self._watcher = watcher
        self.branches = 0
        """How often its data was replaced by an old copy."""
        self.own: Line | None = watcher.lines.begin(label)
        self.was_replaced = False
        """Whether it is not what it was: its data was replaced, or undone."""
        self.of: list[Line] = []
        self._looked = 0
        """How many of all lines have been looked at."""

    # -- what a primary does -------------------------------------------------------------------------------------

    def append(self, op: Operation) -> None:
        if self.own is None:
            raise self._watcher.violation(
                f"[{self.label}] follows, and took the write of a user: {op}"
            )
        super().append(op)
        self.own.append(op)

    def begin_history(self, history_uuid: str) -> None:
        if difference := self.difference():
            raise self._watcher.violation(f"what is promoted is of no one moment: {difference}")
        parent = self._line()
        super().begin_history(history_uuid)
        self._begin_line(parent)
        self._watcher.trace.note("history", self.label, history_uuid, self.checkpoint)

    def restored(self) -> "WatchedShard":
        """What it is when its data is replaced by this old copy."""
        self.branches += 1
        back = self.copied()
        assert isinstance(back, WatchedShard), "a copy is of the same kind"
        back.of = list(back.of)
        back.was_replaced = True
        if back.own is not None:
            back.label = f"{self.label}'{self.branches}"
            back._begin_line(back.own)
        return back

    def _line(self) -> Line:
        """The line that all of it is a beginning of."""
        if self.own is not None:
            return self.own
        return self._lines()[0]

    def _begin_line(self, parent: Line) -> None:
        lines = self._watcher.lines
        self.own = lines.branch(f"{self.label}@{self.checkpoint}", parent, self.checkpoint)
        self.of = []

    # -- what a follower does ------------------------------------------------------------------------------------

    def adopt(self, history_uuid: str, ancestors: tuple[Ancestor, ...]) -> None:
        self._become_follower()
        super().adopt(history_uuid, ancestors)
        self._watcher.trace.note("adopt", self.label, history_uuid, self.checkpoint)

    def take(self, op: Operation) -> None:
        self._become_follower()
        if op.seq_no > self.checkpoint + 1:
            raise self._watcher.violation(
                f"[{self.label}] is at [{self.checkpoint}] and is given [{op.seq_no}]: a hole"
            )
        if op.seq_no <= self.checkpoint:
            self._watcher.checks["an operation that comes again changes nothing"] += 1
            super().take(op)
            return
        self.of = [line for line in self._lines() if line.op(op.seq_no) == op]
        if not self.of:
            raise self._watcher.violation(
                f"[{self.label}] takes what none of its leaders has: {op}"
            )
        self._watcher.comes(self, op)
        super().take(op)
        self._watcher.checks["an operation is the next one of its line"] += 1

    def take_copied(
        self, operations: Sequence[Operation], up_to: int, mark: HistoryMark | None = None
    ) -> None:
        self._become_follower()
        before = self.checkpoint
        lines = self._lines()
        for op in operations:
            lines = [line for line in lines if _as_copied(line.op(op.seq_no)) == op]
        lines = [line for line in lines if line.last >= up_to]
        if not lines:
            raise self._watcher.violation(
                f"[{self.label}] copies what is of no one line: {list(operations)}"
            )
        self.of = lines
        for op in operations:
            self._watcher.comes(self, op)
        super().take_copied(operations, up_to, mark)
        if self.checkpoint <= before:
            raise self._watcher.violation(
                f"[{self.label}] does not advance with a page up to [{up_to}]"
            )
        self._watcher.checks["a page is of one line"] += 1
        self._watcher.copied(self)

    def roll_back(self, back: RollBack) -> None:
        self._become_follower()
        self.was_replaced = True
        self._watcher.trace.note("undo", self.label, self.checkpoint, back.to_seq_no)
        super().roll_back(back)
        self._look_anew()
        if not self.of:
            raise self._watcher.violation(
                f"[{self.label}] went back to [{back.to_seq_no}], as no line has been"
            )
        self._watcher.checks["what is undone is undone as a whole"] += 1

    def _become_follower(self) -> None:
        if self.own is None:
            return
        self.own = None
        self._look_anew()

    def _lines(self) -> list[Line]:
        """Those it may follow, and those that branched off them behind its checkpoint since it last looked."""
        every = self._watcher.lines.all
        for line in every[self._looked :]:
            if line.parent in self.of and line.fork_at >= self.checkpoint:
                self.of.append(line)
        self._looked = len(every)
        return self.of

    def _look_anew(self) -> None:
        every = self._watcher.lines.all
        self.of = [line for line in every if self._is_beginning_of(line)]
        self._looked = len(every)

    # -- comparing -----------------------------------------------------------------------------------------------

    def may_follow(self, line: Line) -> bool:
        """Whether all of it is also that line's."""
        if self.own is not None:
            return line.begins_with(self.own, self.checkpoint)
        return line in self._lines()

    def difference(self) -> str:
        """From the moment of its line that its checkpoint says; empty where there is none."""
        here, text = self._documents(), ""
        lines = [self.own] if self.own is not None else self._lines()
        for line in lines:
            there = {
                doc_id: as_copied(op) for doc_id, op in line.documents(self.checkpoint).items()
            }
            if here == there:
                if self.own is None:
                    # Before its first documents one line is as good as another.
                    self.of.remove(line)
                    self.of.insert(0, line)
                return ""
            ids = sorted(each for each in {*here, *there} if here.get(each) != there.get(each))
            text = text or (
                f"[{self.label}] at [{self.checkpoint}] differs from [{line.label}] in {ids[:5]}: "
                f"{here.get(ids[0])} instead of {there.get(ids[0])}"
            )
        return text or f"[{self.label}] is of no line"

    def _documents(self) -> dict[str, Operation]:
        return {
            doc_id: as_copied(op) for doc_id, op in self.newest.items() if op.kind is OpKind.INDEX
        }

    def _is_beginning_of(self, line: Line) -> bool:
        if line.last < self.checkpoint:
            return False
        if any(line.op(number) != op for number, op in self.log.items()):
            return False
        if self.checkpoint == NOTHING:
            return True
        # Documents may be missing whose later operations will bring them; whether all are there is judged when the
        # shard may be searched.
        there = line.documents(self.checkpoint)
        return all(
            doc_id in there and as_copied(there[doc_id]) == op
            for doc_id, op in self._documents().items()
        )

    # -- leases --------------------------------------------------------------------------------------------------

    def add_lease(self, lease: Lease) -> Lease:
        kept = super().add_lease(lease)
        self._watcher.followed(self, kept)
        return kept

    def renew_lease(self, lease: Lease) -> Lease:
        kept = super().renew_lease(lease)
        self._watcher.followed(self, kept)
        return kept

    def trim(self, retained: int, now_ms: int, period_ms: int) -> None:
        self.drop_expired(now_ms, period_ms)
        for lease in self.held_leases.values():
            self._watcher.judge_lease(self, lease)
        super().trim(retained, now_ms, period_ms)

    def drop_expired(self, now_ms: int, period_ms: int) -> None:
        held = dict(self.held_leases)
        super().drop_expired(now_ms, period_ms)
        for lease_id in sorted(held.keys() - self.held_leases.keys()):
            self._watcher.expired(self, held[lease_id])

    def remove_lease(self, lease_id: str) -> None:
        super().remove_lease(lease_id)
        self._watcher.left(self, lease_id)


def _as_copied(op: Operation | None) -> Operation | None:
    return None if op is None or op.kind is not OpKind.INDEX else as_copied(op)
