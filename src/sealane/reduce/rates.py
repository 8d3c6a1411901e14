"""rate: what a bucket counts or adds up, by the units of time that its date_histogram's bucket is long.

Sources add up; how long a bucket is only its key tells, so the division comes after the last merge.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.dsl import Agg, DateHistogramAgg, RateAgg
from sealane.model.rounding import Rounding
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.kinds import Json, Kind, Reduction, Show, Tree, register
from sealane.reduce.metric_states import RatePartial
from sealane.reduce.metrics import check_single_value
from sealane.reduce.number_format import decimal_format
from sealane.reduce.partial import AggPartial

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS_MS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}


def has_rates(specs: Sequence[Agg]) -> bool:
    """Whether any aggregation of the tree is a rate."""
    return any(isinstance(spec, RateAgg) or has_rates(spec.subs) for spec in specs)


def with_rates(
    specs: Sequence[Agg],
    tree: Mapping[str, AggPartial],
    around: tuple[DateHistogramAgg, int] | None = None,
) -> Tree:
    """The final tree with its sums divided. `around` is the date_histogram that it is in, and the key of its bucket.

    Raises IllegalArgument where there is none, or its buckets are not of so many units.
    """
    done: Tree = {}
    for spec in specs:
        if spec.is_pipeline:
            continue
        partial = tree[spec.name]
        if isinstance(spec, RateAgg):
            assert isinstance(partial, RatePartial)
            partial = RatePartial(partial.value / _length(spec, around))
        elif has_rates(spec.subs):
            partial = _inside(spec, partial, around)
        done[spec.name] = partial
    return done


def _inside(
    spec: Agg, partial: AggPartial, around: tuple[DateHistogramAgg, int] | None
) -> AggPartial:
    buckets: list[Any] = []
    for bucket in getattr(partial, "buckets", ()):
        if isinstance(spec, DateHistogramAgg):
            around = (spec, int(bucket.key))
        # A sample by a field that nobody has holds no aggregations.
        inner = None if bucket.aggs is None else with_rates(spec.subs, bucket.aggs, around)
        buckets.append(msgspec.structs.replace(bucket, aggs=inner))
    return msgspec.structs.replace(partial, **{"buckets": buckets})


def _length(spec: RateAgg, around: tuple[DateHistogramAgg, int] | None) -> float:
    """How many of the rate's units a bucket has; one where the rate has no unit of its own."""
    if around is None:
        raise IllegalArgument("The rate aggregation can only be used inside a date histogram")
    histogram, key = around
    unit, own = spec.unit, histogram.calendar_interval
    if unit is None:
        return 1.0
    if own in _MONTHS and unit in _MONTHS:
        return _MONTHS[own] / _MONTHS[unit]
    if unit in _MONTHS:
        kind = "fixed interval based" if own is None else "non-month based calendar interval"
        raise IllegalArgument(
            f"Cannot use month-based rate unit [{unit}] with {kind} histogram, only week, day, "
            "hour, minute and second are supported for this histogram"
        )
    if histogram.fixed_interval_ms is not None:
        return histogram.fixed_interval_ms / _UNITS_MS[unit]
    if own in _UNITS_MS:
        return _UNITS_MS[own] / _UNITS_MS[unit]
    rounding = Rounding(own, time_zone=histogram.time_zone, offset_ms=histogram.offset_ms)
    return (rounding.next(key) - key) / _UNITS_MS[unit]


def _merge(reduction: Reduction, spec: RateAgg, partials: list[RatePartial]) -> RatePartial:
    return RatePartial(compensated_sum(partial.value for partial in partials))


def _number(spec: RateAgg, partial: RatePartial, member: str) -> float:
    check_single_value(spec.name, member)
    return partial.value


def _render(body: Json, spec: RateAgg, partial: RatePartial, show: Show) -> None:
    body["value"] = partial.value
    if spec.format:
        body["value_as_string"] = decimal_format(partial.value, spec.format)


register(
    RateAgg,
    Kind(
        partial=RatePartial,
        merge=_merge,
        render=_render,
        type_name=lambda *_: "rate",
        number=_number,
    ),
)
