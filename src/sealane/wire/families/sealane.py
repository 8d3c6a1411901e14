"""Messages between Sealane nodes: the same frames, with msgpack inside.

A request's body is vint size + envelope, then the payload as the action's handler wants it. A
response's body is the handler's answer, an error response's the error as plain data. Trace headers
travel in the frame's own header map.
"""

from typing import Any

import msgspec

from sealane.errors import ApiError
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.families.discovery import NodeHello
from sealane.wire.primitives import StreamInput, StreamOutput

FORMAT = 1
"""Number of the message format; both sides use the lower one."""
CANCEL = "internal:sealane/cancel"
"""Takes back the request with the same id on the same channel. It has no answer."""

_MARK = b"SEAL"


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What a request carries beside its payload.

    `parent_node` and `parent_number` name the asking task; `time_left_ms` None means no deadline.
    """

    parent_node: str = ""
    parent_number: int = 0
    time_left_ms: int | None = None
    local_alias: str = ""
    start_ms: int = 0


class _Hello(msgspec.Struct, frozen=True):
    node: NodeInfo
    cluster: ClusterIdentity
    release: str


class _ErrorData(msgspec.Struct, frozen=True):
    """What ApiError.to_wire gives; the types are checked before an error is made of it."""

    type: str
    status: int
    reason: str
    metadata: dict[str, Any]
    caused_by: "_ErrorData | None"
    root_causes: "list[_ErrorData] | None"
    suppressed: "list[_ErrorData]"


_encoder = msgspec.msgpack.Encoder()
_encode = _encoder.encode
_decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
_decode_hello = msgspec.msgpack.Decoder(_Hello).decode
_decode_error = msgspec.msgpack.Decoder(_ErrorData).decode

_SHORT_SIZE = 0x80


def write_mark(out: StreamOutput, number: int) -> None:
    """Marks a TCP handshake as Sealane's. Elasticsearch ignores what follows the version inside the
    block."""
    out.raw(_MARK).vint(number)


def read_mark(source: StreamInput) -> int | None:
    """The message format of a peer that marked itself; None without a mark. Leaves foreign bytes
    unread."""
    if source.left <= len(_MARK):
        return None
    ahead = StreamInput(source.rest())
    if ahead.raw(len(_MARK)) != _MARK:
        return None
    return ahead.vint()


def request_body(envelope: Envelope, payload: bytes) -> tuple[bytes, bytes]:
    """The two parts of a request's body, so that a large payload is not copied."""
    packed = _encode(envelope)
    if len(packed) < _SHORT_SIZE:
        return bytes((len(packed),)) + packed, payload
    return StreamOutput().block(packed).getvalue(), payload


def read_request(body: bytes | memoryview) -> tuple[Envelope, bytes]:
    """Raises RemoteProtocolError."""
    size, start = (body[0], 1) if body else (_SHORT_SIZE, 0)
    if size >= _SHORT_SIZE:
        source = StreamInput(body[:5])
        size, start = source.vint(), source.pos
    end = start + size
    if size < 0 or end > len(body):
        raise RemoteProtocolError(f"envelope of [{size}] bytes does not fit", start)
    try:
        return _decode_envelope(body[start:end]), bytes(body[end:])
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise RemoteProtocolError(f"bad envelope: {wrong}", start) from None


def error_body(error: ApiError) -> bytes:
    try:
        return _encode(error.to_wire())
    except (TypeError, ValueError, OverflowError) as wrong:
        raise LocalProtocolError(f"error [{error.es_type}] cannot be sent: {wrong}") from wrong


def read_error(body: bytes | memoryview) -> ApiError:
    """Raises RemoteProtocolError if the body is no error."""
    try:
        return ApiError.from_wire(msgspec.to_builtins(_decode_error(body)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError(f"bad error response: {wrong}") from None


def node_response_body(node: NodeInfo, cluster: ClusterIdentity, release: str) -> bytes:
    return _encode(_Hello(node=node, cluster=cluster, release=release))


def read_node_response(body: bytes | memoryview) -> NodeHello:
    try:
        hello = _decode_hello(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise RemoteProtocolError(f"bad handshake response: {wrong}") from None
    return NodeHello(
        node=hello.node,
        cluster_name=hello.cluster.name,
        cluster_uuid=hello.cluster.uuid,
        release=hello.release,
    )
