"""The one stored value of a document: what a hit needs, before the source's untouched bytes (disk format 1).

u8 format = 1 | i64 seq_no | i64 term | i64 version | u16 length, id | u16 length + 1 (0 = none), routing |
u16 length, comma-joined ignored fields | source to the end        (big-endian)
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

_HEAD = struct.Struct(">BqqqH")
_LENGTH = struct.Struct(">H")
_NEITHER = _LENGTH.pack(0) * 2
"""No routing, nothing ignored: nearly every document."""
FORMAT = 1


class StoredDocument(NamedTuple):
    seq_no: int
    term: int
    version: int
    id: str
    routing: str | None
    ignored: list[str]
    source: bytes


def encode_stored(
    seq_no: int,
    term: int,
    version: int,
    doc_id: str,
    routing: str | None,
    ignored: Iterable[str],
    source: bytes,
) -> bytes:
    id_bytes = doc_id.encode()
    head = _HEAD.pack(FORMAT, seq_no, term, version, len(id_bytes))
    if routing is None and not ignored:
        return b"".join((head, id_bytes, _NEITHER, source))
    routing_bytes = b"" if routing is None else routing.encode()
    ignored_bytes = ",".join(sorted(ignored)).encode()
    return b"".join(
        (
            head,
            id_bytes,
            _LENGTH.pack(0 if routing is None else len(routing_bytes) + 1),
            routing_bytes,
            _LENGTH.pack(len(ignored_bytes)),
            ignored_bytes,
            source,
        )
    )


def decode_stored(data: bytes) -> StoredDocument:
    stored_format, seq_no, term, version, id_length = _HEAD.unpack_from(data)
    assert stored_format == FORMAT, f"stored document of format {stored_format}"
    at = _HEAD.size
    doc_id = data[at : at + id_length].decode()
    at += id_length
    (routing_length,) = _LENGTH.unpack_from(data, at)
    at += 2
    routing = None
    if routing_length:
        routing = data[at : at + routing_length - 1].decode()
        at += routing_length - 1
    (ignored_length,) = _LENGTH.unpack_from(data, at)
    at += 2
    ignored = data[at : at + ignored_length].decode().split(",") if ignored_length else []
    return StoredDocument(
        seq_no, term, version, doc_id, routing, ignored, data[at + ignored_length :]
    )
