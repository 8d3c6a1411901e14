"""Coordinators of real servers, as recorded: they register this node, sniff it, and search over the
link. Each frame is played on its own socket, and our answer is read as the coordinator reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sealane.errors import IllegalArgument
from sealane.inbound import register_foreign_handlers
from sealane.model.node import ClusterIdentity
from sealane.security.rules import allow_all
from sealane.wire import Frame, FrameDecoder, StreamInput, StreamOutput
from sealane.wire.exceptions import read_error_body
from sealane.wire.families.discovery import NODE_HANDSHAKE, TCP_HANDSHAKE
from sealane.wire.families.foreign import CANCEL_CHILD
from sealane.wire.families.known import WIRES
from sealane.wire.families.protocol import Membership
from sealane.wire.families.states import STATE
from sealane.wire.frame import HANDSHAKE, PING, encode
from sealane.wire.versions import (
    HANDSHAKE_6_8,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_OPENSEARCH_1,
    HANDSHAKE_OPENSEARCH_2,
    opensearch_id,
    release_id,
)
from tests.transport_nodes import TransportNode, two_nodes

RECORDED = Path(__file__).parent / "recorded"
SERVERS = sorted(file.stem for file in RECORDED.glob("*.txt"))
SEARCH = "indices:data/read/search"


def frames_of(server: str) -> list[tuple[str, bytes]]:
    """Channel and bytes of each frame that the coordinator sent, in order."""
    lines = (RECORDED / f"{server}.txt").read_text("ascii").splitlines()
    return [(channel, bytes.fromhex(data)) for channel, data in map(str.split, lines)]


class Coordinator:
    """Sends recorded frames, each on the socket that has its channel's name."""

    def __init__(self, node: TransportNode) -> None:
        self._node = node
        self._sockets: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._decoders: dict[str, FrameDecoder] = {}

    async def send(self, channel: str, data: bytes) -> Frame:
        if channel not in self._sockets:
            address = self._node.address
            self._sockets[channel] = await asyncio.open_connection(address.host, address.port)
            self._decoders[channel] = FrameDecoder()
        reader, writer = self._sockets[channel]
        writer.write(data)
        events: list[object] = []
        while not events:
            received = await reader.read(65536)
            assert received, "the node closed the connection"
            events += self._decoders[channel].receive_data(received)
        (frame,) = events
        assert isinstance(frame, Frame)
        return frame

    async def close(self) -> None:
        for _, writer in self._sockets.values():
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def coordinator_of() -> AsyncIterator[tuple[Coordinator, TransportNode]]:
    async with two_nodes() as (_, node):

        async def search(payload: bytes, ctx: object) -> bytes:
            raise AssertionError("only Sealane clusters may ask this")

        node.transport.register(SEARCH, search)
        cluster = ClusterIdentity(name="server-cluster", uuid="u")
        register_foreign_handlers(
            node.transport,
            members=lambda: Membership(cluster=cluster, nodes=[node.info], master_id=node.info.id),
            authorize=allow_all,
        )
        coordinator = Coordinator(node)
        try:
            yield coordinator, node
        finally:
            await coordinator.close()


def test_all_four_servers_are_recorded() -> None:
    assert SERVERS == [
        "elasticsearch-8.19.0",
        "elasticsearch-9.1.0",
        "opensearch-2.19.4",
        "opensearch-3.4.0",
    ]


@pytest.mark.parametrize("server", SERVERS)
async def test_a_coordinator_connects_sniffs_and_is_told_that_it_cannot_search(
    server: str,
) -> None:
    """C-90, C-99, C-107."""
    actions: list[str] = []
    async with coordinator_of() as (coordinator, node):
        for channel, data in frames_of(server):
            (request,) = FrameDecoder().receive_data(data)
            assert isinstance(request, Frame)
            answer = await coordinator.send(channel, data)
            assert answer.request_id == request.request_id
            assert answer.version == request.version
            actions.append(str(request.action))
            check(str(request.action), answer, node)
    wanted = [TCP_HANDSHAKE, NODE_HANDSHAKE, TCP_HANDSHAKE, NODE_HANDSHAKE, STATE, SEARCH]
    if server.startswith("elasticsearch"):
        wanted.append(CANCEL_CHILD)
    assert actions == wanted


