"""What the queries have in common: `boost` and `_name`, the one field, and the errors of their members."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import ApiError, IllegalArgument, ParsingError
from sealane.query.cursor import NUMBER, STRING, Cursor, Member, as_float, read_members, text_of
from sealane.query.located import token


class NamedObjectNotFound(ApiError):
    """A name that no parser is registered for."""

    es_type, status = "named_object_not_found_exception", 400


def read_boost(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    boost = as_float(cursor, members, name)
    if boost < 0:
        raise IllegalArgument(
            f"negative [boost] are not allowed in [{boost}], use a value between 0 and 1 to deboost"
        )
    return boost


COMMON = {"boost": Member(NUMBER, read_boost), "_name": Member(STRING, lambda _, m, n: m[n])}


def declared(kind: str, known: Mapping[str, Member]) -> Callable[..., dict[str, Any]]:
    """A reader of a whole query whose members are declared; its errors are parsing_exceptions."""
    everything = {**COMMON, **known}

    def read(cursor: Cursor, members: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return read_members(cursor, kind, members, everything)
        except ApiError as error:
            raise cursor.error(error.reason, caused_by=error) from None

    return read


def common(found: Mapping[str, Any]) -> dict[str, Any]:
    """`boost` and `_name` as the arguments of a query."""
    return {"boost": found.get("boost", 1.0), "name": found.get("_name")}


def read_common(
    cursor: Cursor, members: Mapping[str, Any], name: str, found: dict[str, Any]
) -> bool:
    """Takes `boost` or `_name` into `found`; False for any other name."""
    if name == "boost" and isinstance(members[name], str | int | float):
        found["boost"] = read_boost(cursor, members, name)
    elif name == "_name" and isinstance(members[name], str | int | float):
        found["_name"] = text_of(members[name])
    else:
        return False
    return True


def unsupported_member(
    cursor: Cursor, query: str, members: Mapping[str, Any], name: str
) -> ParsingError:
    """`[term] query does not support [foo]`."""
    cursor.value(members, name)
    return cursor.error(f"[{query}] query does not support [{name}]")


def single_field(
    cursor: Cursor, query: str, members: Mapping[str, Any], *, ignored: tuple[str, ...] = ()
) -> str | None:
    """The one field name of `{"field": ...}`; None when there is none. Raises ParsingError when there are two."""
    field: str | None = None
    for name in members:
        if name in ignored:
            continue
        if field is not None:
            cursor.value(members, name)
            raise cursor.error(
                f"[{query}] query doesn't support multiple fields, found [{field}] and [{name}]"
            )
        field = name
    return field


def required_field(field: str | None) -> str:
    if not field:
        raise IllegalArgument("field name is null or empty")
    return field


def text_or_none(cursor: Cursor, container: Any, key: str | int) -> str | None:
    """A scalar as text. Raises IllegalArgument for anything else."""
    value = container[key]
    if isinstance(value, list | dict):
        place = cursor.value(container, key)
        raise IllegalArgument(f"Expected text at {place} but found {token(value)}")
    return None if value is None else text_of(value)
