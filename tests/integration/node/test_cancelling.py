"""Searches that nobody waits for any more: every cluster stops working for them.

The remote cluster is a gateway in front of a data node that has been stopped (SIGSTOP), so that whatever it is asked
goes on there until somebody takes it back.
"""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealane.testing.process import NodeProcess, register

OPAQUE = "whose-is-it"
SEARCH = b'{"query":{"match_all":{}}}'
WITHIN_S = 10.0


class World(NamedTuple):
    local: NodeProcess
    gateway: NodeProcess
    data: NodeProcess

    @contextmanager
    def stuck(self) -> Iterator[None]:
        """The remote does not answer within this block."""
        self.data.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.data.send_signal(signal.SIGCONT)
            until(lambda: self.gateway.call("GET", "/i/_count")["count"] == 1)

    def remote_tasks(self) -> list[dict[str, Any]]:
        """What the gateway runs for the local cluster."""
        # The stopped node tells nothing of its own.
        target = "/_tasks?nodes=_local&actions=indices:*&group_by=none&detailed"
        listed = self.gateway.call("GET", target)["tasks"]
        return [each for each in listed if "parent_task_id" in each]

    def local_tasks(self, actions: str = "indices:*") -> list[dict[str, Any]]:
        listed = self.local.call("GET", f"/_tasks?actions={actions}&group_by=none")["tasks"]
        assert isinstance(listed, list)
        return listed


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("cancelling")
    with (
        NodeProcess("local", folder / "local") as local,
        NodeProcess("eu", folder / "data") as data,
        NodeProcess(
            "eu",
            folder / "gateway",
            node__name="g",
            node__roles="remote_cluster_client",
            discovery__seed_hosts=data.transport,
        ) as gateway,
    ):
        register(local, gateway, node_connections=1, seeds=[gateway.transport])
        for node in (local, data):
            node.call("PUT", "/i/_doc/1?refresh=true", {"n": 1})
        # The data node is a gateway of its cluster too; through the other one its silence is not the link's.
        settings = {
            "cluster.remote.eu.mode": "proxy",
            "cluster.remote.eu.seeds": None,
            "cluster.remote.eu.node_connections": None,
            "cluster.remote.eu.proxy_address": gateway.transport,
        }
        local.call("PUT", "/_cluster/settings", {"persistent": settings})
        until(lambda: local.call("GET", "/eu:i/_count")["count"] == 1)
        yield World(local, gateway, data)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


@contextmanager
def waiting(node: NodeProcess, method: str, target: str, body: bytes) -> Iterator[socket.socket]:
    """A client that has sent a request and leaves at the end of the block."""
    host, _, port = node.http.rpartition(":")
    kind = "application/x-ndjson" if b"\n" in body else "application/json"
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {node.http}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nX-Opaque-Id: {OPAQUE}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        yield connection


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/i,eu:i/_search", SEARCH),
        ("POST", "/i,eu:i/_search?ccs_minimize_roundtrips=false", SEARCH),
        ("POST", "/eu:i/_search", SEARCH),
        ("POST", "/_msearch", b'{"index":"eu:i"}\n{}\n{"index":"i,eu:i"}\n{}\n'),
        ("POST", "/i,eu:i/_count", SEARCH),
        ("POST", "/i,eu:i/_field_caps?fields=*", b""),
        ("POST", "/i,eu:i/_async_search?wait_for_completion_timeout=60s", SEARCH),
    ],
)
def test_a_client_that_leaves_takes_its_search_back(
    world: World, method: str, target: str, body: bytes
) -> None:
    """S-89: on this node and on every remote."""
    with world.stuck():
        with waiting(world.local, method, target, body):
            until(lambda: len(world.remote_tasks()) > 0)
        until(lambda: not world.remote_tasks())
        until(lambda: not world.local_tasks())


def test_tasks_show_whose_they_are(world: World) -> None:
    """Parents and headers on both sides, and the remote's children beside the parent where they are asked for."""
    with world.stuck(), waiting(world.local, "POST", "/i,eu:i/_search", SEARCH):
        until(lambda: len(world.remote_tasks()) > 0)
        (parent,) = world.local_tasks("indices:data/read/search")
        (child,) = world.remote_tasks()
        assert child["action"] == "indices:data/read/search"
        assert child["parent_task_id"] == f"{parent['node']}:{parent['id']}"
        assert child["headers"] == parent["headers"] == {"X-Opaque-Id": OPAQUE}
        shown = world.local.call("GET", "/_tasks?actions=indices:*&include_remotes=true")
        assert list(shown["remotes"]["eu"]["tasks"]) == [f"{child['node']}:{child['id']}"]
        none = world.local.call("GET", "/_tasks?actions=cluster:*&include_remotes=true")
        assert none["remotes"]["eu"]["tasks"] == {}


def test_cancelling_a_task_reaches_its_remotes(world: World) -> None:
    """S-80, S-89: the client is told, and no cluster counts as skipped."""
    with world.stuck(), waiting(world.local, "POST", "/i,eu:i/_search", SEARCH) as client:
        until(lambda: len(world.remote_tasks()) > 0)
        (task,) = world.local_tasks("indices:data/read/search")
        id = f"{task['node']}:{task['id']}"
        answer = world.local.call("POST", f"/_tasks/{id}/_cancel?wait_for_completion=true")
        (node,) = answer["nodes"].values()
        assert node["tasks"][id]["cancelled"] is True
        assert "description" not in node["tasks"][id]
        status, body = received(client)
        assert status == 400
        assert body["error"]["type"] == "task_cancelled_exception"
        assert body["error"]["reason"] == "task cancelled [by user request]"
        until(lambda: not world.remote_tasks())


def test_an_asynchronous_search_frees_the_remote_when_it_is_deleted(world: World) -> None:
    """S-88."""
    with world.stuck():
        target = "/i,eu:i/_async_search?wait_for_completion_timeout=0"
        id = world.local.call("POST", target, {"query": {"match_all": {}}})["id"]
        until(lambda: len(world.remote_tasks()) > 0)
        assert world.local.call("DELETE", f"/_async_search/{id}") == {"acknowledged": True}
        until(lambda: not world.remote_tasks())
        assert world.local.request("GET", f"/_async_search/{id}").status == 404
        assert not world.local_tasks()


def test_an_asynchronous_search_outlives_its_client(world: World) -> None:
    """Once its submit has answered, nobody's leaving ends it; its expiry does (S-90)."""
    with world.stuck():
        target = "/i,eu:i/_async_search?wait_for_completion_timeout=0&keep_alive=2s"
        with waiting(world.local, "POST", target, SEARCH) as client:
            status, body = received(client)
        assert (status, body["is_running"]) == (200, True)
        until(lambda: len(world.remote_tasks()) > 0)
        assert world.local.request("GET", f"/_async_search/{body['id']}").status == 200
        until(lambda: not world.remote_tasks())
        assert world.local.request("GET", f"/_async_search/{body['id']}").status == 404


def received(client: socket.socket) -> tuple[int, Any]:
    client.settimeout(WITHIN_S)
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += client.recv(65536)
    return int(head.split()[1]), json.loads(body)
