"""`suggest` of a search body: suggestions by name, with the text that they share."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.cursor import Cursor, text_of
from sealane.query.located import token
from sealane.query.members import NamedObjectNotFound
from sealane.query.suggest_completion import read_completion
from sealane.query.suggest_options import (
    COMMON,
    SPELLING,
    read_options,
    required_field,
    spelling_of,
)
from sealane.query.suggest_phrase import read_phrase

_TEXTS = ("text", "prefix", "regex")
_Parser = Callable[[Cursor, Mapping[str, Any], dict[str, Any]], dsl.Suggestion]


def read_suggest(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.Suggestion, ...]:
    """In the order of the request. Raises ParsingError, ParseError and IllegalArgument."""
    value = members[name]
    shared: str | None = None
    found: list[tuple[str, Mapping[str, Any]]] = []
    for key, member in value.items():
        if isinstance(member, dict):
            found.append((key, member))
        elif isinstance(member, list):
            cursor.value(value, key)
            raise cursor.error(f"unexpected token [{token(member)}] after [{key}]")
        elif key == "text" and member is not None:
            shared = text_of(member)
        else:
            raise IllegalArgument(f"[suggest] does not support [{key}]")
    return tuple(_suggestion(cursor, key, member, shared) for key, member in found)


def _suggestion(
    cursor: Cursor, name: str, members: Mapping[str, Any], shared: str | None
) -> dsl.Suggestion:
    texts: dict[str, str] = {}
    kind: str | None = None
    for key, value in members.items():
        if isinstance(value, dict):
            kind = key
            if key not in _PARSERS:
                cursor.value(members, key)
                raise NamedObjectNotFound(f"[{cursor.place}] unknown field [{key}]")
        elif value is None:
            continue
        elif isinstance(value, list) or key not in _TEXTS:
            cursor.value(members, key)
            raise cursor.error(f"suggestion does not support [{key}]")
        else:
            texts[key] = text_of(value)
    if kind is None:
        raise ParseError("missing suggestion object")
    given: dict[str, Any] = {"name": name, "texts": texts, "shared": shared}
    return _PARSERS[kind](cursor, members[kind], given)


def _term(cursor: Cursor, members: Mapping[str, Any], given: dict[str, Any]) -> dsl.Suggestion:
    found = read_options(cursor, "term", members, {**COMMON, **SPELLING})
    required_field(found)
    spelling = spelling_of(found)
    return dsl.TermSuggestion(name=given["name"], text=_words(given), spelling=spelling, **found)


def _phrase(cursor: Cursor, members: Mapping[str, Any], given: dict[str, Any]) -> dsl.Suggestion:
    return read_phrase(cursor, members, given["name"], _words(given))


def _completion(
    cursor: Cursor, members: Mapping[str, Any], given: dict[str, Any]
) -> dsl.Suggestion:
    texts = given["texts"]
    begun = texts.get("prefix", texts.get("regex", texts.get("text", given["shared"])))
    is_regex = "regex" in texts and "prefix" not in texts
    return read_completion(cursor, members, given["name"], begun, is_regex=is_regex)


def _words(given: Mapping[str, Any]) -> str | None:
    texts = given["texts"]
    words: str | None = texts.get("text", texts.get("prefix", texts.get("regex", given["shared"])))
    return words


_PARSERS: dict[str, _Parser] = {"term": _term, "phrase": _phrase, "completion": _completion}
