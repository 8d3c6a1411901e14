"""Real nodes that are told to stop while they answer."""

import asyncio
import os
import signal
import socket
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sealane.clock import RandomIds
from sealane.cluster.identity import DataFolder
from sealane.errors import NodeClosed
from sealane.inbound import register_handlers
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.node.base import Base
from sealane.node.data import start_data_node
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Partial, ShardCounts, TotalHits
from sealane.security.rules import allow_all
from sealane.settings import Settings
from sealane.testing.process import NodeProcess
from sealane.transport import AsyncioNetwork, ConnectionProfile, TaskScope
from tests.transport_nodes import TransportNode, until

ACTION = "indices:data/read/test"


async def test_a_whole_node_answers_what_runs_and_refuses_the_rest(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(payload: bytes, ctx: Context) -> bytes:
        begun.set()
        await go_on.wait()
        return b"done"

    ports = {"http.port": "0", "transport.port": "0", "path.data": str(tmp_path)}
    stack = AsyncExitStack()
    node = Base(Settings(ports), DataFolder.open(tmp_path, RandomIds()), stack)
    stack.callback(node.folder.close)
    await start_data_node(node)
    client = TransportNode("client", AsyncioNetwork())
    async with TaskScope("test") as scope:
        node.transport.register(ACTION, slow)
        connection = await client.transport.connect(node.info.address, ConnectionProfile(2))
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await begun.wait()
            closing = scope.start(stack.aclose())
            await until(lambda: node.transport.draining)
            with pytest.raises(NodeClosed):
                await connection.request(ACTION, b"", ctx)
            go_on.set()
            assert await asked == b"done"
            await closing
        await client.transport.close()


async def test_a_search_over_a_remote_is_answered_by_a_process_that_stops(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
            begun.set()
            await go_on.wait()
            return ClusterAnswer(
                Partial(hits=[], total=TotalHits(7), max_score=None, shards=ShardCounts(1, 1)), 1
            )

    played = TransportNode("played", AsyncioNetwork())
    register_handlers(
        played.transport, local=Slow(), nodes=lambda: [played.info], authorize=allow_all
    )
    played.address = await played.transport.listen("127.0.0.1", 0)
    node = NodeProcess("local", tmp_path)
    try:
        await asyncio.to_thread(node.start)
        keys = {"cluster.remote.played.seeds": [str(played.address)]}
        await asyncio.to_thread(node.call, "PUT", "/_cluster/settings", {"persistent": keys})
        async with TaskScope("test") as scope:
            asked = scope.start(asyncio.to_thread(node.request, "GET", "/played:any/_search"))
            await begun.wait()
            os.kill(node.pid, signal.SIGTERM)
            await until(lambda: "stopping" in node.log)
            go_on.set()
            answer = await asked
        assert answer.status == 200
        assert answer.body["hits"]["total"]["value"] == 7
    finally:
        # No second SIGTERM: the first is to be enough.
        code = await asyncio.to_thread(node.stop, signal.SIGCONT)
        await played.transport.close()
    assert code == 0


def test_a_second_signal_ends_a_stop_that_waits(tmp_path: Path) -> None:
    """The first waits for a request whose body has not come yet."""
    node = NodeProcess("busy", tmp_path).start()
    host, _, port = node.http.rpartition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /_search HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            b"Content-Length: 20\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        os.kill(node.pid, signal.SIGTERM)
        while b"stopping" not in (tmp_path / "log").read_bytes():
            time.sleep(0.01)
        assert node.stop() == 128 + signal.SIGTERM
    assert "stopping at once" in node.log


def test_one_signal_ends_an_idle_node_cleanly(tmp_path: Path) -> None:
    node = NodeProcess("idle", tmp_path).start()
    assert node.stop() == 0
    assert "stopping at once" not in node.log
