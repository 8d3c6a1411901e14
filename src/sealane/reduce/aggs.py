"""Merges aggregation trees: every kind's state, closed under merge.

A merge that is not final keeps every bucket; the final one, at the top, drops, orders, cuts and fills gaps. Whether it
is final changes only what is kept, never how states add up. JSON is `render`'s matter.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sealane.errors import AggregationExecution, TooManyBuckets
from sealane.model.dates import DEFAULT_FORMAT, resolve_date_math
from sealane.model.dsl import (
    Agg,
    CardinalityAgg,
    DateHistogramAgg,
    FiltersAgg,
    HistogramAgg,
    MetricAgg,
    RangeAgg,
    Scalar,
    TermsAgg,
)
from sealane.reduce.hll import merge_partials
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CardinalityPartial,
    CountBucket,
    HistogramPartial,
    MetricPartial,
    TermsPartial,
)

DEFAULT_MAX_BUCKETS = 65_536
"""`search.max_buckets`."""

Tree = dict[str, AggPartial]


class Reduction:
    """One merge: whether it is final, the time it is for, and how many buckets it may still make.

    `by_cluster` says that each source is a cluster's answer, not a shard's.
    """

    __slots__ = ("buckets", "by_cluster", "final", "max_buckets", "now_ms")

    def __init__(self, final: bool, max_buckets: int, now_ms: int, by_cluster: bool) -> None:
        self.final = final
        self.by_cluster = by_cluster
        self.max_buckets = max_buckets
        self.now_ms = now_ms
        self.buckets = 0

    def count(self, buckets: int) -> None:
        """Raises TooManyBuckets when a final answer grows over the limit."""
        if self.final:
            self.buckets += buckets
            if self.buckets > self.max_buckets:
                raise TooManyBuckets(self.max_buckets)

    def trees(
        self, specs: tuple[Agg, ...], trees: Sequence[Mapping[str, AggPartial] | None]
    ) -> Tree | None:
        """The merged sub-aggregations of one bucket; None when there are none in the request."""
        if not specs:
            return None
        present = [tree for tree in trees if tree]
        return {
            spec.name: self.one(spec, [tree[spec.name] for tree in present if spec.name in tree])
            for spec in specs
        }

    def one(self, spec: Agg, partials: Sequence[AggPartial]) -> AggPartial:
        """All sources' states of one aggregation; an empty state without sources."""
        from sealane.reduce.histogram import merge_histograms
        from sealane.reduce.terms import merge_terms

        match spec:
            case MetricAgg():
                return _metric(spec, _of(MetricPartial, spec, partials))
            case CardinalityAgg():
                states = _of(CardinalityPartial, spec, partials)
                return merge_partials(states, spec.precision_threshold)
            case TermsAgg():
                return merge_terms(self, spec, _of(TermsPartial, spec, partials))
            case HistogramAgg() | DateHistogramAgg():
                return merge_histograms(self, spec, _of(HistogramPartial, spec, partials))
        return _buckets(self, spec, _of(BucketsPartial, spec, partials))


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


_P = TypeVar(
    "_P", MetricPartial, CardinalityPartial, TermsPartial, HistogramPartial, BucketsPartial
)


def _of(kind: type[_P], spec: Agg, partials: Sequence[AggPartial]) -> list[_P]:
    states = [partial for partial in partials if isinstance(partial, kind)]
    if len(states) != len(partials):
        raise AggregationExecution(
            f"aggregation [{spec.name}] was answered with states of different kinds"
        )
    return states


def _metric(spec: MetricAgg, partials: list[MetricPartial]) -> MetricPartial:
    counted = [partial for partial in partials if partial.count]
    leader = (counted or partials or [MetricPartial(0, 0.0, None, None)])[0]
    return MetricPartial(
        count=sum(partial.count for partial in partials),
        sum=compensated_sum(partial.sum for partial in partials),
        min=min((p.min for p in counted if p.min is not None), default=None),
        max=max((p.max for p in counted if p.max is not None), default=None),
        sum_of_squares=compensated_sum(partial.sum_of_squares for partial in partials),
        value_type=leader.value_type,
        format=leader.format,
    )


def _buckets(reduction: Reduction, spec: Agg, partials: list[BucketsPartial]) -> BucketsPartial:
    """Buckets that the request fixes: added up by position."""
    if not partials:
        partials = [_no_documents(reduction, spec)]
    width = len(partials[0].buckets)
    if any(len(partial.buckets) != width for partial in partials):
        raise AggregationExecution(
            f"aggregation [{spec.name}] was answered with different numbers of buckets"
        )
    if isinstance(spec, RangeAgg | FiltersAgg):
        reduction.count(width)
    return BucketsPartial(
        [
            CountBucket(
                sum(partial.buckets[at].count for partial in partials),
                reduction.trees(spec.subs, [partial.buckets[at].aggs for partial in partials]),
            )
            for at in range(width)
        ],
        bounds=next((p.bounds for p in partials if p.bounds is not None), None),
        format=next((p.format for p in partials if p.format is not None), None),
    )


def _no_documents(reduction: Reduction, spec: Agg) -> BucketsPartial:
    """The buckets of a request that no source answered: under an empty bucket."""
    if isinstance(spec, FiltersAgg):
        width = len(spec.filters) + (spec.other_bucket_key is not None)
        return BucketsPartial([CountBucket(0) for _ in range(width)])
    if not isinstance(spec, RangeAgg):
        return BucketsPartial([CountBucket(0)])

    def end(value: Scalar | None) -> float | None:
        if value is None or not spec.date:
            return None if value is None else float(value)
        wanted = spec.format or DEFAULT_FORMAT
        return resolve_date_math(value, reduction.now_ms, wanted, time_zone=spec.time_zone)

    return BucketsPartial(
        [CountBucket(0) for _ in spec.ranges],
        bounds=[(end(each.from_), end(each.to)) for each in spec.ranges],
    )
