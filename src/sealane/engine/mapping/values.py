"""How one JSON value becomes a field's value: the reference's coercions and their texts.

Knows nothing of fields, documents or places; documents.py puts a BadValue into its context.
"""

import math
import re
import struct
from datetime import datetime
from decimal import Decimal, InvalidOperation
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from sealane.errors import ApiError, IllegalArgument, NumberFormatError
from sealane.model.civil import DAY_MS, EPOCH
from sealane.model.dates import parse_date

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
_EXACT = 2.0**53
"""From here on a double no longer tells every whole number from its neighbours."""
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
_SMALL = {"short": (-(2**15), 2**15 - 1), "byte": (-128, 127), "integer": (INT_MIN, INT_MAX)}
_JAVA_DOUBLE = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)\Z"
)
_JAVA_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_IPV4_PREFIX = "00000000000000000000ffff"
_FLOAT = struct.Struct("<f")


class RawFloat(float):
    """A number that keeps the text it was written as: what a keyword, a text or a date reads."""

    __slots__ = ("raw",)
    raw: str

    def __new__(cls, raw: str) -> "RawFloat":
        number = super().__new__(cls, raw)
        number.raw = raw
        return number


class NeedsRawNumbers(Exception):
    """A double may not stand for the number as written: the document must be read again, with RawFloat."""


class BadValue(Exception):
    """A value that its field does not take. `cause` is the reference's reason where it needs no place."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__(cause.reason)
        self.cause = cause


class BadToken(BadValue):
    """A value of the wrong kind for the JSON parser itself, whose text names a place.

    `json_type` is the innermost cause's type. `{raw}` in `text` is the number as written.
    """

    def __init__(self, text: str, json_type: str) -> None:
        super().__init__(IllegalArgument(text))
        self.text = text
        self.json_type = json_type


class UnexpectedObject(BadValue):
    """An object where text is expected; the text names where it starts."""

    def __init__(self) -> None:
        super().__init__(IllegalArgument("Expected text but found START_OBJECT"))


def illegal(text: str) -> BadValue:
    return BadValue(IllegalArgument(text))


def _not_numeric(token: str) -> BadToken:
    return BadToken(
        f"Current token ({token}) not numeric, can not use numeric value accessors",
        "json_parse_exception",
    )


def _out_of_json_range(kind: str) -> BadToken:
    low, high = (LONG_MIN, LONG_MAX) if kind == "long" else (INT_MIN, INT_MAX)
    return BadToken(
        f"Numeric value ({{raw}}) out of range of {kind} ({low} - {high})",
        "input_coercion_exception",
    )


def java_double(text: str) -> float:
    """`Double.parseDouble`: surrounding white space and a type suffix are taken, underscores and hex are not."""
    stripped = text.strip()
    if not stripped:
        raise BadValue(NumberFormatError("empty String"))
    if _JAVA_DOUBLE.match(stripped) is None:
        raise BadValue(NumberFormatError(f'For input string: "{text}"'))
    if stripped[-1] in "fFdD":
        stripped = stripped[:-1]
    return float(stripped)


def java_float_text(value: float) -> str:
    """`Double.toString`: what the reference prints of a number it holds."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        shown = repr(value)
        return f"{Decimal(shown):f}" if "e" in shown else shown
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    power = len(text) - 1 + exponent
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def long_from_text(text: str, coerce: bool = True) -> int:
    """A long from text, exactly, a fraction cut off."""
    if _JAVA_DECIMAL.match(text) is None:
        raise illegal(f'For input string: "{text}"')
    if text.isdigit() and len(text) < 19:
        return int(text)
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise illegal(f'For input string: "{text}"') from exc
    if number.is_zero() or number.adjusted() < 0:
        if number and not coerce:
            raise illegal(f"Value [{text}] has a decimal part")
        return 0
    if number.adjusted() > 19:
        raise illegal(f"Value [{text}] is out of range for a long")
    whole = int(number)
    if not LONG_MIN <= whole <= LONG_MAX:
        raise illegal(f"Value [{text}] is out of range for a long")
    if not coerce and whole != number:
        raise illegal(f"Value [{text}] has a decimal part")
    return whole


_ARTICLES = {"integer": "an integer", "short": "a short", "byte": "a byte"}


def small_integer_from_text(text: str, kind: str, coerce: bool = True) -> int:
    """An integer, short or byte from text, by way of a double as the reference does."""
    number = java_double(text)
    if number != number:
        return 0
    low, high = _SMALL["integer" if kind == "byte" else kind]
    if math.isinf(number) or not low <= number <= high:
        article = _ARTICLES["integer" if kind == "byte" else kind]
        raise illegal(f"Value [{text}] is out of range for {article}")
    whole = int(number)
    if not coerce and whole != number:
        raise illegal(f"Value [{text}] has a decimal part")
    if kind == "byte" and not -128 <= whole <= 127:
        raise illegal(f"Value [{whole}] is out of range for a byte")
    return whole


