"""Points on the earth: units of distance, and the 32 bits in which the reference keeps a coordinate."""

import math
import re
from typing import Any

from sealane.errors import IllegalArgument, NumberFormatError, ParseError

EARTH_MEAN_RADIUS_M = 6_371_008.7714
_UNITS = (
    (0.0254, ("in", "inch")),
    (0.9144, ("yd", "yards")),
    (0.3048, ("ft", "feet")),
    (1000.0, ("km", "kilometers")),
    (1852.0, ("NM", "nmi", "nauticalmiles")),
    (0.001, ("mm", "millimeters")),
    (0.01, ("cm", "centimeters")),
    (1609.344, ("mi", "miles")),
    (1.0, ("m", "meters")),
)
"""Meters in a unit, and its names; `m` is last, as others end with it."""


def unit_meters(name: str) -> float:
    """How many meters a unit has. Raises IllegalArgument."""
    for meters, names in _UNITS:
        if name in names:
            return meters
    raise IllegalArgument(f"No distance unit match [{name}]")


def distance_meters(text: str, unit: float = 1.0) -> float:
    """`12km` in meters; a bare number counts `unit` meters each. Raises NumberFormatError."""
    for meters, names in _UNITS:
        for name in names:
            if text.endswith(name):
                return _number(text[: -len(name)]) * meters
    return _number(text) * unit


def _number(text: str) -> float:
    try:
        if "_" in text:
            raise ValueError(text)
        return float(text)
    except ValueError:
        reason = f'For input string: "{text}"' if text.strip() else "empty String"
        raise NumberFormatError(reason) from None


# -- the packed form ---------------------------------------------------------------------------------------------

LAT_STEP, LON_STEP = 180.0 / 2**32, 360.0 / 2**32


def pack(lat: float, lon: float) -> int:
    """Both coordinates as one signed 64-bit number: the latitude above, each in steps of 2^-32 of its span."""
    lat_steps = math.floor(math.nextafter(90.0, 0.0) / LAT_STEP if lat == 90 else lat / LAT_STEP)
    lon_steps = math.floor(math.nextafter(180.0, 0.0) / LON_STEP if lon == 180 else lon / LON_STEP)
    return lat_steps << 32 | lon_steps & 0xFFFF_FFFF


def unpack(packed: int) -> tuple[float, float]:
    """Latitude and longitude in degrees, as a document's values show them."""
    lon_steps = packed & 0xFFFF_FFFF
    return (packed >> 32) * LAT_STEP, (lon_steps - (lon_steps >> 31 << 32)) * LON_STEP


# -- points as they are written ----------------------------------------------------------------------------------

_HASH_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
_MAX_HASH = 12
"""Digits of a geohash that are read; what follows them is less than a centimeter."""
_WKT = re.compile(r"\s*POINT\s*", re.IGNORECASE)
_WKT_TOKEN = re.compile(r"\s*([()]|[^\s(),]+|,)")


