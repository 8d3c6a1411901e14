"""What grids over the earth have in common: how fine they are, and where they are wanted."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model.geo import read_point
from sealane.query.cursor import Cursor, as_float, as_int

MAX_ZOOM = 29


def zoom(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    """The precision of a geotile_grid: 0 to 29."""
    value = as_int(cursor, members, name)
    if not 0 <= value <= MAX_ZOOM:
        raise IllegalArgument(
            f"Invalid geotile_grid precision of {value}. Must be between 0 and {MAX_ZOOM}."
        )
    return value


def geo_bounds(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """Top, left, bottom and right, of two corners or of four sides."""
    body = members[name]
    sides: dict[str, float] = {}
    corners = {
        "top_left": ("top", "left"),
        "bottom_right": ("bottom", "right"),
        "top_right": ("top", "right"),
        "bottom_left": ("bottom", "left"),
    }
    for key, value in body.items():
        cursor.value(body, key)
        if key in corners:
            point = read_point(value)
            sides |= dict(zip(corners[key], point, strict=True))
        elif key in ("top", "left", "bottom", "right"):
            sides[key] = as_float(cursor, body, key)
        else:
            raise ParseError(f"failed to parse bounding box. unexpected field [{key}]")
    if len(sides) < 4:
        raise ParseError("failed to parse bounding box. all four sides are required")
    return sides["top"], sides["left"], sides["bottom"], sides["right"]
