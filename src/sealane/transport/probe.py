"""Finds out what listens at the other end, by saying a word and looking at what comes back."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from sealane.transport.network import as_link
from sealane.wire.frame import PING

_HTTP_REQUEST = b"GET / HTTP/1.0\r\n\r\n"
_HTTP_ANSWER = b"HTTP/"
_TLS_RECORDS = tuple(bytes([kind, 3]) for kind in (0x15, 0x16))
"""An alert or a handshake, of any version of TLS."""

Dial = Callable[[asyncio.BufferedProtocol], Awaitable[None]]
"""Connects the given receiver to the peer. Raises OSError."""


class _Probe(asyncio.BufferedProtocol):
    """Says `word` and keeps the first bytes of what comes back."""

    def __init__(self, word: bytes, answers: tuple[bytes, ...]) -> None:
        self.result: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._word = word
        self._answers = answers
        self._enough = max(map(len, answers))
        self._link: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(64))
        self._filled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = as_link(transport)
        self._link.write(self._word)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if self._filled >= self._enough:
            self._settle(bytes(self._buffer[: self._filled]).startswith(self._answers))

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(False)

    def close(self) -> None:
        if self._link is not None:
            self._link.abort()

    def _settle(self, answered: bool) -> None:
        if not self.result.done():
            self.result.set_result(answered)
        self.close()


async def _answers(dial: Dial, word: bytes, answers: tuple[bytes, ...]) -> bool:
    probe = _Probe(word, answers)
    try:
        await dial(probe)
        return await probe.result
    except OSError:
        return False
    finally:
        probe.close()


async def answers_http(dial: Dial) -> bool:
    """Whether the peer answers like an HTTP server. Never raises OSError.

    A peer that stays silent keeps it waiting, here as below: the caller has a deadline.
    """
    return await _answers(dial, _HTTP_REQUEST, (_HTTP_ANSWER,))


async def answers_ping(dial: Dial) -> bool:
    """Whether the peer is a transport port that speaks no TLS: those echo a ping."""
    return await _answers(dial, PING, (PING,))


async def answers_tls(dial: Dial) -> bool:
    """Whether the peer answers a TLS hello in TLS."""
    return await _answers(dial, _tls_hello(), _TLS_RECORDS)


def unchecked_context() -> ssl.SSLContext:
    """For questions only: trusts everybody, and must never carry anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _tls_hello() -> bytes:
    context = unchecked_context()
    hello = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
    except ssl.SSLWantReadError:
        pass  # the hello is written, its answer is for whoever asked
    return hello.read()
