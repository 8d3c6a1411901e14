"""`_tasks`: what runs on the nodes of the cluster, and how it is cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sealane.cluster.fellows import ANSWER_TIMEOUT_S
from sealane.cluster.node_reports import NodeReports
from sealane.cluster.task_lists import (
    CANCEL_TASKS,
    TASKS,
    CancelTasks,
    TaskFilter,
    TaskJson,
    cancel_tasks,
    encode_cancel,
    read_task_id,
    read_tasks,
    running_tasks,
)
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    NoSuchNode,
    ResourceNotFound,
    TaskCancelled,
)
from sealane.model.node import NodeInfo
from sealane.model.task import TaskId
from sealane.rest.node_answers import Answers, node_failures, node_head
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import boolean, ignored, names, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices
from sealane.search.fan_out import ask_all

ONE_TASK: Final = "/_tasks/{task_id}"
_WAIT_MS: Final = 30_000
"""How long `wait_for_completion` waits for a task, unless the request says otherwise."""


def routes(services: NodeServices) -> list[Route]:
    reports = NodeReports(lambda: services.fellows)

    async def tasks(request: Request) -> Response:
        params = request.params
        wanted = _wanted(params)
        nodes = chosen_nodes(services.cluster, ",".join(params.get("nodes", ())))
        answers = await _collect(services, reports, nodes, request)
        detailed = params.get("detailed", False)
        found = [
            (node, [_shown(task, detailed) for task in report.get(TASKS, ()) if wanted.fits(task)])
            for node, report in answers
            if not isinstance(report, ApiError)
        ]
        shown = {**node_failures(answers), **_grouped(found, params.get("group_by", "nodes"))}
        if params.get("include_remotes", False):
            shown["remotes"] = await _of_remotes(services, nodes, wanted, request)
        return json_response(shown)

    async def one_task(request: Request) -> Response:
        wanted = request.path_params["task_id"]
        id = read_task_id(wanted)
        node = next((each for each in services.cluster.nodes() if each.id == id.node), None)
        if node is None:
            raise ResourceNotFound(
                f"task [{wanted}] belongs to the node [{id.node}] which isn't part of the cluster and there "
                "is no record of the task"
            )
        records = services.task_records if node.id == services.cluster.local_node.id else None
        if records is not None and request.params.get("wait_for_completion", False):
            timeout_ms = request.params.get("timeout", _WAIT_MS)
            await records.wait(id.number, timeout_ms / 1000)
        for _, report in await _collect(services, reports, [node], request):
            if isinstance(report, ApiError):
                raise report
            for task in report.get(TASKS, ()):
                if task["id"] == id.number:
                    status = None if records is None else records.status(id.number)
                    shown = task if status is None else {**task, "status": status}
                    return json_response({"completed": False, "task": shown})
        ended = None if records is None else records.ended(id.number)
        if ended is not None:
            return json_response(ended)
        raise ResourceNotFound(f"task [{wanted}] isn't running and hasn't stored its results")

    async def cancel(request: Request) -> Response:
        params = request.params
        named = request.path_params.get("task_id", params.get("task_id"))
        id = None if named is None else read_task_id(named)
        if id is not None and params.get("nodes"):
            raise ActionRequestValidation(["task id cannot be used together with node ids"])
        asked = CancelTasks(_wanted(params, id), params.get("wait_for_completion", False))
        answers = await _cancel_on(services, id, asked, request)
        found = [
            (node, [_shown(task, False) for task in answer[TASKS]])
            for node, answer in answers
            if not isinstance(answer, ApiError)
        ]
        shown = _grouped(found, params.get("group_by", "nodes"))
        return json_response({**node_failures(answers), **shown})

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
                "include_remotes": boolean,
                "nodes": names,
                "parent_task_id": string,
                "timeout": time_ms,
                "wait_for_completion": ignored,
            },
        ),
        Route(
            methods=("GET",),
            paths=(ONE_TASK,),
            handler=one_task,
            action="cluster:monitor/task/get",
            indices=no_indices,
            params={"timeout": time_ms, "wait_for_completion": boolean},
        ),
        Route(
            methods=("POST",),
            paths=("/_tasks/_cancel", "/_tasks/{task_id}/_cancel"),
            handler=cancel,
            action=CANCEL_TASKS,
            indices=no_indices,
            params={
                "actions": names,
                "group_by": _group_by,
                "nodes": names,
                "parent_task_id": string,
                "task_id": string,
                "wait_for_completion": boolean,
            },
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


async def _cancel_on(
    services: NodeServices, id: TaskId | None, asked: CancelTasks, request: Request
) -> Answers:
    """What each node cancelled; of the task's own node alone where one is named."""
    if id is None:
        nodes = chosen_nodes(services.cluster, ",".join(request.params.get("nodes", ())))
    else:
        nodes = [each for each in services.cluster.nodes() if each.id == id.node]
        if not nodes:
            return [(_unknown(id.node, services), NoSuchNode(id.node))]

    async def ask(node: NodeInfo) -> tuple[NodeInfo, dict[str, Any] | ApiError]:
        try:
            return node, {TASKS: await _cancel(services, node, asked, request)}
        except TaskCancelled:
            raise
        except ApiError as error:
            return node, error

    return await ask_all(ask, nodes)


async def _cancel(
    services: NodeServices, node: NodeInfo, asked: CancelTasks, request: Request
) -> list[TaskJson]:
    if node.id == services.cluster.local_node.id:
        return await cancel_tasks(services.tasks, services.clock, asked, request.ctx.task)
    payload, timeout_s = encode_cancel(asked), ANSWER_TIMEOUT_S
    return read_tasks(
        await services.fellows.ask(node, CANCEL_TASKS, payload, request.ctx, timeout_s=timeout_s)
    )


async def _of_remotes(
    services: NodeServices, nodes: Sequence[NodeInfo], wanted: TaskFilter, request: Request
) -> dict[str, Any]:
    """By alias: what runs there for tasks of these nodes. Ours; the reference shows each cluster its own tasks only."""
    detailed = request.params.get("detailed", False)
    shown: dict[str, Any] = {}
    ids = {node.id for node in nodes}
    for alias, found in (await services.remote_tasks.children(ids, request.ctx)).items():
        if isinstance(found, ApiError):
            shown[alias] = {"error": found.to_cause()}
        else:
            kept = [_shown(task, detailed) for task in found if wanted.fits(task)]
            shown[alias] = {"tasks": {_id_of(task): task for task in kept}}
    return shown


def _unknown(node_id: str, services: NodeServices) -> NodeInfo:
    """Stands for a node that is not there, in an answer about it."""
    return msgspec.structs.replace(services.cluster.local_node, id=node_id)


def _wanted(params: Mapping[str, Any], id: TaskId | None = None) -> TaskFilter:
    """Raises IllegalArgument for a parent that is no task id."""
    parent = params.get("parent_task_id")
    return TaskFilter(
        number=None if id is None else id.number,
        actions=params.get("actions", ()),
        parent=str(read_task_id(parent)) if parent else None,
    )


def _group_by(name: str, text: str) -> str:
    if text not in ("nodes", "parents", "none"):
        raise IllegalArgument(
            f"[group_by] must be one of [nodes], [parents] or [none] but was [{text}]"
        )
    return text


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
