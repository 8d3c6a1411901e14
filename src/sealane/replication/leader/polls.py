"""Followers that wait for what comes next: for operations of a shard, for a change of the metadata.

A waiting follower costs no write anything, and is woken early when its index changes in another way: it is closed, gets
a field, or this node stops.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.signal import Signal
from sealane.errors import NodeClosed, Rejected

POLLS_MAX: Final = 5_000
"""Of one node: each shard of a follower has one. Half of the requests that a node handles at once, so that searches
find room whoever waits.
"""
WAIT_MAX_S: Final = 600.0
"""However long a follower would wait."""


class Polls:
    """Ends all of them when it is closed. `changed` hears of each change of the metadata."""

    def __init__(self, polls_max: int = POLLS_MAX) -> None:
        self._polls_max = polls_max
        self._by_index: dict[str, dict[asyncio.Timeout, None]] = {}
        """Those that wait, in the order in which they came: they are woken in it."""
        self._metadata = Signal()
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    async def until(
        self, index_uuid: str, wait: Callable[[float], Awaitable[object]], timeout_s: float
    ) -> None:
        """Returns when `wait`, which gets how long it may take, has ended, or the index has changed.

        Raises Rejected where too many wait, NodeClosed, and what `wait` raises.
        """
        self._enter()
        waiting = self._by_index.setdefault(index_uuid, {})
        woken = asyncio.timeout(None)
        try:
            async with woken:
                waiting[woken] = None
                try:
                    await wait(min(timeout_s, WAIT_MAX_S))
                finally:
                    waiting.pop(woken, None)
        except TimeoutError:
            if not woken.expired():
                raise
        finally:
            self._count -= 1
            if not waiting and self._by_index.get(index_uuid) is waiting:
                del self._by_index[index_uuid]
        self._check_open()

    async def metadata(self, is_news: Callable[[], bool], timeout_s: float) -> bool:
        """Returns once there are news, or the time is over: whether there are. Raises as `until` does."""
        self._check_open()
        if is_news():
            return True
        self._enter()
        try:
            async with asyncio.timeout(min(timeout_s, WAIT_MAX_S)):
                while not is_news():
                    await self._metadata.wait()
                    self._check_open()
        except TimeoutError:
            return False
        finally:
            self._count -= 1
        return True

    def changed(self, old: ClusterMetadata, new: ClusterMetadata) -> None:
        """Wakes who waits for the metadata, and for those indices that a follower copies more of than operations."""
        self._metadata.fire()
        for uuid in list(self._by_index):
            before, after = old.by_uuid(uuid), new.by_uuid(uuid)
            if before is not after and _differs(before, after):
                self._wake(uuid)

    def close(self) -> None:
        """Ends every poll, and lets none begin."""
        self._closed = True
        self._metadata.fire()
        for uuid in list(self._by_index):
            self._wake(uuid)

    def _wake(self, index_uuid: str) -> None:
        now = asyncio.get_running_loop().time()
        waiting = self._by_index.get(index_uuid, {})
        for each in waiting:
            each.reschedule(now)
        waiting.clear()  # one that is ending cannot be woken again

    def _enter(self) -> None:
        self._check_open()
        if self._count >= self._polls_max:
            raise Rejected(
                f"rejected execution of a read that waits for operations: [{self._count}] wait, which is the limit"
            )
        self._count += 1

    def _check_open(self) -> None:
        if self._closed:
            raise NodeClosed("node closed")


def _differs(before: IndexMetadata | None, after: IndexMetadata | None) -> bool:
    if before is None or after is None:
        return True
    return (before.open, _versions(before)) != (after.open, _versions(after))


def _versions(index: IndexMetadata) -> tuple[int, int, int]:
    return index.mapping_version, index.settings_version, index.aliases_version
