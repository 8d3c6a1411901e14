"""How many durations fell where, in buckets that never change: what a monitoring system adds up over nodes and time."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

BOUNDS_S: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)
"""The highest duration of each bucket, in seconds; one more bucket holds what is longer."""


class Latencies:
    """Counts of durations in seconds."""

    __slots__ = ("_counts", "total_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def add(self, duration_s: float) -> None:
        self._counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.total_s += duration_s

    @property
    def count(self) -> int:
        return sum(self._counts)

    def cumulative(self) -> Sequence[int]:
        """How many were at most as long as each bound, and at last all."""
        return list(accumulate(self._counts))
