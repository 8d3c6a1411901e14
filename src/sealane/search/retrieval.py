"""Searches whose hits come from retrievers: the tree is turned into searches, and their ranked lists into one.

A retriever that is a search itself becomes that search. Those that fuse others ask each for its best documents, over
all clusters, fuse the lists here, and then fetch what the page shows by a last search.
"""

from dataclasses import replace
from typing import Any

import msgspec
import orjson

from sealane.model.dsl import (
    TRACK_NONE,
    LinearRetriever,
    PlainRetriever,
    RescorerRetriever,
    Retriever,
    RrfRetriever,
    ScoredDoc,
)
from sealane.query import decode, parse_search_body
from sealane.query.knn import scored_docs_json
from sealane.reduce.fusion import fuse, scored_doc
from sealane.reduce.partial import Hit
from sealane.search.client_search import ClientSearch
from sealane.search.fan_out import ask_all
from sealane.search.neighbours import SHARED, Search, stage_of, with_body
from sealane.search.outcome import SearchOutcome

_Json = dict[str, Any]


async def search_by_retriever(request: ClientSearch, search: Search, last: Search) -> SearchOutcome:
    """Runs a search with a retriever. `last` runs the search that answers, `search` those before it."""
    retriever = request.body.retriever
    assert retriever is not None
    outer = decode(request.body.raw)
    del outer["retriever"]
    run = _Run(request, outer, search)
    if isinstance(retriever, PlainRetriever):
        plain = parse_search_body(orjson.dumps({**outer, **await run.members_of(retriever, ())}))
        outcome = await last(replace(request, body=plain))
        return replace(outcome, body=outcome.body or plain)
    size = request.body.size if "size" in outer else _window(retriever)
    page = _Page(request, await run.ranked(retriever, (), _window(retriever)), size)
    query = run.all_matches(retriever, page.in_order())
    return page.ordered(await last(with_body(request, {**outer, "query": query, **page.window})))


def _window(retriever: Retriever) -> int:
    """How many documents a retriever that ranks ends with."""
    assert isinstance(retriever, RrfRetriever | LinearRetriever | RescorerRetriever)
    return retriever.window


class _Page:
    """The documents that the answer shows: they are known before they are fetched, and so is their order."""

    def __init__(self, request: ClientSearch, docs: list[ScoredDoc], size: int) -> None:
        body = request.body
        groups = body.collapse is not None
        self.docs = docs if groups else docs[body.from_ : body.from_ + size]
        self._best = docs[0].score if self.docs and size else None
        self.window = {"size": size} if groups else {"from": 0, "size": len(self.docs)}
        """What the last search is asked for: groups are found by it, and so it chooses their page."""

    def in_order(self) -> list[ScoredDoc]:
        """The documents with scores that say their places alone: those that were fused may be equal, or zero."""
        count = len(self.docs)
        return [replace(doc, score=float(count - at)) for at, doc in enumerate(self.docs)]

    def ordered(self, outcome: SearchOutcome) -> SearchOutcome:
        """The answer with the page alone, in its order and with its scores."""
        place = {(doc.index, doc.shard, doc.id): at for at, doc in enumerate(self.docs)}
        found: list[tuple[int, Hit]] = []
        for hit in outcome.answer.hits:
            at = place.get((hit.index, hit.shard, hit.id))
            if at is not None:
                found.append((at, _with_score(hit, self.docs[at].score)))
        hits = [hit for _, hit in sorted(found, key=lambda each: each[0])]
        answer = msgspec.structs.replace(outcome.answer, hits=hits, max_score=self._best)
        return replace(outcome, answer=answer)


def _with_score(hit: Hit, score: float) -> Hit:
    if hit.explanation is None:
        return msgspec.structs.replace(hit, score=score)
    told = {"value": score, "description": "score that the retriever fused", "details": []}
    return msgspec.structs.replace(hit, score=score, explanation=told)


class _Run:
    """One search's retrievers, asked. What each has found is kept: the last search counts it."""

    def __init__(self, request: ClientSearch, outer: _Json, search: Search) -> None:
        self._request = request
        self._search = search
        self._shared = {name: outer[name] for name in SHARED if name in outer}
        self._counts = bool(request.body.aggs) or request.body.track_total_hits != TRACK_NONE
        self._found: dict[int, list[ScoredDoc]] = {}

    async def ranked(
        self, retriever: Retriever, filters: tuple[bytes, ...], window: int
    ) -> list[ScoredDoc]:
        """The best documents of a retriever, at most `window`."""
        if isinstance(retriever, RrfRetriever | LinearRetriever):
            inside = (*filters, *retriever.filters)
            lists = await ask_all(
                lambda child: self.ranked(child, inside, retriever.window), retriever.children
            )
            docs = fuse(retriever, lists)[:window]
        else:
            members = await self.members_of(retriever, filters)
            asked = {
                **self._shared,
                **members,
                "size": window,
                "_source": False,
                "track_total_hits": False,
            }
            outcome = await self._search(stage_of(self._request, asked))
            docs = [scored_doc(hit) for hit in outcome.answer.hits]
        self._found[id(retriever)] = docs
        return docs

    async def members_of(self, retriever: Retriever, filters: tuple[bytes, ...]) -> _Json:
        """The members of a search body that find what a retriever finds which fuses nothing."""
        inside = (*filters, *retriever.filters)
        if isinstance(retriever, PlainRetriever):
            return _filtered(decode(retriever.search), inside)
        assert isinstance(retriever, RescorerRetriever)
        inner = retriever.inner
        if isinstance(inner, RrfRetriever | LinearRetriever):
            docs = await self.ranked(inner, inside, inner.window)
            members: _Json = {"query": scored_docs_json(docs)}
        else:
            members = await self.members_of(inner, inside)
        members["rescore"] = decode(retriever.rescore)
        if retriever.min_score is not None:
            members["min_score"] = retriever.min_score
        return members

    def all_matches(self, retriever: Retriever, page: list[ScoredDoc]) -> _Json:
        """A query for the page's documents by their scores, and for what the retrievers found beside: of score 0."""
        best = scored_docs_json(page)
        others = self._matches(retriever, ()) if self._counts else []
        if not others:
            return best
        counted = {"bool": {"filter": [{"bool": {"should": others}}]}}
        return {"bool": {"should": [best, counted]}}

    def _matches(self, retriever: Retriever, filters: tuple[bytes, ...]) -> list[_Json]:
        inside = (*filters, *retriever.filters)
        if isinstance(retriever, RrfRetriever | LinearRetriever):
            return [each for child in retriever.children for each in self._matches(child, inside)]
        if isinstance(retriever, PlainRetriever):
            members = _filtered(decode(retriever.search), inside)
            if "knn" not in members:
                return [members.get("query", {"match_all": {}})]
        if isinstance(retriever, RescorerRetriever):
            return self._matches(retriever.inner, inside)
        return [scored_docs_json(self._found[id(retriever)])]


def _filtered(members: _Json, filters: tuple[bytes, ...]) -> _Json:
    """A body's members, limited to what the filters match too."""
    if not filters:
        return members
    queries = [decode(each) for each in filters]
    if "knn" in members:
        members["knn"] = {**members["knn"], "filter": queries}
    else:
        wanted = {"must": [members["query"]]} if "query" in members else {}
        members["query"] = {"bool": {**wanted, "filter": queries}}
    return members
