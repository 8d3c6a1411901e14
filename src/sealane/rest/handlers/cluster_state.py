"""`_cluster/state`: the nodes and their master as last published. Metadata and routing are told by other requests."""

from typing import Any, Final

from sealane.errors import IllegalArgument
from sealane.model.node import NodeInfo
from sealane.rest.params import INDICES_OPTIONS, boolean, integer, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import NodeServices

_ALL: Final = "_all"
_OURS: Final = frozenset({"version", "master_node", "blocks", "nodes"})
_ABSENT: Final = frozenset({"metadata", "routing_table", "routing_nodes", "customs"})


def routes(services: NodeServices) -> list[Route]:
    async def state(request: Request) -> Response:
        metrics = {each for each in request.path_params.get("metrics", _ALL).split(",") if each}
        absent = sorted(metrics & _ABSENT)
        if absent:
            raise IllegalArgument(
                f"[{', '.join(absent)}] of the cluster state is not told by this version; "
                "GET /_cluster/settings, GET /<index> and GET /_cat/indices tell what is in it"
            )
        wanted = _OURS if _ALL in metrics or not metrics else metrics
        cluster = services.cluster
        identity, published = cluster.identity, cluster.state
        body: dict[str, Any] = {
            "cluster_name": identity.name,
            "cluster_uuid": identity.uuid,
        }
        if "version" in wanted:
            body["version"] = published.version if published else 0
            body["state_uuid"] = published.state_uuid if published else "_na_"
        if "master_node" in wanted:
            body["master_node"] = cluster.master_id or None
        if "blocks" in wanted:
            body["blocks"] = {}
        if "nodes" in wanted:
            body["nodes"] = {node.id: _node_json(node) for node in cluster.nodes()}
        return json_response(body)

    return [
        Route(
            methods=("GET",),
            paths=(
                "/_cluster/state",
                "/_cluster/state/{metrics}",
                "/_cluster/state/{metrics}/{index}",
            ),
            handler=state,
            action="cluster:monitor/state",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                "flat_settings": boolean,
                "local": boolean,
                "master_timeout": time_ms,
                "wait_for_metadata_version": integer,
                "wait_for_timeout": time_ms,
            },
        )
    ]


def _node_json(node: NodeInfo) -> dict[str, Any]:
    return {
        "name": node.name,
        "ephemeral_id": node.ephemeral_id,
        "transport_address": str(node.address),
        "external_id": node.name,
        "attributes": node.attributes,
        "roles": sorted(node.roles),
        "version": node.version,
    }
