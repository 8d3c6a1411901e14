"""Which operations of the leader to ask for next: the reading half of a shard's tail, without I/O.

There are two ways of reading. A *probe* is one read alone, from behind the last operation that is written here, with
that operation as proof: the leader refuses it where its history is another one. Following begins with a probe, and
returns to it whenever an answer raises a doubt, so only a probe's refusal is final. A probe in order opens the
*stream*: several reads of disjoint ranges at a time, for as long as the leader is ahead.

A read of the stream cannot name the operation before it while that is still on its way. It begins one operation
earlier instead, and the answers are fitted together by what they share (`sequencer`).
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sealane.errors import ApiError
from sealane.model.replication import HistoryMark
from sealane.replication.follower.budget import Share
from sealane.replication.follower.failures import Attempts
from sealane.settings.follow_parameters import FollowLimits

_FIRST_GUESS_BYTES: Final = 1024
"""Of an operation's size, before one has come."""
_READ_MIN_BYTES: Final = 64 * 1024
_GUESS_MARGIN: Final = 2
_IDLE_FREE: Final = 3
_IDLE_FIRST_S: Final = 0.05
_IDLE_MAX_S: Final = 1.0
"""A leader that answers at once, and with nothing, is asked more and more slowly: the first few cost no time."""
AT_ONCE_MS: Final = 1
"""The patience of a read that does not wait: it asks for what is there, or whether all is in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One request for operations. `wanted_from` to `wanted_to` is the range that the answer must bring, which is empty
    for a long poll; where `from_seq_no` is lower it is by one, for what this read shares with the one before it.
    `known_checkpoint` is the leader's, as known when it was asked: it cannot have less any more.
    """

    id: int
    from_seq_no: int
    wanted_from: int
    wanted_to: int
    max_count: int
    max_bytes: int
    poll_timeout_ms: int
    previous: HistoryMark | None
    known_checkpoint: int
    is_probe: bool
    began_at: float

    @property
    def is_poll(self) -> bool:
        return self.wanted_to < self.wanted_from


