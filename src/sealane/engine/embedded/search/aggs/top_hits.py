"""top_hits and top_metrics of one shard: the best documents of a bucket, by a search within the search."""

from dataclasses import replace

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.aggs.columns import column_of
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.collect import Plan, collect
from sealane.engine.embedded.search.fetch import fetch
from sealane.engine.embedded.search.scope import Compiled, all_of, both
from sealane.engine.embedded.search.sorting import sort_keys
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import AggPartial, InnerHits, TopHitsPartial, TotalHits

_WINDOW_MAX = 100
"""`index.max_inner_result_window`, which nothing changes here."""


class BestHitsNode(Node):
    """Base of what shows the best documents of a bucket."""

    def __init__(self, agg: dsl.TopHitsAgg | dsl.TopMetricsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.body = agg.body
        if run.asked is not None and isinstance(agg, dsl.TopHitsAgg):
            fields = self.body.fields or run.asked.fields
            if fields or self.body.highlight is not None:
                self.body = replace(self.body, query=run.asked.query, fields=fields)
        self.size = agg.body.from_ + agg.body.size
        scope = run.scope
        self.scope = replace(scope, named=[], inner=[])
        self.keys = sort_keys(agg.body.sort, self.scope)

    def collect(self, query: tantivy.Query) -> AggPartial:
        return self.best(query)

    def best(self, query: tantivy.Query) -> TopHitsPartial:
        """The best documents of a query."""
        total = self.scope.state.count(query)
        if total == 0:
            return TopHitsPartial(InnerHits([], TotalHits(0), None))
        if self.size == 0:
            name = "TotalHitCountCollector" + ("" if self.body.sort else "Manager")
            raise IllegalArgument(
                f"numHits must be > 0; please use {name} if you just need the total hit count"
            )
        self.run.check()
        named = list(self.run.named)
        plan = Plan(self._scored(query, total), query, self.keys, None, self.scope, named)
        rows, best = collect(plan, self.size, track_scores=self.body.track_scores)
        if not plan.by_score and not self.body.track_scores:
            for row in rows:
                row.score = None
        request = ShardSearch(
            index_name=self.scope.index_name,
            body=self.body,
            size=self.size,
            now_ms=self.scope.present_ms,
        )
        hits = fetch(rows, plan, request)
        types = [key.type for key in plan.keys] if not plan.by_score and hits else None
        return TopHitsPartial(InnerHits(hits, TotalHits(total), best, types))

    def _scored(self, query: tantivy.Query, total: int) -> Compiled:
        """The bucket's documents with the scores of the search; all the same where it is not of the search at all."""
        searched = self.run.searched
        if self.run.unfiltered and searched.constant is not None:
            return Compiled(query, searched.constant)
        scored = both(searched.query, query)
        if self.scope.state.count(scored) < total:
            return Compiled(query, 1.0)
        return Compiled(scored if searched.constant is None else query, searched.constant)


class TopHitsNode(BestHitsNode):
    def __init__(self, agg: dsl.TopHitsAgg, run: Run) -> None:
        super().__init__(agg, run)
        if self.size > _WINDOW_MAX:
            raise IllegalArgument(
                f"Top hits result window is too large, the top hits aggregator [{agg.name}]'s from "
                f"+ size must be less than or equal to: [{_WINDOW_MAX}] but was [{self.size}]. This "
                "limit can be set by changing the [index.max_inner_result_window] index level "
                "setting."
            )


class TopMetricsNode(BestHitsNode):
    """Documents without a value to sort by have no part in it."""

    def __init__(self, agg: dsl.TopMetricsAgg, run: Run) -> None:
        super().__init__(agg, run)
        for name in agg.metrics:
            column_of(name, None, run.scope)

    def collect(self, query: tantivy.Query) -> AggPartial:
        for key in self.keys:
            if key.is_score:
                continue
            if key.column is None:
                return self.best(tantivy.Query.empty_query())
            query = all_of(query, tantivy.Query.exists_query(key.column))
        return self.best(query)
