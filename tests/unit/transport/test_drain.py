"""A node that stops lets the requests of other nodes end, for a while."""

import asyncio

import pytest

from sealane.errors import ConnectTransport, NodeClosed, NodeDisconnected
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.tasks import TaskScope
from tests.transport_nodes import two_nodes

ACTION = "indices:data/read/test"
PROFILE = ConnectionProfile(6)
LIMITS = TransportLimits(drain_s=5.0)


def handler_of(seconds: float):
    async def handler(payload: bytes, ctx: Context) -> bytes:
        await asyncio.sleep(seconds)
        return b"done"

    return handler


@in_virtual_time
async def test_a_request_that_runs_is_answered_before_the_connection_closes() -> None:
    async with (
        two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server),
        TaskScope("test") as scope,
    ):
        server.transport.register(ACTION, handler_of(4.0))
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await settle()
            server.transport.begin_drain()
            closing = scope.start(server.transport.close())
            assert await asked == b"done"
            await closing
            await settle()
        assert not connection.is_open
        assert asyncio.get_running_loop().time() == pytest.approx(4.0, abs=0.1)


@in_virtual_time
async def test_a_request_that_does_not_end_is_cut_off_when_the_time_is_up() -> None:
    async with (
        two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server),
        TaskScope("test") as scope,
    ):
        server.transport.register(ACTION, handler_of(3600.0))
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await settle()
            server.transport.begin_drain()
            await server.transport.close()
            with pytest.raises(NodeDisconnected, match="disconnected"):
                await asked
        assert len(server.tasks) == 0
        assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.1)


@in_virtual_time
async def test_a_node_that_stops_begins_nothing_new() -> None:
    """A new request is told why, on the connection that still serves the old one; a new connection
    is refused."""
    async with (
        two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server),
        TaskScope("test") as scope,
    ):
        server.transport.register(ACTION, handler_of(1.0))
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            old = scope.start(connection.request(ACTION, b"", ctx))
            await settle()
            server.transport.begin_drain()
            with pytest.raises(NodeClosed) as refused:
                await connection.request(ACTION, b"", ctx)
            assert refused.value.reason == f"node closed [server][{server.address}]"
            assert refused.value.status == 500
            with pytest.raises(ConnectTransport):
                await client.transport.connect(server.address, PROFILE)
            assert await old == b"done"


@in_virtual_time
async def test_an_idle_node_stops_at_once() -> None:
    async with two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server):
        await client.transport.connect(server.address, PROFILE)
        server.transport.begin_drain()
        await server.transport.close()
        assert asyncio.get_running_loop().time() < 1.0


@in_virtual_time
async def test_a_second_call_does_not_prolong_it() -> None:
    async with (
        two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server),
        TaskScope("test") as scope,
    ):
        server.transport.register(ACTION, handler_of(3600.0))
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await settle()
            server.transport.begin_drain()
            await settle(3.0)
            server.transport.begin_drain()
            await server.transport.close()
            assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.1)
            with pytest.raises(NodeDisconnected):
                await asked


@in_virtual_time
async def test_what_a_running_request_asks_of_others_is_still_asked() -> None:
    """A coordinating node answers with what another node says."""
    async with (
        two_nodes(MemoryNetwork(), limits=LIMITS) as (client, server),
        TaskScope("test") as scope,
    ):
        behind = asyncio.Event()

        async def relay(payload: bytes, ctx: Context) -> bytes:
            await behind.wait()
            onward = await server.transport.connect(client.address, ConnectionProfile(1))
            return await onward.request(ACTION, b"", ctx)

        client.address = await client.transport.listen("127.0.0.1", 0)
        client.transport.register(ACTION, handler_of(0.5))
        server.transport.register(ACTION, relay)
        connection = await client.transport.connect(server.address, PROFILE)
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await settle()
            server.transport.begin_drain()
            closing = scope.start(server.transport.close())
            await settle()
            behind.set()
            assert await asked == b"done"
            await closing
