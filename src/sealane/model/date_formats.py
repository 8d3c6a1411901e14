"""Compiled date formats: `strict_date_optional_time||epoch_millis`, `yyyy-MM-dd`, ... to and from milliseconds.

A format is one or more alternatives, joined by `||`; the first that reads a text wins, the first one writes. What is
missing from a text counts as its beginning (1970, January, the 1st, 00:00:00.000), or with `round_up` as the end of the
day (23:59:59.999), as in the reference.
"""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Protocol

from sealane.errors import ApiError, IllegalArgument
from sealane.model import date_patterns as element
from sealane.model.civil import (
    DAY_MS,
    DateTimeError,
    civil_from_ms,
    days_from_civil,
    days_in_month,
    offset_at,
    to_utc,
    zone,
)
from sealane.model.date_patterns import DAYS, MONTHS, Moment, Row, compile_pattern

_LONG_MS = 2**63 - 1


class DateTimeParse(ApiError):
    """A text that a formatter cannot read."""

    es_type, status = "date_time_parse_exception", 400


class Alternative(Protocol):
    """One format among those joined by `||`."""

    def parse(self, text: str, round_up: bool, where: tzinfo) -> int:
        """Epoch milliseconds. Raises DateTimeParse, or DateTimeError for a date that does not exist."""

    def write(self, ms: int, where: tzinfo) -> str: ...


class DateFormat:
    """All alternatives of one format text."""

    __slots__ = ("alternatives", "text")

    def __init__(self, text: str, alternatives: tuple[Alternative, ...]) -> None:
        self.text = text
        self.alternatives = alternatives

    def parse(self, text: str, round_up: bool = False, where: tzinfo = UTC) -> int:
        """Raises IllegalArgument when no alternative reads the text, DateTimeError when the date does not exist."""
        problem: DateTimeParse | None = None
        for alternative in self.alternatives:
            try:
                return alternative.parse(text, round_up, where)
            except DateTimeParse as error:
                problem = error
        if problem is None or len(self.alternatives) > 1:
            problem = DateTimeParse("Failed to parse with all enclosed parsers")
        raise IllegalArgument(
            f"failed to parse date field [{text}] with format [{self.text}]", caused_by=problem
        )

    def write(self, ms: int, where: tzinfo = UTC) -> str:
        return self.alternatives[0].write(ms, where)


class EpochFormat:
    """`epoch_millis` and `epoch_second`."""

    __slots__ = ("_pattern", "_scale")

    def __init__(self, scale: int) -> None:
        self._scale = scale
        digits = 6 if scale == 1 else 9
        self._pattern = re.compile(rf"(-?)([0-9]{{1,19}})(?:\.([0-9]{{1,{digits}}}))?\Z")

    def parse(self, text: str, round_up: bool, where: tzinfo) -> int:
        matched = self._pattern.match(text)
        if matched is None or int(matched[2]) * self._scale > _LONG_MS:
            raise DateTimeParse("Failed to parse with all enclosed parsers")
        sign, whole, part = matched.groups()
        ms = int(whole) * self._scale
        if self._scale == 1000:
            ms += int(f"{part or ('999' if round_up and not sign else '')}000"[:3])
        if not sign:
            return ms
        return -ms - 1 if self._scale == 1 and part and part.strip("0") else -ms

    def write(self, ms: int, where: tzinfo) -> str:
        if self._scale == 1:
            return str(ms)
        whole, part = divmod(abs(ms), self._scale)
        digits = f".{part:03d}".rstrip("0") if part else ""
        return f"{'-' if ms < 0 else ''}{whole}{digits}"


_ZONE = r"(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?|[A-Za-z][A-Za-z0-9~/._+-]*)"
_STRICT_ISO = re.compile(
    r"(-?[0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T(?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})"
    rf"(?:[.,]([0-9]{{1,9}}))?)?)?{_ZONE}?)?)?)?)?\Z"
)
_LENIENT_ISO = re.compile(
    r"(-?[0-9]{1,9})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:T(?:([0-9]{1,2})(?::([0-9]{1,2})"
    rf"(?::([0-9]{{1,2}})(?:[.,]([0-9]{{1,9}}))?)?)?{_ZONE}?)?)?)?)?\Z"
)


