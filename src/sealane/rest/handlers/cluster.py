"""`_cluster/health`, `_cluster/settings`."""

import asyncio
import re
from typing import Any

from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    IndexNotFound,
    NumberFormatError,
)
from sealane.rest.bodies import read_exact_json, require_body
from sealane.rest.expressions import PERMISSIVE, options_of
from sealane.rest.health import COLORS, Health, health_of
from sealane.rest.params import (
    INDICES_OPTIONS,
    active_shards,
    boolean,
    ignored,
    integer,
    string,
    time_ms,
)
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.services import Services

DEFAULT_WAIT_S = 30.0
POLL_S = 0.1
_NODE_COUNT = re.compile(r"^(>=|<=|>|<|ge\(|le\(|gt\(|lt\()?\s*(\d+)\)?$")


def _status(name: str, text: str) -> str:
    if text.lower() not in COLORS:
        raise IllegalArgument(
            f"No enum constant org.elasticsearch.cluster.health.ClusterHealthStatus.{text.upper()}"
        )
    return text.lower()


def _level(name: str, text: str) -> str:
    if text not in ("cluster", "indices", "shards"):
        raise IllegalArgument(
            f"level parameter must be one of [cluster] or [indices] or [shards] but was [{text}]"
        )
    return text


def _priority(name: str, text: str) -> None:
    """Accepted and met at once: there is no queue of cluster state changes to wait for."""
    if text.upper() not in ("IMMEDIATE", "URGENT", "HIGH", "NORMAL", "LOW", "LANGUID"):
        raise IllegalArgument(f"No enum constant org.elasticsearch.common.Priority.{text.upper()}")


def routes(services: Services) -> list[Route]:
    async def health(request: Request) -> Response:
        return await _health(services, request)

    async def get_settings(request: Request) -> Response:
        return json_response(
            services.settings.view(
                flat=request.params.get("flat_settings", False),
                include_defaults=request.params.get("include_defaults", False),
            )
        )

    async def put_settings(request: Request) -> Response:
        body = read_exact_json(require_body(request.body))
        if not isinstance(body, dict):
            raise ActionRequestValidation(["no settings to update"])
        updated = await services.settings.update(
            body, flat=request.params.get("flat_settings", False)
        )
        return json_response(updated)

    return [
        Route(
            methods=("GET",),
            paths=("/_cluster/health", "/_cluster/health/{index}"),
            handler=health,
            action="cluster:monitor/health",
            indices=path_indices,
            params={
                "expand_wildcards": INDICES_OPTIONS["expand_wildcards"],
                "level": _level,
                "local": ignored,
                "master_timeout": time_ms,
                "timeout": time_ms,
                "return_200_for_cluster_health_timeout": boolean,
                "wait_for_active_shards": active_shards,
                "wait_for_events": _priority,
                "wait_for_no_initializing_shards": boolean,
                "wait_for_no_relocating_shards": boolean,
                "wait_for_nodes": string,
                "wait_for_relocating_shards": integer,
                "wait_for_status": _status,
            },
        ),
        Route(
            methods=("GET",),
            paths=("/_cluster/settings",),
            handler=get_settings,
            action="cluster:monitor/settings",
            indices=no_indices,
            params={
                "flat_settings": boolean,
                "include_defaults": boolean,
                "local": ignored,
                "master_timeout": time_ms,
                "timeout": time_ms,
            },
        ),
        Route(
            methods=("PUT",),
            paths=("/_cluster/settings",),
            handler=put_settings,
            action="cluster:admin/settings/update",
            indices=no_indices,
            params={"flat_settings": boolean, "master_timeout": time_ms, "timeout": time_ms},
            body=True,
        ),
    ]


async def _health(services: Services, request: Request) -> Response:
    """Answers once everything waited for holds, or the time is over: then with 408, as it stands."""
    params = request.params
    timeout = params.get("timeout")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (DEFAULT_WAIT_S if timeout is None else max(0, timeout) / 1000)
    while True:
        health, missing = _present(services, request)
        done = not missing and _holds(health, params)
        if done or loop.time() >= deadline:
            break
        await asyncio.sleep(min(POLL_S, max(0.0, deadline - loop.time())))
    status = "red" if missing else health.status
    body = health.to_json(services.cluster.identity.name, status, timed_out=not done)
    level = params.get("level", "cluster")
    if level != "cluster":
        body["indices"] = {
            index.name: index.to_json()
            | ({"shards": index.shard_list()} if level == "shards" else {})
            for index in health.indices
        }
    ok = done or params.get("return_200_for_cluster_health_timeout", False)
    return json_response(body, 200 if ok else 408)


def _present(services: Services, request: Request) -> tuple[Health, bool]:
    """The health of the named indices, and whether one of them is missing."""
    nodes = services.cluster.nodes()
    try:
        indices = services.indices.find(request.indices, options_of(request.params, PERMISSIVE))
    except IndexNotFound:
        return health_of((), nodes), True
    return health_of(indices, nodes, services.unopened()), False


def _holds(health: Health, params: Any) -> bool:
    wanted = params.get("wait_for_status")
    if wanted is not None and COLORS.index(health.status) > COLORS.index(wanted):
        return False
    if "wait_for_active_shards" in params:
        shards = params["wait_for_active_shards"]
        if shards is None:
            shards = health.total
        if health.active < shards:
            return False
    if params.get("wait_for_no_initializing_shards") and health.initializing:
        return False
    return "wait_for_nodes" not in params or _enough_nodes(health.nodes, params["wait_for_nodes"])


def _enough_nodes(nodes: int, expression: str) -> bool:
    """`3`, `>=3`, `<3`, `ge(3)`, ... Raises NumberFormatError for anything else."""
    match = _NODE_COUNT.match(expression.strip())
    if match is None:
        raise NumberFormatError(f'For input string: "{expression}"')
    operator, count = (match.group(1) or "==").rstrip("("), int(match.group(2))
    match operator:
        case ">=" | "ge":
            return nodes >= count
        case "<=" | "le":
            return nodes <= count
        case ">" | "gt":
            return nodes > count
        case "<" | "lt":
            return nodes < count
        case _:
            return nodes == count
