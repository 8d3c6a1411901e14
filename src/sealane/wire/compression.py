"""Compressed bodies: a four-byte mark, then a stream in the scheme the mark names.

Both of the reference's schemes are read and written. The output is bounded while it is made, so that
a small frame cannot unfold into a large one: by a limit of its own, and to a multiple of what came.
What compresses better than that is sent as it is. Which frames are compressed is for the channel to
say.
"""

import struct
import zlib
from typing import Literal

from sealane.wire.errors import RemoteProtocolError

Scheme = Literal["lz4", "deflate"]

DEFLATE_MARK = b"DFL\x00"
LZ4_MARK = b"LZ4\x00"

RATIO_MAX = 100
"""How many times its size a body may unfold to; texts and columns stay far below it."""
UNFOLDED_FREE = 1024 * 1024
"""Up to so many bytes the ratio does not matter."""
_LEVEL = 3
_RAW_STREAM = -15

_BLOCK_MAGIC = b"LZ4Block"
_BLOCK = struct.Struct("<8sBIII")
"""Magic, token, compressed length, plain length, checksum. The last is zero in what the reference
writes, and it does not look at what it reads: TCP and TLS have checksums, and a wrong length is
noticed."""
_STORED, _LZ4 = 0x10, 0x20
_BLOCK_SIZE = 64 * 1024
_BLOCK_SIZE_BITS = 6
"""The lower half of a token: blocks of at most 2 ** (10 + 6) bytes."""
_LZ4_END = _BLOCK.pack(_BLOCK_MAGIC, _STORED | _BLOCK_SIZE_BITS, 0, 0, 0)


def compress(body: bytes | bytearray | memoryview, scheme: Scheme) -> bytes:
    """The body as a stream of that scheme, with its mark."""
    if scheme == "lz4":
        return _write_lz4_blocks(memoryview(body))
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_STREAM)
    return DEFLATE_MARK + stream.compress(body) + stream.flush()


def is_taken(packed_size: int, size: int) -> bool:
    """Whether a receiver takes a body of `size` bytes compressed to `packed_size`."""
    return size <= _most(packed_size)


def _most(packed_size: int) -> int:
    return max(UNFOLDED_FREE, RATIO_MAX * packed_size)


def scheme_of(body: bytes | bytearray | memoryview) -> Scheme:
    """How a compressed body is compressed, by its mark: an answer is compressed like its request."""
    return "lz4" if bytes(body[:4]) == LZ4_MARK else "deflate"


def decompress(body: bytes | bytearray | memoryview, max_bytes: int) -> bytes:
    """The plain body. Raises RemoteProtocolError if the stream is damaged, or unfolds to more than
    `max_bytes` or than a body of its size may."""
    max_bytes = min(max_bytes, _most(len(body)))
    mark = bytes(body[:4])
    if mark == DEFLATE_MARK:
        return _inflate(memoryview(body)[4:], max_bytes)
    if mark == LZ4_MARK:
        return _read_lz4_blocks(memoryview(body)[4:], max_bytes)
    raise RemoteProtocolError(f"unknown compression scheme, got ({mark.hex(',')})")


def _too_large(max_bytes: int, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"compressed body unfolds to more than [{max_bytes}] bytes", offset)


def _inflate(data: memoryview, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(_RAW_STREAM)
    try:
        plain = stream.decompress(data, max_bytes + 1)
    except zlib.error as wrong:
        raise RemoteProtocolError(f"damaged deflate stream: {wrong}", 4) from None
    if len(plain) > max_bytes:
        raise _too_large(max_bytes, 4)
    if not stream.eof or stream.unused_data:
        raise RemoteProtocolError("deflate stream does not end with the body", 4 + len(data))
    return plain


def _write_lz4_blocks(data: memoryview) -> bytes:
    # Few connections compress, and the module costs memory.
    from lz4.block import compress as compress_block

    parts = [LZ4_MARK]
    for start in range(0, len(data), _BLOCK_SIZE):
        plain = bytes(data[start : start + _BLOCK_SIZE])
        packed = compress_block(plain, store_size=False)
        kind = _LZ4
        if len(packed) >= len(plain):
            kind, packed = _STORED, plain
        token = kind | _BLOCK_SIZE_BITS
        parts += (_BLOCK.pack(_BLOCK_MAGIC, token, len(packed), len(plain), 0), packed)
    parts.append(_LZ4_END)
    return b"".join(parts)


def _read_lz4_blocks(data: memoryview, max_bytes: int) -> bytes:
    from lz4.block import LZ4BlockError
    from lz4.block import decompress as decompress_block

    parts: list[bytes] = []
    pos = total = 0
    while True:
        if len(data) - pos < _BLOCK.size:
            raise RemoteProtocolError("LZ4 stream ends without its end mark", 4 + pos)
        magic, token, packed_size, size, _ = _BLOCK.unpack_from(data, pos)
        if magic != _BLOCK_MAGIC:
            raise RemoteProtocolError("LZ4 block does not begin with its magic", 4 + pos)
        pos += _BLOCK.size
        if size == 0 and packed_size == 0:
            break
        total += size
        if total > max_bytes:
            raise _too_large(max_bytes, 4 + pos)
        if packed_size > len(data) - pos:
            raise RemoteProtocolError("LZ4 block is cut off", 4 + pos)
        packed = data[pos : pos + packed_size]
        kind = token & 0xF0
        if kind == _STORED:
            plain = bytes(packed)
        elif kind == _LZ4:
            try:
                plain = decompress_block(packed, uncompressed_size=size)
            except LZ4BlockError as wrong:
                raise RemoteProtocolError(f"damaged LZ4 block: {wrong}", 4 + pos) from None
        else:
            raise RemoteProtocolError(f"unknown LZ4 block token [0x{token:02x}]", 4 + pos)
        if len(plain) != size:
            raise RemoteProtocolError(
                f"LZ4 block has [{len(plain)}] bytes instead of [{size}]", 4 + pos
            )
        parts.append(plain)
        pos += packed_size
    if pos != len(data):
        raise RemoteProtocolError("LZ4 stream does not end with the body", 4 + pos)
    return b"".join(parts)
