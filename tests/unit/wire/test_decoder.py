"""Frames in a stream, and what is not one."""

import random
import struct
import tracemalloc
import zlib
from functools import partial

import lz4.block
import pytest

from sealane.wire import (
    Frame,
    FrameDecoder,
    HttpRequestReceived,
    HttpResponseReceived,
    Ping,
    RemoteProtocolError,
    TlsReceived,
    UnsupportedVersion,
)
from sealane.wire.compression import compress, decompress, scheme_of
from sealane.wire.frame import COMPRESSED, HANDSHAKE, HEADER, RESPONSE, encode
from sealane.wire.versions import (
    ELASTICSEARCH_WIRE,
    OPENSEARCH_WIRE,
    SEALANE_VERSION,
    opensearch_id,
)
from tests.wire_vectors import VECTORS


def only_error(data: bytes, **limits: int) -> RemoteProtocolError:
    (event,) = FrameDecoder(**limits).receive_data(data)
    assert isinstance(event, RemoteProtocolError)
    return event


def test_frames_split_at_any_byte_decode_the_same() -> None:
    """C-91: split at any byte boundary; two frames in one read decode as two."""
    stream = VECTORS["sealane-request"] + VECTORS["ping"] + VECTORS["opensearch-node-response"]
    whole = FrameDecoder().receive_data(stream)
    assert [type(event) for event in whole] == [Frame, Ping, Frame]
    for cut in range(len(stream) + 1):
        decoder = FrameDecoder()
        split = decoder.receive_data(stream[:cut]) + decoder.receive_data(stream[cut:])
        assert [e if isinstance(e, Frame) else type(e) for e in split] == [
            e if isinstance(e, Frame) else type(e) for e in whole
        ]


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (0, "invalid data length: 0"),
        (-2, "invalid data length: -2"),
        (0x7FFFFFFF, "transport content length received [1.9gb] exceeded [100mb]"),
        (5, "frame of [5] bytes is too short for its header"),
    ],
)
def test_a_bad_length_is_refused_with_its_reason(length: int, reason: str) -> None:
    """C-93: length 0, -2 and above the cap close the connection with the stated reason."""
    error = only_error(b"ES" + struct.pack(">i", length))
    assert (error.reason, error.offset) == (reason, 2)


def test_an_announced_length_takes_no_memory_before_it_is_checked() -> None:
    decoder = FrameDecoder(frame_max_bytes=1000)
    decoder.receive_data(b"ES" + struct.pack(">i", 1001))
    assert len(decoder.get_buffer(-1)) <= 4096


@pytest.mark.parametrize(
    "head", ["GET / ", "POST /", "PUT /x", "HEAD /", "DELETE", "OPTION", "PATCH ", "TRACE "]
)
def test_http_callers_are_told(head: str) -> None:
    """C-94: an HTTP method gets the text "This is not an HTTP port" and a close."""
    error = only_error(head.encode())
    assert isinstance(error, HttpRequestReceived)
    assert error.reply == b"This is not an HTTP port"


def test_an_http_answer_is_recognised() -> None:
    error = only_error(b"HTTP/1.1 400")
    assert isinstance(error, HttpResponseReceived)
    assert error.reason.startswith("received HTTP response on transport port, ensure that")


def test_a_tls_hello_is_recognised() -> None:
    """C-95: TLS hello on a plain port is logged as TLS."""
    error = only_error(bytes.fromhex("160301020001"))
    assert isinstance(error, TlsReceived)
    assert error.reason == (
        "SSL/TLS request received but SSL/TLS is not enabled on this node, got (16,3,1,2)"
    )


def test_other_bytes_are_shown() -> None:
    error = only_error(b"abcdef")
    assert error.reason == "invalid internal transport message format, got (61,62,63,64)"


def test_fewer_than_six_bytes_wait() -> None:
    assert FrameDecoder().receive_data(b"GET /") == []


def test_the_first_bytes_of_something_else_stay_with_the_error() -> None:
    """For people, who recognise a service by its greeting; no more than a line of it."""
    (error,) = FrameDecoder().receive_data(b"SSH-2.0-OpenSSH_9.6\r\n" + b"x" * 100)
    assert isinstance(error, RemoteProtocolError)
    assert error.received == (b"SSH-2.0-OpenSSH_9.6\r\n" + b"x" * 43)


def test_after_an_error_the_stream_is_dead() -> None:
    decoder = FrameDecoder()
    assert len(decoder.receive_data(b"abcdef")) == 1
    assert decoder.receive_data(VECTORS["ping"]) == []


def test_events_before_the_error_are_delivered_and_the_offset_counts_from_the_start() -> None:
    ping, error = FrameDecoder().receive_data(VECTORS["ping"] + b"abcdef")
    assert isinstance(ping, Ping)
    assert isinstance(error, RemoteProtocolError)
    assert error.offset == 6


@pytest.mark.parametrize(
    ("version", "status", "shown", "minimum"),
    [
        (8_500_061, 0, "message from unsupported version: [8.10]", "8.19.0"),
        (opensearch_id("2.18.0"), 0, "message from unsupported version: [2.18.0]", "2.19.0"),
        (5_060_099, HANDSHAKE, "handshake message from unsupported version: [5.6.0]", "8.19.0"),
    ],
)
def test_an_unknown_version_is_refused_and_both_are_named(
    version: int, status: int, shown: str, minimum: str
) -> None:
    """C-101: below the minimum the connection closes."""
    error = only_error(encode(Frame(1, status, version, action="a")))
    assert isinstance(error, UnsupportedVersion)
    assert error.reason.startswith(
        f"Received {shown} minimal compatible version is: [{minimum}]: remote speaks "
    )


