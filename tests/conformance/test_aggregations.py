"""Aggregations over several clusters: section "Aggregations" of the checklist."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]


async def put(cluster: InProcessCluster, mapping: Json, *documents: Json, index: str = "i") -> None:
    await cluster.call("PUT", f"/{index}", {"mappings": {"properties": mapping}})
    await cluster.fill(index, {str(n): document for n, document in enumerate(documents)})


async def aggregate(pair: Pair, agg: Json, *, expression: str = "i,eu:i") -> Json:
    body = {"size": 0, "aggs": {"x": agg}}
    answer = await pair.local.call("POST", f"/{expression}/_search", body)
    shown: Json = answer["aggregations"]["x"]
    return shown


def keys(*values: str) -> list[Json]:
    return [{"k": value} for value in values]


def counts(terms: Json) -> dict[Any, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in terms["buckets"]}


KEYWORD = {"k": {"type": "keyword"}, "n": {"type": "long"}}


async def test_an_average_is_of_all_documents(pair: Pair) -> None:
    """S-93."""
    await put(pair.local, KEYWORD, {"n": 1}, {"n": 2}, {"n": 3})
    await put(pair.eu, KEYWORD, {"n": 100})
    assert (await aggregate(pair, {"avg": {"field": "n"}}))["value"] == 26.5


async def test_complete_terms_are_exact(pair: Pair) -> None:
    """S-94."""
    await put(pair.local, KEYWORD, *keys("a", "a", "b"))
    await put(pair.eu, KEYWORD, *keys("b", "b", "c"))
    terms = await aggregate(pair, {"terms": {"field": "k"}})
    assert counts(terms) == {"b": 3, "a": 2, "c": 1}
    assert (terms["doc_count_error_upper_bound"], terms["sum_other_doc_count"]) == (0, 0)


async def test_terms_that_clusters_of_one_shard_cut(pair: Pair) -> None:
    """S-95, S-96: as the reference, they claim no error; but every occurrence is counted somewhere."""
    await put(pair.local, KEYWORD, *keys("a", "a", "a", "b", "b", "c"))
    await put(pair.eu, KEYWORD, *keys("c", "c", "c", "c", "b", "b", "a"))
    agg = {"field": "k", "size": 1, "shard_size": 1, "show_term_doc_count_error": True}
    assert await aggregate(pair, {"terms": agg}) == {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": 9,
        "buckets": [{"key": "c", "doc_count": 4, "doc_count_error_upper_bound": 0}],
    }


async def test_min_doc_count_is_of_the_merged_count(pair: Pair) -> None:
    """S-97: 2 here and 2 there are 4."""
    await put(pair.local, KEYWORD, *keys("a", "a", "b"))
    await put(pair.eu, KEYWORD, *keys("a", "a", "c"))
    terms = await aggregate(pair, {"terms": {"field": "k", "min_doc_count": 3}})
    assert counts(terms) == {"a": 4}


async def test_terms_are_ordered_by_the_merged_metric(pair: Pair) -> None:
    """S-98: the best here and the best there need not be the best of all; a cut has no known bound."""
    await put(pair.local, KEYWORD, {"k": "a", "n": 10}, {"k": "b", "n": 9}, {"k": "c", "n": 1})
    await put(pair.eu, KEYWORD, {"k": "d", "n": 10}, {"k": "b", "n": 9}, {"k": "c", "n": 1})
    agg: Json = {
        "terms": {"field": "k", "order": {"s": "desc"}},
        "aggs": {"s": {"sum": {"field": "n"}}},
    }
    terms = await aggregate(pair, agg)
    assert list(counts(terms)) == ["b", "a", "d", "c"]
    agg["terms"] |= {"size": 2, "shard_size": 2}
    cut = await aggregate(pair, agg)
    assert list(counts(cut)) == ["b", "a"]
    assert cut["doc_count_error_upper_bound"] == -1


async def test_whole_and_fractional_keys_merge_to_fractional_ones(pair: Pair) -> None:
    """S-99."""
    await put(pair.local, {"n": {"type": "long"}}, {"n": 1}, {"n": 2})
    await put(pair.eu, {"n": {"type": "double"}}, {"n": 1.5}, {"n": 2.0})
    terms = await aggregate(pair, {"terms": {"field": "n"}})
    assert [(each["key"], each["doc_count"]) for each in terms["buckets"]] == [
        (2.0, 2),
        (1.0, 1),
        (1.5, 1),
    ]
    assert all(isinstance(each["key"], float) for each in terms["buckets"])


async def test_keys_of_text_and_numbers_do_not_merge(pair: Pair) -> None:
    """S-99."""
    await put(pair.local, {"k": {"type": "long"}}, {"k": 1})
    await put(pair.eu, {"k": {"type": "keyword"}}, {"k": "a"})
    agg = {"terms": {"field": "k", "order": {"_key": "asc"}}}
    answer = await pair.local.request("POST", "/i,eu:i/_search", {"aggs": {"x": agg}})
    assert answer.status == 400
    assert answer.body["error"]["reason"] == (
        "Merging/Reducing the aggregations failed when computing the aggregation [x] because the field you gave in "
        "the aggregation query existed as two different types in two different indices"
    )


async def test_days_across_a_change_of_the_clock(pair: Pair) -> None:
    """S-100: Berlin's 31 March 2024 has 23 hours; days without documents are filled once."""
    mapping = {"at": {"type": "date"}}
    await put(pair.local, mapping, {"at": "2024-03-29T23:30:00Z"}, {"at": "2024-03-31T21:59:59Z"})
    await put(pair.eu, mapping, {"at": "2024-03-31T22:00:00Z"}, {"at": "2024-04-02T12:00:00Z"})
    agg = {"field": "at", "calendar_interval": "day", "time_zone": "Europe/Berlin"}
    buckets = (await aggregate(pair, {"date_histogram": agg}))["buckets"]
    assert [(each["key_as_string"], each["doc_count"]) for each in buckets] == [
        ("2024-03-30T00:00:00.000+01:00", 1),
        ("2024-03-31T00:00:00.000+01:00", 1),
        ("2024-04-01T00:00:00.000+02:00", 1),
        ("2024-04-02T00:00:00.000+02:00", 1),
    ]


