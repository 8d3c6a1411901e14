"""TLS as a layer over any link, made of `ssl.MemoryBIO`: docs/adr/0003-tls-over-memory-bio.md.

To the network a TlsReceiver is a receiver, to the channel inside it its link is a link. Because the
bytes pass through here, both sides can say what went wrong: a caller that speaks plain text, a port
that answers it, a certificate that does not fit. What is trusted is the SSLContext's business.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

from sealane.model.node import Address
from sealane.transport.network import as_link, peer_of

_log = logging.getLogger(__name__)

_READ_SIZE = 32 * 1024
"""Two TLS records."""
_WRITE_CHUNK = 256 * 1024
"""Encrypted at a time, so that a large body is in memory twice only in part."""
_RECORD_TYPES = range(0x14, 0x18)
_ALERT = bytes.fromhex("15030300020246")
"""Fatal, protocol version: tells a plain-text caller that this port speaks TLS. OpenSSL says
nothing then."""


class TlsFailure(ConnectionError):
    """The TLS handshake failed. Its text is for the user who set up the connection."""


def explain(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verification failed: {error.verify_message}"
    if error.reason:
        return f"TLS handshake failed: {error.reason.lower().replace('_', ' ')}"
    return f"TLS handshake failed: {error}"


class TlsReceiver(asyncio.BufferedProtocol):
    """Speaks TLS on a link and hands the plain bytes to `inner`, which sees a connection once the
    handshake is done.

    `begun` is asked first of all whether this peer may connect. `ready` is called with None when the
    handshake is done, or with the failure, after which `inner` never sees a connection. With a
    handshake timeout a silent peer is cut off; a dialling side has its own deadline.
    """

    def __init__(
        self,
        inner: asyncio.BufferedProtocol,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_name: str | None = None,
        begun: Callable[[Address], bool] | None = None,
        ready: Callable[[TlsFailure | None], None] | None = None,
        handshake_timeout_s: float | None = None,
    ) -> None:
        self.inner = inner
        self._server_side = server_side
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )
        self._begun = begun
        self._ready = ready
        self._handshake_timeout_s = handshake_timeout_s
        self._established = False
        self._failed = False
        self._broken: TlsFailure | None = None
        self._first_bytes = b""
        self._view = memoryview(bytearray(_READ_SIZE))
        self._link: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- from the network --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = as_link(transport)
        if self._begun is not None and not self._begun(peer_of(transport)):
            self._failed = True
            self.abort()
            return
        if self._handshake_timeout_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._handshake_timeout_s, self.abort)
        self._continue_handshake()

    def abort(self) -> None:
        """Drops the connection at once."""
        if self._link is not None:
            self._link.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self._failed:
            return
        self._incoming.write(self._view[:nbytes])
        if self._established:
            self._deliver()
            return
        if len(self._first_bytes) < 4:
            self._first_bytes += bytes(self._view[: min(nbytes, 8)])
        self._continue_handshake()

    def eof_received(self) -> bool | None:
        return self.inner.eof_received() if self._established else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._established:
            self.inner.connection_lost(self._broken or exc)
        elif not self._failed:
            self._fail("the connection was closed during the TLS handshake, is TLS enabled there?")

    def pause_writing(self) -> None:
        if self._established:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        if self._established:
            self.inner.resume_writing()

    # -- the handshake -----------------------------------------------------------------------------

    def _continue_handshake(self) -> None:
        assert self._link is not None
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._flush()
            if self._server_side and not self._peer_speaks_tls:
                self._link.write(_ALERT)
            self._fail(self._describe(error), error)
            return
        self._flush()
        self._established = True
        self._report(None)
        self.inner.connection_made(TlsLink(self, self._link, self._tls))
        self._deliver()

    def _report(self, failure: TlsFailure | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        ready, self._ready = self._ready, None
        if ready is not None:
            ready(failure)

    @property
    def _peer_speaks_tls(self) -> bool:
        return not self._first_bytes or self._first_bytes[0] in _RECORD_TYPES

    def _describe(self, error: ssl.SSLError) -> str:
        if self._peer_speaks_tls:
            return explain(error)
        if self._server_side:
            return "received plaintext traffic on an encrypted channel, closing connection"
        if self._first_bytes.startswith((b"HTTP", b"This")):
            return "received plain text instead of TLS, TLS is not enabled on that port"
        return "received plaintext traffic on an encrypted channel, is TLS enabled there?"

    def _fail(self, text: str, cause: BaseException | None = None) -> None:
        self._failed = True
        failure = TlsFailure(text)
        failure.__cause__ = cause
        if self._server_side and self._link is not None:
            _log.warning("%s [%s]", text, peer_of(self._link))
        if self._link is not None:
            self._link.close()
        self._report(failure)

    # -- both directions ---------------------------------------------------------------------------

    def _deliver(self) -> None:
        inner, tls = self.inner, self._tls
        assert self._link is not None
        try:
            while not self._link.is_closing():
                # uvloop and asyncio accept any writable buffer; channels hand out memoryviews.
                room: Any = inner.get_buffer(-1)
                count: Any = tls.read(len(room), room)
                if count == 0:
                    self._link.close()
                    break
                inner.buffer_updated(int(count))
        except ssl.SSLWantReadError:
            pass  # everything that has arrived is delivered
        except ssl.SSLZeroReturnError:
            self._link.close()
        except ssl.SSLError as error:
            # Also how a TLS 1.3 server refuses a client's certificate: after the client's handshake.
            self._break(error)
        self._flush()

    def _break(self, error: ssl.SSLError) -> None:
        assert self._link is not None
        self._broken = TlsFailure(explain(error))
        _log.warning("closing connection [%s]: %s", peer_of(self._link), self._broken)
        self._link.abort()

    def _flush(self) -> None:
        if self._outgoing.pending and self._link is not None and not self._link.is_closing():
            self._link.write(self._outgoing.read())

    def send(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        for start in range(0, len(view), _WRITE_CHUNK):
            chunk = view[start : start + _WRITE_CHUNK]
            try:
                while chunk:
                    chunk = chunk[self._tls.write(chunk) :]
            except ssl.SSLError as error:
                self._break(error)
                return
            self._flush()

    def finish(self) -> None:
        """Says that no more bytes follow."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # the peer has not said the same yet, and it need not
        self._flush()


class TlsLink(asyncio.Transport):
    """The link that a channel sees: what it writes is encrypted."""

    def __init__(self, layer: TlsReceiver, link: asyncio.Transport, tls: ssl.SSLObject) -> None:
        super().__init__()
        self._layer, self._link, self._tls = layer, link, tls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._link.is_closing():
            self._layer.send(data)

    def close(self) -> None:
        if not self._link.is_closing():
            self._layer.finish()
            self._link.close()

    def abort(self) -> None:
        self._link.abort()

    def is_closing(self) -> bool:
        return self._link.is_closing()

    def pause_reading(self) -> None:
        self._link.pause_reading()

    def resume_reading(self) -> None:
        self._link.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._link.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._link.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "ssl_object":
            return self._tls
        return self._link.get_extra_info(name, default)
