"""cardinality: the distinct values as tantivy's terms, hashed as the reference hashes them, in a HyperLogLog++."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import tantivy

from sealane.engine.embedded.search.aggs.columns import column_of
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    LazyQuery,
    Node,
    Raw,
    Run,
)
from sealane.model import dsl
from sealane.reduce.partial import AggPartial

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CardinalityNode(Node):
    def __init__(self, agg: dsl.CardinalityAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.threshold = agg.precision_threshold
        self.column = column_of(agg.field, agg.missing, run.scope)

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
        return self._partial([each["key"] for each in raw["d"]["buckets"]])

    def collect(self, query: tantivy.Query) -> AggPartial:
        missing = self.column.missing
        some = missing is not None and self.run.scope.state.count(query) > 0
        return self._partial([missing] if some and missing is not None else [])

    def overflow(self, query: tantivy.Query) -> AggPartial:
        return self._partial(distinct_counts(query, self.column, self.run).keys())

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
