"""The owner of background tasks: the one place in the program that starts a task outside a
TaskGroup.

Whoever needs work to outlive a call owns a TaskScope and closes it; a task that dies of an
unexpected error is reported to the log the moment it ends, not when it is collected.
"""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class TaskScope:
    """Tasks that live at most as long as their owner. Use `async with`, or `start` and `close`."""

    __slots__ = ("_closed", "_name", "_tasks")

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        """Runs `work` in the background. Raises RuntimeError once the scope is closed."""
        if self._closed:
            work.close()
            raise RuntimeError(f"task scope [{self._name}] is closed")
        task = asyncio.create_task(work, name=name)  # noqa: TID251
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error(
                "background task failed [%s][%s]", self._name, task.get_name(), exc_info=error
            )

    async def close(self) -> None:
        """Cancels what still runs and waits for it. Safe to call again, and from a task."""
        self._closed = True
        own = asyncio.current_task()
        while waiting := [task for task in self._tasks if task is not own]:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
            # The callbacks that empty the set run one step after the tasks end.
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
