"""The functions that scripts of pipelines may call: `MovingFunctions` over a window of values, and a few of `Math`.

A window holds no NaN unless the caller puts one there; all of them pass over it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from math import inf, isnan, nan, sqrt
from typing import Any

Window = Sequence[float]


def _kept(values: Window) -> list[float]:
    return [value for value in values if not isnan(value)]


def _max(values: Window) -> float:
    return max(_kept(values), default=nan)


def _min(values: Window) -> float:
    return min(_kept(values), default=nan)


def _sum(values: Window) -> float:
    return sum(_kept(values), 0.0)


def _unweighted(values: Window) -> float:
    kept = _kept(values)
    return sum(kept) / len(kept) if kept else nan


def _deviation(values: Window, average: float) -> float:
    if isnan(average) or not values:
        return nan
    return sqrt(sum((value - average) * (value - average) for value in _kept(values)) / len(values))


def _linear(values: Window) -> float:
    """Later values weigh more. The reference's sum of weights begins at one, and so does this."""
    total, weight = 0.0, 1
    for place, value in enumerate(_kept(values), 1):
        total += value * place
        weight += place
    return total / weight if weight > 1 else nan


def _ewma(values: Window, alpha: float) -> float:
    average = nan
    for value in _kept(values):
        average = value if isnan(average) else value * alpha + average * (1 - alpha)
    return average


def _holt(values: Window, alpha: float, beta: float) -> float:
    """The level after double exponential smoothing."""
    level, trend = nan, 0.0
    for value in _kept(values):
        if isnan(level):
            level = value
            continue
        before = level
        level = alpha * value + (1 - alpha) * (before + trend)
        trend = beta * (level - before) + (1 - beta) * trend
    return level


def _holt_winters(
    values: Window, alpha: float, beta: float, gamma: float, period: int, multiplicative: bool
) -> float:
    """A forecast of the next value, from level, trend and season."""
    if len(values) < period * 2:
        raise ValueError(
            "Holt-Winters aggregation requires at least (2 * period == 2 * "
            f"{period} == {2 * period}) data-points to function.  Only [{len(values)}] were provided."
        )
    padding = 1e-10 if multiplicative else 0.0
    points = [value + padding for value in _kept(values)]
    if len(points) < period * 2 or period <= 0:
        return nan
    first = points[:period]
    level = sum(first) / period
    trend = sum((points[at + period] - points[at]) / period for at in range(period)) / period
    season = [0.0 if level == 0 else value / level for value in first]
    last_level, last_trend = level, 0.0
    for at in range(period, len(points)):
        value, seasonal = points[at], season[at - period]
        adjusted = _ratio(value, seasonal) if multiplicative else value - seasonal
        level = alpha * adjusted + (1 - alpha) * (last_level + last_trend)
        trend = beta * (level - last_level) + (1 - beta) * last_trend
        seasoned = _ratio(value, last_level + last_trend)
        seen = seasoned if multiplicative else value - (last_level - last_trend)
        season.append(gamma * seen + (1 - gamma) * seasonal)
        last_level, last_trend = level, trend
    seasonal = season[len(points) - period]
    return (level + trend) * seasonal if multiplicative else level + trend + seasonal


def _ratio(value: float, by: float) -> float:
    if by == 0:
        return nan if value == 0 or isnan(value) else math.copysign(inf, value)
    return value / by


MATH: Mapping[str, Callable[..., Any]] = {
    "Math.abs": abs,
    "Math.max": max,
    "Math.min": min,
    "Math.pow": lambda base, power: math.pow(base, power),
    "Math.sqrt": lambda value: sqrt(value) if value >= 0 else nan,
    "Math.floor": lambda value: float(math.floor(value)),
    "Math.ceil": lambda value: float(math.ceil(value)),
    "Math.round": lambda value: math.floor(value + 0.5),
    "Math.exp": lambda value: math.exp(value),
    "Math.log": lambda value: math.log(value) if value > 0 else -inf if value == 0 else nan,
    "Math.log10": lambda value: math.log10(value) if value > 0 else -inf if value == 0 else nan,
}
"""What every script may call."""

MOVING: Mapping[str, Callable[..., Any]] = {
    **MATH,
    "MovingFunctions.max": _max,
    "MovingFunctions.min": _min,
    "MovingFunctions.sum": _sum,
    "MovingFunctions.stdDev": _deviation,
    "MovingFunctions.unweightedAvg": _unweighted,
    "MovingFunctions.linearWeightedAvg": _linear,
    "MovingFunctions.ewma": _ewma,
    "MovingFunctions.holt": _holt,
    "MovingFunctions.holtWinters": _holt_winters,
}
"""What a script over a window may call."""
