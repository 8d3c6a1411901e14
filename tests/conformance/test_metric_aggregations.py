"""Metrics with states of their own, and pipelines, over two clusters: section "Aggregations" of the checklist."""

import random
from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]

MAPPING = {
    "k": {"type": "keyword"},
    "n": {"type": "long"},
    "x": {"type": "double"},
    "d": {"type": "date"},
}


async def put(pair: Pair, here: list[Json], there: list[Json]) -> None:
    for cluster, documents in ((pair.local, here), (pair.eu, there)):
        await cluster.call("PUT", "/i", {"mappings": {"properties": MAPPING}})
        await cluster.fill("i", {str(at): each for at, each in enumerate(documents)})


async def ask(pair: Pair, aggs: Json, on: str = "i,eu:i") -> Json:
    answer = await pair.local.call("POST", f"/{on}/_search", {"size": 0, "aggs": aggs})
    shown: Json = answer["aggregations"]
    return shown


async def test_percentiles_of_many_values_are_within_the_digests_error(pair: Pair) -> None:
    """S-107."""
    rng = random.Random(7)
    values = [round(rng.gauss(100, 20), 3) for _ in range(6_000)]
    await put(pair, [{"x": value} for value in values[:4_000]], [{"x": v} for v in values[4_000:]])
    found = await ask(pair, {"p": {"percentiles": {"field": "x", "percents": [1, 50, 99]}}})
    ordered = sorted(values)
    for percent, value in found["p"]["values"].items():
        rank = sum(each <= value for each in ordered) / len(ordered)
        assert rank == pytest.approx(float(percent) / 100, abs=0.005)


async def test_percentile_ranks_are_the_count_weighted_mean(pair: Pair) -> None:
    """S-108."""
    await put(pair, [{"n": at} for at in range(10)], [{"n": at} for at in range(100, 130)])
    agg = {"p": {"percentile_ranks": {"field": "n", "values": [50, 200]}}}
    both = (await ask(pair, agg))["p"]["values"]
    here = (await ask(pair, agg, "i"))["p"]["values"]
    there = (await ask(pair, agg, "eu:i"))["p"]["values"]
    assert (here, there) == ({"50.0": 100.0, "200.0": 100.0}, {"50.0": 0.0, "200.0": 100.0})
    # A merged digest spreads a value half way to its neighbour, which here is in the other cluster.
    assert both["50.0"] == pytest.approx((10 * 100.0 + 30 * 0.0) / 40, abs=1.5)
    assert both["200.0"] == 100.0


async def test_extended_stats_and_weighted_avg_are_exact(pair: Pair) -> None:
    """S-110."""
    here = [{"n": at, "x": at / 2} for at in range(20)]
    there = [{"n": at * 3, "x": at / 4} for at in range(20, 45)]
    await put(pair, here, there)
    aggs = {
        "e": {"extended_stats": {"field": "n"}},
        "w": {"weighted_avg": {"value": {"field": "n"}, "weight": {"field": "x"}}},
    }
    found = await ask(pair, aggs)
    documents = here + there
    values = [each["n"] for each in documents]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    assert found["e"]["avg"] == pytest.approx(mean)
    assert found["e"]["variance"] == pytest.approx(variance)
    weights = sum(each["x"] for each in documents)
    expected = sum(each["n"] * each["x"] for each in documents) / weights
    assert found["w"]["value"] == pytest.approx(expected)


async def test_top_hits_are_the_best_of_all_clusters(pair: Pair) -> None:
    """S-109: from and size are of the whole, and `_index` says where a hit is from."""
    await put(
        pair, [{"k": "a", "n": at} for at in (1, 5, 9)], [{"k": "a", "n": at} for at in (2, 7)]
    )
    best = {"top_hits": {"from": 1, "size": 3, "sort": [{"n": "desc"}], "_source": False}}
    found = await ask(pair, {"t": {"terms": {"field": "k"}, "aggs": {"b": best}}})
    hits = found["t"]["buckets"][0]["b"]["hits"]
    assert hits["total"] == {"value": 5, "relation": "eq"}
    assert [(hit["_index"], hit["sort"]) for hit in hits["hits"]] == [
        ("eu:i", [7]),
        ("i", [5]),
        ("eu:i", [2]),
    ]


