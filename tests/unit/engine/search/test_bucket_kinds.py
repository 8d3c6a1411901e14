"""Buckets that tantivy does not make, computed by a shard; and where it makes them after all, the same answers."""

import random
from typing import Any

import pytest

from sealane.engine.embedded.search.aggs import cells, composite
from sealane.errors import ApiError, TooManyBuckets
from sealane.reduce.packed_terms import size_of
from sealane.reduce.partial import (
    AggPartial,
    CompositePartial,
    RareTermsPartial,
    TermsPartial,
)
from tests.unit.engine.search.shards import search, shard

Json = dict[str, Any]


def _document(rng: random.Random) -> Json:
    made: Json = {"small": rng.randrange(4), "price": rng.randrange(80) / 4}
    if rng.random() < 0.7:
        made["tag"] = rng.choice("abcde")
    if rng.random() < 0.7:
        made["n"] = rng.randrange(9) if rng.random() < 0.7 else [1, rng.randrange(9), 1]
    if rng.random() < 0.7:
        made["at"] = f"2024-{rng.randrange(1, 13):02}-15"
    if rng.random() < 0.7:
        made["ip"] = f"10.0.{rng.randrange(3)}.{rng.randrange(4)}"
    return made


def _documents(seed: int, count: int = 80) -> list[Json]:
    rng = random.Random(seed)
    return [_document(rng) for _ in range(count)]


def _agg(docs: list[Json], agg: Json, *, commits: int = 1) -> AggPartial:
    found = search(shard(docs, commits=commits), {"size": 0, "aggs": {"x": agg}}).aggs
    assert found is not None
    return found["x"]


COMPOSITES: list[list[Json]] = [
    [{"a": {"terms": {"field": "tag"}}}],
    [{"a": {"terms": {"field": "small"}}}, {"b": {"histogram": {"field": "price", "interval": 5}}}],
    [
        {"a": {"date_histogram": {"field": "at", "calendar_interval": "month"}}},
        {"b": {"terms": {"field": "ip", "order": "desc"}}},
    ],
    [
        {"a": {"terms": {"field": "small", "missing_bucket": True}}},
        {"b": {"terms": {"field": "price", "order": "desc"}}},
    ],
    [{"a": {"terms": {"field": "n"}}}, {"b": {"terms": {"field": "tag", "missing_bucket": True}}}],
]


