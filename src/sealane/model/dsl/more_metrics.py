"""Aggregations that say more about the values of a bucket than one sum: sketches, weights, places, texts, hits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sealane.model.dsl.aggs import Agg
from sealane.model.dsl.body import SearchBody
from sealane.model.dsl.queries import Query
from sealane.model.dsl.scalar import Scalar

DEFAULT_PERCENTS = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentilesAgg(Agg):
    """`percentiles`, and with `ranks` `percentile_ranks`, of a t-digest. `points` ascend: percents, or values."""

    field: str
    points: tuple[float, ...] = DEFAULT_PERCENTS
    ranks: bool = False
    compression: float = 100.0
    keyed: bool = True
    missing: Scalar | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HdrPercentilesAgg(Agg):
    """The same of an HDR histogram. `digits` are the significant digits kept of a value, 0 to 5."""

    field: str
    points: tuple[float, ...] = DEFAULT_PERCENTS
    ranks: bool = False
    digits: int = 3
    keyed: bool = True
    missing: Scalar | None = None
    format: str | None = None


class SketchKind(StrEnum):
    BOXPLOT = "boxplot"
    MEDIAN_ABSOLUTE_DEVIATION = "median_absolute_deviation"


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchAgg(Agg):
    """What is read out of a t-digest and is not percentiles."""

    kind: SketchKind
    field: str
    compression: float = 100.0
    missing: Scalar | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSource:
    """A field of an aggregation that reads several."""

    field: str
    missing: Scalar | None = None
    filter: Query | None = None
    """Which documents count, where each field is a sample of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedAvgAgg(Agg):
    """Either may be None: each shard then refuses."""

    value: FieldSource | None
    weight: FieldSource | None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TTestAgg(Agg):
    """`paired` compares the two fields of each document; else each field is a sample of its own."""

    a: FieldSource
    b: FieldSource
    kind: Literal["paired", "homoscedastic", "heteroscedastic"] = "heteroscedastic"
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixStatsAgg(Agg):
    """`missing` is by field. `mode` says which of several values of a document counts."""

    fields: tuple[str, ...]
    missing: Mapping[str, float] | None = None
    mode: Literal["avg", "min", "max", "sum", "median"] = "avg"


@dataclass(frozen=True, slots=True, kw_only=True)
class StringStatsAgg(Agg):
    field: str
    missing: Scalar | None = None
    show_distribution: bool = False
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoBoundsAgg(Agg):
    field: str
    wrap_longitude: bool = True
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoCentroidAgg(Agg):
    field: str
    missing: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateAgg(Agg):
    """Documents, or values of a field, per `unit` of time. `mode` counts values, or adds them up."""

    unit: str | None = None
    field: str | None = None
    missing: Scalar | None = None
    mode: Literal["sum", "value_count"] = "sum"
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopMetricsAgg(Agg):
    """`body` is a search of its own, sorted by one field, that brings `metrics` with its hits."""

    metrics: tuple[str, ...]
    body: SearchBody


@dataclass(frozen=True, slots=True, kw_only=True)
class TopHitsAgg(Agg):
    """`body` is a search of its own: from, size, sort, and what its hits bring."""

    body: SearchBody
