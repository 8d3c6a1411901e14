"""Times and sizes as settings and parameters write them: `30s`, `100mb`.

Pure values with their parsers and renderers. The error texts are the reference's.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from sealane.errors import ApiError, IllegalArgument, NumberFormatError, ParseError
from sealane.settings.text import double_text

_TIME_UNITS: Final = {
    "nanos": 1,
    "micros": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
_BYTE_UNITS: Final = {
    "b": 1,
    "k": 2**10,
    "kb": 2**10,
    "m": 2**20,
    "mb": 2**20,
    "g": 2**30,
    "gb": 2**30,
    "t": 2**40,
    "tb": 2**40,
    "p": 2**50,
    "pb": 2**50,
}
_LONG_MAX: Final = 2**63 - 1
_BEYOND_LONG: Final = 20
"""Digits that no 64-bit integer has."""
_LONG: Final = re.compile(r"[+-]?[0-9]+")
_DOUBLE: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?\s*")


def parse_long(text: str) -> int | None:
    """A signed 64-bit decimal integer, or None. No blanks, no underscores."""
    value = parse_whole(text)
    return value if value is not None and -_LONG_MAX - 1 <= value <= _LONG_MAX else None


def parse_whole(text: str) -> int | None:
    """A decimal integer of any length, or None. One of more than 64 bits comes out as some other one of more."""
    if not text.isascii() or _LONG.fullmatch(text) is None:
        return None
    digits = text.lstrip("+-").lstrip("0")
    size = int(digits[:_BEYOND_LONG] or "0")
    return -size if text.startswith("-") else size


def parse_double(text: str) -> float | None:
    """A decimal number as the reference reads a double, or None."""
    if not text.isascii() or _DOUBLE.fullmatch(text) is None:
        return None
    return float(text.strip().rstrip("fFdD"))


@dataclass(frozen=True, slots=True, order=True)
class TimeValue:
    """A span of time. `-1` (any negative) means off, where a setting allows it."""

    nanos: int

    @classmethod
    def of_ms(cls, ms: int) -> Self:
        return cls(ms * 10**6)

    @classmethod
    def of_seconds(cls, seconds: int) -> Self:
        return cls(seconds * 10**9)

    @property
    def seconds(self) -> float:
        return self.nanos / 1e9

    @property
    def ms(self) -> int:
        """Whole milliseconds, rounded down."""
        return self.nanos // 10**6

    @property
    def is_off(self) -> bool:
        return self.nanos < 0

    def __str__(self) -> str:
        """For people, with one decimal: `1.5s`, `2m`, `-1`."""
        if self.nanos < 0:
            return "-1"
        for unit in ("d", "h", "m", "s", "ms", "micros"):
            if self.nanos >= _TIME_UNITS[unit]:
                tenths = self.nanos * 10 // _TIME_UNITS[unit]
                fraction = f".{tenths % 10}" if tenths % 10 else ""
                return f"{tenths // 10}{fraction}{unit}"
        return f"{self.nanos}nanos" if self.nanos else "0s"

    def exact(self) -> str:
        """The largest unit that holds it without a remainder: `1500ms`, `2m`, `-1`."""
        if self.nanos < 0:
            return "-1"
        for unit in ("d", "h", "m", "s", "ms", "micros"):
            if self.nanos and self.nanos % _TIME_UNITS[unit] == 0:
                return f"{self.nanos // _TIME_UNITS[unit]}{unit}"
        return f"{self.nanos}nanos" if self.nanos else "0s"


OFF = TimeValue(-(10**6))


def parse_time(text: str, name: str) -> TimeValue:
    """`30s`, `0`, `-1`. `name` is the setting or parameter, for the error. Raises
    IllegalArgument.
    """
    normalized = text.lower().strip()
    for unit, nanos in _TIME_UNITS.items():
        # A capital M would be months elsewhere, so minutes alone are case-sensitive.
        if normalized.endswith(unit) and (unit != "m" or text.strip().endswith("m")):
            return TimeValue(
                _time_amount(text, normalized.removesuffix(unit).strip(), name) * nanos
            )
    if re.fullmatch("-0*1", normalized):
        return OFF
    if re.fullmatch("0+", normalized):
        return TimeValue(0)
    raise IllegalArgument(
        f"failed to parse setting [{name}] with value [{text}] as a time value: "
        "unit is missing or unrecognized"
    )


def _time_amount(text: str, number: str, name: str) -> int:
    amount = parse_long(number)
    if amount is None:
        fractional = parse_double(number) is not None
        raise IllegalArgument(
            f"failed to parse [{text}]"
            + (", fractional time values are not supported" if fractional else ""),
            caused_by=NumberFormatError(f'For input string: "{number}"'),
        )
    if amount < -1:
        raise IllegalArgument(
            f"failed to parse setting [{name}] with value [{text}] as a time value: "
            "negative durations are not supported"
        )
    return amount


def bytes_text(size: int) -> str:
    """For people, with one decimal: `1.5kb`, `512b`, `100mb`."""
    for unit in ("pb", "tb", "gb", "mb", "kb"):
        if size >= _BYTE_UNITS[unit]:
            tenths = size * 10 // _BYTE_UNITS[unit]
            fraction = f".{tenths % 10}" if tenths % 10 else ""
            return f"{tenths // 10}{fraction}{unit}"
    return f"{size}b"


def exact_bytes_text(size: int) -> str:
    """The largest unit without a remainder: `100mb`, `1536b`, `-1`."""
    if size <= 0:
        return "-1" if size < 0 else "0b"
    for unit in ("pb", "tb", "gb", "mb", "kb"):
        if size % _BYTE_UNITS[unit] == 0:
            return f"{size // _BYTE_UNITS[unit]}{unit}"
    return f"{size}b"


def parse_bytes(text: str, name: str) -> int:
    """`100mb`, `1.5kb`, `0`, `-1` as a number of bytes.

    Raises ParseError, which a setting wraps into an IllegalArgument.
    """
    what = f"failed to parse setting [{name}] with value [{text}]"
    normalized = text.lower().strip()
    for unit in sorted(_BYTE_UNITS, key=len, reverse=True):
        if normalized.endswith(unit):
            return _byte_amount(text, normalized.removesuffix(unit).strip(), unit, what)
    if normalized in ("0", "-1"):
        return int(normalized)
    raise ParseError(f"{what} as a size in bytes: unit is missing or unrecognized")


def _byte_amount(text: str, number: str, unit: str, what: str) -> int:
    whole = parse_long(number)
    if whole is None:
        fraction = parse_double(number)
        if fraction is None:
            raise ParseError(what, caused_by=NumberFormatError(f'For input string: "{number}"'))
        size = int(fraction * _BYTE_UNITS[unit])
    else:
        size = whole * _BYTE_UNITS[unit]
    problem: ApiError | None = None
    if size < -1 or (size < 0 and unit != "b"):
        problem = IllegalArgument(f"Values less than -1 bytes are not supported: {text}")
    elif size > _LONG_MAX:
        problem = IllegalArgument(
            f"Values greater than {_LONG_MAX} bytes are not supported: {text}"
        )
    if problem is not None:
        raise ParseError(f"{what} as a size in bytes", caused_by=problem)
    return size


def number_text(value: int | float) -> str:
    """A number as the reference prints it in texts."""
    return str(value) if isinstance(value, int) else double_text(value)
