"""Aggregation trees: merged, and shown as the reference's JSON.

A merge that is not final keeps every bucket; the final one, at the top, drops, orders, cuts and fills gaps. Whether it
is final changes only what is kept, never how states add up. Importing this module registers every kind.
"""

from collections.abc import Mapping, Sequence

from sealane.model.dsl import Agg
from sealane.reduce import fixed_buckets, histogram, metrics, terms
from sealane.reduce.kinds import DEFAULT_MAX_BUCKETS, Json, Reduction, Show, Tree
from sealane.reduce.partial import AggPartial

KINDS = (fixed_buckets, histogram, metrics, terms)
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
    return Reduction(final, max_buckets, now_ms, by_cluster).trees(specs, trees) or {}


def render_aggs(
    specs: tuple[Agg, ...], tree: Mapping[str, AggPartial], *, typed_keys: bool = False
) -> Json:
    """The `aggregations` object. `tree` must come from a final merge. `typed_keys` writes `sterms#name`."""
    return Show(typed_keys).aggs(specs, tree)
