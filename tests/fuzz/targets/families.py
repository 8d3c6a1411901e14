"""What the families of nodes say to each other: handshakes, requests, answers, errors."""

from collections.abc import Iterator

from sealane.errors import ApiError, IllegalArgument, IndexNotFound, TaskCancelled
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.wire import Frame, FrameDecoder, RemoteProtocolError
from sealane.wire.errors import LocalProtocolError
from sealane.wire.families.discovery import NODE_HANDSHAKE, TCP_HANDSHAKE, node_request_body
from sealane.wire.families.foreign import (
    CANCELS,
    ban_request,
    cancel_child_request,
    lift_ban_request,
)
from sealane.wire.families.known import FOREIGN, WIRES
from sealane.wire.families.protocol import Envelope, Membership
from sealane.wire.families.sealane import SEALANE, encode_nodes, read_ban
from sealane.wire.frame import ERROR, HANDSHAKE, RESPONSE
from sealane.wire.handshake import Handshake, HandshakeResponder
from tests.fuzz.target import Target
from tests.fuzz.targets.frames import VERSIONS, real_frames

_WIRES = tuple(WIRES.values())
_NODE = NodeInfo(
    id="n1-id",
    ephemeral_id="n1-eph",
    name="n1",
    address=Address("127.0.0.1", 9300),
    roles=("data", "master", "remote_cluster_client"),
    attributes={"zone": "a"},
    version="0.1.0",
)
_CLUSTER = ClusterIdentity(name="c", uuid="c-uuid")
_MEMBERS = Membership(cluster=_CLUSTER, nodes=(_NODE,), master_id="n1-id")


def _bodies(status: int) -> Iterator[tuple[int, bytes]]:
    """Of the real frames with that status: the number of their version, and the body."""
    for data in real_frames():
        for event in FrameDecoder().receive_data(data):
            if isinstance(event, Frame) and event.status & 15 == status:
                yield _number(event.version), bytes(event.body)


def _number(version: int) -> int:
    return VERSIONS.index(version) if version in VERSIONS else 1


# -- handshakes, accepting -----------------------------------------------------------------------------------------

_RESPONDER = HandshakeResponder("0.1.0")


def _greeting_seeds() -> Iterator[bytes]:
    for number, body in _bodies(HANDSHAKE):
        yield bytes((0, number)) + body
    for wire in FOREIGN:
        for mark in (True, False):
            body = wire.tcp_request_body(mark=mark)
            for number in range(len(VERSIONS)):
                yield bytes((0, number)) + body
    yield b"\x01\x00" + node_request_body()


def _run_greeting(data: bytes) -> None:
    """The first byte says which handshake, the second in which version it comes."""
    node, version = data[:1] == b"\x01", VERSIONS[data[1] % len(VERSIONS)] if data[1:] else 0
    action = NODE_HANDSHAKE if node else TCP_HANDSHAKE
    frame = Frame(1, 0 if node else HANDSHAKE, version, action=action, body=data[2:])
    if node:
        _RESPONDER.answer_node(frame, _NODE, _CLUSTER)
    else:
        _RESPONDER.answer_tcp(frame)


# -- handshakes, dialling ------------------------------------------------------------------------------------------


def _welcome_seeds() -> Iterator[bytes]:
    for number, body in _bodies(RESPONSE | HANDSHAKE):
        for form in (0, 1):
            yield bytes((form, number)) + body
    for form, wire in enumerate(FOREIGN):
        for number, version in enumerate(VERSIONS):
            yield bytes((form, number)) + wire.tcp_response_body(version, None)
            yield bytes((form, number)) + wire.tcp_response_body(version, 1)
        error = wire.error_body(TaskCancelled("no"), "[n][a][x]")
        yield bytes((2 | form, 1 + form)) + error


def _run_welcome(data: bytes) -> None:
    """The first byte says which form we sent and whether the answer is an error, the second its version."""
    which = data[0] if data else 0
    version = VERSIONS[data[1] % len(VERSIONS)] if data[1:] else 0
    shaking = Handshake(FOREIGN[which & 1])
    shaking.tcp_request(1)
    status = RESPONSE | HANDSHAKE | (ERROR if which & 2 else 0)
    shaking.receive_tcp_response(Frame(1, status, version, body=data[2:]))


def _identity_seeds() -> Iterator[bytes]:
    for number, wire in enumerate(_WIRES):
        yield bytes((number,)) + wire.node_response_body(_NODE, _CLUSTER, "0.1.0")
    for number, body in _bodies(RESPONSE):
        if number < len(_WIRES):
            yield bytes((number,)) + body


def _run_identity(data: bytes) -> None:
    """What another node says it is, and what of that we would say again."""
    wire = _WIRES[data[0] % len(_WIRES)] if data else SEALANE
    hello = wire.read_node_response(data[1:])
    cluster = ClusterIdentity(name=hello.cluster_name, uuid=hello.cluster_uuid)
    again = wire.read_node_response(wire.node_response_body(hello.node, cluster, hello.release))
    assert again.node.id == hello.node.id
    assert again.cluster_name == hello.cluster_name


