"""Dates as clients write them, to epoch milliseconds and back: formats, date math, time zones. Pure: `now` is given.

Errors come as a query shows them (`parse_exception`); their `caused_by` is what a document's error shows.
`Rounding` and `zone` are found here too.
"""

from datetime import UTC, datetime, tzinfo

from sealane.errors import ApiError, IllegalArgument, ParseError
from sealane.model.civil import (
    DAY_MS,
    EPOCH,
    HOUR_MS,
    MINUTE_MS,
    DateTimeError,
    civil_from_ms,
    days_from_civil,
    days_in_month,
    offset_at,
    to_utc,
    zone,
)
from sealane.model.date_formats import date_format
from sealane.model.rounding import CalendarUnit, Rounding

__all__ = [
    "DEFAULT_FORMAT",
    "CalendarUnit",
    "Rounding",
    "check_format",
    "format_date",
    "parse_date",
    "resolve_date_math",
    "zone",
]

DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"
"""The format of a date field whose mapping names none."""

_ISO_FIRST = (DEFAULT_FORMAT, "strict_date_optional_time")
_UNIT_MS = {"d": DAY_MS, "h": HOUR_MS, "H": HOUR_MS, "m": MINUTE_MS, "s": 1000, "w": 7 * DAY_MS}
_EXTREME_MS = 2**63 - 1


def parse_date(
    text: str | int | float,
    fmt: str = DEFAULT_FORMAT,
    *,
    round_up: bool = False,
    time_zone: str | None = None,
) -> int:
    """Epoch milliseconds of a date without date math.

    `round_up` takes what is missing from the end of the day instead of its beginning. `time_zone` is where a text
    without a zone is at home. Raises ParseError: its `caused_by` is the reference's error for a document's field.
    """
    if isinstance(text, str):
        size = len(text)
        if fmt in _ISO_FIRST and time_zone is None:
            # The common shapes, told by their separators, take the interpreter's own parser.
            try:
                # What is sliced out are the separators; without them the parser would take a week's date too.
                if size == 24 and text[4:20:3] == "--T::." and text[23] == "Z":
                    since = datetime.fromisoformat(text) - EPOCH
                    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
                if size == 10 and text[4] == text[7] == "-" and not round_up:
                    return (datetime.fromisoformat(text).toordinal() - 719_163) * DAY_MS
                if size == 13 and fmt == DEFAULT_FORMAT and text.isascii() and text.isdigit():
                    return int(text)
            except ValueError:
                pass  # the full parser says what is wrong with it
    elif type(text) is int and fmt == DEFAULT_FORMAT and 9999 < abs(text) <= _EXTREME_MS:
        # Four digits are a year.
        return text
    return _parse(_as_text(text), fmt, round_up, zone(time_zone) if time_zone else UTC)


def resolve_date_math(
    text: str | int | float,
    now_ms: int | None,
    fmt: str = DEFAULT_FORMAT,
    *,
    round_up: bool = False,
    time_zone: str | None = None,
) -> int:
    """Epoch milliseconds of a date with date math: `now-1d/d`, `2020-01-01||+1M/d`, or a plain date.

    With `round_up`, rounding goes to the last millisecond of the unit. Raises ParseError; for `now` also where `now_ms`
    is None.
    """
    if not isinstance(text, str):
        return parse_date(text, fmt, round_up=round_up, time_zone=time_zone)
    where = zone(time_zone) if time_zone else UTC
    if text.startswith("now"):
        if now_ms is None:
            raise ParseError("could not read the current timestamp", caused_by=no_present())
        return _apply(text[3:], now_ms, round_up, where)
    base, separator, math = text.partition("||")
    if not separator:
        return parse_date(text, fmt, round_up=round_up, time_zone=time_zone)
    return _apply(math, parse_date(base, fmt, time_zone=time_zone), round_up, where)


