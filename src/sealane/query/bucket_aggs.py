"""The aggregations that sort documents into buckets."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.model.dates import zone
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    NUMBER_OR_NULL,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    VALUE,
    Cursor,
    Member,
    as_bool,
    as_float,
    plain,
    read_members,
    text_of,
)
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader, at_least, require_field, source_members
from sealane.query.nested import read_nested_agg, read_reverse_nested_agg
from sealane.query.queries import parse_inner
from sealane.query.term_rules import TERM_RULES, VALUE_TYPE
from sealane.settings.units import parse_time

_KEY_ASCENDING = dsl.BucketOrder("_key", True)


# -- order -------------------------------------------------------------------------------------------------------


def _order(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.BucketOrder, ...]:
    """`{"path": "asc"}` or an array of such. The result ends with a `_key` order."""
    value = members[name]
    if isinstance(value, list):
        orders = []
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                cursor.value(value, index)
                raise cursor.error(f"Unexpected token [{token(item)}] for [order]")
            orders.append(_one_order(cursor, item))
        if not orders:
            raise IllegalArgument("Must specify at least one field for [order]")
    else:
        orders = [_one_order(cursor, value)]
    if not any(order.path == "_key" for order in orders):
        orders.append(_KEY_ASCENDING)
    return tuple(orders)


def _one_order(cursor: Cursor, members: Mapping[str, Any]) -> dsl.BucketOrder:
    found: dsl.BucketOrder | None = None
    for path, direction in members.items():
        cursor.value(members, path)
        if not isinstance(direction, str):
            raise cursor.error(f"Unexpected token [{token(direction)}] for [order]")
        if direction.lower() not in ("asc", "desc"):
            raise cursor.error(f"Unknown order direction [{direction}]")
        # The reference keeps the last one.
        found = dsl.BucketOrder(path, direction.lower() == "asc")
    if found is None:
        cursor.end(members)
        raise cursor.error("Must specify at least one field for [order]")
    return found


ORDER = Member(OBJECT_ARRAY, _order)
"""The `order` of buckets."""


# -- terms -------------------------------------------------------------------------------------------------------


def collect_mode(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    """One of the two modes; neither changes an answer."""
    if members[name] not in ("depth_first", "breadth_first"):
        raise ParseError(f"no [collect_mode] found for value [{members[name]}]")
    return str(members[name])


def _terms(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = {
        **source_members(agg),
        "size": Member(NUMBER, at_least(0, "size", agg, above=True)),
        "shard_size": Member(NUMBER, at_least(0, "shardSize", agg, above=True)),
        "min_doc_count": Member(NUMBER, at_least(0, "minDocCount", agg)),
        "shard_min_doc_count": Member(NUMBER, at_least(0, "shardMinDocCount", agg)),
        "order": ORDER,
        **TERM_RULES,
        "show_term_doc_count_error": Member(BOOLEAN, as_bool),
        "collect_mode": Member(STRING, collect_mode),
        "execution_hint": Member(STRING, plain),
    }
    known["value_type"] = VALUE_TYPE
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("collect_mode", None)
    return {"build": dsl.TermsAgg, **found}


# -- histograms --------------------------------------------------------------------------------------------------


def _interval(agg: str) -> Any:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        interval = as_float(cursor, members, name)
        if not 0 < interval < float("inf"):
            raise IllegalArgument(f"[interval] must be >0 for histogram aggregation [{agg}]")
        return interval

    return read


def _number_bounds(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Bounds:
    number = Member(NUMBER_OR_NULL, lambda c, m, n: None if m[n] is None else as_float(c, m, n))
    found = read_members(cursor, "double_bounds", members[name], {"min": number, "max": number})
    bounds = dsl.Bounds(found.get("min"), found.get("max"))
    if found.get("min") is not None and found.get("max") is not None and bounds.max < bounds.min:  # type: ignore[operator]
        raise IllegalArgument(
            f"max bound [{bounds.max}] must be greater than min bound [{bounds.min}]"
        )
    return bounds


def _date_bounds(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Bounds:
    value = Member(("VALUE_NUMBER", "VALUE_STRING", "VALUE_NULL"), plain)
    found = read_members(cursor, "bounds", members[name], {"min": value, "max": value})
    return dsl.Bounds(found.get("min"), found.get("max"))


def _histogram_members(agg: str) -> dict[str, Member]:
    return {
        **source_members(agg),
        "min_doc_count": Member(NUMBER, at_least(0, "minDocCount", agg)),
        "order": ORDER,
        "keyed": Member(BOOLEAN, as_bool),
    }


def _histogram(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = {
        **_histogram_members(agg),
        "interval": Member(NUMBER, _interval(agg)),
        "offset": Member(NUMBER, as_float),
        "extended_bounds": Member(OBJECT, _number_bounds),
        "hard_bounds": Member(OBJECT, _number_bounds),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    _inside(found.get("hard_bounds"), found.get("extended_bounds"))
    # Without an interval it is 0, which each shard refuses.
    interval = found.setdefault("interval", 0.0)
    found["offset"] = found.get("offset", 0.0) % interval if interval else 0.0
    return {"build": dsl.HistogramAgg, **found}


def _inside(hard: dsl.Bounds | None, extended: dsl.Bounds | None) -> None:
    if hard is None or extended is None:
        return
    low = hard.min is not None and extended.min is not None and extended.min < hard.min  # type: ignore[operator]
    high = hard.max is not None and extended.max is not None and extended.max > hard.max  # type: ignore[operator]
    if low or high:
        raise IllegalArgument(
            f"Extended bounds have to be inside hard bounds, hard bounds: [{hard.min}--{hard.max}], "
            f"extended bounds: [{extended.min}--{extended.max}]"
        )


_CALENDAR = {
    "second": ("1s", "second"),
    "minute": ("1m", "minute"),
    "hour": ("1h", "hour"),
    "day": ("1d", "day"),
    "week": ("1w", "week"),
    "month": ("1M", "month"),
    "quarter": ("1q", "quarter"),
    "year": ("1y", "year"),
}
_CALENDAR_NAMES = {name: unit for unit, names in _CALENDAR.items() for name in names}


def calendar_interval(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    """A unit of the calendar, under either of its names."""
    if "fixed_interval" in members and _before(members, "fixed_interval", name):
        raise IllegalArgument(
            "Cannot use [calendar_interval] with [fixed_interval] configuration option."
        )
    value = members[name]
    if value not in _CALENDAR_NAMES:
        raise IllegalArgument(
            f"The supplied interval [{value}] could not be parsed as a calendar interval."
        )
    return _CALENDAR_NAMES[value]


def fixed_interval(_: Cursor, members: Mapping[str, Any], name: str) -> int:
    """A time value, in milliseconds."""
    if "calendar_interval" in members and _before(members, "calendar_interval", name):
        raise IllegalArgument(
            "Cannot use [fixed_interval] with [calendar_interval] configuration option."
        )
    return parse_time(members[name], "date_histogram.fixedInterval").ms


def _before(members: Mapping[str, Any], first: str, second: str) -> bool:
    names = list(members)
    return names.index(first) < names.index(second)


def date_offset(_: Cursor, members: Mapping[str, Any], name: str) -> int:
    """A number of milliseconds, or a time value with a sign."""
    value = members[name]
    if not isinstance(value, str):
        return int(value)
    setting = "DateHistogramAggregationBuilder.parseOffset"
    sign = -1 if value.startswith("-") else 1
    unsigned = value[1:] if value[:1] in ("-", "+") else value
    return sign * parse_time(unsigned, setting).ms


def time_zone(cursor: Cursor, members: Mapping[str, Any], name: str) -> str:
    """The name of a zone, or whole hours from UTC."""
    value = members[name]
    if isinstance(value, str):
        try:
            zone(value)
        except IllegalArgument as error:
            raise error.caused_by or error from None
        return value
    hours = int(value)
    return f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"


def _date_histogram(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        **_histogram_members(agg),
        "calendar_interval": Member(STRING, calendar_interval),
        "fixed_interval": Member(STRING, fixed_interval),
        "offset": Member(NUMBER, date_offset),
        "time_zone": Member(NUMBER, time_zone),
        "extended_bounds": Member(OBJECT, _date_bounds),
        "hard_bounds": Member(OBJECT, _date_bounds),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    # That there is an interval, and above zero, is for each shard to check.
    return {
        "build": dsl.DateHistogramAgg,
        "fixed_interval_ms": found.pop("fixed_interval", None),
        "offset_ms": found.pop("offset", 0),
        **found,
    }


# -- ranges ------------------------------------------------------------------------------------------------------

_RANGE = {
    "from": Member(NUMBER_OR_NULL, plain),
    "to": Member(NUMBER_OR_NULL, plain),
    "key": Member(VALUE, lambda _, m, n: None if m[n] is None else text_of(m[n])),
}


def _ranges(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.RangeBucketSpec, ...]:
    value = members[name]
    if isinstance(value, dict):
        return (_range(cursor, value),)
    ranges = []
    for index, item in enumerate(value):
        cursor.value(value, index)
        if not isinstance(item, dict):
            raise cursor.content_error("[range] Expected START_OBJECT but was: END_ARRAY")
        ranges.append(_range(cursor, item))
    return tuple(ranges)


def _range(cursor: Cursor, members: Mapping[str, Any]) -> dsl.RangeBucketSpec:
    found = read_members(cursor, "range", members, _RANGE)
    return dsl.RangeBucketSpec(found.get("from"), found.get("to"), found.get("key"))


def _place_of(each: dsl.RangeBucketSpec) -> tuple[float, float]:
    """By what ranges are sorted, as far as it can be told of text: what it means, the field's type says."""

    def place(end: dsl.Scalar | None, missing: float) -> float:
        try:
            return missing if end is None else float(end)
        except ValueError:
            return missing

    return place(each.from_, float("-inf")), place(each.to, float("inf"))


