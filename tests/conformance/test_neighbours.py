"""Nearest neighbours and retrievers over several clusters."""

import random
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]


def vectors(similarity: str, dims: int = 3) -> Json:
    return {
        "type": "dense_vector",
        "dims": dims,
        "similarity": similarity,
        "index_options": {"type": "flat"},
    }


MAPPING = {
    "l": vectors("l2_norm"),
    "c": vectors("cosine"),
    "d": vectors("dot_product", 2),
    "m": vectors("max_inner_product"),
    "x": {"type": "dense_vector", "dims": 3, "index": False},
    "t": {"type": "text"},
    "k": {"type": "keyword"},
    "n": {"type": "long"},
}
LOCAL = {
    "1": {"l": [1, 2, 3], "c": [1, 2, 3], "d": [0.6, 0.8], "m": [1, 2, 3], "t": "one", "k": "a"},
    "2": {
        "l": [1, 2, 4],
        "c": [-1, 2, 3],
        "d": [1, 0],
        "m": [-1, -2, -3],
        "t": "one two",
        "k": "b",
    },
    "3": {"l": [3, 0, 0], "c": [3, 0, 0.1], "d": [0, 1], "m": [5, 5, 5], "t": "two", "k": "a"},
    "4": {"t": "one"},
}
REMOTE = {"11": {"l": [1, 2, 3.1], "t": "one"}, "12": {"l": [0, 0, 0.5]}}


async def make(cluster: InProcessCluster, documents: dict[str, Any], shards: int = 1) -> None:
    body = {"settings": {"number_of_shards": shards}, "mappings": {"properties": MAPPING}}
    await cluster.call("PUT", "/i", body)
    await cluster.fill("i", documents)


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    await make(pair.local, LOCAL)
    await make(pair.eu, REMOTE)
    return pair


async def search(pair: Pair, body: Json, expression: str = "i") -> Json:
    answer: Json = await pair.local.call("POST", f"/{expression}/_search", body)
    return answer


def scored(answer: Json) -> list[tuple[str, str, Any]]:
    return [(hit["_index"], hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]


def ids(answer: Json) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


NEAR: Json = {"field": "l", "query_vector": [1, 2, 3], "k": 2, "num_candidates": 10}


async def test_the_nearest_of_all_clusters(filled: Pair) -> None:
    """S-120: two of both clusters together, not two of each."""
    answer = await search(filled, {"knn": NEAR}, "i,eu:i")
    assert scored(answer) == [
        ("i", "1", 1.0),
        ("eu:i", "11", pytest.approx(1 / 1.01, rel=1e-5)),
    ]
    assert answer["hits"]["total"] == {"value": 2, "relation": "eq"}
    assert "num_reduce_phases" not in answer


async def test_the_query_form_takes_the_nearest_of_each_shard(filled: Pair) -> None:
    answer = await search(filled, {"query": {"knn": NEAR}}, "i,eu:i")
    assert ids(answer) == ["1", "11", "2", "12"]


@pytest.mark.parametrize(
    ("field", "vector", "expected"),
    [
        ("l", [1, 2, 3], [("1", 1.0), ("2", 0.5), ("3", 1 / 18)]),
        ("c", [1, 2, 3], [("1", 1.0), ("2", 1 - 1 / 14), ("3", 0.646876)]),
        ("d", [0.6, 0.8], [("1", 1.0), ("3", 0.9), ("2", 0.8)]),
        ("m", [1, 2, 3], [("3", 31.0), ("1", 15.0), ("2", 1 / 15)]),
    ],
)
async def test_similarities(
    filled: Pair, field: str, vector: list[float], expected: list[tuple[str, float]]
) -> None:
    answer = await search(filled, {"knn": {**NEAR, "field": field, "query_vector": vector, "k": 5}})
    found: list[tuple[str, Any]] = [(doc_id, score) for _, doc_id, score in scored(answer)]
    assert found == [(doc_id, pytest.approx(score, rel=1e-4)) for doc_id, score in expected]


async def test_filters_come_before_the_choice(filled: Pair) -> None:
    answer = await search(filled, {"knn": {**NEAR, "filter": {"term": {"k": "b"}}}}, "i,eu:i")
    assert ids(answer) == ["2"]


async def test_what_is_not_near_enough_is_left_out(filled: Pair) -> None:
    answer = await search(filled, {"knn": {**NEAR, "k": 5, "similarity": 1}})
    assert ids(answer) == ["1", "2"]


async def test_scores_add_to_those_of_the_query(filled: Pair) -> None:
    alone = {
        doc_id: score
        for _, doc_id, score in scored(await search(filled, {"query": {"match": {"t": "two"}}}))
    }
    body = {"knn": {**NEAR, "boost": 2}, "query": {"match": {"t": "two"}}}
    answer = await search(filled, body)
    assert scored(answer) == [
        ("i", "1", 2.0),
        ("i", "2", pytest.approx(1 + alone["2"], rel=1e-6)),
        ("i", "3", pytest.approx(alone["3"], rel=1e-6)),
    ]


async def test_several_clauses_and_aggregations(filled: Pair) -> None:
    clauses = [NEAR, {**NEAR, "field": "c", "boost": 0.5, "_name": "c"}]
    body = {"knn": clauses, "aggs": {"k": {"terms": {"field": "k"}}}, "size": 1}
    answer = await search(filled, body)
    assert scored(answer) == [("i", "1", 1.5)]
    assert answer["hits"]["hits"][0]["matched_queries"] == ["c"]
    buckets = answer["aggregations"]["k"]["buckets"]
    assert [(each["key"], each["doc_count"]) for each in buckets] == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        (
            {"query_vector": [1, 2]},
            "failed to create query: The query vector has a different number of dimensions [2] "
            "than the document vectors [3].",
        ),
        (
            {"field": "c", "query_vector": [0, 0, 0]},
            "failed to create query: The [cosine] similarity does not support vectors with zero "
            "magnitude. Preview of invalid vector: [0.0, 0.0, 0.0]",
        ),
        (
            {"field": "d", "query_vector": [1, 1]},
            "failed to create query: The [dot_product] similarity can only be used with "
            "unit-length vectors. Preview of invalid vector: [1.0, 1.0]",
        ),
        (
            {"field": "t"},
            "failed to create query: [knn] queries are only supported on [dense_vector] fields",
        ),
        (
            {"field": "x"},
            "failed to create query: to perform knn search on field [x], its mapping must have "
            "[index] set to [true]",
        ),
        ({"k": 0}, "[k] must be greater than 0"),
        ({"num_candidates": 1}, "[num_candidates] cannot be less than [k]"),
        ({"num_candidates": 20_000}, "[num_candidates] cannot exceed [10000]"),
        ({"bla": 1}, "[1:70] [knn] unknown field [bla]"),
    ],
)
async def test_what_has_no_neighbours(filled: Pair, clause: Json, reason: str) -> None:
    answer = await filled.local.request("POST", "/i/_search", {"knn": {**NEAR, **clause}})
    error = answer.body["error"]
    assert (answer.status, error["root_cause"][0]["reason"]) == (400, reason)
    assert error.get("phase", "dfs") == "dfs"


