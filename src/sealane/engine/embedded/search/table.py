"""Sorting by values that no column holds as such: one of several values, their sum or average, the score.

Every matching document becomes a row with all its values, and the rows are sorted. Costs a few microseconds for each
match, where `rank` touches only the best.
"""

from collections.abc import Sequence
from statistics import median

from tantivy import Order

from sealane.engine.embedded.search.late import all_values
from sealane.engine.embedded.search.rank import Ranker, Row, sort_rows
from sealane.engine.embedded.search.scope import Compiled, Scope
from sealane.engine.embedded.search.sort_numbers import signed, single
from sealane.engine.embedded.search.sorting import SortKey
from sealane.engine.embedded.view import SEQ_NO
from sealane.reduce.partial import SortValue


def needs_table(key: SortKey, scope: Scope) -> bool:
    """Whether a key's value may be another than the first of its column."""
    if key.is_score or key.reader is not None:
        return True
    return key.column is not None and not scope.state.column(key.column).single_valued


def table(
    query: Compiled,
    keys: list[SortKey],
    limit: int,
    after: list[SortValue] | None,
    scope: Scope,
) -> list[Row]:
    """At most `limit` rows in their order, strictly after `after`."""
    searcher = scope.state.view.searcher
    total = scope.state.count(query.query)
    if total == 0 or limit <= 0:
        return []
    hits = searcher.search(query.query, total, False, SEQ_NO, 0, Order.Asc).hits
    rows = [Row([], address, seq_no) for seq_no, address in hits]
    for key in keys:
        for row, value in zip(rows, column_values(query, key, rows, scope), strict=True):
            row.values.append(value)
    if after is not None:
        rows = [row for row in rows if _is_after(row, keys, after)]
    return sort_rows(rows, keys)[:limit]


def _is_after(row: Row, keys: list[SortKey], after: list[SortValue]) -> bool:
    for key, value, edge in zip(keys, row.values, after, strict=True):
        place = key.compare(value, edge)
        if place:
            return place > 0
    return False


def column_values(
    query: Compiled, key: SortKey, rows: list[Row], scope: Scope
) -> Sequence[SortValue]:
    """The value of a key for each row. The rows are all that `query` matches, in document order."""
    searcher = scope.state.view.searcher
    if key.is_score:
        if query.constant is not None:
            return [single(query.constant)] * len(rows)
        if query.scorer is not None:
            from sealane.engine.embedded.search.scored import row_scores

            return row_scores(query, rows, scope)
        hits = searcher.search(query.query, len(rows), False).hits
        scores = {(at.segment_ord, at.doc): score for score, at in hits}
        return [scores[(row.address.segment_ord, row.address.doc)] for row in rows]
    if key.reader is not None:
        from sealane.engine.embedded.search.scored import docs_of_rows

        return [_chosen(each, key) for each in key.reader(docs_of_rows(rows))]
    if key.column is None or scope.state.column(key.column).single_valued:
        return Ranker(scope).read(key, rows)
    found = all_values(scope.state, query.query, key.column, len(rows))
    return [_chosen(each, key) for each in found]


def _chosen(values: list[SortValue], key: SortKey) -> SortValue:
    """The one value of several that a key sorts by."""
    if not values:
        return key.missing
    if key.is_text:
        texts = [str(each) for each in values]
        return max(texts) if key.mode == "max" else min(texts)
    numbers = [each for each in values if isinstance(each, (int, float))]
    if len(numbers) == 1:
        return numbers[0]
    match key.mode:
        case "max":
            return max(numbers, key=signed)
        case "sum":
            return sum(numbers)
        case "avg":
            return _typed(sum(numbers) / len(numbers), key)
        case "median":
            return _typed(median(numbers), key)
        case _:
            return min(numbers, key=signed)


def _typed(number: float, key: SortKey) -> float | int:
    """Averages on whole numbers are rounded half up, as the reference does."""
    if key.type == "double":
        return number
    return int((number + 0.5) // 1)
