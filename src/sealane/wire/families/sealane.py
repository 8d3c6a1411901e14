"""Messages between Sealane nodes: the same frames, with msgpack inside.

A request's body is vint size + envelope, then the payload as the action's handler wants it. A
response's body is the handler's answer, an error response's the error as plain data. Trace headers
travel in the frame's own header map.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from sealane.errors import ApiError, IllegalArgument
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.compression import Scheme
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.families.protocol import Cancel, Envelope, Membership, NodeHello, NodesAction
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import SEALANE_VERSION, FamilyName

CANCEL = "internal:sealane/cancel"
"""Takes back the request with the same id on the same channel. It has no answer."""
NODES = "cluster:internal/remote_cluster/nodes"

_SHORT_SIZE = 0x80


class _Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    node: NodeInfo
    cluster: ClusterIdentity
    release: str
    key_expires_ms: int | None = None


class _Nodes(msgspec.Struct, frozen=True, array_like=True):
    """The nodes of a cluster that may be connected to, in any order."""

    nodes: list[NodeInfo]


class _ErrorData(msgspec.Struct, frozen=True):
    """What ApiError.to_wire gives; the types are checked before an error is made of it."""

    type: str
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    reason: str
    metadata: dict[str, Any]
    caused_by: "_ErrorData | None"
    root_causes: "list[_ErrorData] | None"
    suppressed: "list[_ErrorData]"

    def __post_init__(self) -> None:
        if "failed_shards" in self.metadata:
            msgspec.convert(self.metadata["failed_shards"], list[_FailedShard])


class _Reason(msgspec.Struct, frozen=True):
    """An error as it is shown."""

    type: str
    reason: str | None
    caused_by: "_Reason | None" = None


class _FailedShard(msgspec.Struct, frozen=True):
    reason: _Reason


_encoder = msgspec.msgpack.Encoder()
_encode = _encoder.encode
_decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
_decode_hello = msgspec.msgpack.Decoder(_Hello).decode
_decode_nodes = msgspec.msgpack.Decoder(_Nodes).decode
_decode_ban = msgspec.msgpack.Decoder(tuple[str, int, str]).decode
_decode_error = msgspec.msgpack.Decoder(_ErrorData).decode


class Nodes:
    """The nodes of a cluster. The request is empty."""

    action = NODES

    def request(self, *, by_key: bool = False) -> bytes:
        """The other side knows by itself whether the caller has a key."""
        return b""

    def read_request(self, payload: bytes) -> bool:
        if payload:
            raise IllegalArgument(f"malformed message for action [{NODES}]: expected no bytes")
        return True

    def response(self, members: Membership) -> bytes:
        return encode_nodes(members.nodes)

    def read_response(self, payload: bytes) -> list[NodeInfo]:
        return decode_nodes(payload)


def encode_nodes(nodes: Sequence[NodeInfo]) -> bytes:
    return _encode(_Nodes(list(nodes)))


def decode_nodes(payload: bytes) -> list[NodeInfo]:
    """Raises RemoteProtocolError for bytes that are no list of nodes."""
    try:
        return _decode_nodes(payload).nodes
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise RemoteProtocolError(f"bad list of nodes: {wrong}") from None


class SealaneWire:
    """The Wire of our own nodes. Every request passes here: no object more than it needs."""

    name: FamilyName = "sealane"
    product = "Sealane"
    version = SEALANE_VERSION
    actions: frozenset[str] | None = None
    shakes_hands_on_every_channel = True
    answers_cancels = False
    identity = None

    def __init__(self) -> None:
        self.nodes: Mapping[str, NodesAction] = {NODES: Nodes()}

    def scheme(self, wanted: Scheme | None) -> Scheme | None:
        return wanted

    def request_body(self, envelope: Envelope, payload: bytes) -> tuple[bytes, bytes]:
        packed = _encode(envelope)
        if len(packed) < _SHORT_SIZE:
            return bytes((len(packed),)) + packed, payload
        return StreamOutput().block(packed).getvalue(), payload

    def read_request(self, body: bytes | memoryview) -> tuple[Envelope, bytes]:
        size, start = (body[0], 1) if body else (_SHORT_SIZE, 0)
        if size >= _SHORT_SIZE:
            source = StreamInput(body[:5])
            size, start = source.vint(), source.pos
        end = start + size
        if size < 0 or end > len(body):
            raise RemoteProtocolError(f"envelope of [{size}] bytes does not fit", start)
        try:
            return _decode_envelope(body[start:end]), bytes(body[end:])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            raise RemoteProtocolError(f"bad envelope: {wrong}", start) from None

    def error_body(self, error: ApiError, origin: str) -> bytes:
        """Without its origin: the asker knows whom it asked. Raises LocalProtocolError for members
        that no message can carry."""
        try:
            return _encode(error.to_wire())
        except (TypeError, ValueError, OverflowError) as wrong:
            raise LocalProtocolError(f"error [{error.es_type}] cannot be sent: {wrong}") from wrong

    def read_error(self, body: bytes | memoryview) -> ApiError:
        try:
            return ApiError.from_wire(msgspec.to_builtins(_decode_error(body)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            raise RemoteProtocolError(f"bad error response: {wrong}") from None

    def node_response_body(
        self,
        node: NodeInfo,
        cluster: ClusterIdentity,
        release: str,
        key_expires_ms: int | None = None,
    ) -> bytes:
        return _encode(
            _Hello(node=node, cluster=cluster, release=release, key_expires_ms=key_expires_ms)
        )

    def read_node_response(self, body: bytes | memoryview) -> NodeHello:
        try:
            hello = _decode_hello(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            raise RemoteProtocolError(f"bad handshake response: {wrong}") from None
        return NodeHello(
            node=hello.node,
            cluster_name=hello.cluster.name,
            cluster_uuid=hello.cluster.uuid,
            release=hello.release,
            key_expires_ms=hello.key_expires_ms,
        )

    def cancel_requests(
        self, parent: tuple[str, int], request_id: int, *, banned: str | None = None
    ) -> list[tuple[str, bytes]]:
        return [(CANCEL, b"" if banned is None else _encode((*parent, banned)))]

    def read_cancel(self, action: str, payload: bytes) -> Cancel | None:
        return None


SEALANE = SealaneWire()


def check_error(data: Any) -> None:
    """Of plain data that is to be an error: raises msgspec.ValidationError where it cannot be."""
    msgspec.convert(data, _ErrorData)


def read_ban(body: bytes | memoryview) -> tuple[str, int, str]:
    """Of a cancel with a body: the task whose requests are refused from now on, and why. Raises
    RemoteProtocolError."""
    try:
        return _decode_ban(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"malformed cancel: {error}") from error
