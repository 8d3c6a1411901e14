"""Connections and requests between two nodes over a network in memory."""

import asyncio
import logging

import pytest

from sealane.errors import (
    ActionNotFound,
    CircuitBreaking,
    ConnectTransport,
    IllegalArgument,
    IndexNotFound,
    Internal,
    NodeDisconnected,
    NodeNotConnected,
    ReceiveTimeout,
    Rejected,
    TaskCancelled,
)
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.transport import ConnectionProfile, NodeConnection, TransportLimits
from sealane.wire.frame import PING, RESPONSE, encode_response_head
from sealane.wire.versions import SEALANE_VERSION
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


async def test_a_request_is_answered_by_its_handler() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        with client.context() as ctx:
            answers = [await connection.request(ACTION, bytes([n]), ctx) for n in range(12)]
        assert answers == [bytes([n]) for n in range(12)]


async def test_requests_go_round_the_channels() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        before = [len(dialling.sent) for dialling, _ in network.links]
        with client.context() as ctx:
            for _ in range(6):
                await connection.request(ACTION, b"x", ctx)
        assert all(
            len(dialling.sent) > sent
            for (dialling, _), sent in zip(network.links, before, strict=True)
        )


async def test_the_context_crosses_the_wire() -> None:
    seen: list[Context] = []

    async def handler(payload: bytes, ctx: Context) -> bytes:
        seen.append(ctx)
        return b""

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        deadline = asyncio.get_running_loop().time() + 100
        with client.context(
            deadline=deadline, local_alias="eu", start_ms=42, headers={"X-Opaque-Id": "me"}
        ) as ctx:
            await connection.request(ACTION, b"", ctx)
            parent = ctx.task.id
        (got,) = seen
        assert got.task.parent == parent
        assert got.task.action == ACTION
        assert (got.local_alias, got.start_ms) == ("eu", 42)
        assert dict(got.headers) == {"X-Opaque-Id": "me"}
        assert got.deadline is not None
        assert deadline - 1 < got.deadline <= deadline + 1
        assert len(server.tasks) == 0


async def test_an_error_of_the_handler_is_raised_here() -> None:
    async def handler(payload: bytes, ctx: Context) -> bytes:
        raise IndexNotFound("nope")

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(IndexNotFound) as raised:
            await connection.request(ACTION, b"", ctx)
        assert raised.value.to_body() == IndexNotFound("nope").to_body()


async def test_an_unknown_action_has_the_references_text() -> None:
    """C-99: between Sealane nodes the error itself."""
    async with two_nodes(MemoryNetwork()) as (client, server):
        connection = await connected(client, server)
        with (
            client.context() as ctx,
            pytest.raises(ActionNotFound, match=r"^No handler for action \[a/b\]$"),
        ):
            await connection.request("a/b", b"", ctx)


async def test_a_fault_of_the_handler_is_logged_and_named_but_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(payload: bytes, ctx: Context) -> bytes:
        raise ZeroDivisionError("secret detail")

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(Internal) as raised:
            await connection.request(ACTION, b"", ctx)
    assert "secret" not in raised.value.reason
    assert "secret detail" in caplog.text


async def test_cancelling_a_request_cancels_the_handler_and_keeps_the_connection() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()
    reasons: list[str | None] = []

    async def handler(payload: bytes, ctx: Context) -> bytes:
        if payload == b"quick":
            return b"still here"
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(ctx.task.cancelled_reason)
            cancelled.set()
        return b""

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server, ConnectionProfile(1))
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"slow", ctx))
            await entered.wait()
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert connection.statistics().pending == 0
            await cancelled.wait()
            assert reasons == ["by the requesting node"]
            assert await connection.request(ACTION, b"quick", ctx) == b"still here"
        assert len(server.tasks) == 0


async def test_cancelling_the_task_of_a_request_does_the_same() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await entered.wait()
            ctx.task.cancel("by user request")
            with pytest.raises(TaskCancelled, match="by user request"):
                await request
            await cancelled.wait()


async def test_a_task_cancelled_on_the_other_side_answers_so() -> None:
    entered = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        await asyncio.Event().wait()
        return b""

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await entered.wait()
            task = server.task(ACTION)
            assert task is not None
            task.cancel("by user request")
            with pytest.raises(TaskCancelled, match="by user request"):
                await request


async def test_a_request_gives_up_after_its_timeout() -> None:
    cancelled = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx:
            text = r"^\[server\]\[127.*\]\[.*test\] request_id \[\d+\] timed out after \[\d+ms\]$"
            with pytest.raises(ReceiveTimeout, match=text):
                await connection.request(ACTION, b"", ctx, timeout_s=0.01)
            await cancelled.wait()
            assert connection.is_open


async def test_a_lost_connection_fails_what_waits_and_what_comes() -> None:
    """C-40, C-76: a disconnect error, not a hang."""
    entered = asyncio.Event()
    cancelled = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        closed: list[NodeConnection] = []
        connection.on_close(closed.append)
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await entered.wait()
            network.cut()
            with pytest.raises(NodeDisconnected) as raised:
                await request
            assert raised.value.reason == f"[server][{server.address}][{ACTION}] disconnected"
            await cancelled.wait()
            with pytest.raises(NodeNotConnected):
                await connection.request(ACTION, b"", ctx)
        assert closed == [connection]
        connection.on_close(closed.append)
        assert closed == [connection, connection]


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


