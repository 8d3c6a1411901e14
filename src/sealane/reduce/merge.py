"""Merges partial answers: of shards to a cluster's, of clusters to the final one. One algorithm for both.

Parts must have been asked from 0 for at least `from_ + size` hits, each in its final order. Aggregations are merged by
`aggs`; what a merged answer looks like as JSON is the reader's matter.
"""

from collections.abc import Sequence
from itertools import islice
from math import copysign
from operator import attrgetter
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model.dsl import TRACK_ALL, TRACK_NONE, SearchBody, SortField
from sealane.reduce.aggs import merge_aggs
from sealane.reduce.collapse import best_of_each
from sealane.reduce.kinds import DEFAULT_MAX_BUCKETS
from sealane.reduce.order import ip_bytes
from sealane.reduce.partial import Hit, Partial, ShardCounts, ShardFailure, SortValue, TotalHits
from sealane.reduce.profile import merge_profiles
from sealane.reduce.suggest import merge_suggestions

_SORT_CLASSES = {
    "long": "LONG",
    "date": "LONG",
    "date_nanos": "LONG",
    "boolean": "LONG",
    "double": "DOUBLE",
    "keyword": "STRING",
    "ip": "STRING",
    "score": "SCORE",
}
"""Types that compare with each other, under the reference's names."""


def merge(
    body: SearchBody,
    parts: Sequence[Partial],
    *,
    from_: int,
    size: int,
    final: bool,
    max_buckets: int = DEFAULT_MAX_BUCKETS,
    now_ms: int = 0,
    by_cluster: bool = False,
) -> Partial:
    """One answer of many: hits `from_` to `from_ + size`, totals, counts, failures and aggregations.

    `reduce_phases` of the result is 1; who merged clusters sets it to `cluster_reduce_phases`. `now_ms` is what `now`
    means in bounds of histograms. `by_cluster` says that each part is what a cluster has reduced by itself, in the
    reference's terms: with `ccs_minimize_roundtrips`. It changes the error bounds of terms.

    Raises IllegalArgument when a field's sort values cannot be compared,
    AggregationExecution and TooManyBuckets from the aggregations.
    """
    if len(parts) == 1:
        merged = _copy(parts[0], from_, size)
    else:
        merged = Partial(
            hits=merge_hits(body, parts, from_, size),
            total=_total(body, parts),
            max_score=max((p.max_score for p in parts if p.max_score is not None), default=None),
            shards=ShardCounts(
                sum(p.shards.total for p in parts),
                sum(p.shards.successful for p in parts),
                sum(p.shards.skipped for p in parts),
                sum(p.shards.failed for p in parts),
            ),
            failures=sorted((f for p in parts for f in p.failures), key=_failure_order),
            sort_types=next((p.sort_types for p in parts if p.hits and p.sort_types), None),
            timed_out=any(p.timed_out for p in parts),
            terminated_early=_terminated_early(parts),
        )
    merged.reduce_phases = 1 if parts else 0
    merged.final = final
    if body.suggest:
        merged.suggest = merge_suggestions(body, parts)
    merged.profile = merge_profiles(parts)
    trees = [part.aggs for part in parts if part.aggs is not None]
    if body.aggs and trees:
        merged.aggs = merge_aggs(
            body.aggs,
            trees,
            final=final,
            max_buckets=max_buckets,
            now_ms=now_ms,
            by_cluster=by_cluster,
        )
    return merged


def cluster_reduce_phases(parts: Sequence[Partial]) -> int:
    """`num_reduce_phases` of an answer merged of clusters: theirs, and the merge itself."""
    return 1 + sum(part.reduce_phases for part in parts) if parts else 0


def merge_hits(body: SearchBody, parts: Sequence[Partial], from_: int, size: int) -> list[Hit]:
    """The hits of a page over all parts. Equal ones are in the order of shards, then of their own part."""
    wanted = from_ + size
    hits = [hit for part in parts for hit in part.hits[:wanted]]
    if not hits or not size:
        return []
    columns = _columns(body, parts, hits)
    order = _ordered(list(range(len(hits))), columns)
    if _has_ties(order if body.collapse is not None else order[: wanted + 1], columns):
        by_shard = _by_shard(hits)
        if by_shard is not None:
            # Each pass is stable: what the last one begins with is how its ties end.
            order = _ordered(by_shard, columns)
    if body.collapse is None:
        return [hits[at] for at in order[from_:wanted]]
    return list(islice(best_of_each(hits[at] for at in order), from_, wanted))


_Column = tuple[list[Any], bool]
"""The values of one sort key, by hit, and whether they descend."""


