"""Aggregations in and out of nested objects.

Below `nested`, everything runs against the index of nested objects, in a run of its own; below `reverse_nested` against
that of the documents again.
"""

from dataclasses import replace

import tantivy

from sealane.engine.embedded.search import nested
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.scope import Scope, all_of
from sealane.errors import IllegalArgument
from sealane.model.dsl.joined import NestedAgg, ReverseNestedAgg
from sealane.reduce.partial import AggPartial, BucketsPartial, CountBucket


class NestedNode(Node):
    """The nested objects of the documents of a query."""

    def __init__(self, agg: NestedAgg, run: Run) -> None:
        mapping = run.scope.state.view.mapping
        known = nested.is_nested(mapping, agg.path)
        below = nested.nested_scope(run.scope, agg.path) if known else None
        super().__init__(agg, level_below(run, below or replace(run.scope, nested=agg.path)))
        self._outer = run
        self._below = below
        self._path = agg.path

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self._below is None:
            return one_bucket(self, 0, tantivy.Query.empty_query())
        objects = nested.objects_of(query, self._path, self._outer.scope, self._below)
        return one_bucket(self, self._below.state.count(objects), objects)


class ReverseNestedNode(Node):
    """What holds the nested objects of a query."""

    def __init__(self, agg: ReverseNestedAgg, run: Run) -> None:
        if not run.scope.nested:
            raise IllegalArgument(
                f"Reverse nested aggregation [{agg.name}] can only be used inside a [nested] aggregation"
            )
        self._known = agg.path is None or nested.is_nested(run.scope.state.view.mapping, agg.path)
        outer = run
        while self._known and outer.scope.nested != (agg.path or "") and outer.around is not None:
            outer = outer.around
        if self._known and outer.scope.nested != (agg.path or ""):
            assert agg.path is not None
            scope = nested.nested_scope(outer.scope, agg.path)
            outer = level_below(run, scope or replace(run.scope, nested=agg.path))
        super().__init__(agg, outer)
        self._inner = run

    def collect(self, query: tantivy.Query) -> AggPartial:
        if not self._known:
            return one_bucket(self, 0, tantivy.Query.empty_query())
        holders = nested.holders_of(query, self._inner.scope, self.run.scope)
        return one_bucket(self, self.run.scope.state.count(holders), holders)


def level_below(run: Run, scope: Scope) -> Run:
    """A run of its own for aggregations at another level."""
    everything = nested.objects_at(scope.nested, scope)
    if scope.visible is not None:
        everything = all_of(everything, scope.visible)
    return Run(scope, run.check, run.build, everything, False, around=run)


def one_bucket(node: Node, count: int, query: tantivy.Query) -> AggPartial:
    node.run.count_buckets(1)
    if not node.children:
        return BucketsPartial([CountBucket(count)])
    return BucketsPartial([CountBucket(count, node.run.run(node.children, query))])
