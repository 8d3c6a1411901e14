"""`collapse` on one shard: the best document for each value of a field.

The best documents are collected as without it. Those whose value came up before are dropped; if that leaves too few,
the search goes on among the documents that have none of the values found so far. Nothing is found out of order: what
comes later ranks below all that was looked at.
"""

from collections.abc import Callable
from dataclasses import replace

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.collect import Plan, collect
from sealane.engine.embedded.search.late import all_values
from sealane.engine.embedded.search.rank import Ranker, Row
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, both, without
from sealane.engine.embedded.search.sorting import SortKey
from sealane.engine.embedded.view import SEQ_NO
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import SortValue

# How many more documents than groups are looked at first: some share their group.
FIRST_FACTOR = 2
FIRST_MARGIN = 20


def group_key(body: dsl.SearchBody, scope: Scope) -> SortKey | None:
    """The column that a search collapses by; None where it does not. Raises IllegalArgument."""
    if body.collapse is None:
        return None
    path = body.collapse.field
    mapped = scope.mapped(path)
    if mapped is None:
        if path in ("_id", "_index", "_routing"):
            raise _unsupported(path, path)
        raise IllegalArgument(f"no mapping found for `{path}` in order to collapse on")
    if not _groups(mapped):
        raise _unsupported(path, mapped.type.value)
    if not mapped.doc_values:
        raise IllegalArgument(f"cannot collapse on field `{path}` without `doc_values`")
    kind = "keyword" if mapped.type is FieldType.KEYWORD else "double"
    if mapped.type.is_integral:
        kind = "long"
    column = mapped.path if scope.has_column(mapped.path) else None
    return SortKey(kind, False, column, mapped=mapped)


def check_after(body: dsl.SearchBody) -> None:
    """Raises IllegalArgument where the pages of a search would cut through its groups."""
    if body.collapse is None or not body.sort:
        return
    if [each.field for each in body.sort] != [body.collapse.field]:
        raise IllegalArgument(
            "Cannot use [collapse] in conjunction with [search_after] unless the search is sorted "
            "on the same field. Multiple sort fields are not allowed."
        )


def _groups(mapped: Field) -> bool:
    return mapped.type is FieldType.KEYWORD or mapped.type.is_integral or mapped.type.is_floating


def _unsupported(path: str, type_: str) -> IllegalArgument:
    return IllegalArgument(
        f"collapse is not supported for the field [{path}] of the type [{type_}]"
    )


def collect_groups(
    plan: Plan, key: SortKey, limit: int, check: Callable[[], None], *, track_scores: bool
) -> tuple[list[Row], float | None]:
    """The best row of each group, the best `limit` of them, and the best score of all matches.

    Raises IllegalArgument where a document that matches has several values of the field.
    """
    _check_single_valued(plan, key)
    wanted = limit * FIRST_FACTOR + FIRST_MARGIN
    rows, max_score = collect(plan, wanted, track_scores=track_scores)
    groups: list[Row] = []
    seen: set[SortValue] = set()
    while True:
        check()
        _add_first(groups, seen, rows, key, plan.scope)
        if len(groups) >= limit or len(rows) < wanted:
            return groups[:limit], max_score
        rest = replace(plan, hits=_elsewhere(plan.hits, key, seen, plan.scope), total=None)
        rows, _ = collect(rest, wanted, track_scores=track_scores)


def _add_first(
    groups: list[Row], seen: set[SortValue], rows: list[Row], key: SortKey, scope: Scope
) -> None:
    if not rows:
        return
    if key.is_text:
        _number(rows, scope)
    for row, value in zip(rows, Ranker(scope).read(key, rows), strict=True):
        if value not in seen:
            seen.add(value)
            row.group = value
            groups.append(row)


def _number(rows: list[Row], scope: Scope) -> None:
    """Tells rows that came by their score which documents they are: texts are read by that."""
    if all(row.seq_no >= 0 for row in rows):
        return
    searcher = scope.state.view.searcher
    numbers = searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
    for row, number in zip(rows, numbers, strict=True):
        row.seq_no = int(number or 0)


def _elsewhere(hits: Compiled, key: SortKey, seen: set[SortValue], scope: Scope) -> Compiled:
    """The documents of groups not seen yet, with their scores."""
    query = hits.query
    if key.column is None:
        return NOTHING
    if None in seen:
        query = both(query, tantivy.Query.exists_query(key.column))
    values = [value for value in seen if value is not None]
    if values and key.type == "double":
        kind = tantivy.FieldType.Float
        excluded = [
            (Occur.Should, tantivy.Query.range_query(scope.schema, key.column, kind, low, high))
            for low, high in map(_as_range, values)
        ]
        query = without(query, tantivy.Query.boolean_query(excluded))
    elif values:
        query = without(query, tantivy.Query.term_set_query(scope.schema, key.column, values))
    return replace(hits, query=query, span=None)


def _as_range(value: SortValue) -> tuple[SortValue, SortValue]:
    """The two zeros are one value here, and two to the index."""
    return (-0.0, 0.0) if value == 0 else (value, value)


def _check_single_valued(plan: Plan, key: SortKey) -> None:
    if key.column is None or plan.scope.state.column(key.column).single_valued:
        return
    state = plan.scope.state
    total = state.count(plan.hits.query)
    found = all_values(state, plan.hits.query, key.column, total) if total else []
    for at, values in enumerate(found):
        if len(values) > 1:
            in_order = state.view.searcher.search(
                plan.hits.query, 1, False, SEQ_NO, at, tantivy.Order.Asc
            )
            document = in_order.hits[0][1].doc
            raise IllegalArgument(
                f"failed to extract doc:{document}, the grouping field must be single valued"
            )
