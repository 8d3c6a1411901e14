"""One frame: fixed header, variable header, body. Bytes in, fields out, and back; version-blind
where it can be.

    2  `E` `S` 4  length of everything after this field; -1 alone is a ping 8  request id 1  status
    bits 4  version id 4  size of the variable header (absent before 7.6.0) n  variable header:
    request headers, response headers, in requests features (some versions) and the action .  body

Finding frames in a stream is the decoder's, the meaning of a body the families'.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sealane.wire.compression import Scheme
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import has_features, has_variable_header_size

MAGIC = b"ES"
RESPONSE, ERROR, COMPRESSED, HANDSHAKE = 1, 2, 4, 8
"""Status bits."""
STATUS_BITS = RESPONSE | ERROR | COMPRESSED | HANDSHAKE

PING = b"ES\xff\xff\xff\xff"
LENGTH_END = 6
HEADER = struct.Struct(">2siqbii")
HEADER_BEFORE_7_6 = struct.Struct(">2siqbi")
_LENGTH_MAX = 0x7FFFFFFF

NO_HEADERS: Mapping[str, str] = {}
_EMPTY_RESPONSE_HEADER = b"\x00\x00"


class Frame:
    """A request or a response. `body` is already decompressed and owned by the frame; `size` is
    that on the wire.

    `action` is None in responses, `features` in versions without them, `scheme` where the body was
    not compressed. `admission` is what was decided by the header alone, for whoever decided it.
    """

    __slots__ = (
        "action",
        "admission",
        "body",
        "features",
        "headers",
        "request_id",
        "response_headers",
        "scheme",
        "size",
        "status",
        "version",
    )

    def __init__(
        self,
        request_id: int,
        status: int,
        version: int,
        *,
        action: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        response_headers: Mapping[str, Sequence[str]] | None = None,
        features: Sequence[str] | None = None,
        body: bytes | memoryview = b"",
        size: int = 0,
        scheme: Scheme | None = None,
    ) -> None:
        self.request_id = request_id
        self.status = status
        self.version = version
        self.action = action
        self.headers = headers
        self.response_headers = response_headers or {}
        self.features = features
        self.body = body
        self.size = size
        self.scheme = scheme
        self.admission: object = None

    @property
    def is_response(self) -> bool:
        return bool(self.status & RESPONSE)

    @property
    def is_error(self) -> bool:
        return bool(self.status & ERROR)

    @property
    def is_handshake(self) -> bool:
        return bool(self.status & HANDSHAKE)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]  # mutable, compared by value

    def _fields(self) -> tuple[object, ...]:
        return (
            self.request_id,
            self.status,
            self.version,
            self.action,
            dict(self.headers),
            {name: list(values) for name, values in self.response_headers.items()},
            None if self.features is None else list(self.features),
            bytes(self.body),
        )

    def __repr__(self) -> str:
        kind = "response" if self.is_response else f"request {self.action}"
        return (
            f"<Frame #{self.request_id} {kind} status={self.status} "
            f"version={self.version} body={len(self.body)}>"
        )


class Ping:
    """A keep-alive frame: the accepting side sends it back."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Ping>"


A_PING = Ping()


def encode_variable_header(
    version: int,
    status: int,
    action: str | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    response_headers: Mapping[str, Sequence[str]] | None = None,
    features: Sequence[str] = (),
) -> bytes:
    """The variable header of a request (which has an action) or a response (which has none)."""
    out = StreamOutput()
    out.mapping(headers, out.string, out.string)
    out.mapping(response_headers or {}, out.string, out.strings)
    if not status & RESPONSE:
        if action is None:
            raise LocalProtocolError("a request needs an action")
        if has_features(version):
            out.strings(features)
        out.string(action)
    return out.getvalue()


@lru_cache(maxsize=1024)
def plain_request_header(version: int, action: str) -> bytes:
    """The variable header of a request without headers: nearly all of them."""
    return encode_variable_header(version, 0, action)


