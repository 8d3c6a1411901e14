"""Sums of doubles with the lost low bits carried along, as the reference adds them."""

from collections.abc import Iterable
from math import isfinite


def compensated_sum(values: Iterable[float]) -> float:
    """Kahan's sum; infinities and NaN win as they do in a plain one."""
    total = correction = 0.0
    for value in values:
        if not isfinite(value):
            total += value
        elif isfinite(total):
            corrected = value + correction
            updated = total + corrected
            correction = corrected - (updated - total)
            total = updated
    return total
