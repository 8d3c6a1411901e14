"""Sibling pipelines: the numbers of all buckets of another aggregation, made one or a few; and how pipelines show."""

from collections.abc import Mapping, Sequence
from math import floor, inf, isfinite, nan
from typing import Any

from sealane.model.buckets_path import flat_path, is_bucket_key
from sealane.model.dsl import (
    Agg,
    BucketMetricAgg,
    BucketMetricKind,
    BucketScriptAgg,
    MetricAgg,
    MetricKind,
    MovingPercentilesAgg,
    PipelineAgg,
    SeriesAgg,
    SeriesKind,
)
from sealane.reduce.bucket_values import bucket_of, key_texts, value_at
from sealane.reduce.kinds import (
    Json,
    Kind,
    NoNumber,
    NotNumeric,
    Reduction,
    Show,
    kind_of,
    register,
    type_name,
)
from sealane.reduce.metric_states import PointsPartial, ValuePartial
from sealane.reduce.metrics import check_single_value
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.partial import AggPartial, MetricPartial

_STATS = {
    BucketMetricKind.STATS: MetricKind.STATS,
    BucketMetricKind.EXTENDED_STATS: MetricKind.EXTENDED_STATS,
}


def bucket_metric(
    spec: BucketMetricAgg, specs: Sequence[Agg], tree: Mapping[str, AggPartial]
) -> AggPartial:
    """The answer of a sibling among the aggregations beside it."""
    rows = _rows(spec, specs, tree)
    values = [value for value, _ in rows]
    match spec.kind:
        case BucketMetricKind.AVG:
            return ValuePartial(sum(values) / len(values) if values else nan)
        case BucketMetricKind.SUM:
            return ValuePartial(sum(values, 0.0))
        case BucketMetricKind.MAX | BucketMetricKind.MIN:
            highest = spec.kind is BucketMetricKind.MAX
            best = max(values, default=-inf) if highest else min(values, default=inf)
            return ValuePartial(best, [key for value, key in rows if value == best])
        case BucketMetricKind.PERCENTILES:
            values.sort()
            return PointsPartial([_percentile(values, percent) for percent in spec.percents])
    return MetricPartial(
        len(values),
        sum(values, 0.0),
        min(values, default=None),
        max(values, default=None),
        sum((value * value for value in values), 0.0),
    )


def _percentile(values: list[float], percent: float) -> float:
    """The value nearest to the percentile's place, half up."""
    if not values:
        return nan
    return values[floor(percent / 100.0 * (len(values) - 1) + 0.5)]


def _rows(
    spec: BucketMetricAgg, specs: Sequence[Agg], tree: Mapping[str, AggPartial]
) -> list[tuple[float, str]]:
    """Value and key of every bucket that has a value."""
    parts = flat_path(spec.path)
    found = next((each for each in specs if each.name == parts[0]), None)
    if found is None or parts[0] not in tree:
        return []
    agg, partial, rest = _to_buckets(found, tree[parts[0]], parts[1:])
    if partial is None:
        return []
    keyed = spec.kind in (BucketMetricKind.MAX, BucketMetricKind.MIN)
    buckets: Sequence[Any] = getattr(partial, "buckets", ())
    texts = key_texts(agg, partial) if keyed else [""] * len(buckets)
    rows: list[tuple[float, str]] = []
    for bucket, text in zip(buckets, texts, strict=True):
        value = value_at(agg, bucket, rest, spec.gap_policy)
        if value is not None and value == value:
            rows.append((value, text))
    return rows


def _to_buckets(
    spec: Agg, partial: AggPartial, parts: tuple[str, ...]
) -> tuple[Agg, AggPartial | None, tuple[str, ...]]:
    """Down through single buckets, and buckets named by their keys, to the buckets that are read."""
    while parts:
        if kind_of(spec).is_single_bucket:
            bucket = getattr(partial, "buckets")[0]  # noqa: B009
        elif is_bucket_key(parts[0]) and len(parts) > 1:
            bucket, parts = bucket_of(spec, partial, parts[0]), parts[1:]
        else:
            break
        sub = next((each for each in spec.subs if each.name == parts[0]), None)
        if bucket is None or sub is None or parts[0] not in (bucket.aggs or {}):
            return spec, None, ()
        spec, partial, parts = sub, bucket.aggs[parts[0]], parts[1:]
    return spec, partial, parts


# -- how pipelines show ------------------------------------------------------------------------------------------


def _render_value(body: Json, spec: PipelineAgg, partial: ValuePartial, show: Show) -> None:
    _put(body, "value", partial.value, spec)
    if partial.normalized is not None:
        _put(body, "normalized_value", partial.normalized, spec)
    if partial.keys is not None:
        body["keys"] = partial.keys


