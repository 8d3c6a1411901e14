"""`pit` and `slice` of a search body, and the body of opening a point in time."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dsl.point_in_time import PointInTime, Slice
from sealane.model.opaque import decode_base64
from sealane.query.cursor import (
    NUMBER,
    STRING,
    Cursor,
    Member,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.settings.units import parse_time

_TIME = (*STRING, "VALUE_NUMBER")


def read_point_in_time(cursor: Cursor, members: Mapping[str, Any], name: str) -> PointInTime:
    """Raises XContentParseError, IllegalArgument where there is no id."""
    found = read_members(cursor, "pit", members[name], _POINT_IN_TIME)
    if "id" not in found:
        raise IllegalArgument("point in time id is not provided")
    return PointInTime(id=found["id"], keep_alive_ms=found.get("keep_alive"))


def _id(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    text: str = members[name]
    decode_base64(text)
    return text


def _keep_alive(_: Cursor, members: Mapping[str, Any], name: str) -> int:
    return parse_time(text_of(members[name]), "keep_alive").ms


_POINT_IN_TIME = {"id": Member(STRING, _id), "keep_alive": Member(_TIME, _keep_alive)}


def read_slice(cursor: Cursor, members: Mapping[str, Any], name: str) -> Slice:
    """Raises XContentParseError."""
    found: dict[str, Any] = {}

    def slice_id(inner: Cursor, given: Mapping[str, Any], key: str) -> int:
        value = as_int(inner, given, key)
        if value < 0:
            raise IllegalArgument("id must be greater than or equal to 0")
        if found.get("max", -1) != -1 and value >= found["max"]:
            raise IllegalArgument("max must be greater than id")
        found["id"] = value
        return value

    def most(inner: Cursor, given: Mapping[str, Any], key: str) -> int:
        value = as_int(inner, given, key)
        if value <= 1:
            raise IllegalArgument("max must be greater than 1")
        if found.get("id", -1) != -1 and found["id"] >= value:
            raise IllegalArgument("max must be greater than id")
        found["max"] = value
        return value

    known = {
        "id": Member(NUMBER, slice_id),
        "max": Member(NUMBER, most),
        "field": Member(STRING, plain),
    }
    return Slice(**read_members(cursor, "slice", members[name], known))


def in_point_in_time(
    sort: tuple[dsl.SortField, ...], after: int | None
) -> tuple[dsl.SortField, ...]:
    """A given sort as it is in a point in time: with `_shard_doc` last, so that no two hits are equal.

    `after` is the number of values in `search_after`, None where there is none: with one for each key that was given,
    equal hits are left to be equal.
    """
    keys = sort or (dsl.SortField(field="_score", descending=True),)
    if any(each.field == "_shard_doc" for each in keys) or after == len(keys):
        return sort
    return (*keys, dsl.SortField(field="_shard_doc"))