async def test_top_hits_have_the_scores_of_the_search_in_every_bucket(pair: Pair) -> None:
    await put(pair, [{"k": "a", "n": 1}, {"k": "b", "n": 2}], [])
    body = {
        "query": {
            "bool": {"should": [{"term": {"n": {"value": 2, "boost": 3}}}, {"match_all": {}}]}
        },
        "aggs": {"t": {"terms": {"field": "k"}, "aggs": {"b": {"top_hits": {}}}}},
    }
    answer = await pair.local.call("POST", "/i/_search", body)
    scores = {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}
    for bucket in answer["aggregations"]["t"]["buckets"]:
        (hit,) = bucket["b"]["hits"]["hits"]
        assert hit["_score"] == scores[hit["_id"]]


async def test_scripted_metric_is_refused(pair: Pair) -> None:
    """S-111."""
    await put(pair, [{"n": 1}], [])
    scripts = {f"{name}_script": "x" for name in ("init", "map", "combine", "reduce")}
    body = {"aggs": {"s": {"scripted_metric": scripts}}}
    answer = await pair.local.request("POST", "/i,eu:i/_search", body)
    assert answer.status == 400
    assert "[scripted_metric]" in answer.body["error"]["reason"]


async def test_pipelines_are_of_the_merged_buckets(pair: Pair) -> None:
    """S-112: each cluster alone has other sums, another best bucket and other buckets to drop."""
    await put(
        pair,
        [{"n": 1, "x": 1.0}, {"n": 11, "x": 5.0}, {"n": 21, "x": 1.0}],
        [{"n": 2, "x": 9.0}, {"n": 12, "x": 1.0}, {"n": 22, "x": 3.0}],
    )
    inside = {
        "s": {"sum": {"field": "x"}},
        "d": {"derivative": {"buckets_path": "s"}},
        "c": {"cumulative_sum": {"buckets_path": "s"}},
        "keep": {"bucket_selector": {"buckets_path": {"s": "s"}, "script": "params.s > 4"}},
    }
    aggs = {
        "h": {"histogram": {"field": "n", "interval": 10}, "aggs": inside},
        "best": {"max_bucket": {"buckets_path": "h>s"}},
    }
    found = await ask(pair, aggs)
    assert [
        (each["key"], each["s"]["value"], each.get("d"), each["c"]["value"])
        for each in found["h"]["buckets"]
    ] == [(0.0, 10.0, None, 10.0), (10.0, 6.0, {"value": -4.0}, 16.0)]
    assert found["best"] == {"value": 10.0, "keys": ["0.0"]}


async def test_one_remote_runs_the_pipelines_itself_and_once(pair: Pair) -> None:
    """S-112."""
    await put(pair, [], [{"k": key, "n": at} for at, key in enumerate("aabbcc")])
    cut = {"bucket_sort": {"sort": [{"s": "desc"}], "from": 1, "size": 1}}
    aggs = {"t": {"terms": {"field": "k"}, "aggs": {"s": {"sum": {"field": "n"}}, "cut": cut}}}
    found = await ask(pair, aggs, "eu:i")
    assert [bucket["key"] for bucket in found["t"]["buckets"]] == ["b"]


async def test_nothing_but_what_was_asked_is_in_the_answer(pair: Pair) -> None:
    """S-116."""
    await put(pair, [{"k": "a", "n": 1}], [{"k": "a", "n": 2}])
    aggs = {
        "t": {
            "terms": {"field": "k"},
            "aggs": {"p": {"percentiles": {"field": "n", "percents": [50]}}},
        },
        "m": {"max_bucket": {"buckets_path": "t>p[50]"}},
    }
    found = await ask(pair, aggs)
    assert list(found) == ["t", "m"]
    assert found["t"]["buckets"] == [
        {"key": "a", "doc_count": 2, "p": {"values": {"50.0": 1.5}}},
    ]


