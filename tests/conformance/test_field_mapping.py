"""`_mapping/field` and `_search_shards`, as a real 8.19.0 answers."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair


@pytest.fixture
async def mapped(pair: Pair) -> Pair:
    body = {
        "settings": {"number_of_shards": 2},
        "mappings": {
            "properties": {
                "a": {"type": "keyword"},
                "c": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                "o": {"properties": {"x": {"type": "integer", "index": False}}},
            }
        },
        "aliases": {"al": {"filter": {"term": {"a": "x"}}}},
    }
    await pair.local.call("PUT", "/one", body)
    await pair.local.call("PUT", "/bare")
    return pair


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "/one/_mapping/field/c.raw,o.x,nope",
            {
                "one": {
                    "mappings": {
                        "c.raw": {"full_name": "c.raw", "mapping": {"raw": {"type": "keyword"}}},
                        "o.x": {
                            "full_name": "o.x",
                            "mapping": {"x": {"type": "integer", "index": False}},
                        },
                    }
                }
            },
        ),
        ("/one/_mapping/field/o", {"one": {"mappings": {}}}),
        (
            "/one/_mapping/field/_id",
            {"one": {"mappings": {"_id": {"full_name": "_id", "mapping": {}}}}},
        ),
        ("/bare/_mapping/field/*", {"bare": {"mappings": {}}}),
    ],
)
async def test_field_mapping(mapped: Pair, target: str, expected: Any) -> None:
    assert await mapped.local.call("GET", target) == expected


async def test_a_pattern_without_indices_is_not_found(mapped: Pair) -> None:
    answer = await mapped.local.request("GET", "/zz*/_mapping/field/a")
    assert (answer.status, answer.body) == (404, {})


async def test_search_shards(mapped: Pair) -> None:
    answer = await mapped.local.call("GET", "/al,bare/_search_shards")
    assert answer["indices"] == {
        "bare": {},
        "one": {"aliases": ["al"], "filter": {"term": {"a": "x"}}},
    }
    shards = [(each[0]["index"], each[0]["shard"]) for each in answer["shards"]]
    assert shards == [("bare", 0), ("one", 0), ("one", 1)]
    assert list(answer["nodes"]) == ["local"]
    routed = await mapped.local.call("GET", "/one/_search_shards?routing=a")
    assert [each[0]["shard"] for each in routed["shards"]] == [0]
    preferred = await mapped.local.call("GET", "/one/_search_shards?preference=_shards:1|_local")
    assert [each[0]["shard"] for each in preferred["shards"]] == [1]


async def test_search_shards_of_nothing(mapped: Pair) -> None:
    nothing: dict[str, Any] = {"nodes": {}, "indices": {}, "shards": []}
    assert await mapped.local.call("GET", "/missing/_search_shards") == nothing


async def test_stats_of_indices(mapped: Pair) -> None:
    await mapped.local.fill("one", {"1": {"a": "x"}, "2": {"a": "y"}})
    answer = await mapped.local.call("GET", "/one/_stats/docs,shard_stats")
    figures = answer["_all"]["primaries"]
    assert (figures["docs"]["count"], figures["shard_stats"]) == (2, {"total_count": 2})
    assert set(figures) == {"docs", "shard_stats"}
    assert answer["indices"]["one"]["primaries"] == figures
    assert "indices" not in await mapped.local.call("GET", "/one/_stats?level=cluster")
    nothing = await mapped.local.call("GET", "/zz*/_stats")
    assert nothing == {
        "_shards": {"total": 0, "successful": 0, "failed": 0},
        "_all": {"primaries": {}, "total": {}},
        "indices": {},
    }


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/one/_stats/foo", "request [/one/_stats/foo] contains unrecognized metric: [foo]"),
        (
            "/one/_stats/_all,docs",
            "request [/one/_stats/_all,docs] contains _all and individual metrics [_all,docs]",
        ),
        (
            "/one/_stats?level=foo",
            "level parameter must be one of [cluster] or [indices] or [shards] but was [foo]",
        ),
    ],
)
async def test_errors_of_stats(mapped: Pair, target: str, reason: str) -> None:
    answer = await mapped.local.request("GET", target)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)
