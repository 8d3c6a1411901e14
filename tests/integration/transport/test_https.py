"""HTTPS through real sockets: who gets in, what is known of them, and what becomes of those who do not
speak it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from sealane.clock import SystemClock
from sealane.rest.server import HttpServer
from sealane.settings import Settings, Value
from sealane.settings.tls_settings import HTTP_TLS
from sealane.transport.https import HttpsListener
from sealane.transport.tls_files import TlsFiles
from tests.integration.transport.certificates import Authority, Issued
from tests.integration.transport.test_tls_stores import old_client
from tests.transport_nodes import until

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LARGE = 3_000_000


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says how the request came, and how long its body is; `/large` answers at length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    tls = (scope.get("extensions") or {}).get("tls")
    shown = {"scheme": scope["scheme"], "length": length}
    if tls is not None:
        shown["certificate"] = tls["client_certificate"].hex()
    body = b"x" * LARGE if scope["path"] == "/large" else orjson.dumps(shown)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self, files: TlsFiles, listener: HttpsListener, server: HttpServer) -> None:
        self.files = files
        self.listener = listener
        self.server = server
        self.port = 0

    async def open(self, tls: ssl.SSLContext | None) -> "Client":
        name = None if tls is None else "127.0.0.1"
        streams = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname=name
        )
        return Client(*streams)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes = GET) -> Any:
        self.writer.write(request)
        return orjson.loads(await self.body())

    async def body(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def serving(
    authority: Authority,
    folder: Path,
    *,
    shaking_max: int = 10,
    timeout_s: float = 10,
    **members: Value,
) -> AsyncIterator[Served]:
    own = authority.issue("127.0.0.1")
    given: dict[str, Value] = {
        "enabled": "true",
        "key": own.key.name,
        "certificate": own.certificate.name,
        "certificate_authorities": authority.path.name,
        **members,
    }
    settings = Settings({f"{HTTP_TLS.prefix}.{name}": each for name, each in given.items()})
    files = TlsFiles(HTTP_TLS.read(settings), folder, SystemClock())
    listener = HttpsListener(files.server, handshake_timeout_s=timeout_s, shaking_max=shaking_max)
    async with HttpServer(echo, secure=listener, stop_within_s=1) as server:
        served = Served(files, listener, server)
        served.port = (await server.start("127.0.0.1", 0)).port
        yield served


async def test_requests_are_served(authority: Authority, tmp_path: Path) -> None:
    """Several on one connection, also large ones and pipelined ones."""
    async with serving(authority, tmp_path) as served:
        client = await served.open(authority.client_context())
        assert await client.ask() == {"scheme": "https", "length": 0}
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % LARGE
        assert (await client.ask(head + b"y" * LARGE))["length"] == LARGE
        client.writer.write(GET.replace(b"/ ", b"/large ", 1) + GET)
        assert await client.body() == b"x" * LARGE
        assert orjson.loads(await client.body())["scheme"] == "https"
        assert (served.server.connections_open, served.server.connections_opened) == (1, 1)
        client.close()
        await until(lambda: served.server.connections_open == 0)


async def test_the_clients_certificate_reaches_the_application(
    authority: Authority, tmp_path: Path
) -> None:
    """Where one is asked for, shown and verified; whoever shows none is told apart."""
    mine = authority.issue("kim")
    context = authority.client_context()
    context.load_cert_chain(mine.path)
    async with serving(authority, tmp_path, client_authentication="optional") as served:
        with_one = await served.open(context)
        for _ in range(2):
            shown = (await with_one.ask())["certificate"]
            assert bytes.fromhex(shown) == ssl.PEM_cert_to_DER_cert(mine.certificate.read_text())
        without = await served.open(authority.client_context())
        assert "certificate" not in await without.ask()
        for each in (with_one, without):
            each.close()
    async with serving(authority, tmp_path) as served:
        unasked = await served.open(context)
        assert "certificate" not in await unasked.ask()
        unasked.close()


async def test_a_certificate_may_be_required(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    other = authority.client_context()
    other.load_cert_chain(stranger.issue("mallory").path)
    async with serving(authority, tmp_path, client_authentication="required") as served:
        good = await served.open(authority.client_context("kim"))
        assert "certificate" in await good.ask()
        good.close()
        for context in (authority.client_context(), other):
            # In TLS 1.3 a client has ended its handshake before it is refused.
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await (await served.open(context)).ask()
        assert served.listener.refused == 2


async def test_plain_http_is_closed_without_an_answer(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As the reference: no byte, and one line in the log."""
    async with serving(authority, tmp_path) as served:
        for words in (GET, b"\x00\x01junk that is no record at all"):
            caplog.clear()
            client = await served.open(None)
            client.writer.write(words)
            assert await client.rest() == b""
            client.close()
            (line,) = caplog.messages
            assert line.startswith(
                "received plaintext http traffic on an https channel, closing connection [127.0.0.1:"
            )
        secure = await served.open(authority.client_context())
        assert await secure.ask()
        secure.close()


