"""cardinality: the distinct values as tantivy's terms, hashed as the reference hashes them, in a HyperLogLog++."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import tantivy

from sealane.engine.embedded.search.aggs.columns import check_shows, column_of, signed_zeros
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    LazyQuery,
    Node,
    Raw,
    Run,
)
from sealane.engine.embedded.search.scope import all_of
from sealane.model import dsl
from sealane.reduce.partial import AggPartial

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CardinalityNode(Node):
    def __init__(self, agg: dsl.CardinalityAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.threshold = agg.precision_threshold
        self.column = column_of(agg.field, agg.missing, run.scope)
        check_shows(self.column)

    def native(self, inline: bool) -> Raw | None:
        if self.column.name is None:
            return None
        body: Raw = {
            "field": self.column.name,
            "size": NATIVE_BUCKETS,
            "segment_size": NATIVE_BUCKETS,
        }
        if self.column.missing is not None:
            body["missing"] = self.column.missing
        return {"d": {"terms": body}}

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        if raw["d"]["sum_other_doc_count"]:
            return self.overflow(query())
        return self._told_apart([each["key"] for each in raw["d"]["buckets"]], query)

    def collect(self, query: tantivy.Query) -> AggPartial:
        missing = self.column.missing
        some = missing is not None and self.run.scope.state.count(query) > 0
        return self._partial([missing] if some and missing is not None else [])

    def overflow(self, query: tantivy.Query) -> AggPartial:
        found = distinct_counts(query, self.column, self.run)
        return self._told_apart(list(found), lambda: query)

    def _told_apart(self, keys: list[str | int | float], query: LazyQuery) -> AggPartial:
        """Terms have one bucket for the two zeros of a double, which are two values to the reference."""
        signed = signed_zeros(self.column, self.run.scope) if 0.0 in keys else None
        if signed is None:
            return self._partial(keys)
        others = [key for key in keys if key != 0.0]
        state = self.run.scope.state
        zeros = [zero for zero, at in signed.items() if state.count(all_of(query(), at))]
        if self.column.missing == 0.0 and not zeros:
            zeros.append("0.0")
        return self._partial(others + [float(zero) for zero in zeros])

    def _partial(self, keys: "Collection[str | int | float]") -> AggPartial:
        # numpy costs memory: only a node that counts distinct values loads it
        from sealane.reduce.hll import HyperLogLog, precision_from_threshold

        sketch = HyperLogLog(precision_from_threshold(self.threshold))
        if keys:
            sketch.collect(self._hashes(keys))
        return sketch.to_partial()

    def _hashes(self, keys: "Collection[str | int | float]") -> "NDArray[Any]":
        import numpy as np

        from sealane.reduce import hashing

        match self.column.type:
            case "ip":
                return hashing.hash_strings([bytes.fromhex(str(each)) for each in keys])
            case "keyword":
                return hashing.hash_strings([str(each).encode() for each in keys])
            case "double":
                return hashing.hash_doubles(np.array(list(keys), dtype=np.float64))
        return hashing.hash_longs(np.array(list(keys), dtype=np.int64))
