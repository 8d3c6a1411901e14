"""The query phase of one shard: which documents match, how many, in which order."""

from dataclasses import dataclass, field

import tantivy

from sealane.engine.embedded.search.equal_scores import (
    leads_with_equal_scores,
    rank_beside_score,
)
from sealane.engine.embedded.search.rank import Ranker, Row
from sealane.engine.embedded.search.rescore import Rescorer
from sealane.engine.embedded.search.scope import EVERYTHING, Compiled, Scope, both
from sealane.engine.embedded.search.sorting import SortKey
from sealane.engine.embedded.search.state import count_of
from sealane.engine.embedded.search.table import needs_table, table
from sealane.engine.embedded.view import SEQ_NO
from sealane.model import dsl
from sealane.reduce.partial import SortValue, TotalHits

# How far ties of scores are followed beyond the page, to put them into document order, where segments are not in it.
MAX_TIES = 1_000
# How many more of the first documents are looked at than should do, to find all that a page wants of them.
FIRST_FACTOR = 1.3
FIRST_MARGIN = 20


@dataclass(slots=True)
class Plan:
    """A compiled search. `hits` is the query of the hits, `aggs` that of the aggregations (no post filter).

    `total` is kept once it is known: a view never changes.
    """

    hits: Compiled
    aggs: tantivy.Query
    keys: list[SortKey]
    after: list[SortValue] | None
    scope: Scope
    named: list[tuple[str, tantivy.Query]] = field(default_factory=list)
    total: int | None = None
    early: int | None = None
    """How many documents were looked at when terminate_after ended the search."""
    group: SortKey | None = None
    """The column that the search collapses by."""
    rescorers: tuple[Rescorer, ...] = ()

    @property
    def by_score(self) -> bool:
        return not self.keys or (
            len(self.keys) == 1 and self.keys[0].is_score and self.keys[0].descending
        )


def collect(plan: Plan, limit: int, *, track_scores: bool) -> tuple[list[Row], float | None]:
    """The best rows and the best score of all matches, where scores matter."""
    if plan.scope.state.num_docs == 0:
        return [], None
    # tantivy reserves room for as many as it is asked for, and ends the process where there is not enough.
    limit = min(limit, plan.scope.state.num_docs)
    if plan.by_score and plan.after is None:
        rows = _by_score(plan, limit)
        return rows, rows[0].score if rows else None
    rows = _by_keys(plan, limit)
    if track_scores or any(key.is_score for key in plan.keys):
        _add_scores(plan, rows)
    return rows, _best_score(plan) if track_scores else None


def _by_keys(plan: Plan, limit: int) -> list[Row]:
    if leads_with_equal_scores(plan):
        return rank_beside_score(plan, limit, _by_keys)
    query, scope = plan.hits.query, plan.scope
    if any(needs_table(key, scope) for key in plan.keys):
        return table(plan.hits, plan.keys, limit, plan.after, scope)
    if plan.after is None and len(plan.keys) == 1 and plan.hits.span is not None:
        known = Ranker(scope).within(plan.hits.span, plan.keys[0], limit)
        if known is not None:
            return known
    share = total_of(plan) / scope.state.num_docs if plan.after is None else 0.0
    return Ranker(scope, share).rank(query, plan.keys, limit, plan.after)


def _by_score(plan: Plan, limit: int) -> list[Row]:
    query, scope = plan.hits.query, plan.scope
    if limit <= 0:
        return []
    if plan.hits.scorer is not None:
        from sealane.engine.embedded.search.scored import best_rows

        return best_rows(plan.hits, limit, scope)
    searcher = scope.state.view.searcher
    if plan.hits.constant is not None:
        return _in_document_order(plan, plan.hits.constant, limit)
    if scope.state.in_order:
        result = searcher.search(query, limit, plan.total is None)
        _note_total(plan, result)
        return [Row([], address, score=score) for score, address in result.hits]
    result = searcher.search(query, limit + 1, plan.total is None)
    _note_total(plan, result)
    hits = result.hits
    if len(hits) > limit and hits[limit][0] == hits[limit - 1][0]:
        hits = searcher.search(query, limit + MAX_TIES, False).hits
    return _ordered_ties(hits, limit, scope)


