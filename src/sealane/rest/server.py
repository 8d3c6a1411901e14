"""The HTTP server: uvicorn with httptools, inside the node's own loop.

TLS is below it, handed in as `Secure`: looked up for each connection, so that new certificates need no new server.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any, Protocol, Self

import uvicorn

from sealane.errors import IOFailure
from sealane.model.node import Address
from sealane.rest.http_connections import HttpConnections, HttpLimits
from sealane.rest.http_protocol import LimitedHttpProtocol

_BACKLOG = 2048
_STOP_WITHIN_S = 5
"""How long requests that are running may take once the server is told to stop."""
_KEEP_ALIVE_S = 3600
"""Clients of a search cluster keep connections; the reference never closes an idle one."""


class Secure(Protocol):
    """TLS under the protocol of a connection."""

    def __call__(self, protocol: asyncio.Protocol) -> asyncio.BaseProtocol:
        """What the loop talks to instead."""

    def close(self) -> None:
        """No more connections; those that are established are not concerned."""


class _Server(uvicorn.Server):
    """Signals are the program's, not the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves one ASGI application: `async with` it. Leaving lets running requests end within
    `stop_within_s`; those that do not are answered that the node closes. With `secure` it speaks HTTPS.
    """

    def __init__(
        self,
        app: Any,
        *,
        secure: Secure | None = None,
        stop_within_s: int = _STOP_WITHIN_S,
        limits: HttpLimits | None = None,
    ) -> None:
        self.connections_opened = 0
        """Since the start."""
        self._secure = secure
        self.connections = connections = HttpConnections(limits or HttpLimits())

        def protocol(*args: Any, **kwargs: Any) -> asyncio.BaseProtocol:
            self.connections_opened += 1
            made = LimitedHttpProtocol(*args, **kwargs)
            made.among = connections
            return made if secure is None else secure(made)

        config = uvicorn.Config(
            app,
            http=protocol,  # type: ignore[arg-type]  # whatever makes a protocol
            loop="none",
            lifespan="off",
            ws="none",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=stop_within_s,
            backlog=_BACKLOG,
        )
        # It reports each start and stop of its own; the node reports those.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._server = _Server(config)
        self._group = asyncio.TaskGroup()
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        self._server.should_exit = True
        if self._secure is not None:
            self._secure.close()
        self.connections.close()
        await self._group.__aexit__(*exc)

    @property
    def connections_open(self) -> int:
        return len(self._server.server_state.connections)

    async def start(self, host: str, port: int) -> Address:
        """Binds and serves. Returns the address bound. Raises IOFailure naming it when it cannot be."""
        listener = bind_http(host, port)
        await self.serve(listener)
        return address_of(listener)

    async def serve(self, *listeners: socket.socket) -> None:
        """Serves on sockets that are bound, and closes them in the end."""
        self._serving = self._group.create_task(self._server.serve(sockets=list(listeners)))
        # uvicorn has no event for it, and is there at once.
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0)


def bind_http(host: str, port: int) -> socket.socket:
    """A socket with that address, which refuses connections until it is served. Raises IOFailure naming the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        address = Address(host, port)
        raise IOFailure(f"cannot listen for HTTP on [{address}]: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> Address:
    """What it is bound to."""
    bound = listener.getsockname()
    return Address(bound[0], bound[1])
