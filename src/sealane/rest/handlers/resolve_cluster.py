"""`_resolve/cluster`: from a request to the resolver and back to JSON."""

from collections.abc import Sequence
from typing import Any

from sealane.errors import IllegalArgument
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route
from sealane.search.expression import SHOWN_LOCAL
from sealane.search.resolve_cluster import (
    DEFAULT_TIMEOUT_S,
    ClusterResolution,
    ClusterResolver,
)

ACTION = "indices:admin/resolve/cluster"
_OPTIONS_IN_ORDER = (
    "expand_wildcards",
    "ignore_unavailable",
    "allow_no_indices",
    "ignore_throttled",
)


def routes(resolver: ClusterResolver) -> list[Route]:
    """With and without an index expression."""

    async def remotes(request: Request) -> Response:
        given = [name for name in _OPTIONS_IN_ORDER if name in request.params]
        if given:
            raise IllegalArgument(
                "No index options are allowed on _resolve/cluster when no index expression is specified, "
                f"but received: [{', '.join(given)}]"
            )
        # Read only now: a bad value is not told before an option that may not be here at all.
        timeout = request.params.get("timeout")
        timeout_s = _seconds(None if timeout is None else time_ms("timeout", timeout))
        found = await resolver.resolve(None, STRICT, request.ctx, timeout_s=timeout_s)
        return json_response(_entries(found))

    async def named(request: Request) -> Response:
        options = options_of(request.params, STRICT)
        timeout_s = _seconds(request.params.get("timeout"))
        names = _names(request)
        found = await resolver.resolve(names, options, request.ctx, timeout_s=timeout_s)
        return json_response(_entries(found))

    return [
        Route(
            methods=("GET",),
            paths=("/_resolve/cluster",),
            handler=remotes,
            action=ACTION,
            indices=_names,
            params={**dict.fromkeys(_OPTIONS_IN_ORDER, string), "timeout": string},
        ),
        Route(
            methods=("GET",),
            paths=("/_resolve/cluster/{index}",),
            handler=named,
            action=ACTION,
            indices=_names,
            params={**INDICES_OPTIONS, "timeout": time_ms},
        ),
    ]


def _names(request: Request) -> Sequence[str]:
    """What is in the path: nothing is no index here, where it means all elsewhere, and an empty name among others is
    one that does not exist.
    """
    names = request.index.split(",")
    while names and not names[-1]:
        names.pop()
    return names


def _seconds(timeout_ms: int | None) -> float:
    """A timeout that is not positive is over at once, -1 too."""
    return DEFAULT_TIMEOUT_S if timeout_ms is None else max(0, timeout_ms) / 1000


def _entries(found: Sequence[ClusterResolution]) -> dict[str, dict[str, Any]]:
    return {each.alias or SHOWN_LOCAL: _entry(each) for each in found}


def _entry(cluster: ClusterResolution) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "connected": cluster.connected,
        "skip_unavailable": cluster.skip_unavailable,
    }
    if cluster.matches is not None:
        entry["matching_indices"] = cluster.matches
    if cluster.error is not None:
        entry["error"] = cluster.error
    if cluster.version is not None:
        version = cluster.version
        shown = {
            "number": version.number,
            "build_flavor": version.build_flavor,
            "minimum_wire_compatibility_version": version.minimum_wire,
            "minimum_index_compatibility_version": version.minimum_index,
        }
        entry["version"] = {name: text for name, text in shown.items() if text}
    return entry
