"""Real servers, as recorded: this node dials them, shakes hands, and asks for their nodes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sealane.errors import ActionNotFound, IllegalArgument
from sealane.model.node import Address, NodeInfo
from sealane.remote.transport.nodes import NodesRequest
from sealane.transport import ConnectionProfile
from sealane.wire import Frame, FrameDecoder, StreamOutput
from sealane.wire.families.discovery import NODE_HANDSHAKE, TCP_HANDSHAKE
from sealane.wire.families.elasticsearch import REMOTE_NODES
from sealane.wire.families.states import STATE
from sealane.wire.frame import HANDSHAKE, RESPONSE, encode
from sealane.wire.versions import HANDSHAKE_ELASTICSEARCH_8, opensearch_id
from tests.transport_nodes import FixedClock, two_nodes
from tests.wire_vectors import recorded

VERSIONS = {
    "elasticsearch-8.19.0": 8_841_064,
    "elasticsearch-9.1.0": 9_112_003,
    "opensearch-2.19.4": opensearch_id("2.19.4"),
    "opensearch-3.4.0": opensearch_id("3.4.0"),
}
"""What each says of itself in the first handshake."""


class RealServer:
    """Answers each action with the recorded frame; `knows` are the actions that it answers."""

    def __init__(self, name: str, knows: tuple[str, ...] = (REMOTE_NODES, STATE)) -> None:
        self._name = name
        self._knows = knows
        self.asked: list[str] = []

    def answer(self, request: Frame) -> bytes | None:
        """None closes the connection."""
        action = str(request.action)
        if action == TCP_HANDSHAKE:
            if self._name == "opensearch-3.4.0" and request.version == HANDSHAKE_ELASTICSEARCH_8:
                return None
            body = StreamOutput().vint(VERSIONS[self._name]).getvalue()
            status = RESPONSE | HANDSHAKE
            return encode(Frame(request.request_id, status, request.version, body=body))
        self.asked.append(action)
        kind = {NODE_HANDSHAKE: "node", REMOTE_NODES: "nodes", STATE: "state"}[action]
        if action != NODE_HANDSHAKE and action not in self._knows:
            kind = "unknown-action"
        data = recorded(f"{kind}-{self._name}")
        return data[:6] + request.request_id.to_bytes(8, "big") + data[14:]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = FrameDecoder()
        with contextlib.closing(writer):
            while data := await reader.read(65536):
                for request in decoder.receive_data(data):
                    assert isinstance(request, Frame)
                    answer = self.answer(request)
                    if answer is None:
                        return
                    writer.write(answer)


@asynccontextmanager
async def listening(server: RealServer) -> AsyncIterator[Address]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield Address(*listener.sockets[0].getsockname()[:2])
    finally:
        listener.close()
        await listener.wait_closed()


async def nodes_of(address: Address, channels: int) -> tuple[str, str, list[NodeInfo]]:
    """Family, release and nodes."""
    async with two_nodes() as (client, _):
        connection = await client.transport.connect(address, ConnectionProfile(channels))
        nodes = await NodesRequest(client.tasks, FixedClock())(connection)
        assert connection.is_open
        with client.context() as ctx, pytest.raises(IllegalArgument, match="not supported yet"):
            await connection.request("indices:data/read/search", b"", ctx)
        return connection.family, connection.version, nodes


@pytest.mark.parametrize("channels", [6, 1])
@pytest.mark.parametrize("name", sorted(VERSIONS))
async def test_a_real_server_is_connected_to_and_tells_its_nodes(name: str, channels: int) -> None:
    """C-107: with the sockets of a gateway, and with the single one of a proxy."""
    server = RealServer(name)
    async with listening(server) as address:
        family, release, nodes = await nodes_of(address, channels)
    product, version = name.split("-")
    assert (family, release) == (product, version)
    assert [(node.version, node.address.host) for node in nodes] == [(version, "127.0.0.1")]
    wanted = REMOTE_NODES if product == "elasticsearch" else STATE
    assert server.asked == [NODE_HANDSHAKE, wanted]


async def test_an_elasticsearch_without_the_short_list_is_asked_for_its_state() -> None:
    server = RealServer("elasticsearch-8.19.0", knows=(STATE,))
    async with listening(server) as address:
        _, _, nodes = await nodes_of(address, 1)
    assert [node.name for node in nodes] == ["esa-0"]
    assert server.asked == [NODE_HANDSHAKE, REMOTE_NODES, STATE]


@pytest.mark.parametrize("name", ["elasticsearch-8.19.0", "opensearch-2.19.4"])
async def test_a_server_that_tells_no_nodes_says_so(name: str) -> None:
    """C-99: what it answers to an unknown action, decoded."""
    async with listening(RealServer(name, knows=())) as address:
        with pytest.raises(ActionNotFound, match=r"No handler for action \[sealane:unknown\]"):
            await nodes_of(address, 1)
