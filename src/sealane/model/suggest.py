"""How near a name is to an unknown one: what `did you mean [...]?` is decided by.

Thresholds, candidates and their order are each caller's own, as they are in the reference.
"""


def similarity(one: str, other: str) -> float:
    """1 minus the edit distance over the longer length; 0 where only one of them is empty."""
    if not one or not other:
        return 1.0 if one == other else 0.0
    row = list(range(len(other) + 1))
    for left_at, left in enumerate(one, 1):
        diagonal, row[0] = row[0], left_at
        for right_at, right in enumerate(other, 1):
            best = min(row[right_at] + 1, row[right_at - 1] + 1, diagonal + (left != right))
            diagonal, row[right_at] = row[right_at], best
    return 1.0 - row[-1] / max(len(one), len(other))
