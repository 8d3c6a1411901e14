"""The aggregations whose buckets are spans: addresses, widths and dates that fit the data, filters in pairs."""

import re
from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.ip_addresses import ip_block, ip_number, ip_text
from sealane.query.bucket_aggs import time_zone
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    VALUE,
    Cursor,
    Member,
    as_bool,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.metric_aggs import AggReader, missing_value, require_field, source_members
from sealane.query.queries import parse_inner

_INT_MAX = 2**31 - 1
_NO_FIELD = "Required one of fields [field], but none were specified."


# -- ip_range ----------------------------------------------------------------------------------------------------


def _ip_range(cursor: Cursor, members: Mapping[str, Any]) -> dsl.IpRange:
    found: dict[str, str | None] = {}
    for name, value in members.items():
        cursor.value(members, name)
        if name not in ("from", "to", "mask", "key") or isinstance(value, dict | list):
            raise cursor.error(f"Unexpected ip range parameter: [{name}]")
        found[name] = None if value is None else text_of(value)
    cursor.end(members)
    mask = found.get("mask")
    if mask is not None:
        if "/" not in mask:
            raise IllegalArgument(f"Expected [ip/prefix] but was [{mask}]")
        first, last = ip_block(mask)
        end = None if last == (1 << 128) - 1 else last + 1
        return dsl.IpRange(first or None, end, found.get("key") or mask)
    low, high = found.get("from"), found.get("to")
    start = None if low is None else ip_number(low)
    stop = None if high is None else ip_number(high)
    key = found.get("key")
    return dsl.IpRange(start, stop, key if key is not None else _key(start, stop))


def _key(low: int | None, high: int | None) -> str:
    return "-".join("*" if each is None else ip_text(each) for each in (low, high))


def _ip_ranges(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.IpRange, ...]:
    value = members[name]
    if isinstance(value, dict):
        ranges = [_ip_range(cursor, value)]
    else:
        ranges = []
        for index, item in enumerate(value):
            cursor.value(value, index)
            if not isinstance(item, dict):
                raise cursor.error("[ranges] must contain objects, but found something else")
            ranges.append(_ip_range(cursor, item))
    top = 1 << 128
    ranges.sort(
        key=lambda each: (
            -1 if each.from_ is None else each.from_,
            top if each.to is None else each.to,
        )
    )
    return tuple(ranges)


def _ip_range_agg(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        **source_members(agg),
        "ranges": Member(OBJECT_ARRAY, _ip_ranges),
        "keyed": Member(BOOLEAN, as_bool),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "field" not in found:
        raise IllegalArgument(_NO_FIELD)
    for ignored in ("value_type", "format"):
        found.pop(ignored, None)
    return {"build": dsl.IpRangeAgg, "ranges": found.pop("ranges", ()), **found}


# -- ip_prefix ---------------------------------------------------------------------------------------------------


def within(name: str, low: int, high: int) -> Any:
    """A converter to a number that checks both limits."""

    def read(cursor: Cursor, members: Mapping[str, Any], member: str) -> int:
        value = as_int(cursor, members, member)
        if not low <= value <= high:
            raise IllegalArgument(
                f"[{name}] must be in range [{low}, {high}] while value is [{value}]"
            )
        return value

    return read


def _prefix_length(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 0:
        # Which limit holds above is known only with `is_ipv6`: each shard checks it.
        raise IllegalArgument(f"[{name}] must be in range [0, 32] while value is [{value}]")
    return value


def _ip_prefix(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = {
        "field": Member(STRING, plain),
        "missing": Member(VALUE, missing_value(agg)),
        "prefix_length": Member(NUMBER, _prefix_length),
        "is_ipv6": Member(BOOLEAN, as_bool),
        "append_prefix_length": Member(BOOLEAN, as_bool),
        "keyed": Member(BOOLEAN, as_bool),
        "min_doc_count": Member(NUMBER, within("min_doc_count", 1, _INT_MAX)),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "field" not in found:
        raise IllegalArgument(_NO_FIELD)
    return {"build": dsl.IpPrefixAgg, **found}


# -- histograms that fit the data ---------------------------------------------------------------------------------


def _above_zero(agg: str, text: str) -> Any:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = as_int(cursor, members, name)
        if value <= 0:
            raise IllegalArgument(text.format(name=name, agg=agg))
        return value

    return read


def _variable_width(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    text = "{name} must be greater than [0] for [{agg}]"
    known = {
        **source_members(agg),
        "buckets": Member(NUMBER, _above_zero(agg, text)),
        "shard_size": Member(NUMBER, _shard_size(agg)),
        "initial_buffer": Member(NUMBER, _above_zero(agg, text)),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    for ignored in ("value_type", "format"):
        found.pop(ignored, None)
    return {"build": dsl.VariableWidthHistogramAgg, **found}


def _shard_size(agg: str) -> Any:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = as_int(cursor, members, name)
        if value <= 1:
            raise IllegalArgument(f"shard_size must be greater than [1] for [{agg}]")
        return value

    return read


_INTERVALS = ("year", "month", "day", "hour", "minute", "second")
_MOST_DATES = 2_184
"""65,536 buckets, of which the widest inner interval takes 30 to make one."""


def _minimum_interval(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    value = members[name]
    if value not in _INTERVALS:
        raise IllegalArgument(f"minimum_interval must be one of [{', '.join(_INTERVALS)}]")
    return str(value)


def _auto_dates(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    def buckets(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = as_int(cursor, members, name)
        if value <= 0:
            raise IllegalArgument(f"buckets must be greater than 0 for [{agg}]")
        return value

    known = {
        **source_members(agg),
        "buckets": Member(NUMBER, buckets),
        "minimum_interval": Member(STRING, _minimum_interval),
        "time_zone": Member(NUMBER, time_zone),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    found.pop("value_type", None)
    if found.get("buckets", 10) > _MOST_DATES:
        raise IllegalArgument(f"buckets must be less than {_MOST_DATES}")
    return {"build": dsl.AutoDateHistogramAgg, **found}


# -- adjacency_matrix --------------------------------------------------------------------------------------------


def _named_filters(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = members[name]
    return {key: parse_inner(cursor, value, key) for key in value}


def _adjacency(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    known = {
        "filters": Member(OBJECT, _named_filters),
        "separator": Member(STRING, plain),
    }
    found = read_members(cursor, kind, container[kind], known)
    filters: dict[str, Any] = found.pop("filters", {})
    separator = found.get("separator", "&")
    if not filters:
        raise IllegalArgument("[filters] cannot be empty")
    for name in filters:
        if re.search(re.escape(separator), name):
            raise IllegalArgument(
                f"Filter name [{name}] in [{agg}] contains the separator [{separator}]"
            )
    keys = tuple(sorted(filters))
    return {
        "build": dsl.AdjacencyMatrixAgg,
        "keys": keys,
        "filters": tuple(filters[key] for key in keys),
        "separator": separator,
    }


RANGED: dict[str, AggReader] = {
    "ip_range": _ip_range_agg,
    "ip_prefix": _ip_prefix,
    "variable_width_histogram": _variable_width,
    "auto_date_histogram": _auto_dates,
    "adjacency_matrix": _adjacency,
}
