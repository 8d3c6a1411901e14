"""The stream of frames and what is in each before its message: headers and compression."""

import zlib
from collections.abc import Iterator

from sealane.wire import Frame, FrameDecoder, Ping, RemoteProtocolError
from sealane.wire.compression import compress, decompress
from sealane.wire.decoder import Admit
from sealane.wire.frame import COMPRESSED, HANDSHAKE, PING, RESPONSE, encode, read_variable_header
from sealane.wire.versions import (
    ELASTICSEARCH_WIRE,
    HANDSHAKE_6_8,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_OPENSEARCH_1,
    OPENSEARCH_WIRE,
    SEALANE_VERSION,
)
from tests.fuzz.target import Target
from tests.wire_vectors import RECORDED, VECTORS, recorded

VERSIONS = (
    SEALANE_VERSION,
    ELASTICSEARCH_WIRE,
    OPENSEARCH_WIRE,
    HANDSHAKE_6_8,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_OPENSEARCH_1,
)
_FRAME_MAX, _HUGE_FRAME_MAX = 1 << 17, 1 << 21


def real_frames() -> list[bytes]:
    """Frames of every version, recorded from real servers or written on the page of the protocol."""
    return [*VECTORS.values(), *(recorded(name) for name in RECORDED)]


def _frame_seeds() -> Iterator[bytes]:
    for each in real_frames():
        if len(each) < 8192:
            yield b"\x05" + each
    yield b"\x02" + encode(Frame(7, 0, SEALANE_VERSION, action="refused", body=bytes(40_000)))[:200]
    yield b"\x01" + PING + encode(Frame(7, 0, SEALANE_VERSION, action="a", headers={"k": "v"}))
    for scheme in ("lz4", "deflate"):
        body = compress(b"x" * 500, scheme)
        yield b"\x40" + encode(Frame(7, COMPRESSED, SEALANE_VERSION, action="a", body=body))


def _run_frames(data: bytes) -> None:
    """The first byte says how the stream is cut; however it is, the events are the same. So they are where headers are
    judged before their bodies are there."""
    step, stream = data[:1], data[1:]
    size = (step[0] if step else 0) + 1
    most = _HUGE_FRAME_MAX if size == 256 else _FRAME_MAX
    for admit in (_admit, None):
        whole = _decoder(most, admit).receive_data(stream)
        parts: list[object] = []
        decoder = _decoder(most, admit)
        for start in range(0, len(stream), size):
            parts += decoder.receive_data(stream[start : start + size])
        assert _shown(parts) == _shown(whole)
    for event in whole:
        if isinstance(event, Frame) and not event.status & COMPRESSED:
            _run_again(event)
    if whole and isinstance(whole[-1], RemoteProtocolError):
        raise whole[-1]


def _run_again(frame: Frame) -> None:
    """What was read and is written is read the same."""
    again = _decoder(_FRAME_MAX).receive_data(encode(frame))
    assert again == [frame], (again, frame)


def _admit(frame: Frame) -> bool:
    return frame.action != "refused"


def _decoder(frame_max_bytes: int, admit: Admit | None = None) -> FrameDecoder:
    return FrameDecoder(frame_max_bytes=frame_max_bytes, header_max_bytes=65536, admit=admit)


def _shown(events: list[object]) -> list[object]:
    return [
        (type(each), each.reason, each.offset)
        if isinstance(each, RemoteProtocolError)
        else Ping
        if isinstance(each, Ping)
        else each
        for each in events
    ]


def _header_seeds() -> Iterator[bytes]:
    for number, version in enumerate(VERSIONS):
        for action in ("internal:tcp/handshake", "indices:data/read/search"):
            frame = Frame(
                1,
                0,
                version,
                action=action,
                headers={"X-Opaque-Id": "me", "traceparent": "00-ab"},
                response_headers={"Warning": ["a", "b\ud83d\ude00"]},
                features=["x-pack"],
            )
            head = encode(frame)
            yield bytes((number, 0)) + head[23:]
    yield b"\x00\x01\x00\x00"


def _run_header(data: bytes) -> None:
    version = VERSIONS[data[0] % len(VERSIONS)] if data else SEALANE_VERSION
    status = (RESPONSE if data[1:2] == b"\x01" else 0) | HANDSHAKE
    frame = Frame(1, status, version)
    taken = read_variable_header(frame, data[2:])
    assert 0 <= taken <= len(data[2:])


def _compression_seeds() -> Iterator[bytes]:
    for plain in (b"", b"a" * 5000, bytes(range(256)) * 3, b'{"took":1,"hits":{"hits":[]}}'):
        for scheme in ("lz4", "deflate"):
            yield compress(plain, scheme)
    yield b"DFL\x00" + zlib.compress(b"with a zlib header")


def _run_compression(data: bytes) -> None:
    plain = decompress(data, _FRAME_MAX)
    assert len(plain) <= _FRAME_MAX
    for scheme in ("lz4", "deflate"):
        assert decompress(compress(plain[:4096], scheme), _FRAME_MAX) == plain[:4096]


_MARKS = (b"ES", PING, b"DFL\x00", b"LZ4\x00", b"LZ4Block", b"GET ", b"HTTP", b"\x16\x03")

TARGETS = (
    Target(
        name="frames",
        run=_run_frames,
        seeds=_frame_seeds,
        refusals=(RemoteProtocolError,),
        words=_MARKS,
        share=8,
    ),
    Target(
        name="variable_header",
        run=_run_header,
        seeds=_header_seeds,
        refusals=(RemoteProtocolError,),
        share=6,
    ),
    Target(
        name="compression",
        run=_run_compression,
        seeds=_compression_seeds,
        refusals=(RemoteProtocolError,),
        words=_MARKS,
        share=4,
    ),
)
