"""Reading a query's members: where they are, which tokens they begin with, and what goes wrong with them.

The reference parses a stream of tokens, and its errors name the token at which it stopped. Here the parser walks a
tree; a Cursor knows which token the reference would have been at. On the first reading of a body, which knows no
places, all are 1:1; a body that is wrong is read again with places.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from sealane.errors import (
    ApiError,
    IllegalArgument,
    NumberFormatError,
    ParseError,
    ParsingError,
    XContentParseError,
)
from sealane.query.located import START, LocatedDict, LocatedList, Place, token
from sealane.query.suggest import did_you_mean

_JAVA_EXCEPTIONS_OF_ITS_OWN = (XContentParseError, ParsingError, ParseError)
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


class Cursor:
    """`place` is where the reference's parser would stand now."""

    __slots__ = ("depth", "lookups", "place")

    def __init__(self) -> None:
        self.place = START
        self.depth = 0
        """How many queries are open around this one."""
        self.lookups = False
        """Whether a query named a document to take its terms from."""

    def key(self, members: Mapping[str, Any], name: str) -> Place:
        if isinstance(members, LocatedDict):
            self.place = members.keys_at[name]
        return self.place

    def value(self, members: "Mapping[str, Any] | list[Any]", name: str | int) -> Place:
        if isinstance(members, LocatedDict | LocatedList):
            self.place = members.values_at[name]  # type: ignore[index]
        return self.place

    def begin(self, container: object) -> Place:
        if isinstance(container, LocatedDict | LocatedList):
            self.place = container.begin
        return self.place

    def end(self, container: object) -> Place:
        if isinstance(container, LocatedDict | LocatedList):
            self.place = container.end
        return self.place

    def error(self, reason: str, *, caused_by: ApiError | None = None) -> ParsingError:
        """A parsing_exception at the present place."""
        line, col = self.place
        return ParsingError(reason, line=line, col=col, caused_by=caused_by)

    def content_error(
        self, reason: str, *, caused_by: ApiError | None = None
    ) -> XContentParseError:
        """An x_content_parse_exception at the present place."""
        root = None
        if isinstance(caused_by, _JAVA_EXCEPTIONS_OF_ITS_OWN):
            root = caused_by.root_causes or [caused_by]
        return XContentParseError(f"[{self.place}] {reason}", caused_by=caused_by, root_causes=root)


def text_of(value: str | int | float | bool) -> str:
    """A scalar as Java would print it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_int(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    """A number or numeric text, its fraction cut off."""
    value = members[name]
    if isinstance(value, str):
        return int_from(value)
    if isinstance(value, bool):
        not_numeric(cursor, members, name)
    if not _INT_MIN <= value <= _INT_MAX:
        cursor.value(members, name)
        raise cursor.content_error(
            f"Numeric value ({text_of(value)}) out of range of int ({_INT_MIN} - {_INT_MAX})"
        )
    return int(value)


def as_float(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    value = members[name]
    if isinstance(value, str):
        return float_from(value)
    if isinstance(value, bool):
        not_numeric(cursor, members, name)
    return float(value)


def as_bool(cursor: Cursor, members: Mapping[str, Any], name: str) -> bool:
    """true, false, or one of them as text."""
    value = members[name]
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        if value == "":
            return False
        cursor.value(members, name)
        raise IllegalArgument(
            f"Failed to parse value [{value}] as only [true] or [false] are allowed."
        )
    cursor.value(members, name)
    kind = "VALUE_NUMBER_FLOAT" if isinstance(value, float) else "VALUE_NUMBER_INT"
    raise cursor.content_error(f"Current token ({kind}) not of boolean type")


def int_from(text: str) -> int:
    """Java's reading of a number, its fraction cut off. Raises NumberFormatError."""
    return int(text) if text.lstrip("+-").isdecimal() and text.isascii() else int(float_from(text))


def float_from(text: str) -> float:
    try:
        if "_" in text:
            raise ValueError(text)
        value = float(text)
        if value in (float("inf"), float("-inf")) and "Infinity" not in text:
            raise ValueError(text)
        return value
    except ValueError:
        raise NumberFormatError(
            f'For input string: "{text}"' if text.strip() else "empty String"
        ) from None


def not_numeric(cursor: Cursor, members: Mapping[str, Any], name: str) -> NoReturn:
    cursor.value(members, name)
    kind = "VALUE_TRUE" if members[name] else "VALUE_FALSE"
    raise cursor.content_error(
        f"Current token ({kind}) not numeric, can not use numeric value accessors"
    )


# -- objects whose members are declared --------------------------------------------------------------------------

STRING = ("VALUE_STRING",)
STRING_OR_NULL = ("VALUE_STRING", "VALUE_NULL")
NUMBER = ("VALUE_NUMBER", "VALUE_STRING")
NUMBER_OR_NULL = ("VALUE_NUMBER", "VALUE_STRING", "VALUE_NULL")
BOOLEAN = ("VALUE_BOOLEAN", "VALUE_STRING")
VALUE = ("VALUE_BOOLEAN", "VALUE_NUMBER", "VALUE_STRING", "VALUE_NULL")
OBJECT = ("START_OBJECT",)
OBJECT_ARRAY = ("START_OBJECT", "START_ARRAY")
STRING_ARRAY = ("VALUE_STRING", "START_ARRAY")

Convert = Callable[[Cursor, Mapping[str, Any], str], Any]


@dataclass(frozen=True, slots=True)
class Member:
    """`tokens` are what the value may begin with; `convert` gets the cursor, the object and the name."""

    tokens: Collection[str]
    convert: Convert


def plain(_: Cursor, members: Mapping[str, Any], name: str) -> Any:
    return members[name]


def read_members(
    cursor: Cursor, kind: str, members: Mapping[str, Any], known: Mapping[str, Member]
) -> dict[str, Any]:
    """Every member of an object, converted. Raises XContentParseError as the reference's object parser does."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        member = known.get(name)
        if member is None:
            cursor.key(members, name)
            error = cursor.content_error(
                f"[{kind}] unknown field [{name}]{did_you_mean(name, known)}"
            )
            cursor.value(members, name)
            raise error
        cursor.value(members, name)
        if token(value) not in member.tokens:
            raise cursor.content_error(
                f"[{kind}] {name} doesn't support values of type: {token(value)}"
            )
        try:
            found[name] = member.convert(cursor, members, name)
        except ApiError as error:
            raise cursor.content_error(
                f"[{kind}] failed to parse field [{name}]", caused_by=error
            ) from None
    return found
