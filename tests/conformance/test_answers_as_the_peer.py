"""Answers in odd cases over two clusters, as 8.19.0 gave them to the same documents."""

import json
from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "i,eu:i"

MAPPING: Json = {
    "properties": {
        "n": {"type": "integer"},
        "k": {"type": "keyword"},
        "t": {"type": "text"},
        "d": {"type": "date"},
        "r": {"type": "float"},
        "place": {"type": "geo_point"},
        "v": {"type": "nested", "properties": {"x": {"type": "keyword"}}},
    }
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        body = {"settings": {"number_of_shards": 3}, "mappings": MAPPING}
        await cluster.call("PUT", "/i", body)
        await cluster.fill(
            "i",
            {
                str(n): {
                    "n": n,
                    "k": f"k{n % 3}",
                    "t": f"old bridge {n}",
                    "d": f"20{10 + n}-01-01",
                    "v": [{"x": "a"}],
                }
                for n in range(1, 31)
            },
        )
    return pair


def ndjson(lines: list[Json]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


async def answer(pair: Pair, body: Json, path: str = "i") -> Json:
    found: Json = await pair.local.call("POST", f"/{path}/_search", body)
    return found


async def reason(pair: Pair, body: Json, path: str = "/i/_search") -> tuple[int, str, str]:
    given = await pair.local.request("POST", path, body)
    error = given.body["error"]
    root = error["root_cause"][0] if error["root_cause"] else error["caused_by"]
    return given.status, root["type"], root["reason"]


# -- validation --------------------------------------------------------------------------------------------------

BAD_PIPELINE: Json = {
    "a": {"avg": {"field": "n"}},
    "p": {"avg_bucket": {"buckets_path": "a>_count"}},
}


async def test_a_path_that_leads_nowhere_is_told_in_its_parts(filled: Pair) -> None:
    aggs = {
        "a": {"filter": {"match_all": {}}, "aggs": {"b": {"avg": {"field": "n"}}}},
        "p": {"avg_bucket": {"buckets_path": "a>_count"}},
    }
    assert (await reason(filled, {"aggs": aggs}))[2] == (
        "Validation Failed: 1: buckets_path aggregation does not exist for aggregation [p]: "
        "[a, _count];"
    )


async def test_a_wrong_total_is_told_before_a_wrong_pipeline(filled: Pair) -> None:
    path = "/i/_search?rest_total_hits_as_int=true"
    body = {"aggs": BAD_PIPELINE, "track_total_hits": 5}
    assert (await reason(filled, body, path))[1] == "illegal_argument_exception"


async def test_all_broken_rules_of_a_scroll_are_told_in_order(filled: Pair) -> None:
    body = {
        "from": 3,
        "search_after": [1],
        "sort": ["n"],
        "aggs": BAD_PIPELINE,
        "track_total_hits": False,
    }
    found = (await reason(filled, body, "/i/_search?scroll=1m"))[2]
    rules = (
        "1: disabling [track_total_hits]",
        "2: using [from] is",
        "3: [search_after] cannot",
        "4: [from] parameter must be set to 0",
        "5: Unable to find unqualified",
    )
    places = [found.find(each) for each in rules]
    assert -1 not in places
    assert places == sorted(places)


async def test_an_msearch_tells_the_broken_rules_of_all_its_searches(filled: Pair) -> None:
    lines: list[Json] = [{"index": "i"}, {"aggs": BAD_PIPELINE}] * 2
    given = await filled.local.request("POST", "/_msearch", ndjson(lines))
    found = given.body["error"]["reason"]
    assert (given.status, found.count("Unable to find"), "2: Unable" in found) == (400, 2, True)
    lines.append({"index": "i"})
    lines.append({"size": -1})
    given = await filled.local.request("POST", "/_msearch", ndjson(lines))
    assert given.body["error"]["type"] == "illegal_argument_exception"


@pytest.mark.parametrize(
    ("query", "col"),
    [
        ('{"bool":{"filter":[{"nope":{}}]}}', 37),
        ('{"bool":{"filtr":[{"nope":{}}]}}', 27),
    ],
)
async def test_a_mistake_in_the_query_of_a_count(filled: Pair, query: str, col: int) -> None:
    raw = b'{"query":' + query.encode() + b"}"
    given = await filled.local.request("POST", "/i/_count", raw)
    error = given.body["error"]
    assert (error["type"], error["reason"], error["line"], error["col"]) == (
        "parsing_exception",
        "Failed to parse",
        1,
        col,
    )
    assert error["caused_by"]["type"] == "x_content_parse_exception"


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("i::data", 30),
        ("i*::data", 30),
        ("_all::data", 30),
        ("i*::failures", 0),
        ("i*::data,-i::failures", 30),
        ("*::data,-i", 0),
    ],
)
async def test_selectors_of_local_names(filled: Pair, path: str, total: int) -> None:
    assert (await answer(filled, {"size": 0}, path))["hits"]["total"]["value"] == total


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("i::failures", 404, "no such index [i::failures]"),
        ("i*::failures?allow_no_indices=false", 404, "no such index [i*::failures]"),
        ("missing::data", 404, "no such index [missing]"),
        (
            "i::DATA",
            400,
            "Invalid index name [i::DATA], invalid usage of :: separator, [DATA] is not a "
            "recognized selector",
        ),
    ],
)
async def test_selectors_that_are_refused(filled: Pair, path: str, status: int, text: str) -> None:
    name, _, parameters = path.partition("?")
    found = await reason(filled, {"size": 0}, f"/{name}/_search?{parameters}")
    assert (found[0], found[2]) == (status, text)