def no_present() -> IllegalArgument:
    """For a query of a role: what may be seen must not change by itself, as answers are kept."""
    return IllegalArgument("permission filters are not allowed to use the current timestamp")


def format_date(ms: int | float, fmt: str | None = DEFAULT_FORMAT, time_zone: str = "UTC") -> str:
    """The date in the first alternative of `fmt`; None is the default, `2024-01-02T03:04:05.678Z`."""
    return date_format(fmt or DEFAULT_FORMAT).write(int(ms), zone(time_zone))


def check_format(fmt: str) -> None:
    """Raises IllegalArgument when `fmt` is no date format: `Invalid format: [...]: ...`."""
    date_format(fmt)


def _as_text(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parse(text: str, fmt: str, round_up: bool, where: tzinfo) -> int:
    if not text:
        raise ParseError("cannot parse empty datetime")
    try:
        return date_format(fmt).parse(text, round_up, where)
    except (IllegalArgument, DateTimeError) as error:
        if isinstance(error, IllegalArgument) and error.reason.startswith("Invalid format"):
            raise
        raise _explained(text, fmt, error) from None


def _explained(text: str, fmt: str, cause: ApiError) -> ParseError:
    return ParseError(
        f"failed to parse date field [{text}] with format [{fmt}]: [{cause.reason}]",
        caused_by=cause,
    )


def _apply(math: str, ms: int, round_up: bool, where: tzinfo) -> int:
    at = 0
    while at < len(math):
        sign = math[at]
        at += 1
        if sign not in "+-/":
            raise ParseError(f"operator not supported for date math [{math}]")
        first = at
        while at < len(math) and math[at].isascii() and math[at].isdigit():
            at += 1
        if at >= len(math):
            raise ParseError(f"truncated date math [{math}]")
        digits = math[first:at]
        if len(digits) > 9 and int(digits) > 2**31 - 1:
            raise IllegalArgument(f'For input string: "{digits}"')
        count = int(digits or 1)
        unit = math[at]
        at += 1
        if sign == "/" and count != 1:
            raise ParseError(f"rounding `/` can only be used on single unit types [{math}]")
        if unit not in "yMwdhHms":
            raise ParseError(f"unit [{unit}] not supported for date math [{math}]")
        if sign == "/":
            ms = _round(ms, unit, round_up, where)
        else:
            ms = _add(ms, unit, count if sign == "+" else -count, where)
    return ms


def _round(ms: int, unit: str, up: bool, where: tzinfo) -> int:
    local = ms + offset_at(ms, where)
    date = civil_from_ms(local)
    match unit:
        case "y":
            start = days_from_civil(date.year, 1, 1) * DAY_MS
        case "M":
            start = days_from_civil(date.year, date.month, 1) * DAY_MS
        case "w":
            start = local - (local + 3 * DAY_MS) % _UNIT_MS["w"]
        case _:
            start = local - local % _UNIT_MS[unit]
    # Hours and less are the same length everywhere, so an hour shown twice stays in its own offset.
    floor = ms - (local - start) if unit in "hHms" else to_utc(start, where)
    return _add(floor, unit, 1, where) - 1 if up else floor


def _add(ms: int, unit: str, count: int, where: tzinfo) -> int:
    if unit in "hHms":
        return ms + count * _UNIT_MS[unit]
    local = ms + offset_at(ms, where)
    if unit in "dw":
        return to_utc(local + count * _UNIT_MS[unit], where)
    date = civil_from_ms(local)
    years, month = divmod(date.month - 1 + count * (12 if unit == "y" else 1), 12)
    year, month = date.year + years, month + 1
    if not -999_999_999 <= year <= 999_999_999:
        raise DateTimeError(f"Invalid value for Year (valid values -999999999 - 999999999): {year}")
    day = min(date.day, days_in_month(year, month))
    return to_utc(days_from_civil(year, month, day) * DAY_MS + date.ms_of_day, where)
