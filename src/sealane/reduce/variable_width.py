"""variable_width_histogram: clusters of values, of which the two nearest are merged until few enough are left."""

import heapq
import itertools

from sealane.model.dsl import VariableWidthHistogramAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.partial import VariableWidthPartial, WidthBucket


def merge_widths(
    reduction: Reduction,
    spec: VariableWidthHistogramAgg,
    partials: list[VariableWidthPartial],
) -> VariableWidthPartial:
    """All sources' clusters; at the end as many as asked for, and none reaching into the next.

    Of whole clusters' answers each is reduced to that many first, as the reference does.
    """
    if reduction.by_cluster and reduction.final and len(partials) > 1:
        partials = [_few(reduction, spec, partial) for partial in partials]
    groups: dict[float, list[WidthBucket]] = {}
    for partial in partials:
        for bucket in partial.buckets:
            groups.setdefault(bucket.centroid, []).append(bucket)
    clusters = [(centroid, groups[centroid]) for centroid in sorted(groups)]
    if reduction.final:
        clusters = _nearest_merged(clusters, spec.buckets)
    buckets = [_one(reduction, spec, *each) for each in clusters]
    if reduction.final:
        buckets = _same_starts_merged(reduction, spec, buckets)
        _part(buckets)
        reduction.count(len(buckets))
    return VariableWidthPartial(buckets)


def _few(
    reduction: Reduction, spec: VariableWidthHistogramAgg, partial: VariableWidthPartial
) -> VariableWidthPartial:
    clusters = [(bucket.centroid, [bucket]) for bucket in partial.buckets]
    merged = _nearest_merged(clusters, spec.buckets)
    return VariableWidthPartial([_one(reduction, spec, *each) for each in merged])


_Cluster = tuple[float, list[WidthBucket]]
"""The mean of the values, and what makes it up."""


def _nearest_merged(clusters: list[_Cluster], most: int) -> list[_Cluster]:
    """At most `most` clusters: those nearest to each other, the first of equals, become one.

    The gaps wait in a heap; one whose clusters have changed since is passed over. `after` and `before` link those
    that are left.
    """
    if len(clusters) <= most:
        return clusters
    last = len(clusters)
    centroids = [centroid for centroid, _ in clusters]
    parts = [list(each) for _, each in clusters]
    counts = [sum(bucket.count for bucket in each) for each in parts]
    after, before = list(range(1, last + 1)), list(range(-1, last - 1))
    gaps = [(centroids[at + 1] - centroids[at], at, at + 1) for at in range(last - 1)]
    heapq.heapify(gaps)

    def measure(at: int) -> None:
        if at >= 0 and after[at] < last:
            heapq.heappush(gaps, (centroids[after[at]] - centroids[at], at, after[at]))

    left = last
    while left > most and gaps:
        gap, at, other = heapq.heappop(gaps)
        if not counts[at] or after[at] != other or gap != centroids[other] - centroids[at]:
            continue
        centroids[at] = _mean(centroids[at], counts[at], centroids[other], counts[other])
        parts[at] += parts[other]
        counts[at], counts[other] = counts[at] + counts[other], 0
        after[at] = after[other]
        if after[at] < last:
            before[after[at]] = at
        measure(before[at])
        measure(at)
        left -= 1
    return [(centroids[at], parts[at]) for at in range(last) if counts[at]]


def _mean(one: float, count: int, other: float, others: int) -> float:
    return (one * count + other * others) / (count + others)


def _one(
    reduction: Reduction,
    spec: VariableWidthHistogramAgg,
    centroid: float,
    cluster: list[WidthBucket],
) -> WidthBucket:
    return WidthBucket(
        min(bucket.min for bucket in cluster),
        max(bucket.max for bucket in cluster),
        centroid,
        sum(bucket.count for bucket in cluster),
        reduction.trees(spec.subs, [bucket.aggs for bucket in cluster]),
    )


def _same_starts_merged(
    reduction: Reduction, spec: VariableWidthHistogramAgg, buckets: list[WidthBucket]
) -> list[WidthBucket]:
    merged: list[WidthBucket] = []
    for bucket in buckets:
        if merged and merged[-1].min == bucket.min:
            last = merged[-1]
            centroid = _mean(last.centroid, last.count, bucket.centroid, bucket.count)
            merged[-1] = _one(reduction, spec, centroid, [last, bucket])
        else:
            merged.append(bucket)
    return merged


def _part(buckets: list[WidthBucket]) -> None:
    """Overlapping neighbours meet in the middle."""
    for before, after in itertools.pairwise(buckets):
        if after.min < before.max:
            before.max = after.min = (after.min + before.max) / 2


def _render(
    body: Json, spec: VariableWidthHistogramAgg, partial: VariableWidthPartial, show: Show
) -> None:
    body["buckets"] = [
        {"min": each.min, "key": each.centroid, "max": each.max, "doc_count": each.count}
        | show.aggs(spec.subs, each.aggs)
        for each in partial.buckets
    ]


register(
    VariableWidthHistogramAgg,
    Kind(
        partial=VariableWidthPartial,
        merge=merge_widths,
        render=_render,
        type_name=lambda *_: "variable_width_histogram",
    ),
)
