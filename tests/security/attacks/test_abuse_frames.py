"""What is no frame, a frame of no decent size, and one that is not as small as it looks: over real sockets."""

import asyncio
import resource
import ssl
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

import lz4.block
import pytest

from sealane.clock import SystemClock
from sealane.errors import SecurityError
from sealane.model.security import Realm, Subject
from sealane.model.task import Context
from sealane.settings import Settings
from sealane.settings.tls_settings import HTTP_TLS, REMOTE_SERVER_TLS, TRANSPORT_TLS
from sealane.transport import ConnectionProfile
from sealane.transport.gate import Peer, Profile
from sealane.transport.tls_files import TlsFiles
from sealane.wire import Frame
from sealane.wire.compression import RATIO_MAX, UNFOLDED_FREE, compress, decompress
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.discovery import TCP_HANDSHAKE
from sealane.wire.families.known import FOREIGN
from sealane.wire.frame import COMPRESSED, HANDSHAKE, encode
from sealane.wire.versions import SEALANE_VERSION
from tests.integration.transport.certificates import Authority
from tests.transport_nodes import TransportNode, two_nodes, until

ACTION = "indices:data/read/test"
GIBIBYTE = 1 << 30


async def said_to(port: int, data: bytes) -> bytes:
    """All that comes for `data` until the node closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def is_serving(client: TransportNode, server: TransportNode) -> bool:
    connection = await client.transport.connect(server.address, ConnectionProfile(1))
    with client.context() as ctx:
        answer = await connection.request(ACTION, b"x", ctx)
    connection.close()
    return answer == b"x"


async def echo(payload: bytes, ctx: Context) -> bytes:
    return payload


def highest_memory() -> int:
    """Of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def frame_of(length: int) -> bytes:
    """The beginning of a frame that says it is so long, and 40 bytes of it."""
    head = struct.pack(">2siqbii", b"ES", length, 1, 0, SEALANE_VERSION, 0)
    return head + bytes(40)


