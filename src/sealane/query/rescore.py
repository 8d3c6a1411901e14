"""`rescore` of a search body: one rescorer, or several that follow each other."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import (
    NUMBER,
    OBJECT,
    STRING,
    Cursor,
    Member,
    as_float,
    as_int,
    read_members,
)
from sealane.query.located import token
from sealane.query.members import NamedObjectNotFound
from sealane.query.queries import parse_inner


def read_rescore(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.Rescore, ...]:
    """Raises ParsingError and its kin; IllegalArgument where a rescorer has no query."""
    value = members[name]
    if isinstance(value, dict):
        return (_rescorer(cursor, value),)
    return tuple(_item(cursor, value, at) for at in range(len(value)))


def _item(cursor: Cursor, items: list[Any], at: int) -> dsl.Rescore:
    if not isinstance(items[at], dict):
        # The reference notices at the token that follows.
        if at + 1 < len(items):
            cursor.value(items, at + 1)
            found = token(items[at + 1])
        else:
            cursor.end(items)
            found = "END_ARRAY"
        raise cursor.error(f"unexpected token [{found}] after [null]")
    return _rescorer(cursor, items[at])


def _rescorer(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Rescore:
    window = dsl.DEFAULT_RESCORE_WINDOW
    found: dict[str, Any] | None = None
    for name, value in members.items():
        if isinstance(value, dict):
            cursor.value(members, name)
            if name != "query":
                raise NamedObjectNotFound(f"[{cursor.place}] unknown field [{name}]")
            found = read_members(cursor, "query", value, _MEMBERS)
        elif name == "window_size" and isinstance(value, str | int | float):
            window = as_int(cursor, members, name)
        elif isinstance(value, list):
            cursor.value(members, name)
            raise cursor.error(f"unexpected token [{token(value)}] after [{name}]")
        else:
            cursor.value(members, name)
            raise cursor.error(f"rescore doesn't support [{name}]")
    if found is None:
        cursor.end(members)
        raise cursor.error("missing rescore type")
    if "rescore_query" not in found:
        raise IllegalArgument("rescore_query cannot be null")
    if window < 0:
        raise IllegalArgument(f"[window_size] must not be negative, found [{window}]")
    return dsl.Rescore(query=found.pop("rescore_query"), window_size=window, **found)


def _score_mode(_: Cursor, members: Mapping[str, Any], name: str) -> dsl.RescoreMode:
    text = members[name]
    try:
        return dsl.RescoreMode(text.lower())
    except ValueError:
        raise IllegalArgument(f"illegal score_mode [{text}]") from None


_MEMBERS = {
    "rescore_query": Member(OBJECT, parse_inner),
    "query_weight": Member(NUMBER, as_float),
    "rescore_query_weight": Member(NUMBER, as_float),
    "score_mode": Member(STRING, _score_mode),
}
