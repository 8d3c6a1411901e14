"""How near a name is to an unknown one: what `did you mean [...]?` is decided by.

Thresholds, candidates and their order are each caller's own, as they are in the reference.
"""

from typing import Final

LENGTH_MAX: Final = 256
"""Of a name that is compared: it takes time by both lengths, and strangers choose one of them."""


def similarity(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length.

    0 where that cannot be above one half, by the lengths alone, and for names that are too long to be compared.
    """
    shorter, longer = sorted((len(one), len(other)))
    if one == other:
        return 1.0
    if 2 * shorter <= longer or longer > LENGTH_MAX:
        return 0.0
    row = list(range(len(other) + 1))
    for left_at, left in enumerate(one, 1):
        diagonal, row[0] = row[0], left_at
        for right_at, right in enumerate(other, 1):
            best = min(row[right_at] + 1, row[right_at - 1] + 1, diagonal + (left != right))
            diagonal, row[right_at] = row[right_at], best
    return 1.0 - row[-1] / max(len(one), len(other))