def _in_document_order(plan: Plan, score: float, limit: int) -> list[Row]:
    """Where all scores are equal, the first documents are the best."""
    scope, query = plan.scope, plan.hits.query
    searcher = scope.state.view.searcher
    if plan.total is None and query is not EVERYTHING.query:
        result = searcher.search(query, limit, True, SEQ_NO, 0, tantivy.Order.Asc)
        _note_total(plan, result)
        found = result.hits
    else:
        found = _among_first(plan, limit)
        if len(found) < min(limit, total_of(plan)):
            found = searcher.search(query, limit, False, SEQ_NO, 0, tantivy.Order.Asc).hits
    return [Row([], address, int(number or 0), score) for number, address in found]


def _among_first(
    plan: Plan, limit: int
) -> "list[tuple[int | float | bool | None, tantivy.DocAddress]]":
    """The first matches, if they are about where an even spread would have them: to look there costs much less."""
    scope, total = plan.scope, total_of(plan)
    numbers = scope.state.column(SEQ_NO)
    if total == 0 or numbers.min is None or numbers.max is None:
        return []
    width = (numbers.max - numbers.min + 1) * (limit + FIRST_MARGIN) * FIRST_FACTOR / total
    if width * FIRST_FACTOR > numbers.max - numbers.min:
        return []
    kind = tantivy.FieldType.Integer
    edge = int(numbers.min + width)
    first = tantivy.Query.range_query(scope.schema, SEQ_NO, kind, None, edge, True, True, False)
    found = scope.state.view.searcher.search(
        both(plan.hits.query, first), limit, False, SEQ_NO, 0, tantivy.Order.Asc
    ).hits
    return list(found)


def _note_total(plan: Plan, result: tantivy.SearchResult) -> None:
    if plan.total is None:
        plan.total = count_of(result)


def _ordered_ties(
    hits: list[tuple[float, tantivy.DocAddress]], limit: int, scope: Scope
) -> list[Row]:
    scores = [score for score, _ in hits]
    if len(set(scores)) == len(scores):
        return [Row([], address, score=score) for score, address in hits[:limit]]
    seq_nos = scope.state.view.searcher.fast_field_values(SEQ_NO, [at for _, at in hits])
    rows = [
        Row([], address, int(seq_no or 0), score)
        for (score, address), seq_no in zip(hits, seq_nos, strict=True)
    ]
    rows.sort(key=lambda row: (-(row.score or 0.0), row.seq_no))
    return rows[:limit]


def _add_scores(plan: Plan, rows: list[Row]) -> None:
    if not rows:
        return
    if plan.hits.constant is not None:
        for row in rows:
            row.score = plan.hits.constant
        return
    if plan.hits.scorer is not None:
        from sealane.engine.embedded.search.scored import row_scores

        for row, score in zip(rows, row_scores(plan.hits, rows, plan.scope), strict=True):
            row.score = score
        return
    searcher = plan.scope.state.view.searcher
    numbers = searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
    chosen = tantivy.Query.term_set_query(plan.scope.schema, SEQ_NO, numbers)
    hits = searcher.search(both(plan.hits.query, chosen), len(rows), False).hits
    scores = {(at.segment_ord, at.doc): score for score, at in hits}
    for row in rows:
        row.score = scores.get((row.address.segment_ord, row.address.doc))


def _best_score(plan: Plan) -> float | None:
    if plan.hits.constant is not None:
        return plan.hits.constant if total_of(plan) else None
    if plan.hits.scorer is not None:
        from sealane.engine.embedded.search.scored import best_score

        return best_score(plan.hits, plan.scope)
    hits = plan.scope.state.view.searcher.search(plan.hits.query, 1, False).hits
    return hits[0][0] if hits else None


def total_of(plan: Plan) -> int:
    """How many documents the hits' query matches."""
    if plan.total is None:
        if plan.hits.query is EVERYTHING.query:
            plan.total = plan.scope.state.num_docs
        else:
            plan.total = plan.scope.state.count(plan.hits.query)
    return plan.total


def tracked(total: int, limit: int) -> TotalHits | None:
    """The total as far as the request wants it counted."""
    if limit == dsl.TRACK_NONE:
        return None
    if total > limit:
        return TotalHits(limit, False)
    return TotalHits(total)


def restricted(query: tantivy.Query, seq_nos: list[int], scope: Scope) -> tantivy.Query:
    """`query` on the documents with these numbers alone."""
    if not seq_nos:
        return tantivy.Query.empty_query()
    return both(query, tantivy.Query.term_set_query(scope.schema, SEQ_NO, seq_nos))
