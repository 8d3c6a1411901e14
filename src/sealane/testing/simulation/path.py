"""One direction between two hosts: how long packets take on it, and whether they arrive.

What becomes of a connection whose packets do not arrive is way.py's business.
"""

import random
from enum import Enum
from typing import Protocol

_RETRANSMIT_MIN_S = 0.2
_RETRANSMIT_MAX_S = 60.0
"""Between two attempts to send a lost packet again; it doubles from the one to the other."""


class State(Enum):
    """Of one direction. A link of which only one direction is dark is half open."""

    UP = "up"
    DOWN = "down"
    """Whoever sends is told: dials are refused, connections are reset."""
    DARK = "dark"
    """A black hole: whatever is sent is lost, and nobody is told."""


class Stalled(Protocol):
    """Something that waits for a dark path to clear."""

    def path_cleared(self, pause_s: float) -> None:
        """Packets pass again; the next attempt to send the lost ones comes after a pause."""


class Path:
    """Shared by all connections between two hosts. `delay_s` and `jitter` (a factor) are drawn once."""

    __slots__ = ("bytes_per_s", "chance", "dark_since", "delay_s", "jitter", "stalled", "state")

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.state = State.UP
        self.delay_s = 10 ** chance.uniform(-4, -1.3)
        self.jitter = chance.choice((0.0, 0.1, 2.0))
        self.bytes_per_s = 10 ** chance.uniform(5.7, 8)
        self.dark_since = 0.0
        self.stalled: dict[Stalled, None] = {}

    def draw_delay_s(self, size: int) -> float:
        """Of a packet of `size` bytes."""
        return self.delay_s * (1 + self.jitter * self.chance.random()) + size / self.bytes_per_s

    def turn(self, state: State, now: float) -> None:
        """From now on. Whoever waits for a path to clear is told."""
        if state is State.DARK and self.state is not State.DARK:
            self.dark_since = now
        was, self.state = self.state, state
        if was is State.DARK and state is not State.DARK:
            dark_s = now - self.dark_since
            pause_max_s = min(max(dark_s, _RETRANSMIT_MIN_S), _RETRANSMIT_MAX_S)
            waiting, self.stalled = self.stalled, {}
            for each in waiting:
                each.path_cleared(self.chance.uniform(0, pause_max_s))
