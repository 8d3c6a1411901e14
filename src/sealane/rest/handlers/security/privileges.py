"""`_security/privilege`: the named privileges there are. Those of applications are not kept: their list is empty."""

from sealane.errors import IllegalArgument
from sealane.rest.handlers.documents import WRITE_PARAMS
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.rules.privilege_tables import CLUSTER_PATTERNS, INDEX_PATTERNS
from sealane.security.rules.privileges import REMOTE_CLUSTER_PRIVILEGES

_PRIVILEGE = "cluster:admin/xpack/security/privilege/"


def routes() -> list[Route]:
    async def builtin(request: Request) -> Response:
        return json_response(
            {
                "cluster": sorted(CLUSTER_PATTERNS),
                "index": sorted(INDEX_PATTERNS),
                "remote_cluster": sorted(REMOTE_CLUSTER_PRIVILEGES),
            }
        )

    async def get(request: Request) -> Response:
        return json_response({}, 404 if "privilege" in request.path_params else 200)

    async def refuse(request: Request) -> Response:
        raise IllegalArgument(
            "privileges of applications are not supported by this version: those named in a role are kept with it "
            "and grant nothing here"
        )

    return [
        Route(
            methods=("GET",),
            paths=("/_security/privilege/_builtin",),
            handler=builtin,
            action=f"{_PRIVILEGE}builtin/get",
            indices=no_indices,
        ),
        Route(
            methods=("GET",),
            paths=(
                "/_security/privilege",
                "/_security/privilege/{application}",
                "/_security/privilege/{application}/{privilege}",
            ),
            handler=get,
            action=f"{_PRIVILEGE}get",
            indices=no_indices,
        ),
        Route(
            methods=("POST", "PUT"),
            paths=("/_security/privilege",),
            handler=refuse,
            action=f"{_PRIVILEGE}put",
            indices=no_indices,
            params={"refresh": WRITE_PARAMS["refresh"]},
            body=True,
        ),
    ]
