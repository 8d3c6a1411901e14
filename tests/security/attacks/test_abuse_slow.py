"""T-28: who says little, slowly or nothing is sent away in time, and keeps nobody else out."""

import asyncio
from pathlib import Path

import pytest

from sealane.model.task import Context
from sealane.rest.http_connections import HttpLimits
from sealane.transport import ConnectionProfile, TransportLimits
from tests.integration.transport.certificates import Authority
from tests.security.attacks.crowds import crowd, until_closed
from tests.security.attacks.http_world import http_world, statuses
from tests.transport_nodes import TransportNode, two_nodes, until

MANY = 1000
SHORT_S = 0.3
POST = b"POST /_echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
HALF_HELLO = bytes.fromhex("16030100c8010000c40303")
"""The beginning of a TLS handshake that goes no further."""


# -- HTTP ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [b"", b"GET /_echo HT", POST], ids=["nothing", "line", "headers"])
async def test_a_thousand_clients_that_never_ask(says: bytes) -> None:
    """X-105: others are served while they are there, and they are gone once their time is over."""
    limits = HttpLimits(
        head_timeout_s=SHORT_S, strangers_of_host_max=2 * MANY, strangers_max=2 * MANY
    )
    async with http_world(limits) as world, crowd(world.port, MANY, says) as sockets:
        assert await world.is_serving()
        await until_closed(sockets)
        assert world.server.connections.late == MANY
        assert await world.is_serving()


async def test_of_too_many_strangers_the_oldest_have_to_go() -> None:
    """X-105: without waiting for any time to be over."""
    limits = HttpLimits(strangers_of_host_max=50)
    async with http_world(limits) as world, crowd(world.port, 300) as sockets:
        assert await world.is_serving()
        await until_closed(sockets[:200])
        assert world.server.connections.refused >= 250


async def test_too_many_connections_are_refused() -> None:
    async with http_world(HttpLimits(connections_max=5)) as world:
        streams = []
        for _ in range(5):
            reader, writer = await world.open()
            writer.write(b"GET /_echo HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n{}")
            streams.append(writer)
        assert await world.exchange(b"GET /_echo HTTP/1.1\r\nhost: x\r\n\r\n") == ([], b"")
        streams[0].close()
        await until(lambda: world.server.connections_open < 5)
        assert await world.is_serving()


async def test_a_head_that_comes_byte_by_byte_is_answered_408() -> None:
    """Its time is that of the whole head; each byte more gives it none."""
    async with http_world(HttpLimits(head_timeout_s=SHORT_S)) as world:
        reader, writer = await world.open()

        async def dribble() -> None:
            while not writer.is_closing():
                writer.write(b"x")
                await asyncio.sleep(0.01)

        writer.write(b"GET /_echo HTTP/1.1\r\nx-slow: ")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(dribble())
            received = await reader.read(4096)
            task.cancel()
        assert statuses(received) == [408]
        assert b"the head of the request did not come within [0.3s]" in received
        assert world.ran == []


async def test_a_kept_connection_may_be_idle_but_not_slow() -> None:
    """Between two requests a client may be silent; the second head has its time like the first."""
    async with http_world(HttpLimits(head_timeout_s=SHORT_S)) as world:
        reader, writer = await world.open()
        for _ in range(2):
            writer.write(b"GET /_echo HTTP/1.1\r\nhost: x\r\n\r\n")
            assert statuses(await reader.readuntil(b"\r\n\r\n{}")) == [200]
        writer.write(b"GET /_echo HT")
        assert statuses(await reader.read()) == [408]


@pytest.mark.parametrize(
    "framing", [b"content-length: 100000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"]
)
async def test_a_body_that_stalls_is_answered_408(framing: bytes) -> None:
    async with http_world(HttpLimits(body_timeout_s=SHORT_S)) as world:
        found, received = await world.exchange(POST + framing)
        assert found == [408]
        assert b"the body of the request did not go on within [0.3s]" in received
        assert world.ran == []
        assert await world.is_serving()


async def test_a_slow_body_that_goes_on_is_taken() -> None:
    """A kilobyte in each step of its time is enough."""
    async with http_world(HttpLimits(body_timeout_s=SHORT_S, body_step_bytes=10)) as world:
        reader, writer = await world.open()
        writer.write(POST + b"content-length: 120\r\n\r\n")
        for _ in range(12):
            writer.write(b"1234567890")
            await asyncio.sleep(SHORT_S / 6)
        assert statuses(await reader.readuntil(b"\r\n\r\n")) == [200]


async def test_a_request_that_runs_long_is_not_taken_for_a_slow_one() -> None:
    """Nor is what its client has sent behind it, which this side does not read yet."""
    limits = HttpLimits(head_timeout_s=SHORT_S, body_timeout_s=SHORT_S)
    async with http_world(limits) as world:
        reader, writer = await world.open()
        writer.write(b"GET /_hold HTTP/1.1\r\nhost: x\r\n\r\n")
        writer.write(POST + b"content-length: 10\r\n\r\n1234567890")
        other = await world.open()
        other[1].write(POST + b"content-length: 10\r\n\r\n12345")
        assert statuses(await other[0].read()) == [408]
        world.release.set()
        received = await reader.readuntil(b"1234567890")
        assert statuses(received) == [200, 200]


# -- transport -----------------------------------------------------------------------------------------------------

ACTION = "indices:data/read/test"


async def answers(client: TransportNode, server: TransportNode, **options: object) -> bytes:
    connection = await client.transport.connect(server.address, ConnectionProfile(1), **options)  # type: ignore[arg-type]
    with client.context() as ctx:
        answer = await connection.request(ACTION, b"x", ctx)
    connection.close()
    return answer


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


@pytest.mark.parametrize("says", [b"", b"ES\0\0\0\x33"], ids=["nothing", "half a frame"])
async def test_a_thousand_nodes_that_say_nothing(says: bytes) -> None:
    """X-105: on the transport port."""
    limits = TransportLimits(handshake_timeout_s=1.0)
    async with two_nodes(limits=limits) as (client, server):
        server.transport.register(ACTION, echo)
        async with crowd(server.address.port, MANY, says) as sockets:
            assert await answers(client, server) == b"x"
            await until_closed(sockets)
        assert await answers(client, server) == b"x"


async def test_a_thousand_half_tls_handshakes(tmp_path: Path) -> None:
    """X-105: a node gets through, and the others are gone in time."""
    authority = Authority(tmp_path)
    limits = TransportLimits(handshake_timeout_s=1.0)
    async with two_nodes(limits=limits) as (client, server):
        server.transport.register(ACTION, echo)
        server.address = await server.transport.listen(
            "127.0.0.1", 0, tls=authority.server_context("127.0.0.1")
        )
        async with crowd(server.address.port, MANY, HALF_HELLO) as sockets:
            assert await answers(client, server, tls=authority.client_context()) == b"x"
            await until_closed(sockets)
        await until(lambda: server.transport.statistics().channels_in == 0)
