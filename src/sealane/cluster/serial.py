"""One change of the cluster's state at a time, each carried to its end.

A client that hangs up in the middle of creating an index must not leave the index stored and
unopened, so a change runs in a task of its own and the asker only waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

from sealane.errors import Rejected

T = TypeVar("T")

_WAITING_MAX = 10_000


class Serial:
    """`async with` it; leaving waits for the changes under way."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._group.__aexit__(None, None, None)

    async def run(self, change: Callable[[], Awaitable[T]], *, alone: bool = True) -> T:
        """The result of `change`. Cancelling the call stops the waiting, not the change.

        `alone` changes run one after another, in the order asked for. One that is not alone may
        wait for other parts of the node, and for alone ones.
        Raises what `change` raises; Rejected when too many wait.
        """
        if self._waiting >= _WAITING_MAX:
            raise Rejected(f"more than [{_WAITING_MAX}] changes of the cluster's state are waiting")
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # Nobody may be left to look at a failure: it has been delivered to whoever waited, or they
        # have left.
        result.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting += 1
        self._group.create_task(self._carry_out(change, result, alone))
        return await asyncio.shield(result)

    async def _carry_out(
        self, change: Callable[[], Awaitable[T]], result: "asyncio.Future[T]", alone: bool
    ) -> None:
        try:
            if alone:
                async with self._lock:
                    value = await change()
            else:
                value = await change()
        except Exception as error:
            result.set_exception(error)
        except BaseException:
            result.cancel()
            raise
        else:
            result.set_result(value)
        finally:
            self._waiting -= 1
