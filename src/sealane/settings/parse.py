"""Parsers: what a setting's text means. Each is `parse(value, key) -> T` and raises the
reference's errors.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, TypeVar

from sealane.errors import IllegalArgument, NumberFormatError, ParseError
from sealane.settings.text import Value, value_text
from sealane.settings.units import (
    TimeValue,
    exact_bytes_text,
    number_text,
    parse_bytes,
    parse_double,
    parse_time,
    parse_whole,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)

INT_MAX = 2**31 - 1


class Parse(Protocol[T_co]):
    """Reads a value of the setting `key`. Raises IllegalArgument."""

    def __call__(self, value: Value, key: str, /) -> T_co: ...


def as_text(value: Value, key: str) -> str:
    return value_text(value)


def as_bool(value: Value, key: str) -> bool:
    text = value_text(value)
    if text == "true":
        return True
    if text == "false":
        return False
    raise IllegalArgument(f"Failed to parse value [{text}] as only [true] or [false] are allowed.")


def as_int(*, min: int = -INT_MAX - 1, max: int = INT_MAX) -> Parse[int]:
    """An integer within bounds."""

    def parse(value: Value, key: str) -> int:
        text = value_text(value)
        number = parse_whole(text)
        if number is None:
            raise _unreadable(text, key)
        _check_bounds(number, text, key, min, max)
        return number

    return parse


def as_float(*, min: float | None = None, max: float | None = None) -> Parse[float]:
    def parse(value: Value, key: str) -> float:
        text = value_text(value)
        number = parse_double(text)
        if number is None:
            raise _unreadable(text, key)
        _check_bounds(number, text, key, min, max)
        return number

    return parse


def as_time(*, min: str | None = None, max: str | None = None) -> Parse[TimeValue]:
    """A time; bounds are written as times (`0ms`, `-1`)."""

    def parse(value: Value, key: str) -> TimeValue:
        text = value_text(value)
        span = parse_time(text, key)
        if min is not None and span < parse_time(min, key):
            raise IllegalArgument(
                f"failed to parse value [{text}] for setting [{key}], must be >= [{min}]"
            )
        if max is not None and span > parse_time(max, key):
            raise IllegalArgument(
                f"failed to parse value [{text}] for setting [{key}], must be <= [{max}]"
            )
        return span

    return parse


def as_bytes(*, min: int | None = None, max: int | None = None) -> Parse[int]:
    """A size in bytes."""

    def parse(value: Value, key: str) -> int:
        text = value_text(value)
        try:
            size = parse_bytes(text, key)
        except ParseError as error:
            raise IllegalArgument(error.reason, caused_by=error) from error
        if min is not None and size < min:
            raise IllegalArgument(
                f"failed to parse value [{text}] for setting [{key}], "
                f"must be >= [{exact_bytes_text(min)}]"
            )
        if max is not None and size > max:
            raise IllegalArgument(
                f"failed to parse value [{text}] for setting [{key}], "
                f"must be <= [{exact_bytes_text(max)}]"
            )
        return size

    return parse


def as_enum(kind: type[E], reference_name: str) -> Parse[E]:
    """One of an enum's values, in any case. `reference_name` is the class that the reference's
    error names.
    """

    def parse(value: Value, key: str) -> E:
        text = value_text(value)
        try:
            return kind(text.lower())
        except ValueError:
            raise IllegalArgument(f"No enum constant {reference_name}.{text.upper()}") from None

    return parse


def as_list(value: Value, key: str) -> tuple[str, ...]:
    """Texts. A comma string is split, its items trimmed, empty ones dropped; an array is taken as
    it is.
    """
    if not isinstance(value, str):
        return value
    return tuple(item for each in value.split(",") if (item := each.strip()))


def as_list_of(item: Callable[[str, str], T]) -> Parse[tuple[T, ...]]:
    """A list whose items are parsed by `item(text, key)`."""

    def parse(value: Value, key: str) -> tuple[T, ...]:
        return tuple(item(each, key) for each in as_list(value, key))

    return parse


def _unreadable(text: str, key: str) -> IllegalArgument:
    return IllegalArgument(
        f"Failed to parse value [{text}] for setting [{key}]",
        caused_by=NumberFormatError(f'For input string: "{text}"'),
    )


def _check_bounds(
    number: int | float,
    text: str,
    key: str,
    low: int | float | None,
    high: int | float | None,
) -> None:
    if low is not None and number < low:
        problem = f"must be >= {number_text(low)}"
    elif high is not None and number > high:
        problem = f"must be <= {number_text(high)}"
    else:
        return
    raise IllegalArgument(f"Failed to parse value [{text}] for setting [{key}] {problem}")
