"""The states of a handshake, the versions it settles, and what it refuses."""

import pytest

from sealane.errors import ApiError
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.wire import (
    Frame,
    FrameDecoder,
    Handshake,
    HandshakeResponder,
    LocalProtocolError,
    RemoteProtocolError,
    StreamOutput,
    UnsupportedVersion,
)
from sealane.wire.exceptions import read_error_body
from sealane.wire.families.elasticsearch import ELASTICSEARCH, read_tcp_request
from sealane.wire.families.marks import FORMAT
from sealane.wire.families.marks import write as write_mark
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import ForeignWire
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import ERROR, HANDSHAKE, RESPONSE
from sealane.wire.handshake import State
from sealane.wire.versions import (
    ELASTICSEARCH_WIRE,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_ELASTICSEARCH_9,
    OPENSEARCH_WIRE,
    SEALANE_VERSION,
    describe,
    opensearch_id,
    release_id,
)

CLUSTER = ClusterIdentity(name="east", uuid="uuid-1")


def node(host: str = "10.0.0.1") -> NodeInfo:
    return NodeInfo(
        id="id", ephemeral_id="eph", name="n1", address=Address(host, 9300),
        roles=("data", "ingest", "master", "remote_cluster_client"),
        attributes={"zone": "a", "gw": "true"}, version="0.1.0",
    )  # fmt: skip


def frame_of(data: bytes) -> Frame:
    (frame,) = FrameDecoder().receive_data(data)
    assert isinstance(frame, Frame)
    return frame


def tcp_request(body: bytes, version: int = HANDSHAKE_ELASTICSEARCH_8) -> Frame:
    return Frame(1, HANDSHAKE, version, action="internal:tcp/handshake", body=body)


def block(payload: bytes, after: bytes = b"") -> bytes:
    return StreamOutput().task_id(None).block(payload).raw(after).getvalue()


def vint(value: int) -> bytes:
    return StreamOutput().vint(value).getvalue()


def test_two_sealane_nodes_recognise_each_other() -> None:
    client, server = Handshake(), HandshakeResponder("0.1.0")
    client.receive_tcp_response(frame_of(server.answer_tcp(frame_of(client.tcp_request(1)))))
    assert client.wire is SEALANE
    answer = server.answer_node(frame_of(client.node_request(2)), node(), CLUSTER)
    hello = client.receive_node_response(frame_of(answer))
    assert client.state is State.DONE
    assert hello.node == node()
    assert (hello.cluster_name, hello.cluster_uuid, hello.release) == ("east", "uuid-1", "0.1.0")


@pytest.mark.parametrize("host", ["10.0.0.1", "2001:db8::1"])
@pytest.mark.parametrize("wire", [ELASTICSEARCH, OPENSEARCH])
def test_a_node_is_told_to_every_family(wire: ForeignWire, host: str) -> None:
    """C-106: addresses of both kinds, roles and attributes survive."""
    version = wire.version
    client = Handshake(wire, mark=False)
    client.tcp_request(1)
    client.receive_tcp_response(Frame(1, RESPONSE | HANDSHAKE, 7_170_099, body=vint(version)))
    request = frame_of(client.node_request(2))
    assert request.version == version
    hello = client.receive_node_response(
        frame_of(HandshakeResponder("0.1.0").answer_node(request, node(host), CLUSTER))
    )
    assert hello.node.address == Address(host, 9300)
    assert hello.node.roles == node().roles
    assert hello.node.attributes == node().attributes
    assert hello.cluster_name == "east"


def test_an_opensearch_node_of_2_19_4_decodes() -> None:
    """C-106: a DiscoveryNode from 2.19.4 decodes with roles and attributes."""
    body = bytes.fromhex(
        "0105776f732d30167264414f426a7266516c366a3434345a43573059317716486b41796f4b456c54515739646c"
        "6d53335964674c41093132372e302e302e31093132372e302e302e31047f000001093132372e302e302e310000"
        "2473011f73686172645f696e646578696e675f70726573737572655f656e61626c65640474727565040f636c75"
        "737465725f6d616e61676572016d00046461746101640106696e676573740169001572656d6f74655f636c7573"
        "7465725f636c69656e74017200a3d9854103776f73a3d98541"
    )
    hello = OPENSEARCH.read_node_response(body)
    assert hello.node.address == Address("127.0.0.1", 9331)
    assert hello.node.roles == ("master", "data", "ingest", "remote_cluster_client")
    assert hello.node.attributes == {"shard_indexing_pressure_enabled": "true"}
    assert (hello.node.version, hello.release, hello.cluster_name) == ("2.19.4", "2.19.4", "wos")


