"""Slow hashing beside the event loop: a few threads of its own, so that logins hold up nothing else, behind a bounded
queue.

When the queue is full a check fails with 429. It never passes.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from sealane.errors import Rejected
from sealane.security.stores.passwords import (
    PASSWORD_ALGORITHMS,
    Algorithm,
    is_fast,
    make_fast_hash,
    make_hash,
    nobodys_hash,
    verify,
)

THREADS: Final = 2
QUEUE_MAX: Final = 200
"""Checks that wait or run; at some 60 ms each the last one waits for six seconds."""

T = TypeVar("T")


class Hashing:
    """Lives in one event loop; `close` lets the threads end."""

    def __init__(
        self,
        algorithm: Algorithm = PASSWORD_ALGORITHMS["bcrypt"],
        *,
        threads: int = THREADS,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self.algorithm = algorithm
        self._pool = ThreadPoolExecutor(threads, "sealane-hashing")
        self._queue_max = queue_max
        self._pending = 0
        self._counting = threading.Lock()
        """Threads count down."""
        self._nobodys = nobodys_hash(algorithm)
        self.rejected = 0
        """Checks that the full queue turned away."""

    @property
    def pending(self) -> int:
        """Work that waits or runs."""
        return self._pending

    async def make(self, secret: str, algorithm: Algorithm | None = None) -> str:
        """A hash of `secret`. Raises Rejected."""
        chosen = algorithm or self.algorithm
        if chosen.kind == "ssha256":
            return make_fast_hash(secret)
        return await self._run(lambda: make_hash(secret, chosen))

    async def verify(self, secret: str, hashed: str) -> bool:
        """Raises Rejected."""
        if is_fast(hashed):
            return verify(secret, hashed)
        return await self._run(lambda: verify(secret, hashed))

    async def verify_nobody(self, secret: str) -> None:
        """The work of a check that fails, for a user who is not there: that takes as long. Raises Rejected."""
        await self.verify(secret, self._nobodys)

    async def _run(self, work: Callable[[], T]) -> T:
        with self._counting:
            full = self._pending >= self._queue_max
            self._pending += not full
        if full:
            self.rejected += 1
            raise Rejected(
                f"rejected execution of a password check: the queue is full, [{self._queue_max}] are pending"
            )
        future = self._pool.submit(work)
        # Counted until a thread is done with it, also where the caller has gone meanwhile.
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, future: Future[T]) -> None:
        with self._counting:
            self._pending -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
