"""`_search`, `_count` and `_cat/count`: from a request to the search service and back to JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from sealane.query import check_query_body, parse_count_body
from sealane.rest.cat_count import count_route
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.search_params import (
    COUNT_PARAMS,
    SEARCH_PARAMS,
    UNSUGGESTED,
    client_search,
)
from sealane.rest.search_response import render_clusters, render_search, render_shards
from sealane.rest.url_query import check_url_query
from sealane.search.aside import aside
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.expression import names_of
from sealane.search.pit import targets_of

SEARCH_ACTION = "indices:data/read/search"


def routes(service: SearchService) -> list[Route]:
    """`_search` and `_count`, with and without an index."""

    async def search(request: Request) -> Response:
        params, wanted = request.params, read_search(request)
        outcome = await service.search(wanted, request.ctx)

        def shown() -> Response:
            return json_response(
                render_search(
                    outcome,
                    wanted.body,
                    typed_keys=params.get("typed_keys", False),
                    total_as_int=params.get("rest_total_hits_as_int", False),
                )
            )

        return await aside(shown, [outcome.answer])

    async def count(request: Request) -> Response:
        wanted = _read_count(request)
        outcome = await service.search(wanted, request.ctx)
        answer = outcome.answer
        shown: dict[str, Any] = {"count": answer.total.value if answer.total is not None else 0}
        if answer.terminated_early is not None:
            shown["terminated_early"] = answer.terminated_early
        shown["_shards"] = render_shards(answer.shards, answer.failures)
        if outcome.clusters is not None:
            # Ours: without it a skipped cluster is a silent undercount.
            shown["_clusters"] = render_clusters(outcome.clusters)
        return json_response(shown)

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_search", "/{index}/_search"),
            handler=search,
            action=SEARCH_ACTION,
            indices=searched_indices,
            params=SEARCH_PARAMS,
            unsuggested=UNSUGGESTED,
            body=True,
            check=read_search,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/_count", "/{index}/_count"),
            handler=count,
            action=SEARCH_ACTION,
            indices=path_indices,
            params=COUNT_PARAMS,
            body=True,
            check=_read_count,
        ),
        count_route(service),
    ]


def searched_indices(request: Request) -> Sequence[str]:
    """The names that a search is about: those in the path or, for a point in time, in its id."""
    if request.index or b'"pit"' not in request.body:
        return path_indices(request)
    pit = read_search(request).body.pit
    return path_indices(request) if pit is None else names_of(targets_of(pit))


def read_search(request: Request) -> ClientSearch:
    """Raises what is wrong with its parameters and its body."""
    check_url_query(request.params, request.path)
    return client_search(request.indices, request.body, request.params)


def _read_count(request: Request) -> ClientSearch:
    """The same."""
    check_url_query(request.params, request.path)
    body = _count_body(request.body, request.params)
    return client_search(request.indices, body, request.params)


def _count_body(raw: bytes, params: Mapping[str, Any]) -> bytes:
    """A search of size 0 that counts exactly. Raises ParsingError for anything but a query."""
    query = parse_count_body(raw)
    check_query_body(raw)
    folded = {**query, "size": 0, "track_total_hits": True}
    if "min_score" in params:
        folded["min_score"] = params["min_score"]
    return orjson.dumps(folded)
