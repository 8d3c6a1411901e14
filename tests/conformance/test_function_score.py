"""function_score and scores that combine with it. The scores are those of the reference."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
DOCUMENTS: dict[str, Json] = {
    "1": {"t": "red fox", "n": 5, "f": 1.5, "d": "2024-01-01", "k": "a", "g": "52.1,4.2"},
    "2": {
        "t": "red dog jumps",
        "n": [10, 2],
        "f": 2.5,
        "d": "2024-01-11",
        "k": "b",
        "g": [4.5, 52.5],
    },
    "3": {"t": "blue fox", "n": -3, "d": "2024-02-01", "k": "c"},
    "4": {"t": "red", "k": ["a", "b"], "g": [{"lat": 1, "lon": 2}, {"lat": 53, "lon": 5}]},
}
MAPPINGS = {
    "properties": {
        "t": {"type": "text"},
        "n": {"type": "long"},
        "f": {"type": "double"},
        "d": {"type": "date"},
        "k": {"type": "keyword"},
        "g": {"type": "geo_point"},
    }
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/c2a", {"mappings": MAPPINGS})
        await cluster.fill("c2a", DOCUMENTS)
    return pair


async def scores(pair: Pair, query: Json, **more: Any) -> dict[str, float]:
    answer = await pair.local.call("POST", "/c2a/_search", {"query": query, **more})
    return {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}


RED = {"match": {"t": "red"}}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"query": RED, "boost": 3, "boost_mode": "replace", "weight": 2},
            {"1": 2, "2": 2, "4": 2},
        ),
        (
            {"query": RED, "boost": 3, "boost_mode": "sum", "weight": 2},
            {"4": 3.3451743, "1": 3.070025, "2": 2.8883224},
        ),
        (
            {
                "query": RED,
                "field_value_factor": {
                    "field": "n",
                    "missing": 4,
                    "factor": 1.2,
                    "modifier": "ln2p",
                },
            },
            {"4": 0.8595316, "1": 0.7416847, "2": 0.43871418},
        ),
        (
            {"random_score": {"seed": 5, "field": "n"}},
            {"1": 0.78048813, "3": 0.40575248, "4": 0.36706126, "2": 0.31641102},
        ),
        (
            {"random_score": {"seed": 5, "field": "_seq_no"}},
            {"4": 0.67642576, "1": 0.6706673, "2": 0.5940324, "3": 0.5004983},
        ),
        (
            {"random_score": {"seed": "abc", "field": "k"}},
            {"3": 0.7878763, "1": 0.756353, "4": 0.756353, "2": 0.30563968},
        ),
        ({"gauss": {"n": {"origin": 5, "scale": 3}}}, {"1": 1, "4": 1, "2": 0.5, "3": 0.007233396}),
        (
            {"exp": {"d": {"origin": "2024-01-05", "scale": "10d", "offset": "1d", "decay": 0.3}}},
            {"4": 1, "1": 0.6968453, "2": 0.5477226, "3": 0.043703403},
        ),
        (
            {
                "linear": {
                    "g": {"origin": "52,4", "scale": "100km", "offset": "1km"},
                    "multi_value_mode": "max",
                }
            },
            {"3": 1, "1": 0.91686845, "2": 0.6790549, "4": 0},
        ),
        ({"weight": 3, "max_boost": 2}, {"1": 2, "2": 2, "3": 2, "4": 2}),
        (
            {
                "functions": [
                    {
                        "weight": 3,
                        "filter": {"term": {"k": "b"}},
                        "field_value_factor": {"field": "n", "missing": 1, "modifier": "square"},
                    },
                    {"weight": 5, "filter": {"term": {"k": "a"}}},
                ],
                "score_mode": "avg",
            },
            {"2": 4, "1": 1, "3": 1, "4": 1},
        ),
        ({"min_score": 1.5, "weight": 1}, {}),
        ({}, {"1": 1, "2": 1, "3": 1, "4": 1}),
    ],
)
async def test_functions_change_the_score(
    filled: Pair, members: Json, expected: dict[str, float]
) -> None:
    found = await scores(filled, {"function_score": members})
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-6)


async def test_scores_of_clauses_add_up_as_without_it(filled: Pair) -> None:
    fox = {"match": {"t": "fox"}}
    tripled = {"function_score": {"query": fox, "weight": 3}}
    red = await scores(filled, RED)
    plain = await scores(filled, fox)
    both = await scores(filled, {"bool": {"should": [RED, tripled]}})
    assert both == pytest.approx(
        {doc: red.get(doc, 0) + 3 * plain.get(doc, 0) for doc in red.keys() | plain.keys()},
        rel=1e-6,
    )
    best = await scores(filled, {"dis_max": {"queries": [RED, tripled], "tie_breaker": 0.5}})
    assert best == pytest.approx(
        {
            doc: max(red.get(doc, 0), 3 * plain.get(doc, 0))
            + 0.5 * min(red.get(doc, 0), 3 * plain.get(doc, 0))
            for doc in red.keys() | plain.keys()
        },
        rel=1e-6,
    )


async def test_what_scores_decide_follows_them(filled: Pair) -> None:
    """Paging, sorting, min_score, totals and aggregations."""
    query = {"function_score": {"query": RED, "weight": 2}}
    everything = await scores(filled, query)
    best = next(iter(everything))
    assert await scores(filled, query, size=1) == {best: everything[best]}
    assert list(await scores(filled, query, sort=[{"_score": "asc"}], track_scores=True)) == list(
        reversed(everything)
    )
    body = {"query": query, "min_score": 0.7, "aggs": {"k": {"terms": {"field": "k"}}}}
    answer = await filled.local.call("POST", "/c2a/_search", body)
    assert answer["hits"]["total"]["value"] == sum(each >= 0.7 for each in everything.values())
    assert [each["doc_count"] for each in answer["aggregations"]["k"]["buckets"]] == [2, 1]


async def test_scores_of_two_clusters_are_of_one_list(filled: Pair) -> None:
    query = {"function_score": {"random_score": {"seed": 5, "field": "n"}}}
    answer = await filled.local.call("POST", "/c2a,eu:c2a/_search", {"query": query})
    found = [hit["_score"] for hit in answer["hits"]["hits"]]
    assert found == sorted(found, reverse=True)
    assert len(found) == 8
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("members", "status", "reason"),
    [
        (
            {"query": {"term": {"k": "c"}}, "field_value_factor": {"field": "n"}},
            400,
            "field value function must not produce negative scores, but got: [-3.0] for field value: "
            "[-3.0]",
        ),
        (
            {"query": {"term": {"k": "b"}}, "field_value_factor": {"field": "n"}},
            500,
            "Missing value for field [n]",
        ),
        (
            {"field_value_factor": {"field": "n", "missing": 1, "modifier": "ln"}},
            500,
            "function score query returned an invalid score: NaN for doc: 2",
        ),
        ({"gauss": {"zz": {"origin": 5, "scale": 3}}}, 400, "unknown field [zz]"),
        (
            {"gauss": {"n": {"scale": 3}}},
            400,
            "both [scale] and [origin] must be set for numeric fields.",
        ),
        (
            {"gauss": {"n": {"origin": 5, "scale": 3, "decay": 2}}},
            400,
            "failed to create query: function_score : decay must be in the range [0..1].",
        ),
        ({"weight": -1}, 400, "[weight] cannot be negative for a filtering function"),
        (
            {"functions": [{"weight": 1}], "weight": 2},
            400,
            "failed to parse [function_score] query. [you can either define [functions] array or a "
            "single function, not both. already found [functions] array, now encountering [weight].]",
        ),
        (
            {"foo": {}},
            400,
            "unknown query [function_score] did you mean any of [random_score, script_score]?",
        ),
        (
            {"script_score": {"script": "1"}},
            400,
            "[script_score] is not supported: scripts cannot be run here. Use [field_value_factor], a "
            "decay function or [weight] with a [filter] instead",
        ),
    ],
)
async def test_what_makes_no_sense_is_told(
    filled: Pair, members: Json, status: int, reason: str
) -> None:
    answer = await filled.local.request(
        "POST", "/c2a/_search", {"query": {"function_score": members}}
    )
    assert answer.status == status
    assert answer.body["error"]["root_cause"][0]["reason"] == reason


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"field": "g", "origin": "52,4", "pivot": "10km"},
            {"1": 0.36197373, "2": 0.13299815, "4": 0.07133912},
        ),
        (
            {"field": "d", "origin": "2024-01-05", "pivot": "10d"},
            {"1": 0.6666667, "2": 0.6666667, "3": 0.2777778},
        ),
        ({"field": "zz", "origin": "2024-01-05", "pivot": "10d"}, {}),
    ],
)
async def test_what_is_near_scores_higher(
    filled: Pair, members: Json, expected: dict[str, float]
) -> None:
    """distance_feature: every document with a value matches, whatever its distance."""
    found = await scores(filled, {"distance_feature": members})
    assert found == pytest.approx(expected, rel=1e-6)
