"""Queries over two clusters: terms taken from documents, names of indices, texts in the URL."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "/books,eu:books/_search"

TITLES = {
    "local": {"l1": "quick brown fox", "l2": "lazy dog"},
    "eu": {"e1": "the quick bear", "e2": "a brown dog"},
}


async def books(cluster: InProcessCluster) -> None:
    """The index `books`: a title, and a tag that is the document's id without its number."""
    mapping = {"properties": {"title": {"type": "text"}, "tag": {"type": "keyword"}}}
    await cluster.call("PUT", "/books", {"mappings": mapping})
    docs = {
        doc_id: {"title": title, "tag": doc_id[1:]}
        for doc_id, title in TITLES[cluster.name].items()
    }
    await cluster.fill("books", docs)


@pytest.fixture
async def both(pair: Pair) -> Pair:
    await books(pair.local)
    await books(pair.eu)
    return pair


def ids(answer: Json) -> list[str]:
    return sorted(hit["_id"] for hit in answer["hits"]["hits"])


async def refused(pair: Pair, method: str, path: str, body: Json | None = None) -> Json:
    """The body of an answer that is a 400."""
    answer = await pair.local.request(method, path, body)
    assert answer.status == 400
    shown: Json = answer.body
    return shown


async def found(pair: Pair, query: Json, path: str = BOTH) -> list[str]:
    return ids(await pair.local.call("POST", path, {"query": query}))


async def test_an_index_query_means_the_name_with_its_alias(both: Pair) -> None:
    """S-24: `eu:books` are the remote's documents, `books` only ours; patterns and prefixes alike."""
    assert await found(both, {"term": {"_index": "eu:books"}}) == ["e1", "e2"]
    assert await found(both, {"term": {"_index": "books"}}) == ["l1", "l2"]
    assert await found(both, {"terms": {"_index": ["books", "eu:books"]}}) == [
        "e1",
        "e2",
        "l1",
        "l2",
    ]
    assert await found(both, {"wildcard": {"_index": "eu:b*"}}) == ["e1", "e2"]
    assert await found(both, {"prefix": {"_index": "eu:"}}) == ["e1", "e2"]
    assert await found(both, {"wildcard": {"_index": "b*"}}) == ["l1", "l2"]


@pytest.mark.parametrize(
    "path",
    ["/eu:books/_validate/query", "/eu:books/_explain/1?q=x", "/eu:books/_analyze?pretty"],
)
async def test_what_is_no_search_refuses_remote_names(both: Pair, path: str) -> None:
    """S-26: Cross-cluster calls are not supported."""
    answer = await refused(both, "POST", path, {"text": "x"} if "analyze" in path else None)
    assert answer["error"]["reason"].startswith("Cross-cluster calls are not supported")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"wildcard": {"title": "qu?c*"}}, ["e1", "l1"]),
        ({"regexp": {"title": "(fox|bear)"}}, ["e1", "l1"]),
        ({"fuzzy": {"title": "quik"}}, ["e1", "l1"]),
        ({"match": {"title": {"query": "qiuck", "fuzziness": "AUTO"}}}, ["e1", "l1"]),
        ({"match_phrase_prefix": {"title": "quick b"}}, ["e1", "l1"]),
        ({"match_bool_prefix": {"title": {"query": "brown f", "operator": "and"}}}, ["l1"]),
        ({"query_string": {"query": "title:(quick OR lazy) -bear"}}, ["l1", "l2"]),
        ({"simple_query_string": {"query": "brown + d*", "fields": ["title"]}}, ["e2"]),
        ({"terms_set": {"title": {"terms": ["quick", "fox"], "minimum_should_match": 2}}}, ["l1"]),
        (
            {
                "more_like_this": {
                    "fields": ["title"],
                    "like": "brown dog",
                    "min_term_freq": 1,
                    "min_doc_freq": 1,
                    "minimum_should_match": "100%",
                }
            },
            ["e2"],
        ),
        ({"wrapper": {"query": "eyJ0ZXJtIjp7InRhZyI6IjEifX0="}}, ["e1", "l1"]),
    ],
)
async def test_each_cluster_answers_each_query(
    both: Pair, query: Json, expected: list[str]
) -> None:
    assert await found(both, query) == expected


async def test_a_negative_query_of_boosting_lowers_scores_everywhere(both: Pair) -> None:
    body = {
        "boosting": {
            "positive": {"constant_score": {"filter": {"match": {"title": "quick"}}}},
            "negative": {"match": {"title": "bear"}},
            "negative_boost": 0.25,
        }
    }
    answer = await both.local.call("POST", BOTH, {"query": body})
    assert [(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]] == [
        ("l1", 1.0),
        ("e1", 0.25),
    ]


