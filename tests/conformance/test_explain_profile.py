"""Explanations and profiles over several clusters."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]

DOCUMENTS: dict[str, Json] = {
    "1": {"t": "one two", "k": "a", "n": 1},
    "2": {"t": "two", "k": "b", "n": 2},
    "3": {"t": "three one two two", "k": "a", "n": 3},
    "4": {"k": "c", "n": 4},
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    mapping = {"t": {"type": "text"}, "k": {"type": "keyword"}, "n": {"type": "long"}}
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/i", {"mappings": {"properties": mapping}})
        await cluster.fill("i", DOCUMENTS)
    return pair


async def explained(pair: Pair, query: Json, **more: Any) -> Json:
    body = {"explain": True, "_source": False, "size": 1, "query": query, **more}
    answer = await pair.local.call("POST", "/i/_search", body)
    hit: Json = answer["hits"]["hits"][0]
    return hit


def outline(explanation: Json) -> list[Any]:
    """Values and descriptions, as a tree of lists."""
    value = explanation["value"]
    shown = [pytest.approx(value, rel=1e-5) if isinstance(value, float) else value]
    return [*shown, explanation["description"], *map(outline, explanation["details"])]


TWO = [
    pytest.approx(0.14181954, rel=1e-5),
    "weight(t:two in 0) [PerFieldSimilarity], result of:",
    [
        pytest.approx(0.14181954, rel=1e-5),
        "score(freq=1.0), computed as boost * idf * tf from:",
        [pytest.approx(2.2), "boost"],
        [
            pytest.approx(0.13353139, rel=1e-5),
            "idf, computed as log(1 + (N - n + 0.5) / (n + 0.5)) from:",
            [3, "n, number of documents containing term"],
            [3, "N, total number of documents with field"],
        ],
        [
            pytest.approx(0.48275858, rel=1e-5),
            "tf, computed as freq / (freq + k1 * (1 - b + b * dl / avgdl)) from:",
            [1.0, "freq, occurrences of term within document"],
            [pytest.approx(1.2), "k1, term saturation parameter"],
            [0.75, "b, length normalization parameter"],
            [2.0, "dl, length of field"],
            [pytest.approx(2.3333333), "avgdl, average length of field"],
        ],
    ],
]


async def test_words_are_explained_by_their_formula(filled: Pair) -> None:
    hit = await explained(filled, {"match": {"t": "one two"}})
    assert (hit["_shard"], hit["_node"]) == ("[i][0]", "local")
    whole, how, one, two = outline(hit["_explanation"])
    assert whole == hit["_score"]
    assert how == "sum of:"
    assert one[1] == "weight(t:one in 0) [PerFieldSimilarity], result of:"
    assert two == TWO


@pytest.mark.parametrize(
    ("query", "value", "description"),
    [
        ({"match_all": {}}, 1.0, "*:*"),
        ({"match_all": {"boost": 3}}, 3.0, "*:*^3.0"),
        ({"term": {"n": {"value": 3, "boost": 2}}}, 2.0, "n:[3 TO 3]^2.0"),
        ({"terms": {"k": ["a", "b"]}}, 1.0, "k:(a b)"),
        ({"exists": {"field": "t"}}, 1.0, "ConstantScore(FieldExistsQuery [field=t])"),
        (
            {"constant_score": {"filter": {"match": {"t": "three"}}, "boost": 2}},
            2.0,
            "ConstantScore(t:three)^2.0",
        ),
        ({"bool": {"filter": [{"term": {"k": "a"}}]}}, 0.0, "ConstantScore(k:a)^0.0"),
        ({"prefix": {"k": "a"}}, 1.0, "k:a*"),
    ],
)
async def test_constant_scores(filled: Pair, query: Json, value: float, description: str) -> None:
    hit = await explained(filled, query)
    assert hit["_score"] == value
    assert hit["_explanation"] == {"value": value, "description": description, "details": []}


async def test_clauses_are_explained_one_by_one(filled: Pair) -> None:
    query = {
        "bool": {
            "must": [{"match": {"t": "one"}}],
            "filter": [{"term": {"k": "a"}}],
            "should": [{"match": {"t": "three"}}],
            "must_not": [{"term": {"n": 9}}],
        }
    }
    explanation = (await explained(filled, query))["_explanation"]
    assert [each["description"] for each in explanation["details"]] == [
        "weight(t:one in 2) [PerFieldSimilarity], result of:",
        "weight(t:three in 2) [PerFieldSimilarity], result of:",
        "match on required clause, product of:",
    ]
    assert explanation["value"] == pytest.approx(
        sum(each["value"] for each in explanation["details"]), rel=1e-6
    )


async def test_rescored_hits_show_both_scores(filled: Pair) -> None:
    rescore = {"query": {"rescore_query": {"match": {"t": "three"}}, "query_weight": 0.5}}
    hit = await explained(filled, {"match": {"t": "one"}}, rescore=rescore)
    explanation = hit["_explanation"]
    assert explanation["value"] == hit["_score"]
    assert [each["details"][1]["description"] for each in explanation["details"]] == [
        "primaryWeight",
        "secondaryWeight",
    ]


@pytest.mark.parametrize("trips", ["true", "false"])
async def test_explanations_name_their_node(filled: Pair, trips: str) -> None:
    body = {"explain": True, "query": {"match": {"t": "three"}}}
    target = f"/i,eu:i/_search?ccs_minimize_roundtrips={trips}"
    hits = (await filled.local.call("POST", target, body))["hits"]["hits"]
    assert {(hit["_index"], hit["_shard"], hit["_node"]) for hit in hits} == {
        ("i", "[i][0]", "local"),
        ("eu:i", "[i][0]", "eu"),
    }
    assert all(hit["_explanation"]["value"] == hit["_score"] for hit in hits)


@pytest.mark.parametrize("trips", ["true", "false"])
async def test_the_shards_of_all_clusters_are_profiled(filled: Pair, trips: str) -> None:
    """S-60: each tells its node, its cluster and its index, with the alias in its id."""
    body = {
        "profile": True,
        "query": {
            "bool": {"must": [{"match": {"t": "one two"}}], "filter": [{"term": {"k": "a"}}]}
        },
        "aggs": {"a": {"terms": {"field": "k"}, "aggs": {"m": {"max": {"field": "n"}}}}},
    }
    target = f"/i,eu:i/_search?ccs_minimize_roundtrips={trips}"
    shards = (await filled.local.call("POST", target, body))["profile"]["shards"]
    assert [(each["id"], each["node_id"], each["cluster"], each["index"]) for each in shards] == [
        ("[local][i][0]", "local", "(local)", "i"),
        ("[eu][eu:i][0]", "eu", "eu", "i"),
    ]
    for shard in shards:
        ((search,),) = (shard["searches"],)
        (query,) = search["query"]
        assert (query["type"], query["description"]) == ("BooleanQuery", "+(t:one t:two) #k:a")
        assert query["time_in_nanos"] > 0
        assert [each["description"] for each in query["children"]] == ["t:one t:two", "k:a"]
        (collector,) = search["collector"]
        assert collector["name"] == "QueryPhaseCollector"
        (aggregation,) = shard["aggregations"]
        assert (aggregation["description"], aggregation["children"][0]["description"]) == ("a", "m")


async def test_nothing_is_fetched_where_nothing_is_shown(filled: Pair) -> None:
    body = {"profile": True, "size": 0}
    for _ in range(2):  # an answer that is kept would bring the times of another search
        (shard,) = (await filled.local.call("POST", "/i/_search", body))["profile"]["shards"]
        assert "fetch" not in shard
    body["size"] = 1
    (shard,) = (await filled.local.call("POST", "/i/_search", body))["profile"]["shards"]
    assert shard["fetch"]["type"] == "fetch"
    assert "profile" not in await filled.local.call("POST", "/i/_search", {"profile": False})
