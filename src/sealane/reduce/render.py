"""Final aggregations as the reference's JSON: its member order, its nulls, its texts."""

from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.model.dsl import (
    Agg,
    CardinalityAgg,
    DateHistogramAgg,
    FiltersAgg,
    HistogramAgg,
    MetricAgg,
    MetricKind,
    RangeAgg,
    TermsAgg,
)
from sealane.reduce.hll import cardinality_of
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.order import metric_value, type_name
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CardinalityPartial,
    CountBucket,
    HistogramPartial,
    MetricPartial,
    TermsPartial,
)

Json = dict[str, Any]


def render_aggs(
    specs: tuple[Agg, ...], tree: Mapping[str, AggPartial], *, typed_keys: bool = False
) -> Json:
    """The `aggregations` object. `tree` must come from a final merge. `typed_keys` writes `sterms#name`."""
    answer: Json = {}
    for spec in specs:
        partial = tree[spec.name]
        body: Json = {} if spec.meta is None else {"meta": spec.meta}
        _render(body, spec, partial, typed_keys)
        answer[f"{type_name(spec, partial)}#{spec.name}" if typed_keys else spec.name] = body
    return answer


def _render(body: Json, spec: Agg, partial: AggPartial, typed: bool) -> None:
    match spec, partial:
        case MetricAgg(), MetricPartial():
            _metric(body, spec, partial)
        case CardinalityAgg(), CardinalityPartial():
            body["value"] = cardinality_of(partial)
        case TermsAgg(), TermsPartial():
            _terms(body, spec, partial, typed)
        case ((HistogramAgg() | DateHistogramAgg()), HistogramPartial()):
            _histogram(body, spec, partial, typed)
        case RangeAgg(), BucketsPartial():
            _ranges(body, spec, partial, typed)
        case FiltersAgg(), BucketsPartial():
            _filters(body, spec, partial, typed)
        case _, BucketsPartial():
            body["doc_count"] = partial.buckets[0].count
            body |= _subs(spec, partial.buckets[0].aggs, typed)
        case _:
            raise AssertionError(f"{type(spec).__name__} answered by {type(partial).__name__}")


def _subs(spec: Agg, tree: Mapping[str, AggPartial] | None, typed: bool) -> Json:
    return render_aggs(spec.subs, tree or {}, typed_keys=typed) if spec.subs else {}


# -- values as text ----------------------------------------------------------------------------------------------


def _text(value: float, kind: str | None, wanted: str | None, own: str | None) -> str | None:
    """A value under the request's format, or its field's; None where neither writes it as text."""
    if kind == "date":
        return format_date(_as_long(value), wanted or own or DEFAULT_FORMAT)
    if kind == "boolean":
        return "true" if value else "false"
    return decimal_format(value, wanted) if wanted else None


def _as_long(value: float) -> int:
    """A double as Java makes it a long: what is no number is 0, what is too large the largest."""
    return 0 if isnan(value) else int(max(-(2.0**63), min(value, _LONG_MAX)))


_LONG_MAX = 2**63 - 1


# -- metrics -----------------------------------------------------------------------------------------------------


def _metric(body: Json, spec: MetricAgg, partial: MetricPartial) -> None:
    def text(value: float) -> str | None:
        return _text(value, partial.value_type, spec.format, partial.format)

    if spec.kind in (MetricKind.STATS, MetricKind.EXTENDED_STATS):
        # Here, and only here, the reference writes booleans as such.
        plain = bool if partial.value_type == "boolean" else text
        _stats(body, partial, plain)
        if spec.kind is MetricKind.EXTENDED_STATS:
            _extended_stats(body, spec, partial, text, plain)
        return
    if spec.kind is MetricKind.VALUE_COUNT:
        body["value"] = partial.count
        return
    value = metric_value(partial, spec.kind)
    body["value"] = _number(value)
    shown = text(value) if isfinite(value) and (partial.count or spec.format) else None
    if shown is not None:
        body["value_as_string"] = shown


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


_STATS = ("min", "max", "avg", "sum")


def _stats(body: Json, partial: MetricPartial, text: Any) -> None:
    body["count"] = partial.count
    values = {name: metric_value(partial, name) for name in _STATS}
    body |= {name: _number(value) for name, value in values.items()}
    if partial.count:
        body |= _as_strings(values, text)


