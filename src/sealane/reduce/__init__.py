"""Partial answers and their merge. Pure."""

from sealane.reduce.aggs import merge_aggs, render_aggs
from sealane.reduce.kinds import DEFAULT_MAX_BUCKETS
from sealane.reduce.memo import IdentityMemo, MergeMemo, is_large
from sealane.reduce.merge import cluster_reduce_phases, merge
from sealane.reduce.partial import ClusterAnswer, Partial
from sealane.reduce.phases import reduce_phases

__all__ = [
    "DEFAULT_MAX_BUCKETS",
    "ClusterAnswer",
    "IdentityMemo",
    "MergeMemo",
    "Partial",
    "cluster_reduce_phases",
    "is_large",
    "merge",
    "merge_aggs",
    "reduce_phases",
    "render_aggs",
]
