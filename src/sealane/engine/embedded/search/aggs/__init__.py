"""Aggregations of one shard: specs of the DSL to partials that merge."""

from collections.abc import Callable

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
from sealane.errors import IllegalArgument
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


def _build(agg: dsl.Agg, run: Run) -> Node:
    match agg:
        case dsl.MetricAgg():
            return MetricNode(agg, run)
        case dsl.CardinalityAgg():
            return CardinalityNode(agg, run)
        case dsl.TermsAgg():
            return TermsNode(agg, run)
        case dsl.HistogramAgg():
            return NumberHistogramNode(agg, run)
        case dsl.DateHistogramAgg():
            return DateHistogramNode(agg, run)
        case dsl.RangeAgg():
            return RangeNode(agg, run)
        case dsl.FilterAgg():
            return FilterNode(agg, run)
        case dsl.FiltersAgg():
            return FiltersNode(agg, run)
        case dsl.MissingAgg():
            return MissingNode(agg, run)
        case dsl.GlobalAgg():
            return GlobalNode(agg, run)
    raise IllegalArgument(f"no such aggregation [{type(agg).__name__}]")