def _put(body: Json, name: str, value: float, spec: PipelineAgg) -> None:
    body[name] = float(value) if isfinite(value) else None
    if spec.format and isfinite(value):
        body[f"{name}_as_string"] = decimal_format(value, spec.format)


def _render_series(body: Json, spec: SeriesAgg, partial: ValuePartial, show: Show) -> None:
    _render_value(body, spec, partial, show)
    if spec.kind is SeriesKind.CUMULATIVE_CARDINALITY:
        body["value"] = int(partial.value)


def _render_metric(
    body: Json,
    spec: BucketMetricAgg,
    partial: ValuePartial | PointsPartial | MetricPartial,
    show: Show,
) -> None:
    if isinstance(partial, ValuePartial):
        _render_value(body, spec, partial, show)
    elif isinstance(partial, PointsPartial):
        _render_points(body, spec, partial)
    else:
        stats = _as_stats(spec)
        kind_of(stats).render(body, stats, partial, show)


def _as_stats(spec: BucketMetricAgg) -> MetricAgg:
    """The metric whose answer a stats pipeline has."""
    return MetricAgg(
        name=spec.name, kind=_STATS[spec.kind], field="", format=spec.format, sigma=spec.sigma
    )


def _render_points(body: Json, spec: BucketMetricAgg, partial: PointsPartial) -> None:
    values: Json = {}
    listed: list[Json] = []
    for percent, value in zip(spec.percents, partial.values, strict=True):
        shown = float(value) if isfinite(value) else None
        text = None if shown is None or not spec.format else decimal_format(value, spec.format)
        key = java_double(percent)
        values[key] = shown
        row: Json = {"key": percent, "value": shown}
        if text is not None:
            values[f"{key}_as_string"] = row[f"{key}_as_string"] = text
        listed.append(row)
    body["values"] = values if spec.keyed else listed


def _value_number(spec: PipelineAgg, partial: ValuePartial, member: str) -> float:
    if member == "normalized_value" and getattr(spec, "kind", None) is SeriesKind.DERIVATIVE:
        return partial.value if partial.normalized is None else partial.normalized
    check_single_value(spec.name, member)
    return partial.value


def _metric_number(
    spec: BucketMetricAgg, partial: ValuePartial | PointsPartial | MetricPartial, member: str
) -> float:
    if isinstance(partial, ValuePartial):
        return _value_number(spec, partial, member)
    if isinstance(partial, MetricPartial):
        stats = _as_stats(spec)
        number = kind_of(stats).number
        assert number is not None
        return number(stats, partial, member)
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    try:
        percent = float(member)
    except ValueError:
        raise NotNumeric(f'For input string: "{member}"') from None
    if percent not in spec.percents:
        raise NoNumber(
            f"Percent requested [{percent}] was not one of the computed percentiles. "
            f"Available keys are: [{', '.join(map(java_double, spec.percents))}]"
        )
    return partial.values[spec.percents.index(percent)]


def _type_of_metric(spec: BucketMetricAgg, partial: AggPartial) -> str:
    if spec.kind in (BucketMetricKind.AVG, BucketMetricKind.SUM):
        return "simple_value"
    if spec.kind in (BucketMetricKind.MAX, BucketMetricKind.MIN):
        return "bucket_metric_value"
    return spec.kind.value


_SERIES_TYPES = {
    SeriesKind.DERIVATIVE: "derivative",
    SeriesKind.CUMULATIVE_CARDINALITY: "simple_long_value",
}


def _first(reduction: Reduction, spec: PipelineAgg, partials: list[Any]) -> AggPartial:
    """Pipelines are computed after the last merge: there is never more than one state."""
    found: AggPartial = partials[0]
    return found


def _render_moving(body: Json, spec: MovingPercentilesAgg, partial: AggPartial, show: Show) -> None:
    assert spec.of is not None
    kind_of(spec.of).render(body, spec.of, partial, show)


def _type_of_moving(spec: MovingPercentilesAgg, partial: AggPartial) -> str:
    assert spec.of is not None
    return type_name(spec.of, partial)


register(
    BucketMetricAgg,
    Kind(
        partial=ValuePartial,
        merge=_first,
        render=_render_metric,
        type_name=_type_of_metric,
        number=_metric_number,
    ),
)
register(
    SeriesAgg,
    Kind(
        partial=ValuePartial,
        merge=_first,
        render=_render_series,
        type_name=lambda spec, _: _SERIES_TYPES.get(spec.kind, "simple_value"),
        number=_value_number,
    ),
)
register(
    BucketScriptAgg,
    Kind(
        partial=ValuePartial,
        merge=_first,
        render=_render_value,
        type_name=lambda *_: "simple_value",
        number=_value_number,
    ),
)
register(
    MovingPercentilesAgg,
    Kind(
        partial=ValuePartial,
        merge=_first,
        render=_render_moving,
        type_name=_type_of_moving,
    ),
)
