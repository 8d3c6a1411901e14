"""`sort` and `search_after` of a search body."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dsl.joined import NestedSort
from sealane.query.cursor import OBJECT, STRING, VALUE, Cursor, Member, plain, read_members, text_of
from sealane.query.geo import read_geo_sort
from sealane.query.located import token

_MODES = ("min", "max", "sum", "avg", "median")
_NOT_HERE = ("_script",)
_BY_SCORE = dsl.SortField(field="_score", descending=True)


def read_sort(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.SortField, ...]:
    """All forms of `sort`. Sorting by score alone is the same as not sorting: an empty tuple."""
    value = members[name]
    fields: list[dsl.SortField] = []
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                fields += _object(cursor, item)
            elif isinstance(item, str):
                fields.append(_field(item))
            else:
                raise IllegalArgument(
                    "malformed sort format, within the sort array, an object, or an actual string are allowed"
                )
    elif isinstance(value, dict):
        fields += _object(cursor, value)
    else:
        fields.append(_field(text_of(value)))
    return () if fields == [_BY_SCORE] else tuple(fields)


def _field(name: str) -> dsl.SortField:
    return dsl.SortField(field=name, descending=name == "_score")


def _object(cursor: Cursor, members: Mapping[str, Any]) -> list[dsl.SortField]:
    return [_entry(cursor, members, name) for name in members]


def _entry(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.SortField:
    value = members[name]
    cursor.value(members, name)
    if name in _NOT_HERE:
        raise cursor.error(f"[{name}] sort is not supported by this version")
    if name == "_geo_distance" and not isinstance(value, str):
        return read_geo_sort(cursor, members, name, _read_nested)
    if isinstance(value, str):
        return dsl.SortField(field=name, descending=_descending(value))
    kind = "_score" if name == "_score" else "field_sort"
    if not isinstance(value, dict):
        raise cursor.content_error(
            f"[{kind}] Expected START_OBJECT but was: {_next_token(cursor, members, name)}"
        )
    if name == "_score":
        found = read_members(cursor, kind, value, {"order": _ORDER})
        return dsl.SortField(field=name, descending=found.get("order", True))
    found = read_members(cursor, kind, value, _FIELD_SORT)
    missing = found.get("missing")
    return dsl.SortField(
        field=name,
        descending=found.get("order", False),
        missing="_last" if missing is None else missing,
        mode=found.get("mode"),
        unmapped_type=found.get("unmapped_type"),
        format=found.get("format"),
        nested=found.get("nested"),
        numeric_type=found.get("numeric_type"),
    )


def _next_token(cursor: Cursor, members: Mapping[str, Any], name: str) -> str:
    """The token after the one that a value begins with: where the reference notices a wrong one."""
    value = members[name]
    if isinstance(value, list) and value:
        cursor.value(value, 0)
        return token(value[0])
    if isinstance(value, list):
        cursor.end(value)
        return "END_ARRAY"
    names = list(members)
    following = names.index(name) + 1
    if following < len(names):
        cursor.key(members, names[following])
        return "FIELD_NAME"
    cursor.end(members)
    return "END_OBJECT"


def _descending(order: str) -> bool:
    if order.lower() not in ("asc", "desc"):
        raise IllegalArgument(
            f"No enum constant org.elasticsearch.search.sort.SortOrder.{order.upper()}"
        )
    return order.lower() == "desc"


def _mode(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    mode = members[name]
    if mode.lower() not in _MODES:
        raise IllegalArgument(f"Unknown SortMode [{mode}]")
    return str(mode.lower())


def _numeric_type(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    wanted = members[name]
    if wanted not in ("long", "double", "date", "date_nanos"):
        raise IllegalArgument(
            f"invalid value for [numeric_type], must be [long, double, date, date_nanos], got {wanted}"
        )
    return str(wanted)


def _read_nested(cursor: Cursor, body: Mapping[str, Any]) -> NestedSort:
    # Queries have inner hits, which are sorted: the two modules need each other.
    from sealane.query.nested import read_nested_sort
    from sealane.query.queries import parse_inner

    return read_nested_sort(cursor, body, parse_inner)


def _nested(cursor: Cursor, members: Mapping[str, Any], name: str) -> NestedSort:
    return _read_nested(cursor, members[name])


_ORDER = Member(STRING, lambda _, m, n: _descending(m[n]))
_FIELD_SORT = {
    "order": _ORDER,
    "missing": Member(VALUE, plain),
    "mode": Member(STRING, _mode),
    "unmapped_type": Member(STRING, plain),
    "numeric_type": Member(STRING, _numeric_type),
    "format": Member(STRING, plain),
    "nested": Member(OBJECT, _nested),
}


def read_search_after(
    cursor: Cursor, members: Mapping[str, Any], name: str
) -> tuple[dsl.Scalar | None, ...]:
    """The sort values of the last hit of the page before."""
    values = members[name]
    for index, value in enumerate(values):
        if isinstance(value, list | dict):
            cursor.value(values, index)
            raise cursor.error(
                "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found "
                f"[{token(value)}] inside search_after."
            )
    if not values:
        raise IllegalArgument("Values must contains at least one value.")
    return tuple(values)
