"""What stands before a body, byte by byte, through a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest

from sealane.rest import Request, Response, Route, no_indices
from sealane.rest.http_protocol import HEADER_MAX_BYTES, LINE_MAX_BYTES
from sealane.rest.server import HttpServer
from tests.unit.rest.fakes import World

GET = b"GET /_echo HTTP/1.1\r\nhost: x\r\n\r\n"
BODY_BYTES = 200_000
"""More than a head may have, and more than one read of a socket."""


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def is_closed(self) -> bool:
        """Waits for the end; whatever still comes would be an answer too many."""
        try:
            return await self._reader.read() == b""
        except ConnectionResetError:
            return True  # what was sent after the refusal was not read any more


Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture
async def writers() -> AsyncIterator[list[asyncio.StreamWriter]]:
    """What a test opens, closed behind it: also behind its server, whose last answers it may read."""
    opened: list[asyncio.StreamWriter] = []
    yield opened
    for writer in opened:
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(
    writers: list[asyncio.StreamWriter], *extra: Route, stop_within_s: int = 5
) -> AsyncIterator[Connect]:
    """A server over an empty world."""
    async with (
        World().serve(extra) as client,
        HttpServer(client.app, stop_within_s=stop_within_s) as server,
    ):
        address = await server.start("127.0.0.1", 0)

        async def connect() -> Connection:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writers.append(writer)
            return Connection(reader, writer)

        yield connect


def route(handler: Any) -> Route:
    return Route(
        methods=("GET", "POST"),
        paths=("/_echo",),
        handler=handler,
        action="cluster:test",
        indices=no_indices,
        body=True,
    )


async def _size(request: Request) -> Response:
    return Response(b"%d" % len(request.body))


@pytest.fixture
async def connection(writers: list[asyncio.StreamWriter]) -> AsyncIterator[Connection]:
    async with serving(writers, route(_size)) as connect:
        yield await connect()


async def assert_refused(connection: Connection, kind: str, reason: str) -> None:
    """One answer of the one shape of errors, and the end of the connection."""
    status, headers, body = await connection.answer()
    assert status == 400
    assert headers["content-type"] == "application/json"
    assert headers["x-elastic-product"] == "elasticsearch"
    assert headers["connection"] == "close"
    error = orjson.loads(body)
    assert error["status"] == 400
    assert (error["error"]["type"], error["error"]["reason"]) == (kind, reason)
    assert error["error"]["root_cause"]
    assert await connection.is_closed()


LINE = ("too_long_http_line_exception", f"An HTTP line is larger than {LINE_MAX_BYTES} bytes.")
HEADER = ("too_long_http_header_exception", f"HTTP header is larger than {HEADER_MAX_BYTES} bytes.")
GARBAGE = ("illegal_argument_exception", "the request is not valid HTTP/1.1")


@pytest.mark.parametrize("size", [LINE_MAX_BYTES, 3 * LINE_MAX_BYTES, 20 * LINE_MAX_BYTES])
async def test_a_line_over_the_limit_is_refused(connection: Connection, size: int) -> None:
    await connection.send(b"GET /_echo?" + b"x" * size + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    await assert_refused(connection, *LINE)


async def test_a_line_that_never_ends_is_refused_before_it_does(connection: Connection) -> None:
    await connection.send(b"GET /_echo?" + b"x" * (LINE_MAX_BYTES + HEADER_MAX_BYTES))
    await assert_refused(connection, *LINE)


async def test_a_line_within_the_limit_is_served(connection: Connection) -> None:
    await connection.send(b"GET /" + b"x" * (LINE_MAX_BYTES - 100) + b" HTTP/1.1\r\n\r\n")
    status, _, _ = await connection.answer()
    assert status in (400, 404, 405)
    await connection.send(GET)
    assert (await connection.answer())[2] == b"0"


@pytest.mark.parametrize(
    "headers",
    [
        b"x-long: " + b"y" * HEADER_MAX_BYTES + b"\r\n",
        b"".join(b"x-%d: %s\r\n" % (n, b"y" * 100) for n in range(HEADER_MAX_BYTES // 100)),
    ],
    ids=["one", "many"],
)
async def test_headers_over_the_limit_are_refused(connection: Connection, headers: bytes) -> None:
    await connection.send(b"GET /_echo HTTP/1.1\r\n" + headers + b"\r\n")
    await assert_refused(connection, *HEADER)


async def test_a_header_that_never_ends_is_refused_before_it_does(connection: Connection) -> None:
    await connection.send(b"GET /_echo HTTP/1.1\r\nx-long: ")
    for _ in range(8):
        await connection.send(b"y" * (HEADER_MAX_BYTES // 4))
    await assert_refused(connection, *HEADER)


async def test_the_limits_are_those_of_each_request_not_of_the_connection(
    connection: Connection,
) -> None:
    head = GET[:-2] + b"x-long: " + b"y" * (HEADER_MAX_BYTES - 100) + b"\r\n\r\n"
    for _ in range(4):
        await connection.send(head)
        assert (await connection.answer())[2] == b"0"


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 64, b"ES\x00\x00"])
async def test_bytes_that_are_no_http_are_refused(connection: Connection, garbage: bytes) -> None:
    await connection.send(garbage + b"\r\n\r\n")
    await assert_refused(connection, *GARBAGE)


async def test_a_body_is_no_head_also_when_both_come_at_once(connection: Connection) -> None:
    """A connection that was used before counts nothing of the body that follows."""
    await connection.send(GET)
    assert (await connection.answer())[2] == b"0"
    head = b"POST /_echo HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    for _ in range(2):
        await connection.send(head % BODY_BYTES + b"1" * BODY_BYTES)
        assert (await connection.answer())[2] == b"%d" % BODY_BYTES


async def test_a_head_may_come_in_single_bytes(connection: Connection) -> None:
    for at in range(len(GET)):
        await connection.send(GET[at : at + 1])
    assert (await connection.answer())[2] == b"0"


async def test_requests_sent_at_once_are_answered_in_their_order(connection: Connection) -> None:
    head = b"POST /_echo HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    await connection.send(b"".join(head % n + b"1" * n for n in range(1, 20)))
    assert [(await connection.answer())[2] for _ in range(1, 20)] == [
        b"%d" % n for n in range(1, 20)
    ]


async def test_a_server_that_stops_answers_what_it_cannot_finish(
    writers: list[asyncio.StreamWriter],
) -> None:
    started = asyncio.Event()

    async def endless(request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(writers, route(endless), stop_within_s=0) as connect:
        connection = await connect()
        await connection.send(GET)
        await started.wait()
    status, headers, body = await connection.answer()
    assert status == 503
    assert headers["x-elastic-product"] == "elasticsearch"
    assert orjson.loads(body)["error"]["type"] == "node_closed_exception"
    assert await connection.is_closed()


async def test_a_server_that_stops_lets_requests_end(
    writers: list[asyncio.StreamWriter],
) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        started.set()
        asyncio.get_running_loop().call_soon(go.set)
        await go.wait()
        return Response(b"1")

    async with serving(writers, route(slow)) as connect:
        connection = await connect()
        await connection.send(GET)
        await started.wait()
    assert (await connection.answer())[2] == b"1"
    assert await connection.is_closed()
