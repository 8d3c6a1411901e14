"""A running request: what it is, on whose behalf, until when, and how it is stopped.

An HTTP client that hangs up and a remote that sends a cancel both end in `Task.cancel`, which cancels children first
and then runs what `on_cancel` registered. A task of another node that is cancelled leaves a ban here: children of it
that come late are cancelled as they start.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sealane.errors import TaskCancelled
from sealane.model.security import ANONYMOUS, Subject


@dataclass(frozen=True, slots=True)
class TaskId:
    """Names a task across clusters: `node:number`."""

    node: str
    number: int

    def __str__(self) -> str:
        return f"{self.node}:{self.number}"


NO_HEADERS: Mapping[str, str] = {}


class Task:
    """One running request on this node. Made by `TaskRegistry.start`; ended by its context manager."""

    __slots__ = (
        "_callbacks",
        "_ended",
        "action",
        "cancelled_reason",
        "children",
        "description",
        "headers",
        "id",
        "owner",
        "parent",
        "start_ms",
    )

    def __init__(
        self,
        task_id: TaskId,
        action: str,
        parent: TaskId | None,
        start_ms: int,
        description: str,
        headers: Mapping[str, str] = NO_HEADERS,
        owner: str = "",
    ) -> None:
        self.id = task_id
        self.owner = owner
        """By whose key another cluster has asked for it; empty for everybody else."""
        self.action = action
        self.parent = parent
        self.start_ms = start_ms
        self.description = description
        self.headers = headers
        self.cancelled_reason: str | None = None
        self.children: dict[Task, None] = {}
        self._callbacks: list[Callable[[str], None]] = []
        self._ended: list[Callable[[], None]] | None = []

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

    def on_end(self, callback: Callable[[], None]) -> None:
        """Runs `callback()` once the task has ended, at once if it has."""
        if self._ended is None:
            callback()
        else:
            self._ended.append(callback)

    def end(self) -> None:
        """The work is done; for the registry, which calls it once."""
        callbacks, self._ended = self._ended, None
        for callback in callbacks or ():
            callback()

    def check(self) -> None:
        """Raises TaskCancelled if the task has been cancelled."""
        if self.cancelled_reason is not None:
            raise TaskCancelled(self.cancelled_reason)


BANS_MAX = 10_000
BAN_MS = 60_000
"""How long children of a cancelled task may come late. A node that restarts gives its numbers out anew."""


class TaskRegistry:
    """The running tasks of one node."""

    def __init__(self, node_id: str) -> None:
        self._bans: OrderedDict[tuple[TaskId, str], tuple[str, int]] = OrderedDict()
        """By the parent and the owner of those that come."""
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
        headers: Mapping[str, str] = NO_HEADERS,
        owner: str = "",
    ) -> "RunningTask":
        """`with registry.start(...) as task`: registered inside the block, gone after it.

        A task whose parent was banned by its owner is cancelled already.
        """
        self._next += 1
        parent_id = parent.id if isinstance(parent, Task) else parent
        id = TaskId(self._node_id, self._next)
        task = Task(id, action, parent_id, start_ms, description, headers, owner)
        if self._bans and parent_id is not None:
            reason, until_ms = self._bans.get((parent_id, owner), ("", 0))
            if start_ms < until_ms:
                task.cancel(reason)
        return RunningTask(self._running, task, parent if isinstance(parent, Task) else None)

    def ban(self, parent: TaskId, reason: str, *, now_ms: int, owner: str = "") -> None:
        """Cancels the children that a task of another node has here, and those that come within a minute. Who comes
        with a key says itself which task is the parent: it cancels what came by the same key, and nothing else.
        """
        at = (parent, owner)
        self._bans[at] = (reason, now_ms + BAN_MS)
        self._bans.move_to_end(at)
        while len(self._bans) > BANS_MAX:
            self._bans.popitem(last=False)
        for task in self:
            if task.parent == parent and task.owner == owner:
                task.cancel(reason)

    def find(self, number: int) -> Task | None:
        """The task of that number, if it runs."""
        return self._running.get(number)

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
        self.task.end()


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
