"""The aggregations over several fields, over places and over hits: weighted_avg, geo_bounds, geo_centroid, top_hits."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    BOOLEAN,
    OBJECT,
    STRING,
    VALUE,
    Cursor,
    Member,
    as_bool,
    as_int,
    plain,
    read_members,
)
from sealane.query.fields import apply_stored_fields, read_field_list, read_stored_fields
from sealane.query.highlight import read_highlight
from sealane.query.located import token
from sealane.query.metric_aggs import AggReader, missing_value, no_script, source_members
from sealane.query.sorting import read_sort
from sealane.query.source_filter import read_source_filter

Members = Mapping[str, Any]

# -- several fields ----------------------------------------------------------------------------------------------

FIELD_CONFIG = {
    "field": Member(STRING, plain),
    "missing": Member(VALUE, plain),
    "script": Member(("START_OBJECT", "VALUE_STRING"), no_script),
}


def field_source(
    cursor: Cursor, members: Members, name: str, config: Mapping[str, Member] = FIELD_CONFIG
) -> dsl.FieldSource:
    """One of several fields of an aggregation. `config` is what may stand beside its name."""
    found = read_members(cursor, "field_config", members[name], config)
    if "field" not in found:
        cursor.end(members[name])
        raise IllegalArgument(
            "[field] and [script] cannot both be null.  Please specify one or the other."
        )
    return dsl.FieldSource(found["field"], found.get("missing"), found.get("filter"))


_FIELD_SOURCE = Member(OBJECT, field_source)


def _weighted_avg(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "value": _FIELD_SOURCE,
        "weight": _FIELD_SOURCE,
        "format": Member(STRING, plain),
        "value_type": Member(STRING, plain),
    }
    found = read_members(cursor, kind, container[kind], known)
    return {
        "build": dsl.WeightedAvgAgg,
        "value": found.get("value"),
        "weight": found.get("weight"),
        "format": found.get("format"),
    }


# -- places ------------------------------------------------------------------------------------------------------


def _geo_bounds(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "field": Member(STRING, plain),
        "missing": Member(VALUE, missing_value(agg)),
        "wrap_longitude": Member(BOOLEAN, as_bool),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "field" not in found:
        raise IllegalArgument("Required one of fields [field], but none were specified.")
    return {"build": dsl.GeoBoundsAgg, **found}


def _geo_centroid(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = source_members(agg)
    known.pop("format")
    found = read_members(cursor, kind, container[kind], known)
    if "field" not in found:
        raise IllegalArgument("Required one of fields [field, script], but none were specified.")
    found.pop("value_type", None)
    return {"build": dsl.GeoCentroidAgg, **found}


# -- hits --------------------------------------------------------------------------------------------------------

_TOP_HITS_SIZE = 3


def _not_negative(agg: str) -> Callable[[Cursor, Members, str], int]:
    def read(cursor: Cursor, members: Members, name: str) -> int:
        value = as_int(cursor, members, name)
        if value < 0:
            raise IllegalArgument(
                f"[{name}] must be greater than or equal to 0. Found [{value}] in [{agg}]"
            )
        return value

    return read


_HITS_MEMBERS: dict[str, tuple[str, Callable[[Cursor, Members, str], Any]]] = {
    "_source": ("source", read_source_filter),
    "docvalue_fields": ("docvalue_fields", read_field_list),
    "fields": ("fields", read_field_list),
    "highlight": ("highlight", read_highlight),
    "seq_no_primary_term": ("seq_no_primary_term", as_bool),
    "sort": ("sort", read_sort),
    "stored_fields": ("stored_fields", read_stored_fields),
    "track_scores": ("track_scores", as_bool),
    "version": ("version", as_bool),
}
_HITS_TOKENS: Mapping[str, tuple[str, ...]] = {
    "docvalue_fields": ("START_ARRAY",),
    "fields": ("START_ARRAY",),
    "highlight": ("START_OBJECT",),
    "sort": ("START_ARRAY", "START_OBJECT", "VALUE_STRING"),
    "stored_fields": ("START_ARRAY", "VALUE_STRING"),
    "_source": ("START_ARRAY", "START_OBJECT", "VALUE_STRING", "VALUE_BOOLEAN"),
}
_SCALARS = ("VALUE_STRING", "VALUE_NUMBER", "VALUE_BOOLEAN")


def _top_hits(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    members = container[kind]
    found: dict[str, Any] = {"size": _TOP_HITS_SIZE}
    readers = {
        **_HITS_MEMBERS,
        "from": ("from_", _not_negative(agg)),
        "size": ("size", _not_negative(agg)),
    }
    for name, value in members.items():
        cursor.value(members, name)
        reader = readers.get(name)
        if reader is not None and token(value) in _HITS_TOKENS.get(name, _SCALARS):
            found[reader[0]] = reader[1](cursor, members, name)
        elif name == "explain" and token(value) in _SCALARS and not as_bool(cursor, members, name):
            continue
        elif name in ("explain", "script_fields"):
            raise cursor.error(f"[{name}] in top_hits is not supported by this version")
        else:
            raise cursor.error(f"Unknown key for a {token(value)} in [{name}].")
    apply_stored_fields(found)
    return {"build": dsl.TopHitsAgg, "body": dsl.SearchBody(raw=b"", **found)}


VALUES: dict[str, AggReader] = {
    "weighted_avg": _weighted_avg,
    "geo_bounds": _geo_bounds,
    "geo_centroid": _geo_centroid,
    "top_hits": _top_hits,
}
