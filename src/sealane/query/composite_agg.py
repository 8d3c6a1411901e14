"""composite: the sources of its keys, and where to go on."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument, IllegalState
from sealane.model import dsl
from sealane.query.bucket_aggs import calendar_interval, date_offset, fixed_interval, time_zone
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    Cursor,
    Member,
    as_bool,
    as_float,
    as_int,
    plain,
    read_members,
)
from sealane.query.grid_options import geo_bounds, zoom
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader, source_members


def _enumerated(java_class: str, *names: str) -> Callable[..., str]:
    def read(_: Cursor, members: Mapping[str, Any], name: str) -> str:
        value = str(members[name]).lower()
        if value not in names:
            raise IllegalArgument(f"No enum constant {java_class}.{members[name].upper()}")
        return value

    return read


def _interval(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    interval = as_float(cursor, members, name)
    if interval <= 0:
        raise IllegalArgument("[interval] must be greater than 0 for [histogram] source")
    return interval


_COMMON = {
    "field": Member(STRING, plain),
    "missing_bucket": Member(BOOLEAN, as_bool),
    "missing_order": Member(
        STRING,
        _enumerated(
            "org.elasticsearch.search.aggregations.bucket.composite.MissingOrder",
            "first",
            "last",
            "default",
        ),
    ),
    "value_type": Member(STRING, plain),
    "script": source_members("")["script"],
    "order": Member(STRING, _enumerated("org.elasticsearch.search.sort.SortOrder", "asc", "desc")),
}

_KINDS: dict[str, dict[str, Member]] = {
    "terms": _COMMON,
    "histogram": {**_COMMON, "interval": Member(NUMBER, _interval)},
    "date_histogram": {
        **_COMMON,
        "format": Member(STRING, plain),
        "calendar_interval": Member(STRING, calendar_interval),
        "fixed_interval": Member(STRING, fixed_interval),
        "offset": Member(NUMBER, date_offset),
        "time_zone": Member(NUMBER, time_zone),
    },
    "geotile_grid": {
        **_COMMON,
        "precision": Member(NUMBER, zoom),
        "bounds": Member(OBJECT, geo_bounds),
    },
}


def _expect_object(cursor: Cursor, value: Any) -> None:
    if not isinstance(value, dict):
        raise cursor.error(
            "Failed to parse object: expecting token of type [START_OBJECT] but found "
            f"[{token(value)}]"
        )


def _only_member(cursor: Cursor, members: Mapping[str, Any]) -> str:
    """The name of the first member, with the cursor at its value."""
    if not members:
        cursor.end(members)
        raise cursor.error(
            "Failed to parse object: expecting token of type [FIELD_NAME] but found [END_OBJECT]"
        )
    name = next(iter(members))
    cursor.value(members, name)
    return name


def _source(cursor: Cursor, members: Any) -> dsl.CompositeSource:
    _expect_object(cursor, members)
    name = _only_member(cursor, members)
    body = members[name]
    _expect_object(cursor, body)
    kind = _only_member(cursor, body)
    _expect_object(cursor, body[kind])
    known = _KINDS.get(kind)
    if known is None:
        raise cursor.error(f"invalid source type: {kind}")
    found = read_members(cursor, kind, body[kind], known)
    cursor.end(body[kind])
    _nothing_else(cursor, body)
    _nothing_else(cursor, members)
    found.pop("value_type", None)
    found["descending"] = found.pop("order", "asc") == "desc"
    if "fixed_interval" in found:
        found["fixed_interval_ms"] = found.pop("fixed_interval")
    if "offset" in found:
        found["offset_ms"] = found.pop("offset")
    # That a source has a field is for each shard to check.
    return dsl.CompositeSource(name=name, kind=kind, field=found.pop("field", ""), **found)  # type: ignore[arg-type]


def _nothing_else(cursor: Cursor, members: Mapping[str, Any]) -> None:
    names = list(members)
    if len(names) > 1:
        cursor.value(members, names[1])
        raise IllegalState("expected value but got [FIELD_NAME]")


def _sources(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.CompositeSource, ...]:
    value = members[name]
    if isinstance(value, dict):
        found = [_source(cursor, value)]
    else:
        found = []
        for index, item in enumerate(value):
            cursor.value(value, index)
            found.append(_source(cursor, item))
        cursor.end(value)
    names = [each.name for each in found]
    repeated = list(dict.fromkeys(each for each in names if names.count(each) > 1))
    problem = None
    if not found:
        problem = "Composite [sources] cannot be null or empty"
    elif repeated:
        problem = (
            f"Composite source names must be unique, found duplicates: [{', '.join(repeated)}]"
        )
    if problem is not None:
        error = cursor.content_error("", caused_by=IllegalArgument(problem))
        error.reason = "Failed to build [composite] after last required field arrived"
        raise error
    return tuple(found)


_MEMBERS = {
    "sources": Member(OBJECT_ARRAY, _sources),
    "size": Member(NUMBER, as_int),
    "after": Member(OBJECT, lambda _, m, n: dict(m[n])),
}


def _composite(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = read_members(cursor, kind, container[kind], _MEMBERS)
    if "sources" not in found:
        raise IllegalArgument("Required [sources]")
    return {"build": dsl.CompositeAgg, **found}


COMPOSITE: dict[str, AggReader] = {"composite": _composite}
