"""Requests to and from real servers: framed, answered, limited and taken back as among our own."""

import asyncio

import pytest

from sealane.errors import (
    ActionNotFound,
    CircuitBreaking,
    IllegalArgument,
    IndexNotFound,
    Internal,
    ReceiveTimeout,
    Rejected,
    TaskCancelled,
    TransportSerialization,
)
from sealane.model.task import Context, TaskId
from sealane.testing.network import MemoryNetwork
from sealane.transport import ConnectionProfile, NodeConnection, TransportLimits
from sealane.wire import Frame, FrameDecoder, StreamOutput
from sealane.wire.families.foreign import BAN, CANCEL_CHILD, ban_request, cancel_child_request
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.protocol import Envelope, ForeignWire, Wire
from sealane.wire.families.states import STATE
from sealane.wire.frame import HANDSHAKE, RESPONSE, encode, encode_response_head
from tests.foreign_nodes import a_foreign_server
from tests.transport_nodes import TransportNode, until

pytestmark = pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)


async def echo(payload: bytes, ctx: Context, wire: Wire) -> bytes:
    return payload


async def connected(
    client: TransportNode, server: TransportNode, profile: ConnectionProfile | None = None
) -> NodeConnection:
    return await client.transport.connect(server.address, profile or ConnectionProfile(6))


class Endless:
    """A handler that waits until it is cancelled."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.parent: TaskId | None = None
        self.reason: str | None = None
        self.ended = asyncio.Event()

    async def __call__(self, payload: bytes, ctx: Context, wire: Wire) -> bytes:
        self.parent = ctx.task.parent
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.reason = ctx.task.cancelled_reason
            self.ended.set()
        return b""


async def test_a_request_is_answered_by_the_handler_for_foreign_nodes(wire: ForeignWire) -> None:
    seen: list[tuple[Wire, dict[str, str]]] = []

    async def handler(payload: bytes, ctx: Context, asked_in: Wire) -> bytes:
        seen.append((asked_in, dict(ctx.headers)))
        return payload[::-1]

    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, handler)
        connection = await connected(client, server)
        assert connection.wire is wire
        assert (connection.family, connection.node.id) == (wire.name, "server-id")
        with client.context(headers={"X-Opaque-Id": "me"}) as ctx:
            assert await connection.request(STATE, b"abc", ctx) == b"cba"
    assert seen == [(wire, {"X-Opaque-Id": "me"})]


async def test_only_the_first_channel_shakes_hands(wire: ForeignWire) -> None:
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (client, server):
        await connected(client, server)
        used = [bool(dialling.sent) for dialling, _ in network.links]
        assert used == [True, True, False, False, False, False]


async def test_what_the_family_cannot_carry_is_not_sent(wire: ForeignWire) -> None:
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (client, server):
        connection = await connected(client, server)
        before = [len(dialling.sent) for dialling, _ in network.links]
        with client.context() as ctx, pytest.raises(IllegalArgument) as refused:
            await connection.request("indices:data/read/search", b"", ctx)
        assert refused.value.reason == (
            "action [indices:data/read/search] is not supported yet with "
            f"{wire.product} clusters over transport: cluster [server-cluster] at "
            f"[{server.address}] runs {wire.product}, only Sealane clusters can answer it"
        )
        assert [len(dialling.sent) for dialling, _ in network.links] == before


async def test_an_error_reaches_the_asker_as_it_was_raised(wire: ForeignWire) -> None:
    async def refuse(payload: bytes, ctx: Context, wire: Wire) -> bytes:
        raise IndexNotFound("logs")

    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, refuse)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(IndexNotFound) as raised:
            await connection.request(STATE, b"", ctx)
        assert raised.value.status == 404
        assert connection.is_open


async def test_a_handler_that_breaks_is_an_internal_error(wire: ForeignWire) -> None:
    async def broken(payload: bytes, ctx: Context, wire: Wire) -> bytes:
        raise ZeroDivisionError

    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, broken)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(Internal, match="see the log there"):
            await connection.request(STATE, b"", ctx)


async def test_an_error_of_an_unknown_class_leaves_the_connection_open(wire: ForeignWire) -> None:
    """Real servers have more classes than are known here, each with fields of its own."""
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (client, server):
        server.transport.register_foreign(STATE, Endless())
        connection = await connected(client, server, ConnectionProfile(1))
        with client.context() as ctx:
            asked = asyncio.create_task(connection.request(STATE, b"", ctx))
            await until(lambda: len(server.tasks))
            (channel,) = connection.channels
            (request_id,) = channel.pending
            body = StreamOutput().boolean(True).vint(0).vint(9999).optional("boo", lambda _: None)
            body.string("boo").boolean(False).vint(0).vint(0).vint(0).vint(0)
            data = body.getvalue()
            head = encode_response_head(request_id, RESPONSE | 2, wire.version, len(data))
            network.links[0][1].write(head + data)
            with pytest.raises(TransportSerialization, match=r"unknown exception id \[9999\]: boo"):
                await asked
        assert connection.is_open


async def test_an_unknown_action_is_answered_and_explained(wire: ForeignWire) -> None:
    """C-99."""
    async with a_foreign_server(wire) as (client, server):
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(ActionNotFound) as refused:
            await connection.request(STATE, b"", ctx)
        assert refused.value.reason == f"No handler for action [{STATE}]"
        assert refused.value.caused_by is not None
        assert refused.value.caused_by.reason == (
            f"action [{STATE}] is not supported yet from {wire.product} nodes: this is a node of a "
            "Sealane cluster, which so far answers it to Sealane clusters only"
        )


async def test_what_sealane_clusters_may_ask_is_explained_at_once(wire: ForeignWire) -> None:
    """As a search is: the error's own text is all that a user is shown."""

    async def never(payload: bytes, ctx: Context) -> bytes:
        raise AssertionError

    async with a_foreign_server(wire) as (client, server):
        server.transport.register(STATE, never)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(IllegalArgument, match="not supported yet"):
            await connection.request(STATE, b"", ctx)


