"""`inner_hits` of a collapse: after a search, one more for each group, over the same clusters.

What is found goes into the hits. It leaves to the coordinator how a search is run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import orjson

from sealane.errors import ApiError, SearchPhaseExecution
from sealane.model.dsl import Collapse, GroupHits
from sealane.query import decode, parse_search_body
from sealane.reduce.partial import Hit, InnerHits
from sealane.search.client_search import ClientSearch
from sealane.search.fan_out import ask_all
from sealane.search.outcome import SearchOutcome

_CONCURRENT_GROUPS = 8
"""Searches for inner hits that run at a time where the request does not say."""

Search = Callable[[ClientSearch], Awaitable[SearchOutcome]]


def without_group_hits(request: ClientSearch) -> ClientSearch:
    """The search that comes first. It takes the round trips that the reference then does."""
    collapse = request.body.collapse
    assert collapse is not None
    body = replace(request.body, collapse=replace(collapse, inner_hits=()))
    return replace(request, body=body, minimize_roundtrips=False)


async def with_group_hits(
    request: ClientSearch, outcome: SearchOutcome, search: Search
) -> SearchOutcome:
    """The outcome with the inner hits that the request's collapse asks for. Its `took_ms` is left to the caller.

    Raises SearchPhaseExecution where one of the searches fails.
    """
    collapse = request.body.collapse
    hits = outcome.answer.hits
    if collapse is None or not collapse.inner_hits or not hits:
        return outcome
    asked = [(hit, wanted) for hit in hits for wanted in collapse.inner_hits]

    async def ask(each: tuple[Hit, GroupHits]) -> InnerHits:
        return await _find(request, collapse, each[0], each[1], search)

    try:
        found = await ask_all(ask, asked, at_a_time=collapse.max_concurrent or _CONCURRENT_GROUPS)
    except SearchPhaseExecution as error:
        raise _failed(error) from error
    inner: list[dict[str, InnerHits]] = [{} for _ in hits]
    for number, (_, wanted) in enumerate(asked):
        inner[number // len(collapse.inner_hits)][wanted.name] = found[number]
    expanded = [
        msgspec.structs.replace(hit, inner=each) for hit, each in zip(hits, inner, strict=True)
    ]
    answer = msgspec.structs.replace(outcome.answer, hits=expanded)
    return replace(outcome, answer=answer)


async def _find(
    request: ClientSearch, collapse: Collapse, hit: Hit, wanted: GroupHits, search: Search
) -> InnerHits:
    body = parse_search_body(_body(request.body.raw, collapse.field, hit, wanted))
    outcome = await search(replace(request, body=body, minimize_roundtrips=False))
    answer = outcome.answer
    return InnerHits(
        hits=answer.hits,
        total=answer.total,
        max_score=answer.max_score,
        sort_types=answer.sort_types,
        sort_formats=[key.format for key in body.sort],
    )


def _body(asked: bytes, field: str, hit: Hit, wanted: GroupHits) -> bytes:
    """A search for the documents of the hit's group that the client's query finds."""
    outer = decode(asked)
    query: dict[str, object] = {}
    if hit.group is None:
        query["must_not"] = [{"exists": {"field": field}}]
    else:
        query["filter"] = [{"match": {field: hit.group}}]
    if "query" in outer:
        query["must"] = [outer["query"]]
    body = {**decode(wanted.search), "query": {"bool": query}}
    for name in ("post_filter", "runtime_mappings", "pit"):
        if name in outer:
            body[name] = outer[name]
    inner = body.get("collapse")
    if inner is not None:
        body["collapse"] = {"field": inner["field"]}
    return orjson.dumps(body)


def _failed(cause: ApiError) -> SearchPhaseExecution:
    error = SearchPhaseExecution(
        "failed to expand hits", phase="expand", failed_shards=[], causes=[]
    )
    error.caused_by, error.status = cause, cause.status
    return error
