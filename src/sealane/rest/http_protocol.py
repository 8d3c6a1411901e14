"""HTTP/1.1 on one connection: uvicorn's protocol with the limits it lacks on what stands before a body.

A head that is over them, or no HTTP at all, is answered in the reference's JSON and the connection closed. Nothing is
kept of it but a count.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sealane.errors import ApiError, IllegalArgument
from sealane.rest.errors import error_body

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


class LimitedHttpProtocol(HttpToolsProtocol):
    """One per connection."""

    _in_head = False
    _head_bytes = 0
    _header_bytes = 0
    _refusal: ApiError | None = None

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        super().data_received(data)
        if not self._in_head or self._refusal is not None:
            return
        # The parser holds a line until it ends, so one that does not end is noticed by what came in.
        self._head_bytes += len(data)
        if self._head_bytes > LINE_MAX_BYTES + HEADER_MAX_BYTES:
            self._refusal = TooLongHeader() if self.headers or self.url else TooLongLine()
            self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
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
        self._in_head = False
        super().on_headers_complete()

    def _refuse(self, error: ApiError) -> None:
        """Ends the parsing; what answers is `send_400_response`."""
        self._refusal = error
        raise httptools.HttpParserError(error.reason)

    def send_400_response(self, msg: str) -> None:
        """`msg` is uvicorn's word for bytes that are no HTTP; a refusal of ours says more."""
        error = self._refusal or IllegalArgument("the request is not valid HTTP/1.1")
        self._refusal = error
        body = error_body(error)
        head = (
            b"HTTP/1.1 400 Bad Request\r\nX-elastic-product: Elasticsearch\r\n"
            b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        )
        self.transport.write(head % len(body) + body)
        self.transport.close()
