"""Scores that tantivy cannot compute: of documents that are already known to match, in numpy.

A `Compiled` may carry a `scorer`. Its `query` then still tells, exactly, which documents match (so totals, filters and
aggregations need nothing of this module), but its tantivy scores mean nothing: the scores are the scorer's. The usual
path, a query without any such node, has `scorer` None and costs what it did.

What others use:

- `docs_of(query, scope) -> Docs`: the documents of a tantivy query that may be seen, ascending by key (`_seq_no`). Only
  these are computed with: an error would quote the value of one that is hidden. `every_doc_of` has those too.
- `scores_of(compiled, docs, scope) -> Floats`: the score of each of `docs` under a compiled query, of whichever kind;
  NaN for a document that it does not match.
- `matches_of(query, docs, scope) -> Flags`: which of `docs` a tantivy query matches.
- `exactly(keys, scores, scope) -> Compiled`: a query that matches exactly the documents with these keys, with these
  scores (in any order; a key once). It may be a clause of any other query.
- `Scorer`: the base of a scorer of one's own; combine.py puts clauses together: bool, dis_max.

Scores are 32-bit floats. Where the reference adds or multiplies in doubles, so do we, and round once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tantivy
from tantivy import DocAddress, Order

from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, both, constant
from sealane.engine.embedded.view import SEQ_NO

Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# Where a query is asked about a greater share of all documents than this, it is not restricted to them.
WIDE_SHARE = 0.25


class Scorer:
    """Scores documents. Immutable: compiled plans are shared between threads."""

    __slots__ = ()

    def scores(self, docs: "Docs") -> Floats:
        """One score for each of `docs`, NaN where the scorer's query does not match."""
        raise NotImplementedError

    def boosted(self, boost: float) -> "Scorer":
        """With the boost of the query around it."""
        return BoostedScorer(self, boost)


@dataclass(slots=True)
class Docs:
    """Documents of one view, ascending by key. `places` are their addresses: segment << 32 | number."""

    keys: Keys
    places: Keys
    _addresses: list[DocAddress] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def addresses(self) -> list[DocAddress]:
        if self._addresses is None:
            self._addresses = [
                DocAddress(at >> 32, at & 0xFFFF_FFFF) for at in self.places.tolist()
            ]
        return self._addresses

    def where(self, flags: Flags) -> "Docs":
        return Docs(self.keys[flags], self.places[flags])

    def query(self, scope: Scope) -> tantivy.Query:
        """Matches exactly these documents."""
        return tantivy.Query.term_set_query(scope.schema, SEQ_NO, self.keys.tolist())


def place_of(address: DocAddress) -> int:
    return address.segment_ord << 32 | address.doc


def docs_of(query: tantivy.Query, scope: Scope) -> Docs:
    return every_doc_of(query if scope.visible is None else both(query, scope.visible), scope)


def every_doc_of(query: tantivy.Query, scope: Scope) -> Docs:
    """Hidden ones too: for finding the way from what may be seen to what holds it."""
    total = scope.state.count(query)
    if total == 0:
        return Docs(np.empty(0, np.int64), np.empty(0, np.int64))
    searcher = scope.state.view.searcher
    hits = searcher.search(query, total, False, SEQ_NO, 0, Order.Asc).hits
    addresses = [address for _, address in hits]
    keys = np.array([key for key, _ in hits], np.int64)
    return Docs(keys, np.array([place_of(each) for each in addresses], np.int64), addresses)


def scores_of(compiled: Compiled, docs: Docs, scope: Scope) -> Floats:
    """The score of each of `docs`, NaN where it is not matched."""
    if compiled.scorer is not None:
        return compiled.scorer.scores(docs)
    if compiled.constant is not None:
        found = matches_of(compiled.query, docs, scope)
        return np.where(found, np.float32(compiled.constant), np.float32(np.nan))
    at, scores = _looked_up(compiled.query, docs, scope)
    result = np.full(len(docs), np.nan, np.float32)
    result[at] = scores
    return result


def matches_of(query: tantivy.Query, docs: Docs, scope: Scope) -> Flags:
    at, _ = _looked_up(query, docs, scope)
    result = np.zeros(len(docs), np.bool_)
    result[at] = True
    return result


def _looked_up(query: tantivy.Query, docs: Docs, scope: Scope) -> tuple[Keys, Floats]:
    """Which of `docs` match, by their positions, and tantivy's scores of those."""
    empty = np.empty(0, np.int64), np.empty(0, np.float32)
    if not len(docs):
        return empty
    state = scope.state
    wide = len(docs) > state.num_docs * WIDE_SHARE
    asked = query if wide else both(query, docs.query(scope))
    hits = state.view.searcher.search(asked, state.num_docs if wide else len(docs), False).hits
    if not hits:
        return empty
    places = np.array([place_of(address) for _, address in hits], np.int64)
    order = np.argsort(docs.places)
    sorted_places = docs.places[order]
    at = np.minimum(np.searchsorted(sorted_places, places), len(docs) - 1)
    inside = sorted_places[at] == places
    scores = np.array([score for score, _ in hits], np.float32)
    return order[at[inside]], scores[inside]


