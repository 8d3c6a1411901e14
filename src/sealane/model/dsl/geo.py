"""Queries on places, and sorting by distance, as plain data. Degrees and meters."""

from dataclasses import dataclass
from typing import Literal

from sealane.model.dsl.queries import Query

Validation = Literal["STRICT", "COERCE", "IGNORE_MALFORMED"]
DistanceKind = Literal["arc", "plane"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoBoundingBox(Query):
    """Crosses the date line where `left` is greater than `right`."""

    field: str
    top: float
    left: float
    bottom: float
    right: float
    validation: Validation = "STRICT"
    ignore_unmapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoDistance(Query):
    field: str
    lat: float
    lon: float
    meters: float
    kind: DistanceKind = "arc"
    validation: Validation = "STRICT"
    ignore_unmapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoPolygon(Query):
    """Latitudes and longitudes of the corners; the last side leads back to the first."""

    field: str
    points: tuple[tuple[float, float], ...]
    validation: Validation = "STRICT"
    ignore_unmapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoOrigin:
    """What `_geo_distance` measures: the nearest (or as `mode` says) of `points`, in units of `unit` meters."""

    points: tuple[tuple[float, float], ...]
    unit: float = 1.0
    kind: DistanceKind = "arc"
    validation: Validation = "STRICT"
    ignore_unmapped: bool = False
