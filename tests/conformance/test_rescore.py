"""Rescoring: scores are those that the reference answered for the same documents."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]

DOCUMENTS = {
    "1": {"k": "a", "n": 1, "t": "one two"},
    "2": {"k": "a", "n": 2, "t": "two two two"},
    "3": {"k": "b", "n": 3, "t": "two three one one"},
    "4": {"n": 4, "t": "one"},
    "5": {"n": 5, "t": "three one two three"},
}
THREE: Json = {"rescore_query": {"match": {"t": "three"}}}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    mapping = {"k": {"type": "keyword"}, "n": {"type": "long"}, "t": {"type": "text"}}
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/i", {"mappings": {"properties": mapping}})
        await cluster.fill("i", DOCUMENTS)
    return pair


async def scores(
    pair: Pair, rescore: Any, *, expression: str = "i", size: int = 10, from_: int = 0
) -> list[Any]:
    body = {
        "query": {"match": {"t": "one two"}},
        "rescore": rescore,
        "size": size,
        "from": from_,
    }
    answer = await pair.local.call("POST", f"/{expression}/_search", body)
    hits = answer["hits"]["hits"]
    if hits and not from_:
        assert answer["hits"]["max_score"] == hits[0]["_score"]
    return [(hit["_id"], hit["_score"]) for hit in hits]


def near(expected: list[tuple[str, float]]) -> list[tuple[str, Any]]:
    return [(doc_id, pytest.approx(score, rel=1e-6)) for doc_id, score in expected]


LAST = [("2", 0.4452567), ("4", 0.39033514)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("total", [("5", 1.5638168), ("3", 1.3426545), ("1", 0.6515153), *LAST]),
        ("avg", [("5", 0.7819084), ("3", 0.67132723), ("1", 0.6515153), *LAST]),
        ("max", [("5", 1.0742804), ("3", 0.744874), ("1", 0.6515153), *LAST]),
        ("min", [("1", 0.6515153), ("3", 0.59778047), ("5", 0.48953635), *LAST]),
        ("multiply", [("1", 0.6515153), ("5", 0.5258993), ("3", 0.44527113), *LAST]),
    ],
)
async def test_how_two_scores_become_one(
    filled: Pair, mode: str, expected: list[tuple[str, float]]
) -> None:
    rescore = {"window_size": 3, "query": {**THREE, "score_mode": mode}}
    assert await scores(filled, rescore) == near(expected)


async def test_hits_outside_the_window_keep_their_weight(filled: Pair) -> None:
    rescore = {"window_size": 2, "query": {**THREE, "query_weight": 0.5, "rescore_query_weight": 2}}
    assert await scores(filled, rescore) == near(
        [
            ("3", 1.7886382),
            ("1", 0.32575765),
            ("5", 0.24476817),
            ("2", 0.22262836),
            ("4", 0.19516757),
        ]
    )


async def test_rescorers_follow_each_other(filled: Pair) -> None:
    two = {"rescore_query": {"match": {"t": "two"}}, "rescore_query_weight": -3}
    rescore = [{"window_size": 3, "query": THREE}, {"window_size": 1, "query": two}]
    assert await scores(filled, rescore) == near(
        [("3", 1.3426545), ("5", 0.82951224), ("1", 0.6515153), *LAST]
    )


async def test_pages_are_cut_after_rescoring(filled: Pair) -> None:
    page = await scores(filled, {"query": THREE}, size=2, from_=1)
    assert page == near([("3", 1.3426545), ("1", 0.6515153)])
    assert await scores(filled, {"query": THREE}, size=1) == near([("5", 1.5638168)])


async def test_each_shard_of_each_cluster_rescores_its_own(filled: Pair) -> None:
    rescore = {"window_size": 1, "query": THREE}
    found = await scores(filled, rescore, expression="i,eu:i", size=4)
    assert [doc_id for doc_id, _ in found] == ["1", "1", "3", "3"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"sort": ["n"]}, "Cannot use [sort] option in conjunction with [rescore]."),
        (
            {"rescore": {"window_size": 10_001, "query": THREE}},
            "Rescore window [10001] is too large. It must be less than [10000]. This prevents "
            "allocating massive heaps for storing the results to be rescored. This limit can be set "
            "by changing the [index.max_rescore_window] index level setting.",
        ),
        ({"rescore": {}}, "missing rescore type"),
        ({"rescore": {"query": {}}}, "rescore_query cannot be null"),
        ({"rescore": {"bla": 1}}, "rescore doesn't support [bla]"),
        ({"rescore": {"script": {}}}, "[1:22] unknown field [script]"),
        ({"rescore": {"window_size": "x", "query": THREE}}, 'For input string: "x"'),
    ],
)
async def test_what_cannot_be_rescored(filled: Pair, body: Json, reason: str) -> None:
    answer = await filled.local.request("POST", "/i/_search", {"rescore": {"query": THREE}, **body})
    (cause,) = answer.body["error"]["root_cause"]
    assert (answer.status, cause["reason"]) == (400, reason)


async def test_the_window_of_an_index_may_be_changed(filled: Pair) -> None:
    await filled.local.call("PUT", "/i/_settings", {"index.max_rescore_window": 5})
    answer = await filled.local.request(
        "POST", "/i/_search", {"rescore": {"window_size": 6, "query": THREE}}
    )
    assert answer.body["error"]["root_cause"][0]["reason"].startswith("Rescore window [6]")
