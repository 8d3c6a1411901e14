"""Waiting for the next time that something happens, by any number of waiters."""

import asyncio


class Signal:
    """`fire` wakes everybody who waits at that moment."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def fire(self) -> None:
        if self._next is not None:
            self._next.set_result(None)
            self._next = None

    async def wait(self) -> None:
        """Until the next `fire`. Cancelling one waiter leaves the others waiting."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)
