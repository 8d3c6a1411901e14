"""Days, dates and time zones as plain arithmetic, beyond the years that `datetime` knows.

The calendar is the proleptic ISO one. What a text means is `date_formats`' matter.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sealane.errors import ApiError, IllegalArgument

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
# zoneinfo works on datetime, so years outside take the offset of the nearest one inside.
_FIRST_MS = -62_135_596_800_000 + 2 * DAY_MS
_LAST_MS = 253_402_300_799_000 - 2 * DAY_MS
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d)(?::?(\d\d))?)?\Z")
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]+\Z")


class DateTimeError(ApiError):
    """A date that does not exist, such as February 30."""

    es_type, status = "date_time_exception", 400


class ZoneRulesError(ApiError):
    es_type, status = "zone_rules_exception", 400


class Civil(NamedTuple):
    year: int
    month: int
    day: int
    ms_of_day: int


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01."""
    year -= month <= 2
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return (
        era * 146_097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + day_of_year
        - 719_468
    )


def civil_from_ms(ms: int) -> Civil:
    """The date and time of day of local milliseconds."""
    days, ms_of_day = divmod(ms, DAY_MS)
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    return Civil(year_of_era + era * 400 + (month <= 2), month, day, ms_of_day)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """A time zone by IANA name or offset (`+01:00`, `-3`, `UTC+2`, `Z`).

    Raises IllegalArgument with the reference's text when there is none.
    """
    if name in ("Z", "UTC", "GMT", "UT", "Etc/UTC"):
        return UTC
    matched = _OFFSET.match(name)
    if matched:
        sign, hours, minutes, seconds = matched.groups()
        if int(hours) > 18 or (int(hours) == 18 and (int(minutes or 0) or int(seconds or 0))):
            raise _wrapped(DateTimeError("Zone offset not in valid range: -18:00 to +18:00"))
        if int(minutes or 0) > 59 or int(seconds or 0) > 59:
            raise _wrapped(DateTimeError(f"Invalid ID for ZoneOffset, invalid format: {name}"))
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        return timezone(-offset if sign == "-" else offset)
    if not _REGION.match(name):
        raise _wrapped(DateTimeError(f"Invalid ID for region-based ZoneId, invalid format: {name}"))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrapped(ZoneRulesError(f"Unknown time-zone ID: {name}")) from None


def _wrapped(cause: ApiError) -> IllegalArgument:
    java = {
        "zone_rules_exception": "java.time.zone.ZoneRulesException",
        "date_time_exception": "java.time.DateTimeException",
    }[cause.es_type]
    return IllegalArgument(f"{java}: {cause.reason}", caused_by=cause)


def offset_at(ms: int, where: tzinfo) -> int:
    """Milliseconds that `where` is ahead of UTC at an instant."""
    if where is UTC:
        return 0
    inside = min(max(ms, _FIRST_MS), _LAST_MS)
    offset = (EPOCH + timedelta(milliseconds=inside)).astimezone(where).utcoffset()
    assert offset is not None
    return offset.days * DAY_MS + offset.seconds * 1000


def valid_offsets(local_ms: int, where: tzinfo) -> tuple[int, ...]:
    """Offsets under which a local time exists: one; two, the earlier instant's first, in an overlap; none in a gap."""
    earlier, later = _folds(local_ms, where)
    if earlier == later:
        return (earlier,)
    return (earlier, later) if earlier > later else ()


def to_utc(local_ms: int, where: tzinfo) -> int:
    """The instant of a local time: the earlier one in an overlap, moved on by the gap's length in a gap."""
    if where is UTC:
        return local_ms
    return local_ms - _folds(local_ms, where)[0]


def first_instant(local_ms: int, where: tzinfo) -> int:
    """The instant of a local time; where a gap skips it, the instant of the gap."""
    earlier, later = _folds(local_ms, where)
    if earlier >= later:
        return local_ms - earlier
    return transition_between(local_ms - later, local_ms - earlier, where)


def transition_between(low_ms: int, high_ms: int, where: tzinfo) -> int:
    """The first millisecond after `low_ms` with another offset; there must be one up to `high_ms`."""
    before = offset_at(low_ms, where)
    while high_ms - low_ms > 1:
        middle = (low_ms + high_ms) // 2
        if offset_at(middle, where) == before:
            low_ms = middle
        else:
            high_ms = middle
    return high_ms


def _folds(local_ms: int, where: tzinfo) -> tuple[int, int]:
    if where is UTC:
        return 0, 0
    inside = min(max(local_ms, _FIRST_MS), _LAST_MS)
    local = (_NAIVE_EPOCH + timedelta(milliseconds=inside)).replace(tzinfo=where)
    earlier, later = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert earlier is not None
    assert later is not None
    return (
        earlier.days * DAY_MS + earlier.seconds * 1000,
        later.days * DAY_MS + later.seconds * 1000,
    )
