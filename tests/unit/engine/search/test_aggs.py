"""Aggregations where tantivy alone does not reach: too many values at once, changes of the clocks, deep nesting."""

from typing import Any

import pytest

from sealane.engine.embedded.view import ShardView
from sealane.errors import IllegalArgument, TooManyBuckets
from sealane.reduce.hll import cardinality_of
from sealane.reduce.packed_terms import size_of
from sealane.reduce.partial import AggPartial, HistogramPartial, TermsPartial
from tests.unit.engine.search.shards import mapping_of, search, shard

MANY = 70_000
"""More distinct values than tantivy gives in one call."""


@pytest.fixture(scope="module")
def wide() -> ShardView:
    """Users in one document each, the first ten in a second one; `user` and `n` say the same."""
    docs = [{"user": f"u{at:06}", "n": at, "price": at / 2} for at in range(MANY)]
    docs += [{"user": f"u{at:06}", "n": at, "price": 1.0} for at in range(10)]
    return shard(docs, mapping_of({"user": "keyword", "n": "long", "price": "double"}))


def _agg(view: ShardView, agg: dict[str, Any], query: dict[str, Any] | None = None) -> AggPartial:
    body = {"size": 0, "aggs": {"x": agg}, "query": query or {"match_all": {}}}
    found = search(view, body).aggs
    assert found is not None
    return found["x"]


@pytest.mark.slow
@pytest.mark.parametrize("field", ["user", "n"])
def test_terms_are_exact_over_any_number_of_values(wide: ShardView, field: str) -> None:
    agg = {"terms": {"field": field, "size": 5}, "aggs": {"p": {"sum": {"field": "price"}}}}
    found = _agg(wide, agg)
    assert isinstance(found, TermsPartial)
    assert len(found.buckets) == 17
    keys = [f"u{at:06}" for at in range(17)] if field == "user" else list(range(17))
    assert [each.key for each in found.buckets] == keys
    assert [each.count for each in found.buckets] == [2] * 10 + [1] * 7
    assert found.buckets[4].aggs is not None
    assert found.buckets[4].aggs["p"].sum == 3.0  # type: ignore[union-attr]
    assert found.other == MANY + 10 - 27


@pytest.mark.slow
def test_terms_by_a_metric_are_exact_over_any_number_of_values(wide: ShardView) -> None:
    terms = {"field": "user", "size": 3, "shard_size": 3, "order": {"p": "desc"}}
    found = _agg(wide, {"terms": terms, "aggs": {"p": {"max": {"field": "price"}}}})
    assert isinstance(found, TermsPartial)
    assert [each.key for each in found.buckets] == [f"u{MANY - at:06}" for at in (1, 2, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("field", ["user", "n", "price"])
def test_cardinality_counts_more_values_than_one_call_gives(wide: ShardView, field: str) -> None:
    found = cardinality_of(_agg(wide, {"cardinality": {"field": field}}))  # type: ignore[arg-type]
    assert abs(found - MANY) < MANY * 0.03


@pytest.mark.slow
def test_buckets_beyond_the_engines_limit_are_computed_level_by_level(wide: ShardView) -> None:
    """40 x 1,750 buckets are too many for one call of the engine."""
    agg = {
        "histogram": {"field": "n", "interval": MANY / 40},
        "aggs": {"t": {"terms": {"field": "user", "size": 1750}}},
    }
    found = _agg(wide, agg)
    assert isinstance(found, HistogramPartial)
    assert len(found.buckets) == 40
    for bucket in found.buckets:
        assert bucket.aggs is not None
        terms = bucket.aggs["t"]
        assert isinstance(terms, TermsPartial)
        assert size_of(terms) == 1750


@pytest.mark.slow
def test_a_histogram_of_too_many_buckets_is_refused(wide: ShardView) -> None:
    with pytest.raises(TooManyBuckets):
        _agg(wide, {"histogram": {"field": "n", "interval": 1, "min_doc_count": 1}})


def test_weeks_of_a_fixed_interval_follow_the_local_clock() -> None:
    """Berlin moves its clocks on 2024-03-31: later buckets begin at the new local midnight."""
    days = ["2024-03-20T12:00:00Z", "2024-04-02T12:00:00Z", "2024-04-10T12:00:00Z"]
    view = shard([{"at": day} for day in days])
    agg = {"date_histogram": {"field": "at", "fixed_interval": "7d", "time_zone": "Europe/Berlin"}}
    found = _agg(view, agg)
    assert isinstance(found, HistogramPartial)
    hours = [int(each.key) // 3_600_000 % 24 for each in found.buckets]
    assert hours == [23, 23, 22]


def test_nests_what_is_native_and_what_is_not_to_any_depth() -> None:
    docs = [
        {"tag": tag, "n": n, "ok": n % 2 == 0, "at": f"2024-0{1 + n % 3}-15"}
        for tag in ("a", "b")
        for n in range(12)
    ]
    agg: dict[str, Any] = {"max": {"field": "n"}}
    for outer in (
        {"cardinality": {"field": "tag"}},
        {"filter": {"term": {"ok": True}}},
        {"date_histogram": {"field": "at", "calendar_interval": "month"}},
        {"missing": {"field": "nope"}},
        {"terms": {"field": "tag"}},
    ):
        agg = {**outer, "aggs": {"i": agg}} if "cardinality" not in outer else agg
    found = _agg(shard(docs), agg)
    assert isinstance(found, TermsPartial)
    assert [each.key for each in found.buckets] == ["a", "b"]
    missing = found.buckets[0].aggs["i"].buckets[0]  # type: ignore[index,union-attr]
    months = missing.aggs["i"].buckets  # type: ignore[union-attr,index]
    assert [each.count for each in months] == [4, 4, 4]
    filters = [month.aggs["i"].buckets[0] for month in months]  # type: ignore[union-attr,index]
    assert [each.count for each in filters] == [2, 2, 2]
    assert [each.aggs["i"].max for each in filters] == [6, 10, 8]  # type: ignore[union-attr,index]


def test_a_multi_valued_document_counts_once_in_each_bucket() -> None:
    view = shard([{"n": [1, 15, 2], "tag": ["x", "x", "y"]}, {"n": 3}])
    histogram = _agg(view, {"histogram": {"field": "n", "interval": 10}})
    assert isinstance(histogram, HistogramPartial)
    assert [(each.key, each.count) for each in histogram.buckets] == [(0, 2), (10, 1)]
    terms = _agg(view, {"terms": {"field": "tag"}})
    assert isinstance(terms, TermsPartial)
    assert [(each.key, each.count) for each in terms.buckets] == [("x", 1), ("y", 1)]


@pytest.mark.parametrize(
    ("agg", "reason"),
    [
        ({"histogram": {"field": "n"}}, "interval must be positive, got: 0.0"),
        (
            {"date_histogram": {"field": "at"}},
            "Invalid interval specified, must be non-null and non-empty",
        ),
        (
            {"date_histogram": {"field": "at", "fixed_interval": "0s"}},
            "Zero or negative time interval not supported",
        ),
        ({"range": {"field": "n"}}, "No [ranges] specified for the [a] aggregation"),
    ],
)
def test_an_aggregation_without_buckets_is_refused_by_the_shard(
    agg: dict[str, Any], reason: str
) -> None:
    with pytest.raises(IllegalArgument) as error:
        search(shard([{"n": 1}]), {"aggs": {"a": agg}})
    assert error.value.reason == reason
