"""An open connection to one node: several channels that live and die together, and the requests on
them.

Opening one is the connector's. Channels take turns; a request is answered on the one it was sent on.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sealane.errors import ApiError, NodeDisconnected, TaskCancelled
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context
from sealane.transport import faults
from sealane.transport.channel import OutboundChannel
from sealane.transport.gate import OutgoingHeaders
from sealane.transport.limits import ConnectionProfile, TransportLimits
from sealane.transport.liveness import Liveness
from sealane.transport.statistics import ConnectionStatistics, Counters
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.protocol import Envelope, NodeHello, Wire
from sealane.wire.frame import (
    Frame,
    Headers,
    encode_head,
    encode_variable_header,
    plain_request_header,
    request_header,
)

_log = logging.getLogger(__name__)

_SILENT_TICKS_MAX = 3
"""Pings without a byte in return after which the peer is taken for dead: a busy peer may miss one.
"""

_IN_ROW_MAX = 8
"""Requests of the same step of the loop that share a channel: they cross in one packet. More would
let one large answer hold up too many others."""

OnClose = Callable[["NodeConnection"], None]


class NodeConnection:
    """Made by `TransportService.connect`; the service closes what is left when it closes."""

    def __init__(
        self,
        *,
        channels: Sequence[OutboundChannel],
        address: Address,
        wire: Wire,
        peer: NodeHello,
        profile: ConnectionProfile,
        limits: TransportLimits,
        request_ids: Iterator[int],
        outgoing: OutgoingHeaders | None = None,
        by_key: bool = False,
    ) -> None:
        """`outgoing` gives the headers by which the node judges each request."""
        self.by_key = by_key
        """Whether the node answers at a port for keys."""
        self.node: NodeInfo = peer.node
        self.key_expires_ms = peer.key_expires_ms
        """When the key ends that this side came with, as the node has told."""
        self._outgoing = outgoing
        self.cluster = ClusterIdentity(name=peer.cluster_name, uuid=peer.cluster_uuid)
        self.wire = wire
        self.version: str = peer.release
        self.address = address
        self.channels = list(channels)
        self._wire_version = wire.version
        self._actions = wire.actions
        self._scheme = wire.scheme(profile.compress)
        scheme, actions = profile.compress_only or (None, frozenset[str]())
        self._compressed_actions = actions if self._scheme is None else frozenset[str]()
        self._scheme_of_these = wire.scheme(scheme)
        self._frame_max_bytes = limits.frame_max_bytes
        self._pending_max = limits.in_flight_max_requests
        self._request_ids = request_ids
        self._turn = 0
        self._in_row = 0
        self._open = True
        self._on_close: list[OnClose] = []
        self._loop = asyncio.get_running_loop()
        self._tick: asyncio.TimerHandle | None = None
        self._liveness = Liveness(self.channels, self._presume_dead)
        if profile.ping_interval_s is not None and profile.ping_interval_s > 0:
            self._schedule_tick(profile.ping_interval_s)

    def __repr__(self) -> str:
        state = "open" if self._open else "closed"
        return f"<NodeConnection [{self.node.name}][{self.address}] {self.family} {state}>"

    @property
    def family(self) -> str:
        """The wire's name: `sealane`, `elasticsearch`, `opensearch`."""
        return self.wire.name

    @property
    def is_open(self) -> bool:
        return self._open

    @property
    def channels_open(self) -> int:
        return sum(channel.is_open for channel in self.channels)

    def statistics(self) -> ConnectionStatistics:
        total = Counters()
        for channel in self.channels:
            total.add(channel.counters)
        return ConnectionStatistics(
            channels_open=self.channels_open,
            pending=sum(len(channel.pending) for channel in self.channels),
            rx_bytes=total.rx_bytes,
            rx_count=total.rx_count,
            tx_bytes=total.tx_bytes,
            tx_count=total.tx_count,
        )

    # -- asking ------------------------------------------------------------------------------------

    async def request(
        self, action: str, payload: bytes, ctx: Context, *, timeout_s: float | None = None
    ) -> bytes:
        """The answer of the node's handler for `action`.

        Gives up at the context's deadline or after `timeout_s`, whichever is first
        (ReceiveTimeout), when the context's task is cancelled (TaskCancelled), or when the caller
        is; in each case the node is told to stop. Raises the ApiError that the handler raised,
        NodeDisconnected, NodeNotConnected, Rejected above the limit of waiting requests,
        IllegalArgument where this family cannot carry the action, and SecurityError where the subject
        has no rights there at all: then nothing is sent.
        """
        security: Headers = ()
        if self._outgoing is not None:
            security = self._outgoing.headers(action, ctx.subject, self.wire.name)
        if self._actions is not None and action not in self._actions:
            raise faults.unsupported_by_family(
                action, self.wire.product, self.cluster.name, self.address
            )
        faults.check_frame_size(action, len(payload), self._frame_max_bytes)
        loop = self._loop
        began = loop.time()
        deadline = ctx.deadline
        if timeout_s is not None and (deadline is None or began + timeout_s < deadline):
            deadline = began + timeout_s
        channel = self._next_channel(action)
        request_id = next(self._request_ids)
        answer: asyncio.Future[Frame] = loop.create_future()
        forget = ctx.task.on_cancel(lambda reason: _give_up(answer, TaskCancelled(reason)))
        timer = None
        if deadline is not None:
            timer = loop.call_at(deadline, self._expire, answer, action, request_id, began)
        channel.pending[request_id] = answer
        self._liveness.watch()
        sent = False
        try:
            while not (channel.writable or answer.done()):
                either: set[asyncio.Future[Any]] = {answer, channel.until_writable()}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                self._send(channel, request_id, action, payload, ctx, deadline, security)
                sent = True
            frame = await answer
        except NodeDisconnected:
            raise faults.node_disconnected(self.node.name, self.address, action) from None
        finally:
            forget()
            if timer is not None:
                timer.cancel()
            if channel.pending.pop(request_id, None) is not None and sent:
                self._take_back(channel, request_id, ctx, security)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, also when the caller was cancelled at the same moment
        return self._read_answer(frame)

    def _next_channel(self, action: str) -> OutboundChannel:
        if not self._open:
            raise faults.node_not_connected(self.node.name, self.address)
        channels = self.channels
        if not 0 < self._in_row < _IN_ROW_MAX:
            if not self._in_row:
                self._loop.call_soon(self._end_row)
            self._turn = (self._turn + 1) % len(channels)
            self._in_row = 0
        self._in_row += 1
        channel = channels[self._turn]
        if not channel.writable:
            # Its turn goes to one that takes more at once; while there is none, it waits.
            channel = next((each for each in channels if each.writable), channel)
        if len(channel.pending) * len(channels) >= self._pending_max:
            raise faults.too_many_requests(action, self._pending_max)
        return channel

    def _end_row(self) -> None:
        self._in_row = 0

    def _send(
        self,
        channel: OutboundChannel,
        request_id: int,
        action: str,
        payload: bytes,
        ctx: Context,
        deadline: float | None,
        security: Headers,
    ) -> None:
        task = ctx.task.id
        time_left_ms = None
        if deadline is not None:
            time_left_ms = max(0, int((deadline - self._loop.time()) * 1000))
        version = self._wire_version
        envelope = Envelope(task.node, task.number, time_left_ms, ctx.local_alias, ctx.start_ms)
        if ctx.headers:
            headers = {**ctx.headers, **dict(security)} if security else ctx.headers
            variable = encode_variable_header(version, 0, action, headers)
        elif security:
            variable = request_header(version, action, security)
        else:
            variable = plain_request_header(version, action)
        body = self.wire.request_body(envelope, payload)
        scheme = self._scheme
        if action in self._compressed_actions:
            scheme = self._scheme_of_these
        channel.send_request(request_id, version, variable, body, scheme)

    def _take_back(
        self, channel: OutboundChannel, request_id: int, ctx: Context, security: Headers
    ) -> None:
        """Tells the peer that nobody waits for this request any more."""
        version = self._wire_version
        parent = (ctx.task.id.node, ctx.task.id.number)
        banned = ctx.task.cancelled_reason
        for action, body in self.wire.cancel_requests(parent, request_id, banned=banned):
            cancel_id = request_id
            if self.wire.answers_cancels:
                cancel_id = next(self._request_ids)
                channel.pending[cancel_id] = self._loop.create_future()  # nobody waits for it
            variable = request_header(version, action, security)
            head = encode_head(cancel_id, 0, version, variable, len(body))
            channel.send(head + body, at_once=False)

    def _expire(
        self, answer: "asyncio.Future[Frame]", action: str, request_id: int, began: float
    ) -> None:
        waited = self._loop.time() - began
        error = faults.receive_timeout(self.node.name, self.address, action, request_id, waited)
        _give_up(answer, error)

    def _read_answer(self, frame: Frame) -> bytes:
        if not frame.is_error:
            body = frame.body
            return body if type(body) is bytes else bytes(body)
        try:
            raise self.wire.read_error(frame.body)
        except RemoteProtocolError as wrong:
            if self._actions is not None:
                # A real server knows more errors than are known here; the next answer may be fine.
                raise faults.unreadable_error(wrong.reason) from wrong
            self.close()
            raise faults.general_failure(self.node.name, self.address, wrong.reason) from wrong

    # -- the end -----------------------------------------------------------------------------------

    def on_close(self, callback: OnClose) -> Callable[[], None]:
        """Runs `callback(connection)` once it is closed by either side, at once if it is. Returns
        how to unregister."""
        if not self._open:
            callback(self)
            return lambda: None
        self._on_close.append(callback)

        def forget() -> None:
            if callback in self._on_close:
                self._on_close.remove(callback)

        return forget

    def close(self) -> None:
        """Closes all channels; waiting requests fail with NodeDisconnected. Calling it again
        changes nothing."""
        if not self._open:
            return
        self._open = False
        if self._tick is not None:
            self._tick.cancel()
        self._liveness.stop()
        for channel in self.channels:
            channel.close()
            channel.fail_pending()
        callbacks, self._on_close = self._on_close, []
        for callback in callbacks:
            callback(self)

    def channel_ended(self, channel: OutboundChannel) -> None:
        """One channel is gone, and with it the others: half a connection is a slow one."""
        if self._open:
            _log.info("connection to [%s][%s] lost", self.node.name, self.address)
            self.close()

    # -- keep-alive --------------------------------------------------------------------------------

    def _schedule_tick(self, interval_s: float) -> None:
        self._tick = self._loop.call_later(interval_s, self._keep_alive, interval_s)

    def _keep_alive(self, interval_s: float) -> None:
        for channel in self.channels:
            channel.tick()
        if any(channel.unanswered_ticks >= _SILENT_TICKS_MAX for channel in self.channels):
            self._presume_dead()
            return
        self._schedule_tick(interval_s)

    def _presume_dead(self) -> None:
        _log.warning("no answer to pings from [%s][%s], closing", self.node.name, self.address)
        self.close()
        for channel in self.channels:
            channel.abort()


def _give_up(answer: "asyncio.Future[Frame]", error: ApiError) -> None:
    if not answer.done():
        answer.set_exception(error)
