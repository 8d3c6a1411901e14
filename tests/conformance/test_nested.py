"""Nested objects over two clusters: queries, inner hits, sorting, aggregations. Expected values are the reference's."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "/i,eu:i/_search"
MAPPINGS = {
    "properties": {
        "t": {"type": "keyword"},
        "n": {
            "type": "nested",
            "properties": {
                "x": {"type": "long"},
                "k": {"type": "keyword"},
                "s": {"type": "text"},
                "m": {
                    "type": "nested",
                    "properties": {"y": {"type": "long"}, "z": {"type": "keyword"}},
                },
            },
        },
        "o": {"properties": {"q": {"type": "nested", "properties": {"w": {"type": "long"}}}}},
    }
}
FIRST: dict[str, Json] = {
    "1": {
        "t": "a",
        "n": [
            {"x": 1, "k": "p", "s": "red fox", "m": [{"y": 1, "z": "u"}, {"y": 2, "z": "w"}]},
            {"x": 2, "k": "q", "s": "blue fox jumps"},
        ],
    },
    "2": {"t": "b", "n": [{"x": 1, "k": "q", "s": "red red dog", "m": {"y": 3, "z": "u"}}]},
}
SECOND: dict[str, Json] = {
    "3": {"t": "a", "o": {"q": [{"w": 1}, {"w": 5}]}},
    "4": {
        "t": "c",
        "n": [
            {"x": [5, 7], "k": ["p", "q"], "s": "fox"},
            {"x": 6, "k": "r", "s": "red"},
            {"x": 3, "k": "p"},
        ],
        "o": {"q": {"w": 9}},
    },
}
ALL = {**FIRST, **SECOND}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    """`i` on both clusters with half of the documents each, and all of them in the local index `whole`."""
    for cluster, index, documents in (
        (pair.local, "i", FIRST),
        (pair.eu, "i", SECOND),
        (pair.local, "whole", ALL),
    ):
        await cluster.call("PUT", f"/{index}", {"mappings": MAPPINGS})
        await cluster.fill(index, documents)
    return pair


def ids(answer: Json) -> list[str]:
    return sorted(hit["_id"] for hit in answer["hits"]["hits"])


def nested(query: Json, path: str = "n", **more: Any) -> Json:
    return {"query": {"nested": {"path": path, "query": query, **more}}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (nested({"term": {"n.x": 1}}), ["1", "2"]),
        (
            nested({"bool": {"must": [{"term": {"n.x": 1}}, {"term": {"n.k": "p"}}]}}),
            ["1"],
        ),
        (nested({"bool": {"must_not": [{"term": {"n.x": 1}}]}}), ["1", "4"]),
        (nested({"match_all": {}}), ["1", "2", "4"]),
        (nested({"term": {"t": "a"}}), []),
        (nested({"term": {"n.m.y": 3}}, "n.m"), ["2"]),
        (nested({"nested": {"path": "n.m", "query": {"term": {"n.m.z": "u"}}}}), ["1", "2"]),
        (nested({"range": {"o.q.w": {"gt": 4}}}, "o.q"), ["3", "4"]),
        (nested({"match_all": {}}, "zz", ignore_unmapped=True), []),
        ({"query": {"term": {"n.x": 1}}}, []),
        ({"query": {"exists": {"field": "n"}}}, []),
        ({"query": {"bool": {"must_not": nested({"match_all": {}})["query"]}}}, ["3"]),
    ],
)
async def test_a_nested_query_looks_at_one_object_at_a_time(
    filled: Pair, body: Json, expected: list[str]
) -> None:
    """S-113: over clusters as in one index; without `nested`, nothing of the objects is found."""
    assert ids(await filled.local.call("POST", BOTH, body)) == expected
    assert ids(await filled.local.call("POST", "/whole/_search", body)) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("avg", {"1": 0.76273084, "4": 0.6775957, "2": 0.64974916}),
        ("max", {"1": 1.0779929, "4": 0.6775957, "2": 0.64974916}),
        ("min", {"4": 0.6775957, "2": 0.64974916, "1": 0.44746876}),
        ("sum", {"1": 1.5254617, "4": 1.3551913, "2": 0.64974916}),
        ("none", {"1": 0.0, "2": 0.0, "4": 0.0}),
    ],
)
async def test_all_matching_objects_score_together(
    filled: Pair, mode: str, expected: dict[str, float]
) -> None:
    body = nested({"match": {"n.s": "red fox"}}, score_mode=mode)
    answer = await filled.local.call("POST", "/whole/_search", body)
    scores = {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}
    assert list(scores) == list(expected)
    assert scores == pytest.approx(expected, rel=1e-6)


async def test_a_path_that_is_not_nested_is_told(filled: Pair) -> None:
    for path in ("zz", "o", "t"):
        answer = await filled.local.request(
            "POST", "/whole/_search", nested({"match_all": {}}, path)
        )
        assert answer.status == 400
        assert answer.body["error"]["root_cause"][0]["reason"] == (
            f"failed to create query: [nested] failed to find nested object under path [{path}]"
        )


async def test_nested_objects_are_documents_in_statistics_but_not_in_counts(filled: Pair) -> None:
    assert (await filled.local.call("GET", "/whole/_count"))["count"] == 4
    (row,) = await filled.local.call("GET", "/_cat/indices/whole?format=json&h=docs.count")
    assert row == {"docs.count": "16"}


async def test_inner_hits_show_the_objects_that_matched(filled: Pair) -> None:
    """S-113: each with its place in its document, from whichever cluster it comes."""
    body = {**nested({"match_all": {}}, "n.m", inner_hits={}), "_source": False}
    answer = await filled.local.call("POST", BOTH, body)
    first = next(hit for hit in answer["hits"]["hits"] if hit["_id"] == "1")
    assert first["inner_hits"]["n.m"]["hits"] == {
        "total": {"value": 2, "relation": "eq"},
        "max_score": 1.0,
        "hits": [
            {
                "_index": "i",
                "_id": "1",
                "_nested": {
                    "field": "n",
                    "offset": 0,
                    "_nested": {"field": "m", "offset": offset},
                },
                "_score": 1.0,
                "_source": source,
            }
            for offset, source in enumerate(({"y": 1, "z": "u"}, {"y": 2, "z": "w"}))
        ],
    }
    body = nested({"match": {"n.s": "fox"}}, inner_hits={"name": "f", "_source": ["n.x"]})
    answer = await filled.local.call("POST", BOTH, body)
    remote = next(hit for hit in answer["hits"]["hits"] if hit["_id"] == "4")
    (inner,) = remote["inner_hits"]["f"]["hits"]["hits"]
    assert inner["_index"] == "eu:i"
    assert inner["_source"] == {"x": [5, 7]}


async def test_inner_hits_are_sorted_and_paged_by_themselves(filled: Pair) -> None:
    inner = {"sort": [{"n.x": "desc"}], "size": 1, "from": 1, "docvalue_fields": ["n.k"]}
    body = nested({"match": {"n.s": "red fox"}}, inner_hits=inner)
    answer = await filled.local.call("POST", "/whole/_search", body)
    shown = answer["hits"]["hits"][0]["inner_hits"]["n"]["hits"]
    assert shown["max_score"] is None
    (hit,) = shown["hits"]
    assert hit["_nested"] == {"field": "n", "offset": 0}
    assert (hit["_score"], hit["sort"], hit["fields"]) == (None, [1], {"n.k": ["p"]})


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (
            {"size": 101},
            "Inner result window is too large, the inner hit definition's [null]'s from + size must "
            "be less than or equal to: [100] but was [101]. This limit can be set by changing the "
            "[index.max_inner_result_window] index level setting.",
        ),
        ({"seq_no_primary_term": True}, "nested documents are not assigned sequence numbers"),
    ],
)
async def test_inner_hits_have_limits(filled: Pair, inner: Json, reason: str) -> None:
    body = nested({"match_all": {}}, inner_hits=inner)
    answer = await filled.local.request("POST", "/whole/_search", body)
    assert answer.body["error"]["root_cause"][0]["reason"] == reason


AGGREGATIONS: Json = {
    "a": {
        "nested": {"path": "n"},
        "aggs": {
            "s": {"sum": {"field": "n.x"}},
            "x": {
                "terms": {"field": "n.x"},
                "aggs": {"r": {"reverse_nested": {}, "aggs": {"t": {"terms": {"field": "t"}}}}},
            },
            "b": {
                "nested": {"path": "n.m"},
                "aggs": {
                    "y": {
                        "terms": {"field": "n.m.y"},
                        "aggs": {
                            "up": {
                                "reverse_nested": {"path": "n"},
                                "aggs": {"k": {"terms": {"field": "n.k"}}},
                            }
                        },
                    }
                },
            },
        },
    },
    "t": {
        "terms": {"field": "t"},
        "aggs": {"a": {"nested": {"path": "n"}, "aggs": {"m": {"max": {"field": "n.x"}}}}},
    },
    "none": {"nested": {"path": "zz"}},
}


async def test_aggregations_go_into_nested_objects_and_back(filled: Pair) -> None:
    """S-113: the partials of both clusters merge to what one index answers."""
    body = {"size": 0, "aggs": AGGREGATIONS}
    shown = (await filled.local.call("POST", BOTH, body))["aggregations"]
    assert shown == (await filled.local.call("POST", "/whole/_search", body))["aggregations"]
    assert shown["a"]["doc_count"] == 6
    assert shown["a"]["s"] == {"value": 25.0}
    first = shown["a"]["x"]["buckets"][0]
    assert (first["key"], first["doc_count"], first["r"]["doc_count"]) == (1, 2, 2)
    assert [each["key"] for each in first["r"]["t"]["buckets"]] == ["a", "b"]
    deepest = shown["a"]["b"]
    assert deepest["doc_count"] == 3
    assert [
        (each["key"], each["up"]["doc_count"], each["up"]["k"]["buckets"][0]["key"])
        for each in deepest["y"]["buckets"]
    ] == [(1, 1, "p"), (2, 1, "p"), (3, 1, "q")]
    assert [(each["key"], each["a"]["doc_count"]) for each in shown["t"]["buckets"]] == [
        ("a", 2),
        ("b", 1),
        ("c", 3),
    ]
    assert shown["none"] == {"doc_count": 0}


async def test_reverse_nested_is_for_nested_objects_only(filled: Pair) -> None:
    body = {"size": 0, "aggs": {"b": {"reverse_nested": {}}}}
    answer = await filled.local.request("POST", "/whole/_search", body)
    assert answer.body["error"]["root_cause"][0]["reason"] == (
        "Reverse nested aggregation [b] can only be used inside a [nested] aggregation"
    )


LAST = 2**63 - 1


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ({"order": "asc", "nested": {"path": "n"}}, [1, 1, 3, LAST]),
        ({"order": "desc", "nested": {"path": "n"}}, [7, 2, 1, -LAST - 1]),
        (
            {"mode": "sum", "nested": {"path": "n", "filter": {"term": {"n.k": "p"}}}},
            [1, 15, LAST, LAST],
        ),
        (
            {"mode": "avg", "missing": 100, "nested": {"path": "n", "max_children": 1}},
            [1, 1, 6, 100],
        ),
    ],
)
async def test_hits_are_sorted_by_values_of_nested_objects(
    filled: Pair, sort: Json, expected: list[int]
) -> None:
    body = {"sort": [{"n.x": sort}]}
    answer = await filled.local.call("POST", BOTH, body)
    assert [hit["sort"][0] for hit in answer["hits"]["hits"]] == expected


async def test_a_sort_on_a_nested_field_must_say_so(filled: Pair) -> None:
    answer = await filled.local.request("POST", "/whole/_search", {"sort": ["n.x"]})
    assert answer.body["error"]["root_cause"][0]["reason"] == (
        "it is mandatory to set the [nested] context on the nested sort field: [n.x]."
    )


async def test_fields_of_nested_objects_stay_together(filled: Pair) -> None:
    body = {"fields": ["n.x", "n.m.*"], "_source": False, "query": {"ids": {"values": ["1"]}}}
    answer = await filled.local.call("POST", BOTH, body)
    assert answer["hits"]["hits"][0]["fields"] == {
        "n": [{"x": [1], "m": [{"y": [1], "z": ["u"]}, {"y": [2], "z": ["w"]}]}, {"x": [2]}]
    }


async def test_updates_and_deletes_take_the_objects_with_them(filled: Pair) -> None:
    local = filled.local
    body = nested({"term": {"n.x": 1}})
    await local.call("PUT", "/i/_doc/1?refresh=true", {"t": "a", "n": [{"x": 8}]})
    assert ids(await local.call("POST", "/i/_search", body)) == ["2"]
    await local.call("POST", "/i/_update/2?refresh=true", {"doc": {"n": [{"x": 9}, {"x": 8}]}})
    assert ids(await local.call("POST", "/i/_search", body)) == []
    found = await local.call("POST", "/i/_search", nested({"term": {"n.x": 8}}))
    assert ids(found) == ["1", "2"]
    await local.call("DELETE", "/i/_doc/1?refresh=true")
    (row,) = await local.call("GET", "/_cat/indices/i?format=json&h=docs.count")
    assert row == {"docs.count": "3"}


async def test_a_dynamic_field_of_a_nested_object_is_found_within_it(filled: Pair) -> None:
    await filled.local.call(
        "PUT", "/i/_doc/9?refresh=true", {"n": [{"new": 5}, {"new": 6, "x": 4}]}
    )
    both = [{"term": {"n.new": 5}}, {"term": {"n.x": 4}}]
    assert ids(await filled.local.call("POST", "/i/_search", nested({"term": {"n.new": 5}}))) == [
        "9"
    ]
    assert (
        ids(await filled.local.call("POST", "/i/_search", nested({"bool": {"must": both}}))) == []
    )


async def test_include_in_parent_and_root_copy_the_values_up(pair: Pair) -> None:
    nested_type = {
        "type": "nested",
        "properties": {"x": {"type": "long"}, "s": {"type": "text"}},
    }
    mappings = {
        "properties": {
            "a": {**nested_type, "include_in_parent": True},
            "b": {
                "type": "nested",
                "properties": {"c": {**nested_type, "include_in_root": True}},
            },
        }
    }
    await pair.local.call("PUT", "/j", {"mappings": mappings})
    document = {"a": [{"x": 1}, {"x": 2, "s": "red"}], "b": [{"c": [{"x": 3}]}]}
    await pair.local.fill("j", {"1": document})
    for query in ({"term": {"a.x": 2}}, {"term": {"b.c.x": 3}}, {"exists": {"field": "a.s"}}):
        assert ids(await pair.local.call("POST", "/j/_search", {"query": query})) == ["1"]
    within = nested({"term": {"b.c.x": 3}}, "b")
    assert ids(await pair.local.call("POST", "/j/_search", within)) == []


async def test_too_many_nested_objects_are_refused(pair: Pair) -> None:
    settings = {"index.mapping.nested_objects.limit": 2}
    await pair.local.call("PUT", "/j", {"mappings": MAPPINGS, "settings": settings})
    answer = await pair.local.request("PUT", "/j/_doc/1", {"n": [{"x": 1}] * 3})
    assert answer.status == 400
    assert (
        "The number of nested documents has exceeded the allowed limit of [2]."
        in (answer.body["error"]["reason"])
    )


async def test_inner_hits_are_the_same_in_both_modes(filled: Pair) -> None:
    body = {**nested(MATCH_FOX, inner_hits={"sort": [{"n.x": "asc"}]}), "sort": [{"t": "asc"}]}
    one = await filled.local.call("POST", BOTH, body)
    other = await filled.local.call("POST", f"{BOTH}?ccs_minimize_roundtrips=false", body)
    assert one["hits"] == other["hits"]
    assert [len(hit["inner_hits"]["n"]["hits"]["hits"]) for hit in one["hits"]["hits"]] == [2, 1]


MATCH_FOX = {"match": {"n.s": "fox"}}


async def test_top_hits_of_nested_objects_are_the_objects(filled: Pair) -> None:
    best = {"top_hits": {"size": 2, "sort": [{"n.x": "desc"}]}}
    body = {"size": 0, "aggs": {"n": {"nested": {"path": "n"}, "aggs": {"best": best}}}}
    answer = await filled.local.call("POST", BOTH, body)
    shown = answer["aggregations"]["n"]["best"]["hits"]
    assert shown["total"]["value"] == 6
    assert [(hit["_index"], hit["_nested"]["offset"], hit["sort"]) for hit in shown["hits"]] == [
        ("eu:i", 0, [7]),
        ("eu:i", 1, [6]),
    ]
    assert shown["hits"][1]["_source"] == {"x": 6, "k": "r", "s": "red"}


async def test_inner_hits_are_highlighted_each_by_itself(filled: Pair) -> None:
    inner = {"highlight": {"fields": {"n.s": {}}}, "stored_fields": ["_none_"]}
    body = nested({"match": {"n.s": "red fox"}}, inner_hits=inner)
    answer = await filled.local.call("POST", "/whole/_search", body)
    shown = answer["hits"]["hits"][0]["inner_hits"]["n"]["hits"]["hits"]
    assert [hit["highlight"] for hit in shown] == [
        {"n.s": ["<em>red</em> <em>fox</em>"]},
        {"n.s": ["blue <em>fox</em> jumps"]},
    ]
    assert all("_source" not in hit for hit in shown)
