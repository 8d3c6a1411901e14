"""The roundings that an auto_date_histogram goes through, from seconds to centuries, until its buckets are few."""

from dataclasses import dataclass

from sealane.model.rounding import CalendarUnit, Rounding

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class AutoRounding:
    """A calendar unit, and how many of them a bucket may span. `estimate_ms` is about how long one is."""

    unit: CalendarUnit
    sign: str
    estimate_ms: int
    steps: tuple[int, ...]

    @property
    def widest(self) -> int:
        return self.steps[-1]

    def rounding(self, time_zone: str) -> Rounding:
        return Rounding(self.unit, time_zone=time_zone)


_ROUNDINGS = (
    AutoRounding("second", "s", 1_000, (1, 5, 10, 30)),
    AutoRounding("minute", "m", 60_000, (1, 5, 10, 30)),
    AutoRounding("hour", "h", 3_600_000, (1, 3, 12)),
    AutoRounding("day", "d", _DAY_MS, (1, 7)),
    AutoRounding("month", "M", 30 * _DAY_MS, (1, 3)),
    AutoRounding("year", "y", 365 * _DAY_MS, (1, 5, 10, 20, 50, 100)),
)


def auto_roundings(minimum: str) -> tuple[AutoRounding, ...]:
    """Those from the smallest unit wanted on."""
    units = [each.unit for each in _ROUNDINGS]
    return _ROUNDINGS[units.index(minimum) :]  # type: ignore[arg-type]