@pytest.mark.parametrize("sources", COMPOSITES)
@pytest.mark.parametrize("commits", [1, 3])
def test_both_ways_to_a_composite_agree(
    sources: list[Json], commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by tantivy, and by reading every document's values: also in slices."""
    docs = _documents(3)
    agg = {"composite": {"sources": sources, "size": 500}, "aggs": {"s": {"sum": {"field": "n"}}}}
    found = _agg(docs, agg, commits=commits)
    monkeypatch.setattr(composite, "native_counts", lambda *_: None)
    assert _agg(docs, agg, commits=commits) == found
    monkeypatch.setattr(cells, "SLICE", 7)
    assert _agg(docs, agg, commits=commits) == found
    assert isinstance(found, CompositePartial)
    assert found.buckets


def test_a_field_that_older_segments_lack() -> None:
    """It was mapped after they were written: their documents have no value of it."""
    docs: list[Json] = [{"n": 1}, {"n": 2}, {"tag": "a", "n": [3, 4]}, {"tag": "b"}]
    sources = [
        {"t": {"terms": {"field": "tag", "missing_bucket": True}}},
        {"n": {"terms": {"field": "n"}}},
    ]
    found = _agg(docs, {"composite": {"sources": sources}}, commits=4)
    assert isinstance(found, CompositePartial)
    assert [(bucket.key, bucket.count) for bucket in found.buckets] == [
        ([None, 1], 1),
        ([None, 2], 1),
        (["a", 3], 1),
        (["a", 4], 1),
    ]


def test_a_number_counts_as_often_as_a_document_has_it_among_rare_ones() -> None:
    """As the reference; texts count once."""
    docs: list[Json] = [{"n": [5, 5], "tag": ["x", "x"]}, {"n": 6, "tag": "y"}]
    found = _agg(docs, {"rare_terms": {"field": "n", "max_doc_count": 1}})
    assert isinstance(found, RareTermsPartial)
    assert [bucket.key for bucket in found.buckets] == [6]
    found = _agg(docs, {"rare_terms": {"field": "tag", "max_doc_count": 1}})
    assert isinstance(found, RareTermsPartial)
    assert sorted(str(bucket.key) for bucket in found.buckets) == ["x", "y"]


def test_a_document_with_two_addresses_of_a_prefix_counts_once() -> None:
    docs: list[Json] = [{"ip": ["10.0.0.1", "10.0.0.2", "10.1.0.1"]}, {"ip": "10.0.0.3"}]
    found = _agg(docs, {"ip_prefix": {"field": "ip", "prefix_length": 24}})
    assert isinstance(found, TermsPartial)
    assert [bucket.count for bucket in found.buckets] == [2, 1]


@pytest.mark.slow
def test_more_terms_than_the_engine_gives_at_once_are_all_returned() -> None:
    """Counted in another way, and packed: none is cut but by `shard_size`."""
    docs: list[Json] = [{"n": n} for n in range(66_000)]
    found = _agg(docs, {"terms": {"field": "n", "size": 65_500, "shard_size": 65_800}})
    assert isinstance(found, TermsPartial)
    assert (size_of(found), found.other) == (65_800, 200)


@pytest.mark.parametrize(
    ("agg", "reason"),
    [
        ({"sampler": {}}, "Sampler aggregation must be used with child aggregations."),
        (
            {"variable_width_histogram": {"field": "n", "buckets": 5, "shard_size": 3}},
            "3/4 of shard_size must be at least buckets but was [2<5] for [x]",
        ),
        (
            {"variable_width_histogram": {"field": "tag"}},
            "Field [tag] of type [keyword] is not supported for aggregation "
            "[variable_width_histogram]",
        ),
        (
            {"terms": {"field": "tag"}, "aggs": {"g": {"global": {}}}},
            "Aggregation [x] cannot have a global sub-aggregation [g]. Global aggregations can "
            "only be defined as top level aggregations",
        ),
        (
            {
                "terms": {"field": "tag"},
                "aggs": {"v": {"variable_width_histogram": {"field": "n"}}},
            },
            "[variable_width_histogram] cannot be nested inside an aggregation that collects more "
            "than a single bucket.",
        ),
        (
            {"rare_terms": {"field": "price"}},
            "RareTerms aggregation does not support floating point fields.",
        ),
        (
            {"significant_text": {"field": "n"}},
            "Field [n] has no analyzer, but SignificantText requires an analyzed field",
        ),
        (
            {"ip_prefix": {"field": "ip", "prefix_length": 33}},
            "[prefix_length] must be in range [0, 32] while value is [33]",
        ),
    ],
)
def test_what_a_shard_refuses(agg: Json, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        _agg([{"n": 1, "tag": "a"}], agg)
    assert caught.value.reason == reason


def test_a_composite_of_more_than_the_limit_is_refused() -> None:
    sources = [{"a": {"terms": {"field": "tag"}}}]
    with pytest.raises(TooManyBuckets, match=r"was \[65537\]"):
        _agg([{"tag": "a"}], {"composite": {"sources": sources, "size": 65_537}})


def test_a_random_sample_is_the_same_each_time() -> None:
    """About as many as asked for, and others for another seed."""
    docs: list[Json] = [{"n": n} for n in range(1_000)]
    counts: dict[int, AggPartial] = {}
    for seed in (1, 1, 2):
        agg = {
            "random_sampler": {"probability": 0.25, "seed": seed},
            "aggs": {"s": {"sum": {"field": "n"}}},
        }
        found = _agg(docs, agg)
        assert counts.setdefault(seed, found) == found
        assert 180 < found.buckets[0].count < 320  # type: ignore[union-attr]
    assert counts[1] != counts[2]