_SQUARES = ("sum_of_squares", "variance", "variance_population", "variance_sampling")
_DEVIATIONS = ("std_deviation", "std_deviation_population", "std_deviation_sampling")
_BOUNDS = (
    "upper",
    "lower",
    "upper_population",
    "lower_population",
    "upper_sampling",
    "lower_sampling",
)


def _extended_stats(
    body: Json, spec: MetricAgg, partial: MetricPartial, text: Any, plain: Any
) -> None:
    if not partial.count:
        body |= dict.fromkeys(_SQUARES + _DEVIATIONS)
        body["std_deviation_bounds"] = dict.fromkeys(_BOUNDS)
        return
    squares = {name: metric_value(partial, name) for name in _SQUARES}
    deviations = {name: metric_value(partial, name) for name in _DEVIATIONS}
    bounds = {name: metric_value(partial, f"std_{name}", spec.sigma) for name in _BOUNDS}
    body |= {name: _or_word(value) for name, value in (squares | deviations).items()}
    body["std_deviation_bounds"] = {name: _or_word(value) for name, value in bounds.items()}
    body |= _as_strings(squares, plain)
    strings = _as_strings(deviations, text)
    if strings:
        body |= strings
        body["std_deviation_bounds_as_string"] = {name: text(v) for name, v in bounds.items()}


def _or_word(value: float) -> float | str:
    """A number, or its name where JSON has none for it."""
    return float(value) if isfinite(value) else java_double(value)


def _as_strings(values: Mapping[str, float], text: Any) -> Json:
    shown = {f"{name}_as_string": text(value) for name, value in values.items()}
    return {name: value for name, value in shown.items() if value is not None}


# -- buckets -----------------------------------------------------------------------------------------------------


def _terms(body: Json, spec: TermsAgg, partial: TermsPartial, typed: bool) -> None:
    body["doc_count_error_upper_bound"] = partial.error or 0
    body["sum_other_doc_count"] = partial.other
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        shown: Json = {"key": bucket.key}
        if not isinstance(bucket.key, str):
            text = _text(bucket.key, partial.key_type, spec.format, partial.format)
            if text is not None:
                shown["key_as_string"] = text
        shown["doc_count"] = bucket.count
        if spec.show_term_doc_count_error:
            shown["doc_count_error_upper_bound"] = bucket.error
        buckets.append(shown | _subs(spec, bucket.aggs, typed))


def _histogram(
    body: Json, spec: HistogramAgg | DateHistogramAgg, partial: HistogramPartial, typed: bool
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
            text = decimal_format(key, spec.format) if spec.format else None
            name = text if text is not None else java_double(key)
        shown: Json = {} if text is None else {"key_as_string": text}
        shown |= {"key": key, "doc_count": bucket.count}
        buckets.append((name, shown | _subs(spec, bucket.aggs, typed)))
    body["buckets"] = dict(buckets) if spec.keyed else [shown for _, shown in buckets]


def _ranges(body: Json, spec: RangeAgg, partial: BucketsPartial, typed: bool) -> None:
    ends = partial.bounds or [(_end(each.from_), _end(each.to)) for each in spec.ranges]
    rows = list(zip(spec.ranges, ends, partial.buckets, strict=True))
    if spec.date:
        # Their order is known only once their ends are.
        rows.sort(key=lambda row: _position(row[1]))

    def text(end: float) -> str | None:
        if spec.date:
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
        buckets.append((key, shown | _subs(spec, bucket.aggs, typed)))
    if spec.keyed:
        body["buckets"] = dict(buckets)
    else:
        body["buckets"] = [{"key": key} | shown for key, shown in buckets]


def _end(value: Any) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _position(ends: tuple[float | None, float | None]) -> tuple[float, float]:
    low, high = ends
    return (
        float("-inf") if low is None else low,
        float("inf") if high is None else high,
    )


def _filters(body: Json, spec: FiltersAgg, partial: BucketsPartial, typed: bool) -> None:
    def shown(bucket: CountBucket) -> Json:
        return {"doc_count": bucket.count} | _subs(spec, bucket.aggs, typed)

    buckets = [shown(bucket) for bucket in partial.buckets]
    if spec.keys is None:
        body["buckets"] = buckets
        return
    keys = [*spec.keys]
    if spec.other_bucket_key is not None:
        keys.append(spec.other_bucket_key)
    if spec.keyed:
        body["buckets"] = dict(zip(keys, buckets, strict=True))
    else:
        body["buckets"] = [{"key": key} | bucket for key, bucket in zip(keys, buckets, strict=True)]
