"""All distinct values of a column under a query, with their document counts, however many there are."""

from collections import Counter
from typing import TYPE_CHECKING

import tantivy

from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.late import all_values, best_by
from sealane.engine.embedded.search.scope import all_of

if TYPE_CHECKING:
    from sealane.engine.embedded.search.aggs.run import Run


def distinct_counts(
    query: tantivy.Query, column: Column, run: "Run"
) -> "dict[str | int | float, int]":
    """Documents by value; `missing` counts for those without one."""
    counts: dict[str | int | float, int]
    if column.name is None:
        counts = {}
    elif column.is_text:
        searcher = run.scope.state.view.searcher
        counts = dict(searcher.terms_with_prefix(column.name, "", query))
    elif run.scope.state.column(column.name).single_valued:
        counts = _of_single(query, column.name, run)
    else:
        counts = _of_many(query, column.name, run)
    if column.missing is not None:
        lacking = run.scope.state.count(all_of(query, column.lacking()))
        if lacking:
            counts[column.missing] = counts.get(column.missing, 0) + lacking
    return counts


def _of_single(query: tantivy.Query, name: str, run: "Run") -> "dict[str | int | float, int]":
    total = run.scope.state.count(query)
    if total == 0:
        return {}
    run.check()
    hits = best_by(run.scope.state, query, name, True, total)
    return dict(Counter(value for value, _ in hits if value is not None))


def _of_many(query: tantivy.Query, name: str, run: "Run") -> "dict[str | int | float, int]":
    total = run.scope.state.count(query)
    if total == 0:
        return {}
    run.check()
    counts: Counter[str | int | float] = Counter()
    for values in all_values(run.scope.state, query, name, total):
        counts.update({each for each in values if each is not None})
    return dict(counts)
