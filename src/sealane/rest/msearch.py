"""`_msearch`: several searches in one request, each with its own answer and its own failure."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument, TaskCancelled
from sealane.model.access import acting
from sealane.model.task import Context
from sealane.rest.msearch_items import read_items
from sealane.rest.params import INDICES_OPTIONS, Parser, boolean, integer
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.search_params import SEARCH_PARAMS, unvalidated_search
from sealane.rest.search_response import render_search
from sealane.rest.search_rules import problems_of
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.fan_out import ask_all

CONCURRENT = 8
"""Searches of one request that run at a time unless it says otherwise."""


def _positive(name: str, text: str) -> int:
    value: int = integer(name, text)
    if value < 1:
        raise IllegalArgument("maxConcurrentSearchRequests must be positive")
    return value


SEARCH = "indices:data/read/search"
"""What each item is judged by."""

MSEARCH_PARAMS: dict[str, Parser] = {
    **INDICES_OPTIONS,
    "ccs_minimize_roundtrips": boolean,
    "max_concurrent_searches": _positive,
    "max_concurrent_shard_requests": SEARCH_PARAMS["max_concurrent_shard_requests"],
    "pre_filter_shard_size": SEARCH_PARAMS["pre_filter_shard_size"],
    "rest_total_hits_as_int": boolean,
    "search_type": SEARCH_PARAMS["search_type"],
    "typed_keys": boolean,
}


def routes(service: SearchService) -> list[Route]:
    """`_msearch`, with and without an index for the items that name none."""

    async def msearch(request: Request) -> Response:
        params, wanted = request.params, _read_searches(request)
        started = asyncio.get_running_loop().time()
        responses = await ask_all(
            lambda each: answer_item(service, each, request.ctx, params),
            wanted,
            at_a_time=params.get("max_concurrent_searches", CONCURRENT),
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
            check=_read_searches,
        )
    ]


def _read_searches(request: Request) -> list[ClientSearch]:
    """Raises what is wrong with any of them."""
    items = list(read_items(request))
    wanted = [unvalidated_search(each.indices, each.body, each.params) for each in items]
    problems = [
        problem
        for search, each in zip(wanted, items, strict=True)
        for problem in problems_of(search, each.params)
    ]
    if problems:
        raise ActionRequestValidation(problems)
    return wanted


async def answer_item(
    service: SearchService, wanted: ClientSearch, ctx: Context, params: Mapping[str, Any]
) -> dict[str, Any]:
    """What stands in `responses` for one search; its failure is its own. `params` are the request's."""
    try:
        with acting(SEARCH):
            outcome = await service.search(wanted, ctx)
    except TaskCancelled:
        raise
    except ApiError as error:
        return error.to_body()
    shown = render_search(
        outcome,
        wanted.body,
        typed_keys=params.get("typed_keys", False),
        total_as_int=params.get("rest_total_hits_as_int", False),
    )
    return {**shown, "status": 200}