def check(action: str, answer: Frame, node: TransportNode) -> None:
    """What the coordinator makes of it."""
    if action == TCP_HANDSHAKE:
        assert answer.status & HANDSHAKE
        assert StreamInput(answer.body).vint() in WIRES
        return
    wire = WIRES[answer.version]
    if action == NODE_HANDSHAKE:
        hello = wire.read_node_response(answer.body)
        assert (hello.node.id, hello.cluster_name) == (node.info.id, "server-cluster")
    elif action == STATE:
        (listed,) = wire.nodes[STATE].read_response(bytes(answer.body))
        assert (listed.ephemeral_id, listed.address) == (node.info.ephemeral_id, node.address)
        assert listed.roles == node.info.roles
    elif action == SEARCH:
        error = wire.read_error(answer.body)
        assert isinstance(error, IllegalArgument)
        assert f"is not supported yet from {wire.product} nodes" in error.reason
    else:
        assert (bytes(answer.body), answer.is_error) == (b"", False)


@pytest.mark.parametrize("server", SERVERS)
async def test_frames_of_a_coordinator_may_come_in_pieces(server: str) -> None:
    """C-91: cut at any byte."""
    (_, first), (_, second) = frames_of(server)[:2]
    async with coordinator_of() as (_, node):
        for cut in (1, 6, 14, 22, len(first) - 1):
            address = node.address
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(first[:cut])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(first[cut:] + second[:cut])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(second[cut:])
            decoder, events = FrameDecoder(), []
            while len(events) < 2:
                events += decoder.receive_data(await reader.read(65536))
            assert [type(event) for event in events] == [Frame, Frame]
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("header", "version", "shown"),
    [
        (HANDSHAKE_6_8, release_id("7.17.10"), "Elasticsearch 7.17.10"),
        (HANDSHAKE_ELASTICSEARCH_8, 8_702_002, "Elasticsearch 8.15"),
        (HANDSHAKE_OPENSEARCH_1, opensearch_id("1.3.0"), "OpenSearch 1.3.0"),
        (HANDSHAKE_OPENSEARCH_2, opensearch_id("2.18.0"), "OpenSearch 2.18.0"),
    ],
)
async def test_a_coordinator_outside_the_range_is_told_before_the_close(
    header: int, version: int, shown: str
) -> None:
    """C-101: its operator sees both versions too."""
    payload = StreamOutput().vint(version).getvalue()
    body = StreamOutput().task_id(None).block(payload).getvalue()
    async with coordinator_of() as (_, node):
        reader, writer = await asyncio.open_connection(node.address.host, node.address.port)
        writer.write(
            encode(Frame(5, HANDSHAKE, header, action=TCP_HANDSHAKE, features=[], body=body))
        )
        (answer,) = FrameDecoder().receive_data(await reader.read())
        assert isinstance(answer, Frame)
        assert (answer.request_id, answer.version) == (5, header)
        error = read_error_body(answer.body, answer.version)
        assert error.es_type == "illegal_state_exception"
        assert f"remote speaks {shown}, this node accepts" in error.reason
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("server", SERVERS)
async def test_an_idle_link_answers_pings(server: str) -> None:
    """C-92: on every socket of the coordinator, also those that have carried no request."""
    channel, first = frames_of(server)[0]
    async with coordinator_of() as (coordinator, node):
        await coordinator.send(channel, first)
        address = node.address
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(PING)
        assert await reader.readexactly(len(PING)) == PING
        writer.close()
        await writer.wait_closed()
