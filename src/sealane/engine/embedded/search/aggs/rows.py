"""Values of several columns, document by document: for aggregations that read fields together."""

from collections.abc import Sequence

import tantivy
from tantivy import Order

from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.run import Run
from sealane.engine.embedded.search.late import all_values
from sealane.engine.embedded.view import SEQ_NO

Values = list[float]


def number_rows(query: tantivy.Query, columns: Sequence[Column], run: Run) -> list[list[Values]]:
    """For each column, the values of each document of `query`, in document order; what is missing filled in."""
    state = run.scope.state
    total = state.count(query)
    if total == 0:
        return [[] for _ in columns]
    run.check()
    addresses: list[tantivy.DocAddress] | None = None
    found: list[list[Values]] = []
    for column in columns:
        lacking: Values = [] if column.missing is None else [float(column.missing)]
        if column.name is None:
            found.append([lacking] * total)
        elif state.column(column.name).single_valued:
            if addresses is None:
                hits = state.view.searcher.search(query, total, False, SEQ_NO, 0, Order.Asc).hits
                addresses = [address for _, address in hits]
            values = state.view.searcher.fast_field_values(column.name, addresses)
            found.append([lacking if value is None else [float(value)] for value in values])
        else:
            rows = all_values(state, query, column.name, total)
            found.append(
                [[float(value) for value in row if value is not None] or lacking for row in rows]
            )
    return found


def whole_values(query: tantivy.Query, column: Column, run: Run) -> list[int]:
    """All values of a column of whole numbers, in document order."""
    state = run.scope.state
    total = state.count(query)
    if column.name is None or total == 0:
        return []
    run.check()
    rows = all_values(state, query, column.name, total)
    return [int(value) for row in rows for value in row if value is not None]
