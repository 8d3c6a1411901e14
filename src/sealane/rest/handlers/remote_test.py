"""`POST /_remote/<alias>/_test`: why a remote cluster does not connect; and the same for settings
that are not saved yet."""

from collections.abc import Mapping
from typing import Any, Protocol

from sealane.errors import IllegalArgument
from sealane.remote.diagnosis import Report
from sealane.rest.bodies import read_object, require_body
from sealane.rest.params import time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices

DEFAULT_TIMEOUT_MS = 5_000
TIMEOUT_MAX_MS = 60_000


class ConnectionTests(Protocol):
    """Runs tests. Both raise Rejected when too many run already."""

    async def of_alias(self, alias: str, timeout_s: float) -> Report:
        """Raises NoSuchRemoteCluster."""

    async def of_settings(self, body: Mapping[str, Any], timeout_s: float) -> Report:
        """Of what would stand under `cluster.remote.<alias>`. Raises IllegalArgument."""


def routes(tests: ConnectionTests) -> list[Route]:
    async def of_alias(request: Request) -> Response:
        report = await tests.of_alias(request.path_params["alias"], _timeout_s(request))
        return json_response(report.to_json())

    async def of_settings(request: Request) -> Response:
        body = read_object(require_body(request.body), exact=True)
        report = await tests.of_settings(body, _timeout_s(request))
        return json_response(report.to_json())

    return [
        Route(
            methods=("POST",),
            paths=("/_remote/{alias}/_test",),
            handler=of_alias,
            action="cluster:monitor/remote/test",
            indices=no_indices,
            params={"timeout": _timeout},
        ),
        # Whoever may dial any address may find out what listens inside the network.
        Route(
            methods=("POST",),
            paths=("/_remote/_test",),
            handler=of_settings,
            action="cluster:admin/remote/test",
            indices=no_indices,
            params={"timeout": _timeout},
            body=True,
        ),
    ]


def _timeout(name: str, text: str) -> int:
    ms: int = time_ms(name, text)
    if not 0 < ms <= TIMEOUT_MAX_MS:
        raise IllegalArgument(f"[{name}] must be more than [0] and at most [60s] but was [{text}]")
    return ms


def _timeout_s(request: Request) -> float:
    ms: int = request.params.get("timeout", DEFAULT_TIMEOUT_MS)
    return ms / 1000
