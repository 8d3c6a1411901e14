"""Bytes recorded from real servers, and those of docs/wire-protocol.md, both ways."""

import pytest

from sealane.errors import IndexNotFound
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.wire import Frame, FrameDecoder, Handshake, Ping, StreamOutput
from sealane.wire.exceptions import error_body, read_error_body
from sealane.wire.families.discovery import write_tcp_request
from sealane.wire.families.elasticsearch import ELASTICSEARCH
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import Envelope
from sealane.wire.families.sealane import SEALANE
from sealane.wire.frame import HANDSHAKE, RESPONSE, encode, encode_head, plain_request_header
from sealane.wire.handshake import HandshakeResponder
from sealane.wire.versions import (
    HANDSHAKE_OPENSEARCH_2,
    OPENSEARCH_WIRE,
    SEALANE_VERSION,
    opensearch_id,
    release_of,
)
from tests.wire_vectors import VECTORS, recorded

OS_2_19_4 = opensearch_id("2.19.4")


def frame_of(data: bytes) -> Frame:
    (frame,) = FrameDecoder().receive_data(data)
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize("name", [name for name in VECTORS if name != "ping"])
def test_every_dump_decodes_and_encodes_to_the_same_bytes(name: str) -> None:
    assert encode(frame_of(VECTORS[name])) == VECTORS[name]


def test_a_ping_is_six_bytes() -> None:
    (ping,) = FrameDecoder().receive_data(VECTORS["ping"])
    assert isinstance(ping, Ping)


def test_the_golden_handshake_request_of_2_19_4() -> None:
    """C-90: produced byte for byte; C-108: version id of 2.19.4 is 136408227 both ways."""
    assert OS_2_19_4 == 136408227
    assert release_of(136408227) == "2.19.4"
    body = write_tcp_request(StreamOutput().vint(OS_2_19_4))
    variable = plain_request_header(HANDSHAKE_OPENSEARCH_2, "internal:tcp/handshake")
    head = encode_head(1, HANDSHAKE, HANDSHAKE_OPENSEARCH_2, variable, len(body))
    assert head + body == VECTORS["opensearch-tcp-request"]


def test_the_golden_handshake_response_of_2_19_4() -> None:
    """C-90: the golden response is parsed."""
    frame = frame_of(VECTORS["opensearch-tcp-response"])
    assert frame.status == RESPONSE | HANDSHAKE
    assert OPENSEARCH.read_tcp_response(frame.body, frame.version).version == OS_2_19_4


def test_the_handshake_of_elasticsearch_8_19() -> None:
    """C-90: request and response of the Elasticsearch form."""
    assert (
        Handshake(ELASTICSEARCH, mark=False).tcp_request(1) == VECTORS["elasticsearch-tcp-request"]
    )
    request = frame_of(VECTORS["elasticsearch-tcp-request"])
    assert HandshakeResponder("0.1.0").answer_tcp(request) == VECTORS["elasticsearch-tcp-response"]


def test_the_marked_handshake_of_sealane() -> None:
    assert Handshake(ELASTICSEARCH).tcp_request(1) == VECTORS["sealane-tcp-request"]
    request = frame_of(VECTORS["sealane-tcp-request"])
    assert HandshakeResponder("0.1.0").answer_tcp(request) == VECTORS["sealane-tcp-response"]
    assert Handshake(OPENSEARCH).tcp_request(1) == VECTORS["sealane-second-tcp-request"]


def test_opensearch_gets_the_pinned_version_in_its_own_form() -> None:
    answer = HandshakeResponder("0.1.0").answer_tcp(frame_of(VECTORS["opensearch-tcp-request"]))
    frame = frame_of(answer)
    assert frame.version == HANDSHAKE_OPENSEARCH_2
    assert OPENSEARCH.read_tcp_response(frame.body, frame.version).version == OPENSEARCH_WIRE


def test_the_node_request_of_both_families() -> None:
    for wire in FOREIGN:
        handshake = Handshake(wire)
        handshake.tcp_request(1)
        handshake.receive_tcp_response(frame_of(VECTORS[f"{wire.name}-tcp-response"]))
        assert handshake.wire is wire
        assert handshake.node_request(2) == VECTORS[f"{wire.name}-node-request"]


def test_a_node_of_opensearch_is_written_byte_for_byte() -> None:
    node = NodeInfo(
        id="99YK_myM_QGmy7kISQEqhg",
        ephemeral_id="py-eph-1",
        name="py-0",
        address=Address("127.0.0.1", 9531),
        roles=("data", "ingest", "master", "remote_cluster_client"),
    )
    request = Frame(0x11D, 0, OPENSEARCH_WIRE, action="internal:transport/handshake", body=b"\0")
    answer = HandshakeResponder("0.1.0").answer_node(
        request, node, ClusterIdentity(name="py-cluster", uuid="u")
    )
    assert answer == VECTORS["opensearch-node-response"]


def test_a_request_between_sealane_nodes() -> None:
    envelope = Envelope("n", 7, 30_000, "eu", 1000)
    first, payload = SEALANE.request_body(envelope, b"hi")
    variable = plain_request_header(SEALANE_VERSION, "indices:data/read/search")
    head = encode_head(5, 0, SEALANE_VERSION, variable, len(first) + len(payload))
    assert head + first + payload == VECTORS["sealane-request"]
    assert SEALANE.read_request(frame_of(VECTORS["sealane-request"]).body) == (envelope, b"hi")


def test_index_not_found_is_written_as_the_reference_reads_it() -> None:
    frame = frame_of(VECTORS["error-index-not-found"])
    error = IndexNotFound("nope")
    del error.metadata["resource.type"], error.metadata["resource.id"]
    error.metadata = {"index": "nope", "index_uuid": "_na_"}
    assert error_body(error, frame.version) == frame.body
    read = read_error_body(frame.body, frame.version)
    assert isinstance(read, IndexNotFound)
    assert read.to_body() == error.to_body()


@pytest.mark.parametrize("family", ["elasticsearch", "opensearch"])
def test_a_recorded_error_with_its_stack_decodes(family: str) -> None:
    """C-99: a remote transport exception around the real error."""
    frame = frame_of(recorded(f"error-{family}"))
    error = read_error_body(frame.body, frame.version)
    assert error.es_type == "remote_transport_exception"
    assert error.reason.endswith("[indices:data/read/search]")
    assert error.caused_by is not None
    assert (error.caused_by.es_type, error.caused_by.status) == ("index_not_found_exception", 404)
    assert error.caused_by.metadata["index"] == "nope"


def test_a_node_response_of_elasticsearch_8_19_decodes() -> None:
    node = NodeInfo(
        id="i", ephemeral_id="e", name="n", address=Address("::1", 9300), roles=("data_hot", "ml"),
        attributes={"zone": "a"}, version="8.19.99",
    )  # fmt: skip
    cluster = ClusterIdentity(name="c", uuid="u")
    hello = ELASTICSEARCH.read_node_response(ELASTICSEARCH.node_response_body(node, cluster, ""))
    assert hello.node == node
    assert (hello.cluster_name, hello.cluster_uuid, hello.release) == ("c", "", "8.19.99")