async def test_a_search_for_neighbours_counts_as_one(filled: Pair) -> None:
    """S-128: the search for the nearest is a part of it, whether it ends well or not."""

    async def counts() -> Json:
        answer = await filled.local.call("GET", "/_cluster/stats")
        found: Json = answer["ccs"]["_search"]
        return found

    await search(filled, {"knn": [NEAR, {**NEAR, "k": 1}]}, "i,eu:i")
    first = await counts()
    assert (first["total"], first["success"], first["features"]) == (1, 1, {})
    filled.link.skip_unavailable, filled.link.is_cut = False, True
    await filled.local.request("POST", "/i,eu:i/_search", {"knn": NEAR})
    second = await counts()
    assert (second["total"], second["success"]) == (2, 1)
    assert second["failure_reasons"] == {"remotes_unavailable": 1}


# -- retrievers --------------------------------------------------------------------------------------------------

MATCH: Json = {"standard": {"query": {"match": {"t": "one"}}}}


async def test_a_standard_retriever_is_a_search(filled: Pair) -> None:
    retriever = {"standard": {**MATCH["standard"], "filter": {"term": {"k": "a"}}, "sort": ["k"]}}
    (hit,) = (await search(filled, {"retriever": retriever}))["hits"]["hits"]
    assert (hit["_id"], hit["sort"]) == ("1", ["a"])


async def test_a_knn_retriever_is_a_knn_section(filled: Pair) -> None:
    answer = await search(filled, {"retriever": {"knn": NEAR}}, "i,eu:i")
    assert ids(answer) == ["1", "11"]


async def test_a_rescorer_shows_its_window(filled: Pair) -> None:
    rescore = {"window_size": 2, "query": {"rescore_query": {"match": {"t": "two"}}}}
    body = {"retriever": {"rescorer": {"retriever": MATCH, "rescore": rescore}}}
    answer = await search(filled, body)
    assert len(answer["hits"]["hits"]) == 2
    assert answer["hits"]["total"]["value"] == 3


async def test_ranks_are_fused(filled: Pair) -> None:
    """1 / (60 + rank), summed; the total is of all that any retriever found."""
    body = {"retriever": {"rrf": {"retrievers": [MATCH, {"knn": NEAR}]}}, "_source": ["k"]}
    answer = await search(filled, body)
    assert scored(answer) == [
        ("i", "1", pytest.approx(1 / 61 + 1 / 61, rel=1e-6)),
        ("i", "2", pytest.approx(1 / 63 + 1 / 62, rel=1e-6)),
        ("i", "4", pytest.approx(1 / 62, rel=1e-6)),
    ]
    assert answer["hits"]["hits"][0]["_source"] == {"k": "a"}
    assert answer["hits"]["total"]["value"] == 3
    assert answer["hits"]["max_score"] == answer["hits"]["hits"][0]["_score"]


