"""`_clear_cache` of realms, roles, keys and application privileges. Nothing stale is kept here: they only make sure."""

from collections.abc import Callable

from sealane.errors import ApiError, IllegalArgument
from sealane.rest.params import names, string
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import ClusterView
from sealane.security.stores.security import Security

_SECURITY = "cluster:admin/xpack/security/"


def routes(security: Security, cluster: ClusterView) -> list[Route]:
    def clear(request: Request) -> None:
        security.clear_known()

    def clear_realms(request: Request) -> None:
        known = security.realms.names()
        for realm in request.path_params["realms"].split(","):
            if realm not in (*known, "*", "_all"):
                raise IllegalArgument(f"could not find active realm [{realm}]")
        security.clear_known()

    return [
        _route(
            cluster,
            "/_security/realm/{realms}/_clear_cache",
            f"{_SECURITY}realm/cache/clear",
            clear_realms,
        ),
        _route(
            cluster,
            "/_security/role/{name}/_clear_cache",
            f"{_SECURITY}roles/cache/clear",
            clear,
        ),
        _route(
            cluster,
            "/_security/api_key/{ids}/_clear_cache",
            f"{_SECURITY}cache/clear",
            clear,
        ),
        _route(
            cluster,
            "/_security/privilege/{application}/_clear_cache",
            f"{_SECURITY}cache/clear",
            clear,
        ),
    ]


def _route(cluster: ClusterView, path: str, action: str, clear: Callable[[Request], None]) -> Route:
    async def handler(request: Request) -> Response:
        failure: ApiError | None = None
        try:
            clear(request)
        except ApiError as error:
            failure = error
        return json_response(_answer(cluster, failure))

    return Route(
        methods=("POST",),
        paths=(path,),
        handler=handler,
        action=action,
        indices=no_indices,
        params={"usernames": names, "application": string},
    )


def _answer(cluster: ClusterView, failure: ApiError | None) -> dict[str, object]:
    """The other nodes of the cluster ask this one, so what is cleared here is cleared."""
    node = cluster.local_node
    counts: dict[str, object] = {
        "total": 1,
        "successful": 0 if failure else 1,
        "failed": 1 if failure else 0,
    }
    if failure is not None:
        counts["failures"] = [
            {
                "type": "failed_node_exception",
                "reason": f"Failed node [{node.id}]",
                "node_id": node.id,
                "caused_by": failure.to_cause(),
            }
        ]
    nodes = {} if failure else {node.id: {"name": node.name}}
    return {"_nodes": counts, "cluster_name": cluster.identity.name, "nodes": nodes}
