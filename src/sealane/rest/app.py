"""The ASGI application: one HTTP request in, one answer out.

It reads the body within its limit, finds the route, checks parameters and authority, runs the handler as a task that
a client's hanging up cancels, and renders what comes out. Why plain ASGI: docs/adr/0002-rest-on-asgi.md.
"""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sealane.clock import Clock
from sealane.errors import (
    ApiError,
    AuthenticationFailed,
    IllegalArgument,
    NodeClosed,
    ParseError,
    SecurityError,
)
from sealane.model.access import Access, bound
from sealane.model.security import Subject
from sealane.model.task import Context, Task, TaskRegistry
from sealane.rest.bodies import to_utf8, yaml_to_json
from sealane.rest.errors import (
    MediaTypeHeaderError,
    MethodNotAllowed,
    as_api_error,
    as_opensearch_shows,
    error_body,
)
from sealane.rest.filter_path import FilterPath
from sealane.rest.gate import Gate, read_credentials
from sealane.rest.head import Head, Message, read_head
from sealane.rest.media import FORMATS, Negotiated, negotiate
from sealane.rest.params import boolean, parse_params
from sealane.rest.percent import decode_component
from sealane.rest.query_string import parse_query
from sealane.rest.render import render_json, render_yaml
from sealane.rest.request import JSON, TEXT, YAML, Request, Response
from sealane.rest.room import Room
from sealane.rest.router import Route, Router
from sealane.settings.index_settings import ValidationError

_log = logging.getLogger("sealane.rest")

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
    in_flight_max_bytes: int = 512 * 1024 * 1024
    """Of the bodies of all requests, as `room` counts them."""


