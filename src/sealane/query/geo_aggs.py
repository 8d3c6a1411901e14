"""The aggregations over points: grids, and rings around a place."""

import math
from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.geo import distance_meters, read_point, unit_meters
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    Cursor,
    Member,
    as_bool,
    as_float,
    as_int,
    read_members,
    text_of,
)
from sealane.query.grid_options import geo_bounds, zoom
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader, at_least, require_field, source_members

_EQUATOR_M = 2 * math.pi * 6_378_137.0
_MERIDIAN_M = math.pi * 6_356_752.314245
"""From pole to pole."""


def _geohash_length(meters: float) -> int:
    """The shortest hash whose cells are about as wide as that, by the reference's reckoning."""
    if meters <= 0:
        return 12
    width = meters / (1 + _MERIDIAN_M / _EQUATOR_M)
    bits = math.ceil(_EQUATOR_M / width).bit_length()
    full, left = divmod(bits, 5)
    return 2 * full + (left > 0) + (left > 3)


def _geohash_precision(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = members[name]
    if isinstance(value, str) and not value.strip().lstrip("+-").isdigit():
        length = _geohash_length(distance_meters(value))
        if length > 12:
            raise IllegalArgument(f"precision too high [{value}]")
        return length
    length = as_int(cursor, members, name)
    if not 1 <= length <= 12:
        raise IllegalArgument(
            f"Invalid geohash aggregation precision of {length}. Must be between 1 and 12."
        )
    return length


def _grid(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    hashed = kind == "geohash_grid"
    known = {
        **source_members(agg),
        "precision": Member(NUMBER, _geohash_precision if hashed else zoom),
        "size": Member(NUMBER, at_least(0, "size", agg, above=True)),
        "shard_size": Member(NUMBER, at_least(0, "shardSize", agg, above=True)),
        "bounds": Member(OBJECT, geo_bounds),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "field" not in found:
        raise IllegalArgument("Required one of fields [field], but none were specified.")
    for ignored in ("value_type", "format"):
        found.pop(ignored, None)
    found.setdefault("precision", 5 if hashed else 7)
    return {"build": dsl.GeoGridAgg, "kind": kind, **found}


def _ring(cursor: Cursor, members: Mapping[str, Any]) -> dsl.RangeBucketSpec:
    found: dict[str, Any] = {}
    for name, value in members.items():
        cursor.value(members, name)
        if name in ("from", "to") and isinstance(value, str | int | float):
            found["from_" if name == "from" else "to"] = as_float(cursor, members, name)
        elif name in ("from", "to") and value is None:
            continue
        elif name == "key" and not isinstance(value, dict | list):
            found["key"] = text_of(value)
        else:
            raise cursor.error(f"Failed to parse object: unknown field [{name}] found")
    return dsl.RangeBucketSpec(**found)


def _rings(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.RangeBucketSpec, ...]:
    value = members[name]
    if isinstance(value, dict):
        return (_ring(cursor, value),)
    rings = []
    for index, item in enumerate(value):
        cursor.value(value, index)
        if not isinstance(item, dict):
            raise cursor.error(f"[geo_distance] unexpected token [{token(item)}] in [ranges]")
        rings.append(_ring(cursor, item))
    infinite = float("inf")
    rings.sort(
        key=lambda each: (
            0.0 if each.from_ is None else float(each.from_),
            infinite if each.to is None else float(each.to),
        )
    )
    return tuple(rings)


def _distance_type(_: Cursor, members: Mapping[str, Any], name: str) -> bool:
    value = str(members[name]).lower()
    if value not in ("plane", "arc"):
        raise IllegalArgument(f"No geo distance for [{members[name]}]")
    return value == "plane"


_ORIGIN = ("VALUE_STRING", "START_ARRAY", "START_OBJECT")


def _geo_distance(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    origin = Member(_ORIGIN, lambda _, m, n: read_point(m[n]))
    known = {
        **source_members(agg),
        "origin": origin,
        "center": origin,
        "point": origin,
        "ranges": Member(OBJECT_ARRAY, _rings),
        "unit": Member(STRING, lambda _, m, n: unit_meters(m[n])),
        "distance_type": Member(STRING, _distance_type),
        "keyed": Member(BOOLEAN, as_bool),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    for ignored in ("value_type", "format"):
        found.pop(ignored, None)
    for other in ("center", "point"):
        if other in found:
            found["origin"] = found.pop(other)
    if "origin" not in found:
        raise IllegalArgument(f"Aggregation [{agg}] must define an [origin].")
    found["plane"] = found.pop("distance_type", False)
    return {"build": dsl.GeoDistanceAgg, "ranges": found.pop("ranges", ()), **found}


GEO: dict[str, AggReader] = {
    "geohash_grid": _grid,
    "geotile_grid": _grid,
    "geo_distance": _geo_distance,
}
