"""`_validate/query`: whether a query can run on each of the local indices, and why not."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ApiError, RefusedUnderLimits, SearchPhaseExecution, TaskCancelled
from sealane.model.dsl import SearchBody
from sealane.model.task import Context
from sealane.query import check_query_body, parse_count_body, parse_search_body
from sealane.query.any_json import dumps
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.field_kinds import kinds_of
from sealane.rest.params import INDICES_OPTIONS, Parser, boolean
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import Services
from sealane.rest.url_query import URL_QUERY_PARAMS, refuse_lost_options, url_query
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.described import described
from sealane.search.java_errors import detailed

VALIDATE_PARAMS: dict[str, Parser] = {
    **INDICES_OPTIONS,
    **URL_QUERY_PARAMS,
    "all_shards": boolean,
    "explain": boolean,
    "rewrite": boolean,
}


def routes(services: Services, searches: SearchService) -> list[Route]:
    """`_validate/query`, with and without an index."""

    async def validate(request: Request) -> Response:
        params = request.params
        refuse_lost_options(params, request.path)
        explains = params.get("explain", False) or params.get("rewrite", False)
        found = services.indices.find(request.indices, options_of(params, STRICT))
        if params.get("rewrite", False) and any(
            each.limits and each.limits.queries for each in found
        ):
            raise RefusedUnderLimits(
                "Validate with rewrite isn't supported if document level security is enabled"
            )
        try:
            body = _body(request.body, params)
        except ApiError as error:
            shown: dict[str, Any] = {"valid": False}
            if explains:
                shown["error"] = detailed(error)
            return json_response(shown)
        explanations: list[dict[str, Any]] = []
        for index in found:
            own = not index.reached or index.name in index.reached
            names = (index.name,) if own else index.reached
            problem = await _problem(searches, names, body, request.ctx)
            told = (
                "" if problem is not None else described(body.query, kinds_of(index.whole_mapping))
            )
            shards = range(index.shards) if params.get("all_shards", False) else (None,)
            explanations += [_explanation(index.name, each, problem, told) for each in shards]
        answer: dict[str, Any] = {
            "_shards": {"total": len(explanations), "successful": len(explanations), "failed": 0},
            "valid": all(each["valid"] for each in explanations),
        }
        if explains:
            answer["explanations"] = explanations
        return json_response(answer)

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_validate/query", "/{index}/_validate/query"),
            handler=validate,
            action="indices:admin/validate/query",
            indices=path_indices,
            params=VALIDATE_PARAMS,
            body=True,
        )
    ]


def _body(raw: bytes, params: Mapping[str, Any]) -> SearchBody:
    """A search that matches what the query does and returns nothing."""
    query = parse_count_body(raw)
    if "q" in params:
        query = {"query": url_query(params)}
    else:
        check_query_body(raw)
    return parse_search_body(dumps({**query, "size": 0, "track_total_hits": False}))


async def _problem(
    searches: SearchService, names: tuple[str, ...], body: SearchBody, ctx: Context
) -> str | None:
    """What is wrong with the query on one index, by names that lead to it; None where it can run."""
    try:
        await searches.search(ClientSearch(expressions=names, body=body), ctx)
    except TaskCancelled:
        raise
    except SearchPhaseExecution as error:
        return detailed(error.root_causes[0] if error.root_causes else error)
    except ApiError as error:
        return detailed(error)
    return None


def _explanation(index: str, shard: int | None, problem: str | None, told: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": index}
    if shard is not None:
        shown["shard"] = shard
    shown["valid"] = problem is None
    if problem is None:
        shown["explanation"] = told
    else:
        shown["error"] = problem
    return shown
