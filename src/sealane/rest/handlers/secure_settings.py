"""`POST /_nodes/reload_secure_settings`: the nodes read their keystores again."""

from typing import Any, Final

from sealane.cluster.secure_reload import RELOAD, reload_nodes
from sealane.errors import ApiError
from sealane.model.security import Secret
from sealane.query.cursor import STRING, Member, plain
from sealane.query.index_requests import read_body
from sealane.rest.node_answers import nodes_header, reports_of, timeout_of
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices

_KIND: Final = "reload_secure_settings"
_PASSWORD: Final = "secure_settings_password"


class PasswordInTheClear(ApiError):
    """A password that would cross the network readable for all."""

    es_type, status = "exception", 400

    def __init__(self) -> None:
        super().__init__(
            "Secure settings cannot be updated cluster wide when TLS for the transport layer is not enabled. "
            "Enable TLS or use the API with a `_local` filter on each node."
        )


def routes(services: NodeServices) -> list[Route]:
    async def reload(request: Request) -> Response:
        # The body alone: a password in the URL would be in every list of tasks.
        password = _password(request.body)
        cluster = services.cluster
        nodes = chosen_nodes(cluster, request.path_params.get("node_id", ""))
        is_local = [node.id for node in nodes] == [cluster.local_node.id]
        if password is not None and not is_local and not services.transport_tls:
            raise PasswordInTheClear
        answers = await reload_nodes(
            services.fellows,
            nodes,
            password or Secret(""),
            request.ctx,
            timeout_s=timeout_of(request),
        )
        shown = {node.id: {"name": node.name, **answer} for node, answer in reports_of(answers)}
        body: dict[str, Any] = {
            "_nodes": nodes_header(answers),
            "cluster_name": cluster.identity.name,
            "nodes": shown,
        }
        return json_response(body)

    return [
        Route(
            methods=("POST",),
            paths=("/_nodes/reload_secure_settings", "/_nodes/{node_id}/reload_secure_settings"),
            handler=reload,
            action=RELOAD,
            indices=no_indices,
            params={"timeout": time_ms},
            body=True,
        )
    ]


def _password(body: bytes) -> Secret | None:
    """None where the body names none. Raises what a body that is not as it must be raises."""
    found = read_body(body, _KIND, {_PASSWORD: Member(STRING, plain)})
    text = found.get(_PASSWORD)
    return None if text is None else Secret(text)
