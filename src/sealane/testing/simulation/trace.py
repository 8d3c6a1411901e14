"""What happened in a run: the last events for a person, a sum of all of them to compare runs by,
and counts by kind.
"""

import marshal
import zlib
from collections import Counter, deque
from collections.abc import Callable

_TAIL = 120
_PLAIN = 2
"""A form that depends on the values alone."""


class Trace:
    """`time` is the loop's. With `everything` all events are kept, not only the last."""

    def __init__(self, time: Callable[[], float], *, everything: bool = False) -> None:
        self._time = time
        self._events: deque[tuple[float | str | int, ...]] = deque(
            maxlen=None if everything else _TAIL
        )
        self._sum = 0
        self.counts: Counter[str] = Counter()

    def note(self, kind: str, *details: str | int) -> None:
        """One event. Details are numbers and texts: their form is part of the sum."""
        event = (self._time(), kind, *details)
        self._events.append(event)
        self._sum = zlib.crc32(marshal.dumps(event, _PLAIN), self._sum)
        self.counts[kind] += 1

    @property
    def digest(self) -> str:
        """Equal for runs in which the same happened in the same order."""
        return f"{sum(self.counts.values())}-{self._sum:08x}"

    def lines(self) -> list[str]:
        return [
            f"{at:12.6f} {kind:<10} {' '.join(map(str, rest))}" for at, kind, *rest in self._events
        ]