def test_the_header_before_7_6_has_no_size_field() -> None:
    frame = Frame(
        9, HANDSHAKE, 6_080_099, action="internal:tcp/handshake", features=[], body=b"\0\1\5"
    )
    data = encode(frame)
    assert int.from_bytes(data[2:6], "big") == len(data) - 6
    assert FrameDecoder().receive_data(data) == [frame]


def test_a_large_variable_header_is_refused() -> None:
    data = encode(Frame(1, 0, SEALANE_VERSION, action="a", headers={"k": "v" * 200}))
    assert "exceeds [100]" in only_error(data, header_max_bytes=100).reason


def test_headers_and_features_travel() -> None:
    frame = Frame(
        3, 0, OPENSEARCH_WIRE, action="x", headers={"X-Opaque-Id": "ü"},
        response_headers={"Warning": ["a", "b"]}, features=["f"], body=b"b",
    )  # fmt: skip
    assert FrameDecoder().receive_data(encode(frame)) == [frame]


def test_a_huge_frame_arrives_where_the_system_has_no_huge_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kernel built without them refuses the advice."""
    monkeypatch.setattr("sealane.wire.decoder._HUGE_PAGES", 0x7FFF)
    frame = Frame(1, RESPONSE, SEALANE_VERSION, body=b"x" * 2**21)
    assert FrameDecoder().receive_data(encode(frame)) == [frame]


def test_a_large_frame_arrives_in_memory_of_its_own() -> None:
    body = bytes(range(256)) * 2000
    frame = Frame(1, RESPONSE, SEALANE_VERSION, body=body)
    decoder = FrameDecoder()
    data = encode(frame) + VECTORS["ping"]
    events = []
    for start in range(0, len(data), 10_000):
        events += decoder.receive_data(data[start : start + 10_000])
    assert events[0] == frame
    assert isinstance(events[0].body, memoryview)
    assert isinstance(events[1], Ping)


# -- compression ---------------------------------------------------------------------------------


def test_a_compressed_body_decodes() -> None:
    """C-98: compressed body decodes."""
    body = b"some text " * 50
    frame = Frame(1, RESPONSE | COMPRESSED, ELASTICSEARCH_WIRE, body=compress(body, "deflate"))
    (read,) = FrameDecoder().receive_data(encode(frame))
    assert isinstance(read, Frame)
    assert read.body == body


def lz4_stream(*parts: bytes) -> bytes:
    data = b"LZ4\0"
    for part in parts:
        packed = lz4.block.compress(part, store_size=False)
        token, packed = (0x26, packed) if len(packed) < len(part) else (0x16, part)
        data += struct.pack("<8sBIII", b"LZ4Block", token, len(packed), len(part), 0) + packed
    return data + struct.pack("<8sBIII", b"LZ4Block", 0x16, 0, 0, 0)


def test_lz4_blocks_are_read() -> None:
    parts = (b"a" * 1000, b"xyz", b"bc" * 500)
    assert decompress(lz4_stream(*parts), 10_000) == b"".join(parts)


def test_the_checksum_of_an_lz4_block_is_not_looked_at() -> None:
    """The reference writes zero and accepts anything."""
    stream = bytearray(lz4_stream(b"a" * 100))
    stream[21:25] = b"\xff\xff\xff\xff"
    assert decompress(bytes(stream), 1000) == b"a" * 100


@pytest.mark.parametrize("scheme", ["lz4", "deflate"])
@pytest.mark.parametrize(
    "body", [b"", b"x", b"ab" * 200_000, bytes(range(256)) * 3, random.Random(1).randbytes(70_000)]
)
def test_what_is_compressed_is_read_again(scheme, body) -> None:
    """C-98: both schemes are written; the frame tells which one it was."""
    packed = compress(body, scheme)
    assert scheme_of(packed) == scheme
    frame = Frame(1, RESPONSE | COMPRESSED, ELASTICSEARCH_WIRE, body=packed)
    (event,) = FrameDecoder().receive_data(encode(frame))
    assert (event.body, event.scheme) == (body, scheme)


def test_a_peer_that_announces_much_and_sends_little_takes_little() -> None:
    head = HEADER.pack(b"ES", 90 * 1024 * 1024, 1, 0, ELASTICSEARCH_WIRE, 0)
    tracemalloc.start()
    decoder = FrameDecoder()
    assert decoder.receive_data(head) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1024 * 1024


@pytest.mark.parametrize("pack", [partial(compress, scheme="deflate"), lz4_stream])
def test_a_bomb_is_refused(pack) -> None:
    with pytest.raises(RemoteProtocolError, match=r"more than \[1000\]"):
        decompress(pack(b"\0" * 1_000_000), 1000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DFL\0",
        b"DFL\0\xff\xff",
        compress(b"abc", "deflate") + b"x",
        compress(b"abcdef" * 100, "deflate")[:-3],
        b"ZST\0",
        b"LZ4\0",
        lz4_stream(b"abc" * 100)[:40],
        lz4_stream(b"abc" * 100) + b"x",
        b"LZ4\0" + b"LZ4Blocc" + bytes(13),
        b"LZ4\0" + struct.pack("<8sBIII", b"LZ4Block", 0x26, 4, 50, 0) + b"\xff\xff\xff\xff",
        b"LZ4\0" + struct.pack("<8sBIII", b"LZ4Block", 0x36, 1, 1, 0) + b"x",
    ],
)  # fmt: skip
def test_damaged_streams_are_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decompress(data, 1000)


def test_a_zlib_wrapper_is_not_the_raw_stream() -> None:
    with pytest.raises(RemoteProtocolError):
        decompress(b"DFL\0" + zlib.compress(b"abc"), 1000)
