"""How many bytes of operations a node keeps in memory for all of its followers: what has been asked for, and what has
come and is not written yet.

Every shard may always have one read under way, whatever the others hold, or it would starve. That read is sized so that
those of all shards together come to the budget once more at most; an operation that is larger than that comes none the
less. Everything beyond it is taken from the budget, by each its fair part while others wait.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

FIRST_READ_MIN_BYTES: Final = 256 * 1024
"""Smaller portions would cost more in messages than they keep out of memory."""


class ByteBudget:
    """Of one node. All of it happens at once: nothing waits, who is refused is called when there is room."""

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._used = 0
        self._shares: dict[Share, None] = {}
        self._waiting: OrderedDict[Share, None] = OrderedDict()

    @property
    def total_bytes(self) -> int:
        return self._total

    @property
    def used_bytes(self) -> int:
        return self._used

    def __len__(self) -> int:
        return len(self._shares)

    def resize(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._call_waiting()

    def join(self, on_room: Callable[[], None]) -> "Share":
        """One more shard. `on_room()` tells it that what it was refused may be there now."""
        share = Share(self, on_room)
        self._shares[share] = None
        return share

    @property
    def first_read_bytes(self) -> int:
        """What the read that every shard may always have may bring."""
        return max(FIRST_READ_MIN_BYTES, self._total // max(1, len(self._shares)))

    def _take(self, share: "Share", size: int) -> bool:
        free = self._total - self._used
        others_wait = bool(self._waiting) and next(iter(self._waiting)) is not share
        fair = self._total // max(1, len(self._shares))
        if size > free or (others_wait and share.held_bytes + size > fair):
            self._waiting[share] = None
            return False
        self._waiting.pop(share, None)
        self._change(size)
        return True

    def _change(self, size: int) -> None:
        self._used += size
        if size < 0:
            self._call_waiting()

    def _call_waiting(self) -> None:
        """Who has waited longest comes first; who still does not fit waits on behind the others."""
        if self._used >= self._total:
            return
        for share in list(self._waiting):
            self._waiting.pop(share, None)
            share.on_room()

    def _leave(self, share: "Share") -> None:
        if share in self._shares:
            del self._shares[share]
            self._waiting.pop(share, None)
            self._change(-share.held_bytes)


class Share:
    """One shard's part of the budget, until `leave`."""

    __slots__ = ("_budget", "held_bytes", "on_room")

    def __init__(self, budget: ByteBudget, on_room: Callable[[], None]) -> None:
        self._budget = budget
        self.on_room = on_room
        self.held_bytes = 0

    @property
    def first_read_bytes(self) -> int:
        return self._budget.first_read_bytes

    def take(self, size: int) -> bool:
        """Whether there was room for `size` more bytes, which are held then."""
        if self._budget._take(self, size):
            self.held_bytes += size
            return True
        return False

    def settle(self, held_bytes: int) -> None:
        """All that the shard holds now."""
        if held_bytes != self.held_bytes:
            change = held_bytes - self.held_bytes
            self.held_bytes = held_bytes
            self._budget._change(change)

    def leave(self) -> None:
        """Everything is given back. Safe to call again."""
        self._budget._leave(self)
        self.held_bytes = 0
