"""`_ssl/certificates`: the certificates that this node uses and trusts, and when each of them ends."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sealane.model.certificates import FileCertificate
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices


def routes(listed: Callable[[], Awaitable[Sequence[FileCertificate]]]) -> list[Route]:
    async def certificates(request: Request) -> Response:
        return json_response([_shown(each) for each in await listed()])

    return [
        Route(
            methods=("GET",),
            paths=("/_ssl/certificates",),
            handler=certificates,
            action="cluster:monitor/xpack/ssl/certificates/get",
            indices=no_indices,
        )
    ]


def _shown(each: FileCertificate) -> dict[str, Any]:
    until = datetime.fromtimestamp(each.not_after_ms / 1000, UTC)
    return {
        "path": each.path,
        "format": each.format,
        "alias": each.alias or None,
        "subject_dn": each.subject,
        "serial_number": each.serial_number,
        "has_private_key": each.has_private_key,
        "expiry": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "issuer": each.issuer,
    }
