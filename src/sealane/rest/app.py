"""The ASGI application: one HTTP request in, one answer out.

It reads the body within its limit, finds the route, checks parameters and authority, runs the handler as a task that
a client's hanging up cancels, and renders what comes out. Why plain ASGI: docs/adr/0002-rest-on-asgi.md.
"""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Self

from sealane.clock import Clock
from sealane.errors import ApiError, IllegalArgument, ParseError, SecurityError
from sealane.model.task import ANONYMOUS, NO_HEADERS, Context, Task, TaskRegistry
from sealane.rest.bodies import to_utf8, yaml_to_json
from sealane.rest.errors import (
    MediaTypeHeaderError,
    MethodNotAllowed,
    NodeClosed,
    as_api_error,
    error_body,
)
from sealane.rest.filter_path import FilterPath
from sealane.rest.media import FORMATS, Negotiated, negotiate
from sealane.rest.params import boolean, parse_params
from sealane.rest.query_string import parse_query
from sealane.rest.render import render_json, render_yaml
from sealane.rest.request import JSON, TEXT, YAML, Request, Response
from sealane.rest.router import Route, Router
from sealane.security.rules import authorize
from sealane.settings.index_settings import ValidationError

_log = logging.getLogger("sealane.rest")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PRODUCT = (b"X-elastic-product", b"Elasticsearch")
WATCH_AFTER_S = 0.02
"""How long a request runs before its connection is watched. Most are done by then, and a watcher costs a task."""
GZIP_LEVEL = 3
CANCELLED_BY_CLIENT = "http channel closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    max_content_length: int = 100 * 1024 * 1024


class BodyTooLarge(Exception):
    """Over the limit: 413 without a body. `announced` when the client said so beforehand."""

    def __init__(self, *, announced: bool) -> None:
        super().__init__()
        self.announced = announced


@dataclass(slots=True)
class _Head:
    """What the request line and the headers say."""

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


class RestApp:
    """`async with app:` for as long as it serves; leaving it ends what still watches connections."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        tasks: TaskRegistry,
        clock: Clock,
        limits: Limits,
        product_header: bool = True,
    ) -> None:
        self._router = Router(routes)
        self._tasks = tasks
        self._clock = clock
        self._limits = limits
        self._fixed = (PRODUCT,) if product_header else ()
        self._group = asyncio.TaskGroup()
        self._watchers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await self._group.__aexit__(*exc)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        head = _Head(scope["method"], "", "", {})
        try:
            _read_head(head, scope)
            body = await self._read_body(head, receive)
            if body is None:
                return
            response = await self._answer(head, body, receive)
        except BodyTooLarge as error:
            await _refuse_body(send, error)
            return
        except asyncio.CancelledError:
            # A client that hangs up ends the handler only; the request as a whole is cancelled by a server that stops,
            # and that does not wait any longer. The task ends with this answer.
            handling = asyncio.current_task()
            assert handling is not None
            handling.uncancel()
            response = _error_response(head, NodeClosed())
        except Exception as error:
            response = _error_response(head, error)
        await self._send(head, response, send)

    # -- in ----------------------------------------------------------------------------------------------------

    async def _read_body(self, head: _Head, receive: Receive) -> bytes | None:
        """The body, decompressed; None when the client hung up before its end. Raises BodyTooLarge."""
        limit = self._limits.max_content_length
        if head.length is not None and head.length > limit:
            raise BodyTooLarge(announced=True)
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            parts, size = [body], len(body)
            while message.get("more_body", False):
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise BodyTooLarge(announced=False)
            body = b"".join(parts)
        if len(body) > limit:
            raise BodyTooLarge(announced=False)
        if head.encoding in ("gzip", "deflate") and body:
            body = _inflate(body, head.encoding, limit)
        return body

    async def _answer(self, head: _Head, body: bytes, receive: Receive) -> Response:
        if head.method == "OPTIONS":
            allowed = ",".join(self._router.allowed(head.path)).encode()
            return Response(b"", 200, TEXT, ((b"Allow", allowed),) if allowed else ())
        media = negotiate(head.content_type, head.accept, bool(body))
        route, path_params = self._router.find(head.method, head.path, head.uri)
        query = head.query
        params = parse_params(head.path, route.params, query, route.unsuggested) if query else query
        if body:
            if not route.body:
                raise IllegalArgument(
                    f"request [{head.method} {head.path}] does not support having a body"
                )
            body = yaml_to_json(body) if media.body == "yaml" else to_utf8(body)
        elif route.body and query and "source" in query:
            body = _body_of_parameter(query)
        options = _render_options(query, media) if query else None
        with self._tasks.start(
            route.action, start_ms=self._clock.now_ms(), description=head.uri
        ) as task:
            ctx = Context(task=task, start_ms=task.start_ms, headers=head.trace)
            request = Request(
                head.method,
                head.path,
                head.uri,
                path_params,
                params,
                body,
                ctx,
                media.text if options is None else options.text,
            )
            decision = authorize(ANONYMOUS, route.action, route.indices(request))
            if not decision.granted:
                raise SecurityError(decision.reason)
            response = await self._run(route, request, task, receive)
        return _rendered(response, media, options)

    async def _run(self, route: Route, request: Request, task: Task, receive: Receive) -> Response:
        """The handler, with the connection watched once it takes long."""
        handling = asyncio.current_task()
        assert handling is not None
        forget = task.on_cancel(_canceller(handling))
        watcher: list[asyncio.Task[None]] = []

        def watch() -> None:
            started = self._group.create_task(_watch(receive, task))
            watcher.append(started)
            self._watchers.add(started)
            started.add_done_callback(self._watchers.discard)

        timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, watch)
        try:
            return await route.handler(request)
        except asyncio.CancelledError:
            if task.cancelled_reason is not None:
                # Ours, not the server's: it ends the work and becomes an answer, if anybody still listens.
                handling.uncancel()
                task.check()
            raise
        finally:
            forget()
            timer.cancel()
            if watcher:
                watcher[0].cancel()

    # -- out ---------------------------------------------------------------------------------------------------

    async def _send(self, head: _Head, response: Response, send: Send) -> None:
        body = response.body
        headers = [*response.headers, *self._fixed, (b"content-type", response.content_type)]
        if head.opaque_id is not None:
            headers.insert(0, (b"X-Opaque-Id", head.opaque_id))
        if head.accepts_gzip and body:
            packer = zlib.compressobj(GZIP_LEVEL, wbits=31)
            body = packer.compress(body) + packer.flush()
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if head.method == "HEAD":
            body = b""
        await send({"type": "http.response.body", "body": body})


def _read_head(head: _Head, scope: Message) -> None:
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


HeaderReader = Callable[[_Head, bytes, dict[str, str]], None]


def _content_type(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.content_type = value.decode("latin-1")


def _accept(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.accept = value.decode("latin-1")


def _content_encoding(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.encoding = value.decode("latin-1").lower()


def _accept_encoding(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.accepts_gzip = b"gzip" in value


def _content_length(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.length = int(value)


def _opaque_id(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    head.opaque_id = value
    trace["X-Opaque-Id"] = value.decode("latin-1")


def _traceparent(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    text = value.decode("latin-1")
    trace["traceparent"] = text
    if len(text) >= 35:
        trace["trace.id"] = text[3:35]


def _origin(head: _Head, value: bytes, trace: dict[str, str]) -> None:
    trace["X-elastic-product-origin"] = value.decode("latin-1")


def _tracestate(head: _Head, value: bytes, trace: dict[str, str]) -> None:
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


def _body_of_parameter(query: Mapping[str, str]) -> bytes:
    """The body that the URL carries. Raises ValidationError unless it says of which type it is."""
    if not query.get("source_content_type"):
        raise ValidationError(
            "Validation Failed: 1: source and source_content_type parameters are required;"
        )
    media = negotiate(query["source_content_type"], None, True)
    body = query["source"].encode()
    return yaml_to_json(body) if media.body == "yaml" else body


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Raises BodyTooLarge past `limit`; a body that is not what it says is as good as none."""
    unpacker = zlib.decompressobj(31 if encoding == "gzip" else 15)
    try:
        unpacked = unpacker.decompress(body, limit)
    except zlib.error as error:
        raise ParseError("request body is required") from error
    if unpacker.unconsumed_tail:
        raise BodyTooLarge(announced=False)
    if not unpacker.eof:
        raise ParseError("request body is required")
    return unpacked


