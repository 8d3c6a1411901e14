"""Which requests depend on when they are asked: their answers must not be kept."""

import json
from typing import Any

import pytest

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.now import uses_now
from sealane.query import parse_query, parse_search_body


def _request(query: Any, filter_: Any = None) -> ShardSearch:
    body = parse_search_body(json.dumps({"query": query}).encode())
    kept = None if filter_ is None else parse_query(filter_)
    return ShardSearch(index_name="i", body=body, size=1, now_ms=0, filter=kept)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"range": {"at": {"gte": "now-1d"}}}, True),
        ({"query_string": {"query": "at:[now-1d TO now]"}}, True),
        ({"query_string": {"query": "at:>now"}}, True),
        ({"wrapper": {"query": "eyJtYXRjaF9hbGwiOnt9fQ=="}}, True),
        ({"query_string": {"query": "title:quick"}}, False),
        ({"match": {"title": "know nowhere"}}, False),
    ],
)
def test_now_is_seen_wherever_it_may_stand(query: Any, expected: bool) -> None:
    assert uses_now(_request(query)) is expected
    assert uses_now(_request({"match_all": {}}, query if "wrapper" not in query else None)) is (
        expected and "wrapper" not in query
    )
