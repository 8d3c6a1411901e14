"""`_explain`: whether one document matches a query, and how it comes by its score."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ActionRequestValidation, SearchPhaseExecution
from sealane.query import check_query_body, parse_count_body, parse_search_body
from sealane.query.any_json import dumps
from sealane.query.source import filter_source
from sealane.rest.params import Parser, names, string
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, path_indices
from sealane.rest.search_response import render_explanation
from sealane.rest.services import Services
from sealane.rest.source_filter import source_filter_of_params
from sealane.rest.url_query import URL_QUERY_PARAMS, refuse_lost_options, url_query
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService

EXPLAIN_PARAMS: dict[str, Parser] = {
    **URL_QUERY_PARAMS,
    "_source": string,
    "_source_excludes": names,
    "_source_includes": names,
    "preference": string,
    "routing": string,
    "stored_fields": names,
}
_NO_MATCH = {"value": 0.0, "description": "no matching term", "details": []}


def routes(services: Services, searches: SearchService) -> list[Route]:
    """`/{index}/_explain/{id}`."""

    async def explain(request: Request) -> Response:
        params = request.params
        refuse_lost_options(params, request.path)
        query = _query(request.body, params)
        doc_id, routing = request.path_params["id"], params.get("routing")
        name, document = await services.documents.get(
            request.index, doc_id, routing=routing, realtime=False, ctx=request.ctx
        )
        shown: dict[str, Any] = {"_index": name, "_id": doc_id, "matched": False}
        if document is None:
            return Response(dumps(shown), 404)
        found = await _search(searches, query, doc_id, request)
        explanation = found.get("explanation", _NO_MATCH)
        shown["matched"] = bool(found)
        shown["explanation"] = render_explanation(explanation)
        source = source_filter_of_params(params)
        if source is None:
            return Response(dumps(shown))
        got = {"_seq_no": document.seq_no, "_primary_term": document.primary_term, "found": True}
        head, tail = dumps(shown)[:-1], dumps(got)[:-1]
        kept = filter_source(document.source, (source,)) if source.enabled else b""
        end = b',"_source":' + kept + b"}}" if source.enabled else b"}}"
        return Response(head + b',"get":' + tail + end)

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/{index}/_explain/{id}",),
            handler=explain,
            action="indices:data/read/explain",
            indices=path_indices,
            params=EXPLAIN_PARAMS,
            body=True,
            check=lambda request: _query(request.body, request.params),
        )
    ]


def _query(raw: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
    """The query as JSON. Raises ActionRequestValidation where there is none."""
    members = parse_count_body(raw)
    if "q" in params:
        return url_query(params)
    check_query_body(raw)
    if "query" not in members:
        raise ActionRequestValidation(["query is missing"])
    query: dict[str, Any] = members["query"]
    return query


async def _search(
    searches: SearchService, query: dict[str, Any], doc_id: str, request: Request
) -> dict[str, Any]:
    """What a search says of the document under the query: empty where it does not match."""
    body = {
        "query": query,
        "post_filter": {"ids": {"values": [doc_id]}},
        "explain": True,
        "size": 1,
        "_source": False,
    }
    # By the name that was given: it may be an alias with a filter, or all that whoever asks may use.
    wanted = ClientSearch(expressions=(request.index,), body=parse_search_body(dumps(body)))
    try:
        outcome = await searches.search(wanted, request.ctx)
    except SearchPhaseExecution as error:
        raise error.root_causes[0] if error.root_causes else error from None
    hits = outcome.answer.hits
    if not hits:
        return {}
    return {"explanation": hits[0].explanation or {"value": hits[0].score, "details": []}}
