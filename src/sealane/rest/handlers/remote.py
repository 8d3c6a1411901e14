"""`_remote/info`: the remotes as this node has them, or as each node of the cluster has its own; `_xpack/usage`: how
many there are of each kind.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sealane.cluster.node_reports import NodeReports
from sealane.errors import ApiError, IllegalArgument
from sealane.rest.params import boolean, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices

REMOTE_INFO = "remote_info"
REMOTE_INFO_VERBOSE = "remote_info_verbose"
"""Sections of a node's report."""


def routes(services: NodeServices) -> list[Route]:
    reports = NodeReports(lambda: services.fellows)

    async def remote_info(request: Request) -> Response:
        verbose = request.params.get("verbose", False)
        if "nodes" not in request.params:
            return json_response(services.remotes.describe(verbose=verbose))
        return json_response({"nodes": await _by_node(request, verbose=verbose)})

    async def usage(request: Request) -> Response:
        return json_response({"remote_clusters": _counts(services.remotes.describe())})

    async def _by_node(request: Request, *, verbose: bool) -> dict[str, Any]:
        section = REMOTE_INFO_VERBOSE if verbose else REMOTE_INFO
        answers = await reports.collect(services.cluster.nodes(), (section,), request.ctx)
        return {
            node.id: {"name": node.name, "error": answer.to_cause()}
            if isinstance(answer, ApiError)
            else {"name": node.name, "remotes": answer.get(section, {})}
            for node, answer in answers
        }

    return [
        Route(
            methods=("GET",),
            paths=("/_remote/info",),
            handler=remote_info,
            action="cluster:monitor/remote/info",
            indices=no_indices,
            params={"nodes": _every_node, "verbose": boolean},
            unsuggested=frozenset({"nodes", "verbose"}),
        ),
        Route(
            methods=("GET",),
            paths=("/_xpack/usage",),
            handler=usage,
            action="cluster:monitor/xpack/usage",
            indices=no_indices,
            params={"master_timeout": time_ms},
        ),
    ]


def _counts(remotes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By mode, and by how the remote trusts this cluster. What else `_xpack/usage` counts there is not here."""
    by_mode = Counter(entry["mode"] for entry in remotes.values())
    by_key = sum("cluster_credentials" in entry for entry in remotes.values())
    return {
        "size": len(remotes),
        "mode": {"proxy": by_mode["proxy"], "sniff": by_mode["sniff"]},
        "security": {"cert": len(remotes) - by_key, "api_key": by_key},
    }


def _every_node(name: str, text: str) -> str:
    if text != "_all":
        raise IllegalArgument(f"[{name}] must be [_all] but was [{text}]")
    return text
