"""Other things that listen on a simulated network: a layer-4 proxy, and ports that are no nodes."""

import asyncio
import random
from collections.abc import Callable

from sealane.model.node import Address
from sealane.testing.simulation.network import Host
from sealane.transport.tasks import TaskScope

_BUFFER = 16 * 1024


class _Pipe(asyncio.BufferedProtocol):
    """One side of a proxied connection; what it reads the other side writes, with its pressure."""

    def __init__(self, on_made: Callable[["_Pipe"], None] | None = None) -> None:
        self.link: asyncio.Transport | None = None
        self.other: _Pipe | None = None
        self._on_made = on_made
        self._view = memoryview(bytearray(_BUFFER))
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.link = transport
        if self._on_made is not None:
            self._on_made(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self.other is not None and self.other.link is not None:
            self.other.link.write(bytes(self._view[:nbytes]))

    def eof_received(self) -> None:
        """Both sides are closed: nobody who speaks the frame closes half a connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        other = self.other
        if other is None or other.link is None:
            return
        if exc is None:
            other.link.close()
        else:
            other.link.abort()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.link is not None:
            self.other.link.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.link is not None:
            self.other.link.resume_reading()


class Layer4Proxy:
    """Forwards each connection to one of its `targets`, drawn anew; a target that refuses is not
    tried twice."""

    def __init__(self, host: Host, targets: list[Address], chance: random.Random) -> None:
        self.host = host
        self.targets = targets
        self._chance = chance
        self._scope = TaskScope("proxy")

    async def start(self, port: int) -> None:
        self._scope = TaskScope("proxy")
        await self.host.listen(self.host.ip, port, lambda: _Pipe(self._accepted))

    async def stop(self) -> None:
        """After `Host.kill`."""
        await self._scope.close()

    def _accepted(self, near: _Pipe) -> None:
        assert near.link is not None
        near.link.pause_reading()
        self._scope.start(self._join(near))

    async def _join(self, near: _Pipe) -> None:
        assert near.link is not None
        try:
            far = await self.host.dial(self._chance.choice(self.targets), _Pipe)
        except OSError:
            near.link.abort()
            return
        except asyncio.CancelledError:
            near.link.abort()
            raise
        if near.gone:
            assert far.link is not None
            far.link.abort()
            return
        near.other, far.other = far, near
        near.link.resume_reading()


class Stranger(asyncio.BufferedProtocol):
    """A port that speaks something else: `silent`, `http`, `closes` or `garbage`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._link: asyncio.BaseTransport | None = None
        self._view = memoryview(bytearray(_BUFFER))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = transport
        if self._kind == "closes":
            transport.close()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        assert isinstance(self._link, asyncio.Transport)
        if self._kind == "http" and bytes(self._view[:4]) == b"GET ":
            self._link.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            self._link.close()
        elif self._kind == "garbage":
            self._link.write(bytes(range(64)))
