"""Aggregations of one shard: specs of the DSL to partials that merge."""

from collections.abc import Callable, Sequence
from typing import Any

import tantivy

from sealane.engine.embedded.search.aggs.addresses import IpPrefixNode, IpRangeNode
from sealane.engine.embedded.search.aggs.analytics import (
    MatrixStatsNode,
    StringStatsNode,
    TTestNode,
)
from sealane.engine.embedded.search.aggs.cardinality import CardinalityNode
from sealane.engine.embedded.search.aggs.composite import CompositeNode
from sealane.engine.embedded.search.aggs.filters import (
    AdjacencyNode,
    FilterNode,
    FiltersNode,
    GlobalNode,
    MissingNode,
)
from sealane.engine.embedded.search.aggs.fitted import AutoDateNode, VariableWidthNode
from sealane.engine.embedded.search.aggs.grids import GeoDistanceNode, GeoGridNode
from sealane.engine.embedded.search.aggs.histograms import DateHistogramNode, NumberHistogramNode
from sealane.engine.embedded.search.aggs.keyed import MultiTermsNode, RareTermsNode
from sealane.engine.embedded.search.aggs.metrics import MetricNode
from sealane.engine.embedded.search.aggs.nesting import check_parents
from sealane.engine.embedded.search.aggs.places import BoundsNode, CentroidNode
from sealane.engine.embedded.search.aggs.ranges import RangeNode
from sealane.engine.embedded.search.aggs.rates import RateNode
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.aggs.samplers import RandomSamplerNode, SamplerNode
from sealane.engine.embedded.search.aggs.significant_text import significant_node
from sealane.engine.embedded.search.aggs.sketches import DigestNode, HdrNode
from sealane.engine.embedded.search.aggs.terms import TermsNode
from sealane.engine.embedded.search.aggs.top_hits import TopHitsNode, TopMetricsNode
from sealane.engine.embedded.search.aggs.weighted import WeightedAvgNode
from sealane.engine.embedded.search.scope import EVERYTHING, Compiled, Scope
from sealane.model import dsl
from sealane.model.dsl.joined import NestedAgg, ReverseNestedAgg
from sealane.reduce.partial import AggPartial

__all__ = ["aggregate"]


def aggregate(
    aggs: tuple[dsl.Agg, ...],
    query: tantivy.Query,
    everything: tantivy.Query,
    scope: Scope,
    check: Callable[[], None],
    *,
    score: float | None = 1.0,
    asked: dsl.SearchBody | None = None,
    named: Sequence[tuple[str, tantivy.Query]] = (),
) -> dict[str, AggPartial]:
    """The partials of `aggs` for the documents of `query`, by name in the order of the request.

    `everything` is what a global aggregation sees: all documents that the reader may see. `score` is the
    one that all documents have, None where they differ;
    `asked` is the search before it was compiled, `named` are its named queries. Raises ApiError.
    """
    check_parents(aggs)
    run = Run(
        scope,
        check,
        _build,
        everything,
        unfiltered=query is EVERYTHING.query,
        searched=Compiled(query, score),
        asked=asked,
        named=named,
    )
    return run.run([run.node(each) for each in aggs if not each.is_pipeline], query)


def _nested_node(agg: NestedAgg, run: Run) -> Node:
    from sealane.engine.embedded.search.aggs.nested import NestedNode

    return NestedNode(agg, run)


def _reverse_nested_node(agg: ReverseNestedAgg, run: Run) -> Node:
    from sealane.engine.embedded.search.aggs.nested import ReverseNestedNode

    return ReverseNestedNode(agg, run)


NODES: dict[type[dsl.Agg], Callable[[Any, Run], Node]] = {
    dsl.MetricAgg: MetricNode,
    dsl.CardinalityAgg: CardinalityNode,
    dsl.PercentilesAgg: DigestNode,
    dsl.SketchAgg: DigestNode,
    dsl.HdrPercentilesAgg: HdrNode,
    dsl.WeightedAvgAgg: WeightedAvgNode,
    dsl.GeoBoundsAgg: BoundsNode,
    dsl.GeoCentroidAgg: CentroidNode,
    dsl.TopHitsAgg: TopHitsNode,
    dsl.TopMetricsAgg: TopMetricsNode,
    dsl.StringStatsAgg: StringStatsNode,
    dsl.MatrixStatsAgg: MatrixStatsNode,
    dsl.TTestAgg: TTestNode,
    dsl.RateAgg: RateNode,
    dsl.TermsAgg: TermsNode,
    dsl.HistogramAgg: NumberHistogramNode,
    dsl.DateHistogramAgg: DateHistogramNode,
    dsl.RangeAgg: RangeNode,
    dsl.FilterAgg: FilterNode,
    dsl.FiltersAgg: FiltersNode,
    dsl.MissingAgg: MissingNode,
    dsl.GlobalAgg: GlobalNode,
    dsl.CompositeAgg: CompositeNode,
    dsl.MultiTermsAgg: MultiTermsNode,
    dsl.RareTermsAgg: RareTermsNode,
    dsl.SignificantTermsAgg: significant_node,
    dsl.IpRangeAgg: IpRangeNode,
    dsl.IpPrefixAgg: IpPrefixNode,
    dsl.SamplerAgg: SamplerNode,
    dsl.RandomSamplerAgg: RandomSamplerNode,
    dsl.VariableWidthHistogramAgg: VariableWidthNode,
    dsl.AutoDateHistogramAgg: AutoDateNode,
    dsl.AdjacencyMatrixAgg: AdjacencyNode,
    dsl.GeoGridAgg: GeoGridNode,
    dsl.GeoDistanceAgg: GeoDistanceNode,
    NestedAgg: _nested_node,
    ReverseNestedAgg: _reverse_nested_node,
}
"""How each kind of aggregation is computed."""


def _build(agg: dsl.Agg, run: Run) -> Node:
    return NODES[type(agg)](agg, run)
