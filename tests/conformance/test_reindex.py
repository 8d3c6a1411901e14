"""`_reindex` from anywhere into this cluster, and the by-query APIs, which stay in it."""

import asyncio
import re
from typing import Any

import pytest

from tests.conformance.conftest import Pair

COUNTERS = {
    "timed_out": False,
    "total": 0,
    "updated": 0,
    "created": 0,
    "deleted": 0,
    "batches": 1,
    "version_conflicts": 0,
    "noops": 0,
    "retries": {"bulk": 0, "search": 0},
    "throttled_millis": 0,
    "requests_per_second": -1.0,
    "throttled_until_millis": 0,
    "failures": [],
}


def counters(answer: dict[str, Any], **expected: Any) -> None:
    answer.pop("took")
    assert answer == {**COUNTERS, **expected}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    mapping = {
        "settings": {"number_of_shards": 2},
        "mappings": {"properties": {"n": {"type": "long"}}},
    }
    for cluster, first in ((pair.local, 0), (pair.eu, 100)):
        await cluster.call("PUT", "/src", mapping)
        await cluster.fill("src", {str(first + n): {"n": first + n, "x": "y"} for n in range(25)})
    return pair


async def _count(pair: Pair, target: str) -> int:
    await pair.local.call("POST", "/_refresh")
    answer = await pair.local.call("GET", f"/{target}/_count")
    count: int = answer["count"]
    return count


async def test_documents_of_another_cluster_are_copied_here(filled: Pair) -> None:
    """S-38: `_reindex` reads `eu:src` and writes local."""
    body = {"source": {"index": "eu:src", "size": 10}, "dest": {"index": "dst"}}
    answer = await filled.local.call("POST", "/_reindex", body)
    counters(answer, total=25, created=25, batches=3)
    assert await _count(filled, "dst") == 25
    again = await filled.local.call("POST", "/_reindex", body)
    counters(again, total=25, updated=25, batches=3)


async def test_local_and_remote_sources_together(filled: Pair) -> None:
    body = {
        "source": {
            "index": ["src", "eu:src"],
            "query": {"range": {"n": {"gte": 20, "lt": 105}}},
            "_source": ["n"],
        },
        "dest": {"index": "dst", "routing": "=r"},
    }
    answer = await filled.local.call("POST", "/_reindex?refresh=true", body)
    counters(answer, total=10, created=10)
    hits = await filled.local.call("GET", "/dst/_search?size=1&sort=n")
    assert hits["hits"]["hits"][0]["_source"] == {"n": 20}
    assert hits["hits"]["hits"][0]["_routing"] == "r"


async def test_no_more_than_max_docs(filled: Pair) -> None:
    body = {"max_docs": 7, "source": {"index": "eu:src", "size": 5}, "dest": {"index": "dst"}}
    counters(await filled.local.call("POST", "/_reindex", body), total=7, created=7, batches=2)


async def test_a_destination_elsewhere_is_refused(filled: Pair) -> None:
    """S-38: a remote dest is a 400."""
    body = {"source": {"index": "src"}, "dest": {"index": "eu:dst"}}
    answer = await filled.local.request("POST", "/_reindex", body)
    assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_index_name_exception")


async def test_conflicts_end_it_or_are_counted(filled: Pair) -> None:
    body: dict[str, Any] = {
        "source": {"index": "src"},
        "dest": {"index": "dst", "op_type": "create"},
    }
    await filled.local.fill("dst", {"3": {"n": 3}})
    answer = await filled.local.request("POST", "/_reindex", body)
    assert answer.status == 409
    assert answer.body["version_conflicts"] == 1
    (failure,) = answer.body["failures"]
    assert (failure["index"], failure["id"], failure["status"]) == ("dst", "3", 409)
    assert failure["cause"]["type"] == "version_conflict_engine_exception"
    again = await filled.local.call("POST", "/_reindex", {**body, "conflicts": "proceed"})
    assert (again["version_conflicts"], again["failures"]) == (25, [])


async def test_external_versions_are_kept(filled: Pair) -> None:
    await filled.eu.call("PUT", "/src/_doc/100?version=9&version_type=external&refresh", {"n": 1})
    body = {
        "source": {"index": "eu:src", "query": {"ids": {"values": ["100"]}}},
        "dest": {"index": "dst", "version_type": "external"},
    }
    counters(await filled.local.call("POST", "/_reindex", body), total=1, created=1)
    assert (await filled.local.call("GET", "/dst/_doc/100"))["_version"] == 9
    again = await filled.local.request("POST", "/_reindex", body)
    assert (again.status, again.body["version_conflicts"]) == (409, 1)


async def test_a_cluster_that_is_missing_is_a_failure(filled: Pair) -> None:
    filled.link.is_cut = True
    body = {"source": {"index": ["src", "eu:src"]}, "dest": {"index": "dst"}}
    answer = await filled.local.request("POST", "/_reindex", body)
    assert answer.status >= 500
    assert answer.body["failures"][0]["reason"]["type"] == "connect_transport_exception"


async def test_it_goes_on_behind_its_client(filled: Pair) -> None:
    body = {"source": {"index": "eu:src", "size": 10}, "dest": {"index": "dst"}}
    started = await filled.local.call("POST", "/_reindex?wait_for_completion=false", body)
    task = started["task"]
    ended = await filled.local.call("GET", f"/_tasks/{task}?wait_for_completion=true")
    assert ended["completed"] is True
    assert ended["task"]["action"] == "indices:data/write/reindex"
    assert ended["task"]["description"] == "reindex from [eu:src] to [dst]"
    assert ended["task"]["status"]["created"] == 25
    counters(ended["response"], total=25, created=25, batches=3)


