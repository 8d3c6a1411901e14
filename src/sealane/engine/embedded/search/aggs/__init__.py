"""Aggregations of one shard: specs of the DSL to partials that merge."""

from collections.abc import Callable
from typing import Any

import tantivy

from sealane.engine.embedded.search.aggs.cardinality import CardinalityNode
from sealane.engine.embedded.search.aggs.filters import (
    FilterNode,
    FiltersNode,
    GlobalNode,
    MissingNode,
)
from sealane.engine.embedded.search.aggs.histograms import DateHistogramNode, NumberHistogramNode
from sealane.engine.embedded.search.aggs.metrics import MetricNode
from sealane.engine.embedded.search.aggs.ranges import RangeNode
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.aggs.terms import TermsNode
from sealane.engine.embedded.search.scope import EVERYTHING, Scope
from sealane.model import dsl
from sealane.reduce.partial import AggPartial

__all__ = ["aggregate"]


def aggregate(
    aggs: tuple[dsl.Agg, ...],
    query: tantivy.Query,
    everything: tantivy.Query,
    scope: Scope,
    check: Callable[[], None],
) -> dict[str, AggPartial]:
    """The partials of `aggs` for the documents of `query`, by name in the order of the request.

    `everything` is what a global aggregation sees: all documents that the reader may see. Raises ApiError.
    """
    run = Run(scope, check, _build, everything, query is EVERYTHING.query)
    return run.run([run.node(each) for each in aggs], query)


NODES: dict[type[dsl.Agg], Callable[[Any, Run], Node]] = {
    dsl.MetricAgg: MetricNode,
    dsl.CardinalityAgg: CardinalityNode,
    dsl.TermsAgg: TermsNode,
    dsl.HistogramAgg: NumberHistogramNode,
    dsl.DateHistogramAgg: DateHistogramNode,
    dsl.RangeAgg: RangeNode,
    dsl.FilterAgg: FilterNode,
    dsl.FiltersAgg: FiltersNode,
    dsl.MissingAgg: MissingNode,
    dsl.GlobalAgg: GlobalNode,
}
"""How each kind of aggregation is computed."""


def _build(agg: dsl.Agg, run: Run) -> Node:
    return NODES[type(agg)](agg, run)