# -- documents with scores that are known ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownScores(Scorer):
    """Scores by key, ascending by it."""

    keys: Keys
    known: Floats

    def scores(self, docs: Docs) -> Floats:
        result = np.full(len(docs), np.nan, np.float32)
        if len(self.keys) and len(docs):
            at = np.minimum(np.searchsorted(self.keys, docs.keys), len(self.keys) - 1)
            found = self.keys[at] == docs.keys
            result[found] = self.known[at[found]]
        return result


def exactly(keys: Sequence[int] | Keys, scores: Sequence[float] | Floats, scope: Scope) -> Compiled:
    """A query that matches the documents with these keys, and scores each as told."""
    numbers, floats = np.asarray(keys, np.int64), np.asarray(scores, np.float32)
    if not len(numbers):
        return NOTHING
    order = np.argsort(numbers)
    numbers, floats = numbers[order], floats[order]
    query = tantivy.Query.term_set_query(scope.schema, SEQ_NO, numbers.tolist())
    if (floats == floats[0]).all():
        return constant(query, float(floats[0]))
    return Compiled(query, None, scorer=KnownScores(numbers, floats))


# -- combinations ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoostedScorer(Scorer):
    inner: Scorer
    boost: float

    def scores(self, docs: Docs) -> Floats:
        return self.inner.scores(docs) * np.float32(self.boost)


@dataclass(frozen=True, slots=True)
class SumScorer(Scorer):
    """The clauses of a bool: what must match, and what should. `scores` are for documents the bool matches."""

    must: tuple[Compiled, ...]
    should: tuple[Compiled, ...]
    scope: Scope

    def scores(self, docs: Docs) -> Floats:
        required = self._total(self.must, docs).astype(np.float32)
        if not self.should:
            return required
        return required + self._total(self.should, docs).astype(np.float32)

    def _total(self, clauses: tuple[Compiled, ...], docs: Docs) -> Doubles:
        total = np.zeros(len(docs), np.float64)
        for each in clauses:
            total += np.nan_to_num(scores_of(each, docs, self.scope), nan=0.0, posinf=np.inf)
        return total


@dataclass(frozen=True, slots=True)
class BestScorer(Scorer):
    """The best score, and `tie_breaker` of the others."""

    clauses: tuple[Compiled, ...]
    tie_breaker: float
    scope: Scope

    def scores(self, docs: Docs) -> Floats:
        found = [scores_of(each, docs, self.scope).astype(np.float64) for each in self.clauses]
        table = np.nan_to_num(np.stack(found), nan=0.0, posinf=np.inf)
        best = table.max(axis=0)
        others = table.sum(axis=0) - best
        scores: Floats = (best + others * np.float32(self.tie_breaker)).astype(np.float32)
        return scores


@dataclass(frozen=True, slots=True)
class MatchedOnly(Scorer):
    """A scorer whose query matches fewer documents than it scores: the others have no score."""

    inner: Scorer
    query: tantivy.Query
    scope: Scope

    def scores(self, docs: Docs) -> Floats:
        found = matches_of(self.query, docs, self.scope)
        result = np.full(len(docs), np.nan, np.float32)
        if found.any():
            result[found] = self.inner.scores(docs.where(found))
        return result


# -- the query phase ---------------------------------------------------------------------------------------------


def best_rows(compiled: Compiled, limit: int, scope: Scope) -> list[Row]:
    """The rows of the best scores, ties in document order."""
    if limit <= 0:
        return []
    docs = docs_of(compiled.query, scope)
    scores = scores_of(compiled, docs, scope)
    order = np.argsort(-scores, kind="stable")[:limit]
    addresses = docs.addresses
    return [Row([], addresses[at], int(docs.keys[at]), float(scores[at])) for at in order.tolist()]


def docs_of_rows(rows: Sequence[Row]) -> Docs:
    """Of rows that are ascending by their numbers."""
    places = [place_of(row.address) for row in rows]
    return Docs(np.array([row.seq_no for row in rows], np.int64), np.array(places, np.int64))


def row_scores(compiled: Compiled, rows: list[Row], scope: Scope) -> list[float]:
    """The scores of rows that match."""
    if not rows:
        return []
    keys = scope.state.view.searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
    places = np.array([place_of(row.address) for row in rows], np.int64)
    numbers = np.array(keys, np.int64)
    order = np.argsort(numbers)
    found = scores_of(compiled, Docs(numbers[order], places[order]), scope)
    scores = np.empty(len(rows), np.float32)
    scores[order] = found
    return [float(each) for each in scores]


def best_score(compiled: Compiled, scope: Scope) -> float | None:
    docs = docs_of(compiled.query, scope)
    if not len(docs):
        return None
    return float(np.nanmax(scores_of(compiled, docs, scope)))


def at_least(compiled: Compiled, least: float, scope: Scope) -> Compiled:
    """Only the documents that score as much; compared as the reference does, in 32 bits."""
    docs = docs_of(compiled.query, scope)
    kept = docs.where(scores_of(compiled, docs, scope) >= np.float32(least))
    if not len(kept):
        return NOTHING
    return Compiled(both(compiled.query, kept.query(scope)), None, scorer=compiled.scorer)
