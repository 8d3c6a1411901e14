"""The aggregations of statistics: string_stats, matrix_stats, t_test, top_metrics, rate."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    STRING_ARRAY,
    Cursor,
    Member,
    as_bool,
    as_float,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.metric_aggs import AggReader, require_field, source_members
from sealane.query.queries import parse_inner
from sealane.query.sorting import read_sort
from sealane.query.value_aggs import FIELD_CONFIG, field_source

Members = Mapping[str, Any]


def _string_stats(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {**source_members(agg), "show_distribution": Member(BOOLEAN, as_bool)}
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    return {"build": dsl.StringStatsAgg, **found}


def _names(cursor: Cursor, members: Members, name: str) -> tuple[str, ...]:
    value = members[name]
    return tuple(text_of(each) for each in value) if isinstance(value, list) else (value,)


def _numbers(cursor: Cursor, members: Members, name: str) -> dict[str, float]:
    return {key: as_float(cursor, members[name], key) for key in members[name]}


def _mode(_: Cursor, members: Members, name: str) -> str:
    mode = str(members[name]).lower()
    if mode not in ("avg", "min", "max", "sum", "median"):
        raise IllegalArgument(f"Illegal value [{members[name]}] for MultiValueMode")
    return mode


def _matrix_stats(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "fields": Member(STRING_ARRAY, _names),
        "missing": Member(OBJECT, _numbers),
        "mode": Member(STRING, _mode),
    }
    found = read_members(cursor, kind, container[kind], known)
    if not found.get("fields"):
        raise IllegalArgument(f"[fields] must not be null: [{agg}]")
    return {"build": dsl.MatrixStatsAgg, **found}


# -- t_test ------------------------------------------------------------------------------------------------------

_KINDS = ("paired", "homoscedastic", "heteroscedastic")


def _test_kind(_: Cursor, members: Members, name: str) -> str:
    kind = str(members[name]).lower()
    if kind not in _KINDS:
        raise IllegalArgument(f"No enum constant for t-test type [{members[name]}]")
    return kind


def _sample(cursor: Cursor, members: Members, name: str) -> dsl.FieldSource:
    config = {**FIELD_CONFIG, "filter": Member(OBJECT, parse_inner)}
    return field_source(cursor, members, name, config)


def _t_test(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "a": Member(OBJECT, _sample),
        "b": Member(OBJECT, _sample),
        "type": Member(STRING, _test_kind),
        "format": Member(STRING, plain),
    }
    found = read_members(cursor, kind, container[kind], known)
    missing = [name for name in ("a", "b") if name not in found]
    if missing:
        raise IllegalArgument(f"Required [{', '.join(missing)}]")
    found["kind"] = found.pop("type", "heteroscedastic")
    if found["kind"] == "paired" and (found["a"].filter or found["b"].filter):
        raise IllegalArgument("Paired t-test doesn't support filters")
    return {"build": dsl.TTestAgg, **found}


# -- top_metrics -------------------------------------------------------------------------------------------------

_SIZE_MAX = 10


def _metrics(cursor: Cursor, members: Members, name: str) -> tuple[str, ...]:
    value = members[name]
    items = value if isinstance(value, list) else [value]
    found = [
        read_members(cursor, "metrics", item, {"field": Member(STRING, plain)})
        for item in items
        if isinstance(item, dict)
    ]
    if len(found) != len(items) or not all("field" in each for each in found):
        raise IllegalArgument("Required one of fields [field, script], but none were specified.")
    return tuple(each["field"] for each in found)


def _top_metrics(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "metrics": Member(OBJECT_ARRAY, _metrics),
        "sort": Member((*OBJECT_ARRAY, "VALUE_STRING"), read_sort),
        "size": Member(NUMBER, as_int),
    }
    found = read_members(cursor, kind, container[kind], known)
    missing = [name for name in ("sort", "metrics") if name not in found]
    if missing:
        raise IllegalArgument(f"Required [{', '.join(missing)}]")
    sort, size = found["sort"] or (dsl.SortField(field="_score", descending=True),), 1
    if len(sort) > 1:
        raise IllegalArgument("[top_metrics] only supports sorting on a single field")
    size = found.get("size", 1)
    if size < 1:
        raise IllegalArgument(f"[size] must be more than 0 but was [{size}]")
    if size > _SIZE_MAX:
        raise IllegalArgument(
            f"[top_metrics.size] must not be more than [{_SIZE_MAX}] but was [{size}]. This limit "
            "can be set by changing the [index.top_metrics_max_size] index level setting."
        )
    body = dsl.SearchBody(
        raw=b"",
        size=size,
        sort=sort,
        source=dsl.SourceFilter(enabled=False),
        docvalue_fields=tuple(dsl.FetchField(name) for name in found["metrics"]),
    )
    return {"build": dsl.TopMetricsAgg, "metrics": found["metrics"], "body": body}


# -- rate --------------------------------------------------------------------------------------------------------

_UNITS = {
    name: unit
    for unit, names in {
        "second": ("1s",),
        "minute": ("1m",),
        "hour": ("1h",),
        "day": ("1d",),
        "week": ("1w",),
        "month": ("1M",),
        "quarter": ("1q",),
        "year": ("1y",),
    }.items()
    for name in (unit, *names)
}


def _unit(_: Cursor, members: Members, name: str) -> str:
    if members[name] not in _UNITS:
        raise IllegalArgument(f"Unsupported unit {members[name]}")
    return _UNITS[members[name]]


def _rate_mode(_: Cursor, members: Members, name: str) -> str:
    mode = str(members[name]).lower()
    if mode not in ("sum", "value_count"):
        raise IllegalArgument(f"Unsupported rate mode {members[name]}")
    return mode


def _rate(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        **source_members(agg),
        "unit": Member(STRING, _unit),
        "mode": Member(STRING, _rate_mode),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "mode" in found and "field" not in found:
        raise IllegalArgument("The mode parameter is only supported with field or script")
    found.pop("value_type", None)
    return {"build": dsl.RateAgg, **found}


ANALYTICS: dict[str, AggReader] = {
    "rate": _rate,
    "string_stats": _string_stats,
    "matrix_stats": _matrix_stats,
    "t_test": _t_test,
    "top_metrics": _top_metrics,
}
