"""The bodies of requests about indices: `_field_caps` and `_terms_enum`. Bytes to plain values."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ApiError, XContentParseError
from sealane.query.any_json import dumps
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    STRING,
    STRING_ARRAY,
    Cursor,
    Member,
    as_bool,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.json_text import decode_fast, refuse_rest
from sealane.query.located import XContentEnd, scan, token
from sealane.query.queries import parse_inner


def read_body(
    raw: bytes, kind: str, known: Mapping[str, Member], *, required: bool = False
) -> dict[str, Any]:
    """The members of a body, by name; none where there is no body.

    Raises XContentParseError with the reference's texts and places, and what malformed JSON raises.
    """
    if not raw.strip() and not required:
        return {}
    try:
        return _read(decode_fast(raw), kind, known)
    except (ValueError, RecursionError, ApiError):
        pass
    try:
        found = scan(raw)
    except XContentEnd as end:
        raise _as_parse_error(end) from None
    if not isinstance(found.value, dict):
        line, col = found.begin
        start = token(found.value)
        raise XContentParseError(f"[{line}:{col}] [{kind}] Expected START_OBJECT but was: {start}")
    refuse_rest(found)
    return _read(found.value, kind, known)


def _as_parse_error(end: XContentEnd) -> ApiError:
    """How parsers of whole objects show a text that ends too early."""
    place = end.reason.partition(" ")[0]
    cause = end.caused_by
    return end if cause is None else XContentParseError(f"{place} {cause.reason}", caused_by=cause)


def _read(value: Any, kind: str, known: Mapping[str, Member]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(value)
    return read_members(Cursor(), kind, value, known)


def _texts(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    return tuple(text_of(each) for each in (value if isinstance(value, list) else [value]))


def _query(cursor: Cursor, members: Mapping[str, Any], name: str) -> bytes:
    """A query that is sent on as it is, once it is known to be one."""
    parse_inner(cursor, members, name)
    return dumps(members[name])


def _empty(cursor: Cursor, members: Mapping[str, Any], name: str) -> None:
    if members[name]:
        raise cursor.error(f"[{name}] is not supported by this version")


FIELD_CAPS_MEMBERS = {
    "fields": Member(STRING_ARRAY, _texts),
    "index_filter": Member(OBJECT, _query),
    "runtime_mappings": Member(OBJECT, _empty),
}

TERMS_ENUM_MEMBERS = {
    "field": Member(STRING, plain),
    "string": Member(STRING, plain),
    "search_after": Member(STRING, plain),
    "size": Member(NUMBER, as_int),
    "case_insensitive": Member(BOOLEAN, as_bool),
    "timeout": Member(STRING, plain),
    "index_filter": Member(OBJECT, _query),
}


def read_field_caps(raw: bytes) -> dict[str, Any]:
    """`fields` (texts), `index_filter` (the JSON of a query)."""
    return read_body(raw, "field_caps_request", FIELD_CAPS_MEMBERS)


def read_terms_enum(raw: bytes) -> dict[str, Any]:
    """`field`, `string`, `search_after`, `size`, `case_insensitive`, `timeout` (text), `index_filter` (JSON)."""
    return read_body(raw, "terms_enum", TERMS_ENUM_MEMBERS)
