"""When the next connect round of a remote is due. Plain decisions: every call says what time it is,
in seconds of any one clock, and brings its own chance.
"""

from sealane.model.backoff import Backoff

_QUICK_REFILLS_MAX = 3
"""Refills without a pause before a connection that keeps breaking is treated like one that cannot
be opened.
"""
_KICK_SPACING_S = 0.1
"""Between the end of a round and the next that a request asks for in passing."""


class Schedule:
    """Of one remote. A round is due at once in the beginning.

    `misses` counts the rounds in a row that left something missing. Rounds that a request has
    called for ahead of time do not count: a busy remote must not be tried less often for it.
    """

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self.misses = 0
        self._next_at: float | None = None
        self._kick_at: float | None = None
        self._refill_now = False
        self._quick_refills = 0
        self._ahead_of_time = False
        self._ended_at = float("-inf")
        self._lost_at = float("-inf")

    def round_began(self, now: float) -> None:
        self._ahead_of_time = self._next_at is not None and now < self._next_at
        self._refill_now, self._kick_at = False, None

    def round_ended(self, now: float, *, missing: int, chance: float) -> None:
        self._ended_at, self._kick_at = now, None
        if missing == 0:
            self.misses, self._next_at = 0, None
        elif not (self._ahead_of_time and self._next_at is not None and now < self._next_at):
            self.misses += 1
            self._next_at = now + self._backoff.pause_s(self.misses, chance)

    def lost(self, now: float, *, chance: float) -> None:
        """A connection has gone: a round at once, unless that happens again and again."""
        if self._refill_now:
            return
        if now - self._lost_at >= self._backoff.first_s:
            self._quick_refills = 0
        self._lost_at = now
        if self._quick_refills < _QUICK_REFILLS_MAX:
            self._quick_refills += 1
            self.misses, self._next_at = 0, None
            self._refill_now = True
        elif self._next_at is None:
            self.misses += 1
            self._next_at = now + self._backoff.pause_s(self.misses, chance)

    def kick(self, now: float) -> None:
        """A request would have liked a connection but does not wait for it: a round soon."""
        self._kick_at = max(now, self._ended_at + _KICK_SPACING_S)

    def due_in_s(self, now: float, *, missing: int, awaited: bool) -> float | None:
        """Seconds until the next round, 0 for now; None when nothing asks for one.

        `missing` counts the connections still wanted; `awaited` says that a request waits.
        """
        if awaited:
            return 0.0
        if missing == 0:
            return None
        if self._refill_now or self._next_at is None:
            return 0.0
        due_at = self._next_at if self._kick_at is None else min(self._next_at, self._kick_at)
        return max(0.0, due_at - now)
