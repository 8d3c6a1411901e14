"""HyperLogLog++ as the reference counts distinct values: exact hashes while few, registers after that.

Few means linear counting over hashes cut to 25 bits of index and their run of zeros, in 32 bits. Above that,
2^precision registers are filled, and read with the measured biases of `hll_bias`. Hashes, registers and estimates are
the reference's own, to the digit.
"""

from math import ceil, floor, log
from typing import TYPE_CHECKING, Any, Self

from sealane.reduce.hll_bias import bias_of
from sealane.reduce.partial import CardinalityPartial

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_PRECISION, MAX_PRECISION = 4, 18
_INDEX_BITS = 25
_LINEAR_SLOTS = 1 << _INDEX_BITS
_MAX_LOAD = 0.75


def precision_from_threshold(threshold: int) -> int:
    """Registers enough that up to `threshold` distinct values are counted linearly."""
    entries = ceil(threshold / _MAX_LOAD)
    precision = 32 - _leading_zeros(entries * 4, 32)
    return max(MIN_PRECISION, min(MAX_PRECISION, precision))


def _leading_zeros(value: int, bits: int) -> int:
    return bits - value.bit_length()


class HyperLogLog:
    """A set of 64-bit hashes, of which only the number of distinct ones can be asked."""

    __slots__ = ("_precision", "_registers", "_sparse")

    def __init__(self, precision: int) -> None:
        self._precision = max(MIN_PRECISION, min(MAX_PRECISION, precision))
        self._sparse: set[int] | None = set()
        self._registers: NDArray[Any] | None = None

    @property
    def precision(self) -> int:
        return self._precision

    def collect(self, hashes: "NDArray[Any]") -> None:
        """Adds an array of uint64 hashes."""
        import numpy as np

        hashes = np.asarray(hashes, dtype=np.uint64)
        if self._sparse is not None:
            self._sparse.update(_encode(hashes, self._precision).tolist())
            self._upgrade_when_full()
            return
        self._fill(*_runs(hashes, self._precision))

    def merge(self, other: "HyperLogLog") -> None:
        """Adds all of `other`, which must have the same precision."""
        assert other._precision == self._precision, "sketches of different precision"
        if self._sparse is not None and other._sparse is not None:
            self._sparse |= other._sparse
            self._upgrade_when_full()
            return
        if self._sparse is not None:
            self._upgrade()
        if other._sparse is not None:
            self._fill(*_decode(other._sparse, self._precision))
        else:
            import numpy as np

            np.maximum(self._registers, other._registers, out=self._registers)  # type: ignore[arg-type]

    def cardinality(self) -> int:
        if self._sparse is not None:
            return _linear_count(len(self._sparse))
        assert self._registers is not None
        return _estimate(self._registers, self._precision)

    def to_partial(self) -> CardinalityPartial:
        import numpy as np

        if self._sparse is not None:
            encoded = np.array(sorted(self._sparse), dtype="<u4")
            return CardinalityPartial(self._precision, sparse=encoded.tobytes())
        assert self._registers is not None
        return CardinalityPartial(self._precision, registers=self._registers.tobytes())

    @classmethod
    def from_partial(cls, partial: CardinalityPartial) -> Self:
        import numpy as np

        sketch = cls(partial.precision)
        if partial.registers is not None:
            sketch._sparse = None
            sketch._registers = np.frombuffer(partial.registers, dtype=np.uint8).copy()
        else:
            sketch._sparse = set(np.frombuffer(partial.sparse or b"", dtype="<u4").tolist())
        return sketch

    def _upgrade_when_full(self) -> None:
        assert self._sparse is not None
        if len(self._sparse) > _linear_limit(self._precision):
            self._upgrade()

    def _upgrade(self) -> None:
        import numpy as np

        assert self._sparse is not None
        encoded, self._sparse = self._sparse, None
        self._registers = np.zeros(1 << self._precision, dtype=np.uint8)
        self._fill(*_decode(encoded, self._precision))

    def _fill(self, index: "NDArray[Any]", run: "NDArray[Any]") -> None:
        import numpy as np

        assert self._registers is not None
        np.maximum.at(self._registers, index, run)


