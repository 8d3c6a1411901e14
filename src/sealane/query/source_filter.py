"""`_source` of a search body or of inner hits: whether, and which parts of it."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import Cursor, text_of
from sealane.query.located import token


def read_source_filter(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.SourceFilter:
    """All forms of `_source`. Raises ParsingError and IllegalArgument."""
    value = members[name]
    if isinstance(value, bool):
        return dsl.SourceFilter(enabled=value)
    if isinstance(value, str):
        return dsl.SourceFilter(includes=(value,))
    if isinstance(value, list):
        includes = []
        for index, item in enumerate(value):
            if not isinstance(item, str | int | float):
                place = cursor.value(value, index)
                raise IllegalArgument(f"Expected text at {place} but found {token(item)}")
            includes.append(text_of(item))
        return dsl.SourceFilter(includes=tuple(includes))
    if not isinstance(value, dict):
        cursor.value(members, name)
        raise cursor.error(
            "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found "
            f"[{token(value)}]"
        )
    lists: dict[str, tuple[str, ...]] = {}
    for key in value:
        if key not in ("include", "includes", "exclude", "excludes"):
            cursor.value(value, key)
            raise cursor.error(f"Unknown key for a {token(value[key])} in [{key}].")
        lists[key.rstrip("s")] = lists.get(key.rstrip("s"), ()) + _patterns(cursor, value, key)
    return dsl.SourceFilter(includes=lists.get("include", ()), excludes=lists.get("exclude", ()))


def _patterns(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, str):
                cursor.value(value, index)
                raise cursor.error(f"Unknown key for a {token(item)} in [{name}].")
        return tuple(value)
    cursor.value(members, name)
    raise cursor.error(f"Unknown key for a {token(value)} in [{name}].")
