"""One change of an index's following at a time, and each to its end: what pauses, resumes, promotes and fails back must
not meet in the middle, nor stop there because a client has hung up.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sealane.errors import ApiError
from sealane.transport.tasks import TaskScope

T = TypeVar("T")


class Lines:
    """Locks by index, kept as long as somebody wants them."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def one(self, index_uuid: str) -> AsyncIterator[None]:
        lock, wanted = self._locks.get(index_uuid, (asyncio.Lock(), 0))
        self._locks[index_uuid] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            _, wanted = self._locks[index_uuid]
            if wanted == 1:
                del self._locks[index_uuid]
            else:
                self._locks[index_uuid] = (lock, wanted - 1)


async def carried_out(scope: TaskScope, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which goes on where the caller is cancelled, as long as `scope` does."""

    async def outcome() -> tuple[T | None, ApiError | None]:
        try:
            return await work, None
        except ApiError as error:
            return None, error  # whoever waited may be gone, and nobody else looks at it

    value, error = await asyncio.shield(scope.start(outcome()))
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # there is no error, so it is what `work` gave
