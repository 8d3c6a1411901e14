"""Opening connections between two nodes over a network in memory: all channels or none, and why not."""

import asyncio
import ssl

import pytest

from sealane.errors import (
    ConnectTransport,
    IllegalArgument,
)
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.transport import ConnectionProfile, NodeConnection, TlsFailure, TlsProblem
from sealane.wire.frame import PING
from tests.transport_nodes import TransportNode, two_nodes, until

SIX = ConnectionProfile(6)
ACTION = "indices:data/read/test"


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


async def connected(
    client: TransportNode, server: TransportNode, profile: ConnectionProfile = SIX
) -> NodeConnection:
    return await client.transport.connect(server.address, profile)


async def test_a_connection_knows_who_is_there() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        connection = await connected(client, server)
        assert (connection.family, connection.version) == ("sealane", "0.1.0")
        assert connection.node.id == "server-id"
        assert connection.cluster.uuid == "server-uuid"
        assert connection.channels_open == 6
        assert client.transport.statistics().channels_out == 6
        assert server.transport.statistics().channels_in == 6


async def test_one_channel_that_ends_takes_the_others_along() -> None:
    """C-104: closing one of the 6 channels closes the other 5."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        connection = await connected(client, server)
        network.links[3][1].close()
        await until(lambda: not connection.is_open)
        await until(lambda: client.transport.statistics().channels_out == 0)
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_a_failing_socket_closes_those_that_opened() -> None:
    """C-105: all channels or none."""

    class Fifth(MemoryNetwork):
        dialled = 0

        async def dial(self, address, receiver):
            self.dialled += 1
            if self.dialled == 5:
                raise OSError(111, "Connection refused")
            return await super().dial(address, receiver)

    network = Fifth()
    async with two_nodes(network) as (client, server):
        with pytest.raises(ConnectTransport, match="connect_exception"):
            await connected(client, server)
        await until(lambda: client.transport.statistics().channels_out == 0)
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_all_sockets_share_one_connect_timeout() -> None:
    """C-105: a black hole is left after one connect timeout."""
    network = MemoryNetwork()
    hole = Address("10.0.0.1", 9300)
    network.black_holes.add(hole)
    async with two_nodes(network) as (client, _):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(hole, ConnectionProfile(6, connect_timeout_s=0.01))
    assert raised.value.reason == "[][10.0.0.1:9300] connect_timeout[10ms]"


async def test_no_answer_to_the_handshake_is_a_handshake_timeout() -> None:
    """C-103: no handshake answer in connect_timeout."""
    network = MemoryNetwork()

    class Mute(asyncio.BufferedProtocol):
        def get_buffer(self, sizehint: int) -> memoryview:
            return memoryview(bytearray(4096))

        def buffer_updated(self, nbytes: int) -> None:
            """Says nothing."""

    await network.listen("10.0.0.2", 9300, Mute)
    async with two_nodes(network) as (client, _):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(
                Address("10.0.0.2", 9300),
                ConnectionProfile(1, connect_timeout_s=0.02),
                node_name="n",
            )
    assert raised.value.reason == "[n][10.0.0.2:9300] handshake_timeout[20ms]"


async def test_a_refused_connection_has_the_references_chain() -> None:
    network = MemoryNetwork()
    network.names["db.example"] = ["10.0.0.3"]
    async with two_nodes(network) as (client, _):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(Address("db.example", 1), SIX)
    body = raised.value.to_body()
    assert body["status"] == 502
    assert body["error"]["root_cause"] == [
        {"type": "uncategorized_execution_exception", "reason": "Failed execution"}
    ]
    assert body["error"]["reason"] == "[][10.0.0.3:1] connect_exception"
    annotated = body["error"]["caused_by"]["caused_by"]["caused_by"]
    assert annotated["type"] == "annotated_connect_exception"
    assert annotated["reason"] == "Connection refused: db.example/10.0.0.3:1"
    assert annotated["caused_by"] == {"type": "connect_exception", "reason": "Connection refused"}


@pytest.mark.parametrize("name", ["a\0b", ".a", "a..b", "a" * 300])
async def test_a_server_name_that_cannot_be_sent_fails_its_connect(name: str) -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(
                server.address, SIX, tls=ssl.create_default_context(), server_name=name
            )
        failure = raised.value.__cause__
        assert isinstance(failure, TlsFailure)
        assert failure.problem is TlsProblem.INVALID_NAME


async def test_an_unknown_host_is_a_bad_argument() -> None:
    async with two_nodes(MemoryNetwork()) as (client, _):
        with pytest.raises(IllegalArgument) as raised:
            await client.transport.connect(Address("nohost", 1), SIX)
    assert raised.value.to_body()["error"]["reason"] == "unknown host [nohost]"
    assert raised.value.caused_by is not None
    assert raised.value.caused_by.to_cause() == {
        "type": "unknown_host_exception",
        "reason": "nohost",
    }


async def test_all_addresses_of_a_name_are_tried() -> None:
    """C-66: the name is resolved at each connect."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        network.names["db"] = ["10.0.0.9", "127.0.0.1"]
        connection = await client.transport.connect(Address("db", server.address.port), SIX)
        assert connection.address == server.address
        network.names["db"] = ["10.0.0.9"]
        with pytest.raises(ConnectTransport):
            await client.transport.connect(Address("db", server.address.port), SIX)


