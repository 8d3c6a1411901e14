"""Collapse over several clusters: section "Modes and merge" of the checklist, and what the reference answers."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]

MAPPING = {
    "k": {"type": "keyword"},
    "n": {"type": "long"},
    "d": {"type": "double"},
    "t": {"type": "text"},
    "l": {"type": "keyword"},
}
LOCAL: dict[str, Json] = {
    "1": {"k": "a", "n": 1, "d": 1.5, "t": "one two", "l": "p"},
    "2": {"k": "a", "n": 2, "d": 2.5, "t": "two", "l": "q"},
    "3": {"k": "b", "n": 3, "d": 2.5, "t": "two three", "l": "p"},
    "4": {"n": 4, "t": "one"},
    "5": {"n": 5, "t": "one", "k": "c"},
    "6": {"n": 6},
}
REMOTE: dict[str, Json] = {
    "11": {"k": "a", "n": 11, "t": "two"},
    "12": {"k": "z", "n": 12, "t": "two two"},
    "13": {"n": 0, "t": "one"},
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster, documents in ((pair.local, LOCAL), (pair.eu, REMOTE)):
        body = {"settings": {"number_of_shards": 2}, "mappings": {"properties": MAPPING}}
        await cluster.call("PUT", "/i", body)
        await cluster.fill("i", documents)
    return pair


async def search(pair: Pair, body: Json, *, expression: str = "i,eu:i") -> Json:
    answer: Json = await pair.local.call("POST", f"/{expression}/_search", body)
    return answer


def shown(answer: Json) -> list[tuple[str, str, Any]]:
    return [
        (hit["_index"], hit["_id"], hit.get("fields", {}).get("k", [None])[0])
        for hit in answer["hits"]["hits"]
    ]


async def test_one_hit_for_each_key_over_all_clusters(filled: Pair) -> None:
    """S-64: the best of each, those without a key together; the total is of all documents."""
    answer = await search(filled, {"collapse": {"field": "k"}, "sort": ["n"], "_source": False})
    assert shown(answer) == [
        ("eu:i", "13", None),
        ("i", "1", "a"),
        ("i", "3", "b"),
        ("i", "5", "c"),
        ("eu:i", "12", "z"),
    ]
    assert answer["hits"]["total"] == {"value": 9, "relation": "eq"}
    assert answer["hits"]["max_score"] is None
    assert answer["num_reduce_phases"] == 3


@pytest.mark.parametrize(("from_", "size"), [(0, 2), (1, 2), (2, 10), (4, 1), (5, 5)])
async def test_pages_are_of_groups(filled: Pair, from_: int, size: int) -> None:
    whole = await search(filled, {"collapse": {"field": "k"}, "sort": [{"n": "desc"}]})
    page = await search(
        filled, {"collapse": {"field": "k"}, "sort": [{"n": "desc"}], "from": from_, "size": size}
    )
    assert shown(page) == shown(whole)[from_ : from_ + size]


async def test_a_cluster_without_hits_breaks_nothing(filled: Pair) -> None:
    """S-58: for a collapse."""
    body = {"collapse": {"field": "k"}, "sort": ["n"], "query": {"term": {"k": "b"}}}
    assert shown(await search(filled, body)) == [("i", "3", "b")]


async def test_numbers_are_keys_too(filled: Pair) -> None:
    answer = await search(filled, {"collapse": {"field": "d"}, "sort": ["n"], "_source": False})
    found = [(hit["_id"], hit.get("fields")) for hit in answer["hits"]["hits"]]
    assert found == [("13", None), ("1", {"d": [1.5]}), ("2", {"d": [2.5]})]


async def test_the_key_is_shown_beside_other_fields(filled: Pair) -> None:
    body = {"collapse": {"field": "k"}, "sort": ["n"], "fields": ["n"], "size": 1, "from": 1}
    (hit,) = (await search(filled, body))["hits"]["hits"]
    assert hit["fields"] == {"n": [1], "k": ["a"]}


async def test_inner_hits_come_from_every_cluster(filled: Pair) -> None:
    """S-64: as the reference answers, groups of no key and pages of inner hits included."""
    inner: Json = {
        "name": "x",
        "size": 2,
        "from": 1,
        "_source": ["n"],
        "sort": [{"n": "desc"}],
        "fields": ["t"],
        "collapse": {"field": "l"},
    }
    body = {"collapse": {"field": "k", "inner_hits": inner}, "sort": ["n"], "_source": False}
    answer = await search(filled, body)
    assert "num_reduce_phases" not in answer
    groups = {hit["_id"]: hit["inner_hits"]["x"]["hits"] for hit in answer["hits"]["hits"]}
    assert {key: group["total"]["value"] for key, group in groups.items()} == {
        "13": 3,
        "1": 3,
        "3": 1,
        "5": 1,
        "12": 1,
    }
    assert groups["1"]["hits"] == [
        {
            "_index": "i",
            "_id": "2",
            "_score": None,
            "_source": {"n": 2},
            "fields": {"t": ["two"], "l": ["q"]},
            "sort": [2],
        },
        {
            "_index": "i",
            "_id": "1",
            "_score": None,
            "_source": {"n": 1},
            "fields": {"t": ["one two"], "l": ["p"]},
            "sort": [1],
        },
    ]
    assert all(not groups[key]["hits"] for key in ("13", "3", "5", "12"))


async def test_inner_hits_answer_the_query(filled: Pair) -> None:
    """They score by the client's query, and are limited by its post filter."""
    body: Json = {
        "collapse": {"field": "d", "inner_hits": [{"name": "a"}, {"name": "b", "size": 0}]},
        "query": {"match": {"t": "two"}},
        "post_filter": {"term": {"l": "p"}},
        "sort": ["n"],
    }
    answer = await search(filled, body, expression="i")
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["1", "3"]
    for hit in answer["hits"]["hits"]:
        (same,) = hit["inner_hits"]["a"]["hits"]["hits"]
        assert (same["_id"], same["_score"] > 0) == (hit["_id"], True)
        assert hit["inner_hits"]["b"]["hits"]["hits"] == []


