"""States of metric aggregations that hold no others. The rules of partials are in `partial`."""

import msgspec


class DigestPartial(msgspec.Struct, array_like=True, tag="td"):
    """A t-digest: centroids ascending by mean. `exact` says that each stands for equal values.

    `low` and `high` are the extremes; meaningless while there is no centroid.
    """

    means: list[float]
    weights: list[int]
    compression: float = 100.0
    exact: bool = True
    low: float = 0.0
    high: float = 0.0
    value_type: str = "double"
    format: str | None = None


class HdrPartial(msgspec.Struct, array_like=True, tag="hd"):
    """An HDR histogram: counts by slot. Slots ascend; a slot is `octave * slots an octave + place in it`.

    `zeros` counts what is too small for any octave.
    """

    digits: int
    slots: list[int]
    counts: list[int]
    zeros: int = 0
    value_type: str = "double"
    format: str | None = None


class ValuePartial(msgspec.Struct, array_like=True, tag="pv"):
    """What a pipeline found of one bucket, or of many. NaN and infinite values are none.

    `keys` are those of the buckets that have the value; `normalized` is a derivative by its unit.
    """

    value: float
    keys: list[str] | None = None
    normalized: float | None = None


class PointsPartial(msgspec.Struct, array_like=True, tag="pp"):
    """The values at the points that the request names, in its order."""

    values: list[float]


class WeightedPartial(msgspec.Struct, array_like=True, tag="wa"):
    """Values times their weights, and the weights, added up."""

    sum: float
    weight: float


class BoundsPartial(msgspec.Struct, array_like=True, tag="gb"):
    """The extremes of points, in degrees; those of longitudes by hemisphere. Infinite where there is none."""

    top: float
    bottom: float
    east_left: float
    east_right: float
    west_left: float
    west_right: float


class CentroidPartial(msgspec.Struct, array_like=True, tag="gc"):
    """The mean of `count` points."""

    count: int
    lat: float = 0.0
    lon: float = 0.0


class RatePartial(msgspec.Struct, array_like=True, tag="ra"):
    """What was counted or added up; in a final answer, by unit of time."""

    value: float


class StringsPartial(msgspec.Struct, array_like=True, tag="ss"):
    """Lengths of texts, in UTF-16 units, and how often each unit occurs."""

    count: int
    total: int
    min: int
    max: int
    letters: dict[int, int]


class MomentsPartial(msgspec.Struct, array_like=True, tag="mo"):
    """Sums over the distances of values from their means: products of each two fields, third and fourth powers."""

    count: int
    means: list[float] = []
    products: list[list[float]] = []
    cubes: list[float] = []
    fourths: list[float] = []


class SamplesPartial(msgspec.Struct, array_like=True, tag="tt"):
    """The moments of two samples, or of the differences between them."""

    samples: list[MomentsPartial]


MetricState = (
    DigestPartial
    | HdrPartial
    | ValuePartial
    | PointsPartial
    | WeightedPartial
    | BoundsPartial
    | CentroidPartial
    | StringsPartial
    | MomentsPartial
    | SamplesPartial
    | RatePartial
)
"""Any of them, as a part of the union of all partials."""
