"""Which shards are known to hold no match, by their mapping and the extremes of their dates."""

from typing import Any

import pytest

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search import can_match
from sealane.engine.embedded.view import ShardView
from sealane.query import parse_query, parse_search_body
from tests.unit.engine.search.shards import NOW_MS, shard

Json = dict[str, Any]


@pytest.fixture(scope="module")
def view() -> ShardView:
    """Two documents of 2021; a field `tag` that is mapped and has no value."""
    return shard([{"at": "2021-01-05", "n": 1}, {"at": "2021-03-07", "n": 2}])


def asks(query: Json, filter_: Json | None = None) -> ShardSearch:
    raw = parse_search_body(b"{}").raw
    body = parse_search_body(raw)
    return ShardSearch(
        index_name="eu:logs",
        body=type(body)(raw=raw, query=parse_query(query)),
        size=1,
        now_ms=NOW_MS,
        filter=None if filter_ is None else parse_query(filter_),
    )


def dates(**bounds: Any) -> Json:
    return {"range": {"at": bounds}}


NEVER: list[Json] = [
    dates(gt="2021-03-07"),
    dates(gte="2021-03-08"),
    dates(lt="2021-01-05"),
    dates(lte="2021-01-04"),
    dates(gte="now-1y"),
    dates(gte="01.04.2021", format="dd.MM.yyyy"),
    {"range": {"unknown": {"gte": 1}}},
    {"term": {"unknown": 1}},
    {"terms": {"unknown": [1]}},
    {"prefix": {"unknown": "a"}},
    {"wildcard": {"unknown": "a*"}},
    {"exists": {"field": "unknown"}},
    {"terms": {"n": []}},
    {"ids": {"values": []}},
    {"match_none": {}},
    {"term": {"_index": "logs"}},
    {"bool": {"filter": [{"match_all": {}}, dates(gte="2022")]}},
    {"bool": {"must": [dates(gte="2022")], "should": [{"match_all": {}}]}},
    {"bool": {"should": [dates(gte="2022"), {"match_none": {}}]}},
    {"bool": {"must_not": [{"term": {"_index": "eu:logs"}}]}},
    {"constant_score": {"filter": dates(gte="2022")}},
    {
        "boosting": {
            "positive": dates(gte="2022"),
            "negative": {"match_all": {}},
            "negative_boost": 0,
        }
    },
    {"function_score": {"query": dates(gte="2022")}},
]
MAYBE: list[Json] = [
    dates(gte="2021-03-07"),
    dates(lte="2021-01-05"),
    dates(gt="2021-02-01", lt="2021-02-02"),
    dates(),
    dates(gte="no date"),
    {"match_all": {}},
    {"range": {"n": {"gt": 100}}},
    {"term": {"at": "2025-01-01"}},
    {"term": {"tag": "x"}},
    {"exists": {"field": "tag"}},
    {"exists": {"field": "host"}},
    {"exists": {"field": "_id"}},
    {"match": {"unknown": "x"}},
    {"term": {"_index": "eu:logs"}},
    {"dis_max": {"queries": [dates(gte="2022")]}},
    {"bool": {}},
    {"bool": {"should": [dates(gte="2022"), {"term": {"n": 100}}]}},
    {"bool": {"must_not": [dates(gte="2000")]}},
    {"bool": {"filter": [{"term": {"n": 1}}], "should": [dates(gte="2022")]}},
]


@pytest.mark.parametrize("query", NEVER, ids=str)
def test_what_certainly_matches_nothing(view: ShardView, query: Json) -> None:
    assert not can_match(view, asks(query))


@pytest.mark.parametrize("query", MAYBE, ids=str)
def test_what_may_match(view: ShardView, query: Json) -> None:
    """Also where it does not, and also where it is wrong: that is the search's to say."""
    assert can_match(view, asks(query))


def test_the_filter_of_an_alias_counts(view: ShardView) -> None:
    assert not can_match(view, asks({"match_all": {}}, dates(gte="2022")))
    assert can_match(view, asks({"match_all": {}}, dates(gte="2021")))


def test_a_shard_without_a_document_holds_no_date() -> None:
    assert not can_match(shard([]), asks(dates(gte="2000")))
    assert can_match(shard([]), asks({"match_all": {}}))