async def test_inner_hits_that_fail_fail_the_search(filled: Pair) -> None:
    inner = {"name": "x", "sort": [{"nope": "asc"}]}
    answer = await filled.local.request(
        "POST", "/i/_search", {"collapse": {"field": "k", "inner_hits": inner}}
    )
    error = answer.body["error"]
    assert (answer.status, error["reason"], error["phase"]) == (
        400,
        "failed to expand hits",
        "expand",
    )
    assert error["caused_by"]["reason"] == "all shards failed"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"collapse": {"field": "t"}},
            "collapse is not supported for the field [t] of the type [text]",
        ),
        (
            {"collapse": {"field": "_id"}},
            "collapse is not supported for the field [_id] of the type [_id]",
        ),
        ({"collapse": {"field": "zz"}}, "no mapping found for `zz` in order to collapse on"),
        (
            {"collapse": {"field": "k"}, "sort": ["n"], "search_after": [1]},
            "Cannot use [collapse] in conjunction with [search_after] unless the search is sorted "
            "on the same field. Multiple sort fields are not allowed.",
        ),
    ],
)
async def test_what_cannot_be_collapsed(filled: Pair, body: Json, reason: str) -> None:
    answer = await filled.local.request("POST", "/i/_search", body)
    (cause,) = answer.body["error"]["root_cause"]
    assert (answer.status, cause["type"], cause["reason"]) == (
        400,
        "illegal_argument_exception",
        reason,
    )


async def test_pages_by_search_after_on_the_same_field(filled: Pair) -> None:
    body: Json = {"collapse": {"field": "k"}, "sort": ["k"], "search_after": ["a"]}
    assert [key for _, _, key in shown(await search(filled, body))] == ["b", "c", "z", None]


async def test_a_key_of_several_values_fails_its_shard(filled: Pair) -> None:
    await filled.local.fill("i", {"7": {"k": ["x", "y"]}})
    answer = await search(filled, {"collapse": {"field": "k"}}, expression="i")
    (failure,) = answer["_shards"]["failures"]
    assert failure["reason"]["reason"].startswith("failed to extract doc:")
    assert failure["reason"]["reason"].endswith(", the grouping field must be single valued")