# -- queries -----------------------------------------------------------------------------------------------------


async def test_a_number_at_one_end_makes_milliseconds_of_both(filled: Pair) -> None:
    query = {"range": {"d": {"gt": "2012-01-01", "lte": 1500000000000}}}
    assert await reason(filled, {"query": query}) == (
        400,
        "parse_exception",
        "failed to parse date field [2012-01-01] with format [epoch_millis]: "
        "[failed to parse date field [2012-01-01] with format [epoch_millis]]",
    )
    for low in ("2012", "2012-01-01"):
        bounds = {
            "gt": low,
            "lte": 1500000000000,
            "format": "strict_date_optional_time||epoch_millis",
        }
        found = await answer(filled, {"query": {"range": {"d": bounds}}})
        assert found["hits"]["total"]["value"] == 5
    found = await answer(filled, {"query": {"range": {"d": {"gt": "2012", "lte": 1500000000000}}}})
    assert found["hits"]["total"]["value"] == 7


BAD: Json = {"fuzzy": {"n": "abc"}}


@pytest.mark.parametrize(
    "query",
    [
        {"bool": {"must": [{"match_none": {}}, BAD]}},
        {"bool": {"filter": [{"term": {"nope": 1}}, BAD]}},
        {"bool": {"should": [{"bool": {"must": [{"match_none": {}}, BAD]}}]}},
        {"dis_max": {"queries": [{"bool": {"must": [{"match_none": {}}, BAD]}}]}},
        {
            "function_score": {
                "query": {"wildcard": {"nope": "a*"}},
                "functions": [{"filter": BAD, "weight": 2}],
            }
        },
    ],
)
async def test_what_matches_nothing_is_not_built(filled: Pair, query: Json) -> None:
    found = await answer(filled, {"query": query})
    assert (found["hits"]["total"]["value"], found["_shards"]["failed"]) == (0, 0)


@pytest.mark.parametrize(
    ("sort", "query", "skipped"),
    [
        (["n"], {"fuzzy": {"nope": "abc"}}, 3),
        (["n"], {"constant_score": {"filter": {"bool": {"filter": {"wildcard": {"nope": "a*"}}}}}}, 3),
        (["n"], {"boosting": {"positive": {"term": {"nope": "x"}}, "negative": BAD, "negative_boost": 0.5}}, 3),
        (["n"], {"match": {"nope": "abc"}}, 0),
        (["n"], {"regexp": {"nope": "a.*"}}, 0),
        (["n"], {"nested": {"path": "v", "query": {"match_none": {}}}}, 0),
        (["_doc"], {"match_none": {}}, 3),
        ([{"_geo_distance": {"place": [0, 0]}}], {"match_none": {}}, 0),
    ],
)  # fmt: skip
async def test_which_queries_let_shards_be_skipped(
    filled: Pair, sort: list[Any], query: Json, skipped: int
) -> None:
    """S-41: with the max_score of a search without any shard, 0.0."""
    found = await answer(filled, {"sort": sort, "query": query})
    assert found["_shards"]["skipped"] == skipped
    assert found["hits"]["max_score"] == (0.0 if skipped else None)


