"""How far a raw HyperLogLog estimate is too high: by the measured tables of the paper, as the reference reads them."""

from functools import lru_cache
from importlib.resources import files

_NEIGHBOURS = 6


@lru_cache(maxsize=16)
def _tables(precision: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Raw estimates, ascending but for noise, and the bias of each. They are read when first needed."""
    found: dict[str, tuple[float, ...]] = {}
    for line in files(__package__).joinpath("hll_bias.txt").read_text("ascii").splitlines():
        head, _, rest = line.partition(" ")
        if head == str(precision):
            name, *numbers = rest.split()
            found[name] = tuple(map(float, numbers))
    return found["raw"], found["bias"]


def bias_of(estimate: float, precision: int) -> float:
    """The bias of the nearest six estimates, weighted by nearness.

    The reference keeps the weights in a ring and begins to read it at its first place, so that weights and biases only
    meet in turn; its answers follow from that, and so do these.
    """
    raw, bias = _tables(precision)
    weights = [0.0] * _NEIGHBOURS
    first = len(bias) - _NEIGHBOURS
    for at, known in enumerate(raw):
        distance = abs(known - estimate)
        if distance == 0:
            return bias[at]
        weight = 1 / distance
        if weights[at % _NEIGHBOURS] >= weight:
            first = at - _NEIGHBOURS
            break
        weights[at % _NEIGHBOURS] = weight
    nearest = bias[first : first + _NEIGHBOURS]
    return sum(w * b for w, b in zip(weights, nearest, strict=True)) / sum(weights)
