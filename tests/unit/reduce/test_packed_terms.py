"""Terms with very many buckets: held and merged as columns, with the answers of buckets."""

import random
from typing import Any

import msgspec
import pytest

from sealane.model.dsl import TermsAgg
from sealane.query.body import parse_aggs
from sealane.reduce.aggs import merge_aggs, render_aggs
from sealane.reduce.packed_terms import (
    PACKED_FROM,
    packed,
    size_of,
    smallest_count,
    unpacked,
)
from sealane.reduce.partial import AggPartial, MetricPartial, TermBucket, TermsPartial

METRICS: dict[str, Any] = {
    "s": {"sum": {"field": "x"}},
    "a": {"avg": {"field": "x"}},
    "m": {"min": {"field": "x"}},
    "e": {"extended_stats": {"field": "x"}},
}


def spec_of(subs: dict[str, Any] | None = None, **terms: Any) -> TermsAgg:
    agg: dict[str, Any] = {"terms": {"field": "k", **terms}}
    if subs:
        agg["aggs"] = subs
    (spec,) = parse_aggs({"x": agg})
    assert isinstance(spec, TermsAgg)
    return spec


def metric(rng: random.Random) -> MetricPartial:
    if rng.random() < 0.2:
        return MetricPartial(0, 0.0, None, None)
    values = [rng.uniform(-1e9, 1e9) for _ in range(rng.randint(1, 3))]
    squares = sum(value * value for value in values)
    return MetricPartial(len(values), sum(values), min(values), max(values), squares)


def source(
    rng: random.Random, spec: TermsAgg, key_type: str, keys: int = 3 * PACKED_FROM
) -> TermsPartial:
    numbers = rng.sample(range(keys), PACKED_FROM + rng.randrange(500))
    shown: dict[str, Any] = {
        "keyword": lambda n: f"key-{n}",
        "long": lambda n: n,
        "double": lambda n: n / 4,
        "ip": lambda n: f"10.0.{n // 256}.{n % 256}",
    }
    buckets = [
        TermBucket(
            shown[key_type](number),
            rng.randrange(1, 40),
            {sub.name: metric(rng) for sub in spec.subs} or None,
            rng.choice((0, 0, 3)),
        )
        for number in numbers
    ]
    error = rng.choice((None, 0, 7, -1))
    return TermsPartial(buckets, rng.randrange(100), error, key_type, None)


def merged(spec: TermsAgg, parts: list[TermsPartial], *, final: bool) -> TermsPartial:
    trees: list[dict[str, AggPartial]] = [{"x": part} for part in parts]
    found = merge_aggs((spec,), trees, final=final, max_buckets=10**6)["x"]
    assert isinstance(found, TermsPartial)
    return found


@pytest.mark.parametrize("key_type", ["keyword", "long", "double", "ip"])
@pytest.mark.parametrize("subs", [None, METRICS], ids=["counts", "metrics"])
@pytest.mark.parametrize("seed", range(3))
def test_columns_merge_as_buckets_do(key_type: str, subs: dict[str, Any] | None, seed: int) -> None:
    """Counts, errors, sums to the last bit and the order of ties; in one step and in two, over the wire."""
    rng = random.Random(f"{seed} {key_type}")
    spec = spec_of(subs, size=rng.choice((1, 10, 5_000)), min_doc_count=rng.choice((1, 30)))
    parts = [source(rng, spec, key_type) for _ in range(4)]
    columns = [packed(part, spec) for part in parts]
    assert all(part.packed is not None for part in columns)
    wanted = render_aggs((spec,), {"x": merged(spec, parts, final=True)})
    assert render_aggs((spec,), {"x": merged(spec, columns, final=True)}) == wanted

    def over_the_wire(part: TermsPartial) -> TermsPartial:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=TermsPartial)

    halves = [over_the_wire(merged(spec, columns[at : at + 2], final=False)) for at in (0, 2)]
    plain = [merged(spec, parts[at : at + 2], final=False) for at in (0, 2)]
    assert render_aggs((spec,), {"x": merged(spec, halves, final=True)}) == render_aggs(
        (spec,), {"x": merged(spec, plain, final=True)}
    )


@pytest.mark.parametrize(
    "order", [{"_key": "asc"}, {"s": "desc"}, [{"a": "asc"}, {"_key": "desc"}], {"_count": "asc"}]
)
def test_any_other_order_is_that_of_buckets(order: Any) -> None:
    rng = random.Random(5)
    spec = spec_of(METRICS, size=20, order=order)
    parts = [source(rng, spec, "keyword") for _ in range(3)]
    columns = [packed(part, spec) for part in parts]
    wanted = merged(spec, parts, final=True)
    assert merged(spec, columns, final=True) == wanted


def test_columns_and_buckets_meet() -> None:
    """A small source beside a large one, and whole numbers beside fractions."""
    rng = random.Random(6)
    spec = spec_of(size=50)
    large, small = source(rng, spec, "long"), TermsPartial([TermBucket(1, 99)], 0, 0, "long")
    columns = packed(large, spec)
    assert packed(small, spec) is small
    assert merged(spec, [columns, small], final=True) == merged(spec, [large, small], final=True)
    fractions = source(rng, spec, "double")
    wanted = merged(spec, [large, fractions], final=True)
    assert wanted.key_type == "double"
    assert merged(spec, [columns, packed(fractions, spec)], final=True) == wanted


@pytest.mark.parametrize("final", [False, True])
def test_the_two_zeros_stay_apart_in_columns(final: bool) -> None:
    rng = random.Random(8)
    spec = spec_of(size=3)
    zeros = [TermBucket(0.0, 10_000), TermBucket(-0.0, 10_000)]
    part = source(rng, spec, "double")
    part.buckets = zeros + [each for each in part.buckets if each.key != 0]
    columns = packed(part, spec)
    assert columns.packed is not None
    found = unpacked(merged(spec, [columns, columns], final=final))
    shown = [(str(each.key), each.count) for each in found if each.key == 0]
    assert sorted(shown) == [("-0.0", 20_000), ("0.0", 20_000)]
    assert not final or shown[0][0] == "-0.0"


def test_packing_loses_nothing() -> None:
    rng = random.Random(7)
    spec = spec_of(METRICS)
    part = source(rng, spec, "keyword")
    columns = packed(part, spec)
    assert (columns.buckets, size_of(columns)) == ([], len(part.buckets))
    assert smallest_count(columns) == smallest_count(part) == 1
    assert unpacked(columns) == part.buckets


def test_buckets_with_buckets_inside_are_not_packed() -> None:
    spec = spec_of({"t": {"terms": {"field": "k2"}}})
    buckets = [TermBucket(n, 1, {"t": TermsPartial([])}) for n in range(PACKED_FROM)]
    part = TermsPartial(buckets, 0, 0, "long")
    assert packed(part, spec) is part
