"""Completion suggestions of a search body."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    STRING,
    Cursor,
    Member,
    as_bool,
    as_int,
    plain,
    read_members,
    text_of,
)


def read_completion(
    cursor: Cursor, members: Mapping[str, Any], name: str, begun: str | None, *, is_regex: bool
) -> dsl.Suggestion:
    """Raises XContentParseError, ParseError where no field is named, IllegalArgument."""
    found = read_members(cursor, "completion", members, _MEMBERS)
    if "field" not in found:
        raise ParseError("the required field option [field] is missing")
    fuzziness = found.get("fuzzy")
    return dsl.CompletionSuggestion(
        name=name,
        field=found["field"],
        text=begun,
        size=found.get("size", dsl.DEFAULT_SUGGESTIONS),
        shard_size=found.get("shard_size"),
        analyzer=found.get("analyzer"),
        is_regex=is_regex,
        fuzziness=fuzziness,
        skip_duplicates=found.get("skip_duplicates", False),
    )


def _positive(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 1:
        raise IllegalArgument(f"{name} must be positive")
    return value


def _not_negative(java: str) -> Any:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = as_int(cursor, members, name)
        if value < 0:
            raise IllegalArgument(f"{java} must not be negative")
        return value

    return read


def _edits(_: Cursor, members: Mapping[str, Any], name: str) -> int | None:
    text = text_of(members[name])
    if text.upper() == "AUTO":
        return None
    if text in ("0", "1", "2"):
        return int(text)
    raise IllegalArgument("fuzziness must be between 0 and 2")


def _fuzzy(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.CompletionFuzziness | None:
    value = members[name]
    if isinstance(value, dict):
        found = read_members(cursor, "fuzzy", value, _FUZZY)
        found.pop("max_determinized_states", None)
        return dsl.CompletionFuzziness(edits=found.pop("fuzziness", None), **found)
    return dsl.CompletionFuzziness() if as_bool(cursor, members, name) else None


def _regex(cursor: Cursor, members: Mapping[str, Any], name: str) -> None:
    read_members(cursor, "regex", members[name], _REGEX)


def _contexts(_: Cursor, members: Mapping[str, Any], name: str) -> None:
    if members[name]:
        raise IllegalArgument("[contexts] are not supported by this version")


_FUZZY = {
    "fuzziness": Member((*STRING, "VALUE_NUMBER"), _edits),
    "transpositions": Member(BOOLEAN, as_bool),
    "min_length": Member(NUMBER, _not_negative("fuzzyMinLength")),
    "prefix_length": Member(NUMBER, _not_negative("fuzzyPrefixLength")),
    "unicode_aware": Member(BOOLEAN, as_bool),
    "max_determinized_states": Member(NUMBER, as_int),
}
_REGEX = {
    "flags": Member((*STRING, "VALUE_NUMBER"), plain),
    "max_determinized_states": Member(NUMBER, as_int),
}
_MEMBERS = {
    "field": Member(STRING, plain),
    "analyzer": Member(STRING, plain),
    "size": Member(NUMBER, _positive),
    "shard_size": Member(NUMBER, _positive),
    "skip_duplicates": Member(BOOLEAN, as_bool),
    "fuzzy": Member((*OBJECT, *BOOLEAN), _fuzzy),
    "regex": Member(OBJECT, _regex),
    "contexts": Member(OBJECT, _contexts),
}
