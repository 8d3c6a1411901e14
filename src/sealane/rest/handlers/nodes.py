"""`_nodes`: who they are and where they listen."""

from collections.abc import Collection
from typing import Any

from sealane.cluster.published import Member
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import boolean, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices

_METRICS = frozenset(
    {
        "aggregations",
        "http",
        "indices",
        "ingest",
        "jvm",
        "os",
        "plugins",
        "process",
        "remote_cluster_server",
        "settings",
        "thread_pool",
        "transport",
    }
)
"""What may be named instead of nodes."""


def routes(services: NodeServices) -> list[Route]:
    async def nodes(request: Request) -> Response:
        node_id = request.path_params.get("node_id", "")
        metrics = request.path_params.get("metrics", "_all")
        if node_id and "metrics" not in request.path_params and _are_metrics(node_id):
            node_id, metrics = "", node_id
        chosen = {node.id for node in chosen_nodes(services.cluster, node_id)}
        found = [each for each in services.cluster.members() if each.node.id in chosen]
        sections = _METRICS if metrics == "_all" else frozenset(metrics.split(","))
        return json_response(
            {
                "_nodes": {"total": len(found), "successful": len(found), "failed": 0},
                "cluster_name": services.cluster.identity.name,
                "nodes": {
                    member.node.id: _node_json(services, member, sections) for member in found
                },
            }
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
    ]


def _are_metrics(names: str) -> bool:
    return all(each in _METRICS for each in names.split(","))


def _node_json(services: NodeServices, member: Member, sections: Collection[str]) -> dict[str, Any]:
    node, build = member.node, services.build
    address = str(node.address)
    shown = {
        "name": node.name,
        "transport_address": address,
        "host": node.address.host,
        "ip": node.address.host,
        "version": node.version or build.number,
        "build_flavor": build.flavor,
        "build_type": build.type,
        "build_hash": build.hash,
        "roles": sorted(node.roles),
        "attributes": node.attributes,
    }
    if "transport" in sections:
        shown["transport"] = {
            "bound_address": list(member.bound_transport) or [address],
            "publish_address": address,
            "profiles": {},
        }
    if "remote_cluster_server" in sections and member.remote_cluster is not None:
        published = str(member.remote_cluster)
        shown["remote_cluster_server"] = {
            "bound_address": list(member.bound_remote_cluster) or [published],
            "publish_address": published,
        }
    if "http" in sections and member.http:
        shown["http"] = {
            "bound_address": list(member.bound_http) or [member.http],
            "publish_address": member.http,
            "max_content_length_in_bytes": member.max_content_length or services.max_content_length,
        }
    return shown