async def test_string_and_matrix_stats_of_two_clusters(pair: Pair) -> None:
    await put(
        pair,
        [{"k": "ab", "n": 1, "x": 2.0}, {"k": "b", "n": 2, "x": 3.0}],
        [{"k": "bcd", "n": 4, "x": 9.0}, {"k": "b"}],
    )
    aggs = {
        "s": {"string_stats": {"field": "k", "show_distribution": True}},
        "m": {"matrix_stats": {"fields": ["n", "x"]}},
        "b": {"top_metrics": {"metrics": {"field": "k"}, "sort": {"n": "desc"}}},
        "q": {"boxplot": {"field": "x"}},
    }
    found = await ask(pair, aggs)
    assert found["s"]["count"] == 4
    assert found["s"]["avg_length"] == 1.75
    assert found["s"]["distribution"]["b"] == pytest.approx(4 / 7)
    first = found["m"]["fields"][0]
    assert (first["name"], first["count"], first["mean"]) == ("n", 3, pytest.approx(7 / 3))
    assert first["variance"] == pytest.approx(7 / 3)
    assert first["correlation"]["x"] == pytest.approx(0.97986, abs=1e-4)
    assert found["b"] == {"top": [{"sort": [4], "metrics": {"k": "bcd"}}]}
    assert (found["q"]["min"], found["q"]["q2"], found["q"]["max"]) == (2.0, 3.0, 9.0)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("heteroscedastic", 0.046985),
        ("homoscedastic", 0.036983),
        ("paired", 0.010425),
    ],
)
async def test_t_tests(pair: Pair, test: str, expected: float) -> None:
    ones, others = (27.0, 31.0, 25.0, 40.0, 36.0), (21.0, 22.0, 23.0, 29.0, 25.0)
    rows = [{"n": int(one), "x": other} for one, other in zip(ones, others, strict=True)]
    await put(pair, rows[:2], rows[2:])
    agg = {"t_test": {"a": {"field": "n"}, "b": {"field": "x"}, "type": test}}
    assert (await ask(pair, {"t": agg}))["t"]["value"] == pytest.approx(expected, abs=1e-6)


async def test_a_rate_is_of_the_time_that_its_bucket_takes(pair: Pair) -> None:
    await put(
        pair,
        [{"d": "2024-01-03", "n": 31}, {"d": "2024-02-03", "n": 58}],
        [{"d": "2024-01-09", "n": 31}, {"d": "2024-04-01", "n": 90}],
    )
    inside = {
        "day": {"rate": {"unit": "day", "field": "n"}},
        "year": {"rate": {"unit": "year"}},
        "own": {"rate": {"field": "n", "mode": "value_count", "format": "0.0"}},
        "sum": {"cumulative_sum": {"buckets_path": "day"}},
    }
    histogram = {"field": "d", "calendar_interval": "month"}
    found = await ask(pair, {"h": {"date_histogram": histogram, "aggs": inside}})
    rows = [
        (each["day"]["value"], each["year"]["value"], each["own"], each["sum"]["value"])
        for each in found["h"]["buckets"]
    ]
    assert rows == [
        (2.0, 24.0, {"value": 2.0, "value_as_string": "2.0"}, 2.0),
        (2.0, 12.0, {"value": 1.0, "value_as_string": "1.0"}, 4.0),
        (0.0, 0.0, {"value": 0.0, "value_as_string": "0.0"}, 4.0),
        (3.0, 12.0, {"value": 1.0, "value_as_string": "1.0"}, 7.0),
    ]
    alone = {"aggs": {"r": {"rate": {"unit": "day"}}}}
    answer = await pair.local.request("POST", "/i,eu:i/_search", alone)
    assert answer.status == 400
    assert "only be used inside a date histogram" in str(answer.body)


async def test_top_hits_are_highlighted_by_the_query_of_the_search(pair: Pair) -> None:
    await put(pair, [{"k": "red", "n": 1}], [{"k": "red", "n": 2}])
    best = {"top_hits": {"highlight": {"fields": {"k": {}}}, "_source": False, "sort": "n"}}
    body = {"size": 0, "query": {"term": {"k": "red"}}, "aggs": {"b": best}}
    answer = await pair.local.call("POST", "/i,eu:i/_search", body)
    hits = answer["aggregations"]["b"]["hits"]["hits"]
    assert [hit["highlight"] for hit in hits] == [{"k": ["<em>red</em>"]}] * 2
