"""By-query requests that run on behind their client: each a task, whose result is kept for whoever asks for it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

from sealane.clock import Clock
from sealane.errors import ApiError, Internal, Rejected, TimedOut
from sealane.model.task import Context, Task, TaskRegistry
from sealane.search.bulk_by_scroll import Done, Progress
from sealane.transport.tasks import TaskScope

RESULTS_MAX: Final = 1_000
"""Of tasks that have ended; the oldest are forgotten first."""
RUNNING_MAX: Final = 100

_log = logging.getLogger("sealane.search")

Run = Callable[[Progress, Context], Awaitable[Done]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A task that has ended, with its answer or its error."""

    task: Task
    progress: Progress
    took_ms: int = 0
    done: Done | None = None
    error: ApiError | None = None


class RunningByQuery:
    """Results are this node's, and gone with it. `close` ends what runs."""

    def __init__(self, tasks: TaskRegistry, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._scope = TaskScope("by query")
        self._running: dict[int, Progress] = {}
        self._at_end: dict[int, asyncio.Event] = {}
        self._ended: OrderedDict[int, Ended] = OrderedDict()

    async def close(self) -> None:
        await self._scope.close()

    def start(self, action: str, description: str, run: Run, ctx: Context) -> str:
        """Begins in the background; returns the task's id. Raises Rejected where too many run."""
        if len(self._running) >= RUNNING_MAX:
            raise Rejected(f"[{len(self._running)}] requests of this kind run already")
        now_ms = self._clock.now_ms()
        progress, at_end = Progress(), asyncio.Event()
        entered = ExitStack()
        task = entered.enter_context(
            self._tasks.start(action, start_ms=now_ms, description=description)
        )
        number = task.id.number
        self._running[number], self._at_end[number] = progress, at_end

        def leave() -> None:
            del self._running[number], self._at_end[number]
            at_end.set()

        entered.callback(leave)

        async def work() -> None:
            with entered:
                ended = await self._run(run, progress, replace(ctx, task=task))
                self._keep(replace(ended, took_ms=self._clock.now_ms() - now_ms))

        self._scope.start(work(), name=action)
        return str(task.id)

    async def _run(self, run: Run, progress: Progress, ctx: Context) -> Ended:
        """The end of it, however it comes. A fault of ours is in the log and shown as one."""
        handling, task = asyncio.current_task(), ctx.task
        assert handling is not None

        def cancel(reason: str) -> None:
            handling.cancel()

        forget = task.on_cancel(cancel)
        try:
            return Ended(task=task, progress=progress, done=await run(progress, ctx))
        except asyncio.CancelledError:
            if task.cancelled_reason is None:
                raise
            handling.uncancel()
            progress.cancelled = task.cancelled_reason
            return Ended(task=task, progress=progress, done=Done(took_ms=0, progress=progress))
        except ApiError as error:
            return Ended(task=task, progress=progress, error=error)
        except Exception as error:
            _log.error("by-query request failed unexpectedly", exc_info=error)
            failed = Internal(
                f"internal error [{type(error).__name__}]; the node's log has the details"
            )
            return Ended(task=task, progress=progress, error=failed)
        finally:
            forget()

    def status(self, number: int) -> dict[str, Any] | None:
        """How far a running task is; None for another."""
        progress = self._running.get(number)
        return None if progress is None else progress.to_json()

    async def wait(self, number: int, timeout_s: float) -> None:
        """Until the task has ended; at once where no such one runs. Raises TimedOut where it takes too long."""
        at_end = self._at_end.get(number)
        if at_end is None:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await at_end.wait()
        except TimeoutError:
            raise TimedOut(f"Timed out waiting for completion of task [{number}]") from None

    def result(self, number: int) -> Ended | None:
        """A task that has ended; None for one that has not, or that is forgotten."""
        return self._ended.get(number)

    def _keep(self, ended: Ended) -> None:
        self._ended[ended.task.id.number] = ended
        while len(self._ended) > RESULTS_MAX:
            self._ended.popitem(last=False)
