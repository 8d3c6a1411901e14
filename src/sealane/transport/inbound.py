"""The accepting side: handshakes are answered, requests become tasks, cancels and lost sockets end
them.

A channel carries the family sealane once it has shaken hands itself: nothing else tells which
sockets belong together.

An `InboundChannel` is one accepted socket; what all of them share is the `Dispatcher`'s. What the
actions do is their handlers' business, for real servers as for our own nodes.

On a node with security each request but the first handshake passes its gate, by its header and before its
body is unpacked. On the port for keys a request that does not pass ends the connection.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from sealane.errors import (
    ActionNotFound,
    ApiError,
    IllegalArgument,
    IllegalState,
    Internal,
    ReceiveTimeout,
    TaskCancelled,
)
from sealane.model.security import ANONYMOUS, Subject
from sealane.model.task import NO_HEADERS, Context, Task, TaskId
from sealane.transport import faults
from sealane.transport.channel import Channel
from sealane.transport.dispatcher import (
    BY_REQUESTER,
    Dispatcher,
    ForeignHandler,
    Handler,
    InboundRequest,
)
from sealane.transport.doorway import STATUS_OFFSET, Doorway
from sealane.transport.gate import UNPROVEN_FRAME_MAX_BYTES, Profile, without_private
from sealane.wire.compression import compress, is_taken
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE, TCP_HANDSHAKE
from sealane.wire.families.foreign import CANCELS
from sealane.wire.families.known import WIRES
from sealane.wire.families.protocol import Envelope, Wire
from sealane.wire.families.sealane import CANCEL, SEALANE, read_ban
from sealane.wire.frame import COMPRESSED, ERROR, PING, RESPONSE, Frame, encode_response_head
from sealane.wire.versions import SEALANE_VERSION

_log = logging.getLogger(__name__)


class InboundChannel(Channel):
    """One accepted socket. The dialling side chooses which of its sockets carries what."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        on_begin: Callable[["InboundChannel"], None],
        on_end: Callable[["InboundChannel"], None],
        profile: Profile = Profile.DEFAULT,
    ) -> None:
        gate = dispatcher.gate
        super().__init__(dispatcher.limits, None if gate is None else self._look_at)
        self._doorway = None if gate is None else Doorway(gate, profile, self, self._proven)
        self._dispatcher = dispatcher
        self.profile = profile
        self._strict = profile is Profile.REMOTE_CLUSTER
        if self._strict:
            self._decoder.frame_max_bytes = UNPROVEN_FRAME_MAX_BYTES
            self._decoder.header_max_bytes = dispatcher.header_max_bytes[profile]
        self._running: dict[int, InboundRequest] = {}
        self._on_begin = on_begin
        self._on_end = on_end
        self._admitted = False
        self._stranger = True
        self._shook_hands = False
        self._foreign = False
        self._stranger_timer: asyncio.TimerHandle | None = None
        self._held = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._admitted = self._dispatcher.admission.enter(self.peer, self.abort)
        if not self._admitted:
            self.abort()
            return
        self._on_begin(self)
        self._wait_for_word()

    def buffer_updated(self, nbytes: int) -> None:
        super().buffer_updated(nbytes)
        held = self._decoder.held
        if held != self._held:
            self._hold(held)

    def _hold(self, held: int) -> None:
        """Counts what has come of a large frame, whoever else receives one."""
        dispatcher, most = self._dispatcher, self._limits.receiving_max_bytes
        dispatcher.bytes_receiving += held - self._held
        self._held = held
        if held and dispatcher.bytes_receiving > most:
            self.fail(RemoteProtocolError(f"unfinished messages exceed [{most}] bytes in all"))
            self.abort()

    def ended(self) -> None:
        if not self._admitted:
            return
        self._dispatcher.bytes_receiving -= self._held
        if self._stranger_timer is not None:
            self._stranger_timer.cancel()
        for running in list(self._running.values()):
            running.cancel("channel closed")
        self._running.clear()
        admission = self._dispatcher.admission
        admission.leave(self.abort)
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

    @property
    def certificate(self) -> bytes | None:
        """The one that the peer has shown, verified, in DER form."""
        tls = None if self._link is None else self._link.get_extra_info("ssl_object")
        if not isinstance(tls, ssl.SSLObject):
            return None
        return tls.getpeercert(binary_form=True)

    def limit_headers(self, size: int) -> None:
        """In bytes, of the requests that begin from now on."""
        self._decoder.header_max_bytes = size

    # -- who asks ----------------------------------------------------------------------------------

    def _look_at(self, frame: Frame) -> bool:
        """What the gate says to a request, before anything of its body is unpacked. Whether to go on reading."""
        assert self._doorway is not None
        return self._doorway.look_at(frame)

    def _proven(self) -> None:
        """A request has come here by a key that is right."""
        self._decoder.frame_max_bytes = self._limits.frame_max_bytes
        self._introduce()
        # Its other channels may be silent for long: they are for later requests.
        self._note_foreign()

    def _note_foreign(self) -> None:
        if not self._foreign:
            self._foreign = True
            self._dispatcher.admission.foreign_arrived(self.peer)

    def _ask_in(self, frame: Frame, action: str) -> None:
        admission = frame.admission
        if isinstance(admission, Subject):
            self._take_in(frame, action, admission)
        elif isinstance(admission, ApiError):
            self._refuse(frame, action, admission)
        else:
            waiting = self._await_admission(frame, action, cast(Awaitable[Subject], admission))
            self._dispatcher.scope.start(waiting)

    async def _await_admission(
        self, frame: Frame, action: str, admission: Awaitable[Subject]
    ) -> None:
        outcome = await self._verdict(frame, action, admission)
        try:
            if isinstance(outcome, ApiError):
                self._refuse(frame, action, outcome)
            elif self.is_open:
                self._take_in(frame, action, outcome)
        except RemoteProtocolError as wrong:
            self.fail(wrong)

    async def _verdict(
        self, frame: Frame, action: str, admission: Awaitable[Subject]
    ) -> Subject | ApiError:
        """What waits for it takes as much room as what runs."""
        assert self._doorway is not None
        dispatcher, size = self._dispatcher, len(frame.body)
        refusal = dispatcher.check_capacity(action, size)
        if refusal is not None:
            self._doorway.drop()
            return refusal
        dispatcher.bytes_in_flight += size
        try:
            return await self._doorway.subject(admission)
        except ApiError as refused:
            return refused
        finally:
            dispatcher.bytes_in_flight -= size

    def _refuse(self, frame: Frame, action: str, error: ApiError) -> None:
        wire = WIRES.get(frame.version)
        if wire is None:
            raise RemoteProtocolError(f"request [{action}] marked as a handshake", STATUS_OFFSET)
        self._send_error(InboundRequest(frame, action, wire), error)
        if self._doorway is not None and self._doorway.ends_by(error):
            _log.info("closing connection [%s]: [%s] %s", self.peer, action, error.reason)
            self.close()

    def _heard(self) -> None:
        if self._stranger and (self._doorway is None or self._doorway.proven):
            self._introduce()

    def _introduce(self) -> None:
        self._stranger = False
        self._dispatcher.admission.introduced(self.abort)
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
        self._heard()
        self.send(PING)

    # -- requests ----------------------------------------------------------------------------------

    def receive_frame(self, frame: Frame) -> None:
        self._heard()
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
        elif self._doorway is None:
            self._take_in(frame, action, ANONYMOUS)
        else:
            self._ask_in(frame, action)

    def _take_in(self, frame: Frame, action: str, subject: Subject) -> None:
        """A request of somebody who may ask."""
        if action in _NODE_HANDSHAKES:
            self._answer_node_handshake(frame, action, subject)
        elif frame.version == SEALANE_VERSION:
            self._receive_request(frame, action, subject)
        else:
            self._receive_foreign(frame, action, subject)

    def _answer_node_handshake(self, frame: Frame, action: str, subject: Subject) -> None:
        dispatcher = self._dispatcher
        if action == KEY_HANDSHAKE and not self._strict:
            wanted = f"[{Profile.REMOTE_CLUSTER}], but got [{self.profile}]"
            text = f"remote cluster handshake action requires channel profile to be {wanted}"
            self._refuse(frame, action, IllegalArgument(text))
            return
        if frame.version != SEALANE_VERSION:
            self._note_foreign()
        node, cluster = dispatcher.local()
        gate = dispatcher.gate
        expires_ms = None if gate is None else gate.key_expires_ms(subject)
        try:
            self.send(dispatcher.responder.answer_node(frame, node, cluster, expires_ms))
        except LocalProtocolError as wrong:
            _log.warning("cannot answer the handshake of [%s]: %s", self.peer, wrong)
            request = InboundRequest(frame, str(frame.action), WIRES[frame.version])
            self._send_error(request, IllegalState(str(wrong)))

    def _receive_foreign(self, frame: Frame, action: str, subject: Subject) -> None:
        """A request of a real server."""
        wire = WIRES.get(frame.version)
        if wire is None:
            raise RemoteProtocolError(f"request [{action}] marked as a handshake", STATUS_OFFSET)
        request = InboundRequest(frame, action, wire)
        answer = self._dispatcher.foreign_handlers.get(action)
        if answer is None and action not in CANCELS:
            self._send_error(request, self._unsupported(action, wire))
            return
        try:
            envelope, payload = wire.read_request(frame.body)
            if answer is None:
                self._cancel_foreign(request, payload, subject)
                return
        except RemoteProtocolError as wrong:
            text = f"malformed message for action [{action}]: {wrong}"
            self._send_error(request, IllegalArgument(text))
            return
        if self._admit(request):
            self._begin(request, _bound(answer, wire), envelope, payload, frame, subject)
            self._dispatcher.note_child(request, envelope, subject.came_by)

    def _cancel_foreign(self, request: InboundRequest, payload: bytes, subject: Subject) -> None:
        """What has ended by itself is no error: the answer is empty either way."""
        wanted = request.wire.read_cancel(request.action, payload)
        if wanted is not None:
            self._dispatcher.cancel_children(wanted, subject.came_by)
        self._send_answer(request, RESPONSE, b"")

    def _unsupported(self, action: str, wire: Wire) -> ApiError:
        error: ApiError = faults.unsupported_from_family(action, wire.product)
        if action not in self._dispatcher.handlers:
            explanation, error = error, ActionNotFound(action)
            error.caused_by = explanation
        return error

    def _receive_request(self, frame: Frame, action: str, subject: Subject) -> None:
        request_id = frame.request_id
        running = self._running
        if action == CANCEL:
            taken_back = running.pop(request_id, None)
            if taken_back is not None:
                taken_back.cancel(BY_REQUESTER)
            self._ban(frame, subject)
            return
        request = InboundRequest(frame, action, SEALANE)
        handler = self._dispatcher.handlers.get(action)
        if handler is None:
            self._send_error(request, ActionNotFound(action))
            return
        if self._admit(request):
            envelope, payload = SEALANE.read_request(frame.body)
            self._begin(request, handler, envelope, payload, frame, subject)

    def _ban(self, frame: Frame, subject: Subject) -> None:
        """The requester's task was cancelled as a whole: whatever else it asks for comes too late."""
        if frame.body:
            node, number, reason = read_ban(frame.body)
            dispatcher = self._dispatcher
            now_ms = dispatcher.clock.now_ms()
            parent, owner = TaskId(node, number), subject.came_by
            dispatcher.tasks.ban(parent, reason, now_ms=now_ms, owner=owner)

    def _admit(self, request: InboundRequest) -> bool:
        """Whether there is room for the request; it has been answered where there is none."""
        if request.id in self._running:
            raise RemoteProtocolError(f"request id [{request.id}] is in use already", 6)
        refusal = self._dispatcher.check_capacity(request.action, request.size)
        if refusal is not None:
            self._send_error(request, refusal)
        return refusal is None

    def _begin(
        self,
        request: InboundRequest,
        handler: Handler,
        envelope: Envelope,
        payload: bytes,
        frame: Frame,
        subject: Subject,
    ) -> None:
        dispatcher = self._dispatcher
        headers = frame.headers
        if headers and self._doorway is not None:
            headers = without_private(headers)
        self._running[request.id] = request
        dispatcher.bytes_in_flight += request.size
        dispatcher.requests_in_flight += 1
        request.job = dispatcher.scope.start(
            self._serve(request, handler, envelope, payload, headers, subject)
        )

    async def _serve(
        self,
        request: InboundRequest,
        handler: Handler,
        envelope: Envelope,
        payload: bytes,
        headers: Mapping[str, str],
        subject: Subject,
    ) -> None:
        dispatcher = self._dispatcher
        try:
            if request.cancelled:
                self._answer_error(request, TaskCancelled(BY_REQUESTER))
                return
            parent = None
            if envelope.parent_node:
                parent = TaskId(envelope.parent_node, envelope.parent_number)
            start_ms = dispatcher.clock.now_ms()
            with dispatcher.tasks.start(
                request.action,
                start_ms=start_ms,
                parent=parent,
                headers=headers,
                owner=subject.came_by,
            ) as task:
                request.task = task
                if task.cancelled_reason is not None:
                    self._answer_error(request, TaskCancelled(task.cancelled_reason))
                    return
                await self._handle(request, task, handler, envelope, payload, headers, subject)
        finally:
            dispatcher.bytes_in_flight -= request.size
            dispatcher.requests_in_flight -= 1
            if self._awaits(request):
                del self._running[request.id]
            # What they form together is a cycle: left to the garbage collector, its visits would take 50 ms.
            request.task = request.job = None

    async def _handle(
        self,
        request: InboundRequest,
        task: Task,
        handler: Handler,
        envelope: Envelope,
        payload: bytes,
        headers: Mapping[str, str],
        subject: Subject,
    ) -> None:
        task.on_cancel(request.stop)
        deadline = None
        if envelope.time_left_ms is not None:
            deadline = self._loop.time() + envelope.time_left_ms / 1000
        context = Context(
            task=task,
            subject=subject,
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
        except TimeoutError:
            # The requester has given up by now, or will: it said until when it waits.
            text = f"[{request.action}] took longer than its requester waits"
            self._answer_error(request, ReceiveTimeout(text))
        except asyncio.CancelledError:
            if task.cancelled_reason is not None:
                self._answer_error(request, TaskCancelled(task.cancelled_reason))
            raise
        except Exception:
            _log.exception("handler of [%s] failed", request.action)
            text = f"internal error in the handler of [{request.action}], see the log there"
            self._answer_error(request, Internal(text))

    def _awaits(self, request: InboundRequest) -> bool:
        """Whether the asker still wants an answer."""
        return self._running.get(request.id) is request

    def _answer_error(self, request: InboundRequest, error: ApiError) -> None:
        if self._awaits(request):
            self._send_error(request, error)

    def _send_error(self, request: InboundRequest, error: ApiError) -> None:
        node, _ = self._dispatcher.local()
        origin = f"[{node.name}][{node.address}][{request.action}]"
        try:
            body = request.wire.error_body(error, origin)
        except LocalProtocolError:
            _log.exception("an error cannot be sent as it is")
            plain = ApiError(error.reason)
            plain.es_type, plain.status = error.es_type, error.status
            body = request.wire.error_body(plain, origin)
        self._send_answer(request, RESPONSE | ERROR, body)

    def _send_answer(self, request: InboundRequest, status: int, body: bytes) -> None:
        """Raises CircuitBreaking for an answer that the asker would refuse to read."""
        faults.check_frame_size("the answer", len(body), self._limits.frame_max_bytes)
        if request.scheme is not None:
            packed = compress(body, request.scheme)
            if is_taken(len(packed), len(body)):
                body, status = packed, status | COMPRESSED
        head = encode_response_head(request.id, status, request.wire.version, len(body))
        self.send_message(head, body, at_once=len(self._running) <= 1)


def _bound(handler: ForeignHandler, wire: Wire) -> Handler:
    return lambda payload, ctx: handler(payload, ctx, wire)


_NODE_HANDSHAKES = frozenset({NODE_HANDSHAKE, KEY_HANDSHAKE})
_VERSION_OFFSET = 15
"""Of the version in a frame, for the log."""