def _columns(body: SearchBody, parts: Sequence[Partial], hits: list[Hit]) -> list[_Column]:
    if not body.sort:
        return [([-1.0 if hit.score is None else hit.score for hit in hits], True)]
    _check_sort_types(body.sort, parts)
    types = next((part.sort_types for part in parts if part.hits and part.sort_types), None)
    columns: list[_Column] = []
    for position, field in enumerate(body.sort):
        values: list[Any] = [hit.sort[position] if hit.sort else hit.score for hit in hits]
        if types and types[position : position + 1] == ["ip"]:
            values = [None if value is None else ip_bytes(value) for value in values]
        elif 0.0 in values and any(map(_is_negative_zero, values)):
            # The reference has -0.0 below 0.0.
            values = [None if value is None else (value, copysign(1.0, value)) for value in values]
        if None in values:
            # Missing values are last, or first, whichever way the others run.
            on_top = (field.missing == "_first") != field.descending
            values = [(not on_top,) if value is None else (on_top, value) for value in values]
        columns.append((values, field.descending))
    return columns


def _is_negative_zero(value: SortValue) -> bool:
    return value == 0.0 and isinstance(value, float) and copysign(1.0, value) < 0


def _ordered(order: list[int], columns: list[_Column]) -> list[int]:
    """By the columns, those that are equal in all of them as they come. Changes `order`."""
    # From the last key to the first; each pass merges runs that are sorted already.
    for keys, descending in reversed(columns):
        order.sort(key=keys.__getitem__, reverse=descending)
    return order


def _has_ties(order: list[int], columns: list[_Column]) -> bool:
    """Whether two hits, of those in order, are equal in all columns."""
    found = [map(keys.__getitem__, order) for keys, _ in columns]
    return len(set(found[0] if len(found) == 1 else zip(*found, strict=True))) < len(order)


def _by_shard(hits: list[Hit]) -> list[int] | None:
    """The hits' places in the order of their shards, those of one shard as they come; None where they are in it."""
    shards = list(map(_SHARD_OF, hits))
    distinct = dict.fromkeys(shards)
    ranks = {shard: rank for rank, shard in enumerate(sorted(distinct, key=_shard_order))}
    keys = list(map(ranks.__getitem__, shards))
    order = list(range(len(hits)))
    order.sort(key=keys.__getitem__)
    return None if keys == [keys[at] for at in order] else order


_SHARD_OF = attrgetter("shard", "index", "index_uuid")


def _shard_order(place: tuple[int, str, str]) -> tuple[int, str, str, str]:
    shard, index, uuid = place
    alias, _, name = index.rpartition(":")
    return shard, name, uuid, alias


def _check_sort_types(sort: tuple[SortField, ...], parts: Sequence[Partial]) -> None:
    seen: list[str | None] = [None] * len(sort)
    for part in parts:
        if not part.hits or not part.sort_types:
            continue
        for position, (field, kind) in enumerate(zip(sort, part.sort_types, strict=False)):
            name = _SORT_CLASSES.get(kind, kind.upper())
            if seen[position] is None:
                seen[position] = name
            elif seen[position] != name:
                raise IllegalArgument(
                    f"Can't sort on field [{field.field}]; the field has incompatible sort types: "
                    f"[{seen[position]}] and [{name}] across shards!"
                )


def _total(body: SearchBody, parts: Sequence[Partial]) -> TotalHits | None:
    limit = body.track_total_hits
    if not parts:
        return TotalHits(0)  # also where it was not asked for
    if limit == TRACK_NONE:
        return None
    totals = [part.total for part in parts if part.total is not None]
    value = sum(total.value for total in totals)
    exact = all(map(attrgetter("exact"), totals))
    if limit != TRACK_ALL and value > limit:
        return TotalHits(limit, False)
    return TotalHits(value, exact)


def _terminated_early(parts: Sequence[Partial]) -> bool | None:
    told = [part.terminated_early for part in parts if part.terminated_early is not None]
    return any(told) if told else None


def _failure_order(failure: ShardFailure) -> tuple[bool, int, str, str]:
    alias, _, name = (failure.index or "").rpartition(":")
    return failure.index is not None, failure.shard, name, alias


def _copy(part: Partial, from_: int, size: int) -> Partial:
    return Partial(
        hits=part.hits[from_ : from_ + size],
        total=part.total,
        max_score=part.max_score,
        shards=part.shards,
        aggs=part.aggs,
        failures=part.failures,
        sort_types=part.sort_types,
        timed_out=part.timed_out,
        terminated_early=part.terminated_early,
    )
