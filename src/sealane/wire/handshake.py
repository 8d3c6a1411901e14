"""Both handshakes of one connection as a table of states, for the side that dials and the side that
accepts.

The dialling side sends the TCP handshake on its first channel, learns from the answer which family
and version the peer speaks, and asks on another channel who it is. To a Sealane node it sends the
TCP handshake on each further channel too, since the accepting side's channels do not know which of
them belong together. Sending bytes, choosing channels and waiting is left to the transport.
"""

from enum import Enum, auto

from sealane.errors import IllegalState
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire import exceptions
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError, UnsupportedVersion
from sealane.wire.families import marks
from sealane.wire.families.discovery import (
    KEY_HANDSHAKE,
    NODE_HANDSHAKE,
    TCP_HANDSHAKE,
    node_request_body,
)
from sealane.wire.families.elasticsearch import ELASTICSEARCH, read_tcp_request
from sealane.wire.families.known import WIRES
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import ForeignWire, NodeHello, TcpHello, Wire
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import (
    ERROR,
    HANDSHAKE,
    RESPONSE,
    Frame,
    Headers,
    encode_head,
    encode_response_head,
    request_header,
)
from sealane.wire.versions import (
    HANDSHAKE_OPENSEARCH_2,
    OPENSEARCH_MASK,
    describe,
    is_accepted,
    refusal,
    spoken_with,
)

ACTIONS = (TCP_HANDSHAKE, NODE_HANDSHAKE, KEY_HANDSHAKE)


class State(Enum):
    NEW = auto()
    TCP_SENT = auto()
    NEGOTIATED = auto()
    NODE_SENT = auto()
    DONE = auto()
    FAILED = auto()


class _Step(Enum):
    SEND_TCP = auto()
    TCP_ANSWERED = auto()
    SEND_NODE = auto()
    NODE_ANSWERED = auto()


_TABLE = {
    (State.NEW, _Step.SEND_TCP): State.TCP_SENT,
    (State.TCP_SENT, _Step.TCP_ANSWERED): State.NEGOTIATED,
    (State.NEGOTIATED, _Step.SEND_NODE): State.NODE_SENT,
    (State.NODE_SENT, _Step.NODE_ANSWERED): State.DONE,
}


class Handshake:
    """The dialling side. Each method is one step; out of order it raises LocalProtocolError.

    `wire` is settled once NEGOTIATED, `peer` known once DONE. An answer that cannot be read raises
    RemoteProtocolError, an error answer the ApiError in it; after either the state is FAILED.
    """

    def __init__(self, form: ForeignWire = ELASTICSEARCH, *, mark: bool = True) -> None:
        self.state = State.NEW
        self.wire: Wire = form
        self.peer: NodeHello | None = None
        self._form = form
        self._mark = mark

    def tcp_request(self, request_id: int) -> bytes:
        """The first frame of the first channel."""
        self._step(_Step.SEND_TCP)
        return self._tcp_request(request_id)

    def channel_request(self, request_id: int) -> bytes:
        """The first frame of each further channel where all of them shake hands; its answer goes to
        `receive_channel_response`."""
        if not self.wire.shakes_hands_on_every_channel or self.state is State.FAILED:
            raise LocalProtocolError(f"no further handshakes with [{self.wire.name}]")
        return self._tcp_request(request_id)

    def receive_channel_response(self, frame: Frame) -> None:
        """Raises RemoteProtocolError where the channel leads to a peer of another kind than the
        first."""
        wire = _negotiate(self._read_tcp_response(frame))
        if wire is not self.wire:
            self.state = State.FAILED
            raise RemoteProtocolError(
                f"channels lead to different peers: [{describe(self.wire.version)}] and "
                f"[{describe(wire.version)}]"
            )

    def _tcp_request(self, request_id: int) -> bytes:
        body = self._form.tcp_request_body(mark=self._mark)
        return _request(request_id, HANDSHAKE, self._form.handshake_version, TCP_HANDSHAKE, body)

    def receive_tcp_response(self, frame: Frame) -> None:
        """Settles the wire. Raises UnsupportedVersion when there is none in common."""
        self._step(_Step.TCP_ANSWERED)
        try:
            self.wire = _negotiate(self._read_tcp_response(frame))
        except BaseException:
            self.state = State.FAILED
            raise

    def _read_tcp_response(self, frame: Frame) -> TcpHello:
        if frame.is_error:
            raise exceptions.read_error_body(_small(frame), frame.version)
        if not frame.is_handshake:
            raise RemoteProtocolError("answer to the handshake is not marked as one", 14)
        return self._form.read_tcp_response(_small(frame), frame.version)

    def node_request(
        self, request_id: int, action: str = NODE_HANDSHAKE, headers: Headers = ()
    ) -> bytes:
        """The frame that asks who is there; it goes on the second channel if there is one. `headers` say who
        asks.
        """
        self._step(_Step.SEND_NODE)
        return _request(request_id, 0, self.wire.version, action, node_request_body(), headers)

    def receive_node_response(self, frame: Frame) -> NodeHello:
        self._step(_Step.NODE_ANSWERED)
        try:
            self.peer = self._read_node_response(frame)
        except BaseException:
            self.state = State.FAILED
            raise
        return self.peer

    def _read_node_response(self, frame: Frame) -> NodeHello:
        if frame.version != self.wire.version:
            raise RemoteProtocolError(
                f"answer in version [{describe(frame.version)}] on a connection of "
                f"[{self.wire.name}]",
                15,
            )
        if frame.is_error:
            raise self.wire.read_error(_small(frame))
        return self.wire.read_node_response(_small(frame))

    def _step(self, step: _Step) -> None:
        following = _TABLE.get((self.state, step))
        if following is None:
            raise LocalProtocolError(f"handshake step {step.name} in state {self.state.name}")
        self.state = following