async def test_a_shard_that_fails_beside_skipped_ones_is_a_part(filled: Pair) -> None:
    body = {
        "query": {"terms": {"nope": []}},
        "sort": ["n"],
        "aggs": {"x": {"avg": {"field": "k"}}},
    }
    found = await answer(filled, body)
    counts = found["_shards"]
    assert (counts["successful"], counts["skipped"], counts["failed"]) == (2, 2, 1)


async def test_the_first_mistake_of_a_bool_is_told(filled: Pair) -> None:
    query = {
        "bool": {
            "filter": [{"regexp": {"n": "a"}}],
            "must_not": [{"nested": {"path": "z", "query": {"match_all": {}}}}],
        }
    }
    assert (await reason(filled, {"query": query}))[2] == (
        "failed to create query: [nested] failed to find nested object under path [z]"
    )


async def test_an_aggregation_tells_the_mistake_of_its_filter_bare(filled: Pair) -> None:
    aggs = {"x": {"filter": {"nested": {"path": "z", "query": {"match_all": {}}}}}}
    assert await reason(filled, {"aggs": aggs}) == (
        500,
        "illegal_state_exception",
        "[nested] failed to find nested object under path [z]",
    )


async def test_an_empty_pattern_finds_no_empty_term(filled: Pair) -> None:
    await filled.local.call("PUT", "/w", {"mappings": MAPPING})
    await filled.local.fill("w", {"1": {"k": ["", "a"]}})
    for kind, total in (("wildcard", 0), ("regexp", 1), ("term", 1), ("prefix", 1)):
        found = await answer(filled, {"query": {kind: {"k": ""}}}, "w")
        assert (kind, found["hits"]["total"]["value"]) == (kind, total)


async def test_the_beginning_of_a_field_without_a_match_is_no_empty_value(filled: Pair) -> None:
    await filled.local.call("PUT", "/w", {"mappings": MAPPING})
    await filled.local.fill("w", {"1": {"k": ["", "", "b", "c"]}, "2": {"k": [""]}})
    for kind, expected in (("unified", [["b"]]), ("plain", [])):
        options = {"fields": {"k": {}}, "no_match_size": 15, "type": kind}
        found = await answer(filled, {"highlight": options}, "w")
        hits = found["hits"]["hits"]
        assert [each["highlight"]["k"] for each in hits if "highlight" in each] == expected


async def test_remote_shards_that_are_all_skipped_give_no_aggregations(filled: Pair) -> None:
    body = {"size": 0, "query": {"term": {"nope": 1}}, "aggs": {"x": {"avg": {"field": "n"}}}}
    path = "_search?ccs_minimize_roundtrips=false"
    for names, skipped in (("eu:i", 3), (BOTH, 3)):
        found = await filled.local.call("POST", f"/{names}/{path}", body)
        assert found["_shards"]["skipped"] == skipped
        assert ("aggregations" in found) == (names == BOTH)


async def test_a_search_of_skipped_clusters_alone_counts_nothing(filled: Pair) -> None:
    body = {"track_total_hits": False, "query": {"query_string": {"query": "t:("}}}
    assert (await answer(filled, body, "eu:i"))["hits"]["total"] == {"value": 0, "relation": "eq"}


async def test_a_lenient_phrase_leaves_out_what_cannot_have_one(filled: Pair) -> None:
    query = {"query_string": {"query": '"old bridge"~3', "lenient": True}}
    assert (await answer(filled, {"query": query}))["hits"]["total"]["value"] == 30


async def test_terminate_after_counts_where_documents_have_nested_objects(filled: Pair) -> None:
    found = await answer(filled, {"size": 1, "terminate_after": 1})
    assert (found["hits"]["total"]["value"], found["terminated_early"]) == (3, True)


async def test_a_remotes_error_tells_its_type_where_the_reference_cannot_send_it(
    filled: Pair,
) -> None:
    body = {"query": {"query_string": {"query": "t:("}}}
    found = await answer(filled, body, "eu:i")
    failed = found["_clusters"]["details"]["eu"]["failures"][0]["reason"]
    cause = failed["failed_shards"][0]["reason"]["caused_by"]
    assert cause["reason"].startswith("parse_exception: Cannot parse 't:(': Encountered")
    assert cause["caused_by"]["reason"].startswith("parse_exception: Encountered")


# -- aggregations ------------------------------------------------------------------------------------------------


async def test_by_their_keys_a_shard_returns_no_more_than_are_wanted(filled: Pair) -> None:
    terms = {"field": "k", "order": {"_key": "asc"}, "size": 1, "min_doc_count": 100}
    found = await answer(filled, {"size": 0, "aggs": {"x": {"terms": terms}}})
    assert found["aggregations"]["x"]["buckets"] == []
    assert found["aggregations"]["x"]["sum_other_doc_count"] == 20