async def test_bounds_of_histograms(pair: Pair) -> None:
    """S-101: extended ones are filled once, hard ones cut."""
    await put(pair.local, KEYWORD, {"n": 10}, {"n": 90})
    await put(pair.eu, KEYWORD, {"n": 30})
    extended = {"field": "n", "interval": 10, "extended_bounds": {"min": 0, "max": 50}}
    found = await aggregate(pair, {"histogram": extended})
    assert [each["key"] for each in found["buckets"]] == [n * 10.0 for n in range(10)]
    assert sum(each["doc_count"] for each in found["buckets"]) == 3
    hard = {"field": "n", "interval": 10, "hard_bounds": {"min": 10, "max": 40}}
    found = await aggregate(pair, {"histogram": hard})
    assert [(each["key"], each["doc_count"]) for each in found["buckets"]] == [
        (10.0, 1),
        (20.0, 0),
        (30.0, 1),
    ]


async def test_distinct_values_are_not_counted_twice(pair: Pair) -> None:
    """S-106."""
    await put(pair.local, KEYWORD, *keys("a", "b", "c"))
    await put(pair.eu, KEYWORD, *keys("b", "c", "d"))
    assert (await aggregate(pair, {"cardinality": {"field": "k"}}))["value"] == 4


async def test_extended_statistics_are_those_of_all_values(pair: Pair) -> None:
    """S-110."""
    await put(pair.local, KEYWORD, {"n": 2}, {"n": 4})
    await put(pair.eu, KEYWORD, {"n": 4}, {"n": 6})
    stats = await aggregate(pair, {"extended_stats": {"field": "n"}})
    assert {name: stats[name] for name in ("count", "min", "max", "avg", "sum")} == {
        "count": 4,
        "min": 2.0,
        "max": 6.0,
        "avg": 4.0,
        "sum": 16.0,
    }
    assert (stats["sum_of_squares"], stats["variance"]) == (72.0, 2.0)
    assert stats["variance_sampling"] == pytest.approx(8 / 3, rel=1e-15)