# -- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (2 * GIBIBYTE - 1, "transport content length received [1.9gb] exceeded [100mb]"),
        (100 * 1024 * 1024 + 1, "transport content length received [100mb] exceeded [100mb]"),
        (0, "invalid data length: 0"),
        (-2, "invalid data length: -2"),
        (-(1 << 31), "invalid data length: -2147483648"),
        (5, "frame of [5] bytes is too short for its header"),
    ],
)
async def test_a_frame_of_an_impossible_size_ends_the_connection(
    length: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """X-106, T-26: nothing is answered, no memory is taken, and others go on."""
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        assert await is_serving(client, server)
        before = highest_memory()
        for _ in range(20):
            assert await said_to(server.address.port, frame_of(length)) == b""
        assert highest_memory() - before < 32 * 1024 * 1024
        assert reason in caplog.text
        assert await is_serving(client, server)


async def test_frames_that_announce_much_and_send_little_cost_little() -> None:
    """X-106: 50 connections announce 100 MB each, which is allowed; memory comes with what they send."""
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        before = highest_memory()
        streams = [
            await asyncio.open_connection("127.0.0.1", server.address.port) for _ in range(50)
        ]
        for _, writer in streams:
            writer.write(frame_of(100 * 1024 * 1024))
        dispatcher = server.transport._dispatcher
        await until(lambda: dispatcher.bytes_receiving >= 50 * 60)
        assert await is_serving(client, server)
        assert highest_memory() - before < 64 * 1024 * 1024
        for _, writer in streams:
            writer.close()
        await until(lambda: dispatcher.bytes_receiving == 0)


# -- compression ---------------------------------------------------------------------------------------------------


def lz4_bomb(size: int) -> bytes:
    """Zeros; lz4 packs them 255 to 1, and a stream of equal blocks no better."""
    block = bytes(1 << 16)
    packed = lz4.block.compress(block, store_size=False)
    one = struct.pack("<8sBIII", b"LZ4Block", 0x26, len(packed), len(block), 0) + packed
    return b"LZ4\0" + one * (size >> 16) + struct.pack("<8sBIII", b"LZ4Block", 0x16, 0, 0, 0)


def lying_lz4(size: int) -> bytes:
    """One block of a few bytes that says it unfolds to `size`."""
    packed = lz4.block.compress(bytes(100), store_size=False)
    return b"LZ4\0" + struct.pack("<8sBIII", b"LZ4Block", 0x26, len(packed), size, 0) + packed


def deflate_bomb(size: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"DFL\0" + stream.compress(bytes(size)) + stream.flush()


BOMBS = {
    "deflate": deflate_bomb(90 * 1024 * 1024),
    "lz4": lz4_bomb(90 * 1024 * 1024),
    "a liar": lying_lz4(90 * 1024 * 1024),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_its_connection(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """X-107, T-29: what unfolds to more than a hundred times its size is given up on the way, though it would be
    within the limit of a frame."""
    mark = FOREIGN[0].tcp_request_body(mark=True)
    hello = Frame(1, HANDSHAKE, FOREIGN[0].handshake_version, action=TCP_HANDSHAKE, body=mark)
    bomb = Frame(2, COMPRESSED, SEALANE_VERSION, action=ACTION, body=BOMBS[name])
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        assert await is_serving(client, server)
        before = highest_memory()
        await said_to(server.address.port, encode(hello) + encode(bomb))
        assert "compressed body unfolds to more than" in caplog.text or name == "a liar"
        assert highest_memory() - before < 48 * 1024 * 1024
        assert await is_serving(client, server)


@pytest.mark.parametrize("scheme", ["deflate", "lz4"])
def test_the_ratio_counts_above_a_megabyte(scheme: str) -> None:
    """X-107: small bodies may be as monotonous as they like."""
    monotonous = compress(bytes(UNFOLDED_FREE), scheme)  # type: ignore[arg-type]
    assert decompress(monotonous, 1 << 30) == bytes(UNFOLDED_FREE)
    too_much = compress(bytes(UNFOLDED_FREE + 1), scheme)  # type: ignore[arg-type]
    with pytest.raises(RemoteProtocolError, match=rf"more than \[{UNFOLDED_FREE}\] bytes"):
        decompress(too_much, 1 << 30)
    text = b"".join(b'{"n":%d,"t":"some text"}' % number for number in range(100_000))
    assert decompress(compress(text, scheme), 1 << 30) == text  # type: ignore[arg-type]
    assert len(text) < RATIO_MAX * len(compress(text, scheme))  # type: ignore[arg-type]


def test_a_stream_that_unfolds_ten_thousandfold_is_refused_early() -> None:
    """X-107: deflate in deflate; only the outer one is ours to unfold, and it is refused too."""
    inner = zlib.compress(bytes(100 * 1024 * 1024), 9)
    assert 100 * 1024 * 1024 // len(zlib.compress(inner, 9)) > 10_000
    assert decompress(compress(inner, "deflate"), 1 << 30) == inner
    with pytest.raises(RemoteProtocolError):
        decompress(deflate_bomb(100 * 1024 * 1024), 1 << 30)


@pytest.mark.parametrize("scheme", ["deflate", "lz4"])
async def test_monotonous_messages_of_our_own_still_arrive(scheme: str) -> None:
    """Both ways: what the other side would take for a bomb is sent as it is."""
    async with two_nodes() as (client, server):
        server.transport.register(ACTION, echo)
        profile = ConnectionProfile(1, compress=scheme)  # type: ignore[arg-type]
        connection = await client.transport.connect(server.address, profile)
        with client.context() as ctx:
            assert await connection.request(ACTION, bytes(5_000_000), ctx) == bytes(5_000_000)
        connection.close()


# -- the port for keys ---------------------------------------------------------------------------------------------


class OneKey:
    """A gate that knows one key."""

    def admit(
        self, profile: Profile, action: str, headers: Mapping[str, str], peer: Peer
    ) -> Subject:
        if headers.get("_cross_cluster_access_credentials") != "right":
            raise SecurityError("missing authentication credentials")
        return Subject(name="somebody", realm=Realm(name="r", type="t"))

    def key_expires_ms(self, subject: Subject) -> int | None:
        return None


def asked(number: int, status: int = 0, key: str = "wrong", body: bytes = b"") -> bytes:
    headers = {"_cross_cluster_access_credentials": key}
    return encode(Frame(number, status, SEALANE_VERSION, action=ACTION, headers=headers, body=body))


GREETING = encode(
    Frame(
        1,
        HANDSHAKE,
        FOREIGN[0].handshake_version,
        action=TCP_HANDSHAKE,
        body=FOREIGN[0].tcp_request_body(mark=True),
    )
)


async def key_port(server: TransportNode) -> int:
    server.transport.gate = OneKey()
    address = await server.transport.listen("127.0.0.1", 0, profile=Profile.REMOTE_CLUSTER)
    return address.port


async def test_a_large_frame_before_the_key_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """X-106, T-26, T-32: 64 KiB at most, of which nothing is kept."""
    async with two_nodes() as (_, server):
        server.transport.register(ACTION, echo)
        port = await key_port(server)
        await said_to(port, GREETING + frame_of(64 * 1024 + 1))
        assert "exceeded [64kb]" in caplog.text


async def test_a_compressed_frame_without_the_key_is_not_unfolded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """X-107: it is refused by its header."""
    unfolded: list[int] = []
    monkeypatch.setattr(
        "sealane.wire.decoder.decompress", lambda body, limit: unfolded.append(len(body)) or b""
    )
    bomb = compress(bytes(1_000_000), "deflate")
    async with two_nodes() as (_, server):
        server.transport.register(ACTION, echo)
        port = await key_port(server)
        await said_to(port, GREETING + asked(2, COMPRESSED, body=bomb))
        assert unfolded == []


# -- other protocols -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize(
    ("data", "answer", "logged"),
    [
        (
            b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
            b"This is not an HTTP port",
            "received HTTP request on transport port",
        ),
        (b"POST /_search HTTP/1.1\r\n\r\n", b"This is not an HTTP port", "received HTTP request"),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"",
            "SSL/TLS request received but SSL/TLS is not enabled on this node, got (16,3,1,2)",
        ),
        (b"junk that is nothing", b"", "invalid internal transport message format, got (6a,75,6e"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", "invalid internal transport message format"),
        (b"\0" * 64, b"", "invalid internal transport message format, got (0,0,0,0)"),
    ],
)
async def test_another_protocol_is_told_and_sent_away(
    profile: Profile,
    data: bytes,
    answer: bytes,
    logged: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """X-31, T-31: on both ports, with one line in the log."""
    async with two_nodes() as (_, server):
        port = await key_port(server) if profile is Profile.REMOTE_CLUSTER else server.address.port
        caplog.clear()
        assert await said_to(port, data) == answer
        lines = [each for each in caplog.messages if logged in each]
        assert len(lines) == 1


# -- TLS -----------------------------------------------------------------------------------------------------------


def test_nobody_may_negotiate_tls_anew(tmp_path: Path) -> None:
    """T-28: TLS 1.2's renegotiation costs the server much and the client little. OpenSSL refuses it then: asked for
    with `openssl s_client -tls1_2` and `R`, the answer is an alert."""
    own = Authority(tmp_path).issue("127.0.0.1")
    for group in (TRANSPORT_TLS, HTTP_TLS, REMOTE_SERVER_TLS):
        given = {"enabled": "true", "key": str(own.key), "certificate": str(own.certificate)}
        given |= {"client_authentication": "none"}
        settings = Settings({f"{group.prefix}.{name}": each for name, each in given.items()})
        files = TlsFiles(group.read(settings), tmp_path, SystemClock())
        assert files.server().options & ssl.OP_NO_RENEGOTIATION