def _linear_limit(precision: int) -> int:
    """Hashes that linear counting holds: three quarters of the registers' memory in 32-bit slots."""
    return int((1 << precision) // 4 * _MAX_LOAD)


def _linear_count(hashes: int) -> int:
    slots = float(_LINEAR_SLOTS)
    return _rounded(slots * log(slots / (slots - hashes))) if hashes else 0


def _runs(hashes: "NDArray[Any]", precision: int) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Register and run of zeros of each hash."""
    import numpy as np

    index = (hashes >> np.uint64(64 - precision)).astype(np.int64)
    rest = hashes << np.uint64(precision)
    return index, np.minimum(_zeros(rest, 64) + 1, 64 - precision + 1).astype(np.uint8)


def _zeros(values: "NDArray[Any]", bits: int) -> "NDArray[Any]":
    """Leading zeros of unsigned integers of that width; exact, where a logarithm of a double would round."""
    import numpy as np

    values = values.astype(np.uint64)
    zeros = np.full(values.shape, bits, dtype=np.int64)
    for shift in (32, 16, 8, 4, 2, 1):
        above = values >> np.uint64(shift)
        large = above != 0
        zeros = np.where(large, zeros - shift, zeros)
        values = np.where(large, above, values)
    return np.where(values != 0, zeros - 1, zeros)


def _encode(hashes: "NDArray[Any]", precision: int) -> "NDArray[Any]":
    """32 bits of each hash: 25 of index and, where the bits under the precision are all zero, the run behind them."""
    import numpy as np

    low = np.uint64(64 - _INDEX_BITS)
    index = hashes >> low
    mask = np.uint64((1 << (_INDEX_BITS - precision)) - 1)
    explicit = (index & mask) == 0
    plain = index << np.uint64(1)
    run = (_zeros(hashes << np.uint64(_INDEX_BITS), 64) + 1).astype(np.uint64)
    run = np.minimum(run, np.uint64(64 - _INDEX_BITS + 1))
    long_form = (index << np.uint64(7)) | (run << np.uint64(1)) | np.uint64(1)
    return np.where(explicit, long_form, plain).astype(np.uint32)


def _decode(encoded: set[int], precision: int) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Register and run of each encoded hash."""
    import numpy as np

    values = np.array(sorted(encoded), dtype=np.uint64)
    explicit = (values & np.uint64(1)) == 1
    long_index = values >> np.uint64(7)
    index = np.where(explicit, long_index, values >> np.uint64(1))
    under = index << np.uint64(64 - _INDEX_BITS + precision)
    run = np.where(
        explicit,
        ((values >> np.uint64(1)) & np.uint64(0x3F)).astype(np.int64) + _INDEX_BITS - precision,
        _zeros(under, 64) + 1,
    )
    register = (index >> np.uint64(_INDEX_BITS - precision)).astype(np.int64)
    return register, run.astype(np.uint8)


_THRESHOLDS = (
    10,
    20,
    40,
    80,
    220,
    400,
    900,
    1800,
    3100,
    6500,
    11_500,
    20_000,
    50_000,
    120_000,
    350_000,
)
"""By precision from 4 on: up to here counting empty registers beats the raw estimate (Heule and others, 2013)."""
_ALPHAS = {4: 0.673, 5: 0.697}


def _estimate(registers: "NDArray[Any]", precision: int) -> int:
    import numpy as np

    count = 1 << precision
    empty = int(np.count_nonzero(registers == 0))
    alpha = _ALPHAS.get(precision, 0.7213 / (1 + 1.079 / count))
    raw = alpha * count * count / float(np.sum(np.exp2(-registers.astype(np.float64))))
    # Far above the number of registers the raw estimate has no bias to correct.
    corrected = raw - bias_of(raw, precision) if raw <= 5 * count else raw
    best = _rounded(count * log(count / empty) if empty else corrected)
    return best if best <= _THRESHOLDS[precision - MIN_PRECISION] else _rounded(corrected)


def _rounded(value: float) -> int:
    """Half up, as the reference rounds."""
    return floor(value + 0.5)


def merge_partials(partials: list[CardinalityPartial], threshold: int) -> CardinalityPartial:
    """All sources' distinct values; an empty state without sources."""
    if len(partials) == 1:
        return partials[0]
    if not partials:
        return CardinalityPartial(precision_from_threshold(threshold), sparse=b"")
    merged = HyperLogLog.from_partial(partials[0])
    for partial in partials[1:]:
        merged.merge(HyperLogLog.from_partial(partial))
    return merged.to_partial()


def cardinality_of(partial: CardinalityPartial) -> int:
    """The number of distinct values a state stands for."""
    if partial.registers is None:
        return _linear_count(len(partial.sparse or b"") // 4)
    return HyperLogLog.from_partial(partial).cardinality()