async def test_a_failure_behind_the_client_is_kept(filled: Pair) -> None:
    body = {"source": {"index": "eu:missing"}, "dest": {"index": "dst"}}
    filled.link.skip_unavailable = False
    started = await filled.local.call("POST", "/_reindex?wait_for_completion=false", body)
    ended = await filled.local.call("GET", f"/_tasks/{started['task']}?wait_for_completion=true")
    assert ended["error"]["type"] == "index_not_found_exception"


async def test_one_behind_its_client_can_be_cancelled(filled: Pair) -> None:
    filled.link.hold()
    body = {"source": {"index": "eu:src"}, "dest": {"index": "dst"}}
    started = await filled.local.call("POST", "/_reindex?wait_for_completion=false", body)
    task = started["task"]
    running = await filled.local.call("GET", f"/_tasks/{task}")
    assert (running["completed"], running["task"]["status"]["total"]) == (False, 0)
    await filled.link.wait_delivered()
    await filled.local.call("POST", f"/_tasks/{task}/_cancel")
    filled.link.release()
    ended = await filled.local.call("GET", f"/_tasks/{task}?wait_for_completion=true")
    assert ended["response"]["canceled"] == "by user request"


async def test_cancelling_between_pages_leaves_no_context_open(filled: Pair) -> None:
    body = {"source": {"index": ["src", "eu:src"], "size": 10}, "dest": {"index": "dst"}}
    target = "/_reindex?wait_for_completion=false&requests_per_second=0.001"
    task = (await filled.local.call("POST", target, body))["task"]
    while True:
        running = await filled.local.call("GET", f"/_tasks/{task}")
        if running["task"]["status"]["created"]:
            break
        await asyncio.sleep(0)
    assert filled.eu.engine.open_readers > 0
    await filled.local.call("POST", f"/_tasks/{task}/_cancel")
    ended = await filled.local.call("GET", f"/_tasks/{task}?wait_for_completion=true")
    assert (ended["response"]["canceled"], ended["response"]["batches"]) == ("by user request", 1)
    assert (filled.local.engine.open_readers, filled.eu.engine.open_readers) == (0, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "request body is required"),
        ({"foo": 1}, "[1:2] [reindex] unknown field [foo]"),
        (
            {"source": {"index": "src"}, "dest": {"index": "d", "foo": "x"}},
            "[1:53] [reindex] failed to parse field [dest]",
        ),
        (
            {"source": {}, "dest": {"index": "d"}},
            "Validation Failed: 1: use _all if you really want to copy from all existing indexes;",
        ),
        (
            {"source": {"index": "src"}, "dest": {}},
            "Validation Failed: 1: index must be specified;",
        ),
        (
            {"source": {"index": "src"}, "dest": {"index": "src"}},
            "Validation Failed: 1: reindex cannot write into an index its reading from [src];",
        ),
        (
            {"source": {"index": "src"}, "dest": {"index": "d", "op_type": "x"}},
            "opType must be 'create' or 'index', found: [x]",
        ),
        (
            {"source": {"index": "src"}, "dest": {"index": "d"}, "conflicts": "x"},
            'conflicts may only be "proceed" or "abort" but was [x]',
        ),
    ],
)
async def test_errors(filled: Pair, body: Any, reason: str) -> None:
    answer = await filled.local.request("POST", "/_reindex", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("member", "value"),
    [("script", {"source": "x"}), ("source", {"index": "a", "remote": {"host": "http://h:1"}})],
)
async def test_what_is_not_done_is_refused(filled: Pair, member: str, value: Any) -> None:
    body = {"source": {"index": "src"}, "dest": {"index": "d"}, member: value}
    answer = await filled.local.request("POST", "/_reindex", body)
    assert answer.status == 400
    assert re.search("not supported by this version", str(answer.body))


async def test_delete_by_query(filled: Pair) -> None:
    body = {"query": {"range": {"n": {"lt": 5}}}}
    answer = await filled.local.call("POST", "/src/_delete_by_query?refresh", body)
    expected = {**COUNTERS, "total": 5, "deleted": 5}
    del expected["updated"], expected["created"]
    answer.pop("took")
    assert answer == expected
    assert await _count(filled, "src") == 20


async def test_update_by_query(filled: Pair) -> None:
    answer = await filled.local.call("POST", "/src/_update_by_query?refresh&scroll_size=10")
    assert (answer["total"], answer["updated"], answer["batches"]) == (25, 25, 3)
    assert "created" not in answer


@pytest.mark.parametrize("api", ["_update_by_query", "_delete_by_query"])
@pytest.mark.parametrize("query", ["", "?ignore_unavailable=true"])
async def test_by_query_writes_stay_here(filled: Pair, api: str, query: str) -> None:
    """S-39: update_by_query and delete_by_query on a remote are a 400."""
    body = {"query": {"match_all": {}}}
    answer = await filled.local.request("POST", f"/eu:src,src/{api}{query}", body)
    assert (answer.status, answer.body["error"]["reason"]) == (
        400,
        "Cross-cluster calls are not supported in this context but remote indices were requested: "
        "[eu:src]",
    )


async def test_a_delete_by_query_needs_a_query(filled: Pair) -> None:
    answer = await filled.local.request("POST", "/src/_delete_by_query", {})
    assert answer.body["error"]["reason"] == "Validation Failed: 1: query is missing;"


async def test_no_context_is_left_open(filled: Pair) -> None:
    body = {"source": {"index": ["src", "eu:src"], "size": 4}, "dest": {"index": "dst"}}
    await filled.local.call("POST", "/_reindex", body)
    assert (filled.local.engine.open_readers, filled.eu.engine.open_readers) == (0, 0)
