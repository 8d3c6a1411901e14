"""The accepting side: handshakes are answered, requests become tasks, cancels and lost sockets end
them.

A channel carries the family sealane once it has shaken hands itself: nothing else tells which
sockets belong together.

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
from sealane.transport.admission import Admission
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
        admission: Admission,
    ) -> None:
        self.handlers: dict[str, Handler] = {}
        self.local = local
        self.responder = HandshakeResponder(release)
        self.tasks = tasks
        self.clock = clock
        self.limits = limits
        self.scope = scope
        self.admission = admission
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


class _Request:
    """A request being handled: the asyncio task that does, and its Task once that has started."""

    __slots__ = ("action", "cancelled", "id", "job", "scheme", "size", "task")

    def __init__(self, frame: Frame, action: str) -> None:
        self.id = frame.request_id
        self.action = action
        self.scheme = frame.scheme
        self.size = len(frame.body)
        self.job: asyncio.Task[None] | None = None
        self.task: Task | None = None
        self.cancelled = False

    def cancel(self, reason: str) -> None:
        self.cancelled = True
        if self.task is not None:
            self.task.cancel(reason)

    def stop(self, reason: str) -> None:
        """The Task has been cancelled, from wherever."""
        if self.job is not None:
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
        self._running: dict[int, _Request] = {}
        self._on_begin = on_begin
        self._on_end = on_end
        self._admitted = False
        self._stranger = True
        self._shook_hands = False
        self._foreign = False
        self._stranger_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._admitted = self._dispatcher.admission.enter(self.peer)
        if not self._admitted:
            self.abort()
            return
        self._on_begin(self)
        self._wait_for_word()

    def ended(self) -> None:
        if not self._admitted:
            return
        if self._stranger_timer is not None:
            self._stranger_timer.cancel()
        for running in list(self._running.values()):
            running.cancel("channel closed")
        self._running.clear()
        admission = self._dispatcher.admission
        admission.leave(stranger=self._stranger)
        if self._foreign:
            admission.foreign_left(self.peer)
        self._on_end(self)

    def _wait_for_word(self) -> None:
        timeout_s = self._limits.handshake_timeout_s
        self._stranger_timer = self._loop.call_later(timeout_s, self._dismiss_stranger)

    def _dismiss_stranger(self) -> None:
        if self._dispatcher.admission.may_be_silent(self.peer):
            self._wait_for_word()
            return
        waited = faults.format_time(self._limits.handshake_timeout_s)
        _log.info("closing connection [%s]: no message within [%s]", self.peer, waited)
        self.close()

    def _introduce(self) -> None:
        self._stranger = False
        self._dispatcher.admission.introduced()
        if self._stranger_timer is not None:
            self._stranger_timer.cancel()

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
        if self._stranger:
            self._introduce()
        self.send(PING)

    # -- requests ----------------------------------------------------------------------------------

    def receive_frame(self, frame: Frame) -> None:
        if self._stranger:
            self._introduce()
        action = frame.action
        if action is None or frame.is_response:
            _log.info(
                "dropping response [%d] on an accepted connection [%s]", frame.request_id, self.peer
            )
        elif action == TCP_HANDSHAKE:
            self._shook_hands = True
            self.send(self._dispatcher.responder.answer_tcp(frame))
        elif frame.version == SEALANE_VERSION and not self._shook_hands:
            raise RemoteProtocolError(f"request [{action}] before a handshake", _VERSION_OFFSET)
        elif action in _NODE_HANDSHAKES:
            self._answer_node_handshake(frame)
        elif frame.version == SEALANE_VERSION:
            self._receive_request(frame, action)
        else:
            self._refuse_foreign(frame, action)

    def _answer_node_handshake(self, frame: Frame) -> None:
        dispatcher = self._dispatcher
        if frame.version != SEALANE_VERSION and not self._foreign:
            self._foreign = True
            dispatcher.admission.foreign_arrived(self.peer)
        node, cluster = dispatcher.local()
        try:
            self.send(dispatcher.responder.answer_node(frame, node, cluster))
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
        running = self._running
        if action == sealane.CANCEL:
            taken_back = running.pop(request_id, None)
            if taken_back is not None:
                taken_back.cancel("by the requesting node")
            return
        if request_id in running:
            raise RemoteProtocolError(f"request id [{request_id}] is in use already", 6)
        dispatcher = self._dispatcher
        request = _Request(frame, action)
        handler = dispatcher.handlers.get(action)
        if handler is None:
            self._send_error(request, ActionNotFound(action))
            return
        refusal = dispatcher.check_capacity(action, request.size)
        if refusal is not None:
            self._send_error(request, refusal)
            return
        envelope, payload = sealane.read_request(frame.body)
        running[request_id] = request
        dispatcher.bytes_in_flight += request.size
        dispatcher.requests_in_flight += 1
        request.job = dispatcher.scope.start(
            self._serve(request, handler, envelope, payload, frame.headers)
        )

    async def _serve(
        self,
        request: _Request,
        handler: Handler,
        envelope: sealane.Envelope,
        payload: bytes,
        headers: Mapping[str, str],
    ) -> None:
        dispatcher = self._dispatcher
        try:
            if request.cancelled:
                return
            parent = None
            if envelope.parent_node:
                parent = TaskId(envelope.parent_node, envelope.parent_number)
            start_ms = dispatcher.clock.now_ms()
            with dispatcher.tasks.start(request.action, start_ms=start_ms, parent=parent) as task:
                request.task = task
                await self._handle(request, task, handler, envelope, payload, headers)
        finally:
            dispatcher.bytes_in_flight -= request.size
            dispatcher.requests_in_flight -= 1
            if self._awaits(request):
                del self._running[request.id]

    async def _handle(
        self,
        request: _Request,
        task: Task,
        handler: Handler,
        envelope: sealane.Envelope,
        payload: bytes,
        headers: Mapping[str, str],
    ) -> None:
        task.on_cancel(request.stop)
        deadline = None
        if envelope.time_left_ms is not None:
            deadline = self._loop.time() + envelope.time_left_ms / 1000
        context = Context(
            task=task,
            deadline=deadline,
            local_alias=envelope.local_alias,
            start_ms=envelope.start_ms,
            headers=headers or NO_HEADERS,
        )
        try:
            answer = await handler(payload, context)
            if self._awaits(request):
                self._send_answer(request, RESPONSE, answer)
        except ApiError as error:
            self._answer_error(request, error)
        except asyncio.CancelledError:
            if task.cancelled_reason is not None:
                self._answer_error(request, TaskCancelled(task.cancelled_reason))
            raise
        except Exception:
            _log.exception("handler of [%s] failed", request.action)
            text = f"internal error in the handler of [{request.action}], see the log there"
            self._answer_error(request, Internal(text))

    def _awaits(self, request: _Request) -> bool:
        """Whether the asker still wants an answer."""
        return self._running.get(request.id) is request

    def _answer_error(self, request: _Request, error: ApiError) -> None:
        if self._awaits(request):
            self._send_error(request, error)

    def _send_error(self, request: _Request, error: ApiError) -> None:
        try:
            body = sealane.error_body(error)
        except LocalProtocolError:
            _log.exception("an error cannot be sent as it is")
            plain = ApiError(error.reason)
            plain.es_type, plain.status = error.es_type, error.status
            body = sealane.error_body(plain)
        self._send_answer(request, RESPONSE | ERROR, body)

    def _send_answer(self, request: _Request, status: int, body: bytes) -> None:
        """Raises CircuitBreaking for an answer that the asker would refuse to read."""
        faults.check_frame_size("the answer", len(body), self._limits.frame_max_bytes)
        if request.scheme is not None:
            body = compress(body, request.scheme)
            status |= COMPRESSED
        head = encode_response_head(request.id, status, SEALANE_VERSION, len(body))
        self.send_message(head, body, at_once=len(self._running) <= 1)


_NODE_HANDSHAKES = frozenset({NODE_HANDSHAKE, KEY_HANDSHAKE})
_VERSION_OFFSET = 15
"""Of the version in a frame, for the log."""
