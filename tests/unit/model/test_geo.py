"""Places as text and numbers. Expected values are the reference's."""

import math

import pytest

from sealane.errors import IllegalArgument, NumberFormatError, ParseError
from sealane.model.geo import (
    distance_meters,
    geohash_cell,
    normal_point,
    pack,
    read_point,
    unit_meters,
    unpack,
)


@pytest.mark.parametrize(
    ("written", "point"),
    [
        ("1,2", (1.0, 2.0)),
        ("  1, 2 ", (1.0, 2.0)),
        ("1,2,3", (1.0, 2.0)),
        ("POINT(1 2)", (2.0, 1.0)),
        ("point (1 2 3)", (2.0, 1.0)),
        ("POINT EMPTY", (0.0, 0.0)),
        ("u0", (45.0, 0.0)),
        ("1", (-90.0, -135.0)),
        ([1, 2], (2.0, 1.0)),
        ([1, "2", 3], (2.0, 1.0)),
        ({"lat": "1", "lon": 2}, (1.0, 2.0)),
        ({"lat": 1, "lon": 2, "z": 3}, (1.0, 2.0)),
        ({"type": "Point", "coordinates": [1, 2]}, (2.0, 1.0)),
        ("91,200", (91.0, 200.0)),
    ],
)
def test_a_place_is_read_in_every_form(written: object, point: tuple[float, float]) -> None:
    assert read_point(written) == point


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1;2", "unsupported symbol [;] in geohash [1;2]"),
        ("", "empty geohash"),
        ("POINT(1)", "Invalid WKT format"),
        ("POINT(1 2 3 4)", "Invalid WKT format"),
        ("POINT(", "Invalid WKT format"),
        ("a,b", "latitude must be a number"),
        ("1,2,3,4", "failed to parse [1,2,3,4], expected 2 or 3 coordinates but found: [4]"),
        ([1], "geo_point expected"),
        (True, "geo_point expected"),
        (5, "geo_point expected"),
        ({}, "field must be either lat/lon, geohash string or type/coordinates"),
        ({"lat": 1}, "Required [lon]"),
        ({"lat": None, "lon": 1}, "latitude must be a number"),
        ({"lat": "x", "lon": 1}, "[latitude] must be a valid double value"),
        ({"type": "Point"}, "Required [coordinates]"),
        ({"type": "Polygon", "coordinates": []}, "[type] for geo_point can only be 'Point'"),
        ({"type": "Point", "coordinates": [1]}, "[coordinates] must contain at least two values"),
        (
            {"geohash": "u0"},
            "field [geohash] not supported - must be one of: lon, lat, z, type, coordinates",
        ),
    ],
)
def test_what_is_no_place_is_told(written: object, reason: str) -> None:
    with pytest.raises(ParseError) as error:
        read_point(written)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("lat", "lon", "kept"),
    [
        (52.1, 4.2, (52.09999996237457, 4.199999934062362)),
        (0.0, 0.0, (0.0, 0.0)),
        (53, 5, (52.999999984167516, 4.999999953433871)),
        (90, 180, (89.99999995809048, 179.99999991618097)),
        (-90, -180, (-90.0, -180.0)),
    ],
)
def test_a_coordinate_is_kept_in_32_bits(lat: float, lon: float, kept: tuple[float, float]) -> None:
    packed = pack(lat, lon)
    assert -(2**63) <= packed < 2**63
    assert unpack(packed) == kept
    assert pack(*kept) == packed


@pytest.mark.parametrize(
    ("text", "meters"),
    [("12", 12.0), ("1.5km", 1500.0), ("1NM", 1852.0), ("3 ft", 3 * 0.3048), ("2mm", 0.002)],
)
def test_distances_have_units(text: str, meters: float) -> None:
    assert distance_meters(text) == pytest.approx(meters)


def test_distances_that_are_none() -> None:
    for text in ("x", "1foo", "km", ""):
        with pytest.raises(NumberFormatError):
            distance_meters(text)
    with pytest.raises(IllegalArgument, match=r"No distance unit match \[foo\]"):
        unit_meters("foo")


def test_a_geohash_is_a_cell() -> None:
    assert geohash_cell("u0") == (45.0, 0.0, 50.625, 11.25)


@pytest.mark.parametrize(
    ("point", "normal"),
    [
        ((52.0, 4.0), (52.0, 4.0)),
        ((95.0, 4.0), (85.0, -176.0)),
        ((-95.0, 4.0), (-85.0, -176.0)),
        ((10.0, 190.0), (10.0, -170.0)),
        ((10.0, -190.0), (10.0, 170.0)),
    ],
)
def test_coordinates_come_round(point: tuple[float, float], normal: tuple[float, float]) -> None:
    assert normal_point(*point) == normal


def test_a_whole_number_that_no_double_holds_is_infinite() -> None:
    assert read_point([-(10**400), 10**400]) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    ("lat", "lon", "name"),
    [(math.inf, 1.0, "latitude"), (1.0, -math.inf, "longitude"), (math.nan, 1.0, "latitude")],
)
def test_what_is_no_place_has_no_usual_form(lat: float, lon: float, name: str) -> None:
    with pytest.raises(IllegalArgument, match=f"invalid {name} NaN; must be between"):
        normal_point(lat, lon)
