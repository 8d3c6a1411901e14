"""Durations as clients write them: `5s`, `1.5` is refused, `-1` is none."""

import re

from sealane.errors import IllegalArgument, NumberFormatError

_UNITS_NANOS = {
    "nanos": 1,
    "micros": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}
_SHAPE = re.compile(r"(.*?)\s*(nanos|micros|ms|s|m|h|d)\Z", re.DOTALL)
_WHOLE = re.compile(r"[+-]?[0-9]+\Z")
_FRACTION = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+)\Z")


def parse_time_ms(text: str, setting: str, *, negative: bool = False) -> int:
    """Milliseconds, rounded down. `-1` is -1. Raises IllegalArgument with the reference's texts."""
    normal = text.strip().lower()
    if text.strip().endswith("M"):
        normal = text.strip()
    if normal in ("-1", "0"):
        return int(normal)
    shape = _SHAPE.match(normal)
    if shape is None:
        raise IllegalArgument(
            f"failed to parse setting [{setting}] with value [{text}] as a time value: "
            "unit is missing or unrecognized"
        )
    amount, unit = shape.groups()
    if not _WHOLE.match(amount) or len(amount) > 19:
        cause = NumberFormatError(f'For input string: "{amount}"')
        if _FRACTION.match(amount):
            raise IllegalArgument(
                f"failed to parse [{text}], fractional time values are not supported",
                caused_by=cause,
            )
        raise IllegalArgument(f"failed to parse [{text}]", caused_by=cause)
    if int(amount) < 0 and not negative:
        raise IllegalArgument(
            f"failed to parse setting [{setting}] with value [{text}] as a time value: "
            "negative durations are not supported"
        )
    return int(amount) * _UNITS_NANOS[unit] // 1_000_000