class BodyTooLarge(Exception):
    """Over the limit: 413 without a body. `announced` when the client said so beforehand."""

    def __init__(self, *, announced: bool) -> None:
        super().__init__()
        self.announced = announced


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
        elsewhere: Route | None = None,
        gate: Gate | None = None,
    ) -> None:
        """`elsewhere` takes whole requests that `routes` do not serve; without it those are refused. `gate` says who
        asks and what they may do; without it everybody may do everything.
        """
        self._gate = gate
        self._router = Router(routes)
        self._elsewhere = elsewhere
        self._tasks = tasks
        self._clock = clock
        self._limits = limits
        self._room = Room(limits.in_flight_max_bytes)
        self._is_elasticsearch = product_header
        self._fixed = (PRODUCT,) if product_header else ()
        self._group = asyncio.TaskGroup()
        self._watchers: set[asyncio.Task[None]] = set()

    def _error_response(self, head: Head, error: Exception) -> Response:
        shown = as_api_error(error)
        return _error_response(
            head, shown if self._is_elasticsearch else as_opensearch_shows(shown)
        )

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
        head = Head(scope["method"], "", "", {})
        try:
            read_head(head, scope)
            if self._gate is not None:
                # Before the body: who is not let in has nothing read.
                head.subject = await self._authenticate(self._gate, head, scope)
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
            closed = NodeClosed("node closed")
            closed.status = 503  # another node, or this one later, will answer
            response = self._error_response(head, closed)
        except Exception as error:
            response = self._error_response(head, error)
        finally:
            if head.held:
                self._room.give_back(head.held)
        await self._send(head, response, send)

    async def _authenticate(self, gate: Gate, head: Head, scope: Message) -> Subject:
        """Raises AuthenticationFailed. What asks for the methods of a path needs no name, as in the reference."""
        if head.method == "OPTIONS":
            return head.subject
        credentials = read_credentials(scope, head.uri)
        return gate.authenticated(credentials) or await gate.authenticate(credentials)

    # -- in ----------------------------------------------------------------------------------------------------

    async def _read_body(self, head: Head, receive: Receive) -> bytes | None:
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
                head.held += self._room.take(len(parts[-1]))
            body = b"".join(parts)
        if len(body) > limit:
            raise BodyTooLarge(announced=False)
        if head.encoding in ("gzip", "deflate") and body:
            body = _inflate(body, head.encoding, limit)
            head.held += self._room.take(len(body))
        return body

    async def respond(
        self,
        method: str,
        uri: str,
        body: bytes,
        ctx: Context,
        *,
        content_type: str | None,
        accept: str | None,
    ) -> Response:
        """The answer to a request that came in another way than from a client, as part of `ctx.task`."""
        path, _, query = uri.partition("?")
        head = Head(method, path, uri, parse_query(query), content_type, accept, trace=ctx.headers)
        head.subject = ctx.subject
        try:
            return await self._answer(head, body, None, ctx.task)
        except Exception as error:
            return self._error_response(head, error)

    async def _pass_on(
        self, route: Route, head: Head, body: bytes, receive: Receive | None
    ) -> Response:
        """The answer of `route` to a request of which nothing is judged here."""
        with self._tasks.start(
            route.action,
            start_ms=self._clock.now_ms(),
            description=head.uri,
            headers=head.trace,
        ) as task:
            ctx = Context(
                task=task, subject=head.subject, start_ms=task.start_ms, headers=head.trace
            )
            media = (head.content_type, head.accept)
            request = Request(
                head.method, head.path, head.uri, {}, head.query, body, ctx, media=media
            )
            return await self._run(route, request, task, receive)

    async def _answer(
        self, head: Head, body: bytes, receive: Receive | None, parent: Task | None = None
    ) -> Response:
        if self._elsewhere is not None and not self._router.serves(head.method, head.path):
            return await self._pass_on(self._elsewhere, head, body, receive)
        if head.method == "OPTIONS":
            allowed = ",".join(self._router.allowed(head.path)).encode()
            return Response(b"", 200, TEXT, ((b"Allow", allowed),) if allowed else ())
        media = negotiate(head.content_type, head.accept, bool(body))
        route, path_params = self._router.find(head.method, head.path, head.uri)
        query = head.query
        params = (
            parse_params(_decoded(head.path), route.params, query, route.unsuggested)
            if query
            else query
        )
        if body:
            if not route.body:
                raise IllegalArgument(
                    f"request [{head.method} {_decoded(head.path)}] does not support having a body"
                )
            body = yaml_to_json(body) if media.body == "yaml" else to_utf8(body)
        elif route.body and query and "source" in query:
            body = _body_of_parameter(query)
        options = _render_options(query, media) if query else None
        with self._tasks.start(
            route.action,
            start_ms=self._clock.now_ms(),
            parent=parent,
            description=head.uri,
            headers=head.trace,
        ) as task:
            ctx = Context(
                task=task, subject=head.subject, start_ms=task.start_ms, headers=head.trace
            )
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
            gate = self._gate
            if gate is None:
                response = await self._run(route, request, task, receive)
            else:
                with bound(_access(gate, route, request)):
                    response = await self._run(route, request, task, receive)
        return _rendered(response, media, options)

    async def _run(
        self, route: Route, request: Request, task: Task, receive: Receive | None
    ) -> Response:
        """The handler, with the client's connection watched once it takes long."""
        handling = asyncio.current_task()
        assert handling is not None
        forget = task.on_cancel(_canceller(handling))
        watcher: list[asyncio.Task[None]] = []

        def watch() -> None:
            if receive is None:
                return
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

    async def _send(self, head: Head, response: Response, send: Send) -> None:
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


def _decoded(path: str) -> str:
    """The path as errors show it."""
    return decode_component(path, path) if "%" in path else path


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


def _access(gate: Gate, route: Route, request: Request) -> Access | None:
    """Raises SecurityError, and before that what is wrong with the request."""
    indices, subject = route.indices(request), request.ctx.subject
    try:
        access = gate.access(subject, route.action, indices)
        for each in route.also:
            gate.access(subject, each, indices)
    except SecurityError:
        if route.check is not None:
            route.check(request)
        raise
    return access


def _error_response(head: Head, shown: ApiError) -> Response:
    """Errors are never filtered, and are JSON whatever was asked for that cannot be understood."""
    query = head.query
    trace = query.get("error_trace") in ("", "true")
    response = Response(error_body(shown, trace=trace), shown.status)
    if isinstance(shown, MethodNotAllowed):
        response.headers = ((b"Allow", shown.allowed.encode()),)
    elif isinstance(shown, AuthenticationFailed):
        response.headers = tuple((b"WWW-Authenticate", each.encode()) for each in shown.challenges)
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
