"""Where asynchronous searches are kept until somebody fetches them: in this node's memory, by id, until they expire.

Running and ended ones count together, and so do the bytes of what ended ones found; both have a limit. It leaves to
`async_search` what a search is.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from sealane.errors import Rejected
from sealane.search.async_id import AsyncId


class Kept(Protocol):
    """An entry of the store."""

    @property
    def id(self) -> AsyncId: ...
    @property
    def expires_at(self) -> float:
        """Loop time; it may be moved while the entry is kept."""

    @property
    def size(self) -> int:
        """Bytes of what is kept of its answer."""


K = TypeVar("K", bound=Kept)


class AsyncStore(Generic[K]):
    """`on_expiry` is called with each entry whose time is over, after it has been forgotten."""

    def __init__(
        self,
        *,
        entries_max: Callable[[], int],
        bytes_max: Callable[[], int],
        on_expiry: Callable[[K], None],
    ) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._on_expiry = on_expiry
        self._kept: dict[str, K] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.expired = 0
        """Entries forgotten because their time was over, since the node's start."""

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._kept.values()))

    @property
    def bytes(self) -> int:
        return sum(each.size for each in self._kept.values())

    def check_room(self) -> None:
        """Raises Rejected where as many are kept as may be."""
        limit = self._entries_max()
        if len(self._kept) >= limit:
            raise Rejected(
                f"rejected execution of an async search: [{len(self._kept)}] are kept on this node, "
                f"the limit is [search.async_search.max_searches: {limit}]"
            )

    def has_room_for(self, size: int) -> bool:
        """Whether an answer of so many bytes may be kept besides the others."""
        return self.bytes + size <= self._bytes_max()

    def add(self, entry: K) -> None:
        self._kept[entry.id.key] = entry
        self.reschedule(entry)

    def reschedule(self, entry: K) -> None:
        """The entry's expiry has moved. Nothing for one that is not kept."""
        key = entry.id.key
        if key not in self._kept:
            return
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_at(entry.expires_at, self._expire, entry)

    def get(self, id: AsyncId) -> K | None:
        entry = self._kept.get(id.key)
        return entry if entry is not None and entry.id == id else None

    def remove(self, entry: K) -> None:
        self._kept.pop(entry.id.key, None)
        timer = self._timers.pop(entry.id.key, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        for entry in self:
            self.remove(entry)

    def _expire(self, entry: K) -> None:
        self.remove(entry)
        self.expired += 1
        self._on_expiry(entry)
