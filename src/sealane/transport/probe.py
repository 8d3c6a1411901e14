"""Finds out whether the other end is an HTTP server, by asking it as one asks an HTTP server."""

import asyncio
from collections.abc import Awaitable, Callable

from sealane.transport.network import as_link

_REQUEST = b"GET / HTTP/1.0\r\n\r\n"
_ANSWER = b"HTTP/"


class _Probe(asyncio.BufferedProtocol):
    """Sends one request and keeps the first bytes of what comes back."""

    def __init__(self) -> None:
        self.result: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._link: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(64))
        self._filled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = as_link(transport)
        self._link.write(_REQUEST)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if self._filled >= len(_ANSWER):
            self._settle(bytes(self._buffer[: len(_ANSWER)]) == _ANSWER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(False)

    def close(self) -> None:
        if self._link is not None:
            self._link.abort()

    def _settle(self, is_http: bool) -> None:
        if not self.result.done():
            self.result.set_result(is_http)
        self.close()


async def answers_http(dial: Callable[[asyncio.BufferedProtocol], Awaitable[None]]) -> bool:
    """Whether the peer that `dial` connects the given receiver to answers like an HTTP server.
    Never raises OSError.

    A peer that stays silent keeps it waiting: the caller has a deadline.
    """
    probe = _Probe()
    try:
        await dial(probe)
        return await probe.result
    except OSError:
        return False
    finally:
        probe.close()
