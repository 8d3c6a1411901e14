"""The transport on real sockets: strangers on the port, wrong ports, lost peers."""

import asyncio
import contextlib
import logging
import struct

import pytest

from sealane.errors import ConnectTransport, IllegalArgument, NodeDisconnected, ReceiveTimeout
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.transport import AsyncioNetwork, ConnectionProfile
from sealane.wire import Frame, FrameDecoder, StreamOutput
from sealane.wire.exceptions import read_error_body
from sealane.wire.families.known import WIRES
from sealane.wire.frame import ERROR, HANDSHAKE, PING, RESPONSE, encode
from sealane.wire.versions import ELASTICSEARCH_WIRE, OPENSEARCH_WIRE
from tests.transport_nodes import TransportNode, two_nodes, until
from tests.wire_vectors import VECTORS

ACTION = "indices:data/read/test"


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


async def exchange(address: Address, data: bytes, *, until_close: bool = True) -> bytes:
    """What a stranger gets for its bytes."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(data)
        return await reader.read() if until_close else await reader.read(65536)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_bodies_of_all_sizes_go_both_ways() -> None:
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        connection = await client.transport.connect(server.address, ConnectionProfile(6))
        with client.context() as ctx:
            for size in (0, 1, 100, 4000, 5000, 32_000, 70_000, 5_000_000):
                body = bytes(range(256)) * (size // 256) + bytes(size % 256)
                assert await connection.request(ACTION, body, ctx) == body


async def test_many_requests_at_once_each_get_their_own_answer() -> None:
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        connection = await client.transport.connect(server.address, ConnectionProfile(3))
        with client.context() as ctx:
            bodies = [struct.pack(">i", n) * (n % 50) for n in range(500)]
            async with asyncio.TaskGroup() as group:
                jobs = [group.create_task(connection.request(ACTION, b, ctx)) for b in bodies]
        assert [job.result() for job in jobs] == bodies


async def test_a_slow_reader_gets_everything() -> None:
    """Back-pressure: more is asked for than any buffer holds."""
    body = b"x" * 3_000_000

    async def handler(payload: bytes, ctx: Context) -> bytes:
        return body

    async with two_nodes() as (client, server):
        server.transport.register(ACTION, handler)
        connection = await client.transport.connect(server.address, ConnectionProfile(1))
        with client.context() as ctx:
            async with asyncio.TaskGroup() as group:
                jobs = [group.create_task(connection.request(ACTION, body, ctx)) for _ in range(8)]
        assert all(job.result() == body for job in jobs)


@pytest.mark.parametrize(
    "request_line", ["GET / HTTP/1.1", "POST /_search HTTP/1.1", "OPTIONS * HTTP/1.1"]
)
async def test_an_http_caller_is_told_and_closed(request_line: str) -> None:
    """C-94: GET gets the text "This is not an HTTP port" and a close."""
    async with two_nodes() as (_, server):
        answer = await exchange(server.address, f"{request_line}\r\nHost: x\r\n\r\n".encode())
        assert answer == b"This is not an HTTP port"


@pytest.mark.parametrize(
    ("data", "logged"),
    [
        (bytes.fromhex("160301020001"), "SSL/TLS request received but SSL/TLS is not enabled"),
        (b"HTTP/1.1 200 OK", "received HTTP response on transport port"),
        (b"\x80\x81random", "invalid internal transport message format, got (80,81,72,61)"),
        (b"ES\x7f\xff\xff\xff", "transport content length received [1.9gb] exceeded [100mb]"),
        (b"ES\x00\x00\x00\x00", "invalid data length: 0"),
        (b"ES\xff\xff\xff\xfe", "invalid data length: -2"),
    ],
)
async def test_a_stranger_is_closed_with_the_reason_in_the_log(
    data: bytes, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """C-93, C-95: closed with the stated reason."""
    async with two_nodes() as (_, server):
        assert await exchange(server.address, data) == b""
        await until(lambda: server.transport.statistics().channels_in == 0)
    assert logged in caplog.text


async def test_a_ping_is_echoed() -> None:
    """C-92: by the server side."""
    async with two_nodes() as (_, server):
        assert await exchange(server.address, PING, until_close=False) == PING


@pytest.mark.parametrize("family", ["elasticsearch", "opensearch"])
async def test_a_real_node_gets_both_handshakes_and_a_clear_refusal(family: str) -> None:
    """C-90, C-99: the bytes a real node sends; then an action, refused by class 103 around 101."""
    version = ELASTICSEARCH_WIRE if family == "elasticsearch" else OPENSEARCH_WIRE
    async with two_nodes() as (_, server):
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        decoder = FrameDecoder()
        writer.write(VECTORS[f"{family}-tcp-request"])
        (answer,) = decoder.receive_data(await reader.read(65536))
        assert isinstance(answer, Frame)
        assert answer.status == RESPONSE | HANDSHAKE
        writer.write(VECTORS[f"{family}-node-request"])
        (answer,) = decoder.receive_data(await reader.read(65536))
        assert isinstance(answer, Frame)
        hello = WIRES[answer.version].read_node_response(answer.body)
        assert (hello.node.id, hello.cluster_name) == ("server-id", "server-cluster")
        action = "indices:data/read/search"
        request = Frame(
            7, 0, version, action=action, features=[] if family == "opensearch" else None
        )
        writer.write(encode(request))
        (answer,) = decoder.receive_data(await reader.read(65536))
        assert isinstance(answer, Frame)
        assert answer.status == RESPONSE | ERROR
        error = read_error_body(answer.body, answer.version)
        assert error.es_type == "remote_transport_exception"
        assert error.caused_by is not None
        assert error.caused_by.reason == f"No handler for action [{action}]"
        assert error.caused_by.caused_by is not None
        assert "this is a node of a Sealane cluster" in error.caused_by.caused_by.reason
        writer.close()
        await writer.wait_closed()


class FakePeer:
    """A server that answers each connection by a function of the first bytes it gets."""

    def __init__(self, answer) -> None:
        self._answer = answer
        self.connections = 0

    async def __aenter__(self) -> Address:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return Address(*self._server.sockets[0].getsockname()[:2])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while data := await reader.read(65536):
                reply = self._answer(data)
                if reply is None:
                    break
                writer.write(reply)
        except ConnectionError:
            pass  # the caller has seen enough
        finally:
            writer.close()

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def connect_error(address: Address, *, probe_after_s: float = 1.0) -> ConnectTransport:
    node = TransportNode("client", AsyncioNetwork(), probe_after_s=probe_after_s)
    try:
        with pytest.raises(ConnectTransport) as raised:
            await node.transport.connect(address, ConnectionProfile(6))
        await until(lambda: node.transport.statistics().channels_out == 0)
        return raised.value
    finally:
        await node.transport.close()


async def test_an_http_port_that_answers_is_named_at_once() -> None:
    async with FakePeer(lambda data: b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        error = await connect_error(address)
    assert error.reason == f"[][{address}] this is an HTTP port, not a transport port"


async def test_an_http_port_that_stays_silent_is_found_by_asking_it() -> None:
    def answer(data: bytes) -> bytes:
        return b"HTTP/1.0 200 OK\r\n\r\n" if data.startswith(b"GET / HTTP") else b""

    async with FakePeer(answer) as address:
        error = await connect_error(address, probe_after_s=0)
    assert error.reason == f"[][{address}] this is an HTTP port, not a transport port"


async def test_a_peer_that_closes_is_tried_in_both_forms() -> None:
    """With all channels of each; then it is asked whether it speaks TLS."""
    peer = FakePeer(lambda data: None)
    async with peer as address:
        error = await connect_error(address)
    assert error.reason == f"[][{address}] general node connection failure"
    assert error.caused_by is not None
    assert error.caused_by.reason == "handshake failed because connection reset"
    assert peer.connections == 6 + 6 + 1


async def test_an_opensearch_3_that_reads_only_its_own_form_is_reached() -> None:
    def answer(data: bytes) -> bytes | None:
        if data[15:19] == bytes.fromhex("006d6833"):
            return None
        if (
            data
            == VECTORS["opensearch-node-request"][:6]
            + data[6:14]
            + VECTORS["opensearch-node-request"][14:]
        ):
            response = VECTORS["opensearch-node-response"]
            return response[:6] + data[6:14] + response[14:]
        response = VECTORS["opensearch-tcp-response"]
        return response[:6] + data[6:14] + response[14:]

    async with FakePeer(answer) as address, two_nodes() as (client, _):
        connection = await client.transport.connect(address, ConnectionProfile(2))
        assert (connection.family, connection.version) == ("opensearch", "2.19.0")
        assert connection.cluster.name == "py-cluster"
        with client.context() as ctx, pytest.raises(IllegalArgument) as refused:
            await connection.request("indices:data/read/search", b"", ctx)
        assert "is not supported yet with OpenSearch clusters" in refused.value.reason
        connection.close()


async def test_a_version_below_the_minimum_is_reported_with_both() -> None:
    """C-101: the client reports both versions."""

    def answer(data: bytes) -> bytes:
        body = StreamOutput().vint(7_171_099).getvalue()
        request_id = int.from_bytes(data[6:14], "big")
        return encode(Frame(request_id, RESPONSE | HANDSHAKE, 7_170_099, body=body))

    async with FakePeer(answer) as address:
        error = await connect_error(address)
    assert error.reason.endswith("general node connection failure")
    assert error.caused_by is not None
    assert error.caused_by.to_cause() == {
        "type": "illegal_state_exception",
        "reason": "Received [handshake] message from unsupported version: [7.17.10] "
        "minimal compatible version is: [8.19.0]: remote speaks Elasticsearch 7.17.10, "
        "this node accepts Elasticsearch 8.19.0 to 9.x",
    }


async def test_nothing_listens() -> None:
    """C-72: refused."""
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    address = Address(*server.sockets[0].getsockname()[:2])
    server.close()
    await server.wait_closed()
    error = await connect_error(address)
    assert error.reason == f"[][{address}] connect_exception"
    assert error.status == 502


async def test_a_peer_that_goes_during_a_request() -> None:
    entered = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        await asyncio.Event().wait()
        return b""

    async with two_nodes() as (client, server):
        server.transport.register(ACTION, handler)
        connection = await client.transport.connect(server.address, ConnectionProfile(6))
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await entered.wait()
            await server.transport.close()
            with pytest.raises(NodeDisconnected, match=r"disconnected$"):
                await request
        assert len(server.tasks) == 0


async def test_handlers_of_a_lost_caller_are_cancelled() -> None:
    cancelled = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async with two_nodes() as (client, server):
        server.transport.register(ACTION, handler)
        connection = await client.transport.connect(server.address, ConnectionProfile(1))
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await until(lambda: server.task(ACTION) is not None)
            connection.close()
            await cancelled.wait()
            with pytest.raises(NodeDisconnected):
                await request


async def test_a_half_open_peer_costs_a_timeout_and_is_then_noticed_by_pings() -> None:
    """The peer's host is gone: nothing is refused, nothing answers."""
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        silent, relayed = asyncio.Event(), asyncio.Event()

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65536):
                    if not silent.is_set():
                        writer.write(data)
            writer.close()

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await asyncio.open_connection(server.address.host, server.address.port)
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, there[1]))
                group.create_task(pump(there[0], writer))
            relayed.set()

        relaying = await asyncio.start_server(relay, "127.0.0.1", 0)
        address = Address(*relaying.sockets[0].getsockname()[:2])
        profile = ConnectionProfile(1, ping_interval_s=0.05)
        connection = await client.transport.connect(address, profile)
        with client.context() as ctx:
            assert await connection.request(ACTION, b"1", ctx) == b"1"
            silent.set()
            with pytest.raises(ReceiveTimeout):
                await connection.request(ACTION, b"2", ctx, timeout_s=0.01)
            await until(lambda: not connection.is_open)
        await relayed.wait()
        relaying.close()
        await relaying.wait_closed()


async def test_a_log_names_the_peer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with two_nodes() as (_, server):
        await exchange(server.address, b"garbage")
    assert "closing connection [127.0.0.1:" in caplog.text
