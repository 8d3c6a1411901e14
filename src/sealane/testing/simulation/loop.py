"""An asyncio event loop with virtual time: it jumps to the next timer when nothing else can run, so
hours take milliseconds.

It has no selector, no threads and no sockets, and what runs on it depends on nothing but what it is
given: tasks and futures hash by the order of their making, so that even a set of them has an order.
A program in which nothing can happen any more, or that spins without time passing, is a `Hang`.
"""

import asyncio
import functools
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, NoReturn, ParamSpec, TypeVar, TypeVarTuple, Unpack

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_family: ContextVar[str] = ContextVar("nearest named task", default="")
_SPIN_MAX = 200_000
"""Steps of the loop at one moment of time, after which it is taken for one that spins."""


def family() -> str:
    """Tells apart what tasks with names have started: equal within one of them and all that it
    started in turn."""
    return _family.get()


class Hang(AssertionError):
    """Nothing will happen any more, or everything happens at once. The text has every task's stack."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """`on_jump` is called before time moves: everything that could happen by then has happened."""

    def __init__(self) -> None:
        super().__init__()
        self.on_jump: Callable[[], None] | None = None
        self.latest: dict[str, str] = {}
        """By name of a task: the family of the one started last."""
        self._now = 0.0
        self._made = 0
        self._steps_at_once = 0
        # The base's own, which its public methods work with.
        self._ready: Any
        self._stopping: bool
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []

    def time(self) -> float:
        return self._now

    @property
    def timers(self) -> list[asyncio.TimerHandle]:
        """Those that will still fire."""
        return [timer for _, _, timer in self._heap if not timer.cancelled()]

    def next_serial(self) -> int:
        self._made += 1
        return self._made

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> Any:
        if name is not None:
            context = copy_context() if context is None else context
            self.latest[str(name)] = f"{name}#{self.next_serial()}"
            context.run(_family.set, self.latest[str(name)])
        return _Task(coro, loop=self, name=name, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        return _Future(loop=self)

    def run_in_executor(
        self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> NoReturn:
        raise RuntimeError("a simulation has no threads")

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Any = None
    ) -> NoReturn:
        raise RuntimeError("a simulation has no threads")

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Timers of the same moment fire in the order in which they were set."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._made += 1
        heapq.heappush(self._heap, (when, self._made, timer))
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _process_events(self, event_list: Any) -> None:
        """There are no files to watch."""

    def _run_once(self) -> None:
        """One step, as the base does it, without asking the system for anything."""
        ready, heap = self._ready, self._heap
        while heap and heap[0][2].cancelled():
            heapq.heappop(heap)
        if ready or self._stopping:
            self._steps_at_once += 1
            if self._steps_at_once > _SPIN_MAX:
                self._steps_at_once = 0
                raise Hang(f"the loop spins at {self._now:.6f} s\n{describe_tasks(self)}")
        else:
            if self.on_jump is not None:
                self.on_jump()
                if ready:
                    return
            if not heap:
                raise Hang(
                    "every task waits for something that will never happen\n" + describe_tasks(self)
                )
            self._steps_at_once = 0
            self._now = max(self._now, heap[0][0])
        now = self._now
        while heap and heap[0][0] <= now:
            ready.append(heapq.heappop(heap)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()


class _Task(asyncio.Task[Any]):
    def __new__(cls, coro: Any, *, loop: SimulatedLoop, **rest: Any) -> "_Task":
        made = super().__new__(cls)
        made.serial = loop.next_serial()
        return made

    serial: int

    def __hash__(self) -> int:
        return self.serial

    def __eq__(self, other: object) -> bool:
        return self is other


class _Future(asyncio.Future[Any]):
    def __init__(self, *, loop: SimulatedLoop) -> None:
        super().__init__(loop=loop)
        self.serial = loop.next_serial()

    def __hash__(self) -> int:
        return self.serial

    def __eq__(self, other: object) -> bool:
        return self is other


def describe_tasks(loop: asyncio.AbstractEventLoop) -> str:
    """Every task that has not ended, with the places where it waits, outermost first."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: (task.get_name(), hash(task)))
    return "\n".join(f"  task [{task.get_name()}]\n{_places(task)}" for task in tasks)


def _places(task: "asyncio.Task[Any]") -> str:
    lines = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            lines.append(f"    {awaited!r}")
            break
        code = frame.f_code
        lines.append(f"    {code.co_filename}:{frame.f_lineno} in {code.co_qualname}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return "\n".join(lines)


def simulate(main: Coroutine[Any, Any, T], *, loop: SimulatedLoop | None = None) -> T:
    """Runs `main` on a loop of its own to its end. Raises Hang where it has none."""
    made = loop or SimulatedLoop()
    with asyncio.Runner(loop_factory=lambda: made) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Makes an async test a plain one that runs on a loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        simulate(test(*args, **kwargs))

    return run


async def settle(seconds: float = 0.0) -> None:
    """Lets everything run that is due now, or within `seconds` of virtual time."""
    await asyncio.sleep(seconds)
    for _ in range(50):
        await asyncio.sleep(0)
