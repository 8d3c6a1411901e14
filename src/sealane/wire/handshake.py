"""Both handshakes of one connection as a table of states, for the side that dials and the side that
accepts.

The dialling side sends the TCP handshake on its first channel, learns from the answer which family
and version the peer speaks, and asks on another channel who it is. To a Sealane node it sends the
TCP handshake on each further channel too, since the accepting side's channels do not know which of
them belong together. Sending bytes, choosing channels and waiting is left to the transport.
"""

from enum import Enum, auto
from typing import Literal

from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire import exceptions
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError, UnsupportedVersion
from sealane.wire.families import elasticsearch, opensearch, sealane
from sealane.wire.families.discovery import (
    KEY_HANDSHAKE,
    NODE_HANDSHAKE,
    TCP_HANDSHAKE,
    NodeHello,
    TcpHello,
    node_request_body,
)
from sealane.wire.frame import (
    HANDSHAKE,
    RESPONSE,
    Frame,
    encode_head,
    encode_response_head,
    plain_request_header,
)
from sealane.wire.versions import (
    ELASTICSEARCH_RELEASE,
    ELASTICSEARCH_WIRE,
    OPENSEARCH_WIRE,
    SEALANE_VERSION,
    FamilyName,
    describe,
    family_of,
    minimum_of,
    release_of,
)

