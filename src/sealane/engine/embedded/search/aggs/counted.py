"""How often each value of a number field occurs, in a bucket: what sketches are made of.

Read out of tantivy's terms where the column has few distinct values, inside whatever buckets are around it. Otherwise,
and where a document has a value twice (which terms count once), the values themselves are read.
"""

from collections import Counter
from collections.abc import Sequence

import tantivy

from sealane.engine.embedded.search.aggs.columns import check_format, column_of, exact_missing
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    LazyQuery,
    Node,
    Raw,
    Run,
    not_supported,
)
from sealane.engine.embedded.search.late import all_values, best_by
from sealane.engine.embedded.search.scope import all_of
from sealane.model import dsl
from sealane.reduce.partial import AggPartial

# Beyond, reading the column in its order costs less than counting terms.
_FEW_VALUES = 20_000

Counts = Sequence[tuple[float, int]]


class CountedNode(Node):
    """Base of aggregations over the values of one number field. A subclass makes its state of counted values."""

    def __init__(
        self, agg: dsl.Agg, run: Run, kind: str, field: str, missing: dsl.Scalar | None
    ) -> None:
        super().__init__(agg, run)
        self.column = column_of(field, missing, run.scope)
        if not self.column.is_number and self.column.mapped is not None:
            raise not_supported(kind, field, self.column.mapped.type.value)
        check_format(self.column, field, getattr(agg, "format", None))
        self.missing = exact_missing(self.column, missing)

    def state(self, counts: Counts) -> AggPartial:
        """The state of distinct values, ascending, with how often each occurs."""
        raise NotImplementedError

    def native(self, inline: bool) -> Raw | None:
        name = self.column.name
        if name is None or not self._few(name) or self.missing != self.column.missing:
            return None
        body: Raw = {"field": name, "size": NATIVE_BUCKETS, "segment_size": NATIVE_BUCKETS}
        count: Raw = {"field": name}
        if self.column.missing is not None:
            body["missing"] = count["missing"] = self.column.missing
        return {"d": {"terms": body}, "n": {"value_count": count}}

    def _few(self, name: str) -> bool:
        column = self.run.scope.state.column(name)
        if column.values <= _FEW_VALUES or column.min is None or column.max is None:
            return True
        return self.column.type != "double" and column.max - column.min <= _FEW_VALUES

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        pairs = [(float(each["key"]), int(each["doc_count"])) for each in raw["d"]["buckets"]]
        if sum(count for _, count in pairs) != int(raw["n"]["value"]):
            return self.collect(query())
        pairs.sort()
        return self.state(pairs)

    def overflow(self, query: tantivy.Query) -> AggPartial:
        return self.collect(query)

    def collect(self, query: tantivy.Query) -> AggPartial:
        counts = Counter(self._values(query))
        if self.missing is not None:
            state = self.run.scope.state
            lacking = state.count(all_of(query, self.column.lacking()))
            if lacking:
                counts[self.missing] += lacking
        return self.state(sorted(counts.items()))

    def _values(self, query: tantivy.Query) -> list[float]:
        name, state = self.column.name, self.run.scope.state
        if name is None:
            return []
        total = state.count(query)
        if total == 0:
            return []
        self.run.check()
        if state.column(name).single_valued:
            hits = best_by(state, query, name, False, total)
            return [float(value) for value, _ in hits if value is not None]
        rows = all_values(state, query, name, total)
        return [float(value) for row in rows for value in row if value is not None]
