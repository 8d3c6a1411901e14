"""`_tasks`: what runs on the nodes of the cluster."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.clock import Clock
from sealane.cluster.node_reports import NodeReports
from sealane.errors import ApiError, IllegalArgument, NumberFormatError, ResourceNotFound
from sealane.model.node import NodeInfo
from sealane.model.patterns import matches
from sealane.model.task import Task, TaskRegistry
from sealane.rest.node_answers import Answers, node_head, nodes_header
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import boolean, ignored, names, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices

TASKS: Final = "tasks"
"""The section of a node's report with the tasks that run there."""

TaskJson = dict[str, Any]


def running_tasks(tasks: TaskRegistry, clock: Clock) -> list[TaskJson]:
    """Each with its description, which is shown only on request."""
    now_ms = clock.now_ms()
    return [_task_json(task, now_ms) for task in tasks]


def routes(services: NodeServices) -> list[Route]:
    reports = NodeReports(lambda: services.fellows)

    async def tasks(request: Request) -> Response:
        params = request.params
        nodes = chosen_nodes(services.cluster, ",".join(params.get("nodes", ())))
        answers = await _collect(services, reports, nodes, request)
        detailed = params.get("detailed", False)
        found = [
            (
                node,
                [_shown(task, detailed) for task in report.get(TASKS, ()) if _fits(task, params)],
            )
            for node, report in answers
            if not isinstance(report, ApiError)
        ]
        failures = nodes_header(answers).get("failures")
        failed = {"node_failures": failures} if failures else {}
        return json_response({**failed, **_grouped(found, params.get("group_by", "nodes"))})

    async def one_task(request: Request) -> Response:
        wanted = request.path_params["task_id"]
        node_id, colon, number = wanted.partition(":")
        if not colon or not number.isdigit():
            raise IllegalArgument(
                f"malformed task id {wanted}",
                caused_by=NumberFormatError(f'For input string: "{number}"') if colon else None,
            )
        node = next((each for each in services.cluster.nodes() if each.id == node_id), None)
        if node is None:
            raise ResourceNotFound(
                f"task [{wanted}] belongs to the node [{node_id}] which isn't part of the cluster and there "
                "is no record of the task"
            )
        for _, report in await _collect(services, reports, [node], request):
            if isinstance(report, ApiError):
                raise report
            for task in report.get(TASKS, ()):
                if task["id"] == int(number):
                    return json_response({"completed": False, "task": task})
        raise ResourceNotFound(f"task [{wanted}] isn't running and hasn't stored its results")

    return [
        Route(
            methods=("GET",),
            paths=("/_tasks",),
            handler=tasks,
            action="cluster:monitor/tasks/lists",
            indices=no_indices,
            params={
                "actions": names,
                "detailed": boolean,
                "group_by": _group_by,
                "nodes": names,
                "parent_task_id": string,
                "timeout": time_ms,
                "wait_for_completion": ignored,
            },
        ),
        Route(
            methods=("GET",),
            paths=("/_tasks/{task_id}",),
            handler=one_task,
            action="cluster:monitor/task/get",
            indices=no_indices,
            params={"timeout": time_ms, "wait_for_completion": ignored},
        ),
    ]


async def _collect(
    services: NodeServices, reports: NodeReports, nodes: Sequence[NodeInfo], request: Request
) -> Answers:
    """The tasks of each node; this one's own without asking for a report."""
    local = services.cluster.local_node.id
    others = [node for node in nodes if node.id != local]
    own: Answers = [
        (node, {TASKS: running_tasks(services.tasks, services.clock)})
        for node in nodes
        if node.id == local
    ]
    return [*own, *await reports.collect(others, (TASKS,), request.ctx)]


def _group_by(name: str, text: str) -> str:
    if text not in ("nodes", "parents", "none"):
        raise IllegalArgument(
            f"[group_by] must be one of [nodes], [parents] or [none] but was [{text}]"
        )
    return text


def _fits(task: TaskJson, params: Mapping[str, Any]) -> bool:
    actions: tuple[str, ...] = params.get("actions", ())
    if actions and not any(matches(pattern, task["action"]) for pattern in actions):
        return False
    parent = params.get("parent_task_id")
    return not parent or task.get("parent_task_id") == parent


def _task_json(task: Task, now_ms: int) -> TaskJson:
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
    if task.parent is not None:
        shown["parent_task_id"] = str(task.parent)
    shown["headers"] = {}
    return shown


def _shown(task: TaskJson, detailed: bool) -> TaskJson:
    return task if detailed else {key: task[key] for key in task if key != "description"}


def _grouped(found: Sequence[tuple[NodeInfo, Sequence[TaskJson]]], group_by: str) -> dict[str, Any]:
    tasks = [task for _, each in found for task in each]
    if group_by == "none":
        return {"tasks": tasks}
    if group_by == "nodes":
        return {"nodes": {node.id: _node_json(node, each) for node, each in found if each}}
    by_id = {_id_of(task): task for task in tasks}
    roots = {}
    for task_id, task in by_id.items():
        parent = by_id.get(task.get("parent_task_id", ""))
        if parent is None:
            roots[task_id] = task
        else:
            parent.setdefault("children", []).append(task)
    return {"tasks": roots}


def _node_json(node: NodeInfo, tasks: Sequence[TaskJson]) -> dict[str, Any]:
    return {**node_head(node), "tasks": {_id_of(task): task for task in tasks}}


def _id_of(task: TaskJson) -> str:
    return f"{task['node']}:{task['id']}"
