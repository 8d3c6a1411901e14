"""Cells of the two square grids over the earth, as numbers and as text: geohashes and map tiles.

Both are numbers of one grid level, so that they merge and sort as numbers do. Pure arithmetic: which cell a point is
in, what a cell is called, and where it lies.
"""

import math

_BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
_DIGITS = {char: at for at, char in enumerate(_BASE32)}
GEOHASH_MAX = 12
TILE_ZOOM_MAX = 29
TILE_LATITUDE_MAX = 85.0511287798066
"""Beyond it Web Mercator has no tiles: the last row takes what is further."""

Box = tuple[float, float, float, float]
"""South, north, west, east."""


def tile_at(lat: float, lon: float, zoom: int) -> int:
    """The map tile of a point: zoom in the highest 6 bits, then 29 bits of x and 29 of y."""
    tiles = 1 << zoom
    x = math.floor((_normal_longitude(lon) + 180.0) / 360.0 * tiles)
    sine = math.sin(math.radians(min(max(lat, -TILE_LATITUDE_MAX), TILE_LATITUDE_MAX)))
    y = math.floor((0.5 - math.log((1.0 + sine) / (1.0 - sine)) / (4.0 * math.pi)) * tiles)
    return (zoom << 58) | (min(max(x, 0), tiles - 1) << 29) | min(max(y, 0), tiles - 1)


def tile_parts(tile: int) -> tuple[int, int, int]:
    """Zoom, x and y."""
    mask = (1 << 29) - 1
    return tile >> 58, (tile >> 29) & mask, tile & mask


def tile_text(tile: int) -> str:
    return "/".join(map(str, tile_parts(tile)))


def tile_from_text(text: str) -> int:
    """Raises ValueError where the text is no `zoom/x/y`."""
    parts = text.split("/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ValueError(
            f'Invalid geotile_grid hash string of {text}. Must be three integers in a form "zoom/x/y".'
        )
    zoom, x, y = map(int, parts)
    limit = 1 << zoom if 0 <= zoom <= TILE_ZOOM_MAX else 0
    if not (0 <= x < limit and 0 <= y < limit):
        raise ValueError(f"Zoom/X/Y combination is not valid: {text}")
    return (zoom << 58) | (x << 29) | y


def tile_box(tile: int) -> Box:
    zoom, x, y = tile_parts(tile)
    tiles = 1 << zoom
    return (
        _tile_latitude(y + 1, tiles),
        _tile_latitude(y, tiles),
        x / tiles * 360.0 - 180.0,
        (x + 1) / tiles * 360.0 - 180.0,
    )


def _tile_latitude(y: int, tiles: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi - 2.0 * math.pi * y / tiles)))


def geohash_at(lat: float, lon: float, precision: int) -> str:
    """The geohash of a point: `precision` characters, 5 bits each, longitude first."""
    bits = 5 * precision
    x = _quantized((_normal_longitude(lon) + 180.0) / 360.0)
    y = _quantized((min(max(lat, -90.0), 90.0) + 90.0) / 180.0)
    text = []
    value = 0
    for bit in range(bits):
        source, place = (x, bit // 2) if bit % 2 == 0 else (y, bit // 2)
        value = (value << 1) | (source >> (31 - place)) & 1
        if bit % 5 == 4:
            text.append(_BASE32[value])
            value = 0
    return "".join(text)


def _quantized(share: float) -> int:
    return min(int(share * 4_294_967_296.0), 0xFFFF_FFFF)


def geohash_box(text: str) -> Box:
    """Raises ValueError where the text is no geohash."""
    south, north, west, east = -90.0, 90.0, -180.0, 180.0
    is_longitude = True
    for char in text.lower():
        if char not in _DIGITS:
            raise ValueError(text)
        for shift in (4, 3, 2, 1, 0):
            upper = _DIGITS[char] >> shift & 1
            if is_longitude:
                middle = (west + east) / 2
                west, east = (middle, east) if upper else (west, middle)
            else:
                middle = (south + north) / 2
                south, north = (middle, north) if upper else (south, middle)
            is_longitude = not is_longitude
    return south, north, west, east


def _normal_longitude(lon: float) -> float:
    return lon if -180.0 <= lon <= 180.0 else (lon + 180.0) % 360.0 - 180.0


def meets(cell: Box, bounds: tuple[float, float, float, float]) -> bool:
    """Whether a cell and bounds (top, left, bottom, right) have a point in common."""
    south, north, west, east = cell
    top, left, bottom, right = bounds
    if north < bottom or south > top:
        return False
    if left <= right:
        return east >= left and west <= right
    return east >= left or west <= right  # the bounds cross the date line
