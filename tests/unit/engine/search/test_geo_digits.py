"""Distances have the last digit that 8.19 prints, which hangs on how an arc sine is rounded."""

import numpy as np
import pytest

from sealane.engine.embedded.search.geo_distance import arc_meters
from sealane.model.geo import LAT_STEP, LON_STEP


@pytest.mark.parametrize(
    ("lat", "lon", "miles"),
    [(-53.16282, -70.90922, 8468.681615083511), (-54.81084, -68.31591, 8457.139894291982)],
)
def test_the_last_digit_of_a_distance(lat: float, lon: float, miles: float) -> None:
    place = np.array([lat // LAT_STEP * LAT_STEP]), np.array([lon // LON_STEP * LON_STEP])
    (found,) = arc_meters(np.array([48.0]), np.array([11.0]), *place) / 1609.344
    assert found == miles
