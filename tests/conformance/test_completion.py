"""Completions over several clusters: what the reference answered for the same documents."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]

LOCAL: dict[str, Json] = {
    "1": {"c": "quick fox"},
    "2": {"k": "x", "c": {"input": ["quick dog", "quiet dog"], "weight": 5}},
    "3": {"c": ["quack", "duck"]},
    "4": {"c": {"input": "brown bear", "weight": 7}},
}
REMOTE: dict[str, Json] = {"1": {"c": "quick fox"}, "2": {"c": {"input": ["quirk"], "weight": 3}}}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    mapping = {"c": {"type": "completion"}, "k": {"type": "keyword"}, "t": {"type": "text"}}
    for cluster, documents in ((pair.local, LOCAL), (pair.eu, REMOTE)):
        await cluster.call("PUT", "/i", {"mappings": {"properties": mapping}})
        await cluster.fill("i", documents)
    return pair


async def complete(
    pair: Pair, asked: Json, *, expression: str = "i", **options: Any
) -> list[tuple[str, str, float]]:
    suggestion = {**asked, "completion": {"field": "c", **options}}
    body = {"suggest": {"s": suggestion}, "_source": False}
    answer = await pair.local.call("POST", f"/{expression}/_search", body)
    ((entry,),) = answer["suggest"].values()
    return [
        (each["text"], each["_index"] + "/" + each["_id"], each["_score"])
        for each in entry["options"]
    ]


async def test_the_heaviest_first_each_document_once(filled: Pair) -> None:
    assert await complete(filled, {"prefix": "QUI"}) == [
        ("quick dog", "i/2", 5.0),
        ("quick fox", "i/1", 1.0),
    ]


async def test_the_best_of_all_clusters(filled: Pair) -> None:
    """S-119."""
    found = await complete(filled, {"prefix": "qui"}, expression="i,eu:i")
    assert found[:2] == [("quick dog", "i/2", 5.0), ("quirk", "eu:i/2", 3.0)]
    assert {place for _, place, _ in found[2:]} == {"i/1", "eu:i/1"}
    assert len(await complete(filled, {"prefix": "qui"}, expression="i,eu:i", size=3)) == 3


async def test_texts_that_several_clusters_have_come_once(filled: Pair) -> None:
    """S-119: with skip_duplicates."""
    found = await complete(filled, {"prefix": "qui"}, expression="i,eu:i", skip_duplicates=True)
    assert [text for text, _, _ in found] == ["quick dog", "quirk", "quick fox"]


@pytest.mark.parametrize(
    ("prefix", "fuzzy", "expected"),
    [
        ("qiu", {}, [("quick dog", 5.0), ("quack", 1.0), ("quick fox", 1.0)]),
        ("quick fx", True, [("quick fox", 7.0)]),
        ("brawn", {"min_length": 6}, []),
        ("brawn", {"prefix_length": 2, "transpositions": False}, [("brown bear", 14.0)]),
        ("qick", {"fuzziness": 2}, [("quick dog", 5.0), ("quack", 1.0), ("quick fox", 1.0)]),
    ],
)
async def test_near_beginnings(
    filled: Pair, prefix: str, fuzzy: Any, expected: list[tuple[str, float]]
) -> None:
    found = await complete(filled, {"prefix": prefix}, fuzzy=fuzzy)
    assert [(text, score) for text, _, score in found] == expected


@pytest.mark.parametrize(
    ("regex", "expected"),
    [("q.*d", ["quick dog"]), ("qui[c|e]", ["quick dog", "quick fox"]), ("z", [])],
)
async def test_expressions(filled: Pair, regex: str, expected: list[str]) -> None:
    assert [text for text, _, _ in await complete(filled, {"regex": regex})] == expected


async def test_an_option_is_a_hit(filled: Pair) -> None:
    suggestion = {"prefix": "quick d", "completion": {"field": "c"}}
    body = {"suggest": {"s": suggestion}, "_source": ["k"]}
    answer = await filled.local.call("POST", "/i/_search?typed_keys=true", body)
    assert answer["suggest"] == {
        "completion#s": [
            {
                "text": "quick d",
                "offset": 0,
                "length": 7,
                "options": [
                    {
                        "text": "quick dog",
                        "_index": "i",
                        "_id": "2",
                        "_score": 5.0,
                        "_source": {"k": "x"},
                    }
                ],
            }
        ]
    }


async def test_what_a_mapping_shows(filled: Pair) -> None:
    shown = await filled.local.call("GET", "/i/_mapping")
    assert shown["i"]["mappings"]["properties"]["c"] == {
        "type": "completion",
        "analyzer": "simple",
        "preserve_separators": True,
        "preserve_position_increments": True,
        "max_input_length": 50,
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            b'{"c":5}',
            "[1:6] failed to parse: failed to parse [c]: expected text or object, but got VALUE_NUMBER",
        ),
        (
            b'{"c":{"input":"a","weight":-1}}',
            "[1:28] failed to parse: weight must be in the interval [0..2147483647], but was [-1]",
        ),
        (
            b'{"c":{"bla":5}}',
            "[1:7] failed to parse: unknown field name [bla], must be one of [input, weight, contexts]",
        ),
        (
            b'{"c":{"input":5}}',
            "[1:15] failed to parse: input must be a string or array, but was [VALUE_NUMBER]",
        ),
    ],
)
async def test_documents_that_complete_nothing(filled: Pair, document: bytes, reason: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await filled.local.request("PUT", "/i/_doc/9", document, headers)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize("document", [{"c": None}, {"c": ""}, {"c": {}}, {"c": []}])
async def test_documents_without_a_completion(filled: Pair, document: Json) -> None:
    await filled.local.fill("i", {"9": document})
    assert len(await complete(filled, {"prefix": "q"})) == 3


async def test_what_is_no_completion_field(filled: Pair) -> None:
    body = {"suggest": {"s": {"prefix": "q", "completion": {"field": "t"}}}}
    answer = await filled.local.request("POST", "/i/_search", body)
    (cause,) = answer.body["error"]["root_cause"]
    assert cause["reason"] == "Field [t] is not a completion suggest field"
    answer = await filled.local.request("POST", "/i/_search", {"sort": ["c"]})
    (cause,) = answer.body["error"]["root_cause"]
    assert cause["reason"] == "Fielddata is not supported on field [c] of type [completion]"
