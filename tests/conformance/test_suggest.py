"""Suggestions over several clusters: what the reference answered for the same documents."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]

LOCAL = {
    "1": {"t": "the quick brown fox jumps", "k": "quick"},
    "2": {"t": "the quiet brown dog jumped over the quick fox", "k": "quiet"},
    "3": {"t": "a quack is no duck quick brown fox"},
    "4": {"t": "brown bear brown bread"},
}
REMOTE = {"1": {"t": "the quick brown fox jumps", "k": "quick"}, "2": {"t": "quirk quick"}}


async def make(cluster: InProcessCluster, documents: dict[str, Json], **fields: Json) -> None:
    mapping = {"t": {"type": "text"}, "k": {"type": "keyword"}, **fields}
    body = {"mappings": {"properties": mapping}}
    await cluster.call("PUT", "/i", body)
    await cluster.fill("i", documents)


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    await make(pair.local, LOCAL)
    await make(pair.eu, REMOTE)
    return pair


async def suggest(
    pair: Pair, suggestions: Json, *, expression: str = "i", params: str = ""
) -> Json:
    body = {"suggest": suggestions}
    answer = await pair.local.call("POST", f"/{expression}/_search{params}", body)
    assert answer["hits"] == {
        "total": {"value": 0, "relation": "eq"},
        "max_score": None,
        "hits": [],
    }
    found: Json = answer["suggest"]
    return found


def option(text: str, score: float, freq: int) -> Json:
    return {"text": text, "score": score, "freq": freq}


async def test_words_are_corrected_one_by_one(filled: Pair) -> None:
    found = await suggest(filled, {"s": {"text": "quik brwn fox", "term": {"field": "t"}}})
    assert found["s"] == [
        {
            "text": "quik",
            "offset": 0,
            "length": 4,
            "options": [option("quick", 0.75, 3), option("quack", 0.5, 1), option("quiet", 0.5, 1)],
        },
        {"text": "brwn", "offset": 5, "length": 4, "options": [option("brown", 0.75, 4)]},
        {"text": "fox", "offset": 10, "length": 3, "options": []},
    ]


async def test_frequencies_of_clusters_are_summed(filled: Pair) -> None:
    """S-118: and the best options of all are kept."""
    asked = {"s": {"text": "quik", "term": {"field": "t"}}}
    ((entry,),) = (await suggest(filled, asked, expression="i,eu:i")).values()
    assert entry["options"] == [
        option("quick", 0.75, 5),
        option("quirk", 0.75, 1),
        option("quack", 0.5, 1),
        option("quiet", 0.5, 1),
    ]
    asked["s"]["term"]["size"] = 2  # type: ignore[index]
    ((entry,),) = (await suggest(filled, asked, expression="i,eu:i")).values()
    assert [each["text"] for each in entry["options"]] == ["quick", "quirk"]


async def test_different_words_for_the_same_text_do_not_merge(pair: Pair) -> None:
    """S-118: a text that is one word here and two there."""
    await pair.local.call("PUT", "/i", {"mappings": {"properties": {"f": {"type": "text"}}}})
    await pair.eu.call("PUT", "/i", {"mappings": {"properties": {"f": {"type": "keyword"}}}})
    body = {"suggest": {"s": {"text": "quik fox", "term": {"field": "f"}}}}
    answer = await pair.local.request("POST", "/i,eu:i/_search", body)
    error = answer.body["error"]
    assert error["type"] == "illegal_state_exception"
    assert error["reason"].startswith("Can't merge suggest result, this might be caused by suggest")
    assert error["reason"].endswith("different sizes actual [1] expected [2]")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"suggest_mode": "always"}, []),
        ({"suggest_mode": "always", "max_term_freq": 10, "prefix_length": 0}, ["quack", "quiet"]),
        ({"suggest_mode": "popular", "max_term_freq": 10}, []),
    ],
)
async def test_whether_a_word_that_is_there_is_corrected(
    filled: Pair, options: Json, expected: list[str]
) -> None:
    asked = {"s": {"text": "quick", "term": {"field": "t", **options}}}
    ((entry,),) = (await suggest(filled, asked)).values()
    assert [each["text"] for each in entry["options"]] == expected


@pytest.mark.parametrize(
    ("distance", "scores"),
    [
        ("internal", [0.8, 0.6]),
        ("damerau_levenshtein", [0.8, 0.6]),
        ("levenshtein", [0.6, 0.6]),
        ("jaro_winkler", [0.94, 0.87999994]),
        ("ngram", [0.6, 0.6]),
    ],
)
async def test_distances_of_words(filled: Pair, distance: str, scores: list[float]) -> None:
    options = {"field": "t", "prefix_length": 0, "string_distance": distance}
    ((entry,),) = (await suggest(filled, {"s": {"text": "qiuck", "term": options}})).values()
    assert [each["text"] for each in entry["options"]] == ["quick", "quack"]
    assert [each["score"] for each in entry["options"]] == pytest.approx(scores, abs=1e-6)


async def test_phrases_are_corrected_as_a_whole(filled: Pair) -> None:
    tags = {"pre_tag": "<b>", "post_tag": "</b>"}
    asked = {"s": {"text": "quik brwn fox", "phrase": {"field": "t", "highlight": tags}}}
    ((entry,),) = (await suggest(filled, asked)).values()
    assert (entry["text"], entry["offset"], entry["length"]) == ("quik brwn fox", 0, 13)
    found = [(each["text"], each["highlighted"], each["score"]) for each in entry["options"]]
    assert found == [
        (text, highlighted, pytest.approx(score, rel=1e-6))
        for text, highlighted, score in (
            ("quick brown fox", "<b>quick brown</b> fox", 0.04244142),
            ("quack brown fox", "<b>quack brown</b> fox", 0.026337756),
            ("quiet brown fox", "<b>quiet brown</b> fox", 0.026337756),
            ("quik brown fox", "quik <b>brown</b> fox", 0.025757533),
            ("quick brwn fox", "<b>quick</b> brwn fox", 0.021598758),
        )
    ]


@pytest.mark.parametrize(
    ("options", "score"),
    [
        ({"smoothing": {"laplace": {"alpha": 0.7}}}, 0.02707124),
        ({"smoothing": {"stupid_backoff": {"discount": 0.5}}}, 0.028542364),
        ({"real_word_error_likelihood": 0.5, "max_errors": 0.9}, 0.0123682),
        ({"confidence": 2}, None),
    ],
)
async def test_models_of_phrases(filled: Pair, options: Json, score: float | None) -> None:
    phrase = {"field": "t", "confidence": 0, **options}
    asked = {"s": {"text": "quick brown fax", "phrase": phrase}}
    ((entry,),) = (await suggest(filled, asked)).values()
    expected = [] if score is None else [pytest.approx(score, rel=1e-6)]
    assert [each["score"] for each in entry["options"]] == expected


async def test_the_best_phrases_of_all_clusters(filled: Pair) -> None:
    asked = {
        "s": {"text": "quick brwn fx", "phrase": {"field": "t", "confidence": 0, "max_errors": 2}}
    }
    ((entry,),) = (await suggest(filled, asked, expression="i,eu:i")).values()
    assert [each["text"] for each in entry["options"]] == ["quick brown fx", "quick brwn fx"]


async def test_texts_are_shared_and_keys_typed(filled: Pair) -> None:
    asked = {
        "text": "quik",
        "a": {"term": {"field": "t", "size": 1}},
        "b": {"text": "brwn", "phrase": {"field": "t"}},
    }
    found = await suggest(filled, asked, params="?typed_keys=true")
    assert list(found) == ["term#a", "phrase#b"]
    assert found["term#a"][0]["options"] == [option("quick", 0.75, 3)]


async def test_suggestions_beside_hits(filled: Pair) -> None:
    body = {
        "query": {"match": {"t": "bear"}},
        "suggest": {"s": {"text": "quik", "term": {"field": "t"}}},
    }
    answer = await filled.local.call("POST", "/i/_search", body)
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["4"]
    assert answer["suggest"]["s"][0]["options"][0] == option("quick", 0.75, 3)


async def test_parameters_of_the_url(filled: Pair) -> None:
    target = "/i/_search?suggest_field=t&suggest_text=quik&suggest_mode=always&suggest_size=1"
    answer = await filled.local.call("GET", target)
    assert answer["suggest"]["t"][0]["options"] == [option("quick", 0.75, 3)]


@pytest.mark.parametrize(
    ("suggestion", "reason"),
    [
        ({"text": "x", "term": {"field": "nope"}}, "no mapping found for field [nope]"),
        ({"term": {"field": "t"}}, "The required text option is missing"),
        ({"text": "x"}, "missing suggestion object"),
        ({"text": "x", "term": {}}, "the required field option [field] is missing"),
        ({"text": "x", "term": {"field": "t", "size": 0}}, "size must be positive"),
        (
            {"text": "x", "term": {"field": "t", "bla": 1}},
            "suggester[term] doesn't support field [bla]",
        ),
        (
            {"text": "x", "term": {"field": "t", "string_distance": "x"}},
            "Illegal distance option x",
        ),
        ({"text": "x", "phrase": {"field": "t", "gram_size": 0}}, "gramSize must be >= 1"),
        ({"text": "x", "phrase": {"field": "t", "analyzer": "b"}}, "analyzer [b] doesn't exists"),
    ],
)
async def test_what_cannot_be_suggested(filled: Pair, suggestion: Json, reason: str) -> None:
    answer = await filled.local.request("POST", "/i/_search", {"suggest": {"s": suggestion}})
    (cause,) = answer.body["error"]["root_cause"]
    assert (answer.status, cause["reason"]) == (400, reason)


async def test_a_shard_without_a_match_is_not_skipped(filled: Pair) -> None:
    """Its words count, although its documents cannot match."""
    mapping = {"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}
    for name, word in (("a", "quick"), ("b", "quack")):
        await filled.local.call("PUT", f"/{name}", {"mappings": mapping})
        await filled.local.fill(name, {"1": {"t": word, "n": 1}})
    body = {
        "query": {"range": {"n": {"gte": 5}}},
        "suggest": {"s": {"text": "quock", "term": {"field": "t"}}},
    }
    answer = await filled.local.call("POST", "/a,b/_search?pre_filter_shard_size=1", body)
    options = answer["suggest"]["s"][0]["options"]
    assert {each["text"] for each in options} == {"quick", "quack"}
    assert answer["_shards"]["skipped"] == 0
