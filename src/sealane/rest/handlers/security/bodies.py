"""Reading the bodies of `_security`: the errors are those of the two kinds of parser that the reference has there.

One walks from field to field and names the token that it did not expect; the other knows its fields, and says where.
"""

from typing import Any

from sealane.errors import ApiError, ParseError
from sealane.query.located import token
from sealane.rest.bodies import read_json, require_body
from sealane.rest.object_fields import (
    Fields,
    Read,
    a_flag,
    a_number,
    a_text,
    an_object,
    anything,
    read_fields,
    some_texts,
)
from sealane.security.rules import descriptors
from sealane.settings import parse_time

__all__ = [
    "Fields",
    "Read",
    "a_flag",
    "a_number",
    "a_text",
    "an_object",
    "anything",
    "boolean",
    "descriptors_of",
    "expected",
    "lasts_ms",
    "mapping",
    "optional_text",
    "read_fields",
    "some_texts",
    "text",
    "texts",
    "walked_object",
]


def walked_object(body: bytes) -> dict[str, Any]:
    """For the first kind of parser. Raises ParseError and what bad JSON raises."""
    value = read_json(require_body(body), eof_is_own_type=True)
    if not isinstance(value, dict):
        raise ParseError(f"expected an object, but found token [{token(value)}]")
    return value


def expected(field: str, kind: str, value: Any) -> ParseError:
    return ParseError(
        f"expected field [{field}] to be of type {kind}, but found [{token(value)}] instead"
    )


def text(field: str, value: Any) -> str:
    """Raises ParseError."""
    if not isinstance(value, str):
        raise expected(field, "string", value)
    return value


def optional_text(field: str, value: Any) -> str | None:
    """Raises ParseError."""
    return None if value is None else text(field, value)


def boolean(field: str, value: Any) -> bool:
    """Raises ParseError."""
    if not isinstance(value, bool):
        raise expected(field, "boolean", value)
    return value


def mapping(field: str, value: Any) -> dict[str, Any]:
    """Raises ParseError."""
    if not isinstance(value, dict):
        raise expected(field, "object", value)
    return value


def texts(field: str, value: Any) -> tuple[str, ...]:
    """A list of texts, or one text with commas. Raises ParseError."""
    if isinstance(value, str):
        return tuple(value.split(",")) if value else ()
    if not isinstance(value, list):
        found = "null value instead" if value is None else f"[{token(value)}] value instead"
        raise ParseError(
            f"could not parse [{field}] field. expected a string array but found {found}"
        )
    for each in value:
        if not isinstance(each, str):
            raise ParseError(
                "could not parse [null] field. expected a string array but one of the value in the array is "
                f"[{token(each)}]"
            )
    return tuple(value)


def descriptors_of(fields: Fields, name: str, value: Any) -> Any:
    """`role_descriptors`. Raises XContentParseError."""
    return descriptors.parse_role_descriptors(value, fields.kind, place=fields.place(name))


def lasts_ms(fields: Fields) -> int | None:
    """`expiration`, which is judged after the fields have been read. Raises XContentParseError."""
    given = fields.get("expiration")
    if given is None:
        return None
    try:
        return parse_time(given, "expiration").ms
    except ApiError as error:
        raise fields.not_built(error) from None