@pytest.mark.parametrize("compress", [False, True])
async def test_a_compressed_request_gets_a_compressed_response(compress: bool) -> None:
    """C-98: request compressed => response compressed; handshake never."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server, ConnectionProfile(1, compress=compress))
        (dialling, accepting) = network.links[0]
        assert b"DFL\0" not in dialling.sent + accepting.sent
        with client.context() as ctx:
            assert await connection.request(ACTION, b"x" * 1000, ctx) == b"x" * 1000
            with pytest.raises(ActionNotFound):
                await connection.request("none", b"", ctx)
        assert (b"DFL\0" in dialling.sent) is compress
        assert (accepting.sent.count(b"DFL\0") == 2) is compress


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


async def test_a_response_nobody_waits_for_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """C-100: unknown request id: dropped with a log line, connection stays."""
    caplog.set_level(logging.INFO)
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server, ConnectionProfile(1))
        network.links[0][1].write(encode_response_head(999, RESPONSE, SEALANE_VERSION, 0))
        with client.context() as ctx:
            assert await connection.request(ACTION, b"x", ctx) == b"x"
    assert "unknown request id [999]" in caplog.text


async def test_bytes_in_pieces_make_no_difference() -> None:
    """C-91: on a connection too."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        for dialling, accepting in network.links:
            dialling.piece = accepting.piece = 7
        body = bytes(range(256)) * 300
        with client.context() as ctx:
            assert await connection.request(ACTION, body, ctx) == body


async def test_too_much_in_flight_is_refused_and_the_connection_stays() -> None:
    limits = TransportLimits(in_flight_max_bytes=1000, in_flight_max_requests=2)
    entered, release = asyncio.Event(), asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        await release.wait()
        return b"done"

    async with two_nodes(MemoryNetwork(), limits=limits) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server, ConnectionProfile(1))
        with client.context() as ctx:
            first = asyncio.create_task(connection.request(ACTION, b"x" * 600, ctx))
            await entered.wait()
            with pytest.raises(
                CircuitBreaking, match=r"\[in_flight_requests\] Data too large"
            ) as full:
                await connection.request(ACTION, b"x" * 600, ctx)
            assert full.value.status == 429
            second = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await until(lambda: len(server.tasks) == 2)
            with pytest.raises(Rejected):
                await connection.request(ACTION, b"", ctx)
            release.set()
            assert [await first, await second] == [b"done", b"done"]
            assert await connection.request(ACTION, b"x" * 600, ctx) == b"done"


async def test_a_message_that_no_frame_holds_is_refused_and_the_connection_stays() -> None:
    async def handler(payload: bytes, ctx: Context) -> bytes:
        return b"x" * int(payload)

    limits = TransportLimits(frame_max_bytes=10_000)
    async with two_nodes(MemoryNetwork(), limits=limits) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx:
            for payload in (b"0" * 10_000, b"10000"):
                with pytest.raises(CircuitBreaking, match=r"^\[transport\] Data too large"):
                    await connection.request(ACTION, payload, ctx)
            assert await connection.request(ACTION, b"8000", ctx) == b"x" * 8000


async def test_an_error_with_members_that_cannot_travel_still_arrives() -> None:
    async def handler(payload: bytes, ctx: Context) -> bytes:
        raise IllegalArgument("bad", metadata={"odd": object()})

    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(IllegalArgument, match=r"^bad$"):
            await connection.request(ACTION, b"", ctx)


async def test_a_request_id_in_use_closes_the_connection() -> None:
    network = MemoryNetwork()
    entered = asyncio.Event()

    async def handler(payload: bytes, ctx: Context) -> bytes:
        entered.set()
        await asyncio.Event().wait()
        return b""

    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, handler)
        connection = await connected(client, server, ConnectionProfile(1))
        dialling = network.links[0][0]
        sent = len(dialling.sent)
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await entered.wait()
            dialling.write(bytes(dialling.sent[sent:]))
            with pytest.raises(NodeDisconnected):
                await request


async def test_closing_the_service_closes_everything() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        connection = await connected(client, server)
        await client.transport.close()
        assert not connection.is_open
        with pytest.raises(ConnectTransport, match="connect handler is already closed"):
            await connected(client, server)
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_an_action_has_one_handler() -> None:
    async with two_nodes(MemoryNetwork()) as (_, server):
        server.transport.register(ACTION, echo)
        for action in (ACTION, "internal:tcp/handshake"):
            with pytest.raises(ValueError, match="has a handler already"):
                server.transport.register(action, echo)


async def test_statistics_count_bytes_and_messages_also_of_closed_channels() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        with client.context() as ctx:
            await connection.request(ACTION, b"x", ctx)
        before = client.transport.statistics()
        assert before.tx_count == before.rx_count == 3
        connection.close()
        await until(lambda: client.transport.statistics().channels_out == 0)
        after = client.transport.statistics()
        assert (after.tx_bytes, after.rx_bytes) == (before.tx_bytes, before.rx_bytes)
