"""A remote that lies, floods or goes away at any step: this node stays bounded and says what it met."""

import asyncio
from collections.abc import Callable

import pytest

from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.wire import Frame, FrameDecoder, Ping
from sealane.wire.compression import compress
from sealane.wire.families.discovery import NODE_HANDSHAKE, TCP_HANDSHAKE
from sealane.wire.families.elasticsearch import ELASTICSEARCH
from sealane.wire.families.protocol import Membership
from sealane.wire.frame import (
    COMPRESSED,
    ERROR,
    HANDSHAKE,
    PING,
    RESPONSE,
    encode,
    encode_response_head,
)
from tests.integration.remote.clusters import remotes, until
from tests.integration.remote.listeners import Listener, listening

Answer = Callable[[Frame, Address], bytes | None]
"""What to send for a request; None closes the connection."""
IDENTITY = ClusterIdentity(name="evil", uuid="")


def node(number: int, address: Address, name: str = "") -> NodeInfo:
    return NodeInfo(
        id=f"id-{number}",
        ephemeral_id=f"eph-{number}",
        name=name or f"n{number}",
        address=address,
        roles=("data", "master"),
        version="8.19.0",
    )


def answer_to(frame: Frame, body: bytes, status: int = 0) -> bytes:
    head = encode_response_head(frame.request_id, RESPONSE | status, frame.version, len(body))
    return head + body


def introduced(frame: Frame, here: Address) -> bytes:
    body = ELASTICSEARCH.node_response_body(node(0, here), IDENTITY, "8.19.0")
    return answer_to(frame, body)


def naming(*nodes: NodeInfo) -> Answer:
    members = Membership(cluster=IDENTITY, nodes=nodes, master_id=None)

    def answer(frame: Frame, here: Address) -> bytes:
        codec = ELASTICSEARCH.nodes[str(frame.action)]
        return answer_to(frame, codec.response(members))

    return answer


def gone(frame: Frame, here: Address) -> None:
    return None


def says(body: bytes, status: int = 0) -> Answer:
    return lambda frame, here: answer_to(frame, body, status)


def shaken(frame: Frame, here: Address) -> bytes:
    return answer_to(frame, ELASTICSEARCH.tcp_response_body(frame.version, None), HANDSHAKE)


def hostile(tcp: Answer = shaken, who: Answer = introduced, nodes: Answer = gone) -> Listener:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        decoder = FrameDecoder()
        while received := await reader.read(65536):
            for event in decoder.receive_data(received):
                if isinstance(event, Ping):
                    writer.write(PING)
                elif isinstance(event, Frame):
                    step = {TCP_HANDSHAKE: tcp, NODE_HANDSHAKE: who}.get(str(event.action), nodes)
                    answer = step(event, Address(host, port))
                    if answer is None:
                        return
                    writer.write(answer)
                    await writer.drain()

    return listening(serve)  # type: ignore[return-value]


MEGABYTE = bytes(1_000_000)
WHAT_IS_SAID = {
    "closes before a word": (
        hostile(tcp=gone),
        "closed_during_handshake",
        "general node connection",
    ),
    "closes when asked who it is": (
        hostile(who=gone),
        "closed_during_handshake",
        "closed during the handshake",
    ),
    "closes when asked for nodes": (
        hostile(nodes=gone),
        "closed_during_handshake",
        "a channel closed while connecting",
    ),
    "a huge first answer": (
        hostile(tcp=says(compress(MEGABYTE, "deflate"), HANDSHAKE | COMPRESSED)),
        "not_a_transport_port",
        "handshake of [1000000] bytes exceeds [262144]",
    ),
    "a huge second answer": (
        hostile(who=says(compress(MEGABYTE, "lz4"), COMPRESSED)),
        "not_a_transport_port",
        "handshake of [1000000] bytes exceeds [262144]",
    ),
    "exceptions without end": (
        hostile(who=says(b"\x01\x00\x67\x00" * 5000, ERROR)),
        "not_a_transport_port",
        "exceptions nested deeper than",
    ),
    "requests instead of answers": (
        hostile(who=lambda f, _: encode(Frame(f.request_id, 0, f.version, action="evil"))),
        "not_a_transport_port",
        "received a request",
    ),
    "an unknown version": (
        hostile(tcp=says(b"\x01", HANDSHAKE)),
        "version_incompatible",
        "unsupported version",
    ),
}


@pytest.mark.parametrize("what", WHAT_IS_SAID)
async def test_what_a_remote_did_is_told(what: str) -> None:
    made_by, cause, text = WHAT_IS_SAID[what]
    async with made_by as listener, remotes(seeds=(listener.address,)) as made:
        await until(lambda: made.describe(verbose=True)["far"]["last_error"] is not None)
        await until(lambda: made.describe(verbose=True)["far"]["last_error"]["cause"] == cause)
        info = made.describe(verbose=True)["far"]
        assert text in str(info["last_error"])
        assert not info["connected"]
        assert info["last_error"]["next_step"]


async def test_a_list_of_thousands_of_nodes_is_no_port_scan() -> None:
    """The seed that answers is connected; of what it lists a few are tried in each round, behind the
    first ones in the next, and few are named."""
    nowhere = [node(k, Address(f"127.0.{k >> 8}.{k & 255}", 1)) for k in range(1, 3001)]
    async with (
        hostile(nodes=naming(*nowhere)) as listener,
        remotes(seeds=(listener.address,)) as made,
    ):
        await until(lambda: made.describe(verbose=True)["far"]["rounds"] == 1)
        first = made.describe(verbose=True)["far"]
        assert first["connected"]
        assert len(first["warnings"]) == 21
        assert first["warnings"][0].startswith("[n1]")
        assert first["warnings"][-1].endswith("more like these")
        await until(lambda: made.describe(verbose=True)["far"]["rounds"] > 1)
        second = made.describe(verbose=True)["far"]
        assert not second["warnings"][0].startswith("[n1]")


@pytest.mark.parametrize(
    "nodes",
    [naming(node(1, Address("127.0.0.1", 1), "N" * 100_000)), says(bytes(9_000_000))],
    ids=["huge names", "huge list"],
)
async def test_an_unreadable_list_leaves_the_seed(nodes: Answer) -> None:
    async with hostile(nodes=nodes) as listener, remotes(seeds=(listener.address,)) as made:
        await until(lambda: made.describe()["far"]["num_nodes_connected"] == 1)
        (shown,) = made.describe(verbose=True)["far"]["nodes"]
        assert shown["name"] == "n0"


async def test_the_same_node_a_hundred_times_is_one_gateway() -> None:
    def nodes(frame: Frame, here: Address) -> bytes | None:
        return naming(*[node(0, here)] * 100)(frame, here)

    async with hostile(nodes=nodes) as listener, remotes(seeds=(listener.address,)) as made:
        await until(lambda: made.describe(verbose=True)["far"]["rounds"] > 1)
        assert made.describe()["far"]["num_nodes_connected"] == 1
