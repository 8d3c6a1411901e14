"""Buckets that the request fixes: range, date_range, filters, filter, missing, global. They add up by position."""

from typing import Any

import msgspec

from sealane.errors import UnfitState
from sealane.model.dates import DEFAULT_FORMAT, format_date, resolve_date_math
from sealane.model.dsl import (
    Agg,
    FilterAgg,
    FiltersAgg,
    GlobalAgg,
    MissingAgg,
    RangeAgg,
    Scalar,
)
from sealane.model.dsl.joined import NestedAgg, ReverseNestedAgg
from sealane.reduce.kinds import Json, Kind, NoNumber, Reduction, Show, register
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.partial import BucketsPartial, CountBucket


def merge_buckets(
    reduction: Reduction, spec: Agg, partials: list[BucketsPartial]
) -> BucketsPartial:
    """Buckets that the request fixes: added up by position."""
    if not partials:
        partials = [_no_documents(reduction, spec)]
    width = len(partials[0].buckets)
    if any(len(partial.buckets) != width for partial in partials):
        raise UnfitState(
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
        if value is None:
            return None
        if not spec.date and (number := _end(value)) is not None:
            return number
        wanted = spec.format or DEFAULT_FORMAT
        return resolve_date_math(value, reduction.now_ms, wanted, time_zone=spec.time_zone)

    return BucketsPartial(
        [CountBucket(0) for _ in spec.ranges],
        bounds=[(end(each.from_), end(each.to)) for each in spec.ranges],
    )


def _ranges(body: Json, spec: RangeAgg, partial: BucketsPartial, show: Show) -> None:
    ends = partial.bounds or [(_end(each.from_), _end(each.to)) for each in spec.ranges]
    places = range(len(ends)) if partial.places is None else partial.places
    kept = [(spec.ranges[at], ends[at]) for at in places]
    rows = [(*pair, bucket) for pair, bucket in zip(kept, partial.buckets, strict=True)]
    if partial.places is None:
        # Their order is known only once their ends are.
        rows.sort(key=lambda row: _position(row[1]))

    # A field of dates shows them in a plain range too, and one of numbers no dates in a date_range.
    shows_dates = partial.format != "" and (spec.date or partial.format is not None)

    def text(end: float) -> str | None:
        if shows_dates:
            wanted = spec.format or partial.format or DEFAULT_FORMAT
            return format_date(end, wanted, spec.time_zone or "UTC")
        return decimal_format(end, spec.format) if spec.format else None

    buckets: list[tuple[str, Json]] = []
    for each, (low, high), bucket in rows:
        shown: Json = {}
        parts = []
        for name, end in (("from", low), ("to", high)):
            if end is None:
                parts.append("*")
                continue
            shown[name] = float(end)
            as_text = text(end)
            if as_text is not None:
                shown[f"{name}_as_string"] = as_text
            parts.append(as_text if as_text is not None else java_double(end))
        key = each.key if each.key is not None else "-".join(parts)
        shown["doc_count"] = bucket.count
        buckets.append((key, shown | show.aggs(spec.subs, bucket.aggs)))
    if spec.keyed:
        body["buckets"] = dict(buckets)
    else:
        body["buckets"] = [{"key": key} | shown for key, shown in buckets]


def in_shown_order(spec: Agg, partial: BucketsPartial) -> BucketsPartial:
    """The buckets in the order in which the answer has them: of ranges, that of their ends."""
    ends = partial.bounds
    if not isinstance(spec, RangeAgg) or partial.places is not None or not ends:
        return partial
    places = sorted(range(len(ends)), key=lambda at: _position(ends[at]))
    return msgspec.structs.replace(
        partial, buckets=[partial.buckets[at] for at in places], places=places
    )


def _end(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _position(ends: tuple[float | None, float | None]) -> tuple[float, float]:
    low, high = ends
    return (
        float("-inf") if low is None else low,
        float("inf") if high is None else high,
    )


def _filters(body: Json, spec: FiltersAgg, partial: BucketsPartial, show: Show) -> None:
    def shown(bucket: CountBucket) -> Json:
        return {"doc_count": bucket.count} | show.aggs(spec.subs, bucket.aggs)

    buckets = [shown(bucket) for bucket in partial.buckets]
    if spec.keys is None:
        body["buckets"] = buckets
        return
    keys = [*spec.keys]
    if spec.other_bucket_key is not None:
        keys.append(spec.other_bucket_key)
    if partial.places is not None:
        keys = [keys[at] for at in partial.places]
    if spec.keyed:
        body["buckets"] = dict(zip(keys, buckets, strict=True))
    else:
        body["buckets"] = [{"key": key} | bucket for key, bucket in zip(keys, buckets, strict=True)]


def render_single(body: Json, spec: Agg, partial: BucketsPartial, show: Show) -> None:
    """A kind that has one bucket only, and no key."""
    body["doc_count"] = partial.buckets[0].count
    body |= show.aggs(spec.subs, partial.buckets[0].aggs)


def single_number(spec: Agg, partial: BucketsPartial, member: str) -> float:
    """The documents of the only bucket. Raises NoNumber."""
    if member and member != "doc_count":
        raise NoNumber(
            f"Unknown value key [{member}] for single-bucket aggregation [{spec.name}]. "
            "Either use [doc_count] as key or drop the key all together."
        )
    return float(partial.buckets[0].count)


def register_single(spec: type[Agg], name: str) -> None:
    """Registers a kind that has one bucket only."""
    register(
        spec,
        Kind(
            partial=BucketsPartial,
            merge=merge_buckets,
            render=render_single,
            type_name=lambda *_: name,
            number=single_number,
            is_single_bucket=True,
        ),
    )


register(
    RangeAgg,
    Kind(
        partial=BucketsPartial,
        merge=merge_buckets,
        render=_ranges,
        type_name=lambda spec, _: "date_range" if spec.date else "range",
    ),
)
register(
    FiltersAgg,
    Kind(
        partial=BucketsPartial,
        merge=merge_buckets,
        render=_filters,
        type_name=lambda *_: "filters",
    ),
)
register_single(FilterAgg, "filter")
register_single(MissingAgg, "missing")
register_single(GlobalAgg, "global")
register_single(NestedAgg, "nested")
register_single(ReverseNestedAgg, "reverse_nested")
