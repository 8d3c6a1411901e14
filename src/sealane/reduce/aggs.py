"""Aggregation trees: merged, and shown as the reference's JSON.

A merge that is not final keeps every bucket; the final one, at the top, drops, orders, cuts and fills gaps. Whether it
is final changes only what is kept, never how states add up. Importing this module registers every kind.
"""

from collections.abc import Callable, Mapping, Sequence

from sealane.model.dsl import Agg
from sealane.reduce import (
    analytics,
    auto_dates,
    composite,
    fixed_buckets,
    grids,
    histogram,
    metrics,
    multi_terms,
    percentiles,
    rare_terms,
    rates,
    samplers,
    significant,
    spans,
    terms,
    top_hits,
    value_metrics,
    variable_width,
)
from sealane.reduce.kinds import DEFAULT_MAX_BUCKETS, Json, Reduction, Show, Tree
from sealane.reduce.partial import AggPartial, InnerHits
from sealane.reduce.pipelines import run_pipelines

KINDS = (
    analytics,
    auto_dates,
    composite,
    fixed_buckets,
    grids,
    histogram,
    metrics,
    multi_terms,
    percentiles,
    rare_terms,
    rates,
    samplers,
    significant,
    spans,
    terms,
    top_hits,
    value_metrics,
    variable_width,
)
"""The modules that register kinds."""


def merge_aggs(
    specs: tuple[Agg, ...],
    trees: Sequence[Tree],
    *,
    final: bool,
    max_buckets: int = DEFAULT_MAX_BUCKETS,
    now_ms: int = 0,
    by_cluster: bool = False,
) -> Tree:
    """The tree of all sources. Raises AggregationExecution when types differ, TooManyBuckets at the final merge."""
    tree = Reduction(final, max_buckets, now_ms, by_cluster).trees(specs, trees) or {}
    if not final:
        return tree
    if rates.has_rates(specs):
        tree = rates.with_rates(specs, tree)
    return run_pipelines(specs, tree)


def render_aggs(
    specs: tuple[Agg, ...],
    tree: Mapping[str, AggPartial],
    *,
    typed_keys: bool = False,
    hits: Callable[[InnerHits], Json] | None = None,
) -> Json:
    """The `aggregations` object. `tree` must come from a final merge. `typed_keys` writes `sterms#name`.

    `hits` makes the JSON of hits, where the request has top_hits.
    """
    return Show(typed_keys, hits).aggs(specs, tree)
