"""Rounds instants down to calendar units and fixed intervals, in a time zone: the buckets of a date_histogram.

A bucket begins where the local clock shows a round time. Around a change of the clocks that follows the reference:
a day that starts in a gap begins at the gap, an hour that is shown twice is two buckets.
"""

from datetime import UTC
from typing import Literal

from sealane.model.civil import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    civil_from_ms,
    days_from_civil,
    first_instant,
    offset_at,
    transition_between,
    valid_offsets,
    zone,
)

CalendarUnit = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
_FIXED = {"second": 1000, "minute": MINUTE_MS, "hour": HOUR_MS}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Rounding:
    """`floor` and `next` for one unit or interval. Milliseconds in and out; exactly one of the first two is given."""

    __slots__ = ("_fixed", "_interval", "_offset", "_unit", "_zone")

    def __init__(
        self,
        calendar_interval: CalendarUnit | None = None,
        fixed_interval_ms: int | None = None,
        *,
        time_zone: str = "UTC",
        offset_ms: int = 0,
    ) -> None:
        assert (calendar_interval is None) != (fixed_interval_ms is None)
        self._unit = calendar_interval
        self._interval = fixed_interval_ms or _FIXED.get(calendar_interval or "", 0)
        self._fixed = fixed_interval_ms is not None
        self._zone = zone(time_zone)
        self._offset = offset_ms

    def floor(self, ms: int) -> int:
        """The beginning of the bucket that holds `ms`."""
        ms -= self._offset
        if self._fixed:
            return self._floor_interval(ms) + self._offset
        if self._interval:
            return self._floor_clock(ms) + self._offset
        local = self._floor_date(ms + offset_at(ms, self._zone))
        return first_instant(local, self._zone) + self._offset

    def next(self, ms: int) -> int:
        """The beginning of the bucket after the one that begins at `ms`."""
        ms -= self._offset
        if self._interval and self._zone is UTC:
            return ms + self._interval + self._offset
        if self._fixed:
            local = ms + offset_at(ms, self._zone) + self._interval
            return first_instant(local, self._zone) + self._offset
        if self._interval:
            return self._next_clock(ms) + self._offset
        local = self._floor_date(ms + offset_at(ms, self._zone))
        return first_instant(self._next_date(local), self._zone) + self._offset

    def _floor_date(self, local: int) -> int:
        if self._unit == "day":
            return local - local % DAY_MS
        if self._unit == "week":
            # 1970-01-01 was a Thursday; weeks begin on Monday.
            return local - (local + 3 * DAY_MS) % (7 * DAY_MS)
        months = _MONTHS[self._unit or ""]
        date = civil_from_ms(local)
        month = (date.month - 1) // months * months + 1
        return days_from_civil(date.year, month, 1) * DAY_MS

    def _next_date(self, local: int) -> int:
        if self._unit == "day":
            return local + DAY_MS
        if self._unit == "week":
            return local + 7 * DAY_MS
        date = civil_from_ms(local)
        years, month = divmod(date.month - 1 + _MONTHS[self._unit or ""], 12)
        return days_from_civil(date.year + years, month + 1, 1) * DAY_MS

    def _floor_clock(self, ms: int) -> int:
        """Seconds, minutes and hours: rounds the local clock, but not past a change of the clocks."""
        if self._zone is UTC:
            return ms - ms % self._interval
        while True:
            offset = offset_at(ms, self._zone)
            local = ms + offset
            rounded = local - local % self._interval
            start = next(
                (
                    rounded - each
                    for each in reversed(valid_offsets(rounded, self._zone))
                    if rounded - each <= ms
                ),
                None,
            )
            if start is not None and offset_at(start, self._zone) == offset:
                return start
            # The clocks changed inside this unit: what lies before the change decides.
            low = start if start is not None else ms - 2 * self._interval
            ms = transition_between(low, ms, self._zone) - 1

    def _next_clock(self, ms: int) -> int:
        """The next round second, minute or hour; where the clocks went back by less than one, what was round before."""
        later = ms
        while True:
            later += self._interval
            start = self._floor_clock(later)
            if start > ms:
                return start

    def _floor_interval(self, ms: int) -> int:
        if self._zone is UTC:
            return ms - ms % self._interval
        local = ms + offset_at(ms, self._zone)
        rounded = local - local % self._interval
        offsets = valid_offsets(rounded, self._zone)
        if not offsets:
            return first_instant(rounded, self._zone)
        for each in reversed(offsets):
            if rounded - each <= ms:
                return rounded - each
        return rounded - offsets[0]
