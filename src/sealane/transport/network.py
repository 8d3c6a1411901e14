"""The seam to the network: names to addresses, dialling, listening. Plain TCP; TLS is a layer
above, see tls.py.

Receivers are asyncio's buffered protocols and links its transports, because that is what both loops
serve fastest; a simulated network (sealane.testing.network) hands out objects of the same two
kinds.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from sealane.model.node import Address

_KEEP_IDLE_S = 300

R = TypeVar("R", bound=asyncio.BufferedProtocol)
ReceiverFactory = Callable[[], asyncio.BufferedProtocol]


class Listener(Protocol):
    """A listening socket. Its owner closes it; connections already accepted live on."""

    @property
    def address(self) -> Address:
        """What was bound, with the real port."""

    def close(self) -> None: ...


class Network(Protocol):
    async def resolve(self, host: str, port: int) -> list[Address]:
        """All addresses behind a name, as IP addresses, best first, never empty. Raises OSError."""

    async def dial(self, address: Address, receiver: Callable[[], R]) -> R:
        """Connects to an IP address and returns the receiver that now has a link. Raises OSError.

        Cancelling it closes what was opened.
        """

    async def listen(self, host: str, port: int, receiver: ReceiverFactory) -> Listener:
        """Accepts connections, each with a receiver of its own. Raises OSError."""


class _AsyncioListener:
    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def address(self) -> Address:
        host, port = self._server.sockets[0].getsockname()[:2]
        return Address(host, port)

    def close(self) -> None:
        self._server.close()


class AsyncioNetwork:
    """The operating system's network, on whichever asyncio loop runs."""

    async def resolve(self, host: str, port: int) -> list[Address]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
        addresses = [Address(str(entry[4][0]), port) for entry in found]
        return list(dict.fromkeys(addresses))

    async def dial(self, address: Address, receiver: Callable[[], R]) -> R:
        loop = asyncio.get_running_loop()
        link, made = await loop.create_connection(receiver, address.host, address.port)
        opened = link.get_extra_info("socket")
        if opened is not None:
            _prepare(opened)
        return made

    async def listen(self, host: str, port: int, receiver: ReceiverFactory) -> Listener:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(receiver, host, port, reuse_address=True, backlog=1024)
        for listening in server.sockets:
            _prepare(listening)  # what is accepted inherits it
        return _AsyncioListener(server)


def _prepare(opened: Any) -> None:
    """Small frames leave at once, and the system's own keep-alive notices a peer that is gone even
    when no pings are sent: after five minutes, as the reference has it, instead of two hours."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEP_IDLE_S)


def as_link(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """What `connection_made` is given: uvloop's have all of a Transport but its class."""
    return cast(asyncio.Transport, transport)


def peer_of(link: asyncio.BaseTransport) -> Address:
    """The other end of a link; an empty host once the system has forgotten it."""
    name = link.get_extra_info("peername")
    return Address(name[0], name[1]) if name else Address("", 0)
