"""`_resolve/index/{expression}`: from a request to the resolver and back to JSON."""

from collections.abc import Sequence
from typing import Any

from sealane.model.about_indices import NamedIndex
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route
from sealane.search.resolve_index import IndexResolver


def routes(resolver: IndexResolver) -> list[Route]:
    async def resolve(request: Request) -> Response:
        found = await resolver.resolve(
            _names(request), options_of(request.params, STRICT), request.ctx
        )
        return json_response(
            {
                "indices": [_index(each) for each in found.indices],
                "aliases": [
                    {"name": each.name, "indices": list(each.indices)} for each in found.aliases
                ],
                "data_streams": [
                    {
                        "name": each.name,
                        "backing_indices": list(each.backing),
                        "timestamp_field": each.timestamp_field,
                    }
                    for each in found.data_streams
                ],
            }
        )

    return [
        Route(
            methods=("GET",),
            paths=("/_resolve/index/{index}",),
            handler=resolve,
            action="indices:admin/resolve/index",
            indices=_names,
            params=INDICES_OPTIONS,
        )
    ]


def _names(request: Request) -> Sequence[str]:
    """What is in the path; an empty name among others is one that does not exist."""
    names = request.index.split(",")
    while names and not names[-1]:
        names.pop()
    return names


def _index(index: NamedIndex) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": index.name}
    if index.aliases:
        shown["aliases"] = list(index.aliases)
    shown["attributes"] = list(index.attributes)
    if index.data_stream is not None:
        shown["data_stream"] = index.data_stream
    return shown