async def test_a_peer_that_hangs_up_is_a_general_failure_with_its_cause_as_the_root() -> None:
    """As the reference tells it: the cause is an error of the product's own, so it is the root."""
    network = MemoryNetwork()

    class HangsUp(asyncio.BufferedProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.close()

        def get_buffer(self, sizehint: int) -> memoryview:
            return memoryview(bytearray(4096))

        def buffer_updated(self, nbytes: int) -> None:
            """Hears nothing."""

    await network.listen("10.0.0.2", 9300, HangsUp)
    async with two_nodes(network) as (client, _):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(Address("10.0.0.2", 9300), SIX)
    cause = {"type": "transport_exception", "reason": "handshake failed because connection reset"}
    assert raised.value.to_body()["error"] == {
        "root_cause": [cause],
        "type": "connect_transport_exception",
        "reason": "[][10.0.0.2:9300] general node connection failure",
        "caused_by": cause,
    }


async def test_a_profile_says_which_address_of_a_name_is_tried_first() -> None:
    """Counted round, so that connections can be spread over all of them."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        port = server.address.port
        await network.listen("10.0.0.8", port, lambda: server.transport._accept())
        network.names["db"] = ["10.0.0.8", "127.0.0.1"]
        reached = []
        for turn in range(4):
            profile = ConnectionProfile(1, first_address=turn)
            connection = await client.transport.connect(Address("db", port), profile)
            reached.append(connection.address.host)
        assert reached == ["10.0.0.8", "127.0.0.1"] * 2


async def test_the_server_side_echoes_a_ping_and_the_client_side_does_not() -> None:
    """C-92: ping is echoed by the server side and not by the client side."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        connection = await connected(client, server, ConnectionProfile(1))
        (dialling, accepting) = network.links[0]
        dialling.write(PING)
        await until(lambda: accepting.sent.endswith(PING))
        accepting.write(PING)
        sent = bytes(dialling.sent)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bytes(dialling.sent) == sent
        assert connection.is_open


async def test_silent_channels_are_pinged_and_a_dead_peer_is_noticed() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        connection = await connected(client, server, ConnectionProfile(1, ping_interval_s=0.01))
        dialling, accepting = network.links[0]
        await until(lambda: dialling.sent.count(PING) >= 3)
        assert connection.is_open
        accepting.silent = True
        await until(lambda: not connection.is_open)


async def test_closing_the_service_closes_everything() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        connection = await connected(client, server)
        await client.transport.close()
        assert not connection.is_open
        with pytest.raises(ConnectTransport, match="connect handler is already closed"):
            await connected(client, server)
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_statistics_count_bytes_and_messages_also_of_closed_channels() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        with client.context() as ctx:
            await connection.request(ACTION, b"x", ctx)
        before = client.transport.statistics()
        # A handshake on each of six channels, who is there, and the request.
        assert before.tx_count == before.rx_count == 8
        connection.close()
        await until(lambda: client.transport.statistics().channels_out == 0)
        after = client.transport.statistics()
        assert (after.tx_bytes, after.rx_bytes) == (before.tx_bytes, before.rx_bytes)
