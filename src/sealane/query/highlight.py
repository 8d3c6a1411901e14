"""`highlight` of a search body: options for all fields, and for each what overrides them."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import ApiError, IllegalArgument
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
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.located import token
from sealane.query.queries import parse_inner

_STYLED: Final = ('<em class="hlt1">', "</em>")
_SCANNERS = ("chars", "word", "sentence")
_UNSET = -1
"""What the reference takes for a number that was not given."""


def read_highlight(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Highlight:
    """Raises XContentParseError, ParsingError as the reference does."""
    body = members[name]
    shared = _read(cursor, "highlight", body, _HIGHLIGHT)
    fields: list[tuple[str, dict[str, Any]]] = shared.pop("fields", [])
    return dsl.Highlight(
        tuple(
            dsl.HighlightField(field, dsl.HighlightOptions(**{**shared, **own}))
            for field, own in fields
        )
    )


def _read(
    cursor: Cursor, kind: str, body: Mapping[str, Any], known: Mapping[str, Member]
) -> dict[str, Any]:
    """The options that were given. Members that change nothing here are read and dropped."""
    found = read_members(cursor, kind, body, known)
    before, behind = found.pop("pre_tags", None), found.pop("post_tags", None)
    schema = found.pop("tags_schema", None)
    if before and not behind:
        cursor.end(body)
        raise cursor.error("pre_tags are set but post_tags are not set")
    if behind:
        found["tags"] = ((before or ("<em>",))[0], behind[0])
    if schema is not None and not (behind and _is_before(body, "tags_schema", "post_tags")):
        found["tags"] = schema
    return {
        _RENAMED.get(option, option): value
        for option, value in found.items()
        if value is not None and option not in _IGNORED
    }


def _is_before(body: Mapping[str, Any], first: str, second: str) -> bool:
    names = list(body)
    return names.index(first) < names.index(second)


def _fields(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> list[tuple[str, dict[str, Any]]]:
    value = members[name]
    if isinstance(value, dict):
        return [(field, _field(cursor, value, field)) for field in value]
    fields = []
    for at, item in enumerate(value):
        if not isinstance(item, dict) or len(item) != 1:
            cursor.value(value, at)
            raise cursor.content_error(
                "[fields] can be a single object with any number of fields or an array where each "
                "entry is an object with a single field"
            )
        fields += [(field, _field(cursor, item, field)) for field in item]
    return fields


def _field(cursor: Cursor, fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    cursor.value(fields, name)
    body = fields[name]
    try:
        if not isinstance(body, dict):
            raise cursor.content_error(
                f"[highlight_field] Expected START_OBJECT but was: {token(body)}"
            )
        return _read(cursor, "highlight_field", body, _FIELD)
    except ApiError as error:
        raise cursor.content_error(
            f"[fields] failed to parse field [{name}]", caused_by=error
        ) from None


def _number(cursor: Cursor, members: Mapping[str, Any], name: str) -> int | None:
    value = as_int(cursor, members, name)
    return None if value == _UNSET else value


def _positive(cursor: Cursor, members: Mapping[str, Any], name: str) -> int | None:
    value = as_int(cursor, members, name)
    if value < 1 and value != _UNSET:
        raise IllegalArgument(f"[{name}] must be a positive integer")
    return None if value == _UNSET else value


def _texts(_: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    return tuple(text_of(each) for each in value) if isinstance(value, list) else (text_of(value),)


def _scanner(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    text: str = members[name].lower()
    if text not in _SCANNERS:
        raise IllegalArgument(
            "No enum constant org.elasticsearch.search.fetch.subphase.highlight.HighlightBuilder."
            f"BoundaryScannerType.{text.upper()}"
        )
    return text


def _schema(_: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, str]:
    text = members[name]
    if text not in ("default", "styled"):
        raise IllegalArgument(f"Unknown tag schema [{text}]")
    return _STYLED if text == "styled" else ("<em>", "</em>")


def _by_score(_: Cursor, members: Mapping[str, Any], name: str) -> bool:
    text: str = members[name]
    return text.lower() == "score"


def _escapes(_: Cursor, members: Mapping[str, Any], name: str) -> bool:
    return bool(members[name] == "html")


_OPTIONS: Final = {
    "pre_tags": Member(STRING_ARRAY, _texts),
    "post_tags": Member(STRING_ARRAY, _texts),
    "order": Member(STRING, _by_score),
    "highlight_filter": Member(BOOLEAN, as_bool),
    "fragment_size": Member(NUMBER, _number),
    "number_of_fragments": Member(NUMBER, _number),
    "require_field_match": Member(BOOLEAN, as_bool),
    "boundary_scanner": Member(STRING, _scanner),
    "boundary_max_scan": Member(NUMBER, as_int),
    "boundary_chars": Member(STRING, plain),
    "boundary_scanner_locale": Member(STRING, plain),
    "type": Member(STRING, plain),
    "fragmenter": Member(STRING, plain),
    "no_match_size": Member(NUMBER, _number),
    "force_source": Member(BOOLEAN, as_bool),
    "phrase_limit": Member(NUMBER, as_int),
    "max_analyzed_offset": Member(NUMBER, _positive),
    "options": Member(OBJECT, plain),
    "highlight_query": Member(OBJECT, parse_inner),
}
_HIGHLIGHT: Final = {
    **_OPTIONS,
    "tags_schema": Member(STRING, _schema),
    "encoder": Member(STRING, _escapes),
    "fields": Member(OBJECT_ARRAY, _fields),
}
_FIELD: Final = {
    **_OPTIONS,
    "fragment_offset": Member(NUMBER, as_int),
    "matched_fields": Member(STRING_ARRAY, _texts),
}
_RENAMED: Final = {"order": "by_score", "encoder": "escape_html"}
_IGNORED: Final = frozenset(
    {
        "highlight_filter",
        "boundary_max_scan",
        "boundary_chars",
        "boundary_scanner_locale",
        "force_source",
        "phrase_limit",
        "options",
        "fragment_offset",
    }
)
"""Of the highlighter that needs term vectors, or without an effect on the text."""
