"""Moments of numbers, of one field or of several together, as states that add up without losing digits."""

from collections.abc import Sequence

from sealane.reduce.metric_states import MomentsPartial


def moments_of(rows: Sequence[Sequence[float]], width: int) -> MomentsPartial:
    """The moments of rows of `width` numbers each. numpy is loaded when it is first needed."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        table = np.asarray(rows, dtype=np.float64).reshape(len(rows), width)
        means = table.mean(axis=0)
        away = table - means
        return MomentsPartial(
            len(rows),
            means.tolist(),
            (away.T @ away).tolist(),
            (away**3).sum(axis=0).tolist(),
            (away**4).sum(axis=0).tolist(),
        )


def merged_moments(parts: Sequence[MomentsPartial]) -> MomentsPartial:
    """All of them as one: Pebay's pairwise formulas (2008)."""
    filled = [part for part in parts if part.count]
    if not filled:
        return MomentsPartial(0)
    merged = filled[0]
    for part in filled[1:]:
        merged = _pair(merged, part)
    return merged


def _pair(one: MomentsPartial, other: MomentsPartial) -> MomentsPartial:
    left, right = one.count, other.count
    count = left + right
    step = [b - a for a, b in zip(one.means, other.means, strict=True)]
    width = len(step)
    squares = [
        [
            one.products[row][at]
            + other.products[row][at]
            + step[row] * step[at] * left * right / count
            for at in range(width)
        ]
        for row in range(width)
    ]
    cubes, fourths = [], []
    for at, by in enumerate(step):
        # Products: a power of a very large number raises, a product is infinite.
        by2 = by * by
        m2, n2 = one.products[at][at], other.products[at][at]
        cubes.append(
            one.cubes[at]
            + other.cubes[at]
            + by2 * by * left * right * (left - right) / count**2
            + 3 * by * (left * n2 - right * m2) / count
        )
        fourths.append(
            one.fourths[at]
            + other.fourths[at]
            + by2 * by2 * left * right * (left * left - left * right + right * right) / count**3
            + 6 * by2 * (left * left * n2 + right * right * m2) / count**2
            + 4 * by * (left * other.cubes[at] - right * one.cubes[at]) / count
        )
    means = [a + by * right / count for a, by in zip(one.means, step, strict=True)]
    return MomentsPartial(count, means, squares, cubes, fourths)
