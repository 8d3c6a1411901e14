"""HDR histograms of doubles: every power of two is cut into slots of equal width, as many as the digits ask for.

A count is all that is kept of a value. What a slot shows is its last value, in units of the lowest octave that holds
any: so the same slots read a little differently when smaller values join, as they do in the reference.
"""

from collections.abc import Iterable
from math import ceil, frexp, ldexp, log2, nan


def slots_per_octave(digits: int) -> int:
    """A power of two, at least so many that neighbours agree in `digits` digits."""
    return 1 << (ceil(log2(2 * 10**digits)) - 1)


def slot_of(value: float, slots: int) -> int:
    """The slot of a positive value. Slots ascend with their values."""
    fraction, exponent = frexp(value)
    return (exponent - 1) * slots + int((2 * fraction - 1) * slots)


def lowest_of(slot: int, slots: int) -> float:
    octave, place = divmod(slot, slots)
    return ldexp(1 + place / slots, octave)


def counted(pairs: Iterable[tuple[float, int]], digits: int) -> tuple[list[int], list[int], int]:
    """Values with their counts as slots, counts, and how many are zero. Raises ValueError for a negative value."""
    slots = slots_per_octave(digits)
    counts: dict[int, int] = {}
    zeros = 0
    for value, count in pairs:
        if value < 0:
            raise ValueError(value)
        if value == 0:
            zeros += count
        else:
            slot = slot_of(value, slots)
            counts[slot] = counts.get(slot, 0) + count
    ordered = sorted(counts)
    return ordered, [counts[slot] for slot in ordered], zeros


def value_at(percent: float, slots: list[int], counts: list[int], zeros: int, digits: int) -> float:
    """The value that at least `percent` of all are not above. NaN where nothing was counted."""
    total = zeros + sum(counts)
    if not total:
        return nan
    wanted = max(1, int(percent / 100.0 * total + 0.5))
    so_far = zeros
    if so_far >= wanted:
        return 0.0
    width = slots_per_octave(digits)
    unit = ldexp(1 / width, slots[0] // width)
    for slot, count in zip(slots, counts, strict=True):
        so_far += count
        if so_far >= wanted:
            return lowest_of(slot, width) + ldexp(1 / width, slot // width) - unit
    return nan


def percent_below(
    value: float, slots: list[int], counts: list[int], zeros: int, digits: int
) -> float:
    """How many percent are in the slot of this value or below it. NaN where nothing was counted."""
    total = zeros + sum(counts)
    if not total:
        return nan
    below = zeros
    if value > 0:
        edge = slot_of(value, slots_per_octave(digits))
        below += sum(n for slot, n in zip(slots, counts, strict=True) if slot <= edge)
    return 100.0 * below / total
