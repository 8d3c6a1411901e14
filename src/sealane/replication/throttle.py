"""How quickly copies go: the bytes a second of all that a node gives, or of all that it takes."""

import asyncio
from collections.abc import Callable


class Throttle:
    """`rate` tells how many bytes a second are allowed now, 0 or less for any number."""

    def __init__(self, rate: Callable[[], int]) -> None:
        self._rate = rate
        self._free_at = 0.0
        """Loop time at which all that was taken has passed."""

    async def take(self, size: int) -> None:
        """Returns when that many bytes may pass. Who is cancelled before that gives its turn to those behind."""
        rate = self._rate()
        if rate <= 0:
            return
        now = asyncio.get_running_loop().time()
        begins = max(now, self._free_at)
        self._free_at = begins + size / rate
        if begins > now:
            try:
                await asyncio.sleep(begins - now)
            except asyncio.CancelledError:
                self._free_at -= size / rate
                raise