Form = Literal["elasticsearch", "opensearch"]
FORMS: tuple[Form, ...] = ("elasticsearch", "opensearch")
"""First requests in the order in which they are tried: a peer that cannot read the first one closes
the connection."""

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

    `version` and `family` are known once NEGOTIATED, `peer` once DONE. An answer that cannot be
    read raises RemoteProtocolError, an error answer the ApiError in it; after either the state is
    FAILED.
    """

    def __init__(self, form: Form = "elasticsearch", *, mark: bool = True) -> None:
        self.state = State.NEW
        self.version = 0
        self.family: FamilyName = form
        self.peer: NodeHello | None = None
        self._form = form
        self._mark = mark

    def tcp_request(self, request_id: int) -> bytes:
        """The first frame of the first channel."""
        self._step(_Step.SEND_TCP)
        return self._tcp_request(request_id)

    def channel_request(self, request_id: int) -> bytes:
        """The first frame of each further channel to a Sealane node; its answer goes to
        `receive_channel_response`. Others are told by the first channel alone."""
        if self.family != "sealane" or self.state is State.FAILED:
            raise LocalProtocolError(f"no further handshakes with [{self.family}]")
        return self._tcp_request(request_id)

    def receive_channel_response(self, frame: Frame) -> None:
        """Raises RemoteProtocolError where the channel leads to a peer of another kind than the
        first."""
        version = self._negotiate(self._read_tcp_response(frame))
        if version != self.version:
            self.state = State.FAILED
            raise RemoteProtocolError(
                f"channels lead to different peers: [{describe(self.version)}] and "
                f"[{describe(version)}]"
            )

    def _tcp_request(self, request_id: int) -> bytes:
        if self._form == "elasticsearch":
            version = elasticsearch.HANDSHAKE_VERSION
            mark = sealane.FORMAT if self._mark else None
            body = elasticsearch.tcp_request_body(sealane_format=mark)
        else:
            version, body = opensearch.HANDSHAKE_VERSION, opensearch.tcp_request_body()
        return _request(request_id, HANDSHAKE, version, TCP_HANDSHAKE, body)

    def receive_tcp_response(self, frame: Frame) -> None:
        """Settles family and version. Raises UnsupportedVersion when there is none in common."""
        self._step(_Step.TCP_ANSWERED)
        try:
            self.version = self._negotiate(self._read_tcp_response(frame))
        except BaseException:
            self.state = State.FAILED
            raise
        self.family = family_of(self.version)

    def _read_tcp_response(self, frame: Frame) -> TcpHello:
        if frame.is_error:
            raise exceptions.read_error_body(frame.body, frame.version)
        if not frame.is_handshake:
            raise RemoteProtocolError("answer to the handshake is not marked as one", 14)
        if self._form == "elasticsearch":
            return elasticsearch.read_tcp_response(frame.body, frame.version)
        return opensearch.read_tcp_response(frame.body)

    def _negotiate(self, hello: TcpHello) -> int:
        if hello.sealane_format is not None:
            if hello.sealane_format < 1:
                raise UnsupportedVersion(f"unknown message format [{hello.sealane_format}]")
            return SEALANE_VERSION
        theirs = hello.version or 0
        lowest = minimum_of(theirs)
        if theirs < lowest:
            raise _too_old(theirs)
        return lowest

    def node_request(self, request_id: int) -> bytes:
        """The frame that asks who is there; it goes on the second channel if there is one."""
        self._step(_Step.SEND_NODE)
        return _request(request_id, 0, self.version, NODE_HANDSHAKE, node_request_body())

    def receive_node_response(self, frame: Frame) -> NodeHello:
        self._step(_Step.NODE_ANSWERED)
        try:
            self.peer = self._read_node_response(frame)
        except BaseException:
            self.state = State.FAILED
            raise
        return self.peer

    def _read_node_response(self, frame: Frame) -> NodeHello:
        if family_of(frame.version) != self.family:
            raise RemoteProtocolError(
                f"answer in version [{describe(frame.version)}] on a connection of [{self.family}]",
                15,
            )
        if frame.is_error:
            if self.family == "sealane":
                raise sealane.read_error(frame.body)
            raise exceptions.read_error_body(frame.body, frame.version)
        if self.family == "sealane":
            return sealane.read_node_response(frame.body)
        if self.family == "elasticsearch":
            return elasticsearch.read_node_response(frame.body)
        hello = opensearch.read_node_response(frame.body)
        if hello is None:
            raise RemoteProtocolError("the peer does not say which node it is")
        return hello

    def _step(self, step: _Step) -> None:
        following = _TABLE.get((self.state, step))
        if following is None:
            raise LocalProtocolError(f"handshake step {step.name} in state {self.state.name}")
        self.state = following


class HandshakeResponder:
    """The accepting side. It has one state only: a request says by itself in which version to
    answer it."""

    def __init__(self, release: str) -> None:
        self._release = release

    def answer_tcp(self, frame: Frame) -> bytes:
        """Raises UnsupportedVersion for a peer below the minimum, RemoteProtocolError for an
        unreadable request."""
        hello = elasticsearch.read_tcp_request(frame.body, frame.version)
        named = hello.version if hello.version is not None else frame.version
        theirs_is_opensearch = (
            family_of(named) == "opensearch" or frame.version == opensearch.HANDSHAKE_VERSION
        )
        if hello.version is not None and hello.version < minimum_of(hello.version):
            raise _too_old(hello.version)
        if theirs_is_opensearch:
            body = opensearch.tcp_response_body(OPENSEARCH_WIRE)
        else:
            mark = hello.sealane_format
            body = elasticsearch.tcp_response_body(
                ELASTICSEARCH_WIRE,
                frame_version=frame.version,
                release=release_of(ELASTICSEARCH_RELEASE),
                sealane_format=None if mark is None else min(mark, sealane.FORMAT),
            )
        status = RESPONSE | HANDSHAKE
        return encode_response_head(frame.request_id, status, frame.version, len(body)) + body

    def answer_node(self, frame: Frame, node: NodeInfo, cluster: ClusterIdentity) -> bytes:
        """Raises LocalProtocolError where the family cannot express our address."""
        family = family_of(frame.version)
        if family == "sealane":
            body = sealane.node_response_body(node, cluster, self._release)
        elif family == "elasticsearch":
            body = elasticsearch.node_response_body(node, cluster.name)
        else:
            body = opensearch.node_response_body(node, cluster.name)
        return encode_response_head(frame.request_id, RESPONSE, frame.version, len(body)) + body


def _too_old(version: int) -> UnsupportedVersion:
    return UnsupportedVersion(
        f"Received [handshake] message from unsupported version: [{describe(version)}] "
        f"minimal compatible version is: [{describe(minimum_of(version))}]"
    )


def _request(request_id: int, status: int, version: int, action: str, body: bytes) -> bytes:
    head = encode_head(
        request_id, status, version, plain_request_header(version, action), len(body)
    )
    return head + body
