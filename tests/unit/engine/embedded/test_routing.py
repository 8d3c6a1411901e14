"""Shard numbers as a real Elasticsearch 8.19.0 answered to `_search_shards?routing=`."""

import pytest

from sealane.engine.embedded.routing import routing_shards, shard_of

IDS = [
    "1",
    "hello",
    "a",
    "é",
    "😀x",
    "user-1234567",
    "The quick brown fox",
    "abc",
    "42",
    "zz9",
]
ANSWERS = {
    2: [0, 0, 0, 0, 0, 1, 1, 1, 0, 0],
    3: [2, 2, 0, 1, 0, 1, 0, 0, 0, 1],
    5: [4, 4, 1, 4, 4, 3, 2, 4, 0, 0],
    7: [0, 5, 4, 4, 6, 5, 1, 2, 4, 1],
    16: [0, 6, 4, 7, 7, 10, 8, 11, 5, 6],
}


@pytest.mark.parametrize("shards", ANSWERS)
def test_a_document_lands_where_the_reference_puts_it(shards: int) -> None:
    found = [shard_of(doc_id, shards, routing_shards(shards, {})) for doc_id in IDS]
    assert found == ANSWERS[shards]


def test_one_shard_takes_everything() -> None:
    assert {shard_of(doc_id, 1, routing_shards(1, {})) for doc_id in IDS} == {0}


def test_the_number_of_routing_shards_is_a_setting() -> None:
    assert routing_shards(2, {"index.number_of_routing_shards": "8"}) == 8
    assert routing_shards(1, {}) == 1024
    assert routing_shards(5, {}) == 640