def _range_agg(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    date = kind == "date_range"
    known = {
        **source_members(agg),
        "ranges": Member(OBJECT_ARRAY, _ranges),
        "keyed": Member(BOOLEAN, as_bool),
    }
    if date:
        known["time_zone"] = Member(NUMBER, time_zone)
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    ranges = found.pop("ranges", ())
    if not date:
        ranges = tuple(sorted(ranges, key=_place_of))
    return {"build": dsl.RangeAgg, "ranges": ranges, "date": date, **found}


# -- buckets by query --------------------------------------------------------------------------------------------


def _filter(cursor: Cursor, _: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"build": dsl.FilterAgg, "filter": parse_inner(cursor, container, kind)}


def _filters(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    members = container[kind]
    filters: list[Any] = []
    keys: list[str] | None = None
    other: bool | None = None
    other_key: str | None = None
    keyed: bool = True
    for name, value in members.items():
        cursor.value(members, name)
        if name == "filters" and isinstance(value, dict):
            keys = list(value)
            filters = [parse_inner(cursor, value, key) for key in value]
        elif name == "filters" and isinstance(value, list):
            filters = [parse_inner(cursor, value, index) for index in range(len(value))]
        elif name == "other_bucket" and isinstance(value, bool):
            other = value
        elif name == "keyed" and isinstance(value, bool):
            keyed = value
        elif name == "other_bucket_key" and isinstance(value, str):
            other_key = value
        else:
            raise cursor.error(f"Unknown key for a {token(value)} in [{agg}]: [{name}].")
    if not filters:
        raise IllegalArgument("[filters] cannot be empty.")
    if keys is not None:
        # The reference answers them in the order of their names.
        pairs = sorted(zip(keys, filters, strict=True), key=lambda pair: pair[0])
        keys, filters = [key for key, _ in pairs], [each for _, each in pairs]
    if other is None:
        other = other_key is not None
    return {
        "build": dsl.FiltersAgg,
        "filters": tuple(filters),
        "keys": None if keys is None else tuple(keys),
        "other_bucket_key": (other_key or "_other_") if other else None,
        "keyed": keyed,
    }


def _missing(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = read_members(cursor, kind, container[kind], source_members(agg))
    require_field(found)
    return {
        "build": dsl.MissingAgg,
        "field": found["field"],
        "filled": found.get("missing") is not None,
    }


def _global(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    members = container[kind]
    for name, value in members.items():
        cursor.value(members, name)
        raise cursor.error(
            f"Expected [FIELD_NAME] under a [START_OBJECT], but got a [{token(value)}] in [{agg}]"
        )
    return {"build": dsl.GlobalAgg}


BUCKETS: dict[str, AggReader] = {
    "terms": _terms,
    "histogram": _histogram,
    "date_histogram": _date_histogram,
    "range": _range_agg,
    "date_range": _range_agg,
    "filter": _filter,
    "filters": _filters,
    "missing": _missing,
    "global": _global,
    "nested": read_nested_agg,
    "reverse_nested": read_reverse_nested_agg,
}
