"""What real servers sent, read and written again: nodes, states, cancels, errors."""

import pytest

from sealane.errors import ActionNotFound, ApiError, IllegalArgument, IllegalState
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.wire import Frame, FrameDecoder, RemoteProtocolError, StreamOutput
from sealane.wire.families.elasticsearch import ELASTICSEARCH, REMOTE_NODES
from sealane.wire.families.foreign import (
    BAN,
    CANCEL_CHILD,
    ban_request,
    cancel_child_request,
    lift_ban_request,
)
from sealane.wire.families.known import FOREIGN, WIRES
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import Cancel, Envelope, ForeignWire, Membership, Wire
from sealane.wire.families.sealane import SEALANE, read_ban
from sealane.wire.families.states import STATE
from sealane.wire.frame import COMPRESSED
from sealane.wire.versions import (
    ELASTICSEARCH_RELEASE,
    OPENSEARCH_WIRE,
    opensearch_id,
    release_id,
)
from tests.wire_vectors import VECTORS, recorded

SERVERS = ["elasticsearch-8.19.0", "elasticsearch-9.1.0", "opensearch-2.19.4", "opensearch-3.4.0"]
CLUSTER = ClusterIdentity(name="east", uuid="uuid-1")
NODES = [
    NodeInfo(
        id=f"id-{name}", ephemeral_id=f"eph-{name}", name=name, address=Address(host, 9300),
        roles=roles, attributes=attributes,
    )
    for name, host, roles, attributes in [
        ("a", "10.0.0.1", ("data", "ingest", "master", "remote_cluster_client"), {}),
        ("b", "2001:db8::1", ("remote_cluster_client",), {"gw": "true"}),
        ("ü🎈", "10.0.0.3", (), {"zone": "a", "gw": "false"}),
    ]
]  # fmt: skip


def frame_of(data: bytes) -> Frame:
    (frame,) = FrameDecoder().receive_data(data)
    assert isinstance(frame, Frame)
    return frame


def wire_of(server: str) -> ForeignWire:
    return next(wire for wire in FOREIGN if server.startswith(wire.name))


def vint(value: int) -> bytes:
    return StreamOutput().vint(value).getvalue()


# -- nodes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS)
def test_the_node_that_answers_a_handshake(server: str) -> None:
    """C-106: roles, attributes, address and release, of all products that are spoken with."""
    hello = wire_of(server).read_node_response(frame_of(recorded(f"node-{server}")).body)
    assert hello.release == hello.node.version == server.split("-")[1]
    assert hello.cluster_uuid == ""
    assert {"master", "data", "ingest", "remote_cluster_client"} <= set(hello.node.roles)
    assert hello.node.address.host == "127.0.0.1"
    assert "true" in hello.node.attributes.values()
    assert hello.node.name == f"{hello.cluster_name}-0"


@pytest.mark.parametrize("server", SERVERS)
def test_the_list_of_nodes_contains_the_seed(server: str) -> None:
    """C-107: whichever way it is asked for."""
    wire = wire_of(server)
    seed = wire.read_node_response(frame_of(recorded(f"node-{server}")).body).node
    asked = {STATE: "state", REMOTE_NODES: "nodes"}
    for action, nodes in wire.nodes.items():
        answer = frame_of(recorded(f"{asked[action]}-{server}"))
        assert nodes.read_response(bytes(answer.body)) == [seed]


