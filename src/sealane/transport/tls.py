"""TLS as a layer over any link, made of `ssl.MemoryBIO`: docs/adr/0003-tls-over-memory-bio.md.

To the network a TlsReceiver is a receiver, to the channel inside it its link is a link. Because the
bytes pass through here, both sides can say what went wrong: a caller that speaks plain text, a port
that answers it, a certificate that does not fit. What is trusted is the SSLContext's business.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

from sealane.clock import SystemClock
from sealane.model.node import Address
from sealane.transport.certificates import (
    chain_of,
    is_address,
    time_text,
    verified_certificate,
)
from sealane.transport.network import as_link, peer_of
from sealane.transport.tls_contexts import diagnoses, group_of
from sealane.transport.tls_diagnosis import TRUST_PROBLEMS, diagnosis
from sealane.transport.tls_failures import Attempt, TlsFailure, TlsProblem, failure_of

_log = logging.getLogger(__name__)

_READ_SIZE = 128 * 1024
_WRITE_CHUNK = 128 * 1024
"""Encrypted at a time. OpenSSL's memory never gets smaller again: this bounds what a connection that
has carried something large keeps for good."""
_RECORD_TYPES = range(0x14, 0x18)
_ALERT = bytes.fromhex("15030300020246")
"""Fatal, protocol version: tells a plain-text caller that this port speaks TLS. OpenSSL says
nothing then."""


PEER_CERTIFICATE: Final = "peer_certificate"
"""`get_extra_info` of a TlsLink with this name: the peer's certificate (DER) if one was shown and
verified."""


class _ReadBuffer(threading.local):
    """What is read from a link is taken over before the loop goes on, so all links of one loop,
    which is one thread, share it: a connection that is idle costs no buffer."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ_SIZE))


_read_buffer = _ReadBuffer()


