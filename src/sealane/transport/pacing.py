"""How many sockets a node opens at the same moment.

A hundred remotes that are registered at once, or come back at once, would keep the loop busy with
their TLS handshakes for most of a second while searches wait, and leave behind the memory that all
of them needed together. So they take turns. What is opened is the connector's business.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_SOCKETS = 64
_HOLD_S = 0.05
"""A peer that does not answer, or is far away, costs no CPU: after this its turn goes on without its
place."""


class Pacing:
    """Places for `sockets` at a time, given in the order of asking."""

    def __init__(self, sockets: int = _SOCKETS, hold_s: float = _HOLD_S) -> None:
        self._sockets = self._free = sockets
        self._hold_s = hold_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def turn(self, sockets: int) -> AsyncIterator[None]:
        """Waits for places for `sockets`; more than there are take all of them."""
        wanted = min(sockets, self._sockets)
        await self._take(wanted)
        leave = self._once(wanted)
        timer = asyncio.get_running_loop().call_later(self._hold_s, leave)
        try:
            yield
        finally:
            timer.cancel()
            leave()

    async def _take(self, wanted: int) -> None:
        if not self._waiting and wanted <= self._free:
            self._free -= wanted
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (wanted, called)
        self._waiting.append(entry)
        try:
            await called
        except asyncio.CancelledError:
            if called.cancelled():
                if entry in self._waiting:
                    self._waiting.remove(entry)
                self._give(0)
            else:
                self._give(wanted)  # called and cancelled in the same step
            raise

    def _once(self, places: int) -> Callable[[], None]:
        held = [places]

        def leave() -> None:
            self._give(held[0])
            held[0] = 0

        return leave

    def _give(self, places: int) -> None:
        self._free += places
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, called = self._waiting.popleft()
            if not called.cancelled():
                self._free -= wanted
                called.set_result(None)
