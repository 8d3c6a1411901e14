"""Queries on places. tantivy's ranges find what may match; where a document has several places, the pairs decide."""

from collections.abc import Callable
from math import cos, degrees, radians, sin

import numpy as np
import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.geo_distance import (
    Doubles,
    arc_meters,
    unpack_all,
)
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, any_of, constant
from sealane.engine.embedded.search.scored import Flags, docs_of
from sealane.engine.embedded.search.scored_columns import whole_numbers
from sealane.engine.embedded.view import LAT, LON
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument, QueryShardError
from sealane.model.dsl.geo import GeoBoundingBox, GeoDistance, GeoPolygon
from sealane.model.geo import EARTH_MEAN_RADIUS_M, normal_point, pack, unpack

_FLOAT = tantivy.FieldType.Float
# Around a circle's box, for the rounding of coordinates and of the sphere's trigonometry.
_SLACK_DEGREES = 1e-5
Inside = Callable[[Doubles, Doubles], Flags]


class QueryValidation(ApiError):
    """Coordinates beyond the poles or the date line."""

    es_type, status = "query_validation_exception", 400


def compile_geo(query: GeoBoundingBox | GeoDistance | GeoPolygon, scope: Scope) -> Compiled:
    """Raises QueryShardError for a field without places, and for places that there are not."""
    match query:
        case GeoBoundingBox():
            return compile_bounding_box(query, scope)
        case GeoDistance():
            return compile_distance(query, scope)
        case GeoPolygon():
            return compile_polygon(query, scope)


def compile_bounding_box(query: GeoBoundingBox, scope: Scope) -> Compiled:
    mapped = _mapped(query.field, "geo_bounding_box", query.ignore_unmapped, scope)
    if mapped is None:
        return NOTHING
    top, left, bottom, right = query.top, query.left, query.bottom, query.right
    if query.validation == "STRICT":
        _check(
            "geo_bounding_box",
            [
                ("top latitude", top, 90),
                ("left longitude", left, 180),
                ("bottom latitude", bottom, 90),
                ("right longitude", right, 180),
            ],
            scope,
        )
    elif query.validation == "COERCE":
        whole = right - left == 360
        (top, left), (bottom, right) = normal_point(top, left), normal_point(bottom, right)
        if whole:
            left, right = -180.0, 180.0
    _check_created(
        mapped,
        [
            ("latitude", top, 90),
            ("latitude", bottom, 90),
            ("longitude", left, 180),
            ("longitude", right, 180),
        ],
        scope,
    )
    top, left = unpack(pack(top, left))
    bottom, right = unpack(pack(bottom, right))

    def inside(lats: Doubles, lons: Doubles) -> Flags:
        between: Flags = (lats >= bottom) & (lats <= top)
        if left <= right:
            return between & (lons >= left) & (lons <= right)
        return between & ((lons >= left) | (lons <= right))

    return _matching(
        mapped, _box(mapped, (bottom, top), left, right, scope), inside, scope, exact=True
    )


def compile_distance(query: GeoDistance, scope: Scope) -> Compiled:
    mapped = _mapped(query.field, "geo_distance", query.ignore_unmapped, scope)
    if mapped is None:
        return NOTHING
    lat, lon = query.lat, query.lon
    if query.validation == "STRICT":
        points = [("center point latitude", lat, 90), ("center point longitude", lon, 180)]
        _check("geo_distance", points, scope)
    else:
        lat, lon = normal_point(lat, lon)

    def inside(lats: Doubles, lons: Doubles) -> Flags:
        found: Flags = (
            arc_meters(np.full(len(lats), lat), np.full(len(lons), lon), lats, lons) <= query.meters
        )
        return found

    return _matching(mapped, _circle(mapped, lat, lon, query.meters, scope), inside, scope)


def compile_polygon(query: GeoPolygon, scope: Scope) -> Compiled:
    mapped = scope.mapped(query.field)
    if mapped is None:
        if query.ignore_unmapped:
            return NOTHING
        raise scope.shard_error(f"failed to find geo_point field [{query.field}]")
    if mapped.type is not FieldType.GEO_POINT:
        raise scope.shard_error(f"field [{query.field}] is not a geo_point field")
    points = list(query.points)
    if query.validation == "STRICT":
        for lat, lon in points:
            for name, value, most in (("latitude", lat, 90), ("longitude", lon, 180)):
                if abs(value) > most:
                    raise scope.shard_error(f"illegal {name} value [{value}] for [geo_polygon]")
    elif query.validation == "COERCE":
        points = [normal_point(lat, lon) for lat, lon in points]
    ys, xs = np.array([lat for lat, _ in points]), np.array([lon for _, lon in points])

    def inside(lats: Doubles, lons: Doubles) -> Flags:
        return _in_polygon(lats, lons, ys, xs)

    box = _box(
        mapped,
        (float(ys.min()) - _SLACK_DEGREES, float(ys.max()) + _SLACK_DEGREES),
        float(xs.min()) - _SLACK_DEGREES,
        float(xs.max()) + _SLACK_DEGREES,
        scope,
    )
    return _matching(mapped, box, inside, scope)


