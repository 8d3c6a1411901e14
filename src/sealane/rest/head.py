"""What the request line and the headers say, of a request that comes over HTTP."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from sealane.model.security import ANONYMOUS, Subject
from sealane.model.task import NO_HEADERS
from sealane.rest.query_string import parse_query

Message = MutableMapping[str, Any]


@dataclass(slots=True)
class Head:
    """`path` and `uri` are as the client sent them, `uri` with its query. `trace` is passed on with the request."""

    method: str
    path: str
    uri: str
    query: dict[str, str]
    content_type: str | None = None
    accept: str | None = None
    encoding: str | None = None
    accepts_gzip: bool = False
    length: int | None = None
    opaque_id: bytes | None = None
    trace: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    subject: Subject = ANONYMOUS
    held: int = 0
    """Bytes of the body for which room was taken."""


def read_head(head: Head, scope: Message) -> None:
    raw: bytes = scope["raw_path"]
    head.path = head.uri = raw.decode("latin-1")
    query: bytes = scope["query_string"]
    trace: dict[str, str] = {}
    for name, value in scope["headers"]:
        reader = _HEADERS.get(name)
        if reader is not None:
            reader(head, value, trace)
    if trace:
        head.trace = trace
    if query:
        text = query.decode("latin-1")
        head.uri = f"{head.path}?{text}"
        head.query = parse_query(text)


HeaderReader = Callable[[Head, bytes, dict[str, str]], None]


def _content_type(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.content_type = value.decode("latin-1")


def _accept(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.accept = value.decode("latin-1")


def _content_encoding(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.encoding = value.decode("latin-1").lower()


def _accept_encoding(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.accepts_gzip = b"gzip" in value


def _content_length(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.length = int(value)


def _opaque_id(head: Head, value: bytes, trace: dict[str, str]) -> None:
    head.opaque_id = value
    trace["X-Opaque-Id"] = value.decode("latin-1")


def _traceparent(head: Head, value: bytes, trace: dict[str, str]) -> None:
    text = value.decode("latin-1")
    trace["traceparent"] = text
    if len(text) >= 35:
        trace["trace.id"] = text[3:35]


def _origin(head: Head, value: bytes, trace: dict[str, str]) -> None:
    trace["X-elastic-product-origin"] = value.decode("latin-1")


def _tracestate(head: Head, value: bytes, trace: dict[str, str]) -> None:
    trace["tracestate"] = value.decode("latin-1")


_HEADERS: dict[bytes, HeaderReader] = {
    b"content-type": _content_type,
    b"accept": _accept,
    b"content-encoding": _content_encoding,
    b"accept-encoding": _accept_encoding,
    b"content-length": _content_length,
    b"x-opaque-id": _opaque_id,
    b"traceparent": _traceparent,
    b"tracestate": _tracestate,
    b"x-elastic-product-origin": _origin,
}
