"""A running request: what it is, on whose behalf, until when, and how it is stopped.

An HTTP client that hangs up and a remote that sends a cancel both end in `Task.cancel`, which cancels children first
and then runs what `on_cancel` registered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sealane.errors import TaskCancelled


@dataclass(frozen=True, slots=True)
class TaskId:
    """Names a task across clusters: `node:number`."""

    node: str
    number: int

    def __str__(self) -> str:
        return f"{self.node}:{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks. `roles` decide what may be read once security is on."""

    name: str
    realm: str
    roles: tuple[str, ...] = ()
    api_key_id: str | None = None


ANONYMOUS = Subject(name="_anonymous", realm="__anonymous")
SYSTEM = Subject(name="_system", realm="__attach")


class Task:
    """One running request on this node. Made by `TaskRegistry.start`; ended by its context manager."""

    __slots__ = (
        "_callbacks",
        "action",
        "cancelled_reason",
        "children",
        "description",
        "id",
        "parent",
        "start_ms",
    )

    def __init__(
        self, task_id: TaskId, action: str, parent: TaskId | None, start_ms: int, description: str
    ) -> None:
        self.id = task_id
        self.action = action
        self.parent = parent
        self.start_ms = start_ms
        self.description = description
        self.cancelled_reason: str | None = None
        self.children: dict[Task, None] = {}
        self._callbacks: list[Callable[[str], None]] = []

    def cancel(self, reason: str) -> None:
        """Stops the task and its children. Calling it again changes nothing."""
        if self.cancelled_reason is not None:
            return
        self.cancelled_reason = reason
        for child in list(self.children):
            child.cancel(reason)
        for callback in list(self._callbacks):
            callback(reason)

    def on_cancel(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Runs `callback(reason)` on cancel (at once if that has happened). Returns how to unregister it."""
        if self.cancelled_reason is not None:
            callback(self.cancelled_reason)
            return lambda: None
        self._callbacks.append(callback)

        def forget() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return forget

    def check(self) -> None:
        """Raises TaskCancelled if the task has been cancelled."""
        if self.cancelled_reason is not None:
            raise TaskCancelled(self.cancelled_reason)


class TaskRegistry:
    """The running tasks of one node."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._next = 0
        self._running: dict[int, Task] = {}

    def start(
        self,
        action: str,
        *,
        start_ms: int,
        parent: "Task | TaskId | None" = None,
        description: str = "",
    ) -> "RunningTask":
        """`with registry.start(...) as task`: registered inside the block, gone after it."""
        self._next += 1
        parent_id = parent.id if isinstance(parent, Task) else parent
        task = Task(TaskId(self._node_id, self._next), action, parent_id, start_ms, description)
        return RunningTask(self._running, task, parent if isinstance(parent, Task) else None)

    def __iter__(self) -> Iterator[Task]:
        return iter(list(self._running.values()))

    def __len__(self) -> int:
        return len(self._running)


class RunningTask:
    """Context manager that keeps a task in its registry and its parent's children while it runs."""

    __slots__ = ("_parent", "_running", "task")

    def __init__(self, running: dict[int, Task], task: Task, parent: Task | None) -> None:
        self._running = running
        self.task = task
        self._parent = parent

    def __enter__(self) -> Task:
        self._running[self.task.id.number] = self.task
        if self._parent is not None:
            self._parent.children[self.task] = None
            if self._parent.cancelled_reason is not None:
                self.task.cancel(self._parent.cancelled_reason)
        return self.task

    def __exit__(self, *exc: object) -> None:
        del self._running[self.task.id.number]
        if self._parent is not None:
            self._parent.children.pop(self.task, None)


NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What travels with a request through every layer and over the wire."""

    task: Task
    subject: Subject = ANONYMOUS
    deadline: float | None = None
    """Loop time at which the request gives up; None waits as long as it takes. Crosses the wire as time left."""
    local_alias: str = ""
    """The alias under which the asking cluster knows this one; empty when the request began here."""
    start_ms: int = field(default=0)
    """Wall time at which the request began on the coordinator: what `now` means on every cluster."""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    """Trace headers passed on: `X-Opaque-Id`, `trace.id`, `traceparent`, ..."""

    def child(self, task: Task) -> "Context":
        return replace(self, task=task)
