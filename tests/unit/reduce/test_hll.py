"""Distinct counts: hashes with the reference's values, both forms, merging."""

import numpy as np
import pytest

from sealane.reduce.hashing import hash_doubles, hash_longs, hash_strings, murmur3_h1
from sealane.reduce.hll import HyperLogLog, precision_from_threshold


def test_murmur3_has_its_published_values() -> None:
    assert murmur3_h1(b"") == 0
    assert murmur3_h1(b"hello") == 0xCBD8A7B341BD9B02
    assert murmur3_h1(b"The quick brown fox jumps over the lazy dog") == 0xE34BBC7BBC071B6C


@pytest.mark.parametrize(
    ("threshold", "precision"),
    [(0, 4), (10, 6), (100, 10), (1000, 13), (3000, 14), (40_000, 18), (10**9, 18)],
)
def test_precision_follows_the_threshold(threshold: int, precision: int) -> None:
    assert precision_from_threshold(threshold) == precision


@pytest.mark.parametrize("count", [0, 1, 100, 2_500])
def test_below_the_threshold_counts_are_exact(count: int) -> None:
    sketch = HyperLogLog(14)
    sketch.collect(hash_longs(np.arange(count)))
    sketch.collect(hash_longs(np.arange(count)))
    assert sketch.cardinality() == count


@pytest.mark.parametrize("precision", [8, 11, 14])
def test_above_it_the_error_is_small(precision: int) -> None:
    sketch = HyperLogLog(precision)
    sketch.collect(hash_strings(str(n).encode() for n in range(40_000)))
    assert sketch.cardinality() == pytest.approx(40_000, rel=4 * 1.04 / 2 ** (precision / 2))


@pytest.mark.parametrize(
    ("left", "right"), [(10, 20), (10, 60_000), (60_000, 10), (60_000, 70_000)]
)
def test_merging_is_collecting_both(left: int, right: int) -> None:
    one, other, both = HyperLogLog(12), HyperLogLog(12), HyperLogLog(12)
    one.collect(hash_doubles(np.arange(left) / 3))
    other.collect(hash_doubles(np.arange(right) / 3 + 7))
    both.collect(hash_doubles(np.arange(left) / 3))
    both.collect(hash_doubles(np.arange(right) / 3 + 7))
    travelled = HyperLogLog.from_partial(one.to_partial())
    travelled.merge(HyperLogLog.from_partial(other.to_partial()))
    assert travelled.to_partial() == both.to_partial()


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 40])
def test_strings_hashed_together_hash_as_one_by_one(length: int) -> None:
    values = [bytes((n * 7 + at) % 256 for at in range(length)) for n in range(20)]
    assert sorted(hash_strings(values).tolist()) == sorted(map(murmur3_h1, values))
