"""A connection whose peer is slow to read, and one that has too much to wait for."""

import asyncio

import pytest

from sealane.errors import Rejected
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.tasks import TaskScope
from tests.transport_nodes import two_nodes

ACTION = "indices:data/read/test"
SIX = ConnectionProfile(6)


async def _echo(payload: bytes, ctx: Context) -> bytes:
    return payload


@in_virtual_time
async def test_one_full_channel_does_not_hold_up_the_others() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, _echo)
        connection = await client.transport.connect(server.address, SIX)
        connection.channels[2].pause_writing()
        sent = len(network.links[2][0].sent)
        with client.context() as ctx:
            for number in range(60):
                assert await connection.request(ACTION, bytes([number]), ctx) == bytes([number])
        assert len(network.links[2][0].sent) == sent
        connection.channels[2].resume_writing()
        with client.context() as ctx:
            for _ in range(6):
                await connection.request(ACTION, b"", ctx)
        assert len(network.links[2][0].sent) > sent


@in_virtual_time
async def test_with_all_channels_full_requests_wait_and_then_leave() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, _echo)
        connection = await client.transport.connect(server.address, SIX)
        for channel in connection.channels:
            channel.pause_writing()
        sent = [len(dialling.sent) for dialling, _ in network.links]
        with client.context() as ctx:
            asked = [scope.start(connection.request(ACTION, b"x", ctx)) for _ in range(20)]
            await settle(1.0)
            assert [len(dialling.sent) for dialling, _ in network.links] == sent
            for channel in connection.channels:
                channel.resume_writing()
            assert [await each for each in asked] == [b"x"] * 20


@in_virtual_time
async def test_a_connection_with_too_much_to_wait_for_answers_429() -> None:
    """Its limit is its own: the next connection still takes requests."""
    limits = TransportLimits(in_flight_max_requests=12)
    release = asyncio.Event()

    async def hold(payload: bytes, ctx: Context) -> bytes:
        await release.wait()
        return b"done"

    network = MemoryNetwork()
    async with two_nodes(network, limits=limits) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, hold)
        first = await client.transport.connect(server.address, ConnectionProfile(1))
        with client.context() as ctx:
            asked = [scope.start(first.request(ACTION, b"", ctx)) for _ in range(12)]
            await settle()
            with pytest.raises(Rejected, match=r"\[12\] requests are in flight") as refused:
                await first.request(ACTION, b"", ctx)
            assert refused.value.status == 429
            release.set()
            assert [await each for each in asked] == [b"done"] * 12
            assert await first.request(ACTION, b"", ctx) == b"done"
