"""HTTP/1.1 on one connection: uvicorn's protocol with the limits it lacks on what stands before a body.

A head that is over them, or no HTTP at all, is answered in the reference's JSON and the connection closed, behind the
answers to what came before it. Nothing is kept of it but a count. A request that does not come is `http_connections`'
to notice. The certificate that a client has shown and that was verified goes into the scope of each of
its requests: DER, `extensions.tls.client_certificate`.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sealane.errors import ApiError, IllegalArgument
from sealane.rest.errors import error_body
from sealane.rest.http_connections import HttpConnections

LINE_MAX_BYTES = 4_096
"""`http.max_initial_line_length`."""
HEADER_MAX_BYTES = 16_384
"""`http.max_header_size`: all headers of a request."""


class TooLongLine(ApiError):
    es_type, status = "too_long_http_line_exception", 400

    def __init__(self) -> None:
        super().__init__(f"An HTTP line is larger than {LINE_MAX_BYTES} bytes.")


class TooLongHeader(ApiError):
    es_type, status = "too_long_http_header_exception", 400

    def __init__(self) -> None:
        super().__init__(f"HTTP header is larger than {HEADER_MAX_BYTES} bytes.")


class LateRequest(ApiError):
    """A request of which not enough has come in its time."""

    es_type, status = "timeout_exception", 408


_STATUS_LINES = {400: b"400 Bad Request", 408: b"408 Request Timeout"}


class LimitedHttpProtocol(HttpToolsProtocol):
    """One per connection. `among` are all of them, where anybody counts."""

    among: HttpConnections | None = None
    _entered = False
    _awaits_head = _awaits_body = False
    _in_body = False
    _body_bytes = 0
    _body_left = 0
    _in_head = False
    _head_bytes = 0
    _header_bytes = 0
    _refusal: ApiError | None = None
    _extensions: dict[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        certificate = transport.get_extra_info("peer_certificate")
        if certificate is not None:
            self._extensions = {"tls": {"client_certificate": certificate}}
        if self.among is not None:
            self._entered = self._awaits_head = self.among.enter(self, self._host())
            if not self._entered:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._entered and self.among is not None:
            self._entered = False
            self.among.leave(self)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._read(data)
        if self._refusal is not None:
            return
        if self._in_body or self._awaits_body:
            self._note_body(len(data))
        if not self._in_head:
            return
        if not self._awaits_head and self._entered and self.among is not None:
            self._awaits_head = True
            self.among.head_begins(self)
        # The parser holds a line until it ends, so one that does not end is noticed by what came in.
        self._head_bytes += len(data)
        if self._head_bytes > LINE_MAX_BYTES + HEADER_MAX_BYTES:
            self._refusal = TooLongHeader() if self.headers or self.url else TooLongLine()
            self.send_400_response("")

    def _read(self, data: bytes) -> None:
        """As uvicorn's own, but a request that would like another protocol is served in this one, body and all."""
        self._unset_keepalive_if_required()
        while data and self._refusal is None:
            if self._body_left:
                data = self._read_body(data)
                continue
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # What follows is not parsed any more, and a body has not been.
                data = data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self.send_400_response("")

    def _read_body(self, data: bytes) -> bytes:
        """Of a request that would like another protocol; what is left."""
        body, rest = data[: self._body_left], data[self._body_left :]
        self._body_left -= len(body)
        super().on_body(body)
        if not self._body_left:
            self.on_message_complete()
        return rest

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._extensions is not None:
            self.scope["extensions"] = self._extensions
        self._in_head, self._head_bytes, self._header_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LINE_MAX_BYTES:
            self._refuse(TooLongLine())

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_MAX_BYTES:
            self._refuse(TooLongHeader())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        if self._awaits_head and self.among is not None:
            self._awaits_head = False
            self.among.head_ended(self)
        if self.parser.should_upgrade():
            self._body_left = self._announced()
        super().on_headers_complete()

    def _announced(self) -> int:
        """The length of the body; the parser has checked it."""
        for name, value in self.headers:
            if name == b"transfer-encoding":
                raise httptools.HttpParserError("an upgrade with a body in chunks")
            if name == b"content-length":
                return int(value)
        return 0

    def on_message_complete(self) -> None:
        if self._body_left:
            return
        self._in_body = False
        super().on_message_complete()

    def _refuse(self, error: ApiError) -> None:
        """Ends the parsing; what answers is `send_400_response`."""
        self._refusal = error
        raise httptools.HttpParserError(error.reason)

    def send_400_response(self, msg: str) -> None:
        """`msg` is uvicorn's word for bytes that are no HTTP; a refusal of ours says more."""
        self._end_with(self._refusal or IllegalArgument("the request is not valid HTTP/1.1"))

    def _end_with(self, error: ApiError) -> None:
        """Nothing more is read. The answer goes out behind those to earlier requests: sooner, it would be taken for
        one of them."""
        self._refusal = error
        if self._in_body and self.cycle is not None:
            if self.cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            # Its request ends as if the client had hung up.
            self.cycle.disconnected = self.cycle.response_complete = True
        elif self._is_answering():
            self.transport.pause_reading()
            return
        body = error_body(error)
        head = (
            b"HTTP/1.1 %s\r\nX-elastic-product: Elasticsearch\r\n"
            b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        )
        self.transport.write(head % (_STATUS_LINES[error.status], len(body)) + body)
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        super().on_response_complete()
        refusal = self._refusal
        if refusal is not None and not self._is_answering() and not self.transport.is_closing():
            self._end_with(refusal)

    # -- what takes too long -----------------------------------------------------------------------------------

    def _host(self) -> str:
        return self.client[0] if self.client else ""

    def _note_body(self, count: int) -> None:
        """A body is there in part, or has just come to its end."""
        among = self.among
        if among is None or not self._entered:
            return
        if not self._in_body:
            self._awaits_body = False
            among.body_ended(self)
            return
        self._body_bytes += count
        if not self._awaits_body or self._body_bytes >= among.limits.body_step_bytes:
            self._awaits_body, self._body_bytes = True, 0
            among.body_goes_on(self)

    def head_is_late(self) -> None:
        """Implements Connection, as what follows. Of whom nothing came there is nobody to answer to."""
        if self.transport.is_closing():
            return
        if not self._in_head:
            self.transport.close()
            return
        assert self.among is not None
        time_s = self.among.limits.head_timeout_s
        self._end_with(LateRequest(f"the head of the request did not come within [{time_s:g}s]"))

    def body_is_late(self) -> bool:
        if self.flow.read_paused and not self.transport.is_closing():
            return False
        if not self.transport.is_closing():
            assert self.among is not None
            time_s = self.among.limits.body_timeout_s
            error = LateRequest(f"the body of the request did not go on within [{time_s:g}s]")
            self._end_with(error)
        return True

    def drop(self) -> None:
        self.transport.abort()
