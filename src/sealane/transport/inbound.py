"""The accepting side: handshakes are answered, requests become tasks, cancels and lost sockets end
them.

A `Dispatcher` belongs to the service and knows the handlers; an `InboundChannel` is one accepted
socket. What the actions do is their handlers' business.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from sealane.clock import Clock
from sealane.errors import (
    ActionNotFound,
    ApiError,
    IllegalState,
    Internal,
    RemoteTransport,
    TaskCancelled,
)
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.task import NO_HEADERS, Context, Task, TaskId, TaskRegistry
from sealane.transport import faults
from sealane.transport.channel import Channel
from sealane.transport.limits import TransportLimits
from sealane.transport.tasks import TaskScope
from sealane.wire import exceptions
from sealane.wire.compression import compress
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.families import sealane
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE, TCP_HANDSHAKE
from sealane.wire.frame import COMPRESSED, ERROR, PING, RESPONSE, Frame, encode_response_head
from sealane.wire.handshake import HandshakeResponder
from sealane.wire.versions import SEALANE_VERSION, family_of

_log = logging.getLogger(__name__)

Handler = Callable[[bytes, Context], Awaitable[bytes]]
Local = Callable[[], tuple[NodeInfo, ClusterIdentity]]


class Dispatcher:
    """What all accepted channels of a node share: handlers, limits, and the requests that run."""

    def __init__(
        self,
        *,
        local: Local,
        release: str,
        tasks: TaskRegistry,
        clock: Clock,
        limits: TransportLimits,
        scope: TaskScope,
    ) -> None:
        self.handlers: dict[str, Handler] = {}
        self.local = local
        self.responder = HandshakeResponder(release)
        self.tasks = tasks
        self.clock = clock
        self.limits = limits
        self.scope = scope
        self.bytes_in_flight = 0
        self.requests_in_flight = 0

    def check_capacity(self, action: str, size: int) -> ApiError | None:
        """The refusal of a request that would exceed what may be handled at once."""
        wanted = self.bytes_in_flight + size
        if wanted > self.limits.in_flight_max_bytes:
            return faults.in_flight_too_large(action, wanted, self.limits.in_flight_max_bytes)
        if self.requests_in_flight >= self.limits.in_flight_max_requests:
            return faults.too_many_requests(action, self.limits.in_flight_max_requests)
        return None


class _Running:
    """A request being handled: its asyncio task, and its Task once that has started."""

    __slots__ = ("job", "task")

    def __init__(self) -> None:
        self.job: asyncio.Task[None] | None = None
        self.task: Task | None = None

    def cancel(self, reason: str) -> None:
        if self.task is not None:
            self.task.cancel(reason)
        elif self.job is not None:
            self.job.cancel()


class InboundChannel(Channel):
    """One accepted socket. The dialling side chooses which of its sockets carries what."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        on_begin: Callable[["InboundChannel"], None],
        on_end: Callable[["InboundChannel"], None],
    ) -> None:
        super().__init__(dispatcher.limits)
        self._dispatcher = dispatcher
        self._running: dict[int, _Running] = {}
        self._on_begin = on_begin
        self._on_end = on_end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._on_begin(self)

    def ended(self) -> None:
        for running in list(self._running.values()):
            running.cancel("channel closed")
        self._running.clear()
        self._on_end(self)

    def pause_writing(self) -> None:
        # A peer that does not take its answers gets no more requests read.
        super().pause_writing()
        if self._link is not None:
            self._link.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._link is not None:
            self._link.resume_reading()

    def receive_ping(self) -> None:
        self.send(PING)

    # -- requests ----------------------------------------------------------------------------------

    def receive_frame(self, frame: Frame) -> None:
        if frame.is_response or frame.action is None:
            _log.info(
                "dropping response [%d] on an accepted connection [%s]", frame.request_id, self.peer
            )
            return
        if frame.version == SEALANE_VERSION and frame.action not in _HANDSHAKES:
            self._receive_request(frame, frame.action)
        elif frame.action in _HANDSHAKES:
            self._answer_handshake(frame)
        else:
            self._refuse_foreign(frame, frame.action)

    def _answer_handshake(self, frame: Frame) -> None:
        responder = self._dispatcher.responder
        if frame.action == TCP_HANDSHAKE:
            self.send(responder.answer_tcp(frame))
            return
        node, cluster = self._dispatcher.local()
        try:
            self.send(responder.answer_node(frame, node, cluster))
        except LocalProtocolError as wrong:
            _log.warning("cannot answer the handshake of [%s]: %s", self.peer, wrong)
            self._send_foreign_error(frame, IllegalState(str(wrong)))

    def _refuse_foreign(self, frame: Frame, action: str) -> None:
        error: ApiError = faults.unsupported_from_family(action, family_of(frame.version))
        if action not in self._dispatcher.handlers:
            explanation, error = error, ActionNotFound(action)
            error.caused_by = explanation
        self._send_foreign_error(frame, error)

    def _send_foreign_error(self, frame: Frame, error: ApiError) -> None:
        node, _ = self._dispatcher.local()
        wrapped = RemoteTransport(f"[{node.name}][{node.address}][{frame.action}]", caused_by=error)
        if frame.version == SEALANE_VERSION:
            body = sealane.error_body(error)
        else:
            body = exceptions.error_body(wrapped, frame.version)
        head = encode_response_head(frame.request_id, RESPONSE | ERROR, frame.version, len(body))
        self.send(head + body)

    def _receive_request(self, frame: Frame, action: str) -> None:
        request_id = frame.request_id
        if action == sealane.CANCEL:
            running = self._running.pop(request_id, None)
            if running is not None:
                running.cancel("by the requesting node")
            return
        if request_id in self._running:
            raise RemoteProtocolError(f"request id [{request_id}] is in use already", 6)
        dispatcher = self._dispatcher
        compressed = bool(frame.status & COMPRESSED)
        handler = dispatcher.handlers.get(action)
        if handler is None:
            self._send_error(request_id, ActionNotFound(action), compressed)
            return
        size = len(frame.body)
        refusal = dispatcher.check_capacity(action, size)
        if refusal is not None:
            self._send_error(request_id, refusal, compressed)
            return
        envelope, payload = sealane.read_request(frame.body)
        running = self._running[request_id] = _Running()
        dispatcher.bytes_in_flight += size
        dispatcher.requests_in_flight += 1
        running.job = dispatcher.scope.start(
            self._serve(
                request_id, running, handler, action, envelope, payload, frame.headers, compressed
            )
        )
        running.job.add_done_callback(lambda _: self._served(request_id, running, size))

    def _served(self, request_id: int, running: _Running, size: int) -> None:
        self._dispatcher.bytes_in_flight -= size
        self._dispatcher.requests_in_flight -= 1
        if self._running.get(request_id) is running:
            del self._running[request_id]

    async def _serve(
        self,
        request_id: int,
        running: _Running,
        handler: Handler,
        action: str,
        envelope: sealane.Envelope,
        payload: bytes,
        headers: Mapping[str, str],
        compressed: bool,
    ) -> None:
        dispatcher = self._dispatcher
        deadline = None
        if envelope.time_left_ms is not None:
            deadline = asyncio.get_running_loop().time() + envelope.time_left_ms / 1000
        parent = None
        if envelope.parent_node:
            parent = TaskId(envelope.parent_node, envelope.parent_number)
        job = running.job
        assert job is not None
        with dispatcher.tasks.start(
            action, start_ms=dispatcher.clock.now_ms(), parent=parent
        ) as task:
            running.task = task
            task.on_cancel(lambda _: _cancel_job(job))
            context = Context(
                task=task,
                deadline=deadline,
                local_alias=envelope.local_alias,
                start_ms=envelope.start_ms,
                headers=headers or NO_HEADERS,
            )
            try:
                answer = await handler(payload, context)
                if self._running.get(request_id) is running:
                    self._send_answer(request_id, RESPONSE, answer, compressed)
            except ApiError as error:
                self._answer_error(request_id, running, error, compressed)
            except asyncio.CancelledError:
                if task.cancelled_reason is not None:
                    reason = TaskCancelled(task.cancelled_reason)
                    self._answer_error(request_id, running, reason, compressed)
                raise
            except Exception:
                _log.exception("handler of [%s] failed", action)
                failure = Internal(
                    f"internal error in the handler of [{action}], see the log there"
                )
                self._answer_error(request_id, running, failure, compressed)

    def _answer_error(
        self, request_id: int, running: _Running, error: ApiError, compressed: bool
    ) -> None:
        if self._running.get(request_id) is running:
            self._send_error(request_id, error, compressed)

    def _send_error(self, request_id: int, error: ApiError, compressed: bool) -> None:
        try:
            body = sealane.error_body(error)
        except LocalProtocolError:
            _log.exception("an error cannot be sent as it is")
            plain = ApiError(error.reason)
            plain.es_type, plain.status = error.es_type, error.status
            body = sealane.error_body(plain)
        self._send_answer(request_id, RESPONSE | ERROR, body, compressed)

    def _send_answer(self, request_id: int, status: int, body: bytes, compressed: bool) -> None:
        """Raises CircuitBreaking for an answer that the asker would refuse to read."""
        if compressed:
            body = compress(body)
            status |= COMPRESSED
        faults.check_frame_size("the answer", len(body), self._limits.frame_max_bytes)
        head = encode_response_head(request_id, status, SEALANE_VERSION, len(body))
        self.send_message(head, body)


def _cancel_job(job: asyncio.Task[None]) -> None:
    job.cancel()


_HANDSHAKES = frozenset({TCP_HANDSHAKE, NODE_HANDSHAKE, KEY_HANDSHAKE})
