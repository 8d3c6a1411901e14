"""What nodes of one cluster send each other: both directions, and bytes that are none of it."""

import pytest

from sealane.cluster.forwarded import (
    ForwardedAnswer,
    ForwardedRequest,
    read_answer,
    read_request,
)
from sealane.cluster.forwarded import encode as encode_forwarded
from sealane.cluster.published import (
    FollowRequest,
    JoinRequest,
    LeaveRequest,
    PublishedState,
    decode,
    encode,
)
from sealane.cluster.relay import encode_relayed, read_relayed, relay_action
from sealane.errors import IllegalArgument
from tests.unit.cluster.states import joining, node, state

MESSAGES = [
    state("g", "h", persistent={"a": "1", "b": ("x", "y")}, transient={"c": "2"}),
    joining("g", uuid="u"),
    FollowRequest(node_id="n", ephemeral_id="e", term="t", version=3, wait_ms=1000),
    LeaveRequest(node_id="n", ephemeral_id="e"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_a_message_arrives_as_it_was(
    message: PublishedState | JoinRequest | FollowRequest | LeaveRequest,
) -> None:
    assert decode(type(message), encode(message), "x") == message


def test_a_forwarded_request_and_its_answer_arrive_as_they_were() -> None:
    request = ForwardedRequest("PUT", b"/%C3%A4", b"a=%20", "application/json", None, b"\x00\xff")
    assert read_request(encode_forwarded(request)) == request
    answer = ForwardedAnswer(201, b"application/json", ((b"Location", b"/x"),), b"{}")
    assert read_answer(encode_forwarded(answer)) == answer


def test_a_relayed_request_keeps_its_node_and_its_bytes() -> None:
    relayed = read_relayed(encode_relayed(node("b"), b"\x00\x01"))
    assert (relayed.node, relayed.payload) == (node("b"), b"\x00\x01")
    assert relay_action("indices:data/read/search") == (
        "internal:transport/proxy/indices:data/read/search"
    )


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x90", b"\x81\xa1a\x01", b"\xa2\xff\xff"])
def test_other_bytes_are_refused_by_name(payload: bytes) -> None:
    for kind in (PublishedState, JoinRequest, FollowRequest, LeaveRequest):
        with pytest.raises(IllegalArgument, match=r"malformed message for action \[act\]"):
            decode(kind, payload, "act")
    for read in (read_request, read_answer, read_relayed):
        with pytest.raises(IllegalArgument, match="malformed message"):
            read(payload)