@dataclass(frozen=True, slots=True, order=True)
class _Range:
    """Numbers that have been asked for and must be asked for again. `previous` is the operation before them."""

    first: int
    last: int = field(compare=False)
    previous: HistoryMark | None = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the shard holds now, as far as reading depends on it.

    `expected` is the lowest number that has not come, `mark` the operation before it. `draining` says that something
    is ready to be written or being written: what is held will become less by itself.
    """

    expected: int
    mark: HistoryMark | None
    count: int
    size_bytes: int
    draining: bool


class Progress:
    def __init__(self, limits: FollowLimits, share: Share, checkpoint: int) -> None:
        self._limits = limits
        self._share = share
        self._next_id = 0
        self._op_bytes = float(_FIRST_GUESS_BYTES)
        self._missing: list[_Range] = []
        self._reserved: dict[int, int] = {}
        """Bytes taken from the budget, by the read they were taken for."""
        self._failed_last = False
        self._trial = 0
        """After a failure one read at a time tries whether all is well again: the last that did."""
        self._idle = 0
        self._rests_until = float("-inf")
        """After `_idle` answers in a row that were no answers to wait for."""
        self._bytes_max = limits.max_read_request_size
        """As large as an answer may be to come in time."""
        self.outstanding: dict[int, Read] = {}
        self.failing: OrderedDict[int, Attempts] = OrderedDict()
        """By the number that a failed read wanted first."""
        self.probing = True
        self._probe_until = -1
        self.last_requested = checkpoint
        self.leader_checkpoint = checkpoint

    # -- what to ask -------------------------------------------------------------------------------

    def next_read(self, held: Held, now: float) -> Read | None:
        """The next read that may go out now; it counts as outstanding from then on."""
        if len(self.outstanding) >= self._limits.max_outstanding_read_requests:
            return None
        if self.probing:
            return self._probe(held, now)
        if self._failed_last and self._trial in self.outstanding:
            return None
        if self._missing:
            return self._again(held, now)
        if self.last_requested < self.leader_checkpoint:
            return self._ahead(held, now)
        if self.outstanding or held.draining or held.count:
            return None
        return self._poll(held, now, is_probe=False)

    def _probe(self, held: Held, now: float) -> Read | None:
        if self.outstanding or held.draining or held.count:
            return None
        return self._poll(held, now, is_probe=True)

    def _poll(self, held: Held, now: float, *, is_probe: bool) -> Read | None:
        wanted = held.expected
        if now < self._rests_until or not self._is_due(wanted, now):
            return None
        waits = not is_probe and wanted not in self.failing
        return self._ask(
            wanted,
            wanted - 1,
            held.mark,
            now,
            poll_timeout_ms=self._limits.read_poll_timeout_ms if waits else AT_ONCE_MS,
            max_count=self._limits.max_read_request_operation_count,
            max_bytes=self._alone_bytes(),
            is_probe=is_probe,
        )

    def _again(self, held: Held, now: float) -> Read | None:
        lowest = self._missing[0]
        if not self._is_due(lowest.first, now):
            return None
        reserved = self._room(held, lowest.first, lowest.last - lowest.first + 1)
        if reserved is None:
            return None
        self._missing.pop(0)
        return self._range(lowest, held, now, reserved)

    def _ahead(self, held: Held, now: float) -> Read | None:
        first = self.last_requested + 1
        if not self._is_due(first, now):
            return None
        count = self._limits.max_read_request_operation_count
        last = min(self.leader_checkpoint, first + count - 1)
        reserved = self._room(held, first, last - first + 1)
        if reserved is None:
            return None
        self.last_requested = last
        return self._range(_Range(first, last, None), held, now, reserved)

    def _range(self, wanted: _Range, held: Held, now: float, reserved: int) -> Read:
        """Whoever reads alone to the end of what is known asks for as many as allowed: there may be more by now."""
        count = wanted.last - wanted.first + 1
        if not self.outstanding and wanted.last == self.last_requested == self.leader_checkpoint:
            count = max(count, self._limits.max_read_request_operation_count)
        is_next = wanted.first == held.expected
        read = self._ask(
            wanted.first,
            wanted.last,
            held.mark if is_next else wanted.previous,
            now,
            max_count=count,
            max_bytes=reserved or self._alone_bytes(),
            shares_one=not is_next and wanted.previous is None,
        )
        if reserved:
            self._reserved[read.id] = reserved
        return read

    def _ask(
        self,
        first: int,
        last: int,
        previous: HistoryMark | None,
        now: float,
        *,
        max_count: int,
        max_bytes: int,
        poll_timeout_ms: int = AT_ONCE_MS,
        shares_one: bool = False,
        is_probe: bool = False,
    ) -> Read:
        self._next_id += 1
        read = Read(
            id=self._next_id,
            from_seq_no=first - 1 if shares_one else first,
            wanted_from=first,
            wanted_to=last,
            max_count=max_count + 1 if shares_one else max_count,
            max_bytes=max_bytes,
            poll_timeout_ms=poll_timeout_ms,
            previous=previous,
            known_checkpoint=self.leader_checkpoint,
            is_probe=is_probe,
            began_at=now,
        )
        self.outstanding[read.id] = read
        if self._failed_last:
            self._trial = read.id
        return read

    # -- limits ------------------------------------------------------------------------------------

    def _room(self, held: Held, first: int, count: int) -> int | None:
        """Bytes taken from the node's budget for a read of so many; 0 where it needs none, None where it must wait.

        What is missing before everything that is held must always be asked for, or nothing would drain any more.
        """
        if first == held.expected and not held.draining:
            return 0
        if held.count >= self._limits.max_write_buffer_count:
            return None
        if held.size_bytes + self.reserved_bytes >= self._limits.max_write_buffer_size:
            return None
        guess = int(count * self._op_bytes * _GUESS_MARGIN)
        size = min(self._bytes_max, max(_READ_MIN_BYTES, guess))
        return size if self._share.take(size) else None

    def _alone_bytes(self) -> int:
        return min(self._bytes_max, self._share.first_read_bytes)

    @property
    def reserved_bytes(self) -> int:
        return sum(self._reserved.values())

    # -- what became of it -------------------------------------------------------------------------

    def ended(self, read: Read) -> bool:
        """The read is no longer under way. False where it had been given up: its answer means nothing."""
        self._reserved.pop(read.id, None)
        return self.outstanding.pop(read.id, None) is not None

    def succeeded(self, read: Read) -> None:
        self._failed_last = False
        self.failing.pop(read.wanted_from, None)

    def came(self, read: Read, last: int, mark: HistoryMark | None, size_bytes: int) -> None:
        """Operations up to `last` have come, whose mark is `mark`: the rest of the range must be asked for again."""
        count = last - read.from_seq_no + 1
        if count > 0:
            self._op_bytes += (size_bytes / count - self._op_bytes) / 4
            self._bytes_max = min(self._limits.max_read_request_size, self._bytes_max * 2)
        self.last_requested = max(self.last_requested, last)
        if last < read.wanted_to:
            first = max(last + 1, read.wanted_from)
            insort(self._missing, _Range(first, read.wanted_to, mark))

    def came_to_nothing(self, now: float) -> None:
        """An answer came early, and the follower is where it was."""
        self._idle += 1
        if self._idle > _IDLE_FREE:
            steps = min(self._idle - _IDLE_FREE, 8)
            self._rests_until = now + min(_IDLE_MAX_S, _IDLE_FIRST_S * 2**steps)

    def came_to_something(self) -> None:
        self._idle = 0

    def came_too_late(self, read: Read) -> None:
        """The link is too slow for answers of that size: the next ones are smaller."""
        if not read.is_poll or read.is_probe:
            self._bytes_max = max(1, min(self._bytes_max, read.max_bytes) // 2)

    def failed(self, read: Read, attempts: Attempts) -> None:
        """`attempts` says when it is due again."""
        self._failed_last = True
        self.failing[read.wanted_from] = attempts
        self.failing.move_to_end(read.wanted_from)
        while len(self.failing) > self._limits.max_outstanding_read_requests:
            self.failing.popitem(last=False)
        if not read.is_poll:
            insort(self._missing, _Range(read.wanted_from, read.wanted_to, read.previous))

    def attempts(self, read: Read) -> Attempts:
        return self.failing.get(read.wanted_from) or Attempts()

    def leader_has(self, checkpoint: int) -> None:
        self.leader_checkpoint = max(self.leader_checkpoint, checkpoint)

    def is_answered(self, checkpoint: int) -> None:
        """A probe was in order, and the follower's checkpoint is `checkpoint`."""
        if checkpoint >= self._probe_until:
            self.probing = False

    def doubt(self, base: int, until: int = -1) -> tuple[int, ...]:
        """Forgets all that was asked for above `base`, and reads by probes alone until all up to `until` is written.
        Returns the reads that are given up.
        """
        given_up = tuple(self.outstanding)
        self.outstanding.clear()
        self._reserved.clear()
        self._missing.clear()
        self.failing.clear()
        self._failed_last = False
        self.probing = True
        self._probe_until = max(until, self._probe_until)
        self.last_requested = self.leader_checkpoint = base
        return given_up

    # -- time --------------------------------------------------------------------------------------

    def _is_due(self, first: int, now: float) -> bool:
        attempts = self.failing.get(first)
        return attempts is None or attempts.is_due(now)

    def due_times(self) -> Iterable[float]:
        """When failed reads may be tried again, and a leader that has nothing be asked."""
        yield self._rests_until
        yield from (attempts.due_at for attempts in self.failing.values())

    def hurry(self) -> None:
        self._rests_until = float("-inf")
        for attempts in self.failing.values():
            attempts.hurry()

    @property
    def last_error(self) -> ApiError | None:
        """Why the last read failed, None once one has come through."""
        if not self._failed_last or not self.failing:
            return None
        return next(reversed(self.failing.values())).error