async def test_an_old_protocol_is_refused(authority: Authority, tmp_path: Path) -> None:
    """X-96, T-14."""
    async with serving(authority, tmp_path) as served:
        with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|protocol version"):
            await served.open(old_client())


async def test_half_handshakes_end(authority: Authority, tmp_path: Path) -> None:
    """T-28, X-105: whoever does not go on with its handshake is cut off, others are served meanwhile."""
    async with serving(authority, tmp_path, timeout_s=0.5) as served:
        silent = [await served.open(None) for _ in range(5)]
        client = await served.open(authority.client_context())
        assert await client.ask()
        assert [await each.rest() for each in silent] == [b""] * 5
        assert (served.listener.shaking, served.listener.refused) == (0, 5)
        for each in (*silent, client):
            each.close()


async def test_half_handshakes_keep_nobody_out(authority: Authority, tmp_path: Path) -> None:
    """X-105: where there are too many of them, the oldest gives way."""
    async with serving(authority, tmp_path, timeout_s=600, shaking_max=3) as served:
        silent = []
        for number in range(3):
            silent.append(await served.open(None))
            await until(lambda count=number + 1: served.listener.shaking == count)
        client = await served.open(authority.client_context())
        assert await client.ask()
        assert await silent[0].rest() == b""
        assert served.listener.shaking == 2
        for each in (*silent, client):
            each.close()


async def test_a_server_that_stops_drops_half_handshakes(
    authority: Authority, tmp_path: Path
) -> None:
    async with serving(authority, tmp_path, timeout_s=600) as served:
        client = await served.open(None)
        await until(lambda: served.listener.shaking == 1)
    assert await client.rest() == b""
    client.close()


def replace(own: TlsFiles, folder: Path, issued: Issued) -> None:
    assert own.values.key is not None
    assert own.values.certificate is not None
    (folder / own.values.key).write_bytes(issued.key.read_bytes())
    (folder / own.values.certificate).write_bytes(issued.certificate.read_bytes())
    own.refresh()


async def shown_to(served: Served) -> tuple[Client, bytes]:
    """A connection, and the certificate that the server shows it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = await served.open(context)
    tls = client.writer.get_extra_info("ssl_object")
    return client, tls.getpeercert(binary_form=True)


async def test_new_certificates_need_no_restart(authority: Authority, tmp_path: Path) -> None:
    """X-97: new connections see them, open ones live on; a broken file changes nothing."""
    async with serving(authority, tmp_path) as served:
        before, old = await shown_to(served)
        issued = authority.issue("127.0.0.1")
        replace(served.files, tmp_path, issued)
        after, new = await shown_to(served)
        assert new == ssl.PEM_cert_to_DER_cert(issued.certificate.read_text()) != old
        assert (await before.ask(), await after.ask()) == ({"scheme": "https", "length": 0},) * 2
        assert served.files.values.certificate is not None
        (tmp_path / served.files.values.certificate).write_text("nothing")
        served.files.refresh()
        assert served.files.last_error is not None
        still, same = await shown_to(served)
        assert same == new
        for each in (before, after, still):
            each.close()


async def test_renegotiation_is_refused(authority: Authority, tmp_path: Path) -> None:
    """T-28: TLS 1.2 would let a client have the server do its costliest work over and over."""
    async with serving(authority, tmp_path) as served:
        context = served.files.server()
        assert context.options & ssl.OP_NO_RENEGOTIATION