def read_point(value: Any) -> tuple[float, float]:
    """Latitude and longitude out of any of the reference's forms, unchecked: they may be beyond the poles.

    An object with `lat` and `lon` or a GeoJSON point, `"lat,lon"`, WKT, a geohash (its corner in the south west), or
    `[lon, lat]`. Raises ParseError.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, dict):
        return _from_object(value)
    if isinstance(value, list):
        return _from_array(value)
    raise ParseError("geo_point expected")


def _from_array(value: list[Any]) -> tuple[float, float]:
    if not 2 <= len(value) <= 3:
        raise ParseError("geo_point expected")
    lon, lat = (
        _coordinate(each, name)
        for each, name in zip(value, ("longitude", "latitude"), strict=False)
    )
    return lat, lon


def _from_object(value: dict[str, Any]) -> tuple[float, float]:
    known = ("lon", "lat", "z", "type", "coordinates")
    for name in value:
        if name not in known:
            raise ParseError(f"field [{name}] not supported - must be one of: {', '.join(known)}")
    if "type" in value or "coordinates" in value:
        for name in ("coordinates", "type"):
            if name not in value:
                raise ParseError(f"Required [{name}]")
        if str(value["type"]).lower() != "point":
            raise ParseError("[type] for geo_point can only be 'Point'")
        coordinates = value["coordinates"]
        if not isinstance(coordinates, list) or len(coordinates) < 2:
            raise ParseError("[coordinates] must contain at least two values")
        return _coordinate(coordinates[1], "latitude"), _coordinate(coordinates[0], "longitude")
    if not value:
        raise ParseError("field must be either lat/lon, geohash string or type/coordinates")
    for name in ("lat", "lon"):
        if name not in value:
            raise ParseError(f"Required [{name}]")
    return _valid(value["lat"], "latitude"), _valid(value["lon"], "longitude")


def _valid(value: Any, name: str) -> float:
    if not isinstance(value, str):
        return _coordinate(value, name)
    try:
        return _number(value)
    except NumberFormatError as exc:
        raise ParseError(f"[{name}] must be a valid double value", caused_by=exc) from None


def _coordinate(value: Any, name: str) -> float:
    if isinstance(value, str):
        try:
            return _number(value)
        except NumberFormatError:
            raise ParseError(f"{name} must be a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParseError(f"{name} must be a number")
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _from_text(text: str) -> tuple[float, float]:
    if _WKT.match(text):
        return _from_wkt(text)
    if "," not in text:
        return geohash_corner(text)
    parts = text.split(",")
    if len(parts) > 3:
        raise ParseError(
            f"failed to parse [{text}], expected 2 or 3 coordinates but found: [{len(parts)}]"
        )
    return _coordinate(parts[0].strip(), "latitude"), _coordinate(parts[1].strip(), "longitude")


def _from_wkt(text: str) -> tuple[float, float]:
    start = _WKT.match(text)
    assert start is not None
    tokens = _WKT_TOKEN.findall(text, start.end())
    if [each.upper() for each in tokens] == ["EMPTY"]:
        return 0.0, 0.0
    if not tokens or tokens[0] != "(":
        raise _bad_wkt(f"expected EMPTY or ( but found: {tokens[0] if tokens else 'END-OF-STREAM'}")
    numbers: list[float] = []
    for each in tokens[1:]:
        if each == ")" and len(numbers) >= 2:
            break
        try:
            numbers.append(float(each))
        except ValueError:
            shown = f"'{each}'" if each in "()," else each
            raise _bad_wkt(f"expected number but found: {shown}") from None
    if not 2 <= len(numbers) <= 3:
        raise _bad_wkt("expected ) but found: 'END-OF-STREAM'")
    return numbers[1], numbers[0]


def _bad_wkt(why: str) -> ParseError:
    return ParseError("Invalid WKT format", caused_by=ParseError(why))


def geohash_cell(text: str) -> tuple[float, float, float, float]:
    """South, west, north and east of a geohash. Raises ParseError."""
    try:
        if not text:
            raise IllegalArgument("empty geohash")
        for digit in text:
            if digit not in _HASH_DIGITS:
                raise IllegalArgument(f"unsupported symbol [{digit}] in geohash [{text}]")
    except IllegalArgument as exc:
        raise ParseError(exc.reason, caused_by=exc) from None
    edges = [-90.0, 90.0, -180.0, 180.0]
    is_lon = True
    for digit in text[:_MAX_HASH]:
        for bit in (16, 8, 4, 2, 1):
            at = 2 if is_lon else 0
            middle = (edges[at] + edges[at + 1]) / 2
            edges[at if _HASH_DIGITS.index(digit) & bit else at + 1] = middle
            is_lon = not is_lon
    south, north, west, east = edges
    return south, west, north, east


def geohash_corner(text: str) -> tuple[float, float]:
    """The corner in the south west. Raises ParseError."""
    south, west, _, _ = geohash_cell(text)
    return south, west


def normal_point(lat: float, lon: float) -> tuple[float, float]:
    """The same place with coordinates in their usual ranges: over a pole it comes down on the other side.

    Raises IllegalArgument for what is infinite or no number.
    """
    if -90 <= lat <= 90 and -180 <= lon <= 180:
        return lat, lon
    for name, value, most in (("latitude", lat, 90.0), ("longitude", lon, 180.0)):
        if not math.isfinite(value):
            raise IllegalArgument(f"invalid {name} NaN; must be between -{most} and {most}")
    lat = _centered(lat, 360.0)
    if lat > 90:
        lat, lon = 180 - lat, lon + 180
    elif lat < -90:
        lat, lon = -180 - lat, lon + 180
    return lat + 0.0, _centered(lon, 360.0) + 0.0


def _centered(value: float, divisor: float) -> float:
    rest = math.fmod(value, divisor)
    if rest <= 0:
        rest += divisor
    return rest - divisor if rest > divisor / 2 else rest