Headers = tuple[tuple[str, str], ...]
"""The headers of a request, in their order: to be kept for others with the same ones."""


@lru_cache(maxsize=256)
def request_header(version: int, action: str, headers: Headers) -> bytes:
    """The variable header of a request with headers that come again and again."""
    return encode_variable_header(version, 0, action, dict(headers))


def encode_head(
    request_id: int, status: int, version: int, variable: bytes, body_size: int
) -> bytes:
    """Everything before the body, so that a large body need not be copied to be sent after it."""
    length = 17 + len(variable) + body_size
    if not has_variable_header_size(version):
        length -= 4
        if length > _LENGTH_MAX:
            raise LocalProtocolError(f"frame of [{length}] bytes is too long")
        return HEADER_BEFORE_7_6.pack(MAGIC, length, request_id, status, version) + variable
    if length > _LENGTH_MAX:
        raise LocalProtocolError(f"frame of [{length}] bytes is too long")
    return HEADER.pack(MAGIC, length, request_id, status, version, len(variable)) + variable


def encode_response_head(request_id: int, status: int, version: int, body_size: int) -> bytes:
    """The head of a response without headers."""
    return encode_head(request_id, status, version, _EMPTY_RESPONSE_HEADER, body_size)


def encode(frame: Frame) -> bytes:
    """The whole frame. The body is taken as it is: the caller has compressed it if so."""
    variable = encode_variable_header(
        frame.version,
        frame.status,
        frame.action,
        frame.headers,
        frame.response_headers,
        frame.features or (),
    )
    head = encode_head(frame.request_id, frame.status, frame.version, variable, len(frame.body))
    return head + bytes(frame.body)


_CACHED_HEADER_MAX = 128


@lru_cache(maxsize=1024)
def _plain_action(variable: bytes) -> str | None:
    """The action of a request header without headers and features; None if it is not of that simple
    form."""
    source = StreamInput(variable)
    if source.count() or source.count():
        return None
    action = source.string()
    return None if source.left else action


_KEPT_HEADER_MAX = 8192


@lru_cache(maxsize=256)
def _request_header(
    variable: bytes, features: bool
) -> tuple[int, Mapping[str, str], Mapping[str, Sequence[str]], Sequence[str] | None, str]:
    """How much it took, headers, response headers, features and action of a request header. Those that say on whose
    behalf a node asks come again and again, and nobody changes what is read of them.
    """
    source = StreamInput(variable)
    headers = source.mapping(source.string, source.string)
    response_headers = source.mapping(source.string, source.strings)
    named = source.strings() if features else None
    action_start = source.pos
    action = source.string()
    if not action:
        raise RemoteProtocolError("request without an action", action_start)
    return source.pos, headers, response_headers, named, action


def read_variable_header(frame: Frame, variable: bytes) -> int:
    """Fills the frame's headers and action from the bytes after its fixed header; returns how many
    it took."""
    if frame.status & RESPONSE and variable[:2] == _EMPTY_RESPONSE_HEADER:
        return 2
    if (
        not frame.status & RESPONSE
        and len(variable) <= _CACHED_HEADER_MAX
        and not has_features(frame.version)
    ):
        frame.action = _plain_action(variable)
        if frame.action:
            return len(variable)
    if not frame.status & RESPONSE and len(variable) <= _KEPT_HEADER_MAX:
        kept = _request_header(variable, has_features(frame.version))
        frame.headers, frame.response_headers, frame.features, frame.action = kept[1:]
        return kept[0]
    source = StreamInput(variable)
    frame.headers = source.mapping(source.string, source.string)
    frame.response_headers = source.mapping(source.string, source.strings)
    if frame.status & RESPONSE:
        return source.pos
    if has_features(frame.version):
        frame.features = source.strings()
    action_start = source.pos
    frame.action = source.string()
    if not frame.action:
        raise RemoteProtocolError("request without an action", action_start)
    return source.pos
