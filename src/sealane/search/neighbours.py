"""The `knn` section of a search: the nearest documents over all shards of all clusters, found before the query runs.

Each clause is a search of its own; the search that follows looks for what these have found, beside its own query.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson

from sealane.errors import SearchPhaseExecution
from sealane.model.dsl import Knn, ScoredDoc
from sealane.query import decode, parse_search_body
from sealane.query.knn import scored_docs_json
from sealane.reduce.fusion import scored_doc
from sealane.search.client_search import ClientSearch
from sealane.search.fan_out import ask_all
from sealane.search.outcome import SearchOutcome

Search = Callable[[ClientSearch], Awaitable[SearchOutcome]]
SHARED = ("pit", "timeout", "runtime_mappings")
"""Members of a body that hold for all the searches it takes."""


async def with_neighbours(request: ClientSearch, search: Search) -> ClientSearch:
    """The request with what its `knn` clauses found in place of them. Raises SearchPhaseExecution."""
    body = decode(request.body.raw)
    section = body.pop("knn")
    written = [section] if isinstance(section, dict) else section

    async def ask(number: int) -> list[ScoredDoc]:
        return await _nearest(request, body, written[number], request.body.knn[number], search)

    try:
        found = await ask_all(ask, range(len(written)))
    except SearchPhaseExecution as error:
        error.metadata["phase"] = "dfs"
        raise
    queries: list[Any] = [body["query"]] if "query" in body else []
    for clause, docs in zip(request.body.knn, found, strict=True):
        queries.append(scored_docs_json(docs, clause.name))
    body["query"] = queries[0] if len(queries) == 1 else {"bool": {"should": queries}}
    return with_body(request, body)


async def _nearest(
    request: ClientSearch,
    body: dict[str, Any],
    written: dict[str, Any],
    clause: Knn,
    search: Search,
) -> list[ScoredDoc]:
    query = {name: value for name, value in written.items() if name != "inner_hits"}
    asked = {
        **{name: body[name] for name in SHARED if name in body},
        "query": {"knn": {**query, "k": clause.k}},
        "size": clause.k,
        "_source": False,
        "track_total_hits": False,
    }
    outcome = await search(stage_of(request, asked))
    return [scored_doc(hit) for hit in outcome.answer.hits]


def with_body(request: ClientSearch, body: dict[str, Any]) -> ClientSearch:
    """The request with another body, in the mode of execution that searches of several stages have."""
    return replace(request, body=parse_search_body(orjson.dumps(body)), minimize_roundtrips=False)


def stage_of(request: ClientSearch, body: dict[str, Any]) -> ClientSearch:
    """A search before the one that answers: it leaves no scroll behind."""
    return replace(with_body(request, body), scroll_ms=None)
