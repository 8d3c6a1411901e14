"""Pipelines that the reference reads token by token: the metrics of buckets, derivative and serial_diff.

Their errors name the token that does not fit, where those of declared members name the member.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument, NumberFormatError
from sealane.model import dsl
from sealane.model.dsl import BucketMetricKind, SeriesKind
from sealane.query.cursor import Cursor, float_from, plain, text_of
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader
from sealane.settings.units import parse_time

Members = Mapping[str, Any]
Reader = Callable[[Cursor, Members, str], Any]

_GAP_POLICIES = ("insert_zeros", "skip", "keep_values")


def gap_policy(cursor: Cursor, members: Members, name: str) -> str:
    """What a pipeline does with a bucket that has no value."""
    if members[name] not in _GAP_POLICIES:
        raise cursor.error(
            f"Invalid gap policy: [{members[name]}], accepted values: [{', '.join(_GAP_POLICIES)}]"
        )
    return str(members[name])


def path_list(cursor: Cursor, members: Members, name: str) -> tuple[str, ...]:
    """A path, or an array of them."""
    value = members[name]
    return tuple(text_of(each) for each in value) if isinstance(value, list) else (value,)


_UNITS_MS = {
    **dict.fromkeys(("second", "1s"), 1_000),
    **dict.fromkeys(("minute", "1m"), 60_000),
    **dict.fromkeys(("hour", "1h"), 3_600_000),
    **dict.fromkeys(("day", "1d"), 86_400_000),
    **dict.fromkeys(("week", "1w"), 604_800_000),
    # As long as the reference takes them to be on average.
    **dict.fromkeys(("month", "1M"), 2_629_746_000),
    **dict.fromkeys(("quarter", "1q"), 7_889_238_000),
    **dict.fromkeys(("year", "1y"), 31_556_952_000),
}


def _unit(_: Cursor, members: Members, name: str) -> int:
    unit = members[name]
    return _UNITS_MS.get(unit) or parse_time(unit, "DerivativePipelineAggregationBuilder.unit").ms


_TokenMembers = Mapping[tuple[str, str], tuple[str, Reader]]
"""By name and token: the argument, and how it is read."""

_TOKENS: dict[tuple[str, str], tuple[str, Reader]] = {
    ("buckets_path", "VALUE_STRING"): ("paths", path_list),
    ("buckets_path", "START_ARRAY"): ("paths", path_list),
    ("format", "VALUE_STRING"): ("format", plain),
    ("gap_policy", "VALUE_STRING"): ("gap_policy", gap_policy),
}


def _read_tokens(
    cursor: Cursor,
    members: Members,
    known: _TokenMembers,
    unknown: Callable[[str, str], str],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members.items():
        cursor.value(members, name)
        kind = token(value)
        reader = known.get((name, kind))
        if reader is None:
            raise cursor.error(unknown(kind, name))
        found[reader[0]] = reader[1](cursor, members, name)
    return found


def _percents(cursor: Cursor, members: Members, name: str) -> tuple[float, ...]:
    found: list[float] = []
    for value in members[name]:
        if isinstance(value, str):
            found.append(float_from(value))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise NumberFormatError(f'For input string: "{value}"')
        else:
            found.append(float(value))
    if not all(0 <= percent <= 100 for percent in found):
        raise IllegalArgument(
            "percents must only contain non-null doubles from 0.0-100.0 inclusive"
        )
    return tuple(found)


def _sigma(cursor: Cursor, members: Members, name: str) -> float:
    sigma = float(members[name])
    if sigma < 0:
        raise IllegalArgument("sigma must be a non-negative double")
    return sigma


_OWN_TOKENS: dict[str, dict[tuple[str, str], tuple[str, Reader]]] = {
    "percentiles_bucket": {
        ("percents", "START_ARRAY"): ("percents", _percents),
        ("keyed", "VALUE_BOOLEAN"): ("keyed", plain),
    },
    "extended_stats_bucket": {("sigma", "VALUE_NUMBER"): ("sigma", _sigma)},
}


def _bucket_metric(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    members = container[kind]
    known = _TOKENS | _OWN_TOKENS.get(kind, {})
    found = _read_tokens(
        cursor, members, known, lambda seen, name: f"Unexpected token {seen} [{name}] in [{agg}]"
    )
    if "paths" not in found:
        cursor.end(members)
        raise cursor.error(f"Missing required field [buckets_path] for aggregation [{agg}]")
    found["paths"] = (("", found["paths"][0]),)
    return {"build": dsl.BucketMetricAgg, "kind": BucketMetricKind(kind), **found}


def _derivative(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    members = container[kind]

    def unknown(seen: str, name: str) -> str:
        if seen in ("VALUE_STRING", "START_ARRAY"):
            return f"Unknown key for a {seen} in [{agg}]: [{name}]."
        return f"Unexpected token {seen} in [{agg}]."

    known = {**_TOKENS, ("unit", "VALUE_STRING"): ("unit_ms", _unit)}
    found = _read_tokens(cursor, members, known, unknown)
    if "paths" not in found:
        cursor.end(members)
        raise cursor.error(
            f"Missing required field [buckets_path] for derivative aggregation [{agg}]"
        )
    found["paths"] = (("", found["paths"][0]),)
    return {"build": dsl.SeriesAgg, "kind": SeriesKind.DERIVATIVE, **found}


def _serial_diff(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    members = container[kind]

    def lag(cursor: Cursor, members: Members, name: str) -> int:
        value = int(members[name])
        if value <= 0:
            raise cursor.error(
                "Lag must be a positive, non-zero integer.  Value supplied was"
                f"{value} in [{agg}]: [{name}]."
            )
        return value

    def unknown(seen: str, name: str) -> str:
        if seen == "START_OBJECT":
            return f"Unexpected token {seen} in [{agg}]."
        return f"Unknown key for a {seen} in [{agg}]: [{name}]."

    found = _read_tokens(
        cursor, members, {**_TOKENS, ("lag", "VALUE_NUMBER"): ("lag", lag)}, unknown
    )
    if "paths" not in found:
        cursor.end(members)
        raise cursor.error(
            f"Missing required field [buckets_path] for derivative aggregation [{agg}]"
        )
    found["paths"] = (("", found["paths"][0]),)
    return {"build": dsl.SeriesAgg, "kind": SeriesKind.SERIAL_DIFF, **found}


TOKEN_PIPELINES: dict[str, AggReader] = {
    **{kind.value: _bucket_metric for kind in BucketMetricKind},
    "derivative": _derivative,
    "serial_diff": _serial_diff,
}
