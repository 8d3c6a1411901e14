"""Queries on places: bounding boxes, distances and polygons; and sorting by distance."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import ApiError, IllegalArgument, ParseError
from sealane.model import dsl
from sealane.model.dsl.geo import GeoBoundingBox, GeoDistance, GeoOrigin, GeoPolygon
from sealane.model.dsl.joined import NestedSort
from sealane.model.geo import distance_meters, geohash_cell, read_point, unit_meters
from sealane.query.cursor import Cursor, as_bool, as_float, text_of
from sealane.query.located import token
from sealane.query.members import common, read_common

_BOX = "geo_bounding_box"
_DISTANCE = "geo_distance"
_POLYGON = "geo_polygon"
_VALIDATIONS = ("COERCE", "IGNORE_MALFORMED", "STRICT")
_CORNERS = ("top_left", "bottom_right", "top_right", "bottom_left")
_EDGES = ("top", "left", "bottom", "right")
_ENVELOPE = re.compile(
    r"\s*(\w+)\s*\(\s*([^\s,]+)\s*,\s*([^\s,]+)\s*,\s*([^\s,]+)\s*,\s*([^\s,)]+)\s*\)\s*"
)


def _validation(value: Any) -> str:
    text = text_of(value)
    if text.upper() not in _VALIDATIONS:
        raise IllegalArgument(
            f"operator needs to be either [{', '.join(_VALIDATIONS)}], but not [{text}]"
        )
    return text.upper()


# -- boxes -------------------------------------------------------------------------------------------------------


def geo_bounding_box(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    field: str | None = None
    edges: dict[str, float] = {}
    for name, value in members.items():
        if isinstance(value, dict):
            field = name
            try:
                edges = _edges(cursor, value)
            except ApiError as error:
                raise ParseError(f"failed to parse [{_BOX}] query. [{error.reason}]") from None
        elif isinstance(value, str | int | float):
            if name == "validation_method":
                found["validation"] = _validation(value)
            elif name == "ignore_unmapped":
                found[name] = as_bool(cursor, members, name)
            elif not read_common(cursor, members, name, found):
                cursor.value(members, name)
                raise cursor.error(f"failed to parse [{_BOX}] query. unexpected field [{name}]")
    if field is None:
        raise ParseError(f"failed to parse [{_BOX}] query. bounding box not provided")
    _check_edges(edges)
    return GeoBoundingBox(
        field=field,
        top=edges["top"],
        left=edges["left"],
        bottom=edges["bottom"],
        right=edges["right"],
        validation=found.get("validation", "STRICT"),
        ignore_unmapped=found.get("ignore_unmapped", False),
        **common(found),
    )


def _edges(cursor: Cursor, body: Mapping[str, Any]) -> dict[str, float]:
    edges = dict.fromkeys(_EDGES, math.nan)
    envelope: tuple[float, ...] | None = None
    for name, value in body.items():
        if name == "wkt":
            envelope = _envelope(text_of(value))
        elif name in _EDGES:
            edges[name] = as_float(cursor, body, name)
        elif name in _CORNERS:
            vertical, horizontal = name.split("_")
            edges[vertical], edges[horizontal] = _corner(value, vertical, horizontal)
        else:
            raise ParseError(f"failed to parse bounding box. unexpected field [{name}]")
    if envelope is None:
        return edges
    if not all(map(math.isnan, edges.values())):
        raise ParseError(
            "failed to parse bounding box. Conflicting definition found using well-known text and "
            "explicit corners."
        )
    left, right, top, bottom = envelope
    return {"top": top, "left": left, "bottom": bottom, "right": right}


def _corner(value: Any, vertical: str, horizontal: str) -> tuple[float, float]:
    """A geohash stands for the corner of its cell that makes the box larger."""
    if isinstance(value, list) and len(value) > 2:
        z = text_of(float(value[2]))
        raise ParseError(
            f"Exception parsing coordinates: found Z value [{z}] but [ignore_z_value] parameter is [false]"
        )
    if isinstance(value, str) and "," not in value and "(" not in value:
        south, west, north, east = geohash_cell(value)
        return north if vertical == "top" else south, west if horizontal == "left" else east
    return read_point(value)


def _envelope(text: str) -> tuple[float, ...]:
    """`BBOX (west, east, north, south)`."""
    found = _ENVELOPE.fullmatch(text)
    shape = text.split("(")[0].strip().upper()
    if shape not in ("BBOX", "ENVELOPE"):
        raise ParseError(f"failed to parse WKT bounding box. [{shape}] found. expected [ENVELOPE]")
    if found is None:
        raise ParseError("failed to parse WKT bounding box")
    try:
        return tuple(float(each) for each in found.groups()[1:])
    except ValueError:
        raise ParseError("failed to parse WKT bounding box") from None


def _check_edges(edges: Mapping[str, float]) -> None:
    for name, kind in (
        ("top", "latitude"),
        ("bottom", "latitude"),
        ("left", "longitude"),
        ("right", "longitude"),
    ):
        if not math.isfinite(edges[name]):
            shown = (
                "NaN" if math.isnan(edges[name]) else "Infinity" if edges[name] > 0 else "-Infinity"
            )
            raise IllegalArgument(f"{name} {kind} is invalid: {shown}")
    if edges["top"] < edges["bottom"]:
        raise IllegalArgument(f"top is below bottom corner: {edges['top']} vs. {edges['bottom']}")


# -- distances ---------------------------------------------------------------------------------------------------


def geo_distance(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    field: str | None = None
    point: dict[str, float] = {}
    for name, value in members.items():
        if value is None:
            continue
        if isinstance(value, dict | list):
            field = _only(cursor, members, name, field)
            point["lat"], point["lon"] = read_point(value)
        elif name.endswith((".lat", ".lon")):
            field = name[:-4]
            point[name[-3:]] = as_float(cursor, members, name)
        elif not _distance_option(cursor, members, name, found):
            field = _only(cursor, members, name, field)
            if isinstance(value, str):
                point["lat"], point["lon"] = read_point(value)
            else:
                point["lat"], point["lon"] = read_point(text_of(value))
    if "distance" not in found:
        cursor.end(members)
        raise cursor.error("geo_distance requires 'distance' to be specified")
    if not field:
        raise IllegalArgument("fieldName must not be null or empty")
    meters = _meters(found["distance"], found.get("unit", 1.0))
    return GeoDistance(
        field=field,
        lat=point.get("lat", 0.0),
        lon=point.get("lon", 0.0),
        meters=meters,
        kind=found.get("kind", "arc"),
        validation=found.get("validation", "STRICT"),
        ignore_unmapped=found.get("ignore_unmapped", False),
        **common(found),
    )


def _only(cursor: Cursor, members: Mapping[str, Any], name: str, field: str | None) -> str:
    if field is not None:
        cursor.value(members, name)
        raise cursor.error(f"failed to parse [{_DISTANCE}] query. unexpected field [{name}]")
    return name


def _distance_option(
    cursor: Cursor, members: Mapping[str, Any], name: str, found: dict[str, Any]
) -> bool:
    value = members[name]
    if name == "distance":
        found[name] = text_of(value)
    elif name == "unit":
        found[name] = unit_meters(text_of(value))
    elif name == "distance_type":
        found["kind"] = _kind(value)
    elif name == "validation_method":
        found["validation"] = _validation(value)
    elif name == "ignore_unmapped":
        found[name] = as_bool(cursor, members, name)
    else:
        return read_common(cursor, members, name, found)
    return True


def _kind(value: Any) -> str:
    text = text_of(value)
    if text.lower() not in ("arc", "plane"):
        raise IllegalArgument(f"No geo distance for [{text}]")
    return text.lower()


def _meters(text: str, unit: float) -> float:
    meters = distance_meters(text, unit)
    if meters <= 0:
        raise IllegalArgument("distance must be greater than zero")
    return meters


# -- polygons ----------------------------------------------------------------------------------------------------


def geo_polygon(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    field: str | None = None
    points: list[tuple[float, float]] = []
    for name, value in members.items():
        if isinstance(value, dict):
            field = name
            points = _polygon_points(cursor, value)
        elif name == "validation_method":
            found["validation"] = _validation(value)
        elif name == "ignore_unmapped":
            found[name] = as_bool(cursor, members, name)
        elif not read_common(cursor, members, name, found):
            cursor.value(members, name)
            raise cursor.error(
                f"[{_POLYGON}] unexpected token type [{token(value)}]"
                if isinstance(value, list)
                else f"[{_POLYGON}] query does not support [{name}]"
            )
    if field is None:
        raise IllegalArgument("fieldName must not be null")
    if not points:
        raise IllegalArgument("polygon must not be null or empty")
    is_closed = points[0] == points[-1]
    if len(points) < (4 if is_closed else 3):
        raise IllegalArgument("too few points defined for geo_polygon query")
    if is_closed:
        points.pop()
    return GeoPolygon(
        field=field,
        points=tuple(points),
        validation=found.get("validation", "STRICT"),
        ignore_unmapped=found.get("ignore_unmapped", False),
        **common(found),
    )


def _polygon_points(cursor: Cursor, body: Mapping[str, Any]) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for name, value in body.items():
        cursor.value(body, name)
        if not isinstance(value, list):
            raise cursor.error(
                f"[{_POLYGON}] query does not support token type [{token(value)}] under [{name}]"
            )
        if name != "points":
            raise cursor.error(f"[{_POLYGON}] query does not support [{name}]")
        points = [read_point(each) for each in value]
    return points


# -- sorting -----------------------------------------------------------------------------------------------------

NestedReader = Callable[[Cursor, Mapping[str, Any]], NestedSort]
_SORT_MODES = ("min", "max", "avg", "median")


def read_geo_sort(
    cursor: Cursor, container: Mapping[str, Any], name: str, read_nested: NestedReader
) -> dsl.SortField:
    """`_geo_distance`. Raises ParsingError or IllegalArgument."""
    body = container[name]
    found: dict[str, Any] = {}
    field: str | None = None
    points: list[tuple[float, float]] = []
    for key, value in body.items() if isinstance(body, dict) else ():
        cursor.value(body, key)
        if isinstance(value, dict) and key == "nested":
            found[key] = read_nested(cursor, value)
        elif not isinstance(value, dict | list) and _sort_option(cursor, body, key, found):
            continue
        elif value is not None:
            if field is not None:
                raise cursor.error(
                    f"Trying to reset fieldName to [{key}], already set to [{field}]."
                )
            field, points = key, _sort_points(value)
    if field is None or not points:
        raise IllegalArgument("Geo distance sorting needs at least one point.")
    descending = found.get("descending", False)
    return dsl.SortField(
        field=field,
        descending=descending,
        mode=found.get("mode"),
        nested=found.get("nested"),
        geo=GeoOrigin(
            points=tuple(points),
            unit=found.get("unit", 1.0),
            kind=found.get("kind", "arc"),
            validation=found.get("validation", "STRICT"),
            ignore_unmapped=found.get("ignore_unmapped", False),
        ),
    )


def _sort_option(cursor: Cursor, body: Mapping[str, Any], name: str, found: dict[str, Any]) -> bool:
    value = body[name]
    if name == "order":
        text = text_of(value)
        if text.lower() not in ("asc", "desc"):
            raise IllegalArgument(
                f"No enum constant org.elasticsearch.search.sort.SortOrder.{text.upper()}"
            )
        found["descending"] = text.lower() == "desc"
    elif name == "unit":
        found[name] = unit_meters(text_of(value))
    elif name == "distance_type":
        found["kind"] = _kind(value)
    elif name == "mode":
        found[name] = _sort_mode(text_of(value))
    elif name == "validation_method":
        found["validation"] = _validation(value)
    elif name == "ignore_unmapped":
        found[name] = as_bool(cursor, body, name)
    else:
        return False
    return True


def _sort_mode(text: str) -> str:
    mode = text.lower()
    if mode == "sum":
        raise IllegalArgument("sort_mode [sum] isn't supported for sorting by geo distance")
    if mode not in _SORT_MODES:
        raise IllegalArgument(f"Unknown SortMode [{text}]")
    return mode


def _sort_points(value: Any) -> list[tuple[float, float]]:
    if not isinstance(value, list):
        return [read_point(value)]
    if value and all(isinstance(each, int | float) for each in value):
        return [read_point(value)]
    return [read_point(each) for each in value]
