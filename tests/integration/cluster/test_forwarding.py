"""REST on a node without data: what it passes on, what it answers itself, and what it says without a master."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster.nodes import Answer, RunningNode, joining, started, until

PAIR = tuple[RunningNode, RunningNode]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[PAIR]:
    """(the node with data, one that has joined it)"""
    async with started(tmp_path / "d") as d, started(tmp_path / "g", **joining(d)) as g:
        yield d, g


LINES = b'{"index":{"_index":"things","_id":"1"}}\n{"a":1,"t":"x"}\n{"create":{"_index":"things"}}\n{"a":2}\n'


async def test_a_bulk_on_the_joined_node_is_in_the_engine_of_the_other(pair: PAIR) -> None:
    d, g = pair
    answer = await g.request("POST", "/_bulk?refresh=true", LINES)
    assert answer.status == 200
    assert not answer.body["errors"]
    assert (await d.call("GET", "/things/_count"))["count"] == 2


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/things/_doc/1", None),
        ("HEAD", "/things/_doc/1", None),
        ("HEAD", "/nothing", None),
        ("GET", "/things/_mapping?pretty", None),
        ("GET", "/_cat/indices?v&h=index,pri", None),
        ("GET", "/_cat/indices?format=json&h=index,pri", None),
        ("GET", "/_cluster/health", None),
        ("GET", "/_cluster/settings?flat_settings", None),
        ("GET", "/things/_doc/%C3%A4%20b?_source=false", None),
        ("POST", "/things/_doc/1/_nothing", {}),
        ("GET", "/_no_such_thing", None),
        ("OPTIONS", "/things/_doc/1", None),
        ("DELETE", "/_search", None),
        ("PUT", "/things/_settings", {"index": {"number_of_shards": 3}}),
        ("GET", "/things/_doc/1?unknown=1", None),
        ("GET", "/things/_search?q=a:1", None),
        ("POST", "/things/_search", {"query": {"nonsense": {}}}),
        ("POST", "/things/_search", {"aggs": {"s": {"sum": {"field": "a"}}}, "sort": ["a"]}),
        ("GET", "/missing/_search", None),
        ("GET", "/things/_count?pretty", None),
        ("POST", "/_msearch", b'{"index":"things"}\n{"size":1}\n{"index":"missing"}\n{}\n'),
        ("GET", "/_resolve/cluster/things", None),
        ("GET", "/_ccr/stats", None),
        ("GET", "/_all/_ccr/info", None),
        ("GET", "/things/_ccr/stats", None),
        ("PUT", "/copy/_ccr/follow", {"remote_cluster": "eu", "leader_index": "l"}),
        ("PUT", "/copy/_ccr/follow", {"remote_cluster": 1}),
        ("POST", "/things/_ccr/pause_follow", None),
        ("POST", "/things/_ccr/promote", None),
        ("GET", "/_ccr/auto_follow/x?pretty", None),
    ],
)
async def test_both_nodes_answer_the_same(pair: PAIR, method: str, target: str, body: Any) -> None:
    d, g = pair
    await d.call("PUT", "/things/_doc/1?refresh=true", {"a": 1})
    answers = [await node.request(method, target, body) for node in (d, g)]
    there, here = ((each.status, _headers(each), _timeless(each.raw)) for each in answers)
    assert here == there


def _headers(answer: Answer) -> dict[str, str]:
    headers = dict(answer.headers)
    if b'"took":' in answer.raw:
        del headers["content-length"]  # it differs with the digits of the time taken
    return headers


def _timeless(raw: bytes) -> bytes:
    return re.sub(rb'"took":\d+', b'"took":0', raw)


async def test_headers_that_shape_an_answer_are_passed_on(pair: PAIR) -> None:
    d, g = pair
    given = {
        "Accept": "application/vnd.elasticsearch+json;compatible-with=8",
        "X-Opaque-Id": "mine",
        "Accept-Encoding": "gzip",
    }
    answers = [await node.request("GET", "/_cluster/settings", headers=given) for node in (d, g)]
    assert answers[0] == answers[1]
    assert answers[1].headers["x-opaque-id"] == "mine"
    assert answers[1].headers["content-encoding"] == "gzip"


async def test_a_body_over_the_limit_is_refused_where_it_arrives(tmp_path: Path) -> None:
    async with (
        started(tmp_path / "d") as d,
        started(tmp_path / "g", **joining(d, http__max_content_length="1kb")) as g,
    ):
        answer = await g.request("PUT", "/things/_doc/1", {"a": "x" * 2000})
        assert answer.status == 413
        assert (await d.call("GET", "/_cat/indices?format=json")) == []


async def test_a_client_that_hangs_up_takes_its_request_back(pair: PAIR) -> None:
    d, g = pair
    _, writer = await g.open()
    writer.write(
        b"GET /_cluster/health?wait_for_status=green&wait_for_nodes=9&timeout=60s HTTP/1.1\r\n"
        b"Host: x\r\n\r\n"
    )
    await until(lambda: _runs(d, "cluster:monitor/health"))
    writer.close()
    await until(lambda: _runs(d, "cluster:monitor/health", expected=False))
    assert not await _runs(g, "internal:rest/forward")


async def _runs(node: RunningNode, action: str, *, expected: bool = True) -> bool:
    tasks = await node.call("GET", f"/_tasks?actions={action}&group_by=none")
    return bool(tasks["tasks"]) is expected


async def test_a_node_that_never_had_a_master_says_so(tmp_path: Path) -> None:
    unused = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = unused.sockets[0].getsockname()[1]
    unused.close()
    await unused.wait_closed()
    settings = {
        "node.roles": ("remote_cluster_client",),
        "discovery.seed_hosts": (f"127.0.0.1:{port}",),
        "discovery.initial_state_timeout": "100ms",
    }
    async with started(tmp_path / "g", **settings) as g:
        assert (await g.call("GET", "/"))["cluster_uuid"] == "_na_"
        assert await g.call("GET", "/_remote/info") == {}
        assert await g.names() == {"g"}
        for target in ("/_cluster/health", "/_cluster/settings", "/_cat/indices", "/things"):
            answer = await g.request("GET", f"{target}?master_timeout=10ms")
            assert (answer.status, answer.body) == (503, NO_MASTER), target
        write = await g.request("PUT", "/things/_doc/1?timeout=10ms", {})
        assert write.status == 503
        assert write.body["error"]["type"] == "cluster_block_exception"
        search = await g.request("GET", "/things/_search")
        assert search.status == 503
        assert search.body["error"]["reason"] == (
            "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"
        )
        stats = await g.call("GET", "/_nodes/stats/discovery")
        following = stats["nodes"][g.id]["discovery"]["following"]
        assert not following["joined"]
        assert following["last_error"]["type"] == "connect_transport_exception"


NO_MASTER = {
    "error": {
        "root_cause": [{"type": "master_not_discovered_exception", "reason": None}],
        "type": "master_not_discovered_exception",
        "reason": None,
    },
    "status": 503,
}
"""As the reference has it."""


async def test_a_master_that_is_gone_ends_what_is_asked_of_it(tmp_path: Path) -> None:
    async with started(tmp_path / "d") as d, started(tmp_path / "g", **joining(d)) as g:
        await g.call("PUT", "/things/_doc/1?refresh=true", {"a": 1})
        waiting = asyncio.ensure_future(
            g.request("GET", "/_cluster/health?wait_for_nodes=9&timeout=60s")
        )
        await until(lambda: _runs(d, "cluster:monitor/health"))
        await d.node.close()
        assert (await waiting).status in (502, 503)
        search = await g.request("GET", "/things/_search")
        assert search.status == 502
        assert search.body["error"]["type"] == "node_not_connected_exception"
        assert await g.names() == {"d", "g"}, "what it knew stays"
