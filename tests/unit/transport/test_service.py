"""Requests between two nodes over a network in memory."""

import asyncio
import logging
import re

import pytest

from sealane.errors import (
    ActionNotFound,
    IndexNotFound,
    Internal,
    NodeDisconnected,
    NodeNotConnected,
    ReceiveTimeout,
    TaskCancelled,
)
from sealane.model.task import Context
from sealane.testing.network import MemoryLink, MemoryNetwork
from sealane.transport import ConnectionProfile, NodeConnection
from sealane.wire.compression import Scheme
from sealane.wire.frame import RESPONSE, encode_response_head
from sealane.wire.versions import SEALANE_VERSION
from tests.transport_nodes import TransportNode, two_nodes, until

SIX = ConnectionProfile(6)
ACTION = "indices:data/read/test"
MARKS = re.compile(rb"DFL\0|LZ4\0")


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


async def connected(
    client: TransportNode, server: TransportNode, profile: ConnectionProfile = SIX
) -> NodeConnection:
    return await client.transport.connect(server.address, profile)


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


async def test_requests_of_one_step_cross_together_on_few_channels() -> None:
    network = MemoryNetwork()
    writes: list[tuple[int, int]] = []
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server)
        for number, (dialling, _) in enumerate(network.links):
            _count_writes(dialling, number, writes)
        with client.context() as ctx:
            async with asyncio.TaskGroup() as group:
                jobs = [
                    group.create_task(connection.request(ACTION, bytes([n]), ctx))
                    for n in range(12)
                ]
        assert [job.result() for job in jobs] == [bytes([n]) for n in range(12)]
    # The first of a row leaves at once, the others of it together.
    frames = [count for _, count in writes]
    assert sorted(frames) == [1, 1, 3, 7]
    assert len({number for number, _ in writes}) == 2


def _count_writes(link: MemoryLink, number: int, writes: list[tuple[int, int]]) -> None:
    write = link.write

    def counted(data: bytes) -> None:
        writes.append((number, data.count(ACTION.encode())))
        write(data)

    link.write = counted  # type: ignore[method-assign]


async def test_what_waits_for_the_end_of_the_step_is_sent_before_a_close() -> None:
    async with two_nodes(MemoryNetwork()) as (client, server):
        seen: list[bytes] = []

        async def note(payload: bytes, ctx: Context) -> bytes:
            seen.append(payload)
            return b""

        server.transport.register(ACTION, note)
        connection = await connected(client, server, ConnectionProfile(1))
        with client.context() as ctx:
            jobs = [
                asyncio.create_task(connection.request(ACTION, bytes([n]), ctx)) for n in range(3)
            ]
            asyncio.get_running_loop().call_soon(connection.close)
            results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(each) for each in results] == [NodeDisconnected] * 3
        await until(lambda: server.transport.statistics().channels_in == 0)
        assert server.transport.statistics().rx_count == 5


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


@pytest.mark.parametrize(
    ("compress", "mark"), [(None, b""), ("deflate", b"DFL\0"), ("lz4", b"LZ4\0")]
)
async def test_a_compressed_request_gets_a_compressed_response(
    compress: Scheme | None, mark: bytes
) -> None:
    """C-98: request compressed => response compressed in the same scheme; handshake never."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, echo)
        connection = await connected(client, server, ConnectionProfile(1, compress=compress))
        (dialling, accepting) = network.links[0]
        assert not MARKS.search(dialling.sent + accepting.sent)
        with client.context() as ctx:
            assert await connection.request(ACTION, b"x" * 1000, ctx) == b"x" * 1000
            with pytest.raises(ActionNotFound):
                await connection.request("none", b"", ctx)
        marks = [mark, mark] if compress else []
        assert MARKS.findall(dialling.sent) == MARKS.findall(accepting.sent) == marks


async def test_requests_of_some_actions_may_be_compressed_and_no_others() -> None:
    """C-98: what a connection is told to compress, and the answers to it."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        for action in (ACTION, "other"):
            server.transport.register(action, echo)
        profile = ConnectionProfile(1, compress_only=("lz4", frozenset({ACTION})))
        connection = await connected(client, server, profile)
        (dialling, accepting) = network.links[0]
        with client.context() as ctx:
            await connection.request("other", b"x" * 1000, ctx)
            assert not MARKS.search(dialling.sent + accepting.sent)
            await connection.request(ACTION, b"x" * 1000, ctx)
        assert MARKS.findall(dialling.sent) == MARKS.findall(accepting.sent) == [b"LZ4\0"]


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


async def test_an_action_has_one_handler() -> None:
    async with two_nodes(MemoryNetwork()) as (_, server):
        server.transport.register(ACTION, echo)
        for action in (ACTION, "internal:tcp/handshake"):
            with pytest.raises(ValueError, match="has a handler already"):
                server.transport.register(action, echo)
