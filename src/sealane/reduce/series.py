"""Parent pipelines that give each bucket a number of its own, from the numbers of all buckets in their order."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import exp, inf, isfinite, isnan, nan, sqrt

from sealane.errors import IllegalArgument
from sealane.model.buckets_path import flat_path
from sealane.model.dsl import (
    Agg,
    HdrPercentilesAgg,
    MovingPercentilesAgg,
    PercentilesAgg,
    SeriesAgg,
    SeriesKind,
)
from sealane.model.expressions import BadExpression
from sealane.reduce.bucket_values import Bucket, metric_in, value_at
from sealane.reduce.hll import cardinality_of, merge_partials
from sealane.reduce.kinds import DEFAULT_MAX_BUCKETS, Reduction
from sealane.reduce.metric_states import ValuePartial
from sealane.reduce.moving_functions import MOVING
from sealane.reduce.partial import AggPartial, CardinalityPartial

Found = list[AggPartial | None]
"""What each bucket gets; None where it gets nothing."""


def series(spec: SeriesAgg, parent: Agg, buckets: Sequence[Bucket]) -> Found:
    """The answer for each of the buckets. Raises IllegalArgument where a path or a script does not fit."""
    if spec.kind is SeriesKind.CUMULATIVE_CARDINALITY:
        return _cumulative_cardinality(spec, parent, buckets)
    parts = flat_path(spec.path)
    gaps = "insert_zeros" if spec.kind is SeriesKind.CUMULATIVE_SUM else spec.gap_policy
    values = [value_at(parent, bucket, parts, gaps) for bucket in buckets]
    return _SERIES[spec.kind](spec, values, buckets)


Values = list[float | None]


def _cumulative_sum(spec: SeriesAgg, values: Values, buckets: Sequence[Bucket]) -> Found:
    total = 0.0
    found: Found = []
    for value in values:
        if value is not None and isfinite(value):
            total += value
        found.append(ValuePartial(total))
    return found


def _derivative(spec: SeriesAgg, values: Values, buckets: Sequence[Bucket]) -> Found:
    found: Found = []
    before: float | None = None
    key_before = 0.0
    for value, bucket in zip(values, buckets, strict=True):
        key = float(getattr(bucket, "key", 0.0))
        if before is None or value is None:
            found.append(None)
        else:
            change = value - before
            normalized = None
            if spec.unit_ms is not None:
                units = (key - key_before) / spec.unit_ms if spec.unit_ms else inf
                normalized = change / units
            found.append(ValuePartial(change, None, normalized))
        before, key_before = value, key
    return found


def _serial_diff(spec: SeriesAgg, values: Values, buckets: Sequence[Bucket]) -> Found:
    found: Found = []
    window: deque[float] = deque(maxlen=spec.lag)
    for each in values:
        value = nan if each is None else each
        earlier = window[0] if len(window) == spec.lag else nan
        difference = value - earlier
        found.append(None if isnan(value) or isnan(earlier) else ValuePartial(difference))
        window.append(value)
    return found


def _normalize(spec: SeriesAgg, values: Values, buckets: Sequence[Bucket]) -> Found:
    numbers = [nan if value is None else value for value in values]
    normalize = _method(spec.method, [value for value in numbers if not isnan(value)])
    return [ValuePartial(nan if isnan(value) else normalize(value)) for value in numbers]


def _method(name: str, values: list[float]) -> Callable[[float], float]:
    count, total = len(values), sum(values)
    low, high = min(values, default=nan), max(values, default=nan)
    width = high - low
    mean = total / count if count else nan

    def per(value: float, by: float) -> float:
        return value / by if by else nan

    match name:
        case "rescale_0_1":
            return lambda value: per(value - low, width)
        case "rescale_0_100":
            return lambda value: 100 * per(value - low, width)
        case "percent_of_sum":
            return lambda value: per(value, total)
        case "mean":
            return lambda value: per(value - mean, width)
        case "z-score":
            spread = (
                sqrt(sum((value - mean) * (value - mean) for value in values) / count)
                if count
                else nan
            )
            return lambda value: per(value - mean, spread)
    powers = sum(_exp(value) for value in values)
    return lambda value: per(_exp(value), powers)


def _exp(value: float) -> float:
    try:
        return exp(value)
    except OverflowError:
        return float("inf")


def _moving(spec: SeriesAgg, values: Values, buckets: Sequence[Bucket]) -> Found:
    assert spec.script is not None
    kept = [value for value in values if value is not None and not isnan(value)]
    _check_work(spec, len(kept), _VALUES_MAX)
    found: Found = []
    place = 0
    for value in values:
        if value is None or isnan(value):
            found.append(None)
            continue
        window = kept[slice(*_window(spec, place, len(kept)))]
        variables = {"values": window, "params": spec.params or {}}
        result = _as_double(_run(spec, variables))
        found.append(ValuePartial(result))
        place += 1
    return found


_VALUES_MAX = 50_000_000
_SKETCHES_MAX = 1_000_000
"""What the windows of one pipeline may read, all together: a wide window over many buckets is a lot."""


def _check_work(spec: SeriesAgg | MovingPercentilesAgg, count: int, limit: int) -> None:
    read = count * min(max(spec.window, 0), count)
    if read > limit:
        raise IllegalArgument(
            f"the windows of [{spec.name}] hold [{read}] values, more than the limit of [{limit}]"
        )


def _window(spec: SeriesAgg | MovingPercentilesAgg, place: int, count: int) -> tuple[int, int]:
    """Where a window begins and ends: before the bucket itself, unless it is shifted."""
    first = min(max(place - spec.window + spec.shift, 0), count)
    return first, min(max(place + spec.shift, 0), count)


def _run(spec: SeriesAgg, variables: Mapping[str, object]) -> object:
    assert spec.script is not None
    try:
        return spec.script.value(variables, MOVING)
    except BadExpression as problem:
        raise IllegalArgument(
            f"script [{spec.script.source}] of [{spec.name}] failed: {problem}"
        ) from None


def _as_double(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IllegalArgument(f"a moving function must return a number, not [{value}]")
    return float(value)


_SERIES: dict[SeriesKind, Callable[[SeriesAgg, Values, Sequence[Bucket]], Found]] = {
    SeriesKind.CUMULATIVE_SUM: _cumulative_sum,
    SeriesKind.DERIVATIVE: _derivative,
    SeriesKind.MOVING_FN: _moving,
    SeriesKind.NORMALIZE: _normalize,
    SeriesKind.SERIAL_DIFF: _serial_diff,
}


def _cumulative_cardinality(spec: SeriesAgg, parent: Agg, buckets: Sequence[Bucket]) -> Found:
    so_far: CardinalityPartial | None = None
    found: Found = []
    for bucket in buckets:
        metric = metric_in(parent, bucket, spec.path)
        if metric is None or not isinstance(metric.partial, CardinalityPartial):
            raise IllegalArgument(
                f"buckets_path must reference a cardinality aggregation, got: [{spec.path}]"
            )
        parts = [metric.partial] if so_far is None else [so_far, metric.partial]
        so_far = merge_partials(parts, 0)
        found.append(ValuePartial(float(cardinality_of(so_far))))
    return found


def moving_percentiles(spec: MovingPercentilesAgg, parent: Agg, buckets: Sequence[Bucket]) -> Found:
    """The sketches of each window as one; nothing where the window is empty."""
    of = spec.of
    if not isinstance(of, PercentilesAgg | HdrPercentilesAgg):
        raise IllegalArgument(
            f"buckets_path must reference a percentiles aggregation, got: [{spec.path}]"
        )
    states = [(bucket.aggs or {})[of.name] for bucket in buckets]
    _check_work(spec, len(states), _SKETCHES_MAX)
    reduction = Reduction(True, DEFAULT_MAX_BUCKETS, 0, False)
    found: Found = []
    for place in range(len(states)):
        first, last = _window(spec, place, len(states))
        found.append(reduction.one(of, states[first:last]) if first < last else None)
    return found
