"""Queries on `_index`, whose answers a real pair gave."""

from typing import Any

import orjson
import pytest

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search import search_shard
from sealane.errors import IllegalArgument
from sealane.query import parse_search_body
from tests.unit.engine.search.shards import NOW_MS, shard

LOCAL, REMOTE = "logs_2", "eu:logs_2"


def found(query: dict[str, Any], index_name: str) -> bool:
    body = parse_search_body(orjson.dumps({"query": query}))
    asked = ShardSearch(index_name=index_name, body=body, size=1, now_ms=NOW_MS)
    return bool(search_shard(shard([{"n": 1}]), asked, lambda: None).hits)


BOTH_KINDS = [
    ("logs_2", [LOCAL]),
    ("eu:logs_2", [REMOTE]),
    ("*_2", [LOCAL]),
    ("*:*_2", [REMOTE]),
    ("e*:logs_2", [REMOTE]),
    ("eu:*", [REMOTE]),
    ("*", [LOCAL]),
    ("*:*", [REMOTE]),
    ("e*2", []),
    ("EU:logs_2", []),
    ("us:logs_2", []),
    ("eu:logs_?", []),
    ("logs_[2]", []),
]


@pytest.mark.parametrize("kind", ["term", "wildcard"])
@pytest.mark.parametrize(("text", "indices"), BOTH_KINDS)
def test_alias_and_index_are_matched_apart(kind: str, text: str, indices: list[str]) -> None:
    answers = [name for name in (LOCAL, REMOTE) if found({kind: {"_index": text}}, name)]
    assert answers == indices


@pytest.mark.parametrize(
    ("query", "indices"),
    [
        ({"prefix": {"_index": "log"}}, [LOCAL]),
        ({"prefix": {"_index": "eu:log"}}, [REMOTE]),
        ({"prefix": {"_index": "eu"}}, []),
        ({"prefix": {"_index": ""}}, [LOCAL]),
        ({"prefix": {"_index": "*:l"}}, [REMOTE]),
        ({"prefix": {"_index": {"value": "EU:LOG", "case_insensitive": True}}}, [REMOTE]),
        ({"term": {"_index": {"value": "LOGS_2", "case_insensitive": True}}}, [LOCAL]),
        ({"wildcard": {"_index": {"value": "eU:LOGS_*", "case_insensitive": True}}}, [REMOTE]),
        ({"terms": {"_index": ["*_2"]}}, [LOCAL]),
        ({"terms": {"_index": ["x", "eu:*_2"]}}, [REMOTE]),
        ({"terms": {"_index": ["logs_2", "eu:logs_2"]}}, [LOCAL, REMOTE]),
        ({"match": {"_index": "logs_2"}}, [LOCAL]),
        ({"query_string": {"query": r"_index:eu\:logs_2"}}, [REMOTE]),
        ({"query_string": {"query": "_index:logs*"}}, [LOCAL]),
        ({"query_string": {"query": "_index:*_2"}}, []),
        ({"exists": {"field": "_index"}}, [LOCAL, REMOTE]),
    ],
)
def test_every_kind_of_query_asks_alike(query: dict[str, Any], indices: list[str]) -> None:
    assert [name for name in (LOCAL, REMOTE) if found(query, name)] == indices


@pytest.mark.parametrize("query", [{"term": {"_index": ":x"}}, {"terms": {"_index": [":x"]}}])
def test_an_empty_alias_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(IllegalArgument, match=r"index name \[:x\] is invalid because the remote"):
        found(query, LOCAL)
