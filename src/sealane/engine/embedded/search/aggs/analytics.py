"""string_stats, matrix_stats and t_test of one shard: values to lengths, letters and moments."""

from array import array
from collections import Counter
from statistics import median
from sys import byteorder
from typing import Any

import tantivy

from sealane.engine.embedded.search.aggs.columns import column_of
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.rows import number_rows
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.aggs.weighted import source_column
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.scope import all_of
from sealane.model import dsl
from sealane.reduce.metric_states import MomentsPartial, SamplesPartial, StringsPartial
from sealane.reduce.moments import moments_of
from sealane.reduce.partial import AggPartial

_MODES: dict[str, Any] = {
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "sum": sum,
    "median": median,
}


class StringStatsNode(Node):
    """Texts count once in a document, as a keyword's column has them."""

    def __init__(self, agg: dsl.StringStatsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.column = column_of(agg.field, agg.missing, run.scope)
        mapped = self.column.mapped
        if mapped is not None and self.column.type != "keyword":
            raise not_supported("string_stats", agg.field, mapped.type.value)

    def collect(self, query: tantivy.Query) -> AggPartial:
        letters: Counter[int] = Counter()
        lengths: Counter[int] = Counter()
        for value, count in distinct_counts(query, self.column, self.run).items():
            units = _utf16(str(value))
            lengths[len(units)] += count
            for unit, times in Counter(units).items():
                letters[unit] += times * count
        return StringsPartial(
            count=sum(lengths.values()),
            total=sum(length * count for length, count in lengths.items()),
            min=min(lengths, default=0),
            max=max(lengths, default=0),
            letters=dict(letters),
        )


def _utf16(text: str) -> "array[int]":
    """The units a text has in the reference's language: beyond 16 bits a letter is two."""
    units = array("H")
    units.frombytes(text.encode("utf-16-le", "surrogatepass"))
    if byteorder == "big":
        units.byteswap()
    return units


class MatrixStatsNode(Node):
    """Only documents that have all fields count."""

    def __init__(self, agg: dsl.MatrixStatsAgg, run: Run) -> None:
        super().__init__(agg, run)
        missing = agg.missing or {}
        self.mode = _MODES[agg.mode]
        sources = [dsl.FieldSource(name, missing.get(name)) for name in agg.fields]
        self.columns = [source_column(source, run.scope) for source in sources]

    def collect(self, query: tantivy.Query) -> AggPartial:
        columns = number_rows(query, self.columns, self.run)
        rows = [
            [self.mode(values) if len(values) > 1 else values[0] for values in row]
            for row in zip(*columns, strict=True)
            if all(row)
        ]
        return moments_of(rows, len(columns)) if rows else MomentsPartial(0)


class TTestNode(Node):
    def __init__(self, agg: dsl.TTestAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.paired = agg.kind == "paired"
        self.columns = [source_column(source, run.scope) for source in (agg.a, agg.b)]
        self.filters = [
            None if source.filter is None else compile_query(source.filter, run.scope).query
            for source in (agg.a, agg.b)
        ]

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self.paired:
            pairs = zip(*number_rows(query, self.columns, self.run), strict=True)
            rows = [[a[0] - b[0]] for a, b in pairs if a and b]
            return SamplesPartial([moments_of(rows, 1) if rows else MomentsPartial(0)])
        samples: list[MomentsPartial] = []
        for column, wanted in zip(self.columns, self.filters, strict=True):
            inside = query if wanted is None else all_of(query, wanted)
            (values,) = number_rows(inside, [column], self.run)
            rows = [[value] for of_document in values for value in of_document]
            samples.append(moments_of(rows, 1) if rows else MomentsPartial(0))
        return SamplesPartial(samples)
