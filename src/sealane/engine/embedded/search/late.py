"""Reading columns that some segments lack: a field that was mapped after they were written.

tantivy refuses to sort by such a column of numbers, and panics where the several values of a document are to be read.
Here both have a way around. It costs more, until the segments merge.
"""

import tantivy
from tantivy import Order

from sealane.engine.embedded.index_files import mapped_errors
from sealane.engine.embedded.search.scope import both
from sealane.engine.embedded.search.state import ViewState
from sealane.engine.embedded.view import SEQ_NO
from sealane.errors import Internal
from sealane.reduce.partial import SortValue

_EVERY_COLUMN = "*"


def best_by(
    state: ViewState, query: tantivy.Query, column: str, descending: bool, limit: int
) -> list[tuple[SortValue, tantivy.DocAddress]]:
    """At most `limit` of the best documents by a column, ties in no particular order.

    Those without a value are last, with None; where segments lack the column they are left out.
    """
    searcher = state.view.searcher
    order = Order.Desc if descending else Order.Asc
    if state.is_everywhere(column):
        return list(searcher.search(query, limit, False, column, 0, order).hits)
    seq_nos = [
        hit["docvalue_fields"][SEQ_NO][0]
        for hit in _top_hits(
            state,
            both(query, tantivy.Query.exists_query(column)),
            {"size": limit, "sort": [{column: "desc" if descending else "asc"}]},
            SEQ_NO,
        )
    ]
    if not seq_nos:
        return []
    chosen = tantivy.Query.term_set_query(state.view.schema, SEQ_NO, seq_nos)
    hits = searcher.search(chosen, len(seq_nos), False, SEQ_NO, 0, Order.Asc).hits
    addresses = [address for _, address in hits]
    values = searcher.fast_field_values(column, addresses)
    found: list[tuple[SortValue, tantivy.DocAddress]] = list(zip(values, addresses, strict=True))
    found.sort(key=_value, reverse=descending)
    return found


def all_values(
    state: ViewState, query: tantivy.Query, column: str, total: int
) -> list[list[SortValue]]:
    """The values of each of the `total` documents that match, in document order."""
    request = {"size": total, "sort": [{SEQ_NO: "asc"}]}
    if state.is_everywhere(column):
        try:
            with mapped_errors():
                hits = _top_hits(state, query, request, column)
        except Internal:
            # Of texts, it is only found out this way.
            state.everywhere[column] = False
    if not state.is_everywhere(column):
        hits = _top_hits(state, query, request, _EVERY_COLUMN)
    return [hit["docvalue_fields"].get(column) or [] for hit in hits]


def _top_hits(
    state: ViewState, query: tantivy.Query, request: dict[str, object], column: str
) -> list[dict[str, dict[str, list[SortValue]]]]:
    body = {"a": {"top_hits": {**request, "docvalue_fields": [column]}}}
    found: list[dict[str, dict[str, list[SortValue]]]] = state.view.searcher.aggregate(query, body)[
        "a"
    ]["hits"]
    return found


def _value(entry: tuple[SortValue, tantivy.DocAddress]) -> float:
    value = entry[0]
    assert isinstance(value, (int, float))
    return value