class IsoFormat:
    """`strict_date_optional_time` and its lenient sister: a year, and what follows is optional from the right."""

    __slots__ = ("_pattern", "_row")

    def __init__(self, pattern: "re.Pattern[str]") -> None:
        self._pattern = pattern
        self._row = _named_row("Y-M-DtH:N:SFZ", strict=True)

    def parse(self, text: str, round_up: bool, where: tzinfo) -> int:
        matched = self._pattern.match(text)
        if matched is None:
            raise DateTimeParse("Failed to parse with all enclosed parsers")
        year, month, day, hour, minute, second, part, zone_text = matched.groups()
        clock = (
            int(hour or (23 if round_up else 0)),
            int(minute or (59 if round_up else 0)),
            int(second or (59 if round_up else 0)),
        )
        if int(month or 1) > 12 or int(day or 1) > 31 or clock[0] > 23 or max(clock[1:]) > 59:
            raise DateTimeParse("Failed to parse with all enclosed parsers")
        days = checked_days(int(year), int(month or 1), int(day or 1))
        ms = ((clock[0] * 60 + clock[1]) * 60 + clock[2]) * 1000
        ms += int((part + "00")[:3]) if part else (999 if round_up else 0)
        if zone_text:
            where = _zone_of(zone_text, text)
        return to_utc(days * DAY_MS + ms, where)

    def write(self, ms: int, where: tzinfo) -> str:
        return self._row.write(_moment(ms, where))


class RowFormat:
    """A Java pattern, or a named format that is not ISO with optional parts."""

    __slots__ = ("_deferred", "_row")

    def __init__(self, row: Row) -> None:
        self._row = row
        self._deferred = any(name.startswith("year_of_era") for name in row.fields)

    def parse(self, text: str, round_up: bool, where: tzinfo) -> int:
        matched = self._row.regex.match(text)
        if matched is None:
            raise DateTimeParse(self._row.first_problem(text))
        found = {
            name: value
            for name, value in zip(self._row.fields, matched.groups(), strict=True)
            if value is not None
        }
        try:
            clock = _clock(found, round_up)
        except DateTimeError as error:
            raise _unresolved(text, error) from None
        try:
            days = _days(found, clamp=round_up, check_weekday=round_up or not self._deferred)
        except DateTimeError as error:
            # Java resolves a year of an era late, outside the parser, unless it rounds up.
            if self._deferred and not round_up:
                raise
            raise _unresolved(text, error) from None
        if "zone" in found:
            where = _zone_of(found["zone"], text)
        return to_utc(days * DAY_MS + clock, where)

    def write(self, ms: int, where: tzinfo) -> str:
        return self._row.write(_moment(ms, where))


