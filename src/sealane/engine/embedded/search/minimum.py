"""`minimum_should_match`: how many clauses of several must match."""

import math

from sealane.errors import NumberFormatError


def minimum_should_match(spec: str, clauses: int) -> int:
    """How many of `clauses` must match: `2`, `-1`, `75%`, `-25%`, `3<90%`, and several such conditions.

    May be more than `clauses`. Raises NumberFormatError where a number cannot be read.
    """
    spec = spec.strip()
    if "<" in spec:
        result = clauses
        for condition in spec.split():
            bound, _, rest = condition.partition("<")
            if clauses <= _whole(bound):
                return result
            result = minimum_should_match(rest, clauses)
        return result
    if spec.endswith("%"):
        share = clauses * _whole(spec[:-1]) / 100
        result = clauses + math.trunc(share) if share < 0 else math.trunc(share)
    else:
        number = _whole(spec)
        result = clauses + number if number < 0 else number
    return max(0, result)


def _whole(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise NumberFormatError(f'For input string: "{text}"') from None