def integral_from(value: Any, kind: str, coerce: bool = True) -> int | None:
    """The value of a long, integer, short or byte field; None where the text is empty.

    Raises BadValue, or BadToken where the JSON token itself is of a wrong kind.
    """
    if type(value) is str:
        if not coerce:
            raise illegal(f"{kind.capitalize()} value passed as String")
        if not value:
            return None
        return long_from_text(value) if kind == "long" else small_integer_from_text(value, kind)
    if value is True or value is False:
        raise _not_numeric("VALUE_TRUE" if value else "VALUE_FALSE")
    if isinstance(value, dict):
        raise illegal("Cannot parse object as number")
    json_kind = "long" if kind == "long" else "int"
    low, high = (LONG_MIN, LONG_MAX) if kind == "long" else (INT_MIN, INT_MAX)
    if isinstance(value, float):
        if not isinstance(value, RawFloat) and abs(value) >= _EXACT:
            raise NeedsRawNumbers
        if math.isinf(value):
            raise _out_of_json_range(json_kind)
        whole = int(Decimal(value.raw)) if isinstance(value, RawFloat) else int(value)
        if low <= whole <= high and not coerce and whole != value and abs(value) < _EXACT:
            shown = java_float_text(value)
            name = "Long" if kind == "long" else kind.capitalize()
            raise illegal(f"{shown} cannot be converted to {name} without data loss")
    else:
        whole = value
    if not low <= whole <= high:
        raise _out_of_json_range(json_kind)
    if kind == "short" and not -(2**15) <= whole <= 2**15 - 1:
        raise BadToken(
            "Numeric value ({raw}) out of range of Java short", "input_coercion_exception"
        )
    if kind == "byte" and not -128 <= whole <= 127:
        raise illegal(f"Value [{whole}] is out of range for a byte")
    return whole


def round_to_float(value: float) -> float:
    """The nearest 32-bit float; infinite where it is too large."""
    try:
        rounded: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def floating_from(value: Any, kind: str, coerce: bool = True) -> float | None:
    """The value of a double or float field; None where the text is empty."""
    if type(value) is str:
        if not coerce:
            raise illegal(f"{kind.capitalize()} value passed as String")
        if not value:
            return None
        number = java_double(value)
    elif value is True or value is False:
        raise _not_numeric("VALUE_TRUE" if value else "VALUE_FALSE")
    elif isinstance(value, dict):
        raise illegal("Cannot parse object as number")
    else:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf if value > 0 else -math.inf
    if kind == "float":
        number = round_to_float(number)
    if not math.isfinite(number):
        raise illegal(f"[{kind}] supports only finite values, but got [{java_float_text(number)}]")
    return number


def parse_boolean_text(text: str) -> bool:
    if text == "true":
        return True
    if text == "false":
        return False
    raise illegal(f"Failed to parse value [{text}] as only [true] or [false] are allowed.")


def boolean_from(value: Any) -> bool:
    if value is True or value is False:
        return value
    if isinstance(value, str):
        return False if not value else parse_boolean_text(value)
    if isinstance(value, dict):
        token = "START_OBJECT"
    else:
        token = "VALUE_NUMBER_FLOAT" if isinstance(value, float) else "VALUE_NUMBER_INT"
    raise BadToken(f"Current token ({token}) not of boolean type", "json_parse_exception")


def text_from(value: Any) -> str:
    """What a keyword, a text, an ip or a date reads of a scalar. A float must be a RawFloat."""
    if type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        if not isinstance(value, RawFloat):
            raise NeedsRawNumbers
        return value.raw
    if isinstance(value, dict):
        raise UnexpectedObject
    return str(value)


def ip_from(text: str) -> str:
    """32 hex digits of the IPv6 form: text order is address order (IPv4 as ::ffff:a.b.c.d)."""
    try:
        return _IPV4_PREFIX + inet_pton(AF_INET, text).hex()
    except (OSError, ValueError):
        pass  # not an IPv4 address, or none at all
    address, percent, scope = text.partition("%")
    try:
        if percent and (not scope or ":" not in address):
            raise ValueError
        return inet_pton(AF_INET6, address).hex()
    except (OSError, ValueError) as exc:
        raise illegal(f"'{text}' is not an IP string literal.") from exc


def date_cause(error: ApiError) -> ApiError:
    """A date's error as a document or a mapping shows it: without what a query adds to it."""
    if error.caused_by is not None:
        return error.caused_by
    return IllegalArgument(error.reason)


def instant_from(text: str) -> int | None:
    """Epoch milliseconds of `2024-01-02T03:04:05Z`, also with three digits of a second; None for any other text.

    Only for formats that begin with `strict_date_optional_time`: most of what they are given looks like this.
    """
    marks = text[4:20:3]
    if (marks == "--T::Z" and len(text) == 20) or (
        marks == "--T::." and len(text) == 24 and text[23] == "Z"
    ):
        try:
            since = datetime.fromisoformat(text) - EPOCH
        except ValueError:
            return None  # the full parser says what is wrong with it
        return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return None


def date_from(value: Any, date_format: str) -> int:
    """Epoch milliseconds."""
    if type(value) is not str:
        value = text_from(value)
    try:
        return parse_date(value, date_format)
    except ApiError as exc:
        raise BadValue(date_cause(exc)) from exc
