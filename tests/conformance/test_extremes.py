"""Requests and documents at the edges of what numbers, texts and indices may be: answered, and never by a failure."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

_HUGE = 1.7e308
_MAPPINGS = {
    "properties": {
        "t": {"type": "text"},
        "k": {"type": "keyword"},
        "d": {"type": "double"},
        "e": {"type": "double"},
        "day": {"type": "date"},
    }
}
_DOCUMENTS: list[dict[str, Any]] = [
    {"t": "the quick brown fox", "k": "aaa", "d": _HUGE, "e": 1, "day": "2026-01-01"},
    {"t": "quick fox", "k": "b", "d": -_HUGE, "e": 2, "day": "2026-01-02"},
    {"d": 0.0, "e": 3},
    {"d": -0.0, "e": 4},
]
_EVERYWHERE = "ex,eu:ex"


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    """Documents in two clusters, and an index of each mapping without any."""
    for cluster in (pair.local, pair.eu):
        settings = {"number_of_shards": 2}
        await cluster.call("PUT", "/ex", {"mappings": _MAPPINGS, "settings": settings})
        for number, document in enumerate(_DOCUMENTS * 30):
            await cluster.call("PUT", f"/ex/_doc/{number}", document)
        await cluster.call("POST", "/ex/_refresh")
    await pair.local.call("PUT", "/ex-empty", {"mappings": _MAPPINGS})
    return pair


async def _found(pair: Pair, body: dict[str, Any], target: str = _EVERYWHERE) -> dict[str, Any]:
    found: dict[str, Any] = await pair.local.call("POST", f"/{target}/_search", body)
    assert found["_shards"]["failed"] == 0
    return found


async def _reason(pair: Pair, query: dict[str, Any]) -> str:
    answer = await pair.local.request("POST", "/ex/_search", {"query": query})
    assert answer.status == 400
    reason: str = answer.body["error"]["root_cause"][0]["reason"]
    return reason


@pytest.mark.parametrize("slop", ["2147483647", "9" * 400])
async def test_no_slop_is_too_large_to_be_highlighted(filled: Pair, slop: str) -> None:
    query = {"query_string": {"query": f'"quick fox"~{slop}', "default_field": "t"}}
    found = await _found(filled, {"query": query, "highlight": {"fields": {"t": {}}}})
    assert found["hits"]["total"]["value"] == 120
    assert all("<em>quick" in hit["highlight"]["t"][0] for hit in found["hits"]["hits"])


async def test_prefixes_are_found_at_any_length_that_is_allowed(filled: Pair) -> None:
    long = "x" * 900
    await filled.local.call("PUT", "/ex/_doc/long?refresh=true", {"k": long + "Y"})
    for value in (long, {"value": long + "y", "case_insensitive": True}):
        found = await _found(filled, {"query": {"prefix": {"k": value}}})
        assert [hit["_id"] for hit in found["hits"]["hits"]] == ["long"]
    assert await _reason(filled, {"prefix": {"k": "x" * 1001}}) == (
        "failed to create query: The length of prefix [1001] used in the Prefix Query request has "
        "exceeded the allowed maximum of [1000]. This maximum can be set by changing the "
        "[index.max_regex_length] index level setting."
    )


async def test_a_boost_that_is_infinite_in_32_bits_is_refused(filled: Pair) -> None:
    expected = "failed to create query: boost must be a positive float, got Infinity"
    assert await _reason(filled, {"match_all": {"boost": 1e39}}) == expected
    assert await _reason(filled, {"term": {"k": {"value": "aaa", "boost": 1e39}}}) == expected


async def test_likeness_in_an_index_without_documents(filled: Pair) -> None:
    query = {"more_like_this": {"fields": ["t"], "like": "quick", "min_term_freq": 1}}
    found = await _found(filled, {"query": query}, "ex-empty")
    assert found["hits"]["total"]["value"] == 0


async def test_the_two_zeros_are_one_group(filled: Pair) -> None:
    found = await _found(filled, {"collapse": {"field": "d"}, "sort": [{"e": "desc"}]}, "ex")
    assert sorted(hit["fields"]["d"][0] for hit in found["hits"]["hits"]) == [-_HUGE, 0.0, _HUGE]


async def test_a_phrase_of_very_many_words_gets_no_suggestion(filled: Pair) -> None:
    text = " ".join(["quik"] * 1_500)
    suggest = {"s": {"text": text, "phrase": {"field": "t", "token_limit": 100_000}}}
    found = await _found(filled, {"suggest": suggest})
    assert found["suggest"]["s"][0]["options"] == []


async def test_no_size_reserves_more_than_there_is(filled: Pair) -> None:
    """The engine reserves room for as many documents as it is asked for: too many ends the process."""
    most = 2**31 - 1
    mappings = {"properties": {"c": {"type": "completion"}}}
    await filled.local.call("PUT", "/sized", {"mappings": mappings})
    await filled.local.call("PUT", "/sized/_doc/1?refresh=true", {"c": "apple"})
    suggest = {"s": {"prefix": "a", "completion": {"field": "c", "size": most}}}
    found = await _found(filled, {"suggest": suggest}, "sized")
    assert [each["text"] for each in found["suggest"]["s"][0]["options"]] == ["apple"]
    window = {"index.max_result_window": most}
    await filled.local.call("PUT", "/sized/_settings", window)
    for sort in ([], ["_doc"], ["_score", "_doc"]):
        found = await _found(filled, {"size": most, "sort": sort}, "sized")
        assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]


async def test_very_large_distances_decay_without_an_error(filled: Pair) -> None:
    decay = {"gauss": {"d": {"origin": 0, "scale": 1e308, "decay": 0.5}}}
    for function in (decay, {"weight": 1e300}):
        query = {"function_score": {"query": {"range": {"e": {"gte": 3}}}, "functions": [function]}}
        assert (await _found(filled, {"query": query}))["hits"]["total"]["value"] == 120


@pytest.mark.parametrize(
    "asked",
    [
        {"matrix_stats": {"fields": ["d", "e"]}},
        {"t_test": {"a": {"field": "d"}, "b": {"field": "e"}, "type": "heteroscedastic"}},
        {"t_test": {"a": {"field": "d"}, "b": {"field": "e"}, "type": "paired"}},
        {"variable_width_histogram": {"field": "d", "buckets": 2}},
    ],
)
async def test_sums_over_very_large_values_may_be_infinite(
    filled: Pair, asked: dict[str, Any]
) -> None:
    found = await _found(filled, {"size": 0, "aggs": {"a": asked}})
    assert "a" in found["aggregations"]


async def test_pipelines_over_very_large_values(filled: Pair) -> None:
    deviation = "MovingFunctions.stdDev(values, MovingFunctions.unweightedAvg(values))"
    subs = {
        "s": {"max": {"field": "d"}},
        "z": {"normalize": {"buckets_path": "s", "method": "z-score"}},
        "m": {"moving_fn": {"buckets_path": "s", "window": 10, "script": deviation}},
    }
    asked = {"histogram": {"field": "e", "interval": 1}, "aggs": subs}
    found = await _found(filled, {"size": 0, "aggs": {"a": asked}})
    assert len(found["aggregations"]["a"]["buckets"]) == 4


async def test_a_sample_by_an_unmapped_field_holds_pipelines_alone(filled: Pair) -> None:
    by_key = {"terms": {"field": "k"}, "aggs": {"m": {"sum": {"field": "e"}}}}
    most = {"max_bucket": {"buckets_path": "x>m"}}
    asked = {"diversified_sampler": {"field": "nope"}, "aggs": {"x": by_key, "y": most}}
    found = await _found(filled, {"size": 0, "aggs": {"a": asked}})
    assert found["aggregations"] == {"a": {"doc_count": 0, "y": {"value": None, "keys": []}}}


async def test_a_rate_in_a_sample_by_an_unmapped_field(filled: Pair) -> None:
    sample = {"diversified_sampler": {"field": "nope"}, "aggs": {"r": {"rate": {"unit": "day"}}}}
    days = {"date_histogram": {"field": "day", "calendar_interval": "day"}, "aggs": {"s": sample}}
    found = await _found(filled, {"size": 0, "aggs": {"a": days}})
    assert [each["s"] for each in found["aggregations"]["a"]["buckets"]] == [{"doc_count": 0}] * 2
