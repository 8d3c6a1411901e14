"""The seam to the network: names to addresses, dialling, listening. Plain TCP, its sockets as the
settings want them; TLS is a layer above, see tls.py.

Receivers are asyncio's buffered protocols and links its transports, because that is what both loops
serve fastest; a simulated network (sealane.testing.network) hands out objects of the same two
kinds.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

from sealane.model.node import Address
from sealane.settings import EMPTY
from sealane.settings.tcp_settings import TRANSPORT_TCP, TcpValues

_log = logging.getLogger(__name__)

KEEP_ALIVE_MAX_S: Final = 300
"""What the system's own values are lowered to: many wait two hours before the first probe, and
firewalls forget a silent connection long before that."""
DEFAULT_TCP: Final = TRANSPORT_TCP.read(EMPTY)
_BACKLOG: Final = 1024
_OPTION_MAX: Final = 0x7FFFFFFF

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

    def __init__(self, tcp: TcpValues = DEFAULT_TCP) -> None:
        self._tcp = tcp

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
            _prepare(opened, self._tcp)
        return made

    async def listen(self, host: str, port: int, receiver: ReceiverFactory) -> Listener:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            receiver if self._tcp.no_delay else lambda: _Delaying(receiver()),
            host,
            port,
            reuse_address=self._tcp.reuse_address,
            backlog=_BACKLOG,
        )
        for listening in server.sockets:
            _prepare(listening, self._tcp)  # what is accepted inherits it
        return _AsyncioListener(server)


class _Delaying(asyncio.BufferedProtocol):
    """Takes back the TCP_NODELAY that loops set on what they accept, then leaves the link to
    `inner`."""

    def __init__(self, inner: asyncio.BufferedProtocol) -> None:
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        accepted = transport.get_extra_info("socket")
        if accepted is not None:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        as_link(transport).set_protocol(self._inner)
        self._inner.connection_made(transport)


def _prepare(opened: Any, tcp: TcpValues) -> None:
    """The options of a socket that has been connected or listens."""
    _set(opened, socket.IPPROTO_TCP, "TCP_NODELAY", tcp.no_delay)
    for name, size in (("SO_SNDBUF", tcp.send_buffer_size), ("SO_RCVBUF", tcp.receive_buffer_size)):
        if size > 0:
            _set(opened, socket.SOL_SOCKET, name, size)
    _set(opened, socket.SOL_SOCKET, "SO_KEEPALIVE", tcp.keep_alive)
    if tcp.keep_alive:
        _set_keep_alive(opened, "TCP_KEEPIDLE", tcp.keep_idle, most=KEEP_ALIVE_MAX_S)
        _set_keep_alive(opened, "TCP_KEEPINTVL", tcp.keep_interval, most=KEEP_ALIVE_MAX_S)
        _set_keep_alive(opened, "TCP_KEEPCNT", tcp.keep_count)


def _set_keep_alive(opened: Any, name: str, value: int, *, most: int | None = None) -> None:
    """With -1 the system's own value, `most` at most. A system without the option keeps its own."""
    option: int | None = getattr(socket, name, None)
    if option is None:
        return
    if value < 0:
        if most is None or opened.getsockopt(socket.IPPROTO_TCP, option) <= most:
            return
        value = most
    if value > 0:  # the system takes no zero
        _set(opened, socket.IPPROTO_TCP, name, value)


def _set(opened: Any, level: int, name: str, value: int) -> None:
    """A value that this system does not take is no reason to stay without connections: settings
    allow more than systems do."""
    try:
        opened.setsockopt(level, getattr(socket, name), min(value, _OPTION_MAX))
    except OSError as error:
        _log.warning("cannot set the socket option [%s] to [%d]: %s", name, value, error)


def as_link(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """What `connection_made` is given: uvloop's have all of a Transport but its class."""
    return cast(asyncio.Transport, transport)


def peer_of(link: asyncio.BaseTransport) -> Address:
    """The other end of a link; an empty host once the system has forgotten it."""
    name = link.get_extra_info("peername")
    return Address(name[0], name[1]) if name else Address("", 0)
