"""The owner of background tasks: the one place in the program that starts a task outside a
TaskGroup.

Whoever needs work to outlive a call owns a TaskScope and closes it; a task that dies of an
unexpected error is reported to the log the moment it ends, not when it is collected. Who only needs
several things done at once, and retries when they fail, uses `run_together`.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_PATIENCE_S = 3.0
"""What a cancelled task gets for cleaning up before it is taken for one that lost its cancel."""


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
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error(
                "background task failed [%s][%s]", self._name, task.get_name(), exc_info=error
            )

    async def wait_idle(self, deadline: float) -> None:
        """Lets what runs now end by itself, until `deadline` (loop time) at the latest."""
        running = set(self._tasks)
        if running:
            timeout_s = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(running, timeout=timeout_s)

    async def close(self) -> None:
        """Cancels what still runs and waits for it. Safe to call again, and from a task.

        A task that goes on as if it had not been cancelled is named in the log and cancelled again.
        """
        self._closed = True
        own = asyncio.current_task()
        while waiting := [task for task in self._tasks if task is not own]:
            for task in waiting:
                task.cancel()
            _, stubborn = await asyncio.wait(waiting, timeout=_PATIENCE_S)
            for task in stubborn:
                _log.warning("task ignores its cancel, repeating it [%s]: %r", self._name, task)
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


async def run_together(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs all at once. The first error cancels the others and is raised, as it is, when they have
    ended; a caller that was cancelled gets its CancelledError whatever else went wrong.

    The second is why this is no TaskGroup: up to Python 3.12 that one raises a member's error
    instead, and leaves its caller counted as cancelled, which misleads every `asyncio.timeout`
    around it. A loop that retries on errors would then never end.
    """
    if len(works) == 1:
        await works[0]
        return
    tasks = [asyncio.create_task(work) for work in works]  # noqa: TID251
    running = set(tasks)
    cancelled: asyncio.CancelledError | None = None
    failure: BaseException | None = None
    while running:
        try:
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError as error:
            cancelled = error
        else:
            failure = failure or _first_error(ended)
        if cancelled is not None or failure is not None:
            for task in running:
                task.cancel()
    if cancelled is not None:
        _first_error(tasks)
        raise cancelled
    if failure is not None:
        raise failure


def _first_error(tasks: Iterable[asyncio.Task[None]]) -> BaseException | None:
    """Looks at all, so that none is reported as never seen."""
    errors = [task.exception() for task in tasks if not task.cancelled()]
    return next((error for error in errors if error is not None), None)