@pytest.mark.parametrize("scheme", ["lz4", "deflate"])
async def test_compressed_requests_and_answers(wire: ForeignWire, scheme: str) -> None:
    """C-98: the answer follows its request."""
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (client, server):
        server.transport.register_foreign(STATE, echo)
        profile = ConnectionProfile(1, compress=scheme)  # type: ignore[arg-type]
        connection = await connected(client, server, profile)
        with client.context() as ctx:
            assert await connection.request(STATE, b"x" * 5000, ctx) == b"x" * 5000
        ((dialling, accepting),) = network.links
        mark = b"LZ4\0" if wire.scheme(scheme) == "lz4" else b"DFL\0"  # type: ignore[arg-type]
        assert mark in bytes(dialling.sent)
        assert mark in bytes(accepting.sent)


async def test_a_request_that_is_cancelled_stops_there_too(wire: ForeignWire) -> None:
    """By the task it was sent for; whatever else runs goes on."""
    endless = Endless()
    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, endless)
        connection = await connected(client, server)
        with client.context() as ctx:
            asked = asyncio.create_task(connection.request(STATE, b"", ctx))
            await endless.entered.wait()
            assert endless.parent == ctx.task.id
            asked.cancel()
            await endless.ended.wait()
        assert endless.reason == "by the requesting node"
        await until(lambda: connection.statistics().pending == 0)
        await until(lambda: not server.transport._dispatcher.children)
        assert connection.is_open


async def test_a_cancelled_task_takes_its_request_back(wire: ForeignWire) -> None:
    endless = Endless()
    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, endless)
        connection = await connected(client, server)
        with client.context() as ctx:
            asked = asyncio.create_task(connection.request(STATE, b"", ctx))
            await endless.entered.wait()
            ctx.task.cancel("by user")
            with pytest.raises(TaskCancelled):
                await asked
            await endless.ended.wait()


async def test_a_request_has_a_deadline(wire: ForeignWire) -> None:
    endless = Endless()
    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, endless)
        connection = await connected(client, server)
        with client.context() as ctx, pytest.raises(ReceiveTimeout):
            await connection.request(STATE, b"", ctx, timeout_s=0.01)
        await endless.ended.wait()


