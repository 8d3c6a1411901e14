"""histogram and date_histogram: buckets by key, and at the end the empty ones between them."""

from collections.abc import Callable, Iterable
from math import floor

from sealane.model.dates import DEFAULT_FORMAT, Rounding, format_date, resolve_date_math
from sealane.model.dsl import BucketOrder, DateHistogramAgg, HistogramAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.order import sort_buckets
from sealane.reduce.partial import HistogramBucket, HistogramPartial

Number = float | int
_BY_KEY = BucketOrder("_key", True)


def merge_histograms(
    reduction: Reduction,
    spec: HistogramAgg | DateHistogramAgg,
    partials: list[HistogramPartial],
) -> HistogramPartial:
    """All sources' buckets, ascending by key; in the request's order and without gaps when final."""
    groups: dict[Number, list[HistogramBucket]] = {}
    for partial in partials:
        for bucket in partial.buckets:
            groups.setdefault(bucket.key, []).append(bucket)
    date_format = next((p.format for p in partials if p.format is not None), None)
    buckets = [
        HistogramBucket(
            key,
            sum(bucket.count for bucket in groups[key]),
            reduction.trees(spec.subs, [bucket.aggs for bucket in groups[key]]),
        )
        for key in sorted(groups)
    ]
    if reduction.final:
        buckets = [bucket for bucket in buckets if bucket.count >= spec.min_doc_count]
        reduction.count(len(buckets))
        if spec.min_doc_count == 0:
            buckets = _without_gaps(reduction, spec, buckets, date_format)
        if spec.order[0] != _BY_KEY:
            sort_buckets(buckets, spec.order, spec.subs)
    return HistogramPartial(buckets, format=date_format)


def _without_gaps(
    reduction: Reduction,
    spec: HistogramAgg | DateHistogramAgg,
    buckets: list[HistogramBucket],
    date_format: str | None,
) -> list[HistogramBucket]:
    floor_key, next_key, low, high = _scale(reduction, spec, date_format)
    filled: list[HistogramBucket] = []
    beside = buckets[0].aggs if buckets else None

    def fill(keys: Iterable[Number]) -> None:
        for key in keys:
            reduction.count(1)
            filled.append(HistogramBucket(key, 0, reduction.gap(spec.subs, beside)))

    def from_to(key: Number, stop: Number, *, inclusive: bool = False) -> Iterable[Number]:
        while key < stop or (inclusive and key == stop):
            yield key
            key = next_key(key)

    if not buckets:
        if low is not None and high is not None:
            fill(from_to(floor_key(low), high, inclusive=True))
        return filled
    if low is not None:
        fill(from_to(floor_key(low), buckets[0].key))
    for bucket in buckets:
        if filled and filled[-1].count:
            fill(from_to(next_key(filled[-1].key), bucket.key))
        filled.append(bucket)
    if high is not None:
        fill(from_to(next_key(buckets[-1].key), high, inclusive=True))
    return filled


Step = Callable[[Number], Number]


def _scale(
    reduction: Reduction, spec: HistogramAgg | DateHistogramAgg, date_format: str | None
) -> tuple[Step, Step, Number | None, Number | None]:
    """How a key is rounded down and followed, and the lowest and highest key that is wanted."""
    bounds = spec.extended_bounds
    if isinstance(spec, HistogramAgg):
        interval, offset = spec.interval, spec.offset

        def floor_number(value: Number) -> Number:
            return floor((value - offset) / interval) * interval + offset

        ends = [None, None] if bounds is None else [bounds.min, bounds.max]
        numbers = [None if end is None else float(end) for end in ends]
        return (
            floor_number,
            lambda key: floor_number(key + interval + interval / 2),
            numbers[0],
            numbers[1],
        )
    unit, interval_ms, where = spec.calendar_interval, spec.fixed_interval_ms, spec.time_zone
    rounding = Rounding(unit, interval_ms, time_zone=where, offset_ms=spec.offset_ms)
    # The reference rounds the bounds without the offset, and then moves them by it.
    whole = Rounding(unit, interval_ms, time_zone=where)
    dates: list[int | None] = [None, None]
    if bounds is not None:
        wanted = spec.format or date_format or DEFAULT_FORMAT
        for position, end in enumerate((bounds.min, bounds.max)):
            if end is not None:
                instant = resolve_date_math(end, reduction.now_ms, wanted, time_zone=where)
                dates[position] = whole.floor(instant) + spec.offset_ms
    return lambda key: key, lambda key: rounding.next(int(key)), dates[0], dates[1]


def _render(
    body: Json, spec: HistogramAgg | DateHistogramAgg, partial: HistogramPartial, show: Show
) -> None:
    # Without a format of its own a field that had values holds numbers; one that had none is taken for a date.
    is_date = isinstance(spec, DateHistogramAgg) and (
        partial.format is not None
        or spec.format is not None
        or not any(bucket.count for bucket in partial.buckets)
    )
    buckets: list[tuple[str, Json]] = []
    for bucket in partial.buckets:
        if isinstance(spec, DateHistogramAgg):
            key: float = int(bucket.key)
            wanted = spec.format or partial.format or DEFAULT_FORMAT
            text = format_date(key, wanted, spec.time_zone) if is_date else None
            name = text if text is not None else str(key)
        else:
            key = float(bucket.key)
            text = None
            if partial.format is not None:
                text = format_date(key, spec.format or partial.format)
            elif spec.format:
                text = decimal_format(key, spec.format)
            name = text if text is not None else java_double(key)
        shown: Json = {} if text is None else {"key_as_string": text}
        shown |= {"key": key, "doc_count": bucket.count}
        buckets.append((name, shown | show.aggs(spec.subs, bucket.aggs)))
    body["buckets"] = dict(buckets) if spec.keyed else [shown for _, shown in buckets]


for _spec, _name in ((HistogramAgg, "histogram"), (DateHistogramAgg, "date_histogram")):
    register(
        _spec,
        Kind(
            partial=HistogramPartial,
            merge=merge_histograms,
            render=_render,
            type_name=lambda *_, name=_name: name,
        ),
    )
