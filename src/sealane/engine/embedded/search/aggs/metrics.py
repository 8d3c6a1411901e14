"""Metrics of one number field: all are read out of tantivy's stats."""

from typing import Any

import tantivy

from sealane.engine.embedded.search.aggs.columns import (
    check_format,
    check_shows,
    column_of,
    exact_missing,
)
from sealane.engine.embedded.search.aggs.run import LazyQuery, Node, Raw, Run, not_supported
from sealane.model import dsl
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.partial import AggPartial, MetricPartial


class MetricNode(Node):
    def __init__(self, agg: dsl.MetricAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.metric = agg
        self.column = column_of(agg.field, agg.missing, run.scope)
        self.counting = agg.kind is dsl.MetricKind.VALUE_COUNT
        mapped = self.column.mapped
        if self.counting:
            check_shows(self.column)
        if not self.column.is_number and not self.counting and mapped is not None:
            raise not_supported(agg.kind.value, agg.field, mapped.type.value)
        check_format(self.column, agg.field, agg.format)
        self.missing = exact_missing(self.column, agg.missing)
        # tantivy fills gaps with what the column can hold.
        self.splits = self.missing is not None and self.missing != self.column.missing

    def native(self, inline: bool) -> Raw | None:
        name = self.column.name
        if name is None or self.splits or (self.column.is_text and self.column.missing is not None):
            return None
        if self.column.is_text:
            return {"c": {"value_count": {"field": name}}}
        body: Raw = {"field": name}
        if self.column.missing is not None:
            body["missing"] = self.column.missing
        wide = self.metric.kind is dsl.MetricKind.EXTENDED_STATS
        return {"s": {"extended_stats" if wide else "stats": body}}

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        if self.column.is_text:
            return self._partial(int(raw["c"]["value"]), {})
        found = raw["s"]
        return self._partial(int(found["count"]), found)

    def collect(self, query: tantivy.Query) -> AggPartial:
        """A field no document has, or a `missing` that its column cannot hold: those without a value are counted."""
        column, scope = self.column, self.run.scope
        if column.missing is None:
            return self._partial(0, {})
        lacking = tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, column.lacking())]
        )
        docs = scope.state.count(lacking)
        if column.is_text:
            present = 0
            if column.name is not None:
                request = {"c": {"value_count": {"field": column.name}}}
                present = int(self.run.aggregate(query, request)["c"]["value"])
            return self._partial(docs + present, {})
        number = float(column.missing) if self.missing is None else self.missing
        held = self._present(query)
        total = docs + held.count
        if total == 0:
            return held
        ends = [each for each in (held.min, held.max) if each is not None]
        ends += [number] if docs else []
        stats = {
            "sum": compensated_sum((held.sum, number * docs)),
            "min": min(ends),
            "max": max(ends),
            "sum_of_squares": held.sum_of_squares + number * number * docs,
        }
        return self._partial(total, stats)

    def _present(self, query: tantivy.Query) -> MetricPartial:
        """The state of what the column has."""
        name = self.column.name
        if name is None:
            return self._partial(0, {})
        found = self.run.aggregate(query, {"s": {"extended_stats": {"field": name}}})["s"]
        return self._partial(int(found["count"]), found)

    def _partial(self, count: int, stats: dict[str, Any]) -> MetricPartial:
        some = count > 0
        return MetricPartial(
            count=count,
            sum=float(stats.get("sum") or 0.0),
            min=stats.get("min") if some else None,
            max=stats.get("max") if some else None,
            sum_of_squares=float(stats.get("sum_of_squares") or 0.0),
            value_type=self.column.type or "double",
            format=self.column.format,
        )