async def test_buckets_that_the_request_fixes_add_up(pair: Pair) -> None:
    """S-113."""
    await put(pair.local, KEYWORD, {"k": "a", "n": 1}, {"k": "b", "n": 5}, {"n": 9})
    await put(pair.eu, KEYWORD, {"k": "a", "n": 5}, {"k": "c"})
    ranges = {"field": "n", "ranges": [{"to": 5}, {"from": 5}]}
    found = await aggregate(pair, {"range": ranges})
    assert [each["doc_count"] for each in found["buckets"]] == [1, 3]
    filters = {"a": {"term": {"k": "a"}}, "five": {"term": {"n": 5}}}
    found = await aggregate(pair, {"filters": {"filters": filters, "other_bucket_key": "rest"}})
    assert {name: each["doc_count"] for name, each in found["buckets"].items()} == {
        "a": 2,
        "five": 2,
        "rest": 2,
    }
    assert (await aggregate(pair, {"missing": {"field": "k"}}))["doc_count"] == 1
    assert (await aggregate(pair, {"filter": {"exists": {"field": "n"}}}))["doc_count"] == 4
    body = {"size": 0, "query": {"term": {"k": "a"}}, "aggs": {"x": {"global": {}}}}
    answer = await pair.local.call("POST", "/i,eu:i/_search", body)
    assert answer["aggregations"]["x"]["doc_count"] == 5
    assert answer["hits"]["total"]["value"] == 2


async def test_a_field_that_one_cluster_lacks(pair: Pair) -> None:
    """S-115: it changes no type and fails nothing, whichever cluster it is."""
    await put(pair.local, {}, {"other": 1}, {"other": 2})
    await put(
        pair.eu, {"n": {"type": "long"}, "at": {"type": "date"}}, {"n": 3, "at": "2024-01-01"}
    )
    terms = await aggregate(pair, {"terms": {"field": "n"}})
    assert terms["buckets"] == [{"key": 3, "doc_count": 1}]
    assert (await aggregate(pair, {"max": {"field": "n"}}))["value"] == 3.0
    assert (await aggregate(pair, {"missing": {"field": "n"}}))["doc_count"] == 2
    days = {"date_histogram": {"field": "at", "calendar_interval": "day"}}
    (bucket,) = (await aggregate(pair, days))["buckets"]
    assert (bucket["key_as_string"], bucket["doc_count"]) == ("2024-01-01T00:00:00.000Z", 1)


async def test_too_many_buckets_of_all_clusters_together(pair: Pair) -> None:
    """S-117: each alone is within the limit."""
    setting = {"persistent": {"search.max_buckets": 15}}
    await pair.local.call("PUT", "/_cluster/settings", setting)
    await put(pair.local, KEYWORD, *keys(*(f"a{n}" for n in range(10))))
    await put(pair.eu, KEYWORD, *keys(*(f"b{n}" for n in range(10))))
    agg = {"terms": {"field": "k", "size": 20}}
    for expression in ("i", "eu:i"):
        assert len((await aggregate(pair, agg, expression=expression))["buckets"]) == 10
    answer = await pair.local.request("POST", "/i,eu:i/_search", {"size": 0, "aggs": {"x": agg}})
    assert answer.status == 400
    error = answer.body["error"]
    assert (error["type"], error["max_buckets"]) == ("too_many_buckets_exception", 15)
    assert error["reason"] == (
        "Trying to create too many buckets. Must be less than or equal to: [15] but this number of buckets was "
        "exceeded. This limit can be set by changing the [search.max_buckets] cluster level setting."
    )
