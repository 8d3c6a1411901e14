"""`_pit`: opening points in time and closing them. They are searched by `_search`."""

from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument, ParseError
from sealane.model.opaque import decode_base64
from sealane.query import decode
from sealane.query.cursor import text_of
from sealane.query.open_body import parse_open_body
from sealane.rest.params import INDICES_OPTIONS, boolean, names, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.search_params import at_least, indices_options
from sealane.rest.search_response import render_shards
from sealane.search.coordinator import SearchService
from sealane.search.pit import Freed, OpenPointInTime


def routes(service: SearchService) -> list[Route]:
    async def open_(request: Request) -> Response:
        params = request.params
        problems = []
        if not request.indices:
            problems.append("[index] is not specified")
        if "keep_alive" not in params:
            problems.append("[keep_alive] is not specified")
        if problems:
            raise ActionRequestValidation(problems)
        wanted = OpenPointInTime(
            expressions=request.indices,
            keep_alive_ms=params["keep_alive"],
            options=indices_options(params),
            preference=params.get("preference"),
            routing=params.get("routing", ()),
            index_filter=parse_open_body(request.body),
            allow_partial=params.get("allow_partial_search_results", False),
        )
        opened = await service.points_in_time.open(wanted, request.ctx)
        return json_response(
            {"id": opened.id, "_shards": render_shards(opened.shards, opened.failures)}
        )

    async def close(request: Request) -> Response:
        return freed_response(await service.points_in_time.close(_id_of(request.body), request.ctx))

    return [
        Route(
            methods=("POST",),
            paths=("/{index}/_pit", "/_pit"),
            handler=open_,
            action="indices:data/read/open_point_in_time",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                "allow_partial_search_results": boolean,
                "keep_alive": time_ms,
                "max_concurrent_shard_requests": at_least(
                    1, "maxConcurrentShardRequests must be >= 1"
                ),
                "preference": string,
                "routing": names,
            },
            body=True,
            check=lambda request: parse_open_body(request.body),
        ),
        Route(
            methods=("DELETE",),
            paths=("/_pit",),
            handler=close,
            action="indices:data/read/close_point_in_time",
            indices=no_indices,
            body=True,
        ),
    ]


def freed_response(freed: Freed) -> Response:
    """What closing contexts is answered with: 404 where there were some to close, and none was open any more."""
    status = 404 if freed.found_none else 200
    return json_response({"succeeded": freed.succeeded, "num_freed": freed.count}, status)


def _id_of(raw: bytes) -> str:
    """The id in the body of a DELETE. Raises ParseError, IllegalArgument with the reference's texts."""
    if not raw.strip():
        raise ParseError("request body or source parameter is required")
    body = decode(raw)
    if not isinstance(body, dict):
        raise IllegalArgument("Malformed content, must start with an object")
    found: Any = None
    for name, value in body.items():
        if name != "id":
            raise IllegalArgument(
                f"Unknown parameter [{name}] in request body or parameter is of the wrong "
                "type[FIELD_NAME] "
            )
        if value is None or isinstance(value, dict | list):
            raise IllegalArgument("the request must contain only [id field")
        found = value
        decode_base64(text_of(value))  # as the reference: before what else is wrong
    text = "" if found is None else text_of(found)
    if not text:
        raise IllegalArgument("search context id is is not provided")
    return text
