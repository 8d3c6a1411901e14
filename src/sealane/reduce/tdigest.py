"""t-digests as the reference keeps them: every value while they are few, merged centroids after that.

Few is less than twenty times the compression: then percentiles are exact, by linear interpolation between neighbours.
Beyond, neighbours are merged as far as the digest's scale allows: fine at the ends, coarse in the middle. The reference
merges in the order in which values arrive, this in ascending order, so there the two agree within the digest's error.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf, log, nan, sqrt
from operator import mul

_EXACT_PER_COMPRESSION = 20
_LEAST_COMPRESSION = 10.0
# More is taken for this much: a digest is held in memory, and travels.
_MOST_COMPRESSION = 20_000.0
# The reference merges with a finer scale than was asked for: twice, by the ratio of its buffer to its centroids.
_REFINEMENT = sqrt(4)


@dataclass(slots=True)
class Digest:
    """Centroids ascending by mean, with whole weights."""

    means: Sequence[float]
    weights: Sequence[int]
    compression: float
    exact: bool
    low: float
    high: float

    @property
    def size(self) -> int:
        return sum(self.weights)


def digest_of(
    means: Sequence[float], weights: Sequence[int], compression: float, *, exact: bool = True
) -> Digest:
    """The digest of centroids that ascend. `exact` says that each stands for equal values."""
    low, high = (means[0], means[-1]) if means else (inf, -inf)
    return condensed(Digest(means, weights, compression, exact, low, high))


def merged(digests: Sequence[Digest], compression: float) -> Digest:
    """All of them as one, of the largest compression among them."""
    compression = max([each.compression for each in digests], default=compression)
    filled = [each for each in digests if each.means]
    if len(filled) == 1 and filled[0].compression == compression:
        return filled[0]
    exact = all(each.exact for each in filled)
    pairs: Iterable[tuple[float, int]] = sorted(
        pair for each in filled for pair in zip(each.means, each.weights, strict=True)
    )
    if exact:
        pairs = _counted(pairs)
    means, weights = [list(column) for column in zip(*pairs, strict=True)] or ([], [])
    low = min((each.low for each in filled), default=inf)
    high = max((each.high for each in filled), default=-inf)
    return condensed(Digest(means, weights, compression, exact, low, high))


def _counted(pairs: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """Equal values once, with the sum of their weights."""
    counted: dict[float, int] = {}
    for value, weight in pairs:
        counted[value] = counted.get(value, 0) + weight
    return list(counted.items())


def condensed(digest: Digest) -> Digest:
    """The digest itself where it may stay as it is; else with fewer centroids."""
    size = digest.size
    wanted = min(digest.compression, _MOST_COMPRESSION)
    limit = _EXACT_PER_COMPRESSION * int(wanted + 0.5)
    if not size or (digest.exact and size < limit):
        return digest
    compression = max(wanted, _LEAST_COMPRESSION) * _REFINEMENT
    if not digest.exact and len(digest.means) <= compression:
        return digest
    means, weights = _merge_neighbours(digest, size, compression)
    return Digest(means, weights, digest.compression, False, digest.low, digest.high)


def _merge_neighbours(
    digest: Digest, size: int, compression: float
) -> tuple[list[float], list[int]]:
    """One pass from the left: a centroid grows while its weight stays within the scale's limit at both its ends.

    The first and the last value stay alone, so that the ends are exact.
    """
    steepness = 4 * log(size / compression) + 24 if size > compression else 24.0
    scale = steepness / compression
    ends = list(accumulate(digest.weights))
    means: list[float] = []
    weights: list[int] = []

    def close(first: int, last: int) -> None:
        part = digest.weights[first:last]
        weight = sum(part)
        middle = digest.means[first]
        rest = (mean - middle for mean in digest.means[first:last])
        means.append(middle + sum(map(mul, rest, part)) / weight)
        weights.append(weight)

    count = len(ends)
    first, start = 0, 0
    while first < count:
        last = first + 1
        if 0 < first < count - 1:
            last = _reach(ends, first, start, size, scale)
        close(first, last)
        first, start = last, ends[last - 1]
    return means, weights


def _reach(ends: list[int], first: int, start: int, size: int, scale: float) -> int:
    """How far a centroid from `first` on may go: one past the last it takes."""

    def too_heavy(at: int) -> bool:
        low, high = start / size, ends[at] / size
        return ends[at] - start > size * scale * min(low * (1 - low), high * (1 - high))

    low, high = first + 1, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if too_heavy(middle):
            high = middle
        else:
            low = middle + 1
    return low


# -- reading -----------------------------------------------------------------------------------------------------


def quantile(digest: Digest, q: float) -> float:
    """The value below which the fraction `q` lies. NaN of an empty digest."""
    if not digest.means:
        return nan
    return _exact_quantile(digest, q) if digest.exact else _merged_quantile(digest, q)


def cdf(digest: Digest, value: float) -> float:
    """The fraction of values up to this one, half of those equal to it. NaN of an empty digest."""
    if not digest.means:
        return nan
    return _exact_cdf(digest, value) if digest.exact else _merged_cdf(digest, value)


def _exact_quantile(digest: Digest, q: float) -> float:
    ends = list(accumulate(digest.weights))
    index = q * (ends[-1] - 1)
    if index <= 0:
        return digest.means[0]
    if index >= ends[-1] - 1:
        return digest.means[-1]
    place = int(index)
    low = digest.means[bisect_right(ends, place)]
    high = digest.means[bisect_right(ends, place + 1)]
    return low + (index - place) * (high - low)


def _exact_cdf(digest: Digest, value: float) -> float:
    """Each value spreads half way to its neighbours; of equal ones, the first to the left, the last to the right."""
    means, weights, size = digest.means, digest.weights, digest.size
    if value <= means[0]:
        return weights[0] / 2 / size if value == means[0] else 0.0
    if value >= means[-1]:
        return (size - weights[-1] / 2) / size if value == means[-1] else 1.0
    at = bisect_right(means, value)
    below = sum(weights[:at])
    gap = (means[at] - means[at - 1]) / 2
    if value < means[at - 1] + gap:
        at, below = at - 1, below - 1
        left, right = _reaches(digest, at, gap)[0], gap
    else:
        left, right = gap, _reaches(digest, at, gap)[1]
    low, high = means[at] - left, means[at] + right
    return max(0.0, (below + (value - low) / (high - low)) / size)


def _reaches(digest: Digest, at: int, gap: float) -> tuple[float, float]:
    """How far one of the values at a place spreads to the side away from `gap`: left, right."""
    means = digest.means
    if digest.weights[at] > 1:
        return 0.0, 0.0
    left = (means[at] - means[at - 1]) / 2 if at > 0 else gap
    right = (means[at + 1] - means[at]) / 2 if at + 1 < len(means) else gap
    return left, right


def _merged_quantile(digest: Digest, q: float) -> float:
    means, weights, size = digest.means, digest.weights, digest.size
    if len(means) == 1:
        return means[0]
    index = q * (size - 1)
    if index < 0:
        return digest.low
    if index >= size:
        return digest.high
    first, last = weights[0], weights[-1]
    if first == 1 and index <= 1:
        return digest.low + index * (means[1] - digest.low)
    so_far = 0.0 if first == 1 else first / 2
    if first > 1 and index < so_far:
        return digest.low + (index - 1) / (so_far - 1) * (means[0] - digest.low)
    if last > 1 and size - index <= last / 2:
        step = (size - index - 1) / (last / 2 - 1)
        return digest.high - step * (digest.high - means[-1])
    for at in range(len(means) - 1):
        between = (weights[at] + weights[at + 1]) / 2
        if so_far + between > index:
            return _weighted(means[at], so_far + between - index, means[at + 1], index - so_far)
        so_far += between
    return digest.high


def _weighted(one: float, weight: float, other: float, other_weight: float) -> float:
    """The mean of two, never outside of them."""
    mean = (one * weight + other * other_weight) / (weight + other_weight)
    return max(min(one, other), min(mean, max(one, other)))


def _merged_cdf(digest: Digest, value: float) -> float:
    means, weights, size = digest.means, digest.weights, digest.size
    if value < digest.low:
        return 0.0
    if value > digest.high:
        return 1.0
    if len(means) == 1:
        return 0.5
    if value < means[0]:
        if value == digest.low:
            return 0.5 / size
        share = (value - digest.low) / (means[0] - digest.low)
        return (1 + share * (weights[0] / 2 - 1)) / size
    if value > means[-1]:
        if value == digest.high:
            return 1 - 0.5 / size
        share = (digest.high - value) / (digest.high - means[-1])
        return 1 - (1 + share * (weights[-1] / 2 - 1)) / size
    at = bisect_left(means, value)
    below = float(sum(weights[:at]))
    if means[at] == value:
        # The last centroid alone counts as one value.
        if at == len(means) - 1:
            return 1 - 0.5 / size
        return (below + sum(weights[at : bisect_right(means, value)]) / 2) / size
    return _between(digest, at - 1, below - weights[at - 1], value) / size


def _between(digest: Digest, at: int, below: float, value: float) -> float:
    """The weight below a value between the centroids `at` and the next. A centroid of one value spreads nothing."""
    left, right = digest.means[at], digest.means[at + 1]
    one, other = digest.weights[at], digest.weights[at + 1]
    if one == other == 1:
        return below + 1
    left_alone = 0.5 if one == 1 else 0.0
    right_alone = 0.5 if one > 1 and other == 1 else 0.0
    spread = (one + other) / 2 - left_alone - right_alone
    return below + one / 2 + left_alone + spread * (value - left) / (right - left)
