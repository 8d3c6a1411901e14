"""What each document has of several columns: for keys that tantivy's aggregator does not make.

Columns with one value a document are read in bulk; others, and those that a segment lacks, cost microseconds a
document. Large results are read in slices, so that memory is bounded.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import tantivy
from tantivy import Order

from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.run import Run
from sealane.engine.embedded.search.late import all_values, best_by
from sealane.engine.embedded.search.scope import all_of
from sealane.engine.embedded.view import SEQ_NO

SLICE = 100_000
"""Documents read at a time."""

Raw = str | int | float
Cell = Raw | None | list[Raw]
"""What a document has of a column: nothing, a value, or several in ascending order."""


def slices(query: tantivy.Query, run: Run) -> Iterator[tuple[tantivy.Query, int]]:
    """The query, or parts of it of at most about SLICE documents each, and how many it matches.

    Raises what `check` raises.
    """
    state = run.scope.state
    total = state.count(query)
    if total == 0:
        return
    if total <= SLICE:
        run.check()
        yield query, total
        return
    numbers = state.column(SEQ_NO)
    low, high = int(numbers.min or 0), int(numbers.max or 0)
    step = max(1, (high - low + 1) * SLICE // total)
    for start in range(low, high + 1, step):
        run.check()
        part = all_of(query, _numbered(start, start + step, run))
        found = state.count(part)
        if found:
            yield part, found


def _numbered(first: int, end: int, run: Run) -> tantivy.Query:
    kind = tantivy.FieldType.Integer
    return tantivy.Query.range_query(run.scope.schema, SEQ_NO, kind, first, end, True, False)


def cells(query: tantivy.Query, total: int, column: Column, run: Run) -> list[Cell]:
    """The cells of one column for the `total` documents of `query`, in document order.

    `missing` of the column stands where a document has no value.
    """
    found = _cells(query, total, column, run)
    if column.missing is not None:
        found = [column.missing if each is None else each for each in found]
    return found


def _cells(query: tantivy.Query, total: int, column: Column, run: Run) -> list[Cell]:
    state = run.scope.state
    if column.name is None:
        return [None] * total
    if state.column(column.name).single_valued and state.is_everywhere(column.name):
        addresses = [address for _, address in in_order(query, total, run)]
        if not column.is_text:
            values: list[Any] = state.view.searcher.fast_field_values(column.name, addresses)
            return values
        by_place = {
            (address.segment_ord, address.doc): value
            for value, address in best_by(state, query, column.name, False, total)
        }
        return [by_place.get((each.segment_ord, each.doc)) for each in addresses]
    return [_cell(each, column) for each in all_values(state, query, column.name, total)]


def in_order(query: tantivy.Query, total: int, run: Run) -> list[tuple[Any, tantivy.DocAddress]]:
    """The sequence numbers and addresses of the matching documents, in document order."""
    searcher = run.scope.state.view.searcher
    return list(searcher.search(query, total, False, SEQ_NO, 0, Order.Asc).hits)


def _cell(values: Sequence[Any], column: Column) -> Cell:
    if not values:
        return None
    if len(values) == 1:
        only: Raw = values[0]
        return only
    if column.is_text:
        return sorted(set(values))
    return sorted(values)


def each_value(cell: Cell) -> Sequence[Raw]:
    """The values of a cell, each as often as the document has it."""
    if isinstance(cell, list):
        return cell
    return () if cell is None else (cell,)


def distinct(cell: Cell) -> Cell:
    """The cell with each of its values once: a document counts once for a key."""
    return list(dict.fromkeys(cell)) if isinstance(cell, list) else cell
