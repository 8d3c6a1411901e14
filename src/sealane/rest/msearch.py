"""`_msearch`: several searches in one request, each with its own answer and its own failure."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ParseError,
    TaskCancelled,
)
from sealane.model.task import Context
from sealane.query import decode
from sealane.rest.params import INDICES_OPTIONS, Parser, boolean, ignored, integer
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.search_params import client_search
from sealane.rest.search_response import render_search
from sealane.search.coordinator import ClientSearch, SearchService
from sealane.search.fan_out import ask_all

_CONCURRENT = 8
"""Searches of one request that run at a time unless it says otherwise."""


def _positive(name: str, text: str) -> int:
    value: int = integer(name, text)
    if value < 1:
        raise IllegalArgument("maxConcurrentSearchRequests must be positive")
    return value


MSEARCH_PARAMS: dict[str, Parser] = {
    **INDICES_OPTIONS,
    "ccs_minimize_roundtrips": boolean,
    "max_concurrent_searches": _positive,
    "max_concurrent_shard_requests": integer,
    "pre_filter_shard_size": integer,
    "rest_total_hits_as_int": boolean,
    "search_type": ignored,
    "typed_keys": boolean,
}

_HEADER_PARAMS = (
    "allow_no_indices",
    "allow_partial_search_results",
    "allowPartialSearchResults",
    "ccs_minimize_roundtrips",
    "expand_wildcards",
    "ignore_throttled",
    "ignore_unavailable",
    "preference",
    "request_cache",
    "requestCache",
    "routing",
    "search_type",
    "searchType",
)


def routes(service: SearchService) -> list[Route]:
    """`_msearch`, with and without an index for the items that name none."""

    async def msearch(request: Request) -> Response:
        params = request.params
        wanted = list(_items(request))
        started = asyncio.get_running_loop().time()
        shown = {
            "typed_keys": params.get("typed_keys", False),
            "total_as_int": params.get("rest_total_hits_as_int", False),
        }

        responses = await ask_all(
            lambda each: _answer(service, each, request.ctx, shown),
            wanted,
            at_a_time=params.get("max_concurrent_searches", _CONCURRENT),
        )
        took = int((asyncio.get_running_loop().time() - started) * 1000)
        return json_response({"took": took, "responses": responses})

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_msearch", "/{index}/_msearch"),
            handler=msearch,
            action="indices:data/read/msearch",
            indices=path_indices,
            params=MSEARCH_PARAMS,
            body=True,
        )
    ]


async def _answer(
    service: SearchService, wanted: ClientSearch, ctx: Context, shown: Mapping[str, bool]
) -> dict[str, Any]:
    try:
        outcome = await service.search(wanted, ctx)
    except TaskCancelled:
        raise
    except ApiError as error:
        return error.to_body()
    return {**render_search(outcome, wanted.body, **shown), "status": 200}


def _items(request: Request) -> Iterator[ClientSearch]:
    """The searches. A line that cannot be read fails the whole request, as in the reference."""
    if not request.body:
        raise ParseError("request body or source parameter is required")
    if not request.body.endswith(b"\n"):
        raise IllegalArgument("The msearch request must be terminated by a newline [\n]")
    lines = request.body.split(b"\n")[:-1]
    if len(lines) < 2:
        raise ActionRequestValidation(["no requests added"])
    for header, body in zip(lines[::2], lines[1::2], strict=False):
        yield _item(header, body, request)


def _item(header: bytes, body: bytes, request: Request) -> ClientSearch:
    given = decode(header) if header.strip() else {}
    if not isinstance(given, dict):
        raise IllegalArgument("the metadata section of a search must be an object")
    params = {
        name: value
        for name, value in request.params.items()
        if name in INDICES_OPTIONS or name == "rest_total_hits_as_int"
    }
    indices: tuple[str, ...] = request.indices
    for name, value in given.items():
        if name in ("index", "indices"):
            indices = _names(value)
        elif name not in _HEADER_PARAMS:
            raise IllegalArgument(f"key [{name}] is not supported in the metadata section")
        elif name in ("expand_wildcards", "routing"):
            params[name] = _names(value)
        else:
            params[name] = _flag(value)
    return client_search(indices, body or b"{}", params)


def _names(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else str(value).split(",")
    return tuple(str(each) for each in listed)


def _flag(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value
