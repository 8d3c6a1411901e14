"""Histograms that fit the data: variable_width_histogram and auto_date_histogram."""

import itertools
import math

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.cells import cells, each_value, slices
from sealane.engine.embedded.search.aggs.columns import Column, column_of
from sealane.engine.embedded.search.aggs.histograms import DateHistogramNode
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.aggs.term_column import check_numbers
from sealane.engine.embedded.search.scope import all_of, any_of
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.auto_rounding import auto_roundings
from sealane.reduce.partial import (
    AggPartial,
    AutoDatePartial,
    HistogramPartial,
    VariableWidthPartial,
    WidthBucket,
)

_LONG = ("long", "double")


class VariableWidthNode(Node):
    """Each value is a cluster of its own, or, where they are too many, equally many neighbours are."""

    def __init__(self, agg: dsl.VariableWidthHistogramAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.widths = agg
        self.column = column_of(agg.field, agg.missing, run.scope)
        check_numbers(self.column, agg.field, "variable_width_histogram")
        mapped = self.column.mapped
        if mapped is not None and self.column.type not in _LONG:
            raise not_supported("variable_width_histogram", mapped.path, mapped.type.value)
        if mapped is None and agg.missing is not None:
            number = float(values.decimal_of(agg.missing, FieldType.DOUBLE))
            self.column = Column(None, None, "double", number)
        initial, buffer = agg.effective_shard_size() * 3 // 4, agg.effective_buffer()
        if initial < agg.buckets:
            raise IllegalArgument(
                f"3/4 of shard_size must be at least buckets but was [{initial}<{agg.buckets}] "
                f"for [{agg.name}]"
            )
        if buffer < agg.buckets:
            raise IllegalArgument(
                f"initial_buffer must be at least buckets but was [{buffer}<{agg.buckets}] "
                f"for [{agg.name}]"
            )
        self.most = initial

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self.column.name is None and self.column.missing is None:
            return VariableWidthPartial([])
        numbers: list[float] = []
        for part, total in slices(query, self.run):
            for cell in cells(part, total, self.column, self.run):
                numbers += map(float, each_value(cell))
        numbers.sort()
        count = min(self.most, len(numbers))
        ends = [-(-place * len(numbers) // count) for place in range(count + 1)] if count else []
        found = [numbers[low:high] for low, high in itertools.pairwise(ends)]
        self.run.count_buckets(len(found))
        return VariableWidthPartial([self._bucket(each, query) for each in found])

    def _bucket(self, numbers: list[float], query: tantivy.Query) -> WidthBucket:
        low, high = numbers[0], numbers[-1]
        aggs = None
        if self.children:
            aggs = self.run.run(self.children, all_of(query, self._inside(low, high)))
        mean = low if low == high else _mean(numbers)
        return WidthBucket(low, high, mean, len(numbers), aggs)

    def _inside(self, low: float, high: float) -> tantivy.Query:
        column, scope = self.column, self.run.scope
        inside = column.between(low, math.nextafter(high, math.inf), scope)
        missing = column.missing
        if isinstance(missing, int | float) and low <= missing <= high:
            return any_of([inside, column.lacking()])
        return inside


def _mean(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:
        return math.fsum(number / len(numbers) for number in numbers)


class AutoDateNode(Node):
    """A date_histogram under the finest of the roundings that does not make too many buckets of this shard's dates."""

    def __init__(self, agg: dsl.AutoDateHistogramAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.dates = agg
        self.column: Column = column_of(agg.field, agg.missing, run.scope)
        check_numbers(self.column, agg.field, "auto_date_histogram")
        self.roundings = auto_roundings(agg.minimum_interval)

    def collect(self, query: tantivy.Query) -> AggPartial:
        extremes = self._extremes(query)
        if extremes is None:
            return AutoDatePartial([], 0, self.column.format)
        span = extremes[1] - extremes[0]
        most = self.dates.buckets
        last = len(self.roundings) - 1
        at = 0
        while (
            at < last and span > most * self.roundings[at].estimate_ms * self.roundings[at].widest
        ):
            at += 1
        while True:
            found = self._histogram(at, query)
            if at == last or len(found.buckets) <= most * self.roundings[at].widest:
                return AutoDatePartial(found.buckets, at, self.column.format)
            at += 1

    def _histogram(self, at: int, query: tantivy.Query) -> HistogramPartial:
        agg = self.dates
        spec = dsl.DateHistogramAgg(
            name=agg.name,
            subs=agg.subs,
            field=agg.field,
            calendar_interval=self.roundings[at].unit,
            time_zone=agg.time_zone,
            min_doc_count=1,
            missing=agg.missing,
            format=agg.format,
        )
        node = DateHistogramNode(spec, self.run)
        found = self.run.one(node, query)
        assert isinstance(found, HistogramPartial)
        return found

    def _extremes(self, query: tantivy.Query) -> tuple[int, int] | None:
        """The first and the last date of the documents; None without any."""
        ends: list[int] = []
        column = self.column
        if column.name is not None:
            stats = self.run.aggregate(query, {"s": {"stats": {"field": column.name}}})["s"]
            if stats["count"]:
                ends += [int(stats["min"]), int(stats["max"])]
        missing = column.missing
        if isinstance(missing, int | float) and self.run.scope.state.count(
            all_of(query, column.lacking())
        ):
            ends.append(int(missing))
        return (min(ends), max(ends)) if ends else None
