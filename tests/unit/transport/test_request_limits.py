"""Requests that are too much for the other side, or that it cannot answer as they are."""

import asyncio

import pytest

from sealane.errors import (
    CircuitBreaking,
    IllegalArgument,
    NodeDisconnected,
    Rejected,
)
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.transport import ConnectionProfile, NodeConnection, TransportLimits
from tests.transport_nodes import TransportNode, two_nodes, until

SIX = ConnectionProfile(6)
ACTION = "indices:data/read/test"


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


async def connected(
    client: TransportNode, server: TransportNode, profile: ConnectionProfile = SIX
) -> NodeConnection:
    return await client.transport.connect(server.address, profile)


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
