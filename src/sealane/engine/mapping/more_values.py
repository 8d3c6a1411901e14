"""How one JSON value becomes a value of the rarer numeric types, and dates with nanoseconds."""

import math
import re
import struct
from typing import Any

from sealane.engine.mapping.values import (
    date_from,
    floating_from,
    illegal,
    java_float_text,
    round_to_float,
    text_from,
)
from sealane.model.date_nanos import NS_IN_MS, nanos_text

_HALF = struct.Struct("<e")
_FRACTION = re.compile(r"[T ]\d{2}:\d{2}:\d{2}[.,](\d{4,9})")
_MILLIS = re.compile(r"-?\d+\.(\d{1,6})")
_NANOS_MAX = 2**63 - 1


def round_to_half(value: float) -> float:
    """The nearest 16-bit float; infinite where it is too large."""
    try:
        rounded: float = _HALF.unpack(_HALF.pack(value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def shortest_single(value: float) -> float:
    """The number with the fewest digits that is the same 32-bit float."""
    for digits in range(6, 9):
        candidate = float(f"{value:.{digits}g}")
        if round_to_float(candidate) == value:
            return candidate
    return value


def half_float_from(value: Any, coerce: bool = True) -> float | None:
    """The value of a half_float field; None where the text is empty."""
    number = floating_from(value, "half_float", coerce)
    if number is None:
        return None
    rounded = round_to_half(number)
    if not math.isfinite(rounded):
        raise illegal(
            f"[half_float] supports only finite values, but got [{java_float_text(number)}]"
        )
    return rounded


def scaled_float_from(value: Any, factor: float, coerce: bool = True) -> float | None:
    """The value that is left of a number after it was kept as a whole number of 1 / `factor`."""
    number = floating_from(value, "scaled_float", coerce)
    if number is None:
        return None
    return math.floor(number * factor + 0.5) * (1.0 / factor)


def date_nanos_from(value: Any, date_format: str) -> int:
    """Epoch nanoseconds. Raises BadValue for a date that 64 bits of them do not hold."""
    ms = date_from(value, date_format)
    text = text_from(value)
    found = _FRACTION.search(text)
    nanos = ms * NS_IN_MS
    if found is not None:
        nanos += int(found[1].ljust(9, "0")) % NS_IN_MS
    elif _MILLIS.fullmatch(text):
        nanos += int(text.partition(".")[2].ljust(6, "0"))
    if ms < 0:
        raise illegal(
            f"date[{_instant(nanos)}] is before the epoch in 1970 and cannot be stored in nanosecond resolution"
        )
    if nanos > _NANOS_MAX:
        raise illegal(
            f"date[{_instant(nanos)}] is after 2262-04-11T23:47:16.854775807 and cannot be stored in nanosecond "
            "resolution"
        )
    return nanos


def _instant(nanos: int) -> str:
    return nanos_text(nanos, "strict_date_optional_time").replace(".000Z", "Z")