async def test_equal_ids_in_two_clusters_are_two_documents(filled: Pair) -> None:
    await filled.eu.fill("i", {"1": {"l": [1, 2, 3], "t": "one", "n": 1}})
    body = {"retriever": {"rrf": {"retrievers": [{"knn": NEAR}]}}}
    answer = await search(filled, body, "i,eu:i")
    assert {(index, doc_id) for index, doc_id, _ in scored(answer)} == {("i", "1"), ("eu:i", "1")}


@pytest.mark.parametrize("seed", range(4))
async def test_fusion_over_clusters_is_that_of_the_union(pair: Pair, seed: int) -> None:
    """S-121: with the same rank lists, here by a unique number and by exact distances."""
    rnd = random.Random(seed)
    documents = {
        str(number): {
            "l": [rnd.uniform(-9, 9) for _ in range(3)],
            "n": number,
            "k": rnd.choice("ab"),
        }
        for number in range(60)
    }
    here = {key: value for key, value in documents.items() if rnd.random() < 0.5}
    await make(pair.local, here, shards=2)
    await make(pair.eu, {key: value for key, value in documents.items() if key not in here})
    union = {"mappings": {"properties": MAPPING}}
    await pair.local.call("PUT", "/u", union)
    await pair.local.fill("u", documents)
    by_number = {"standard": {"query": {"range": {"n": {"gte": 9}}}, "sort": [{"n": "desc"}]}}
    near = {"knn": {"field": "l", "query_vector": [1, 1, 1], "k": 15, "num_candidates": 50}}
    body = {
        "retriever": {
            "rrf": {
                "retrievers": [by_number, near],
                "rank_window_size": 20,
                "rank_constant": rnd.choice([1, 60]),
                "filter": {"term": {"k": "a"}},
            }
        },
        "from": rnd.choice([0, 3]),
        "size": 7,
        "aggs": {"n": {"stats": {"field": "n"}}},
    }
    one, many = await search(pair, body, "u"), await search(pair, body, "i,eu:i")
    assert [hit["_source"] for hit in many["hits"]["hits"]] == [
        hit["_source"] for hit in one["hits"]["hits"]
    ]
    assert [score for _, _, score in scored(many)] == [score for _, _, score in scored(one)]
    assert many["hits"]["total"] == one["hits"]["total"]
    assert many["aggregations"] == one["aggregations"]


async def test_scores_are_fused_by_weights(filled: Pair) -> None:
    parts = [
        {"retriever": MATCH, "weight": 0.0},
        {"retriever": {"knn": {**NEAR, "k": 3}}, "weight": 2.0, "normalizer": "minmax"},
    ]
    answer = await search(filled, {"retriever": {"linear": {"retrievers": parts}}})
    found = {doc_id: score for _, doc_id, score in scored(answer)}
    assert found == {
        "1": 2.0,
        "2": pytest.approx(2 * (0.5 - 1 / 18) / (1 - 1 / 18)),
        "3": 0,
        "4": 0,
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"retriever": {"bla": {}}}, "unknown retriever [bla]"),
        ({"retriever": {}}, "retriever malformed, empty clause found"),
        (
            {"retriever": {"text_similarity_reranker": {}}},
            "[text_similarity_reranker] retriever is not supported by this version",
        ),
        (
            {"retriever": MATCH, "query": {"match_all": {}}, "sort": ["k"]},
            "Validation Failed: 1: cannot specify [retriever] and [query, sort];",
        ),
        (
            {"retriever": {"rrf": {"retrievers": [MATCH]}}, "size": 20},
            "Validation Failed: 1: [rrf] requires [rank_window_size: 10] be greater than or equal "
            "to [size: 20];",
        ),
        ({"retriever": {"rrf": {}}}, "Required [retrievers]"),
        ({"retriever": {"knn": {"field": "l", "k": 1}}}, "Required [num_candidates]"),
        ({"rank": {"rrf": {}}}, "[rank] is not supported by this version"),
    ],
)
async def test_retrievers_that_are_none(filled: Pair, body: Json, reason: str) -> None:
    answer = await filled.local.request("POST", "/i/_search", body)
    (cause,) = answer.body["error"]["root_cause"]
    assert (answer.status, cause["reason"]) == (400, reason)


@pytest.mark.parametrize("form", ["section", "query"])
async def test_the_filter_of_an_alias_comes_before_the_choice(filled: Pair, form: str) -> None:
    """S-22: the nearest of what the alias shows, not what it shows of the nearest."""
    add = {"index": "i", "alias": "only_b", "filter": {"term": {"k": "b"}}}
    await filled.eu.call("POST", "/_aliases", {"actions": [{"add": add}]})
    await filled.eu.fill("i", {"13": {"l": [9, 9, 9], "k": "b"}})
    body = {"knn": {**NEAR, "k": 1}} if form == "section" else {"query": {"knn": {**NEAR, "k": 1}}}
    assert ids(await search(filled, body, "eu:only_b")) == ["13"]
