"""A network inside one process: the seam of `sealane.transport.network` without sockets.

Bytes arrive on the loop's next step, in pieces if a test asks for that. A link can be cut, or
silenced as a black hole is; nothing here waits for time.
"""

import asyncio
import errno
from collections.abc import Callable
from typing import Any, TypeVar

from sealane.model.node import Address
from sealane.transport.network import ReceiverFactory

R = TypeVar("R", bound=asyncio.BufferedProtocol)

_FIRST_FREE_PORT = 20_000


class MemoryLink(asyncio.Transport):
    """One end of a connection. `piece` cuts what is delivered into parts of at most so many bytes."""

    def __init__(self, local: Address, peer: Address, receiver: asyncio.BufferedProtocol) -> None:
        super().__init__()
        self.other: MemoryLink | None = None
        self.silent = False
        self.piece = 0
        self.sent = bytearray()
        self._local, self._peer = local, peer
        self._receiver = receiver
        self._closing = False
        self._ended = False
        self._reading = True
        self._waiting: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        self._receiver.connection_made(self)

    # -- what a channel calls --------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data
        if self._closing or self.silent or self.other is None:
            return
        self._loop.call_soon(self.other.deliver, bytes(data))

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self.other is not None and not self.silent:
            self._loop.call_soon(self.other.end, None)
        self._loop.call_soon(self.end, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.deliver(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Everything is delivered at once: there is no buffer."""

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peername":
            return (self._peer.host, self._peer.port)
        if name == "sockname":
            return (self._local.host, self._local.port)
        return default

    # -- what the network does -------------------------------------------------------------------

    def deliver(self, data: bytes) -> None:
        if self._ended:
            return
        if not self._reading:
            self._waiting.append(data)
            return
        rest = memoryview(data)
        while rest and not self._ended:
            room = memoryview(self._receiver.get_buffer(-1))
            count = min(len(room), len(rest), self.piece or len(rest))
            room[:count] = rest[:count]
            self._receiver.buffer_updated(count)
            rest = rest[count:]

    def end(self, error: Exception | None) -> None:
        """The connection is over, as if the system had said so."""
        if self._ended:
            return
        self._closing = self._ended = True
        self._receiver.connection_lost(error)


class _MemoryListener:
    def __init__(self, network: "MemoryNetwork", address: Address) -> None:
        self._network = network
        self._address = address

    @property
    def address(self) -> Address:
        return self._address

    def close(self) -> None:
        self._network.listening.pop(self._address, None)


class MemoryNetwork:
    """Implements `Network`. Every node of a test shares one.

    `names` maps host names to addresses; what is in `black_holes` never answers a dial.
    """

    def __init__(self) -> None:
        self.listening: dict[Address, ReceiverFactory] = {}
        self.names: dict[str, list[str]] = {}
        self.black_holes: set[Address] = set()
        self.links: list[tuple[MemoryLink, MemoryLink]] = []
        """Dialling and accepting end of every connection, in the order in which they were made."""
        self._next_port = _FIRST_FREE_PORT

    async def resolve(self, host: str, port: int) -> list[Address]:
        if host in self.names:
            return [Address(each, port) for each in self.names[host]]
        if host.replace(".", "").isdigit() or ":" in host:
            return [Address(host, port)]
        raise OSError(f"unknown name {host}")

    async def dial(self, address: Address, receiver: Callable[[], R]) -> R:
        await asyncio.sleep(0)
        if address in self.black_holes:
            await asyncio.get_running_loop().create_future()
        accept = self.listening.get(address)
        if accept is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        made = receiver()
        own = Address("127.0.0.1", self._free_port())
        dialling = MemoryLink(own, address, made)
        accepting = MemoryLink(address, own, accept())
        dialling.other, accepting.other = accepting, dialling
        self.links.append((dialling, accepting))
        accepting.begin()
        dialling.begin()
        return made

    async def listen(self, host: str, port: int, receiver: ReceiverFactory) -> _MemoryListener:
        address = Address(host, port or self._free_port())
        if address in self.listening:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self.listening[address] = receiver
        return _MemoryListener(self, address)

    def cut(self, *, error: Exception | None = None) -> None:
        """Ends every connection at once."""
        for dialling, accepting in self.links:
            dialling.end(error)
            accepting.end(error)

    def _free_port(self) -> int:
        self._next_port += 1
        return self._next_port