@pytest.mark.parametrize("server", SERVERS)
def test_the_cluster_of_a_recorded_state(server: str) -> None:
    """The uuid that `GET /_cluster/state` shows there."""
    wire = wire_of(server)
    assert wire.identity is not None
    told = wire.identity.read_identity(bytes(frame_of(recorded(f"state-{server}")).body))
    hello = wire.read_node_response(frame_of(recorded(f"node-{server}")).body)
    assert told.name == hello.cluster_name
    assert len(told.uuid) == 22


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_a_cluster_is_asked_for_its_uuid_without_its_master(wire: ForeignWire) -> None:
    """The same request as that for nodes, but for the flag `local`."""
    assert wire.identity is not None
    nodes = wire.nodes[STATE]
    asked, local = nodes.request(), wire.identity.identity_request()
    (flag,) = (at for at, (a, b) in enumerate(zip(asked, local, strict=True)) if a != b)
    assert (asked[flag], local[flag]) == (0, 1)
    assert nodes.read_request(local)
    for uuid, told in (("uuid-1", "uuid-1"), ("_na_", ""), ("_unknown_", "")):
        cluster = ClusterIdentity(name="east", uuid=uuid)
        answer = nodes.response(Membership(cluster=cluster, nodes=NODES, master_id=None))
        assert wire.identity.read_identity(answer) == ClusterIdentity(name="east", uuid=told)


def test_a_list_of_8_19_is_written_byte_for_byte() -> None:
    """Release and build apart, which are ours."""
    body = bytes(frame_of(recorded("nodes-elasticsearch-8.19.0")).body)
    ours = body.replace(vint(release_id("8.19.0")), vint(ELASTICSEARCH_RELEASE))
    (node,) = ELASTICSEARCH.nodes[REMOTE_NODES].read_response(body)
    members = Membership(cluster=CLUSTER, nodes=[node], master_id=None)
    assert ELASTICSEARCH.nodes[REMOTE_NODES].response(members) == ours


def test_a_node_of_2_19_4_is_written_byte_for_byte() -> None:
    """Version apart, which is ours."""
    body = bytes(frame_of(recorded("node-opensearch-2.19.4")).body)
    hello = OPENSEARCH.read_node_response(body)
    cluster = ClusterIdentity(name=hello.cluster_name, uuid="")
    ours = body.replace(vint(opensearch_id("2.19.4")), vint(OPENSEARCH_WIRE))
    assert OPENSEARCH.node_response_body(hello.node, cluster, "") == ours


@pytest.mark.parametrize("wire", WIRES.values(), ids=lambda wire: wire.name)
def test_a_cluster_of_several_nodes_is_told_in_every_way(wire: Wire) -> None:
    """What identifies and reaches a node survives; foreign peers are told a release that they
    accept."""
    members = Membership(cluster=CLUSTER, nodes=NODES, master_id="id-a")
    for nodes in wire.nodes.values():
        read = nodes.read_response(nodes.response(members))
        assert [(n.id, n.ephemeral_id, n.name, n.address, n.roles, n.attributes) for n in read] == [
            (n.id, n.ephemeral_id, n.name, n.address, n.roles, n.attributes) for n in NODES
        ]


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_requests_for_nodes_are_those_of_real_servers(wire: ForeignWire) -> None:
    """C-107: the 18 bytes of OpenSearch, the 20 of Elasticsearch."""
    for action, nodes in wire.nodes.items():
        name = f"{wire.name}-{'state' if action == STATE else 'nodes'}-request"
        request = frame_of(VECTORS[name])
        assert b"".join(wire.request_body(Envelope(), nodes.request())) == request.body
        envelope, payload = wire.read_request(request.body)
        assert (envelope, payload) == (Envelope(), nodes.request())
        assert nodes.read_request(payload)


def test_no_node_of_ours_serves_api_keys() -> None:
    assert not ELASTICSEARCH.nodes[REMOTE_NODES].read_request(b"\1")


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_other_parts_of_the_state_are_refused(wire: ForeignWire) -> None:
    request = wire.nodes[STATE].request()
    everything = request.replace(b"\0\1\0\0\0", b"\1\1\1\1\1")
    with pytest.raises(IllegalArgument, match=r"not its \[routing table, metadata, blocks"):
        wire.nodes[STATE].read_request(everything)
    nothing = request.replace(b"\0\1\0\0\0", b"\0\0\0\0\0")
    assert not wire.nodes[STATE].read_request(nothing)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_an_answer_without_a_state_tells_why(wire: ForeignWire) -> None:
    answer = StreamOutput().string("c").boolean(False).boolean(True).getvalue()
    with pytest.raises(RemoteProtocolError, match="tells no nodes: it timed out"):
        wire.nodes[STATE].read_response(answer)


