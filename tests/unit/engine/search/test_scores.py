"""Scores as Elasticsearch 8.19.0 gives them, where tantivy's own are others."""

import struct
from typing import Any

import pytest

from sealane.engine.embedded.search.exact import MAX_DOCUMENTS
from sealane.engine.embedded.view import ShardView
from tests.unit.engine.search.shards import mapping_of, search, shard

TITLES: list[Any] = [
    {"title": "The quick brown fox"},
    {"title": "Quick, quick!"},
    {"title": ""},
    {},
    {},
    {"title": "first value second value"},
    {"title": "numbers as strings"},
]
NAMES = [{"title": name} for name in ("New York City", "City", "New", "York", "Old York")]


def _scores(view: ShardView, query: dict[str, Any]) -> dict[str, float]:
    return {hit.id: _single(hit.score or 0.0) for hit in search(view, {"query": query}).hits}


def _single(value: float) -> float:
    return float(f"{struct.unpack('<f', struct.pack('<f', value))[0]:.7g}")


def _lucene(idf: float, frequency: float, length: float, average: float) -> float:
    return 2.2 * idf * frequency / (frequency + 1.2 * (0.25 + 0.75 * length / average))


def test_documents_without_the_field_do_not_count() -> None:
    """Four documents have words: 4, 2, 4 and 3 of them."""
    found = _scores(shard(TITLES), {"match": {"title": "quick"}})
    idf = 0.6931472  # log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    assert found["1"] == pytest.approx(_lucene(idf, 1, 4, 3.25), rel=1e-6)
    assert found["2"] == pytest.approx(_lucene(idf, 2, 2, 3.25), rel=1e-6)


def test_a_phrase_counts_the_frequency_of_each_of_its_words() -> None:
    found = _scores(shard(TITLES), {"match_phrase": {"title": "quick quick"}})
    assert found == {"2": pytest.approx(_lucene(2 * 0.6931472, 1, 2, 3.25), rel=1e-6)}


@pytest.mark.parametrize(("words", "distance"), [("new city", 1), ("york new", 2), ("city new", 3)])
def test_a_phrase_with_its_words_moved_counts_for_less(words: str, distance: int) -> None:
    view = shard(NAMES)
    query = {"match_phrase": {"title": {"query": words, "slop": 3}}}
    found = _scores(view, query)
    exact = _scores(view, {"match_phrase": {"title": "new york city"}})
    assert found.keys() == exact.keys() == {"1"}
    # log(1 + (5 - n + 0.5) / (n + 0.5)) of words in 2 and in 3 documents
    rare, common = 0.8754687, 0.5389965
    idf = {"new city": 2 * rare, "york new": rare + common, "city new": 2 * rare}[words]
    expected = _lucene(idf, 1 / (1 + distance), 3, 8 / 5)
    assert found["1"] == pytest.approx(expected, rel=1e-6)


def test_frequent_words_of_a_sparse_field_are_scored_together() -> None:
    """Beyond the limit scores are tantivy's, corrected for a field of average length: the order stays."""
    documents = [{"title": "a b"}] * (MAX_DOCUMENTS + 1) + [{"title": "a"}] + [{}] * 50
    hits = search(shard(documents), {"query": {"match": {"title": "a"}}, "size": 2}).hits
    assert hits[0].id == str(MAX_DOCUMENTS + 2)
    assert (hits[0].score or 0) > (hits[1].score or 0) > 0


def test_a_keyword_without_an_index_scores_like_a_filter() -> None:
    view = shard([{"tag": "a"}, {"tag": "b"}], mapping_of(tag={"index": False}))
    assert _scores(view, {"term": {"tag": "a"}}) == {"1": 1.0}


@pytest.mark.parametrize(("tie_breaker", "score"), [(0.0, 3.0), (0.5, 4.5), (1.0, 6.0)])
def test_the_best_of_several_queries_scores_and_the_others_by_the_tie_breaker(
    tie_breaker: float, score: float
) -> None:
    inner = [{"match_all": {"boost": each}} for each in (1.0, 3.0, 2.0)]
    query = {"dis_max": {"queries": inner, "tie_breaker": tie_breaker}}
    assert _scores(shard([{}]), query) == {"1": score}