def _negotiate(hello: TcpHello) -> Wire:
    if hello.sealane_format is not None:
        if hello.sealane_format < 1:
            raise UnsupportedVersion(f"unknown message format [{hello.sealane_format}]")
        return SEALANE
    theirs = hello.version or 0
    if not is_accepted(theirs):
        raise UnsupportedVersion(refusal(_WHAT, theirs, hello.release))
    return WIRES[spoken_with(theirs)]


class HandshakeResponder:
    """The accepting side. It has one state only: a request says by itself in which version to
    answer it."""

    def __init__(self, release: str) -> None:
        self._release = release

    def answer_tcp(self, frame: Frame) -> bytes:
        """Raises UnsupportedVersion, with what to tell it, for a peer outside the versions that are
        accepted; RemoteProtocolError for an unreadable request."""
        hello = read_tcp_request(_small(frame), frame.version)
        if hello.version is not None and not is_accepted(hello.version):
            raise _refused(frame, refusal(_WHAT, hello.version, hello.release))
        named = frame.version if hello.version is None else hello.version
        is_opensearch = named & OPENSEARCH_MASK or frame.version == HANDSHAKE_OPENSEARCH_2
        form: ForeignWire = OPENSEARCH if is_opensearch else ELASTICSEARCH
        mark = hello.sealane_format
        body = form.tcp_response_body(
            frame.version, None if mark is None else min(mark, marks.FORMAT)
        )
        status = RESPONSE | HANDSHAKE
        return encode_response_head(frame.request_id, status, frame.version, len(body)) + body

    def answer_node(
        self,
        frame: Frame,
        node: NodeInfo,
        cluster: ClusterIdentity,
        key_expires_ms: int | None = None,
    ) -> bytes:
        """Raises LocalProtocolError where the family cannot express our address,
        RemoteProtocolError for a frame of another version than those that are spoken."""
        wire = WIRES.get(frame.version)
        if wire is None:
            raise RemoteProtocolError(f"not a version to ask in: [{describe(frame.version)}]", 15)
        body = wire.node_response_body(node, cluster, self._release, key_expires_ms)
        return encode_response_head(frame.request_id, RESPONSE, frame.version, len(body)) + body


_WHAT = "[handshake] message"
_BODY_MAX = 256 * 1024
"""Of a handshake, in bytes: reading takes time by the item, and nobody knows yet who is there."""


def _small(frame: Frame) -> bytes | memoryview:
    if len(frame.body) > _BODY_MAX:
        raise RemoteProtocolError(f"handshake of [{len(frame.body)}] bytes exceeds [{_BODY_MAX}]")
    return frame.body


def _refused(frame: Frame, text: str) -> UnsupportedVersion:
    """What the error says is all that the operator of the other node gets to see of it."""
    body = exceptions.error_body(IllegalState(text), frame.version)
    status = RESPONSE | ERROR | HANDSHAKE
    head = encode_response_head(frame.request_id, status, frame.version, len(body))
    return UnsupportedVersion(text, reply=head + body)


def _request(
    request_id: int, status: int, version: int, action: str, body: bytes, headers: Headers = ()
) -> bytes:
    variable = request_header(version, action, headers)
    return encode_head(request_id, status, version, variable, len(body)) + body
