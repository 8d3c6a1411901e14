"""Peers that do not read: what is kept for them is bounded, and nobody else waits for them."""

import asyncio
import socket
import struct

from sealane.model.node import Address
from sealane.model.task import Context
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.tasks import TaskScope
from sealane.wire import FrameDecoder
from sealane.wire.families.protocol import Envelope
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import encode_head, plain_request_header
from sealane.wire.handshake import Handshake
from sealane.wire.versions import SEALANE_VERSION
from tests.transport_nodes import TransportNode, two_nodes, until

ACTION = "indices:data/read/test"
_ANSWER = bytes(16 * 1024)
_REQUESTS = 8000
_LIMITS = TransportLimits(write_buffer_max_bytes=256 * 1024)


def _request(number: int) -> bytes:
    body = b"".join(SEALANE.request_body(Envelope("n", 1, None, "", 0), struct.pack(">i", number)))
    variable = plain_request_header(SEALANE_VERSION, ACTION)
    return encode_head(number, 0, SEALANE_VERSION, variable, len(body)) + body


async def _begun(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A caller that has shaken hands and reads no further than it is told to."""
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=64 * 1024)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    writer.write(Handshake().tcp_request(1))
    decoder = FrameDecoder()
    while not decoder.receive_data(await reader.read(4096)):
        pass
    return reader, writer


async def test_a_caller_that_does_not_read_is_not_read_from() -> None:
    """What was begun for it stays a fraction of what it asks; it gets all of it once it reads."""
    started = 0

    async def handler(payload: bytes, ctx: Context) -> bytes:
        nonlocal started
        started += 1
        return _ANSWER

    async with two_nodes(limits=_LIMITS) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, handler)
        reader, writer = await _begun(server.address)
        asked = [_request(number + 2) for number in range(_REQUESTS)]
        writer.write(b"".join(asked))
        await until(lambda: started > 10)
        await _settle(client, server)
        stalled_at = started
        await _settle(client, server)
        assert started == stalled_at, "nothing more is begun for it"
        assert stalled_at < _REQUESTS / 2

        async def read_all() -> int:
            decoder, answers = FrameDecoder(), 0
            while answers < _REQUESTS:
                answers += len(decoder.receive_data(await reader.read(256 * 1024)))
            return answers

        assert await scope.start(read_all()) == _REQUESTS
        assert started == _REQUESTS
        writer.close()


async def _settle(client: TransportNode, server: TransportNode) -> None:
    """Another caller is answered meanwhile, many times."""
    connection = await client.transport.connect(server.address, ConnectionProfile(1))
    try:
        server.transport.register(f"{ACTION}/{id(connection)}", _echo)
        with client.context() as ctx:
            for _ in range(200):
                await connection.request(f"{ACTION}/{id(connection)}", b"x", ctx)
    finally:
        connection.close()


async def _echo(payload: bytes, ctx: Context) -> bytes:
    return payload


async def test_requests_to_a_node_that_does_not_read_wait_here_within_bounds() -> None:
    """On that connection only, and they leave once it reads again."""
    async with two_nodes(limits=_LIMITS) as (client, server), TaskScope("test") as scope:
        server.transport.register(ACTION, _echo)
        stuck = await client.transport.connect(server.address, ConnectionProfile(2))
        inbound = list(server.transport._inbound)
        for channel in inbound:
            assert channel._link is not None
            channel._link.pause_reading()
        body = bytes(128 * 1024)
        with client.context() as ctx:
            asked = [scope.start(stuck.request(ACTION, body, ctx)) for _ in range(400)]
            await until(lambda: not any(channel.writable for channel in stuck.channels))
            await _settle(client, server)
            for channel in stuck.channels:
                assert channel._link is not None
                kept = channel._link.get_write_buffer_size()
                assert kept <= _LIMITS.write_buffer_max_bytes + 10 * len(body)
            for channel in inbound:
                assert channel._link is not None
                channel._link.resume_reading()
            for each in asked:
                assert await each == body
