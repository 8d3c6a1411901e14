"""Sketches of values against the reference's own: t-digests, HDR histograms and HyperLogLog++.

`reference_sketches.json` holds what 8.19.0 and the histogram library in it made of small sets of values, and what it
counted of 5,000 distinct ones at many thresholds, on one cluster and on two that overlap.
"""

import json
import random
from bisect import bisect_left, bisect_right
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sealane.reduce import hdr
from sealane.reduce.hashing import hash_longs, hash_strings
from sealane.reduce.hll import HyperLogLog, precision_from_threshold
from sealane.reduce.tdigest import Digest, cdf, digest_of, merged, quantile

REFERENCE: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "reference_sketches.json").read_text()
)
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def digest(values: list[float], compression: float = 100.0) -> Digest:
    counted = sorted(Counter(values).items())
    return digest_of([v for v, _ in counted], [n for _, n in counted], compression)


@pytest.mark.parametrize("case", REFERENCE["tdigest"])
def test_few_values_give_the_references_percentiles_to_the_digit(case: dict[str, Any]) -> None:
    found = digest(case["values"])
    assert [quantile(found, q) for q in QUANTILES] == case["quantiles"]
    assert [cdf(found, value) for value in case["at"]] == case["cdf"]


@pytest.mark.parametrize("case", REFERENCE["tdigest"])
def test_few_values_in_parts_give_the_same(case: dict[str, Any]) -> None:
    values = case["values"]
    found = merged([digest(values[::2]), digest(values[1::2]), digest([])], 100.0)
    assert [quantile(found, q) for q in QUANTILES] == case["quantiles"]


@pytest.mark.parametrize("seed", range(6))
def test_many_values_are_within_the_digests_error(seed: int) -> None:
    """S-107: of one digest, and of eight merged in any order."""
    rng = random.Random(seed)
    values = [rng.gauss(0, 1) if seed % 2 else rng.expovariate(1) for _ in range(8_000)]
    parts = [digest(values[at::8]) for at in range(8)]
    rng.shuffle(parts)
    ordered = sorted(values)
    for found in (
        digest(values),
        merged(parts, 100.0),
        merged([merged(parts[:4], 100.0), *parts[4:]], 100.0),
    ):
        assert found.size == len(values)
        assert len(found.means) < 400
        for q in (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999):
            value = quantile(found, q)
            rank = (bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 / len(ordered)
            assert abs(rank - q) < 0.01
            assert cdf(found, value) == pytest.approx(q, abs=0.01)
        assert (quantile(found, 0), quantile(found, 1)) == (ordered[0], ordered[-1])


def test_a_digest_condenses_at_twenty_times_its_compression() -> None:
    assert digest([float(at) for at in range(1_999)]).exact
    assert not digest([float(at) for at in range(2_000)]).exact
    assert not digest([float(at) for at in range(40)], compression=2).exact


def test_no_compression_keeps_every_value_of_a_large_shard() -> None:
    values = [float(at) for at in range(450_000)]
    found = digest_of(values, [1] * len(values), 1e9)
    assert not found.exact
    assert len(found.means) < 100_000


def test_the_larger_compression_wins() -> None:
    values = [float(at) for at in range(1_500)]
    assert merged([digest(values, 10.0), digest(values, 200.0)], 100.0).compression == 200.0


@pytest.mark.parametrize("case", REFERENCE["hdr"])
def test_histograms_are_the_references(case: dict[str, Any]) -> None:
    slots, counts, zeros = hdr.counted(Counter(case["values"]).items(), case["digits"])
    state = (slots, counts, zeros, case["digits"])
    percents = (0, 1, 25, 50, 75, 99, 100)
    assert [hdr.value_at(p, *state) for p in percents] == case["percentiles"]
    assert [hdr.percent_below(value, *state) for value in case["at"]] == case["ranks"]


def test_a_histogram_refuses_negative_values() -> None:
    with pytest.raises(ValueError, match=r"-1\.0"):
        hdr.counted([(-1.0, 1)], 3)


def sketch(kind: str, first: int, threshold: int) -> HyperLogLog:
    found = HyperLogLog(precision_from_threshold(threshold))
    numbers = range(first, first + 5_000)
    hashes = hash_longs(list(numbers)) if kind == "n" else hash_strings(b"v%d" % n for n in numbers)
    found.collect(hashes)
    return found


@pytest.mark.parametrize("case", REFERENCE["cardinality"])
def test_distinct_values_are_counted_as_the_reference_counts_them(case: dict[str, Any]) -> None:
    """S-106: to the digit, where they are counted and where they are estimated; merged by registers."""
    found = sketch(case["of"], 0, case["threshold"])
    if case["clusters"] == 2:
        found.merge(sketch(case["of"], 3_000, case["threshold"]))
    assert found.cardinality() == case["value"]