class TlsReceiver(asyncio.BufferedProtocol):
    """Speaks TLS on a link and hands the plain bytes to `inner`, which sees a connection once the
    handshake is done.

    `begun` is asked first of all whether this peer may connect. `ready` is called with None when the
    handshake is done, or with the failure, after which `inner` never sees a connection. With a
    handshake timeout a silent peer is cut off; a dialling side has its own deadline. A port that
    `serves_http` tells a plain-text caller nothing, as the reference's does not.
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
        serves_http: bool = False,
    ) -> None:
        self.inner = inner
        self._serves_http = serves_http
        self._server_side = server_side
        self._server_name = server_name
        self._group = group_of(context)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )
        self._begun = begun
        self._ready = ready
        self._handshake_timeout_s = handshake_timeout_s
        self._established = False
        self._failed = False
        self._diagnosed = False
        self._broken: TlsFailure | None = None
        self._first_bytes = b""
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

    def agreed(self) -> str:
        """The protocol, and whose certificate the peer has shown, for people."""
        chain = chain_of(self._tls)
        if not chain:
            return str(self._tls.version())
        until = time_text(chain[0].not_after_ms)
        return (
            f"{self._tls.version()}, certificate for [{', '.join(chain[0].names)}] until [{until}]"
        )

    def abort(self) -> None:
        """Drops the connection at once."""
        if self._link is not None:
            self._link.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        received = _read_buffer.view[:nbytes]
        if self._failed:
            return
        self._incoming.write(received)
        if self._established:
            self._deliver()
            return
        if len(self._first_bytes) < 4:
            self._first_bytes += bytes(received[:8])
        self._continue_handshake()

    def eof_received(self) -> bool | None:
        return self.inner.eof_received() if self._established else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._established:
            self.inner.connection_lost(self._broken or exc)
        elif not self._failed:
            self._fail(self._closed_early())

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
            if self._server_side and not self._peer_speaks_tls and not self._serves_http:
                self._link.write(_ALERT)
            failure = self._describe(error)
            failure.__cause__ = error
            self._fail(failure)
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

    def _describe(self, error: ssl.SSLError) -> TlsFailure:
        if self._peer_speaks_tls:
            attempt = Attempt(
                server_side=self._server_side,
                server_name=self._server_name,
                chain=chain_of(self._tls),
                now_ms=SystemClock().now_ms(),  # OpenSSL judged the certificate by it
                group=self._group,
            )
            failure = failure_of(error, attempt)
            self._diagnose(failure, attempt)
            return failure
        if self._serves_http:
            text = "received plaintext http traffic on an https channel, closing connection"
            return self._failure(TlsProblem.NOT_TLS, text)
        if self._server_side:
            text = "received plaintext traffic on an encrypted channel, closing connection"
            return self._failure(TlsProblem.NOT_TLS, text)
        if self._first_bytes.startswith((b"HTTP", b"This")):
            text = "received plain text instead of TLS: an HTTP server answers on that port"
            return self._failure(TlsProblem.REMOTE_IS_HTTP, text)
        if self._first_bytes.startswith(b"ES"):
            text = "received plain text instead of TLS, TLS is not enabled on that port"
            return self._failure(TlsProblem.REMOTE_IS_PLAIN, text)
        text = "received plaintext traffic on an encrypted channel, is TLS enabled there?"
        return self._failure(TlsProblem.NOT_TLS, text)

    def _diagnose(self, failure: TlsFailure, attempt: Attempt) -> None:
        """A certificate that is not trusted is told in full on this side, whichever it is."""
        if failure.problem not in TRUST_PROBLEMS or not diagnoses(self._tls.context):
            return
        assert self._link is not None
        self._diagnosed = True
        told = diagnosis(failure, attempt, str(peer_of(self._link)), self._tls)
        _log.warning("failed to establish trust with %s", told)

    def _closed_early(self) -> TlsFailure:
        if self._first_bytes:
            text = "the connection was closed in the middle of the TLS handshake"
            return self._failure(TlsProblem.OTHER, text)
        name = self._server_name
        sent = f"server name [{name}]" if name and not is_address(name) else "no server name"
        text = f"the connection was closed during the TLS handshake, after a hello with {sent}"
        return self._failure(TlsProblem.CLOSED, text)

    def _failure(self, problem: TlsProblem, text: str) -> TlsFailure:
        return TlsFailure(problem, text, group=self._group)

    def _fail(self, failure: TlsFailure) -> None:
        self._failed = True
        if self._server_side and not self._diagnosed and self._link is not None:
            # One that says nothing at all is a health check of a proxy.
            level = logging.WARNING if self._first_bytes else logging.DEBUG
            _log.log(level, "%s%s [%s]", self._distrusted(failure), failure, peer_of(self._link))
        if self._link is not None:
            self._link.close()
        self._report(failure)

    def _distrusted(self, failure: TlsFailure) -> str:
        """What the reference says of a caller that refuses this side's certificate."""
        if failure.problem is not TlsProblem.CERTIFICATE_REFUSED:
            return ""
        caller = "http client" if self._serves_http else "client"
        return f"{caller} did not trust this server's certificate, closing connection: "

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
                    self._end_of_data()
                    break
                inner.buffer_updated(int(count))
                if not (self._incoming.pending or tls.pending()):
                    break  # asking for what is not there costs an exception
        except ssl.SSLWantReadError:
            pass  # everything that has arrived is delivered
        except ssl.SSLZeroReturnError:
            self._end_of_data()
        except ssl.SSLError as error:
            # Also how a TLS 1.3 server refuses a client's certificate: after the client's handshake.
            self._break(error)
        self._flush()

    def _end_of_data(self) -> None:
        """The peer has said that no more bytes follow: to `inner` the same as the end of a plain
        link, so that one which has gone on not reading does not keep its socket."""
        assert self._link is not None
        if not self.inner.eof_received():
            self._link.close()

    def _break(self, error: ssl.SSLError) -> None:
        assert self._link is not None
        attempt = Attempt(
            server_side=self._server_side, server_name=self._server_name, group=self._group
        )
        self._broken = failure_of(error, attempt)
        _log.warning("closing connection [%s]: %s", peer_of(self._link), self._broken)
        self._link.abort()

    def _flush(self) -> None:
        if self._outgoing.pending and self._link is not None and not self._link.is_closing():
            self._link.write(self._outgoing.read())

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypts and writes; what is too much for one record of TLS in parts."""
        view = memoryview(data)
        for start in range(0, len(view), _WRITE_CHUNK):
            chunk = view[start : start + _WRITE_CHUNK]
            try:
                while (written := self._tls.write(chunk)) < len(chunk):
                    chunk = chunk[written:]
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
        if name == "sslcontext":
            return self._tls.context
        if name == PEER_CERTIFICATE:
            return verified_certificate(self._tls) or default
        return self._link.get_extra_info(name, default)
