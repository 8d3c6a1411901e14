"""The keys of a composite counted by tantivy's aggregator: sources inside of each other, flattened.

For columns with one value a document, where each combination is a bucket within buckets. It takes milliseconds where
reading all values takes seconds; it is not possible for tiles, missing values and more combinations than tantivy gives.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.cells import Raw
from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.histograms import HistogramNode
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    SPREAD_MAX,
    NativeLimit,
    Node,
    Run,
    requests_of,
)
from sealane.model import dsl
from sealane.reduce.packed_terms import unpacked
from sealane.reduce.partial import AggPartial, HistogramPartial, Key, TermsPartial

Tuple = tuple[Any, ...]
_NAME = "source"
_BY_KEY = (dsl.BucketOrder("_key", True),)


def native_counts(
    sources: Sequence[dsl.CompositeSource],
    columns: Sequence[Column],
    query: tantivy.Query,
    run: Run,
) -> "Counter[Tuple] | None":
    """Documents by key, each part in its column's own form; None where it takes another way."""
    if not all(_fits(each, column, run) for each, column in zip(sources, columns, strict=True)):
        return None
    spec: dsl.Agg | None = None
    for source in reversed(sources):
        spec = _spec(source, () if spec is None else (spec,))
    assert spec is not None
    node = run.node(spec)
    if _computed(node) > SPREAD_MAX:
        return None
    requests = requests_of([node], True)
    if not requests:
        return None
    try:
        results = run.aggregate(query, requests)
        raw = {name.partition(".")[2]: found for name, found in results.items()}
        counts: Counter[Tuple] = Counter()
        _flatten(node.read(raw, lambda: query, True), columns, (), counts)
    except NativeLimit:
        return None
    return counts


def _fits(source: dsl.CompositeSource, column: Column, run: Run) -> bool:
    name = column.name
    if source.kind == "geotile_grid" or name is None:
        return False
    if source.kind == "histogram" and source.interval is None:
        return False
    state = run.scope.state
    if not state.column(name).single_valued:
        return False
    return not source.missing_bucket or state.has_all(name)


def _spec(source: dsl.CompositeSource, subs: tuple[dsl.Agg, ...]) -> dsl.Agg:
    match source.kind:
        case "histogram":
            return dsl.HistogramAgg(
                name=_NAME,
                subs=subs,
                field=source.field,
                interval=source.interval or 0.0,
                min_doc_count=1,
            )
        case "date_histogram":
            return dsl.DateHistogramAgg(
                name=_NAME,
                subs=subs,
                field=source.field,
                calendar_interval=source.calendar_interval,
                fixed_interval_ms=source.fixed_interval_ms,
                offset_ms=source.offset_ms,
                time_zone=source.time_zone,
                min_doc_count=1,
            )
    return dsl.TermsAgg(
        name=_NAME,
        subs=subs,
        field=source.field,
        size=NATIVE_BUCKETS,
        shard_size=NATIVE_BUCKETS,
        order=_BY_KEY,
    )


def _computed(node: Node) -> int:
    """Buckets that tantivy makes whether anything is in them or not: those of histograms within each other."""
    own = node.breadth() if isinstance(node, HistogramNode) else 1
    return own * max((_computed(child) for child in node.children), default=1)


def _flatten(
    partial: AggPartial, columns: Sequence[Column], above: Tuple, counts: "Counter[Tuple]"
) -> None:
    """Adds the buckets of one level and of those below it."""
    column = columns[len(above)]
    found: list[tuple[Raw, int, dict[str, AggPartial] | None]]
    if isinstance(partial, TermsPartial):
        found = [(_own(b.key, column), b.count, b.aggs) for b in unpacked(partial)]
    else:
        assert isinstance(partial, HistogramPartial)
        found = [(b.key, b.count, b.aggs) for b in partial.buckets]
    is_last = len(above) == len(columns) - 1
    for key, count, aggs in found:
        if is_last:
            counts[(*above, key)] = count
        else:
            _flatten((aggs or {})[_NAME], columns, (*above, key), counts)


def _own(key: Key, column: Column) -> Raw:
    return values.ip_column(str(key)) if column.type == "ip" else key