def test_a_state_with_indices_is_not_read() -> None:
    """Nobody asked for them, so what follows cannot be trusted."""
    members = Membership(cluster=CLUSTER, nodes=[], master_id=None)
    state = bytearray(OPENSEARCH.nodes[STATE].response(members))
    hashes = state.index(b"\x0a\0")
    state[hashes + 2] = 1
    with pytest.raises(RemoteProtocolError, match=r"unexpected \[indices\]"):
        OPENSEARCH.nodes[STATE].read_response(bytes(state))


@pytest.mark.parametrize("name", [f"{kind}-{server}" for server in SERVERS for kind in ("state",)])
def test_a_recorded_state_that_is_cut_off_is_refused(name: str) -> None:
    wire, body = wire_of(name.removeprefix("state-")), bytes(frame_of(recorded(name)).body)
    for size in range(len(body)):
        with pytest.raises(RemoteProtocolError):
            wire.nodes[STATE].read_response(body[:size])
    with pytest.raises(RemoteProtocolError, match="not fully read"):
        wire.nodes[STATE].read_response(body + b"\0")


# -- frames ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "scheme"), [("elasticsearch-8.19.0", "lz4"), ("opensearch-2.19.4", "deflate")]
)
def test_compressed_answers_are_those_to_compressed_requests(server: str, scheme: str) -> None:
    """C-98: recorded from real servers, in the scheme of the request."""
    packed = frame_of(recorded(f"state-{scheme}-{server}"))
    assert packed.status & COMPRESSED
    assert packed.scheme == scheme
    assert packed.body == frame_of(recorded(f"state-{server}")).body


def test_only_deflate_is_sent_to_opensearch() -> None:
    assert [OPENSEARCH.scheme("lz4"), OPENSEARCH.scheme(None)] == ["deflate", None]
    assert [ELASTICSEARCH.scheme("lz4"), ELASTICSEARCH.scheme("deflate")] == ["lz4", "deflate"]


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_the_parent_task_travels_with_a_request(wire: ForeignWire) -> None:
    first, payload = wire.request_body(Envelope("node-1", 7, 30_000, "eu", 5), b"rest")
    assert wire.read_request(first + payload) == (Envelope("node-1", 7), b"rest")


# -- taking back -----------------------------------------------------------------------------------


def test_a_recorded_cancel_of_a_child_is_read_and_written_again() -> None:
    frame = frame_of(recorded("cancel-child-elasticsearch-8.19.0"))
    _, payload = ELASTICSEARCH.read_request(frame.body)
    parent = ("Y0qRIbCvTaaZIOPTF0X_NQ", 4061)
    assert ELASTICSEARCH.read_cancel(frame.action or "", payload) == Cancel(parent, 1768)
    reason = (
        "org.elasticsearch.transport.RemoteTransportException: "
        "[mini-0][127.0.0.1:21500][indices:data/read/search]"
    )
    assert cancel_child_request(parent, 1768, reason) == (CANCEL_CHILD, frame.body)


def test_recorded_bans_are_read_and_written_again() -> None:
    parent = ("Y0qRIbCvTaaZIOPTF0X_NQ", 4061)
    frame = frame_of(recorded("ban-elasticsearch-8.19.0"))
    _, payload = ELASTICSEARCH.read_request(frame.body)
    assert ELASTICSEARCH.read_cancel(BAN, payload) == Cancel(parent, None)
    reason = (
        "http channel [Netty4HttpChannel{localAddress=/127.0.0.1:19200, "
        "remoteAddress=/127.0.0.1:51004}] closed"
    )
    assert ban_request(parent, reason) == (BAN, frame.body)
    lifted = frame_of(recorded("ban-lifted-elasticsearch-8.19.0"))
    _, payload = ELASTICSEARCH.read_request(lifted.body)
    assert ELASTICSEARCH.read_cancel(BAN, payload) is None
    assert lift_ban_request(parent) == (BAN, lifted.body)


