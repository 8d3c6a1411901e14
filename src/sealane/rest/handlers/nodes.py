"""`_nodes` and `_tasks`: the nodes, and what runs on this one."""

from typing import Any

from sealane.errors import IllegalArgument, NumberFormatError, ResourceNotFound
from sealane.model.node import NodeInfo
from sealane.model.patterns import matches
from sealane.model.task import Task
from sealane.rest.params import boolean, ignored, names, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import Services

_METRICS = frozenset(
    {
        "_all",
        "aggregations",
        "http",
        "indices",
        "ingest",
        "jvm",
        "os",
        "plugins",
        "process",
        "settings",
        "thread_pool",
        "transport",
    }
)
"""What may be named instead of nodes. The answer always holds all that there is: it is little."""


def routes(services: Services) -> list[Route]:
    async def nodes(request: Request) -> Response:
        wanted = request.path_params.get("node_id", "_all").split(",")
        if all(each in _METRICS for each in wanted):
            wanted = ["_all"]
        found = [node for node in services.cluster.nodes() if _is_meant(services, node, wanted)]
        return json_response(
            {
                "_nodes": {"total": len(found), "successful": len(found), "failed": 0},
                "cluster_name": services.cluster.identity.name,
                "nodes": {node.id: _node_json(services, node) for node in found},
            }
        )

    async def tasks(request: Request) -> Response:
        params = request.params
        actions: tuple[str, ...] = params.get("actions", ())
        running = [
            task
            for task in services.tasks
            if not actions or any(matches(pattern, task.action) for pattern in actions)
        ]
        parent = params.get("parent_task_id")
        if parent:
            running = [task for task in running if str(task.parent) == parent]
        shown = [_task_json(services, task, params.get("detailed", False)) for task in running]
        return json_response(_grouped(services, shown, params.get("group_by", "nodes")))

    async def one_task(request: Request) -> Response:
        wanted = request.path_params["task_id"]
        node, colon, number = wanted.partition(":")
        if not colon or not number.isdigit():
            raise IllegalArgument(
                f"malformed task id {wanted}",
                caused_by=NumberFormatError(f'For input string: "{number}"') if colon else None,
            )
        for task in services.tasks:
            if str(task.id) == wanted:
                return json_response({"completed": False, "task": _task_json(services, task, True)})
        raise ResourceNotFound(
            f"task [{wanted}] isn't running and hasn't stored its results"
            if node == services.cluster.local_node.id
            else f"task [{wanted}] belongs to the node [{node}] which isn't part of the cluster and there "
            "is no record of the task"
        )

    return [
        Route(
            methods=("GET",),
            paths=("/_nodes", "/_nodes/{node_id}", "/_nodes/{node_id}/{metrics}"),
            handler=nodes,
            action="cluster:monitor/nodes/info",
            indices=no_indices,
            params={"flat_settings": boolean, "timeout": time_ms},
        ),
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


def _group_by(name: str, text: str) -> str:
    if text not in ("nodes", "parents", "none"):
        raise IllegalArgument(
            f"[group_by] must be one of [nodes], [parents] or [none] but was [{text}]"
        )
    return text


def _is_meant(services: Services, node: NodeInfo, wanted: list[str]) -> bool:
    local = services.cluster.local_node.id
    master = services.cluster.master_id
    for expression in wanted:
        match expression:
            case "_all" | "*":
                return True
            case "_local" if node.id == local:
                return True
            case "_master" if node.id == master:
                return True
        if (
            expression == node.id
            or matches(expression, node.name)
            or expression == node.address.host
        ):
            return True
    return False


def _node_head(node: NodeInfo) -> dict[str, Any]:
    return {
        "name": node.name,
        "transport_address": str(node.address),
        "host": node.address.host,
        "ip": node.address.host,
    }


def _node_json(services: Services, node: NodeInfo) -> dict[str, Any]:
    address, http = str(node.address), services.cluster.http_address(node.id)
    build = services.build
    return {
        **_node_head(node),
        "version": build.number,
        "build_flavor": build.flavor,
        "build_type": build.type,
        "build_hash": build.hash,
        "roles": sorted(node.roles),
        "attributes": node.attributes,
        "transport": {"bound_address": [address], "publish_address": address, "profiles": {}},
        "http": {
            "bound_address": [http],
            "publish_address": http,
            "max_content_length_in_bytes": services.max_content_length,
        },
    }


def _task_json(services: Services, task: Task, detailed: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "node": task.id.node,
        "id": task.id.number,
        "type": "transport",
        "action": task.action,
    }
    if detailed:
        shown["description"] = task.description
    running_ms = max(0, services.clock.now_ms() - task.start_ms)
    shown |= {
        "start_time_in_millis": task.start_ms,
        "running_time_in_nanos": running_ms * 1_000_000,
        "cancellable": True,
        "cancelled": task.cancelled_reason is not None,
    }
    if task.parent is not None:
        shown["parent_task_id"] = str(task.parent)
    shown["headers"] = {}
    return shown


def _grouped(services: Services, tasks: list[dict[str, Any]], group_by: str) -> dict[str, Any]:
    if group_by == "none":
        return {"tasks": tasks}
    by_id = {f"{task['node']}:{task['id']}": task for task in tasks}
    if group_by == "nodes":
        node = services.cluster.local_node
        head = {**_node_head(node), "ip": str(node.address), "roles": sorted(node.roles)}
        entry = {**head, "attributes": node.attributes, "tasks": by_id}
        return {"nodes": {node.id: entry} if tasks else {}}
    roots = {}
    for task_id, task in by_id.items():
        parent = by_id.get(task.get("parent_task_id", ""))
        if parent is None:
            roots[task_id] = task
        else:
            parent.setdefault("children", []).append(task)
    return {"tasks": roots}
