"""Whatever strangers send to the transport port: the node stays up, keeps nothing of it, and answers
others. On both loops, over real sockets."""

import asyncio
import contextlib
import gc
import random
import weakref

import pytest

from sealane.inbound import register_foreign_handlers
from sealane.model.node import ClusterIdentity
from sealane.security.rules import allow_all
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.inbound import InboundChannel
from sealane.wire import Frame, FrameDecoder, StreamOutput
from sealane.wire.compression import compress
from sealane.wire.exceptions import read_error_body
from sealane.wire.families.discovery import NODE_HANDSHAKE, TCP_HANDSHAKE, node_request_body
from sealane.wire.families.foreign import cancel_child_request
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.protocol import ForeignWire, Membership
from sealane.wire.frame import COMPRESSED, HANDSHAKE, PING, encode, encode_response_head
from sealane.wire.versions import SEALANE_VERSION
from tests.transport_nodes import TransportNode, two_nodes, until
from tests.wire_vectors import RECORDED, VECTORS, recorded

FRAMES = [*VECTORS.values(), *(recorded(name) for name in RECORDED)]
BY_NAME = {wire.name: wire for wire in FOREIGN}
STATE = "cluster:monitor/state"


def request(wire: ForeignWire, action: str, body: bytes, number: int = 9, status: int = 0) -> bytes:
    return encode(Frame(number, status, wire.version, action=action, body=body))


def tcp_handshake(wire: ForeignWire, body: bytes, status: int = 0) -> bytes:
    version = wire.handshake_version
    frame = Frame(1, HANDSHAKE | status, version, action=TCP_HANDSHAKE, body=body)
    return encode(frame)


def introduction(family: str) -> bytes:
    """Both handshakes of a node of that family."""
    if family == "nobody":
        return b""
    wire = BY_NAME.get(family, FOREIGN[0])
    version = SEALANE_VERSION if family == "sealane" else wire.version
    who = Frame(2, 0, version, action=NODE_HANDSHAKE, body=node_request_body())
    mark = family == "sealane"
    return tcp_handshake(wire, wire.tcp_request_body(mark=mark)) + encode(who)


def mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(FRAMES))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at:at] = chance.randbytes(chance.randint(1, 9))
            case _:
                del data[at + 1 : at + 9]
    return bytes(data)


async def send(server: TransportNode, data: bytes) -> None:
    """And goes, once the node has read it."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
    writer.write(data)
    writer.write_eof()
    await writer.drain()
    await until(lambda: server.transport.statistics().channels_in == 0)
    writer.close()


async def answer_to(server: TransportNode, data: bytes, number: int) -> Frame:
    """The answer with this number to the last of what is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
    writer.write(data)
    decoder = FrameDecoder()
    while True:
        received = await reader.read(65536)
        assert received, "closed without an answer"
        for event in decoder.receive_data(received):
            if isinstance(event, Frame) and event.request_id == number:
                writer.close()
                return event


def answers_nodes(server: TransportNode) -> None:
    identity = ClusterIdentity(name="here", uuid="u")
    register_foreign_handlers(
        server.transport,
        members=lambda: Membership(cluster=identity, nodes=(server.info,), master_id=None),
        authorize=allow_all,
    )


@pytest.mark.parametrize("family", ["nobody", "sealane", "elasticsearch", "opensearch"])
async def test_mutated_frames_end_their_own_connection_at_most(family: str) -> None:
    """Seeded: 60 streams of real frames with bytes changed, added and lost."""
    chance = random.Random(f"hostile {family}")
    async with two_nodes() as (client, server):
        answers_nodes(server)
        for _ in range(60):
            await send(server, introduction(family) + mutated(chance))
        connection = await client.transport.connect(server.address, ConnectionProfile(2))
        assert connection.is_open
        await until(lambda: server.transport._dispatcher.requests_in_flight == 0)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_a_short_frame_cannot_ask_for_long_work(wire: ForeignWire) -> None:
    """A few kilobytes unfold to an array of a million items in the place of a handful."""
    async with two_nodes() as (_, server):
        answers_nodes(server)
        body = StreamOutput().task_id(None).time_value(30, "s").getvalue() + bytes(1_000_000)
        data = request(wire, STATE, compress(body, "deflate"), status=COMPRESSED)
        answer = await answer_to(server, introduction(wire.name) + data, 9)
        assert answer.is_error
        assert "exceed [65536]" in str(read_error_body(answer.body, wire.version).to_cause())


async def test_a_large_handshake_is_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is a frame that cannot be read: its error would keep it for as long as the channel, with
    which it forms a cycle."""
    frames: list[weakref.ref[Frame]] = []
    receive = InboundChannel.receive_frame

    class Weak(Frame):
        __slots__ = ("__weakref__",)

    def watched(self: InboundChannel, frame: Frame) -> None:
        copy = Weak(frame.request_id, frame.status, frame.version, action=frame.action)
        copy.body = frame.body
        frames.append(weakref.ref(copy))
        receive(self, copy)

    monkeypatch.setattr(InboundChannel, "receive_frame", watched)
    wire = FOREIGN[0]
    large = StreamOutput().task_id(None).block(bytes(10)).getvalue() + bytes(1_000_000)
    async with two_nodes() as (_, server):
        gc.disable()
        try:
            packed = compress(large, "deflate")
            await send(server, tcp_handshake(wire, packed, COMPRESSED))
            await until(lambda: "handshake of [" in caplog.text)
            assert "bytes exceeds [262144]" in caplog.text
            await until(lambda: frames and frames[0]() is None)
        finally:
            gc.enable()


async def test_cancels_answers_and_pings_out_of_the_blue_are_harmless() -> None:
    wire = FOREIGN[0]
    action, body = cancel_child_request(("nobody", 5), 99)
    stray = b"".join(
        encode_response_head(number, 1, wire.version, 0) + request(wire, action, body, number)
        for number in range(1000, 1500)
    )
    async with two_nodes() as (_, server):
        answers_nodes(server)
        ask = request(wire, "cluster:internal/remote_cluster/nodes", b"\0\0", 5000)
        data = introduction(wire.name) + stray + PING * 500 + ask
        answer = await answer_to(server, data, 5000)
        assert not answer.is_error
        await until(lambda: server.transport._dispatcher.requests_in_flight == 0)


async def test_frames_that_are_never_finished_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Each alone is allowed; together they are not. One that is finished counts no more."""
    wire = FOREIGN[0]
    whole = request(wire, "none", bytes(200_000))
    limits = TransportLimits(receiving_max_bytes=300_000)
    async with two_nodes(limits=limits) as (_, server):
        for _ in range(3):
            assert (await answer_to(server, introduction(wire.name) + whole, 9)).is_error
        dispatcher = server.transport._dispatcher
        await until(lambda: dispatcher.bytes_receiving == 0)
        first, second = [
            await asyncio.open_connection("127.0.0.1", server.address.port) for _ in range(2)
        ]
        first[1].write(whole[:-1])
        await until(lambda: dispatcher.bytes_receiving == len(whole) - 1)
        second[1].write(whole[:-1])
        with contextlib.suppress(ConnectionError):
            assert await second[0].read() == b""
        assert "unfinished messages exceed [300000] bytes in all" in caplog.text
        await until(lambda: dispatcher.bytes_receiving == len(whole) - 1)
        first[1].write(whole[-1:])
        assert await first[0].read(100)
        assert dispatcher.bytes_receiving == 0
        for _, writer in (first, second):
            writer.close()