async def test_a_path_into_buckets_that_all_lack_it_is_a_gap(filled: Pair) -> None:
    aggs = {
        "k": {
            "histogram": {"field": "n", "interval": 10},
            "aggs": {
                "t": {"terms": {"field": "k"}},
                "s": {"serial_diff": {"buckets_path": "t.value"}},
            },
        }
    }
    found = await answer(filled, {"size": 0, "aggs": aggs})
    assert all("s" not in each for each in found["aggregations"]["k"]["buckets"])
    aggs["k"]["aggs"]["t"] = {"filter": {"match_all": {}}}
    assert (await reason(filled, {"size": 0, "aggs": aggs}))[2] == (
        "Cannot find an aggregation named [value] in [t]"
    )


@pytest.mark.parametrize(
    ("around", "name"),
    [
        ({"geotile_grid": {"field": "place"}}, "GeoTileGridAggregatorFactory"),
        ({"geohash_grid": {"field": "place"}}, "GeoHashGridAggregatorFactory"),
        ({"composite": {"sources": [{"k": {"terms": {"field": "k"}}}]}}, "CompositeAggregationFactory"),
    ],
)  # fmt: skip
async def test_what_a_composite_is_in_is_named(filled: Pair, around: Json, name: str) -> None:
    inner = {"y": {"composite": {"sources": [{"k": {"terms": {"field": "k"}}}]}}}
    found = await reason(filled, {"aggs": {"x": {**around, "aggs": inner}}})
    assert found[2].endswith(f"with a parent aggregation of type: [{name}]")


async def test_top_hits_show_what_the_search_shows(filled: Pair) -> None:
    body = {
        "size": 0,
        "query": {"term": {"n": {"value": 3, "_name": "one"}}},
        "fields": ["k"],
        "aggs": {
            "t": {"top_hits": {"size": 1, "fields": ["n"], "_source": False}},
            "u": {"top_hits": {"size": 1, "docvalue_fields": ["n"], "_source": False}},
        },
    }
    found = (await answer(filled, body))["aggregations"]
    shown = {name: found[name]["hits"]["hits"][0] for name in ("t", "u")}
    assert shown["t"]["fields"] == {"n": [3]}
    assert shown["u"]["fields"] == {"n": [3], "k": ["k0"]}
    assert shown["t"]["matched_queries"] == ["one"]


async def test_top_hits_of_nested_objects_lack_what_their_documents_have(filled: Pair) -> None:
    inner = {"t": {"top_hits": {"size": 1, "sort": ["n", "k"]}}}
    body = {"size": 0, "aggs": {"v": {"nested": {"path": "v"}, "aggs": inner}}}
    hits = (await answer(filled, body))["aggregations"]["v"]["t"]["hits"]["hits"]
    assert hits[0]["sort"] == [2147483647, None]


async def test_totals_of_top_hits_are_numbers_too(filled: Pair) -> None:
    body = {"size": 0, "aggs": {"t": {"top_hits": {"size": 1}}}}
    found = await filled.local.call("POST", f"/{BOTH}/_search?rest_total_hits_as_int=true", body)
    assert found["aggregations"]["t"]["hits"]["total"] == 60


async def test_mistakes_of_aggregations_come_before_those_of_collapse(filled: Pair) -> None:
    body = {"collapse": {"field": "t"}, "aggs": {"x": {"terms": {"field": "t"}}}}
    assert (await reason(filled, body))[2].startswith("Fielddata is disabled on [t]")


async def test_equal_counts_of_fractions_are_in_the_order_of_their_keys(filled: Pair) -> None:
    body = {"settings": {"number_of_shards": 1}, "mappings": MAPPING}
    await filled.local.call("PUT", "/f", body)
    values = [n / 64 for n in range(-20, 21) for _ in range(2)] + [0.5] * 3
    await filled.local.fill("f", {str(at): {"r": value} for at, value in enumerate(values)})
    terms = {"field": "r", "size": 5, "shard_size": 5}
    found = await answer(filled, {"size": 0, "aggs": {"x": {"terms": terms}}}, "f")
    keys = [each["key"] for each in found["aggregations"]["x"]["buckets"]]
    assert keys == [0.5, -0.3125, -0.296875, -0.28125, -0.265625]
