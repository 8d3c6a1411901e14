"""`fields`, `docvalue_fields` and `stored_fields` of a search body: what a hit brings beside its source."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    BOOLEAN,
    STRING,
    Cursor,
    Member,
    as_bool,
    plain,
    read_members,
    text_of,
)
from sealane.query.located import token

_MEMBERS = {
    "field": Member(STRING, plain),
    "format": Member(STRING, plain),
    "include_unmapped": Member(BOOLEAN, as_bool),
}
_NONE = "_none_"
_SOURCE = "_source"


def read_field_list(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.FetchField, ...]:
    """Names, patterns and objects of them with a format."""
    value = members[name]
    return tuple(_field(cursor, value, index) for index in range(len(value)))


def _field(cursor: Cursor, items: list[Any], index: int) -> dsl.FetchField:
    item = items[index]
    if item is None or isinstance(item, list):
        found_token = _token_after(cursor, items, index)
        raise cursor.content_error(
            f"[fetch_field_and_format] Expected START_OBJECT but was: {found_token}"
        )
    if not isinstance(item, dict):
        return dsl.FetchField(text_of(item))
    found = read_members(cursor, "fetch_field_and_format", item, _MEMBERS)
    if "field" not in found:
        raise IllegalArgument("Required [field]")
    return dsl.FetchField(found["field"], found.get("format"), found.get("include_unmapped", False))


def _token_after(cursor: Cursor, items: list[Any], index: int) -> str:
    """The token after the one that an item begins with: where the reference notices a wrong one."""
    inside = items[index]
    rest = inside if isinstance(inside, list) else items[index + 1 :]
    if not rest:
        cursor.end(inside if isinstance(inside, list) else items)
        return "END_ARRAY"
    cursor.value(inside, 0) if isinstance(inside, list) else cursor.value(items, index + 1)
    return token(rest[0])


def read_stored_fields(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        cursor.value(members, name)
        raise cursor.error(
            f"Expected [VALUE_STRING] or [START_ARRAY] in [{name}] but found [{token(value)}]"
        )
    return tuple(text_of(item) for item in value)


def apply_stored_fields(arguments: dict[str, Any]) -> None:
    """Turns `stored_fields` into what it does here, where no field is stored: source and ids left out, or not."""
    names = arguments.pop("stored_fields", None)
    if names is None:
        return
    if _NONE in names:
        if len(names) > 1:
            raise IllegalArgument("cannot combine _none_ with other fields")
        source = arguments.get("source")
        if source is not None and source.enabled:
            raise ActionRequestValidation(
                ["[stored_fields] cannot be disabled if [_source] is requested"]
            )
        arguments["ids"] = False
    if _SOURCE not in names:
        arguments.setdefault("source", dsl.SourceFilter(enabled=False))
