"""The aggregations that make one number, or a few, of a field's values."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    NUMBER,
    STRING,
    VALUE,
    Cursor,
    Member,
    as_float,
    as_int,
    plain,
    read_members,
    text_of,
)

AggReader = Callable[[Cursor, str, Mapping[str, Any], str], dict[str, Any]]
"""Reads `container[kind]` for the aggregation of that name: the arguments of its class, and the class as `build`."""


def at_least(least: float, shown: str, agg: str, *, above: bool = False) -> Callable[..., Any]:
    """A converter to a number that checks a lower limit. `shown` is the reference's name for the member."""
    convert = as_float if isinstance(least, float) else as_int

    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        value = convert(cursor, members, name)
        if value <= least if above else value < least:
            limit = f"greater than {least}" if above else f"greater than or equal to {least}"
            raise IllegalArgument(f"[{shown}] must be {limit}. Found [{value}] in [{agg}]")
        return value

    return read


def missing_value(agg: str) -> Callable[..., Any]:
    """A converter for `missing`."""

    def read(_: Cursor, members: Mapping[str, Any], name: str) -> dsl.Scalar:
        if members[name] is None:
            raise IllegalArgument(f"[missing] must not be null: [{agg}]")
        value: dsl.Scalar = members[name]
        return value

    return read


def source_members(agg: str) -> dict[str, Member]:
    """What every aggregation over a field's values takes."""
    return {
        "field": Member(STRING, plain),
        "missing": Member(VALUE, missing_value(agg)),
        "format": Member(STRING, plain),
        "value_type": Member(STRING, plain),
        "script": Member(("START_OBJECT", "VALUE_STRING"), no_script),
    }


def no_script(cursor: Cursor, members: Mapping[str, Any], name: str) -> Any:
    """A converter for what would be a script."""
    raise IllegalArgument("scripts are not supported by this version")


def require_field(found: Mapping[str, Any]) -> None:
    if "field" not in found:
        raise IllegalArgument("Required one of fields [field, script], but none were specified.")


def _metric(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = source_members(agg)
    if kind == "extended_stats":
        known["sigma"] = Member(NUMBER, _sigma(agg))
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    return {"build": dsl.MetricAgg, "kind": dsl.MetricKind(kind), **found}


def _sigma(agg: str) -> Callable[..., Any]:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        sigma = as_float(cursor, members, name)
        if sigma < 0:
            raise IllegalArgument(
                f"[sigma] must be greater than or equal to 0. Found [{sigma}] in [{agg}]"
            )
        return sigma

    return read


def _cardinality(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = source_members(agg)
    known["precision_threshold"] = Member(NUMBER, at_least(0, "precisionThreshold", agg))
    known["execution_hint"] = Member(STRING, plain)
    known["rehash"] = Member(VALUE, lambda _, m, n: text_of(m[n]))
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    for ignored in ("format", "value_type", "execution_hint", "rehash"):
        found.pop(ignored, None)
    return {"build": dsl.CardinalityAgg, **found}


METRICS: dict[str, AggReader] = {
    **{kind.value: _metric for kind in dsl.MetricKind},
    "cardinality": _cardinality,
}
