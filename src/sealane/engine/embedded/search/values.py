"""Values of queries, coerced to what their field's column holds, with the reference's errors for bad ones.

Raises NumberFormatError, IllegalArgument or ParseError; `compile` wraps them as the reference does.
"""

import math
import struct
from decimal import Decimal, InvalidOperation

from sealane.engine.mapping import Field, FieldType
from sealane.engine.mapping.more_values import round_to_half
from sealane.errors import IllegalArgument, NumberFormatError
from sealane.model.date_nanos import DEFAULT_NANOS_FORMAT
from sealane.model.dates import DEFAULT_FORMAT, resolve_date_math
from sealane.model.dsl import Range, Scalar
from sealane.model.ip_addresses import ip_number, ip_text

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
_LIMITS = {
    FieldType.LONG: (LONG_MIN, LONG_MAX, "a long"),
    FieldType.INTEGER: (-(2**31), 2**31 - 1, "an integer"),
    FieldType.SHORT: (-(2**15), 2**15 - 1, "a short"),
    FieldType.BYTE: (-(2**7), 2**7 - 1, "a byte"),
}


def text_of(value: Scalar) -> str:
    """A JSON scalar as the reference prints it into a string field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def decimal_of(value: Scalar, type_: FieldType) -> Decimal:
    """A number in any of the forms that are accepted for numeric fields."""
    if isinstance(value, bool):
        text = text_of(value)
        if type_ is FieldType.LONG:
            raise NumberFormatError(
                f"Character {text[0]} is neither a decimal digit number, decimal point, "
                'nor "e" notation exponential mark.'
            )
        raise NumberFormatError(f'For input string: "{text}"')
    if isinstance(value, int):
        return Decimal(value)
    text = str(value).strip()
    if not text:
        raise NumberFormatError("empty String")
    try:
        number = Decimal(text if "_" not in text else "?")
    except InvalidOperation:
        raise NumberFormatError(f'For input string: "{text}"') from None
    if not number.is_finite():
        raise NumberFormatError(f'For input string: "{value}"')
    return number


def is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def whole_or_none(value: Scalar, type_: FieldType) -> int | None:
    """The value of a term on an integral field; None where no document can have it."""
    number = decimal_of(value, type_)
    low, high, _ = _LIMITS[type_]
    if not is_whole(number) or not low <= number <= high:
        return None
    return int(number)


def whole_bound(value: Scalar, type_: FieldType, *, lower: bool, inclusive: bool) -> int:
    """A bound of a range on an integral field, made inclusive. May lie one past the type's limits."""
    number = decimal_of(value, type_)
    low, high, name = _LIMITS[type_]
    if not low <= int(number) <= high:
        raise IllegalArgument(f"Value [{text_of(value)}] is out of range for {name}")
    if not is_whole(number):
        return math.ceil(number) if lower else math.floor(number)
    if inclusive:
        return int(number)
    return int(number) + (1 if lower else -1)


def floating(value: Scalar, type_: FieldType) -> float:
    """The value of a double or float field, rounded to its width."""
    if isinstance(value, str) and value.strip() in ("NaN", "Infinity", "-Infinity", "+Infinity"):
        raise IllegalArgument(
            f"[{type_.value}] supports only finite values, but got [{value.strip()}]"
        )
    if isinstance(value, bool):
        raise NumberFormatError(f'For input string: "{text_of(value)}"')
    number = float(decimal_of(value, type_))
    if type_ is FieldType.HALF_FLOAT:
        number = round_to_half(number)
    if type_ is FieldType.FLOAT:
        try:
            number = float(struct.unpack("<f", struct.pack("<f", number))[0])
        except OverflowError:
            number = math.inf
    if math.isinf(number):
        shown = "-Infinity" if number < 0 else "Infinity"
        raise IllegalArgument(f"[{type_.value}] supports only finite values, but got [{shown}]")
    return number


def boolean(value: Scalar) -> int:
    text = text_of(value)
    if text not in ("true", "false"):
        raise IllegalArgument(f"Can't parse boolean value [{text}], expected [true] or [false]")
    return int(text == "true")


def date(
    value: Scalar,
    mapped: Field,
    now_ms: int | None,
    *,
    round_up: bool,
    fmt: str | None,
    zone: str | None,
) -> int:
    """Epoch milliseconds, held within what a column can hold."""
    ms = resolve_date_math(
        value,
        now_ms,
        fmt or mapped.format or _default_format(mapped),
        round_up=round_up,
        time_zone=zone,
    )
    return max(LONG_MIN, min(LONG_MAX, ms))


def range_format(query: Range) -> str | None:
    """The format of a range's dates. A number at one end makes both ends milliseconds, if the query names none."""
    if query.format is not None:
        return query.format
    ends = (query.gte, query.gt, query.lte, query.lt)
    if any(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return "epoch_millis"
    return None


def _default_format(mapped: Field) -> str:
    return DEFAULT_NANOS_FORMAT if mapped.type is FieldType.DATE_NANOS else DEFAULT_FORMAT


def ip_hex(number: int) -> str:
    return f"{number:032x}"


def ip_column(text: str) -> str:
    """An address as its column has it. Raises IllegalArgument for text that is none."""
    return ip_hex(ip_number(text))


def ip_shown(column: str) -> str:
    """The address of 32 hex digits as the reference prints it."""
    return ip_text(int(column, 16))
