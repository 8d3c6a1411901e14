"""`GET /`: who answers here. Official clients read it before anything else."""

from typing import Any

from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices

TAGLINES = {"opensearch": "The OpenSearch Project: https://opensearch.org/"}
TAGLINE = "You Know, for Search"
_NO_UUID = "_na_"
"""Of a node that has not joined its cluster yet."""


def routes(services: NodeServices) -> list[Route]:
    async def root(request: Request) -> Response:
        build = services.build
        version: dict[str, Any] = (
            {} if build.distribution is None else {"distribution": build.distribution}
        )
        version["number"] = build.number
        if build.distribution is None:
            version["build_flavor"] = build.flavor
        version |= {
            "build_type": build.type,
            "build_hash": build.hash,
            "build_date": build.date,
            "build_snapshot": False,
            "lucene_version": build.lucene_version,
            "minimum_wire_compatibility_version": build.minimum_wire,
            "minimum_index_compatibility_version": build.minimum_index,
        }
        identity = services.cluster.identity
        return json_response(
            {
                "name": services.cluster.local_node.name,
                "cluster_name": identity.name,
                "cluster_uuid": identity.uuid or _NO_UUID,
                "version": version,
                "tagline": TAGLINES.get(build.distribution or "", TAGLINE),
            }
        )

    return [
        Route(
            methods=("GET", "HEAD"),
            paths=("/",),
            handler=root,
            action="cluster:monitor/main",
            indices=no_indices,
        )
    ]
