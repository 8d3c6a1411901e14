"""The bodies of requests about templates, data streams and rollovers: bytes to plain values."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import IllegalArgument, NumberFormatError
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
    int_from,
    not_numeric,
    plain,
    read_members,
    text_of,
)
from sealane.query.index_requests import read_body
from sealane.query.located import token

_LONG: Final = 2**63


def as_long(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    """A whole number of 64 bits, or a text of one; fractions are cut off. Raises IllegalArgument,
    XContentParseError.
    """
    value = members[name]
    if isinstance(value, bool):
        not_numeric(cursor, members, name)
    try:
        number = int_from(value) if isinstance(value, str) else int(value)
    except (NumberFormatError, OverflowError, ValueError):
        raise IllegalArgument(f'For input string: "{value}"') from None
    if not -_LONG <= number < _LONG:
        raise cursor.content_error(
            f"Numeric value ({value}) out of range of long ({-_LONG} - {_LONG - 1})"
        )
    return number


def _texts(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    listed = value if isinstance(value, list) else [value]
    for at, each in enumerate(listed):
        if each is None or isinstance(each, dict | list):
            place = cursor.value(value, at)
            raise IllegalArgument(f"Expected text at {place} but found {token(each)}")
    return tuple(text_of(each) for each in listed)


def _object(kind: str, known: Mapping[str, Member]) -> Convert:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
        return read_members(cursor, kind, members[name], known)

    return read


def _mappings(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] | list[Any] = members[name]
    if isinstance(found, list):
        raise IllegalArgument("Unexpected token: START_ARRAY")
    return found


_BODY: Final = {
    "settings": Member(OBJECT, plain),
    "mappings": Member(OBJECT_ARRAY, _mappings),
    "aliases": Member(OBJECT, plain),
    "lifecycle": Member(OBJECT, plain),
}
_STREAM: Final = {
    "hidden": Member(BOOLEAN, as_bool),
    "allow_custom_routing": Member(BOOLEAN, as_bool),
}
_COMMON: Final = {
    "template": Member(OBJECT, _object("template", _BODY)),
    "version": Member(NUMBER, as_long),
    "_meta": Member(OBJECT, plain),
    "deprecated": Member(BOOLEAN, as_bool),
}
INDEX_TEMPLATE: Final = {
    "index_patterns": Member(STRING_ARRAY, _texts),
    "composed_of": Member(STRING_ARRAY, _texts),
    "priority": Member(NUMBER, as_long),
    "data_stream": Member(OBJECT, _object("data_stream_template", _STREAM)),
    "allow_auto_create": Member(BOOLEAN, as_bool),
    "ignore_missing_component_templates": Member(STRING_ARRAY, _texts),
    **_COMMON,
}
COMPONENT_TEMPLATE: Final = _COMMON


def read_index_template(raw: bytes) -> dict[str, Any]:
    """The members of an index template, by name. Raises XContentParseError; IllegalArgument without patterns."""
    found = read_body(raw, "index_template", INDEX_TEMPLATE, required=True)
    if "index_patterns" not in found:
        raise IllegalArgument("Required [index_patterns]")
    if not found["index_patterns"]:
        raise IllegalArgument("There must be at least one pattern, zero given")
    return found


def read_component_template(raw: bytes) -> dict[str, Any]:
    """The members of a component template, by name. Raises XContentParseError; IllegalArgument without `template`."""
    found = read_body(raw, "component_template", COMPONENT_TEMPLATE, required=True)
    if "template" not in found:
        raise IllegalArgument("Required [template]")
    return found


_SUBJECTS: Final = ("age", "docs", "size", "primary_shard_size", "primary_shard_docs")


def conditions(readers: Mapping[str, Convert]) -> dict[str, Member]:
    """The members of `conditions`; `readers` by what a condition is about."""
    return {
        f"{kind}_{subject}": Member(
            NUMBER if subject.endswith("docs") else STRING, readers[subject]
        )
        for kind in ("max", "min")
        for subject in _SUBJECTS
    }


def read_rollover(raw: bytes, readers: Mapping[str, Convert]) -> dict[str, Any]:
    """`conditions` (by name, as `readers` give them), `settings`, `mappings`, `aliases`. Raises XContentParseError."""
    known = {
        "conditions": Member(OBJECT, _object("rollover_conditions", conditions(readers))),
        "settings": Member(OBJECT, plain),
        "mappings": Member(OBJECT, plain),
        "aliases": Member(OBJECT, plain),
    }
    return read_body(raw, "rollover", known)


_CHANGE: Final = {
    "data_stream": Member(STRING, plain),
    "index": Member(STRING, plain),
}
_ACTION: Final = {
    "add_backing_index": Member(OBJECT, _object("add_backing_index", _CHANGE)),
    "remove_backing_index": Member(OBJECT, _object("remove_backing_index", _CHANGE)),
}


def _actions(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    value = members[name]
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            raise cursor.content_error("[data_stream_action] Expected START_OBJECT")
        read = read_members(cursor, "data_stream_action", each, _ACTION)
        if len(read) != 1:
            raise IllegalArgument(
                "Each action must be one of [add_backing_index, remove_backing_index]"
            )
        found += read.items()
    return found


def read_stream_changes(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The actions of `_data_stream/_modify`: the name of each with its members. Raises XContentParseError,
    IllegalArgument.
    """
    known = {"actions": Member(OBJECT_ARRAY, _actions)}
    found = read_body(raw, "data_stream_actions", known, required=True)
    if not found.get("actions"):
        raise IllegalArgument("must specify at least one data stream modification action")
    for kind, members in found["actions"]:
        for name in _CHANGE:
            if not members.get(name):
                raise IllegalArgument(f"[{name}] is required for [{kind}]")
    actions: list[tuple[str, dict[str, Any]]] = found["actions"]
    return actions
