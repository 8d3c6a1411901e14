"""What else may listen on a port: servers of other protocols, silent ones, and nobody."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A port of `serve`'s. `address` is text, `open` counts connections."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.accepted = 0

    @property
    def open(self) -> int:
        return len(self._tasks)

    @property
    def address(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def start(self, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)

    async def stop(self) -> None:
        """Drops whoever is connected, and refuses from now on."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        try:
            with contextlib.suppress(ConnectionError, EOFError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    listener = Listener(serve)
    await listener.start(tls)
    try:
        yield listener
    finally:
        await listener.stop()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes all and says nothing, until the other side goes."""
    while await reader.read(4096):
        pass


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes at the first bytes."""
    await reader.read(1)


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers whatever comes as an HTTP server does that cannot read it."""
    await reader.read(4096)
    writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def patient_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Waits for the end of the request's head."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


def banner(text: bytes) -> Serve:
    """Greets, as SSH, mail and database servers do."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        await silent(reader, writer)

    return serve


def old_node(version: int) -> Serve:
    """Answers the first handshake with a version that is spoken nowhere any more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(6)
        frame = await reader.readexactly(int.from_bytes(head[2:], "big"))
        variable = b"\x00\x00"
        body = _vint(version)
        rest = (
            frame[:8]  # the request's id
            + b"\x09"  # a response to a handshake
            + frame[9:13]
            + len(variable).to_bytes(4, "big")
            + variable
            + body
        )
        writer.write(b"ES" + len(rest).to_bytes(4, "big") + rest)
        await writer.drain()
        await silent(reader, writer)

    return serve


def _vint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def closed_port() -> str:
    """An address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """An address whose packets are dropped: a listener whose queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield f"{address[0]}:{address[1]}"
