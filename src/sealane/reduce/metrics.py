"""Metrics of one field: avg, sum, min, max, stats, extended_stats, value_count, from one state; and cardinality."""

from collections.abc import Mapping
from math import inf, isfinite, isnan, nan, sqrt
from typing import Any

from sealane.model.dsl import CardinalityAgg, MetricAgg, MetricKind
from sealane.reduce.hll import cardinality_of, merge_partials
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.kinds import Json, Kind, NoNumber, Reduction, Show, register
from sealane.reduce.number_format import java_double
from sealane.reduce.partial import CardinalityPartial, MetricPartial
from sealane.reduce.value_text import value_text


def _merge(reduction: Reduction, spec: MetricAgg, partials: list[MetricPartial]) -> MetricPartial:
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


def metric_value(partial: MetricPartial, member: str, sigma: float = 2.0) -> float:
    """One number of a metric's state, by the name it has in the answer. NaN or infinite when nothing was counted."""
    count, total = partial.count, partial.sum
    match member:
        case MetricKind.VALUE_COUNT | "count":
            return float(count)
        case "sum":
            return total
        case "avg":
            return total / count if count else nan
        case "min":
            return inf if partial.min is None else partial.min
        case "max":
            return -inf if partial.max is None else partial.max
        case "sum_of_squares":
            return partial.sum_of_squares
    variance = _variance(partial)
    match member:
        case "variance" | "variance_population":
            return variance
        case "variance_sampling":
            return _sampling_variance(partial)
        case "std_deviation" | "std_deviation_population":
            return sqrt(variance) if not isnan(variance) else nan
        case "std_deviation_sampling":
            sampling = _sampling_variance(partial)
            return sqrt(sampling) if not isnan(sampling) else nan
    edge, _, kind = member.removeprefix("std_").partition("_")
    deviation = metric_value(
        partial, "std_deviation_sampling" if kind == "sampling" else "std_deviation"
    )
    average = total / count if count else nan
    return average + (sigma if edge == "upper" else -sigma) * deviation


def _variance(partial: MetricPartial) -> float:
    if not partial.count:
        return nan
    variance = (
        partial.sum_of_squares - (partial.sum * partial.sum) / partial.count
    ) / partial.count
    return max(variance, 0.0)


def _sampling_variance(partial: MetricPartial) -> float:
    if partial.count < 2:
        return nan
    variance = (partial.sum_of_squares - (partial.sum * partial.sum) / partial.count) / (
        partial.count - 1
    )
    return max(variance, 0.0)


_STATS_MEMBERS = frozenset(("count", "sum", "min", "max", "avg"))
_SPREAD = frozenset(
    (
        "sum_of_squares",
        *(
            f"{of}{kind}"
            for of in ("variance", "std_deviation")
            for kind in ("", "_population", "_sampling")
        ),
        *(
            f"std_{end}{kind}"
            for end in ("upper", "lower")
            for kind in ("", "_population", "_sampling")
        ),
    )
)
_MULTI_VALUE = {
    MetricKind.STATS: ("InternalStats", _STATS_MEMBERS),
    MetricKind.EXTENDED_STATS: ("InternalExtendedStats", _STATS_MEMBERS | _SPREAD),
}


def _number(spec: MetricAgg, partial: MetricPartial, member: str) -> float:
    if spec.kind not in _MULTI_VALUE:
        check_single_value(spec.name, member)
        return metric_value(partial, spec.kind, spec.sigma)
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    kind, members = _MULTI_VALUE[spec.kind]
    if member not in members:
        raise NoNumber(
            "No enum constant org.elasticsearch.search.aggregations.metrics."
            f"{kind}.Metrics.{member}"
        )
    return metric_value(partial, member, spec.sigma)


def check_single_value(name: str, member: str) -> None:
    """Raises NoNumber where a path asks a metric of one value for another member."""
    if member and member != "value":
        raise NoNumber(
            f"Unknown value key [{member}] for single-value metric aggregation [{name}]. "
            "Either use [value] as key or drop the key all together"
        )


def _render(body: Json, spec: MetricAgg, partial: MetricPartial, show: Show) -> None:
    def text(value: float) -> str | None:
        return value_text(value, partial.value_type, spec.format, partial.format)

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
    body["value"] = _shown(value)
    shown = text(value) if isfinite(value) else None
    if shown is not None:
        body["value_as_string"] = shown


def _shown(value: float) -> float | None:
    return float(value) if isfinite(value) else None


_STATS = ("min", "max", "avg", "sum")


def _stats(body: Json, partial: MetricPartial, text: Any) -> None:
    body["count"] = partial.count
    values = {name: metric_value(partial, name) for name in _STATS}
    body |= {name: _shown(value) for name, value in values.items()}
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


def _cardinality_number(spec: CardinalityAgg, partial: CardinalityPartial, member: str) -> float:
    check_single_value(spec.name, member)
    return float(cardinality_of(partial))


def _merge_cardinality(
    reduction: Reduction, spec: CardinalityAgg, partials: list[CardinalityPartial]
) -> CardinalityPartial:
    return merge_partials(partials, spec.precision_threshold)


def _render_cardinality(
    body: Json, spec: CardinalityAgg, partial: CardinalityPartial, show: Show
) -> None:
    body["value"] = cardinality_of(partial)


register(
    MetricAgg,
    Kind(
        partial=MetricPartial,
        merge=_merge,
        render=_render,
        type_name=lambda spec, _: spec.kind.value,
        number=_number,
    ),
)
register(
    CardinalityAgg,
    Kind(
        partial=CardinalityPartial,
        merge=_merge_cardinality,
        render=_render_cardinality,
        type_name=lambda *_: "cardinality",
        number=_cardinality_number,
    ),
)
