"""Distances between many points at once.

The reference measures with a cosine and an arc sine out of tables, whose last digits differ from the exact ones. Sort
values show all their digits, so here are the same tables.
"""

import math

import numpy as np
import numpy.typing as npt

from sealane.model.geo import EARTH_MEAN_RADIUS_M, LAT_STEP, LON_STEP

Doubles = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]


def unpack_all(packed: Keys) -> tuple[Doubles, Doubles]:
    """`unpack` of many."""
    lon_steps = packed.astype(np.int32).astype(np.float64)
    return (packed >> 32).astype(np.float64) * LAT_STEP, lon_steps * LON_STEP


# -- distances ---------------------------------------------------------------------------------------------------

_COS_SIZE = 1 << 11
_HALF_PI_HI, _HALF_PI_LO = 1.57079632673412561417, 6.07710050650619224932e-11
_COS_STEP_HI, _COS_STEP_LO = 4 * _HALF_PI_HI / _COS_SIZE, 4 * _HALF_PI_LO / _COS_SIZE
_COS_PER_RADIAN = 1 / (_COS_STEP_HI + _COS_STEP_LO)
_ASIN_SIZE = 1 << 13
_ASIN_MAX = math.sin(math.radians(73.0))
_ASIN_STEP = _ASIN_MAX / _ASIN_SIZE


def _circle() -> tuple[Doubles, Doubles]:
    steps = range(_COS_SIZE + 1)
    angles = [at * _COS_STEP_HI + at * _COS_STEP_LO for at in steps]
    quarter = _COS_SIZE // 4
    sines = [0.0 if at % (2 * quarter) == 0 else math.sin(angles[at]) for at in steps]
    cosines = [0.0 if at % (2 * quarter) == quarter else math.cos(angles[at]) for at in steps]
    return np.array(sines), np.array(cosines)


_NUMERATOR = (
    1.66666666666666657415e-01,
    -3.25565818622400915405e-01,
    2.01212532134862925881e-01,
    -4.00555345006794114027e-02,
    7.91534994289814532176e-04,
    3.47933107596021167570e-05,
)
_DENOMINATOR = (
    1.0,
    -2.40339491173441421878e00,
    2.02094576023350569471e00,
    -6.88283971605453293030e-01,
    7.70381505559019352791e-02,
)
_PIO2_HI, _PIO2_LO, _PIO4_HI = (
    1.57079632679489655800,
    6.12323399573676603587e-17,
    0.785398163397448278999,
)
_STEEP = 0.975


def _series(factors: tuple[float, ...], t: Doubles) -> Doubles:
    total = np.full_like(t, factors[-1])
    for factor in reversed(factors[:-1]):
        total = factor + t * total
    return total


def _exact_asin(x: Doubles) -> Doubles:
    """The arc sine of 0 to 1, to the last bit as Java has it: other libraries round some values the other way."""
    flat = x < 0.5
    t = np.where(flat, x * x, (1.0 - x) * 0.5)
    share = t * _series(_NUMERATOR, t) / _series(_DENOMINATOR, t)
    root = np.sqrt(t)
    near_one = _PIO2_HI - (2.0 * (root + root * share) - _PIO2_LO)
    high = (root.view(np.int64) & ~np.int64(0xFFFF_FFFF)).view(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (t - high * high) / (root + high)
    between = _PIO4_HI - ((2.0 * root * share - (_PIO2_LO - 2.0 * rest)) - (_PIO4_HI - 2.0 * high))
    result: Doubles = np.where(flat, x + x * share, np.where(x >= _STEEP, near_one, between))
    return result


def _arcs() -> tuple[Doubles, ...]:
    """The arc sine at each step, and its first derivatives over their factorials."""
    x: Doubles = np.arange(_ASIN_SIZE + 1, dtype=np.float64) * _ASIN_STEP
    inverse = 1 / (1 - x * x)
    root = np.sqrt(inverse)
    third = root * inverse
    fifth = third * inverse
    seventh = fifth * inverse
    return (
        _exact_asin(x),
        root,
        x * third * (1 / 2),
        (1 + 2 * x * x) * fifth * (1 / 6),
        (5 + 2 * x * (2 + x * (5 - 2 * x))) * seventh * (1 / 24),
    )


_SINES, _COSINES = _circle()
_ARCS = _arcs()


def _cos(radians: Doubles) -> Doubles:
    radians = np.abs(radians)
    index = (radians * _COS_PER_RADIAN + 0.5).astype(np.int64)
    delta = (radians - index * _COS_STEP_HI) - index * _COS_STEP_LO
    index &= _COS_SIZE - 1
    cos, sin = _COSINES[index], _SINES[index]
    result: Doubles = cos + delta * (
        -sin + delta * (-cos * (1 / 2) + delta * (sin * (1 / 6) + delta * cos * (1 / 24)))
    )
    return result


def _asin(x: Doubles) -> Doubles:
    at = (np.minimum(x, _ASIN_MAX) * (1 / _ASIN_STEP) + 0.5).astype(np.int64)
    delta = x - at * _ASIN_STEP
    start, first, second, third, fourth = (table[at] for table in _ARCS)
    near = start + delta * (first + delta * (second + delta * (third + delta * fourth)))
    result: Doubles = np.where(x <= _ASIN_MAX, near, _exact_asin(x))
    return result


def arc_meters(lat: Doubles, lon: Doubles, lats: Doubles, lons: Doubles) -> Doubles:
    """Great circle distances between points in degrees, on a sphere."""
    here, there = np.radians(lat), np.radians(lats)
    h1 = 1 - _cos(here - there)
    h2 = 1 - _cos(np.radians(lon - lons))
    h = np.asarray(h1 + _cos(here) * _cos(there) * h2, np.float64)
    # The lowest bits are dropped, so that distances that are equal compare as equal.
    h = np.atleast_1d(h)
    h = (h.view(np.int64) & ~np.int64(7)).view(np.float64)
    result: Doubles = EARTH_MEAN_RADIUS_M * 2 * _asin(np.minimum(1.0, np.sqrt(h * 0.5)))
    return result


def plane_meters(
    lat: float | Doubles, lon: float | Doubles, lats: Doubles, lons: Doubles
) -> Doubles:
    """As on a plane: fast, and wrong at long distances."""
    x = np.radians(lons - lon) * np.cos(np.radians((lats + lat) / 2))
    y = np.radians(lats - lat)
    result: Doubles = np.sqrt(x * x + y * y) * EARTH_MEAN_RADIUS_M
    return result
