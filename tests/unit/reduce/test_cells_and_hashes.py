"""Cells of grids, and hashes of keys, as the reference computes them."""

import pytest

from sealane.reduce.key_hashing import mix64, murmur3_32, sortable_long
from sealane.reduce.tiles import (
    geohash_at,
    geohash_box,
    meets,
    tile_at,
    tile_box,
    tile_from_text,
    tile_text,
)

BERLIN = (52.520008, 13.404954)


def test_geohashes() -> None:
    assert geohash_at(*BERLIN, 9) == "u33dc0cpn"
    assert geohash_at(90.0, 180.0, 3) == "zzz"
    assert geohash_at(-90.0, -180.0, 3) == "000"
    south, north, west, east = geohash_box("u33")
    assert south <= BERLIN[0] < north
    assert west <= BERLIN[1] < east
    with pytest.raises(ValueError, match="u3a"):
        geohash_box("u3a")


@pytest.mark.parametrize(
    ("point", "zoom", "text"),
    [
        (BERLIN, 0, "0/0/0"),
        (BERLIN, 10, "10/550/335"),
        ((90.0, 180.0), 2, "2/3/0"),
        ((-90.0, -180.0), 2, "2/0/3"),
        ((85.06, 0.0), 29, "29/268435456/0"),
    ],
)
def test_tiles(point: tuple[float, float], zoom: int, text: str) -> None:
    """Beyond the latitudes of Web Mercator the outermost rows take all."""
    tile = tile_at(*point, zoom)
    assert tile_text(tile) == text
    assert tile_from_text(text) == tile


def test_a_tile_holds_the_points_that_are_in_it() -> None:
    south, north, west, east = tile_box(tile_at(*BERLIN, 12))
    assert south < BERLIN[0] <= north
    assert west <= BERLIN[1] < east
    for lat, lon in ((north - 1e-9, west), (south + 1e-9, east - 1e-9)):
        assert tile_at(lat, lon, 12) == tile_at(*BERLIN, 12)


@pytest.mark.parametrize("text", ["", "1/2", "a/0/0", "1/2/0", "30/0/0", "1/0/-1"])
def test_what_is_no_tile(text: str) -> None:
    with pytest.raises(ValueError, match=r"geotile_grid hash string|Zoom/X/Y"):
        tile_from_text(text)


def test_cells_and_bounds() -> None:
    """Bounds are top, left, bottom, right; they may cross the date line."""
    cell = (0.0, 10.0, 170.0, 180.0)
    assert meets(cell, (5.0, 160.0, 1.0, 175.0))
    assert not meets(cell, (-1.0, 160.0, -5.0, 175.0))
    assert meets(cell, (5.0, 175.0, 1.0, -170.0))
    assert not meets((0.0, 10.0, 0.0, 10.0), (5.0, 175.0, 1.0, -170.0))


def test_hashes_of_keys() -> None:
    """Known values of MurmurHash3 (x86, 32 bits), signed."""
    assert murmur3_32(b"", 0) == 0
    assert murmur3_32(b"", 1) == 0x514E28B7
    assert murmur3_32(b"test", 0) == 0xBA6BD213 - (1 << 32)
    assert murmur3_32(b"Hello, world!", 0x9747B28C) == 0x24884CBA
    assert len({mix64(n) % 7 for n in range(100)}) == 7
    ordered = [-1e300, -1.5, -0.0, 0.0, 5e-324, 1.5, 1e300]
    assert sorted(map(sortable_long, ordered)) == list(map(sortable_long, ordered))