def test_unknown_bytes_inside_the_block_are_accepted_and_after_it_refused() -> None:
    """C-102: inside its block accepted; after the block an error."""
    server = HandshakeResponder("0.1.0")
    inside = server.answer_tcp(tcp_request(block(vint(ELASTICSEARCH_WIRE) + b"later fields")))
    assert ELASTICSEARCH.read_tcp_response(frame_of(inside).body, 7_170_099).sealane_format is None
    with pytest.raises(RemoteProtocolError, match="not fully read"):
        server.answer_tcp(tcp_request(block(vint(ELASTICSEARCH_WIRE), after=b"\0")))


def test_an_empty_block_is_answered() -> None:
    answer = frame_of(HandshakeResponder("0.1.0").answer_tcp(tcp_request(block(b""))))
    assert (
        ELASTICSEARCH.read_tcp_response(answer.body, answer.version).version == ELASTICSEARCH_WIRE
    )


def test_elasticsearch_9_gets_the_release_too() -> None:
    body = block(vint(9_112_003) + StreamOutput().string("9.1.0").getvalue())
    assert read_tcp_request(body, HANDSHAKE_ELASTICSEARCH_9).release == "9.1.0"
    answer = frame_of(
        HandshakeResponder("0.1.0").answer_tcp(tcp_request(body, HANDSHAKE_ELASTICSEARCH_9))
    )
    hello = ELASTICSEARCH.read_tcp_response(answer.body, answer.version)
    assert (hello.version, hello.release) == (ELASTICSEARCH_WIRE, "8.19.99")


OUTSIDE = [
    (release_id("7.17.10"), "Elasticsearch 7.17.10", "Elasticsearch 8.19.0 to 9.x"),
    (release_id("6.8.0"), "Elasticsearch 6.8.0", "Elasticsearch 8.19.0 to 9.x"),
    (8_702_002, "Elasticsearch 8.15", "Elasticsearch 8.19.0 to 9.x"),
    (8_840_002, "Elasticsearch 8.18", "Elasticsearch 8.19.0 to 9.x"),
    (10_000_000, "Elasticsearch 10000000", "Elasticsearch 8.19.0 to 9.x"),
    (opensearch_id("1.3.0"), "OpenSearch 1.3.0", "OpenSearch 2.19.0 to 3.x"),
    (opensearch_id("2.18.0"), "OpenSearch 2.18.0", "OpenSearch 2.19.0 to 3.x"),
    (opensearch_id("4.0.0"), "OpenSearch 4.0.0", "OpenSearch 2.19.0 to 3.x"),
]


@pytest.mark.parametrize(("version", "remote", "accepted"), OUTSIDE)
def test_a_version_outside_is_refused_by_both_sides(
    version: int, remote: str, accepted: str
) -> None:
    """C-101: both versions and the range, for the operator of either node."""
    text = f"remote speaks {remote}, this node accepts {accepted}"
    with pytest.raises(UnsupportedVersion, match=text) as refused:
        HandshakeResponder("0.1.0").answer_tcp(tcp_request(block(vint(version))))
    told = frame_of(refused.value.reply)
    assert told.status == RESPONSE | ERROR | HANDSHAKE
    error = read_error_body(told.body, told.version)
    assert (error.es_type, error.reason) == ("illegal_state_exception", refused.value.reason)
    client = Handshake()
    client.tcp_request(1)
    with pytest.raises(UnsupportedVersion, match=text):
        client.receive_tcp_response(Frame(1, RESPONSE | HANDSHAKE, 7_170_099, body=vint(version)))
    assert client.state is State.FAILED


