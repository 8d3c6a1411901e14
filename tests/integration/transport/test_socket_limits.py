"""What a socket is set to, and how long one may stay."""

import asyncio
import contextlib
import socket

import pytest

from sealane.errors import NodeDisconnected
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.transport import AsyncioNetwork, ConnectionProfile, TransportLimits
from tests.transport_nodes import two_nodes, until

ACTION = "indices:data/read/test"


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


async def test_small_frames_leave_at_once_and_dead_peers_are_noticed() -> None:
    """TCP_NODELAY and keep-alive on every socket, dialled and accepted."""
    seen: list[asyncio.BaseTransport] = []

    class Watching(AsyncioNetwork):
        async def dial(self, address, receiver):
            made = await super().dial(address, receiver)
            seen.append(made._link)
            return made

        async def listen(self, host, port, receiver):
            return await super().listen(host, port, lambda: watched(receiver()))

    def watched(made):
        begin = made.connection_made
        made.connection_made = lambda link: (seen.append(link), begin(link))
        return made

    async with two_nodes(Watching()) as (client, server):
        await client.transport.connect(server.address, ConnectionProfile(2))
        await until(lambda: len(seen) == 4)
        for link in seen:
            opened = link.get_extra_info("socket")
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_a_socket_above_the_limit_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    async with two_nodes(limits=TransportLimits(accepted_max=2)) as (client, server):
        connection = await client.transport.connect(server.address, ConnectionProfile(2))
        with contextlib.suppress(ConnectionResetError):
            assert await exchange(server.address, b"") == b""
        assert connection.is_open
    assert "[2] connections are open" in caplog.text


async def test_a_caller_that_says_nothing_is_closed() -> None:
    async with two_nodes(limits=TransportLimits(handshake_timeout_s=0.02)) as (_, server):
        assert await exchange(server.address, b"ES") == b""
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_a_peer_that_takes_nothing_does_not_keep_a_closed_channel() -> None:
    async def much(payload: bytes, ctx: Context) -> bytes:
        return bytes(50_000_000)

    async with two_nodes(limits=TransportLimits(linger_s=0.02)) as (client, server):
        server.transport.register(ACTION, much)
        connection = await client.transport.connect(server.address, ConnectionProfile(1))
        (dialled,) = connection.channels
        (accepted,) = server.transport._inbound
        dialled._link.pause_reading()
        with client.context() as ctx:
            request = asyncio.create_task(connection.request(ACTION, b"", ctx))
            await until(lambda: not accepted.writable)
            accepted.close()
            await until(lambda: server.transport.statistics().channels_in == 0)
            dialled._link.resume_reading()
            with pytest.raises(NodeDisconnected):
                await request
