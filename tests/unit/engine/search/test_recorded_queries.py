"""Queries on terms and text, and the answers that Elasticsearch 8.19.0 gave to them over the same documents."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search import search_shard
from sealane.engine.embedded.view import ShardView
from sealane.errors import ApiError
from sealane.query import parse_search_body
from tests.unit.engine.search.shards import NOW_MS, mapping_of, shard

RECORDED = json.loads((Path(__file__).parent / "recorded_queries.json").read_text())
ANSWERS = RECORDED["answers"]


@lru_cache(maxsize=1)
def _documents() -> ShardView:
    unseen = {"index": False, "doc_values": False}
    return shard(RECORDED["docs"], mapping_of(RECORDED["fields"], noidx=unseen))


def _answer(query: Any) -> dict[str, Any]:
    # Spaced as the recorded requests were: errors tell places.
    raw = json.dumps({"query": query, "size": 30}, ensure_ascii=False).encode()
    try:
        request = ShardSearch(index_name="i", body=parse_search_body(raw), size=30, now_ms=NOW_MS)
        partial = search_shard(_documents(), request, lambda: None)
    except ApiError as error:
        return {"errors": _chain(error)}
    return {"hits": {hit.id: hit.score for hit in partial.hits}}


def _chain(error: ApiError | None) -> list[list[Any]]:
    chain: list[list[Any]] = []
    while error is not None:
        each: list[Any] = [error.es_type, error.reason]
        if "line" in error.metadata:
            each += [error.metadata["line"], error.metadata["col"]]
        chain.append(each)
        error = error.caused_by
    return chain


@pytest.mark.parametrize("at", range(len(ANSWERS)))
def test_answers_as_the_reference(at: int) -> None:
    recorded = ANSWERS[at]
    found = _answer(recorded["query"])
    if "errors" in recorded:
        assert found.get("errors") == recorded["errors"], recorded["query"]
    else:
        assert "hits" in found, (recorded["query"], found)
        assert found["hits"] == pytest.approx(recorded["hits"], rel=2e-4), recorded["query"]
