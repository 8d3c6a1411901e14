"""The aggregations over sketches of values: percentiles, percentile_ranks, boxplot, median_absolute_deviation."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ApiError, IllegalArgument, IllegalState, XContentParseError
from sealane.model import dsl
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    STRING,
    Convert,
    Cursor,
    Member,
    as_bool,
    as_float,
    as_int,
    read_members,
)
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader, require_field, source_members

MAX_DIGITS = 5
"""The most significant digits that a value of an HDR histogram can have."""
_HINTS = ("default", "high_accuracy")
_NUMBERS = ("START_ARRAY", "VALUE_NUMBER", "VALUE_STRING")
_IGNORED = ("value_type", "execution_hint")


def _numbers(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """A number, or an array of them."""
    value = members[name]
    if not isinstance(value, list):
        return (as_float(cursor, members, name),)
    found = []
    for index in range(len(value)):
        cursor.value(value, index)
        found.append(_number(cursor, value, index))
    return tuple(found)


def _number(cursor: Cursor, values: list[Any], index: int) -> float:
    value = values[index]
    if isinstance(value, list | dict):
        raise IllegalState(f"expected value but got [{token(value)}]")
    if value is None:
        raise cursor.content_error(
            "Current token (VALUE_NULL) not numeric, can not use numeric value accessors"
        )
    return as_float(cursor, {"": value}, "")


def _hint(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    if members[name] not in _HINTS:
        raise IllegalArgument(
            f"Invalid execution_hint [{members[name]}], valid values are [default, high_accuracy]"
        )
    return str(members[name])


def _method_compression(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    value = as_float(cursor, members, name)
    if value < 0:
        raise IllegalArgument(f"[compression] must be greater than or equal to 0. Found [{value}]")
    return value


_TDIGEST = {
    "compression": Member(NUMBER, _method_compression),
    "execution_hint": Member(STRING, _hint),
}


def _tdigest(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = read_members(cursor, "tdigest", members[name], _TDIGEST)
    found.pop("execution_hint", None)
    return found


def _digits(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if not 0 <= value <= MAX_DIGITS:
        raise IllegalArgument(
            f"[numberOfSignificantValueDigits] must be between 0 and {MAX_DIGITS}"
        )
    return value


_HDR = {"number_of_significant_value_digits": Member(NUMBER, _digits)}


def _hdr(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = read_members(cursor, "hdr", members[name], _HDR)
    return {"digits": found.get("number_of_significant_value_digits", 3)}


def _percentiles(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    ranks = kind == "percentile_ranks"
    points = "values" if ranks else "percents"
    known = {
        **source_members(agg),
        points: Member(_NUMBERS, _numbers),
        "keyed": Member(BOOLEAN, as_bool),
        "tdigest": Member(OBJECT, _tdigest),
        "hdr": Member(OBJECT, _hdr),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    tdigest, hdr = found.pop("tdigest", None), found.pop("hdr", None)
    wanted = found.pop(points, None)
    try:
        if tdigest is not None and hdr is not None:
            raise IllegalArgument("Only one percentiles method should be declared.")
        if wanted is not None or ranks:
            found["points"] = _values(agg, wanted) if ranks else _percents(agg, wanted)
    except ApiError as error:
        raise XContentParseError(
            f"Failed to build [{kind}] after last required field arrived", caused_by=error
        ) from None
    for ignored in _IGNORED:
        found.pop(ignored, None)
    if hdr is not None:
        return {"build": dsl.HdrPercentilesAgg, "ranks": ranks, **hdr, **found}
    return {"build": dsl.PercentilesAgg, "ranks": ranks, **(tdigest or {}), **found}


def _values(agg: str, values: tuple[float, ...] | None) -> tuple[float, ...]:
    if values is None:
        raise IllegalArgument(f"[values] must not be null: [{agg}]")
    if not values:
        raise IllegalArgument(f"[values] must not be an empty array: [{agg}]")
    return tuple(sorted(values))


def _percents(agg: str, percents: tuple[float, ...]) -> tuple[float, ...]:
    if not percents:
        raise IllegalArgument(f"[percents] must not be empty: [{agg}]")
    ordered = sorted(percents)
    before: float | None = None
    for percent in ordered:
        if not 0 <= percent <= 100:
            raise IllegalArgument(f"percent must be in [0,100], got [{percent}]: [{agg}]")
        if percent == before:
            raise IllegalArgument(f"percent [{percent}] has been specified twice: [{agg}]")
        before = percent
    return tuple(ordered)


def _compression(agg: str, *, or_equal: bool) -> Convert:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        value = as_float(cursor, members, name)
        if value < 0 or (value == 0 and not or_equal):
            limit = "or equal to 0" if or_equal else "0"
            raise IllegalArgument(
                f"[compression] must be greater than {limit}. Found [{value}] in [{agg}]"
            )
        return value

    return read


def _sketch(compression: float, *, or_equal: bool) -> AggReader:
    """A reader of an aggregation whose compression stands beside its field."""

    def read(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
        known = {
            **source_members(agg),
            "compression": Member(NUMBER, _compression(agg, or_equal=or_equal)),
            "execution_hint": Member(STRING, _hint),
        }
        found = read_members(cursor, kind, container[kind], known)
        require_field(found)
        for ignored in _IGNORED:
            found.pop(ignored, None)
        found.setdefault("compression", compression)
        return {"build": dsl.SketchAgg, "kind": dsl.SketchKind(kind), **found}

    return read


SKETCHES: dict[str, AggReader] = {
    "percentiles": _percentiles,
    "percentile_ranks": _percentiles,
    "median_absolute_deviation": _sketch(1000.0, or_equal=False),
    "boxplot": _sketch(100.0, or_equal=True),
}
