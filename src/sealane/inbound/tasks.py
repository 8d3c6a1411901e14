"""What this node answers about its tasks: to the nodes of its own cluster, which may cancel them, and to other
clusters, which see what runs here for theirs.
"""

from collections.abc import Callable
from typing import Any

from sealane.clock import Clock
from sealane.cluster.fellows import Fellows
from sealane.cluster.node_reports import REPORT, NodeReports
from sealane.cluster.task_lists import (
    CANCEL_TASKS,
    CHILD_TASKS,
    TASKS,
    CancelTasks,
    TaskJson,
    cancel_tasks,
    children_of,
    encode_tasks,
    read_cancel,
    read_parents,
)
from sealane.errors import ApiError
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.node import NodeInfo
from sealane.model.task import Context, TaskRegistry
from sealane.security.rules import Authorize

_OF_LISTING = (CHILD_TASKS, REPORT)
"""What runs only to tell what runs."""
_TIMEOUT_S = 2.0
"""For the other nodes of this cluster: well within what the asking one waits."""


def register_task_handlers(
    registrar: Registrar,
    *,
    tasks: TaskRegistry,
    clock: Clock,
    nodes: Callable[[], list[NodeInfo]],
    fellows: Fellows,
    authorize: Authorize,
) -> None:
    """`nodes` are those of this cluster, as they are when it is called."""
    reports = NodeReports(lambda: fellows)

    async def cancel(request: CancelTasks, ctx: Context) -> bytes:
        return encode_tasks(await cancel_tasks(tasks, clock, request, ctx.task))

    async def children(parents: frozenset[str], ctx: Context) -> bytes:
        found: list[TaskJson] = []
        for _, report in await reports.collect(nodes(), (TASKS,), ctx, timeout_s=_TIMEOUT_S):
            if not isinstance(report, ApiError):
                found += report.get(TASKS, ())
        asked_for = [task for task in found if task["action"] not in _OF_LISTING]
        return encode_tasks(children_of(parents, asked_for, ctx.subject.came_by))

    actions: list[Action[Any]] = [
        Action(name=CANCEL_TASKS, read=read_cancel, indices=_none, answer=cancel),
        Action(name=CHILD_TASKS, read=read_parents, indices=_none, answer=children),
    ]
    register_actions(registrar, actions, authorize)


def _none(request: object) -> tuple[str, ...]:
    return ()
