"""A peer that falls silent while somebody waits for it is noticed, whatever the ping schedule says."""

import asyncio

import pytest

from sealane.errors import NodeDisconnected
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import ConnectionProfile
from sealane.transport.tasks import TaskScope
from sealane.wire.frame import PING
from tests.transport_nodes import two_nodes

ACTION = "indices:data/read/test"
WITHOUT_PINGS = ConnectionProfile(6)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _silence(network: MemoryNetwork) -> None:
    """The network takes what is sent and brings nothing any more."""
    for dialling, accepting in network.links:
        dialling.silent = accepting.silent = True


async def _slow(payload: bytes, ctx: Context) -> bytes:
    await asyncio.sleep(3600)
    return b"done"


@in_virtual_time
async def test_a_request_to_a_silent_peer_fails_within_ten_seconds() -> None:
    """Without a deadline of its own, and without a ping schedule."""
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, _slow)
        connection = await client.transport.connect(server.address, WITHOUT_PINGS)
        _silence(network)
        began = _now()
        with client.context() as ctx, pytest.raises(NodeDisconnected, match="disconnected"):
            await connection.request(ACTION, b"", ctx)
        assert 8.0 <= _now() - began <= 10.0
        assert not connection.is_open


@in_virtual_time
async def test_all_that_wait_fail_when_one_channel_is_found_dead() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, _slow)
        connection = await client.transport.connect(server.address, WITHOUT_PINGS)
        _silence(network)
        with client.context() as ctx:
            asked = [scope.start(connection.request(ACTION, b"", ctx)) for _ in range(20)]
            await asyncio.wait(asked)
            assert {type(each.exception()) for each in asked} == {NodeDisconnected}
        assert _now() <= 10.0


@in_virtual_time
async def test_requests_that_keep_coming_do_not_make_a_dead_peer_look_alive() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, _slow)
        connection = await client.transport.connect(server.address, ConnectionProfile(1))
        _silence(network)
        with client.context() as ctx:
            asked = []
            while connection.is_open:
                asked.append(scope.start(connection.request(ACTION, b"", ctx)))
                await settle(0.25)
                assert _now() <= 11.0
            assert {type(each.exception()) for each in asked} == {NodeDisconnected}


@in_virtual_time
async def test_a_slow_request_is_left_alone_while_the_peer_answers_pings() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        server.transport.register(ACTION, _slow)
        connection = await client.transport.connect(server.address, WITHOUT_PINGS)
        with client.context() as ctx:
            assert await connection.request(ACTION, b"", ctx) == b"done"
        assert _now() == pytest.approx(3600, abs=0.1)
        pinged = [bytes(dialling.sent).endswith(PING) for dialling, _ in network.links]
        assert pinged.count(True) == 1, "only the channel that is waited for"


@in_virtual_time
async def test_nothing_is_sent_while_nobody_waits() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server):
        connection = await client.transport.connect(server.address, WITHOUT_PINGS)
        sent = [len(dialling.sent) for dialling, _ in network.links]
        await settle(3600)
        assert [len(dialling.sent) for dialling, _ in network.links] == sent
        _silence(network)
        await settle(3600)
        assert connection.is_open


@in_virtual_time
async def test_a_peer_that_comes_back_in_time_is_kept() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, _slow)
        connection = await client.transport.connect(server.address, ConnectionProfile(1))
        with client.context() as ctx:
            asked = scope.start(connection.request(ACTION, b"", ctx))
            await settle(1)
            for _ in range(20):
                _silence(network)
                await settle(3)
                for dialling, accepting in network.links:
                    dialling.silent = accepting.silent = False
                await settle(5)
            assert connection.is_open
            assert not asked.done()
            asked.cancel()
