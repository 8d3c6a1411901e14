"""rate of one shard: documents, or the values of a field, added up. The time they took is for the merge."""

import tantivy

from sealane.engine.embedded.search.aggs.metrics import MetricNode
from sealane.engine.embedded.search.aggs.run import LazyQuery, Node, Raw, Run
from sealane.model import dsl
from sealane.reduce.metric_states import RatePartial
from sealane.reduce.partial import AggPartial, MetricPartial


class RateNode(Node):
    def __init__(self, agg: dsl.RateAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.counting = agg.mode == "value_count"
        self.values: MetricNode | None = None
        if agg.field is not None:
            kind = dsl.MetricKind.VALUE_COUNT if self.counting else dsl.MetricKind.SUM
            metric = dsl.MetricAgg(
                name=agg.name, kind=kind, field=agg.field, missing=agg.missing, format=agg.format
            )
            self.values = MetricNode(metric, run)

    def native(self, inline: bool) -> Raw | None:
        return None if self.values is None else self.values.native(inline)

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        assert self.values is not None
        return self._rate(self.values.read(raw, query, inline))

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self.values is None:
            return RatePartial(float(self.run.scope.state.count(query)))
        return self._rate(self.values.collect(query))

    def _rate(self, partial: AggPartial) -> RatePartial:
        assert isinstance(partial, MetricPartial)
        return RatePartial(float(partial.count) if self.counting else partial.sum)
