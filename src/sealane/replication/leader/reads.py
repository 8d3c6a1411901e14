"""How much of what is read for followers is in hand at once."""

import asyncio
from types import TracebackType
from typing import Final

from sealane.errors import Rejected

READS_AT_ONCE: Final = 4
"""Answers that are read and written down at a time: each may have the size of a frame."""
READS_WAITING_MAX: Final = 2_000


class Reads:
    """Places for reads: `async with reads: ...`. Raises Rejected where too many wait for one."""

    def __init__(self, at_once: int = READS_AT_ONCE, waiting_max: int = READS_WAITING_MAX) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._waiting_max = waiting_max
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= self._waiting_max:
            raise Rejected(
                f"rejected execution of a read for a follower: [{self._waiting}] wait, which is the limit"
            )
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._places.release()