def test_each_family_takes_back_in_its_own_way() -> None:
    parent = ("n", 3)
    assert ELASTICSEARCH.cancel_requests(parent, 9) == [cancel_child_request(parent, 9)]
    assert OPENSEARCH.cancel_requests(parent, 9) == [ban_request(parent), lift_ban_request(parent)]
    assert SEALANE.cancel_requests(parent, 9) == [("internal:sealane/cancel", b"")]


def test_a_cancelled_task_is_named_with_its_reason() -> None:
    """By our own family: whatever else the task has asked for is refused then."""
    ((action, body),) = SEALANE.cancel_requests(("n", 3), 9, banned="by user request")
    assert action == "internal:sealane/cancel"
    assert read_ban(body) == ("n", 3, "by user request")
    for malformed in (b"\xc1", b"\x90", body + b"\x00"):
        with pytest.raises(RemoteProtocolError):
            read_ban(malformed)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
def test_other_actions_cancel_nothing(wire: ForeignWire) -> None:
    assert wire.read_cancel("indices:data/read/search", b"anything") is None


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["elasticsearch-8.19.0", "opensearch-2.19.4"])
def test_the_error_of_an_unknown_action(server: str) -> None:
    """C-99: recorded; the envelope that names the node is taken off."""
    frame = frame_of(recorded(f"unknown-action-{server}"))
    assert frame.is_error
    error = wire_of(server).read_error(frame.body)
    assert isinstance(error, ActionNotFound)
    assert error.reason == "No handler for action [sealane:unknown]"


@pytest.mark.parametrize("wire", WIRES.values(), ids=lambda wire: wire.name)
def test_what_a_handler_raises_reaches_the_asker_as_it_is(wire: Wire) -> None:
    error = IllegalArgument("no", caused_by=IllegalState("why"))
    read = wire.read_error(wire.error_body(error, "[n][10.0.0.1:9300][a]"))
    assert (type(read), read.to_body()) == (IllegalArgument, error.to_body())


@pytest.mark.parametrize(
    ("number", "es_type", "status"),
    [
        (3, "master_not_discovered_exception", 503),
        (9, "node_closed_exception", 500),
        (116, "process_cluster_event_timeout_exception", 503),
        (144, "not_master_exception", 500),
    ],
)
def test_what_keeps_a_seed_from_answering_has_a_name(
    number: int, es_type: str, status: int
) -> None:
    error = ApiError("r")
    error.es_type, error.status = es_type, status
    for wire in FOREIGN:
        body = wire.error_body(error, "o")
        assert vint(number) in body
        read = wire.read_error(body)
        assert (read.es_type, read.status, read.reason) == (es_type, status, "r")


@pytest.mark.parametrize("kind", ["nodes", "state"])
def test_a_cluster_of_three_with_a_dedicated_master(kind: str) -> None:
    """C-106: recorded; roles and attributes decide who may be a gateway."""
    answer = frame_of(recorded(f"{kind}-of-three-elasticsearch-8.19.0"))
    action = REMOTE_NODES if kind == "nodes" else STATE
    listed = ELASTICSEARCH.nodes[action].read_response(bytes(answer.body))
    assert {node.name: set(node.roles) for node in listed} == {
        "wt1": {"master", "data", "remote_cluster_client"},
        "wt2": {"data", "ingest"},
        "wt3": {"master"},
    }
    assert all(node.attributes["gw"] == "true" for node in listed)
    assert len({node.address.port for node in listed}) == 3
