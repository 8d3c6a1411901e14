"""What runs on a node as other nodes and people see it, and the request to cancel some of it.

The reference's `_tasks` lists and its `_cancel`, without HTTP.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from sealane.clock import Clock
from sealane.errors import IllegalArgument, NumberFormatError, ResourceNotFound
from sealane.model.patterns import matches
from sealane.model.task import Task, TaskId, TaskRegistry

TASKS: Final = "tasks"
"""The section of a node's report with the tasks that run there."""
CANCEL_TASKS: Final = "cluster:admin/tasks/cancel"
CHILD_TASKS: Final = "cluster:monitor/tasks/lists/children"
"""Asked of other clusters: what runs there for the tasks of these nodes."""
CANCELLED_BY_USER: Final = "by user request"

_SHOWN_HEADERS: Final = ("X-elastic-product-origin", "trace.id", "X-Opaque-Id")
_NODES_MAX: Final = 10_000
_OWNER: Final = "cross_cluster_api_key"
"""Of a task as it is shown: the id of the key by which another cluster asked for it. Ours."""

TaskJson = dict[str, Any]


class TaskFilter(msgspec.Struct, frozen=True, array_like=True):
    """Which tasks of a node are meant: the one of `number`, or all that fit. Empty `actions` fit all."""

    number: int | None = None
    actions: tuple[str, ...] = ()
    parent: str | None = None

    def fits(self, task: TaskJson) -> bool:
        if self.number is not None and task["id"] != self.number:
            return False
        if self.actions and not any(matches(each, task["action"]) for each in self.actions):
            return False
        return self.parent is None or task.get("parent_task_id") == self.parent


class CancelTasks(msgspec.Struct, frozen=True, array_like=True):
    """A request to cancel. `wait` says whether the answer waits for the tasks to end."""

    wanted: TaskFilter
    wait: bool = False


def read_task_id(text: str) -> TaskId:
    """`node:number`. Raises IllegalArgument."""
    node, colon, number = text.rpartition(":")
    # As many digits as a 64-bit number may have.
    if not colon or not (number.isascii() and number.isdigit() and len(number) < 20):
        raise IllegalArgument(
            f"malformed task id {text}",
            caused_by=NumberFormatError(f'For input string: "{number}"') if colon else None,
        )
    return TaskId(node, int(number))


def task_json(task: Task, now_ms: int) -> TaskJson:
    shown: TaskJson = {
        "node": task.id.node,
        "id": task.id.number,
        "type": "transport",
        "action": task.action,
        "description": task.description,
        "start_time_in_millis": task.start_ms,
        "running_time_in_nanos": max(0, now_ms - task.start_ms) * 1_000_000,
        "cancellable": True,
        "cancelled": task.cancelled_reason is not None,
    }
    if task.owner:
        shown[_OWNER] = task.owner
    if task.parent is not None:
        shown["parent_task_id"] = str(task.parent)
    headers = task.headers
    shown["headers"] = {name: headers[name] for name in _SHOWN_HEADERS if name in headers}
    return shown


def running_tasks(tasks: TaskRegistry, clock: Clock) -> list[TaskJson]:
    """Each with its description, which is shown only on request."""
    now_ms = clock.now_ms()
    return [task_json(task, now_ms) for task in tasks]


async def cancel_tasks(
    tasks: TaskRegistry, clock: Clock, request: CancelTasks, own: Task
) -> list[TaskJson]:
    """Cancels what fits, but `own` and what that runs for, and tells what it was. Raises ResourceNotFound for a number
    that no task has.
    """
    spared = (own.id, own.parent)
    now_ms = clock.now_ms()
    found = [
        task
        for task in tasks
        if task.id not in spared and request.wanted.fits(task_json(task, now_ms))
    ]
    number = request.wanted.number
    if number is not None and tasks.find(number) is None:
        raise ResourceNotFound(f"task [{own.id.node}:{number}] is not found")
    for task in found:
        task.cancel(CANCELLED_BY_USER)
    shown = [task_json(task, now_ms) for task in found]
    if request.wait:
        await _wait_ended(found)
    return shown


async def _wait_ended(tasks: Sequence[Task]) -> None:
    for task in tasks:
        ended = asyncio.Event()
        task.on_end(ended.set)
        await ended.wait()


# -- messages ----------------------------------------------------------------------------------------------------


def encode_cancel(request: CancelTasks) -> bytes:
    return msgspec.msgpack.encode(request)


def read_cancel(payload: bytes) -> CancelTasks:
    """Raises IllegalArgument for bytes that are no such request."""
    try:
        return msgspec.msgpack.decode(payload, type=CancelTasks)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(CANCEL_TASKS, error) from error


def encode_parents(nodes: Collection[str]) -> bytes:
    """A request for the children of tasks that run on these nodes."""
    return msgspec.msgpack.encode(sorted(nodes))


def read_parents(payload: bytes) -> frozenset[str]:
    """Raises IllegalArgument for bytes that are no such request."""
    try:
        nodes = msgspec.msgpack.decode(payload, type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(CHILD_TASKS, error) from error
    if len(nodes) > _NODES_MAX:
        raise _malformed(CHILD_TASKS, f"more than {_NODES_MAX} nodes")
    return frozenset(nodes)


def encode_tasks(tasks: Sequence[TaskJson]) -> bytes:
    return msgspec.json.encode(tasks)


def read_tasks(payload: bytes) -> list[TaskJson]:
    """Raises IllegalArgument for bytes that are no list of tasks."""
    try:
        return msgspec.json.decode(payload, type=list[TaskJson])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(CANCEL_TASKS, error) from error


def children_of(
    nodes: Collection[str], tasks: Sequence[TaskJson], owner: str = ""
) -> list[TaskJson]:
    """The tasks whose parent runs on one of the nodes, and theirs in turn. `owner` is the key by which somebody asks
    who runs those nodes: what came by another one, or by none, is not theirs.
    """
    by_parent: dict[str, list[TaskJson]] = {}
    kept: list[TaskJson] = []
    for task in tasks:
        parent = task.get("parent_task_id", "")
        is_theirs = parent.rpartition(":")[0] in nodes and task.get(_OWNER, "") == owner
        into = kept if parent and is_theirs else by_parent.setdefault(parent, [])
        into.append(task)
    for task in kept:  # which grows by their children
        kept += by_parent.pop(f"{task['node']}:{task['id']}", ())
    return kept


def _malformed(action: str, problem: object) -> IllegalArgument:
    return IllegalArgument(f"malformed message for action [{action}]: {problem}")
