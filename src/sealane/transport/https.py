"""TLS under protocols that serve clients over HTTP: what comes off a socket is decrypted, then theirs.

The HTTP server itself is `rest.server`'s. It hands its protocol of a new connection in, and gives
what it gets back to the loop.
"""

import asyncio
import threading
from typing import Final

from sealane.model.node import Address
from sealane.transport.tls import TlsReceiver
from sealane.transport.tls_failures import TlsFailure
from sealane.transport.tls_files import ContextSource

HANDSHAKE_TIMEOUT_S: Final = 10.0
SHAKING_MAX: Final = 1024
"""Connections that are still negotiating. One more takes the place of the oldest: a handshake that
goes on takes some milliseconds, so whoever only opens connections keeps nobody out."""
_READ_SIZE: Final = 64 * 1024


class HttpsListener:
    """Gives each connection a TLS layer, with the context that is in force when it comes."""

    def __init__(
        self,
        context: ContextSource,
        *,
        handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
        shaking_max: int = SHAKING_MAX,
    ) -> None:
        self._context = context
        self._handshake_timeout_s = handshake_timeout_s
        self._shaking_max = shaking_max
        self._shaking: dict[TlsReceiver, None] = {}
        self._closed = False
        self.refused = 0
        """Connections whose handshake failed, or that gave way to others."""

    def __call__(self, protocol: asyncio.Protocol) -> asyncio.BaseProtocol:
        """What the loop talks to in place of `protocol`, which sees a connection once the handshake
        is done.
        """

        def begun(peer: Address) -> bool:
            if self._closed:
                return False
            if len(self._shaking) >= self._shaking_max:
                oldest = next(iter(self._shaking))
                del self._shaking[oldest]
                oldest.abort()
            self._shaking[layer] = None
            return True

        def ready(failure: TlsFailure | None) -> None:
            self._shaking.pop(layer, None)
            if failure is not None:
                self.refused += 1

        layer = TlsReceiver(
            _Stream(protocol),
            self._context(),
            server_side=True,
            begun=begun,
            ready=ready,
            handshake_timeout_s=self._handshake_timeout_s,
            serves_http=True,
        )
        return layer

    @property
    def shaking(self) -> int:
        """How many connections are negotiating."""
        return len(self._shaking)

    def close(self) -> None:
        """Drops what is negotiating. Connections that are established are the server's."""
        self._closed = True
        for layer in list(self._shaking):
            layer.abort()


class _ReadBuffer(threading.local):
    """What is read is handed on at once, so all connections of a loop share it."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ_SIZE))


_read_buffer = _ReadBuffer()


class _Stream(asyncio.BufferedProtocol):
    """A protocol that takes bytes, to one who fills buffers."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._protocol.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        self._protocol.data_received(bytes(_read_buffer.view[:nbytes]))

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