def _in_polygon(lats: Doubles, lons: Doubles, ys: Doubles, xs: Doubles) -> Flags:
    """By how often a ray to the east crosses the sides."""
    crossed = np.zeros(len(lats), np.bool_)
    for y1, x1, y2, x2 in zip(ys, xs, np.roll(ys, -1), np.roll(xs, -1), strict=True):
        spans = (y1 > lats) != (y2 > lats)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = (x2 - x1) * (lats - y1) / (y2 - y1) + x1
        crossed ^= spans & (lons < crossing)
    return crossed


def _mapped(path: str, kind: str, ignore_unmapped: bool, scope: Scope) -> Field | None:
    mapped = scope.mapped(path)
    if mapped is None:
        if ignore_unmapped:
            return None
        raise scope.shard_error(f"failed to find geo field [{path}]")
    if mapped.type is not FieldType.GEO_POINT:
        raise scope.shard_error(
            f"Field [{path}] is of unsupported type [{mapped.type.value}] for [{kind}] query"
        )
    return mapped


def _check(kind: str, named: list[tuple[str, float, int]], scope: Scope) -> None:
    wrong = [
        f"[{kind}] {name} is invalid: {value}" for name, value, most in named if abs(value) > most
    ]
    if wrong:
        listed = "".join(f"{place}: {each};" for place, each in enumerate(wrong, 1))
        raise scope.shard_error(
            "couldn't validate latitude/ longitude values",
            QueryValidation(f"Validation Failed: {listed}"),
        )


def _check_created(mapped: Field, named: list[tuple[str, float, int]], scope: Scope) -> None:
    for name, value, most in named:
        if abs(value) > most:
            raise QueryShardError(
                f"Exception creating query on Field [{mapped.path}] invalid {name} {value}; must be "
                f"between -{most}.0 and {most}.0",
                caused_by=IllegalArgument(
                    f"invalid {name} {value}; must be between -{most}.0 and {most}.0"
                ),
                metadata={"index_uuid": scope.state.view.index_uuid, "index": scope.index_name},
            )


# -- what may match ----------------------------------------------------------------------------------------------


def _between(path: str, low: float, high: float, scope: Scope) -> tantivy.Query:
    return tantivy.Query.range_query(scope.schema, path, _FLOAT, low, high, True, True, False)


def _box(
    mapped: Field, lats: tuple[float, float], left: float, right: float, scope: Scope
) -> tantivy.Query | None:
    """None where this view has no places."""
    if not scope.has_column(mapped.path):
        return None
    lat, lon = mapped.path + LAT, mapped.path + LON
    if left <= right:
        across = _between(lon, left, right, scope)
    else:
        across = any_of([_between(lon, left, 180.0, scope), _between(lon, -180.0, right, scope)])
    return tantivy.Query.boolean_query(
        [(Occur.Must, _between(lat, *lats, scope)), (Occur.Must, across)]
    )


def _circle(
    mapped: Field, lat: float, lon: float, meters: float, scope: Scope
) -> tantivy.Query | None:
    """The box around a circle on the sphere."""
    angle = meters / EARTH_MEAN_RADIUS_M
    height = degrees(angle) + _SLACK_DEGREES
    low, high = lat - height, lat + height
    if low <= -90 or high >= 90:
        return _box(mapped, (max(low, -90.0), min(high, 90.0)), -180.0, 180.0, scope)
    ratio = sin(min(angle, np.pi / 2)) / cos(radians(lat))
    width = degrees(float(np.arcsin(min(1.0, ratio)))) + _SLACK_DEGREES
    left, right = lon - width, lon + width
    if right - left >= 360:
        left, right = -180.0, 180.0
    return _box(
        mapped,
        (low, high),
        left + 360 if left < -180 else left,
        right - 360 if right > 180 else right,
        scope,
    )


def _matching(
    mapped: Field, box: tantivy.Query | None, inside: Inside, scope: Scope, *, exact: bool = False
) -> Compiled:
    """`exact` says that the box needs no second look where each document has one place."""
    if box is None:
        return NOTHING
    if exact and scope.state.column(mapped.path).single_valued:
        return constant(box)
    docs = docs_of(box, scope)
    starts, packed = whole_numbers(mapped.path, docs, scope)
    if not len(packed):
        return NOTHING
    flags = inside(*unpack_all(packed))
    counts = np.add.reduceat(flags.astype(np.int64), starts[:-1])
    kept = docs.where(counts > 0)
    return constant(kept.query(scope)) if len(kept) else NOTHING
