"""A real HTTP server on loopback with one route, and sockets that say to it whatever a test likes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sealane.rest import Request, Response, RestApp, Route, no_indices
from sealane.rest.http_connections import HttpLimits
from sealane.rest.server import HttpServer
from tests.unit.rest.fakes import World

MARKER = b"GET /_echo HTTP/1.1\r\nhost: x\r\nx-opaque-id: marker\r\n\r\n"
"""A request that the attacker would like somebody else's to be."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class HttpWorld:
    """`ran` are the requests that reached the handler: method, `X-Opaque-Id`, body. One whose path is `/_hold` waits
    for `release`."""

    app: RestApp
    server: HttpServer
    port: int
    ran: list[tuple[str, str, bytes]]
    release: asyncio.Event
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def exchange(self, data: bytes) -> tuple[list[int], bytes]:
        """The statuses of all answers to what is sent, until the server closes, and what came."""
        reader, writer = await self.open()
        writer.write(data)
        try:
            received = await reader.read()
        except ConnectionResetError:
            received = b""
        return statuses(received), received

    async def is_serving(self) -> bool:
        reader, writer = await self.open()
        writer.write(MARKER)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return statuses(answer) == [200]

    async def close(self) -> None:
        self.release.set()
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def statuses(received: bytes) -> list[int]:
    return [int(each) for each in _STATUS.findall(received)]


@asynccontextmanager
async def http_world(limits: HttpLimits | None = None) -> AsyncIterator[HttpWorld]:
    ran: list[tuple[str, str, bytes]] = []
    release = asyncio.Event()

    async def echo(request: Request) -> Response:
        ran.append((request.method, request.ctx.headers.get("X-Opaque-Id", ""), request.body))
        if request.path == "/_hold":
            await release.wait()
        return Response(request.body or b"{}")

    route = Route(
        methods=("GET", "POST"),
        paths=("/_echo", "/_hold"),
        handler=echo,
        action="cluster:test",
        indices=no_indices,
        body=True,
    )
    async with (
        World().serve((route,)) as client,
        HttpServer(client.app, stop_within_s=1, limits=limits) as server,
    ):
        address = await server.start("127.0.0.1", 0)
        world = HttpWorld(client.app, server, address.port, ran, release)
        try:
            yield world
        finally:
            await world.close()