def checked_days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Raises DateTimeError when there is no such date."""
    _check("MonthOfYear", month, 1, 12)
    if not 1 <= day <= 31:
        raise DateTimeError(f"Invalid value for DayOfMonth (valid values 1 - 28/31): {day}")
    if day > days_in_month(year, month):
        if month == 2 and day == 29:
            raise DateTimeError(f"Invalid date 'February 29' as '{year}' is not a leap year")
        raise DateTimeError(f"Invalid date '{MONTHS[month - 1].upper()} {day}'")
    return days_from_civil(year, month, day)


def _check(what: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise DateTimeError(f"Invalid value for {what} (valid values {low} - {high}): {value}")
    return value


def _clock(found: Mapping[str, str], round_up: bool) -> int:
    """Milliseconds of the day."""
    if "milli_of_day" in found:
        return int(found["milli_of_day"])
    if "hour" in found:
        hour = _check("HourOfDay", int(found["hour"]), 0, 23)
    elif "clock_hour" in found:
        hour = _check("ClockHourOfDay", int(found["clock_hour"]), 1, 24) % 24
    elif "clock_hour_of_half" in found or "hour_of_half" in found:
        if "clock_hour_of_half" in found:
            hour = _check("ClockHourOfAmPm", int(found["clock_hour_of_half"]), 1, 12) % 12
        else:
            hour = _check("HourOfAmPm", int(found["hour_of_half"]), 0, 11)
        hour += 12 if found.get("half") == "PM" else 0
    else:
        hour = 23 if round_up else 0
    last = 59 if round_up else 0
    minute = _check("MinuteOfHour", int(found.get("minute", last)), 0, 59)
    second = _check("SecondOfMinute", int(found.get("second", last)), 0, 59)
    if "fraction" in found:
        ms = int((found["fraction"] + "00")[:3])
    elif "nano" in found:
        ms = int(found["nano"]) // 1_000_000
    else:
        ms = 999 if round_up else 0
    return ((hour * 60 + minute) * 60 + second) * 1000 + ms


def _days(found: Mapping[str, str], *, clamp: bool, check_weekday: bool) -> int:
    weekday = int(found["weekday"]) if "weekday" in found else None
    if "weekday_name" in found:
        weekday = 1 + next(n for n, day in enumerate(DAYS) if day.startswith(found["weekday_name"]))
    week_year = _year(found, "week_year")
    if week_year is not None:
        week = _check("WeekOfWeekBasedYear", int(found.get("week", 1)), 1, 53)
        first_day = days_from_civil(week_year, 1, 4)
        monday = first_day - (first_day + 3) % 7
        return monday + (week - 1) * 7 + _check("DayOfWeek", weekday or 1, 1, 7) - 1
    year = _year(found, "year_of_era")
    if year is not None and found.get("era") == "BC":
        year = 1 - year
    if year is None:
        year = _year(found, "year")
    if year is None:
        year = 1970
    if "day_of_year" in found:
        return (
            days_from_civil(year, 1, 1) + _check("DayOfYear", int(found["day_of_year"]), 1, 366) - 1
        )
    month = int(found.get("month", 1))
    if "month_name" in found:
        month = 1 + next(n for n, name in enumerate(MONTHS) if name.startswith(found["month_name"]))
    elif "quarter" in found and "month" not in found:
        month = (int(found["quarter"]) - 1) * 3 + 1
    day = int(found.get("day", 1))
    if clamp and 1 <= month <= 12 and 28 < day <= 31:
        day = min(day, days_in_month(year, month))
    days = checked_days(year, month, day)
    if weekday is not None and check_weekday and (days + 3) % 7 + 1 != weekday:
        raise DateTimeError(
            f"Conflict found: Field DayOfWeek {(days + 3) % 7 + 1} differs from "
            f"DayOfWeek {weekday} derived from {year:04d}-{month:02d}-{day:02d}"
        )
    return days


def _year(found: Mapping[str, str], field: str) -> int | None:
    if f"{field}_2000" in found:
        return 2000 + int(found[f"{field}_2000"])
    return int(found[field]) if field in found else None


def _zone_of(name: str, text: str) -> tzinfo:
    try:
        return zone(_SHORT_ZONES.get(name, name))
    except IllegalArgument:
        raise DateTimeParse(
            f"Text '{text}' could not be parsed at index {text.rindex(name)}"
        ) from None


_SHORT_ZONES = {
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
    "BST": "Europe/London",
    "JST": "Asia/Tokyo",
    "IST": "Asia/Kolkata",
}


def _unresolved(text: str, cause: DateTimeError) -> DateTimeParse:
    return DateTimeParse(f"Text '{text}' could not be parsed: {cause.reason}", caused_by=cause)


def _moment(ms: int, where: tzinfo) -> Moment:
    offset = offset_at(ms, where)
    return Moment(civil_from_ms(ms + offset), offset, where)


# Y year, M month, D day, J day of year, X week-based year, W week, E weekday, H hour, N minute, S second,
# F fraction, Z zone; t and w are the literals T and W.
_NAMED = {
    "date": "Y-M-D",
    "date_hour": "Y-M-DtH",
    "date_hour_minute": "Y-M-DtH:N",
    "date_hour_minute_second": "Y-M-DtH:N:S",
    "date_hour_minute_second_fraction": "Y-M-DtH:N:SF",
    "date_hour_minute_second_millis": "Y-M-DtH:N:SF",
    "date_time": "Y-M-DtH:N:SFZ",
    "date_time_no_millis": "Y-M-DtH:N:SZ",
    "hour": "H",
    "hour_minute": "H:N",
    "hour_minute_second": "H:N:S",
    "hour_minute_second_fraction": "H:N:SF",
    "hour_minute_second_millis": "H:N:SF",
    "ordinal_date": "Y-J",
    "ordinal_date_time": "Y-JtH:N:SFZ",
    "ordinal_date_time_no_millis": "Y-JtH:N:SZ",
    "time": "H:N:SFZ",
    "time_no_millis": "H:N:SZ",
    "t_time": "tH:N:SFZ",
    "t_time_no_millis": "tH:N:SZ",
    "week_date": "X-wW-E",
    "week_date_time": "X-wW-EtH:N:SFZ",
    "week_date_time_no_millis": "X-wW-EtH:N:SZ",
    "weekyear": "X",
    "week_year": "X",
    "weekyear_week": "X-wW",
    "weekyear_week_day": "X-wW-E",
    "year": "Y",
    "year_month": "Y-M",
    "year_month_day": "Y-M-D",
}
_BASIC = {
    "basic_date": "YMD",
    "basic_date_time": "YMDtHNSFZ",
    "basic_date_time_no_millis": "YMDtHNSZ",
    "basic_ordinal_date": "YJ",
    "basic_ordinal_date_time": "YJtHNSFZ",
    "basic_ordinal_date_time_no_millis": "YJtHNSZ",
    "basic_time": "HNSFZ",
    "basic_time_no_millis": "HNSZ",
    "basic_t_time": "tHNSFZ",
    "basic_t_time_no_millis": "tHNSZ",
    "basic_week_date": "XwWE",
    "basic_week_date_time": "XwWEtHNSFZ",
    "basic_week_date_time_no_millis": "XwWEtHNSZ",
}
_FIELDS = {"M": "month", "D": "day", "H": "hour", "N": "minute", "S": "second", "W": "week"}


def _named_row(letters: str, *, strict: bool, basic: bool = False) -> Row:
    row = []
    for letter in letters:
        if letter in _FIELDS:
            row.append(element.number(_FIELDS[letter], 2, 2) if strict else _loose(letter))
        elif letter in "YX":
            field = "year" if letter == "Y" else "week_year"
            widths = (4, 4) if strict else (1, 9)
            row.append(_padded(field, *widths))
        elif letter == "J":
            row.append(element.number("day_of_year", 3, 3))
        elif letter == "E":
            row.append(element.number("weekday", 1, 1))
        elif letter == "F":
            row.append(element.fraction(3 if strict and not basic else 1, 9, point=True))
        elif letter == "Z":
            row.append(element.any_zone(colon=not basic))
        else:
            row.append(element.literal(letter.upper()))
    return Row(tuple(row))


def _loose(letter: str) -> element.Element:
    return element.Element(
        "([0-9]{1,2})", (_FIELDS[letter],), element.number(_FIELDS[letter], 2, 2).write
    )


def _padded(field: str, at_least: int, at_most: int) -> element.Element:
    """A year: four digits when written, however many were allowed when read."""
    return element.Element(
        rf"(-?[0-9]{{{at_least},{at_most}}})", (field,), element.number(field, 4, 4).write
    )


def _alternative(name: str) -> Alternative:
    strict, bare = name.startswith("strict_"), name.removeprefix("strict_")
    if name == "epoch_millis":
        return EpochFormat(1)
    if name == "epoch_second":
        return EpochFormat(1000)
    if name in ("strict_date_optional_time", "strict_date_optional_time_nanos", "iso8601"):
        return IsoFormat(_STRICT_ISO)
    if name == "date_optional_time":
        return IsoFormat(_LENIENT_ISO)
    if bare in _NAMED:
        return RowFormat(_named_row(_NAMED[bare], strict=strict))
    if bare in _BASIC:
        return RowFormat(_named_row(_BASIC[bare], strict=True, basic=True))
    return RowFormat(compile_pattern(name))


@lru_cache(maxsize=256)
def date_format(text: str) -> DateFormat:
    """The compiled format. Raises IllegalArgument when it is none."""
    if not text:
        raise IllegalArgument("No date pattern provided")
    return DateFormat(text, tuple(_alternative(part) for part in text.split("||")))