# -- requests ------------------------------------------------------------------------------------------------------


def _request_seeds() -> Iterator[bytes]:
    envelope = Envelope("node", 7, 1000, "eu", 1_700_000_000_000)
    for number, wire in enumerate(_WIRES):
        yield bytes((number, 0)) + b"".join(wire.request_body(envelope, b"payload"))
        yield bytes((number, 0)) + b"".join(wire.request_body(Envelope(), b""))
        for place, action in enumerate(wire.nodes.values()):
            yield bytes((number, 1 + place)) + action.request()
    for number, body in _bodies(0):
        if number < len(_WIRES):
            yield bytes((number, 0)) + body
    for _, body in (cancel_child_request(("n", 5), 9), ban_request(("n", 5))):
        yield b"\x01\x08" + body[1:]
        yield b"\x01\x09" + body[1:]
    yield b"\x01\x09" + lift_ban_request(("n", 5))[1][1:]
    yield b"\x00\x0a\x93\xa1n\x05\xa1r"


def _run_request(data: bytes) -> None:
    wire = _WIRES[data[0] % len(_WIRES)] if data else SEALANE
    what, payload = data[1] if data[1:] else 0, data[2:]
    if what == 0:
        envelope, rest = wire.read_request(payload)
        assert wire.read_request(b"".join(wire.request_body(envelope, rest)))[1] == rest
    elif what in (8, 9):
        wire.read_cancel(sorted(CANCELS)[what - 8], payload)
    elif what == 10:
        read_ban(payload)
    else:
        actions = tuple(wire.nodes.values())
        actions[what % len(actions)].read_request(payload)


# -- answers -------------------------------------------------------------------------------------------------------


def _answer_seeds() -> Iterator[bytes]:
    for number, wire in enumerate(_WIRES):
        for place, action in enumerate(wire.nodes.values()):
            yield bytes((number, place)) + action.response(_MEMBERS)
            yield bytes((number, 4)) + action.response(_MEMBERS)
    yield b"\x00\x00" + encode_nodes([_NODE, _NODE])
    for number, body in _bodies(RESPONSE):
        if number < len(_WIRES):
            yield from (bytes((number, place)) + body for place in (0, 1, 4))


def _run_answer(data: bytes) -> None:
    wire = _WIRES[data[0] % len(_WIRES)] if data else SEALANE
    what, payload = data[1] if data[1:] else 0, data[2:]
    if what == 4 and wire.identity is not None:
        wire.identity.read_identity(payload)
        return
    actions = tuple(wire.nodes.values())
    actions[what % len(actions)].read_response(payload)


def _error_seeds() -> Iterator[bytes]:
    cause = IndexNotFound("logs")
    errors: list[ApiError] = [cause, TaskCancelled("why"), IllegalArgument("bad", caused_by=cause)]
    errors.append(ApiError("odd", metadata={"a": ["b", "c"]}, suppressed=[cause]))
    for number, wire in enumerate(_WIRES):
        for error in errors:
            yield bytes((number,)) + wire.error_body(error, "[node][127.0.0.1:9300][action]")
    for number, body in _bodies(RESPONSE | ERROR):
        if number < len(_WIRES):
            yield bytes((number,)) + body


def _run_error(data: bytes) -> None:
    """An error that was read can be shown, and told to the next one."""
    number = data[0] % len(_WIRES) if data else 0
    error = _WIRES[number].read_error(data[1:])
    error.to_body()
    for wire in _WIRES:
        try:
            body = wire.error_body(error, "[n][a][x]")
        except LocalProtocolError:
            continue
        wire.read_error(body)


TARGETS = (
    Target(
        name="handshakes_accepted",
        run=_run_greeting,
        seeds=_greeting_seeds,
        refusals=(RemoteProtocolError,),
        share=6,
    ),
    Target(
        name="handshakes_dialled",
        run=_run_welcome,
        seeds=_welcome_seeds,
        refusals=(RemoteProtocolError, ApiError),
        share=6,
    ),
    Target(
        name="node_identities",
        run=_run_identity,
        seeds=_identity_seeds,
        refusals=(RemoteProtocolError,),
        share=5,
    ),
    Target(
        name="wire_requests",
        run=_run_request,
        seeds=_request_seeds,
        refusals=(RemoteProtocolError, IllegalArgument),
        share=6,
    ),
    Target(
        name="wire_answers",
        run=_run_answer,
        seeds=_answer_seeds,
        refusals=(RemoteProtocolError,),
        share=5,
    ),
    Target(
        name="wire_errors",
        run=_run_error,
        seeds=_error_seeds,
        refusals=(RemoteProtocolError,),
        share=5,
    ),
)
