"""TLS on real sockets, and what is said when only one side speaks it."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from sealane.errors import ConnectTransport
from sealane.model.node import Address
from sealane.model.task import Context
from sealane.testing.network import MemoryNetwork
from sealane.transport import AsyncioNetwork, ConnectionProfile, Network, TransportLimits
from tests.integration.transport.certificates import Authority
from tests.integration.transport.test_tls_files import tls_cause
from tests.transport_nodes import TransportNode, two_nodes, until

ACTION = "indices:data/read/test"
ONE = ConnectionProfile(2)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def tls_port(server: TransportNode, context: ssl.SSLContext) -> Address:
    return await server.transport.listen("127.0.0.1", 0, tls=context)


async def cause_of(client: TransportNode, address: Address, **options: object) -> str:
    with pytest.raises(ConnectTransport) as raised:
        await client.transport.connect(address, ONE, **options)
    return tls_cause(raised.value).reason


@pytest.mark.parametrize("network", [AsyncioNetwork, MemoryNetwork])
async def test_requests_travel_encrypted(authority: Authority, network: type[Network]) -> None:
    async def echo(payload: bytes, ctx: Context) -> bytes:
        return payload

    async with two_nodes(network()) as (client, server):
        server.transport.register(ACTION, echo)
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        connection = await client.transport.connect(
            address, ConnectionProfile(6), tls=authority.client_context()
        )
        assert connection.family == "sealane"
        with client.context() as ctx:
            for size in (0, 10, 20_000, 3_000_000):
                assert await connection.request(ACTION, b"x" * size, ctx) == b"x" * size
        connection.close()
        await until(lambda: server.transport.statistics().channels_in == 0)


async def test_the_server_name_is_sent_and_checked(authority: Authority) -> None:
    """C-64: server_name is sent as SNI; when empty the address host."""
    names: list[str | None] = []
    context = authority.server_context("east.example")
    context.sni_callback = lambda tls, name, _: names.append(name)
    async with two_nodes() as (client, server):
        address = await tls_port(server, context)
        trust = authority.client_context()
        await client.transport.connect(address, ONE, tls=trust, server_name="east.example")
        assert names == ["east.example", "east.example"]
        text = await cause_of(client, address, tls=trust, server_name="west.example")
        assert "certificate verification failed" in text
        assert "west.example" in text
        text = await cause_of(client, address, tls=trust)
        assert text == (
            "certificate verification failed: it is for [east.example], not for [127.0.0.1]"
        )


async def test_an_untrusted_certificate_is_named(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with two_nodes() as (client, server):
        address = await tls_port(server, stranger.server_context("127.0.0.1"))
        text = await cause_of(client, address, tls=authority.client_context())
    assert text.startswith("certificate verification failed: ")


async def test_a_server_may_demand_a_client_certificate(authority: Authority) -> None:
    async with two_nodes() as (client, server):
        context = authority.server_context("127.0.0.1", ask_client=True)
        address = await tls_port(server, context)
        trusted = authority.client_context("client.example")
        connection = await client.transport.connect(address, ONE, tls=trusted)
        assert connection.is_open
        text = await cause_of(client, address, tls=authority.client_context())
        assert text == (
            "TLS handshake failed: the remote demands a certificate, and this node has none to show"
        )


async def test_plain_to_a_tls_port_says_so_on_both_sides(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_nodes() as (client, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        text = await cause_of(client, address)
    assert text == "the remote speaks TLS on this port but TLS is not enabled for this connection"
    assert "received plaintext traffic on an encrypted channel, closing connection" in caplog.text


async def test_tls_to_a_plain_port_says_so_on_both_sides(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """C-95: the TLS hello is logged as TLS and closed."""
    async with two_nodes() as (client, server):
        text = await cause_of(client, server.address, tls=authority.client_context())
    assert text == "TLS is not enabled on that port, but it is for this connection"
    assert "SSL/TLS request received but SSL/TLS is not enabled on this node" in caplog.text


async def test_tls_to_an_http_port(authority: Authority) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = Address(*server.sockets[0].getsockname()[:2])
    async with two_nodes() as (client, _):
        text = await cause_of(client, address, tls=authority.client_context())
    assert text == "received plain text instead of TLS: an HTTP server answers on that port"
    server.close()
    await server.wait_closed()


async def test_http_in_plain_to_a_tls_port_is_closed(authority: Authority) -> None:
    async with two_nodes() as (_, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        assert server.transport.statistics().channels_in == 0


async def test_closing_the_service_drops_callers_that_never_finish_the_handshake(
    authority: Authority,
) -> None:
    async with two_nodes() as (_, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(bytes.fromhex("160301"))
        await writer.drain()
        await asyncio.sleep(0)
        await server.transport.close()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_caller_that_does_not_begin_with_tls_is_cut_off(authority: Authority) -> None:
    limits = TransportLimits(handshake_timeout_s=0.02, strangers_max=2)
    async with two_nodes(limits=limits) as (client, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        for _ in range(2):  # so that the limit would show one that is still counted
            silent = [await asyncio.open_connection(address.host, address.port) for _ in range(2)]
            for reader, writer in silent:
                assert await reader.read() == b""
                writer.close()
        connection = await client.transport.connect(
            address, ConnectionProfile(1), tls=authority.client_context()
        )
        assert connection.is_open


async def test_callers_that_do_not_get_on_with_tls_keep_nobody_out(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_nodes(limits=TransportLimits(strangers_max=1)) as (client, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        connection = await client.transport.connect(
            address, ConnectionProfile(1), tls=authority.client_context()
        )
        assert await reader.read() == b""
        writer.close()
        assert connection.is_open
        assert "others have not shaken hands yet" in caplog.text


async def test_plain_to_a_tls_port_that_closes_without_a_word(authority: Authority) -> None:
    """As real nodes and most proxies do: it is asked in TLS then, and answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    context = authority.server_context("127.0.0.1")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    address = Address(*server.sockets[0].getsockname()[:2])
    try:
        async with two_nodes() as (client, _):
            text = await cause_of(client, address)
    finally:
        server.close()
        await server.wait_closed()
    assert text == "the remote speaks TLS on this port but TLS is not enabled for this connection"


async def test_a_peer_that_closes_in_the_middle_of_the_handshake(authority: Authority) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(bytes.fromhex("160303007a"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    address = Address(*server.sockets[0].getsockname()[:2])
    try:
        async with two_nodes() as (client, _):
            text = await cause_of(client, address, tls=authority.client_context())
    finally:
        server.close()
        await server.wait_closed()
    assert text == "the connection was closed in the middle of the TLS handshake"


async def test_something_else_than_tls(authority: Authority) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    address = Address(*server.sockets[0].getsockname()[:2])
    try:
        async with two_nodes() as (client, _):
            text = await cause_of(client, address, tls=authority.client_context())
    finally:
        server.close()
        await server.wait_closed()
    assert text == "received plaintext traffic on an encrypted channel, is TLS enabled there?"


async def test_a_health_check_of_a_proxy_is_no_warning(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """It connects and closes, every other second."""
    async with two_nodes() as (_, server):
        address = await tls_port(server, authority.server_context("127.0.0.1"))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.close()
        await reader.read()
        await server.transport.close()
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