async def test_terms_are_looked_up_here_before_any_cluster_is_asked(both: Pair) -> None:
    """The document is this cluster's, read as of now, and the remote gets its terms."""
    await both.local.call("PUT", "/wanted/_doc/1", {"who": [{"tag": "1"}, {"tag": None}]})
    lookup = {"index": "wanted", "id": "1", "path": "who.tag"}
    assert await found(both, {"terms": {"tag": lookup}}) == ["e1", "l1"]
    assert await found(both, {"terms": {"tag": lookup}}, "/eu:books/_search") == ["e1"]
    count = await both.local.call(
        "POST",
        "/books,eu:books/_count",
        {"query": {"bool": {"must_not": {"terms": {"tag": lookup}}}}},
    )
    assert count["count"] == 2


async def test_a_missing_document_has_no_terms(both: Pair) -> None:
    await both.local.call("PUT", "/wanted", {})
    lookup = {"index": "wanted", "id": "none", "path": "tag"}
    assert await found(both, {"terms": {"tag": lookup}}) == []


async def test_a_lookup_reaches_no_other_cluster(both: Pair) -> None:
    lookup = {"index": "eu:books", "id": "e1", "path": "tag"}
    answer = await refused(both, "POST", BOTH, {"query": {"terms": {"tag": lookup}}})
    assert answer["error"]["reason"] == (
        "Cross-cluster calls are not supported in this context but remote indices were requested: "
        "[eu:books]"
    )
    assert both.link.requests == 0


async def test_liked_documents_of_this_cluster_are_taken_along(both: Pair) -> None:
    """By index and id; the documents themselves are left out."""
    query = {
        "fields": ["title"],
        "like": [{"_index": "books", "_id": "l1"}],
        "min_term_freq": 1,
        "min_doc_freq": 1,
        "minimum_should_match": 1,
    }
    assert await found(both, {"more_like_this": query}) == ["e1", "e2"]


async def test_a_query_in_the_url_takes_the_place_of_the_bodys(both: Pair) -> None:
    path = f"{BOTH}?q=quick%20-bear&df=title"
    assert ids(await both.local.call("POST", path, {"query": {"match_all": {}}})) == ["l1"]
    counted = await both.local.call("GET", "/books,eu:books/_count?q=title:quick")
    assert counted["count"] == 2


async def test_options_of_a_query_in_the_url_need_it(both: Pair) -> None:
    answer = await refused(both, "GET", f"{BOTH}?df=title&lenient=true")
    assert answer["error"]["reason"] == (
        "request [/books,eu:books/_search] contains parameters [df, lenient] but missing query "
        "string parameter 'q'."
    )


async def test_a_text_that_is_not_of_the_syntax_fails_every_shard(both: Pair) -> None:
    """What could have stood there is named, and the cluster that failed."""
    answer = await refused(both, "POST", BOTH, {"query": {"query_string": {"query": "a AND"}}})
    reason = answer["error"]["failed_shards"][0]["reason"]
    assert reason["reason"] == "Failed to parse query [a AND]"
    assert reason["caused_by"]["reason"].startswith(
        "Cannot parse 'a AND': Encountered \"<EOF>\" at line 1, column 5.\nWas expecting one of:\n"
    )


async def test_a_query_is_judged_without_being_run(both: Pair) -> None:
    good = await both.local.call(
        "POST", "/books/_validate/query?explain=true", {"query": {"match": {"title": "Quick fox"}}}
    )
    assert good["valid"] is True
    assert good["explanations"][0]["explanation"] == "title:quick title:fox"
    bad = await both.local.call("GET", "/books/_validate/query?q=(&explain=true")
    assert bad["valid"] is False
    assert "QueryShardException: Failed to parse query [(]" in bad["explanations"][0]["error"]
    unknown = await both.local.call("POST", "/books/_validate/query", {"query": {"foo": {}}})
    assert unknown == {"valid": False}


async def test_a_text_is_analysed_as_its_field_does(both: Pair) -> None:
    answer = await both.local.call(
        "POST", "/books/_analyze", {"field": "title", "text": ["Quick fox", "Ä"]}
    )
    assert [(t["token"], t["start_offset"], t["position"]) for t in answer["tokens"]] == [
        ("quick", 0, 0),
        ("fox", 6, 1),
        ("ä", 10, 2),
    ]
    whole = await both.local.call("POST", "/books/_analyze", {"field": "tag", "text": "Quick fox"})
    assert [token["token"] for token in whole["tokens"]] == ["Quick fox"]


@pytest.mark.parametrize("words", [3, 4_900], ids=["short", "long"])
async def test_places_of_words_count_utf_16_units(both: Pair, words: int) -> None:
    """A character beyond the BMP has two. A long text is counted as a short one."""
    text = "\U0001f600 ab " * words
    answer = await both.local.call("POST", "/_analyze", {"analyzer": "whitespace", "text": text})
    places = [(each["start_offset"], each["end_offset"]) for each in answer["tokens"][-2:]]
    end = 6 * (words - 1)
    assert places == [(end, end + 2), (end + 3, end + 5)]
