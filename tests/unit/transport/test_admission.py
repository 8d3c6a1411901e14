"""Who may stay on a listening port, and what may be asked there before a handshake."""

import asyncio
import logging
from unittest.mock import Mock

import pytest

from sealane.model.node import Address
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.admission import Admission
from sealane.wire import FrameDecoder
from sealane.wire.families.discovery import NODE_HANDSHAKE, node_request_body
from sealane.wire.families.elasticsearch import ELASTICSEARCH
from sealane.wire.frame import PING, encode_head, plain_request_header
from sealane.wire.handshake import Handshake
from sealane.wire.versions import ELASTICSEARCH_WIRE, SEALANE_VERSION
from tests.transport_nodes import TransportNode, two_nodes, until

SOMEBODY = Address("127.0.0.1", 1)
LIMITS = TransportLimits(handshake_timeout_s=30)


class Caller(asyncio.BufferedProtocol):
    """A socket that says what a test tells it to."""

    def __init__(self) -> None:
        self.link: asyncio.Transport
        self.lost = False
        self.received = bytearray()
        self._buffer = memoryview(bytearray(4096))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.link = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received += self._buffer[:nbytes]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


def request(version: int, action: str, body: bytes = b"") -> bytes:
    return encode_head(7, 0, version, plain_request_header(version, action), len(body)) + body


async def call(network: MemoryNetwork, server: TransportNode) -> Caller:
    return await network.dial(server.address, Caller)


def test_only_so_many_connections_are_accepted(caplog: pytest.LogCaptureFixture) -> None:
    """The first refusal of a row is a warning, the others are not."""
    a, b, c = Mock(), Mock(), Mock()
    admission = Admission(TransportLimits(accepted_max=2))
    with caplog.at_level(logging.WARNING):
        entered = [admission.enter(SOMEBODY, drop) for drop in (a, b, c, c)]
        assert entered == [True, True, False, False]
        assert caplog.messages == [
            "refusing connection from [127.0.0.1:1]: [2] connections are open"
        ]
        admission.leave(a)
        assert [admission.enter(SOMEBODY, drop) for drop in (a, c)] == [True, False]
        assert len(caplog.messages) == 2


def test_the_oldest_stranger_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    """Silent sockets must not keep others out. One that has said something stays."""
    a, b, c, d = (Mock() for _ in range(4))
    admission = Admission(TransportLimits(strangers_max=2))
    assert [admission.enter(SOMEBODY, drop) for drop in (a, b)] == [True, True]
    admission.introduced(a)
    assert admission.enter(SOMEBODY, c)
    assert admission.enter(SOMEBODY, d)
    assert [drop.called for drop in (a, b, c, d)] == [False, True, False, False]
    assert "silent, and [1] others have not shaken hands yet" in caplog.text
    admission.leave(b)
    admission.leave(d)
    assert admission.enter(SOMEBODY, b)
    assert not c.called


def test_a_real_node_s_silent_sockets_do_not_make_room(caplog: pytest.LogCaptureFixture) -> None:
    a, b = Mock(), Mock()
    admission = Admission(TransportLimits(strangers_max=1))
    admission.foreign_arrived(SOMEBODY)
    assert admission.enter(SOMEBODY, a)
    assert not admission.enter(SOMEBODY, b)
    assert "[1] connections have not shaken hands yet" in caplog.text
    assert not a.called


async def test_a_refused_socket_is_closed_and_the_others_stay() -> None:
    network = MemoryNetwork()
    async with two_nodes(network, limits=TransportLimits(accepted_max=3)) as (client, server):
        connection = await client.transport.connect(server.address, ConnectionProfile(3))
        extra = await call(network, server)
        await until(lambda: extra.lost)
        assert connection.is_open
        assert server.transport.statistics().channels_in == 3
        connection.close()
        await until(lambda: server.transport.statistics().channels_in == 0)
        again = await call(network, server)
        again.link.write(PING)
        await until(lambda: again.received == PING)


@in_virtual_time
async def test_a_caller_that_says_nothing_is_closed() -> None:
    """Half a frame is nothing; a ping is enough to stay."""
    network = MemoryNetwork()
    async with two_nodes(network, limits=LIMITS) as (_, server):
        silent, half, pinging = [await call(network, server) for _ in range(3)]
        half.link.write(b"ES\0\0")
        pinging.link.write(PING)
        await settle(29)
        assert [silent.lost, half.lost] == [False, False]
        await settle(2)
        assert silent.lost
        assert half.lost
        assert not pinging.lost


@in_virtual_time
async def test_the_silent_sockets_of_a_foreign_node_stay_while_it_does() -> None:
    """The reference shakes hands on two of its sockets and leaves the others for later."""
    network = MemoryNetwork()
    async with two_nodes(network, limits=LIMITS) as (_, server):
        first, second, silent = [await call(network, server) for _ in range(3)]
        first.link.write(Handshake(ELASTICSEARCH, mark=False).tcp_request(1))
        second.link.write(request(ELASTICSEARCH_WIRE, NODE_HANDSHAKE, node_request_body()))
        await settle(100)
        assert [first.lost, second.lost, silent.lost] == [False, False, False]
        second.link.close()
        await settle(31)
        assert silent.lost
        assert not first.lost


@pytest.mark.parametrize("action", ["indices:data/read/search", NODE_HANDSHAKE])
async def test_a_sealane_request_before_the_handshake_closes_the_channel(
    action: str, caplog: pytest.LogCaptureFixture
) -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (_, server):
        caller = await call(network, server)
        caller.link.write(request(SEALANE_VERSION, action))
        await until(lambda: caller.lost)
    assert f"request [{action}] before a handshake" in caplog.text


async def test_each_channel_of_a_sealane_node_shakes_hands() -> None:
    """The second handshake still goes on the second channel."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        await client.transport.connect(server.address, ConnectionProfile(4))
        actions = [
            [frame.action for frame in FrameDecoder().receive_data(bytes(dialling.sent))]
            for dialling, _ in network.links
        ]
    tcp = "internal:tcp/handshake"
    assert actions == [[tcp], [tcp, NODE_HANDSHAKE], [tcp], [tcp]]


async def test_a_closed_service_accepts_nothing() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (_, server):
        accept = network.listening[server.address]
        await server.transport.close()
        network.listening[server.address] = accept
        late = await call(network, server)
        await until(lambda: late.lost)
        assert server.transport.statistics().channels_in == 0
