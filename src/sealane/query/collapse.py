"""`collapse` of a search body."""

from collections.abc import Mapping
from typing import Any

import orjson

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import NUMBER, OBJECT_ARRAY, STRING, Cursor, Member, as_int, read_members
from sealane.query.inner_hits import read_inner_hits

_SEARCHED = (
    "from",
    "size",
    "explain",
    "version",
    "seq_no_primary_term",
    "track_scores",
    "docvalue_fields",
    "fields",
    "script_fields",
    "sort",
    "_source",
    "highlight",
    "collapse",
)
"""Members of inner hits that mean the same in a search of their own."""
_DEFAULT_SIZE = 3
_NONE = "_none_"


def read_collapse(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Collapse:
    """Raises XContentParseError; IllegalArgument where no field is named."""
    found = read_members(cursor, "collapse", members[name], _MEMBERS)
    if "field" not in found:
        raise IllegalArgument("[collapse] requires a [field]")
    return dsl.Collapse(
        field=found["field"],
        inner_hits=found.get("inner_hits", ()),
        max_concurrent=found.get("max_concurrent_group_searches", 0),
    )


def _field(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    if not members[name]:
        raise IllegalArgument("field name is null or empty")
    return str(members[name])


def _max_concurrent(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 1:
        raise IllegalArgument("maxConcurrentGroupRequests` must be positive")
    return value


def _inner_hits(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.GroupHits, ...]:
    value = members[name]
    if isinstance(value, dict):
        return _named((_group_hits(cursor, value),))
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            cursor.value(value, at)
            raise cursor.error("Invalid token in inner_hits array")
    found = tuple(_group_hits(cursor, item) for item in value)
    cursor.end(value)
    return _named(found)


def _group_hits(cursor: Cursor, value: Mapping[str, Any]) -> dsl.GroupHits:
    found = read_inner_hits(cursor, value)
    cursor.end(value)
    search = {"size": _DEFAULT_SIZE, **{name: value[name] for name in _SEARCHED if name in value}}
    for name in ("docvalue_fields", "fields"):
        if isinstance(search.get(name), dict):
            search[name] = [search[name]]
    stored = [name for name in found.get("stored_fields", ()) if name != _NONE]
    if stored:
        search["stored_fields"] = stored
    return dsl.GroupHits(name=found.get("name", ""), search=orjson.dumps(search))


def _named(found: tuple[dsl.GroupHits, ...]) -> tuple[dsl.GroupHits, ...]:
    if not all(each.name for each in found):
        raise IllegalArgument(
            "inner_hits must have a [name]; set the [name] field in the inner_hits definition"
        )
    return found


_MEMBERS = {
    "field": Member(STRING, _field),
    "inner_hits": Member(OBJECT_ARRAY, _inner_hits),
    "max_concurrent_group_searches": Member(NUMBER, _max_concurrent),
}