async def test_only_the_named_task_is_stopped_by_a_ban(wire: ForeignWire) -> None:
    first, second = Endless(), Endless()
    handlers = iter((first, second))

    async def next_one(payload: bytes, ctx: Context, wire: Wire) -> bytes:
        return await next(handlers)(payload, ctx, wire)

    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(STATE, next_one)
        connection = await connected(client, server)
        connection._actions = frozenset({STATE, BAN})
        with client.context() as one, client.context() as two, client.context() as other:
            asked = [asyncio.create_task(connection.request(STATE, b"", ctx)) for ctx in (one, two)]
            await first.entered.wait()
            await second.entered.wait()
            parent = (one.task.id.node, one.task.id.number)
            action, body = ban_request(parent)
            assert await connection.request(action, body[1:], other) == b""
            with pytest.raises(TaskCancelled):
                await asked[0]
            assert first.ended.is_set()
            assert not second.ended.is_set()
            asked[1].cancel()
            await second.ended.wait()


@pytest.mark.parametrize("action", [BAN, CANCEL_CHILD])
async def test_a_malformed_cancel_is_an_error_and_no_more(wire: ForeignWire, action: str) -> None:
    async with a_foreign_server(wire) as (client, server):
        connection = await connected(client, server)
        connection._actions = frozenset({action})
        with client.context() as ctx, pytest.raises(IllegalArgument, match="malformed message"):
            await connection.request(action, b"\xff", ctx)
        assert connection.is_open


async def test_both_sides_limit_what_waits(wire: ForeignWire) -> None:
    limits = TransportLimits(in_flight_max_bytes=1000, in_flight_max_requests=2)
    endless = Endless()
    async with a_foreign_server(wire, limits=limits) as (client, server):
        server.transport.register_foreign(STATE, endless)
        connection = await connected(client, server, ConnectionProfile(1))
        with client.context() as ctx:
            first = asyncio.create_task(connection.request(STATE, b"", ctx))
            await endless.entered.wait()
            with pytest.raises(CircuitBreaking, match="in_flight_requests"):
                await connection.request(STATE, b"x" * 2000, ctx)
            second = asyncio.create_task(connection.request(STATE, b"", ctx))
            await until(lambda: len(server.tasks) == 2)
            with pytest.raises(Rejected):
                await connection.request(STATE, b"", ctx)
            first.cancel()
            second.cancel()
            await endless.ended.wait()


async def test_a_request_taken_back_before_it_began_is_answered(wire: ForeignWire) -> None:
    """Whoever cancels a task waits for what it has asked others."""
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (_, server):
        server.transport.register_foreign(STATE, Endless())
        socket = await network.dial(server.address, Socket)
        parent = ("their-node", 5)
        action, body = (
            cancel_child_request(parent, 7) if wire.name == "elasticsearch" else ban_request(parent)
        )
        asked = b"".join(wire.request_body(Envelope(*parent), b""))
        socket.send(wire, 7, STATE, asked)
        socket.send(wire, 8, action, body)
        await until(lambda: len(socket.frames) == 2)
        answers = {frame.request_id: frame for frame in socket.frames}
        assert (bytes(answers[8].body), answers[8].is_error) == (b"", False)
        assert isinstance(wire.read_error(answers[7].body), TaskCancelled)
        assert not server.transport._dispatcher.requests_in_flight


async def test_only_handshakes_are_marked_as_such(wire: ForeignWire) -> None:
    """Their versions are old ones, in which nothing else is understood."""
    network = MemoryNetwork()
    async with a_foreign_server(wire, network) as (_, server):
        server.transport.register_foreign(STATE, echo)
        socket = await network.dial(server.address, Socket)
        frame = Frame(1, HANDSHAKE, wire.handshake_version, action=STATE, features=[], body=b"\0")
        socket.link.write(encode(frame))
        await until(lambda: socket.lost)
        assert not socket.frames


class Socket(asyncio.BufferedProtocol):
    """The other end of one accepted socket, without a connection around it."""

    def __init__(self) -> None:
        self.link: asyncio.Transport
        self.frames: list[Frame] = []
        self.lost = False
        self._decoder = FrameDecoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.link = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._decoder.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        self.frames += self._decoder.buffer_updated(nbytes)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def send(self, wire: Wire, request_id: int, action: str, body: bytes) -> None:
        features = [] if wire.name == "opensearch" else None
        frame = Frame(request_id, 0, wire.version, action=action, features=features, body=body)
        self.link.write(encode(frame))
