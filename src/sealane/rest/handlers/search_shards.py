"""`_search_shards`: the shards that a search of this cluster's indices would ask."""

from typing import Any, Final

from sealane.model.node import NodeInfo
from sealane.model.search import IndicesOptions
from sealane.query.any_json import loads
from sealane.rest.expressions import options_of
from sealane.rest.params import INDICES_OPTIONS, ignored, names, string
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import Services
from sealane.search.by_query import refuse_remote
from sealane.search.routed import shards_asked

_LENIENT: Final = IndicesOptions(ignore_unavailable=True)
_OLDEST_INDEX: Final = 7_000_099
_NEWEST_INDEX: Final = 8_536_000
"""Index versions as 8.19 tells them of its nodes."""


def routes(services: Services) -> list[Route]:
    async def get(request: Request) -> Response:
        refuse_remote(request.indices)
        options = options_of(request.params, _LENIENT)
        found = services.indices.resolve(request.indices, options, request.ctx.start_ms)
        routing, preference = request.params.get("routing", ()), request.params.get("preference")
        node = services.cluster.local_node
        indices: dict[str, Any] = {}
        shards: list[tuple[int, str, str]] = []
        for index in found:
            indices[index.name] = _aliased(index.via, index.name, index.filters)
            numbers = shards_asked(index, routing, preference)
            shards += [(number, index.name, index.uuid) for number in numbers]
        return json_response(
            {
                "nodes": {node.id: _node(node)} if shards else {},
                "indices": indices,
                "shards": [[_shard(node, *each)] for each in sorted(shards)],
            }
        )

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_search_shards", "/{index}/_search_shards"),
            handler=get,
            action="indices:admin/shards/search_shards",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                "local": ignored,
                "master_timeout": ignored,
                "preference": string,
                "routing": names,
            },
        )
    ]


def _aliased(via: tuple[str, ...], name: str, filters: tuple[bytes, ...] | None) -> dict[str, Any]:
    aliases = [each for each in via if each != name]
    if not aliases:
        return {}
    shown: dict[str, Any] = {"aliases": aliases}
    if filters:
        queries = [loads(each) for each in filters]
        shown["filter"] = queries[0] if len(queries) == 1 else {"bool": {"should": queries}}
    return shown


def _node(node: NodeInfo) -> dict[str, Any]:
    return {
        "name": node.name,
        "ephemeral_id": node.ephemeral_id,
        "transport_address": str(node.address),
        "external_id": node.name,
        "attributes": dict(node.attributes),
        "roles": sorted(node.roles),
        "version": node.version,
        "min_index_version": _OLDEST_INDEX,
        "max_index_version": _NEWEST_INDEX,
    }


def _shard(node: NodeInfo, number: int, index: str, uuid: str) -> dict[str, Any]:
    return {
        "state": "STARTED",
        "primary": True,
        "node": node.id,
        "relocating_node": None,
        "shard": number,
        "index": index,
        "allocation_id": {"id": f"{uuid}:{number}"},
        "relocation_failure_info": {"failed_attempts": 0},
    }
