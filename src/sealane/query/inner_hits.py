"""`inner_hits`: the members of a search within a search.

Whoever asks for inner hits says what is found by them: the objects nested in a hit, or the hits of its group.
"""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    STRING_ARRAY,
    Convert,
    Cursor,
    Member,
    as_bool,
    as_int,
    plain,
    read_members,
)
from sealane.query.fields import read_field_list, read_stored_fields
from sealane.query.sorting import read_sort
from sealane.query.source_filter import read_source_filter

_COLLAPSE_MEMBERS = {"field": Member(STRING, plain)}


def read_inner_hits(cursor: Cursor, members: Mapping[str, Any]) -> dict[str, Any]:
    """The members by their names, converted: what is absent is not there.

    `sort` is a tuple of SortField, `_source` a SourceFilter, `fields` and `docvalue_fields` tuples of FetchField,
    `collapse` the name of a field; `highlight` and `script_fields` are the JSON they came as.
    Raises XContentParseError.
    """
    return read_members(cursor, "inner_hits", members, INNER_HITS)


def _at_least_zero(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 0:
        raise IllegalArgument(f"illegal {name} value, at least 0 or higher")
    return value


def _listed(read: Convert) -> Convert:
    """Lists of which a single object may stand for itself."""

    def convert(cursor: Cursor, members: Mapping[str, Any], name: str) -> Any:
        value = members[name]
        if isinstance(value, dict):
            return read(cursor, {name: [value]}, name)
        return read(cursor, members, name)

    return convert


def _collapse(cursor: Cursor, members: Mapping[str, Any], name: str) -> str | None:
    value = members[name]
    found = read_members(cursor, "collapse", {"field": value.get("field", "")}, _COLLAPSE_MEMBERS)
    for other in value:
        if other != "field":
            cursor.key(value, other)
            raise cursor.error("Invalid token in the inner collapse")
    field = found["field"]
    if not field:
        raise IllegalArgument("field name is null or empty")
    return str(field)


_LIST = Member(OBJECT_ARRAY, _listed(read_field_list))

INNER_HITS = {
    "ignore_unmapped": Member(BOOLEAN, as_bool),
    "name": Member(STRING, plain),
    "from": Member(NUMBER, _at_least_zero),
    "size": Member(NUMBER, _at_least_zero),
    "explain": Member(BOOLEAN, as_bool),
    "version": Member(BOOLEAN, as_bool),
    "seq_no_primary_term": Member(BOOLEAN, as_bool),
    "track_scores": Member(BOOLEAN, as_bool),
    "stored_fields": Member(STRING_ARRAY, read_stored_fields),
    "docvalue_fields": _LIST,
    "fields": _LIST,
    "script_fields": Member(OBJECT, plain),
    "sort": Member(OBJECT_ARRAY, read_sort),
    "_source": Member(
        ("START_OBJECT", "START_ARRAY", "VALUE_BOOLEAN", "VALUE_STRING"), read_source_filter
    ),
    "highlight": Member(OBJECT, plain),
    "collapse": Member(OBJECT, _collapse),
}
