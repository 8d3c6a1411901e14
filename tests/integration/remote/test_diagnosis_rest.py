"""`POST /_remote/<alias>/_test` and `POST /_remote/_test`: statuses, shapes, limits."""

import asyncio
from typing import Any

import pytest

from tests.integration.remote.asking import asked_node
from tests.integration.remote.clusters import cluster, until
from tests.integration.remote.listeners import closed_port, http, listening, silent


async def test_a_registered_remote_that_connects() -> None:
    async with cluster("a") as (node,), asked_node(seeds=(str(node.info.address),)) as near:
        status, report = await near.post("/_remote/far/_test")
    assert status == 200
    assert list(report) == [
        "ok",
        "alias",
        "mode",
        "took",
        "took_nanos",
        "summary",
        "cluster",
        "targets",
        "nodes",
        "warnings",
    ]
    assert (report["ok"], report["alias"], report["mode"]) == (True, "far", "sniff")
    assert report["cluster"]["name"] == "far"
    assert report["cluster"]["uuid"] == "uuid-far"
    assert report["cluster"]["product"] == "sealane"
    (step, *_) = report["targets"][0]["steps"]
    assert step == {
        "step": "resolve",
        "ok": True,
        "took": step["took"],
        "took_nanos": step["took_nanos"],
        "detail": str(node.info.address),
    }


async def test_a_registered_remote_that_does_not() -> None:
    address = closed_port()
    async with asked_node(seeds=(address,)) as near:
        status, report = await near.post("/_remote/far/_test")
    assert (status, report["ok"]) == (200, False)
    assert report["error"]["type"] == "connect_transport_exception"
    assert report["error"]["reason"] == f"[][{address}] connect_exception"
    assert report["error"]["cause"] == "connection_refused"
    assert report["error"]["explanation"] == f"nothing listens on [{address}]"
    assert report["error"]["next_step"].startswith("check that the node runs")
    assert report["targets"][0]["error"] == report["error"]


async def test_the_pin_of_the_alias_counts() -> None:
    """A cluster that has taken the place of the one connected before is another cluster."""
    async with cluster("a") as (node,), asked_node(seeds=(str(node.info.address),)) as near:
        await until(lambda: near.remotes.describe()["far"]["connected"] is True)
        near.remotes.cluster("far")._link.identity._known_uuid = "uuid-before"
        _, report = await near.post("/_remote/far/_test")
    assert report["error"]["cause"] == "wrong_cluster"


async def test_an_unknown_alias() -> None:
    async with asked_node() as near:
        status, body = await near.post("/_remote/nope/_test")
    assert status == 404
    assert body["error"]["type"] == "no_such_remote_cluster_exception"
    assert body["error"]["reason"] == "no such remote cluster: [nope]"


async def test_settings_that_are_not_saved() -> None:
    async with cluster("a") as (node,), listening(http) as server, asked_node() as near:
        good = {"mode": "proxy", "proxy_address": str(node.info.address)}
        assert (await near.post("/_remote/_test", good))[1]["ok"] is True
        _, report = await near.post("/_remote/_test", {"seeds": [server.address]})
        assert near.remotes.describe() == {}
    assert (report["alias"], report["error"]["cause"]) == (None, "http_port")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"seeds": ["nohost"]}, "remote hosts need to be configured as [host:port]"),
        ({"foo": 1}, "persistent setting [cluster.remote.test.foo], not recognized"),
        ({"mode": "proxy", "seeds": ["a:1"]}, "[required=SNIFF, configured=PROXY]"),
        ({"mode": "proxy"}, "nothing to test"),
        ({}, "nothing to test"),
        ({"node_connections": 0, "seeds": ["a:1"]}, "must be >= 1"),
        ({"credentials": "x", "seeds": ["a:1"]}, "not dynamically updateable"),
    ],
)
async def test_settings_are_judged_by_the_same_rules(body: Any, reason: str) -> None:
    async with asked_node() as near:
        status, answer = await near.post("/_remote/_test", body)
    assert status == 400
    assert answer["error"]["type"] == "illegal_argument_exception"
    assert reason in answer["error"]["reason"]


async def test_a_body_is_required() -> None:
    async with asked_node() as near:
        status, answer = await near.post("/_remote/_test")
    assert (status, answer["error"]["reason"]) == (400, "request body is required")


@pytest.mark.parametrize("query", ["timeout=0s", "timeout=61s", "timeout=5", "tiemout=5s"])
async def test_bad_parameters(query: str) -> None:
    async with asked_node(seeds=(closed_port(),)) as near:
        status, answer = await near.post(f"/_remote/far/_test?{query}")
    assert (status, answer["error"]["type"]) == (400, "illegal_argument_exception")


async def test_the_timeout_is_that_of_a_step() -> None:
    async with listening(silent) as server, asked_node() as near:
        body = {"mode": "proxy", "proxy_address": server.address}
        _, report = await near.post("/_remote/_test?timeout=50ms", body)
    assert report["error"]["cause"] == "handshake_timeout"
    assert report["error"]["reason"].endswith("handshake_timeout[50ms]")


async def test_a_fifth_test_at_once_is_refused() -> None:
    async with listening(silent) as server, asked_node() as near, asyncio.TaskGroup() as group:
        body = {"mode": "proxy", "proxy_address": server.address}
        running = [
            group.create_task(near.post("/_remote/_test?timeout=20s", body)) for _ in range(4)
        ]
        await until(lambda: server.accepted >= 4)
        status, answer = await near.post("/_remote/_test?timeout=20s", body)
        assert (status, answer["error"]["type"]) == (429, "es_rejected_execution_exception")
        await server.stop()
        assert [(await each)[0] for each in running] == [200] * 4


async def test_a_node_without_the_role() -> None:
    """It opens no connection, and says which node it is and what it lacks."""
    async with listening(silent) as server, asked_node(roles=("data",), seeds="a:1") as near:
        for path, body in (
            ("/_remote/far/_test", None),
            ("/_remote/_test", {"seeds": [server.address]}),
        ):
            status, report = await near.post(path, body)
            assert (status, report["ok"], report["targets"]) == (200, False, [])
            assert report["error"]["cause"] == "missing_role"
            assert report["error"]["reason"] == (
                "node [near] does not have the [remote_cluster_client] role"
            )
        assert server.accepted == 0