def _canceller(handling: asyncio.Task[Any]) -> Callable[[str], None]:
    def cancel(reason: str) -> None:
        handling.cancel()

    return cancel


async def _watch(receive: Receive, task: Task) -> None:
    """Cancels `task` once the client has hung up. A connection that cannot be watched counts as that."""
    try:
        message = await receive()
    except Exception:
        _log.exception("cannot watch a connection")
    else:
        if message["type"] != "http.disconnect":
            return
    task.cancel(CANCELLED_BY_CLIENT)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse_body(send: Send, error: BodyTooLarge) -> None:
    headers = [(b"content-length", b"0")]
    if not error.announced:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@dataclass(slots=True)
class _RenderOptions:
    """What the URL says about how the answer looks."""

    pretty: bool
    filter_path: FilterPath
    content_type: bytes | None
    text: bool


def _render_options(query: Mapping[str, str], media: Negotiated) -> _RenderOptions:
    """Raises IllegalArgument for a flag that is neither true nor false."""
    for flag in ("human", "error_trace"):
        if flag in query:
            boolean(flag, query[flag])
    content_type = FORMATS.get(query.get("format", ""))
    return _RenderOptions(
        pretty="pretty" in query and boolean("pretty", query["pretty"]),
        filter_path=FilterPath(query.get("filter_path", "")),
        content_type=content_type,
        text=media.text if content_type is None else content_type == TEXT,
    )


def _rendered(response: Response, media: Negotiated, options: _RenderOptions | None) -> Response:
    """The response as the client wants it. Bodies that are not JSON go out as they are."""
    if response.content_type is not JSON:
        return response
    wanted = media.answer
    if options is not None and options.content_type in (JSON, YAML):
        wanted = options.content_type
    if options is None and wanted is JSON:
        return response
    filter_path = options.filter_path if options is not None else None
    if not response.body:
        body = b""
    elif b"yaml" in wanted:
        body = render_yaml(response.body, filter_path=filter_path)
    else:
        pretty = options is not None and options.pretty
        body = render_json(response.body, filter_path=filter_path, pretty=pretty)
    return Response(body, response.status, wanted, response.headers)


def _error_response(head: _Head, error: Exception) -> Response:
    """Errors are never filtered, and are JSON whatever was asked for that cannot be understood."""
    shown = as_api_error(error)
    query = head.query
    trace = query.get("error_trace") in ("", "true")
    response = Response(error_body(shown, trace=trace), shown.status)
    if isinstance(shown, MethodNotAllowed):
        response.headers = ((b"Allow", shown.allowed.encode()),)
    if isinstance(shown, MediaTypeHeaderError):
        return response
    try:
        media = negotiate(head.content_type, head.accept, False)
        options = _RenderOptions(
            pretty=query.get("pretty") in ("", "true"),
            filter_path=FilterPath(""),
            content_type=FORMATS.get(query.get("format", "")),
            text=False,
        )
        return _rendered(response, media, options)
    except ApiError:
        # The header itself is what was wrong.
        return response