@pytest.mark.parametrize(
    "version",
    [
        ELASTICSEARCH_WIRE,
        8_841_064,
        9_112_003,
        OPENSEARCH_WIRE,
        opensearch_id("2.19.4"),
        opensearch_id("3.4.0"),
    ],
)
def test_versions_inside_are_spoken_with_in_the_pinned_one(version: int) -> None:
    client = Handshake()
    client.tcp_request(1)
    client.receive_tcp_response(Frame(1, RESPONSE | HANDSHAKE, 7_170_099, body=vint(version)))
    assert client.wire in (ELASTICSEARCH, OPENSEARCH)
    answer = frame_of(HandshakeResponder("0.1.0").answer_tcp(tcp_request(block(vint(version)))))
    assert answer.body == vint(client.wire.version)


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        (release_id("8.8.1"), "8.8.1"),
        (8_500_020, "8.9"),
        (8_500_061, "8.10"),
        (8_797_002, "8.17"),
        (8_841_064, "8.19"),
        (9_000_009, "9.0"),
        (9_112_003, "9.1"),
        (9_050_000, "9050000"),
        (8_499_999, "8.49.99"),
        (0, "0"),
        (136408227, "2.19.4"),
        (SEALANE_VERSION, "sealane-1"),
    ],
)
def test_a_version_is_shown_as_the_release_that_people_know(version: int, shown: str) -> None:
    """Between releases, where the number tells none, as the number."""
    assert describe(version) == shown


def test_a_release_that_a_peer_tells_is_shown() -> None:
    """C-101: Elasticsearch 9 and later say it beside their version."""
    body = block(vint(10_000_001) + StreamOutput().string("10.0.0").getvalue())
    with pytest.raises(UnsupportedVersion, match=r"remote speaks Elasticsearch 10\.0\.0, this"):
        HandshakeResponder("0.1.0").answer_tcp(tcp_request(body, HANDSHAKE_ELASTICSEARCH_9))


def test_the_release_that_is_claimed_is_none_that_exists() -> None:
    """A real node refuses a peer of its own release whose build hash is another."""
    body = ELASTICSEARCH.node_response_body(node(), CLUSTER, "0.1.0")
    assert ELASTICSEARCH.read_node_response(body).release == "8.19.99"


def test_a_question_who_is_there_has_a_version_that_is_spoken() -> None:
    request = Frame(2, HANDSHAKE, 7_170_099, action="internal:transport/handshake", body=b"\0")
    with pytest.raises(RemoteProtocolError, match="not a version to ask in"):
        HandshakeResponder("0.1.0").answer_node(request, node(), CLUSTER)


def test_the_mark_is_answered_with_the_lower_format() -> None:
    payload = StreamOutput().vint(ELASTICSEARCH_WIRE)
    write_mark(payload, 9)
    body = block(payload.getvalue())
    answer = frame_of(HandshakeResponder("0.1.0").answer_tcp(tcp_request(body)))
    hello = ELASTICSEARCH.read_tcp_response(answer.body, answer.version)
    assert hello.sealane_format == FORMAT


def test_an_unmarked_client_never_sees_the_mark() -> None:
    answer = frame_of(
        HandshakeResponder("0.1.0").answer_tcp(tcp_request(block(vint(ELASTICSEARCH_WIRE))))
    )
    assert answer.body == vint(ELASTICSEARCH_WIRE)


def test_steps_out_of_order_are_our_own_fault() -> None:
    handshake = Handshake()
    with pytest.raises(LocalProtocolError):
        handshake.node_request(1)
    handshake.tcp_request(1)
    with pytest.raises(LocalProtocolError):
        handshake.tcp_request(2)


def test_an_error_answer_raises_what_is_in_it() -> None:
    client, server = Handshake(), HandshakeResponder("0.1.0")
    client.receive_tcp_response(frame_of(server.answer_tcp(frame_of(client.tcp_request(1)))))
    client.node_request(2)
    body = SEALANE.error_body(ApiError("not today"), "")
    with pytest.raises(ApiError, match="not today"):
        client.receive_node_response(Frame(2, RESPONSE | ERROR, SEALANE_VERSION, body=body))


def test_an_answer_of_another_family_is_refused() -> None:
    client, server = Handshake(), HandshakeResponder("0.1.0")
    client.receive_tcp_response(frame_of(server.answer_tcp(frame_of(client.tcp_request(1)))))
    client.node_request(2)
    with pytest.raises(RemoteProtocolError, match="on a connection of"):
        client.receive_node_response(Frame(2, RESPONSE, OPENSEARCH_WIRE, body=b"\0"))


def test_a_publish_address_that_is_a_name_cannot_be_told_to_foreign_nodes() -> None:
    request = Frame(2, 0, ELASTICSEARCH_WIRE, action="internal:transport/handshake", body=b"\0")
    with pytest.raises(LocalProtocolError, match="is a name"):
        HandshakeResponder("0.1.0").answer_node(request, node("node.example"), CLUSTER)
