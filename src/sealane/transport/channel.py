"""One socket of a node connection: bytes become frames, frames go to whom they concern.

`Channel` is what both ends share. `OutboundChannel`, on the side that dialled, matches responses
with the requests that wait for them. The accepting side is in inbound.py.
"""

import asyncio
import logging
from collections.abc import Callable

from sealane.errors import NodeDisconnected
from sealane.model.node import Address
from sealane.transport.limits import TransportLimits
from sealane.transport.network import as_link, peer_of
from sealane.transport.statistics import Counters
from sealane.wire.compression import Scheme, compress, is_taken
from sealane.wire.decoder import Admit, FrameDecoder
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.frame import COMPRESSED, PING, Frame, Ping, encode_head

_log = logging.getLogger(__name__)

_JOIN_MAX = 64 * 1024
"""Smaller bodies are copied behind their head: one system call costs more than the copy."""


class Channel(asyncio.BufferedProtocol):
    """A socket that carries frames. Ends exactly once.

    Then `closed_by` says what was wrong with the bytes, `lost_by` with the link; None is an orderly end.
    """

    def __init__(self, limits: TransportLimits, admit: Admit | None = None) -> None:
        self.counters = Counters()
        self.is_open = False
        self.closed_by: RemoteProtocolError | None = None
        self.lost_by: Exception | None = None
        self.peer = Address("", 0)
        self.writable = True
        self._limits = limits
        self._link: asyncio.Transport | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._decoder = FrameDecoder(
            frame_max_bytes=limits.frame_max_bytes,
            header_max_bytes=limits.header_max_bytes,
            admit=admit,
        )

    # -- from the link -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = as_link(transport)
        self._link.set_write_buffer_limits(high=self._limits.write_buffer_max_bytes)
        self.peer = peer_of(transport)
        self.is_open = True

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._decoder.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        counters = self.counters
        counters.rx_bytes += nbytes
        for event in self._decoder.buffer_updated(nbytes):
            if not self.is_open:
                return
            if type(event) is Frame:
                counters.rx_count += 1
                try:
                    self.receive_frame(event)
                except RemoteProtocolError as wrong:
                    self.fail(wrong)
            elif type(event) is Ping:
                counters.rx_count += 1
                self.receive_ping()
            else:
                assert isinstance(event, RemoteProtocolError)
                self.fail(event)

    def eof_received(self) -> bool | None:
        # The link closes by itself then, but not before a peer that no longer reads has taken all.
        self.close()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._link = None
        if self._linger is not None:
            self._linger.cancel()
        self.lost_by = exc
        self.ended()

    def carried(self) -> tuple[int, int]:
        """Two numbers that stay the same while nothing comes, and nothing of what waits to be sent
        leaves. What leaves at once says nothing: the system takes it for a dead peer too."""
        unsent = 0 if self._link is None else self._link.get_write_buffer_size()
        return self.counters.rx_bytes, self.counters.tx_bytes - unsent if unsent else 0

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True

    # -- for the two kinds -------------------------------------------------------------------------
    def receive_frame(self, frame: Frame) -> None:
        """A frame has come. May raise RemoteProtocolError, which closes the channel."""
        raise NotImplementedError

    def receive_ping(self) -> None:
        raise NotImplementedError

    def ended(self) -> None:
        """The socket is gone; nothing else will come."""
        raise NotImplementedError

    # -- sending -----------------------------------------------------------------------------------

    def send(self, data: bytes, *, at_once: bool = True) -> None:
        """One frame. Without `at_once` it leaves at the end of the loop's step, together with
        others: the system call costs more than all else that is done for a small frame."""
        link = self._link
        if link is None or not self.is_open:
            return
        self.counters.tx_bytes += len(data)
        self.counters.tx_count += 1
        if not self._unsent:
            if at_once:
                link.write(data)
                return
            self._loop.call_soon(self._flush)
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        if self._unsent_bytes >= _JOIN_MAX:
            self._flush()

    def send_message(self, head: bytes, *body: bytes, at_once: bool = True) -> None:
        """A frame in parts; large ones are not copied together."""
        size = sum(map(len, body))
        if size <= _JOIN_MAX:
            self.send(b"".join((head, *body)), at_once=at_once)
            return
        self._flush()
        if self._link is None or not self.is_open:
            return
        self.counters.tx_bytes += len(head) + size
        self.counters.tx_count += 1
        self._link.write(head)
        for part in body:
            self._link.write(part)

    def _flush(self) -> None:
        if self._unsent:
            data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
            self._unsent.clear()
            self._unsent_bytes = 0
            if self._link is not None:
                self._link.write(data)

    def fail(self, wrong: RemoteProtocolError) -> None:
        """Closes because of what the peer sent, telling it why if it can understand that."""
        # Its traceback would keep the frame, of 100 MB perhaps, until the cycle is collected.
        wrong.__traceback__ = wrong.__context__ = None
        self.closed_by = wrong
        _log.warning("closing connection [%s]: %s", self.peer, wrong.reason)
        self._flush()
        if self._link is not None and wrong.reply:
            self._link.write(wrong.reply)
        self.close()

    def close(self) -> None:
        """What has been written is still sent, to a peer that takes it soon. `ended` follows."""
        self.is_open = False
        link = self._link
        if link is None or self._linger is not None:
            return
        self._flush()
        if link.get_write_buffer_size():
            self._linger = self._loop.call_later(self._limits.linger_s, self.abort)
        link.close()

    def abort(self) -> None:
        self.is_open = False
        self._unsent.clear()
        self._unsent_bytes = 0
        if self._link is not None:
            self._link.abort()


class OutboundChannel(Channel):
    """The dialling end. `pending` holds the futures of requests by their id; whoever adds one
    removes it."""

    def __init__(
        self, limits: TransportLimits, on_end: Callable[["OutboundChannel"], None]
    ) -> None:
        super().__init__(limits)
        self.pending: dict[int, asyncio.Future[Frame]] = {}
        self.unanswered_ticks = 0
        self._on_end = on_end
        self._on_writable: asyncio.Future[None] | None = None
        self._received_by_tick = -1
        self._pinged = False

    def receive_frame(self, frame: Frame) -> None:
        if not frame.is_response:
            raise RemoteProtocolError("received a request on a connection opened from here")
        waiting = self.pending.pop(frame.request_id, None)
        if waiting is None:
            # Most often the answer to a request that has timed out or was cancelled.
            _log.info(
                "dropping response with unknown request id [%d] from [%s]",
                frame.request_id,
                self.peer,
            )
        elif not waiting.done():
            waiting.set_result(frame)

    def receive_ping(self) -> None:
        """The echo of ours; it is not answered again."""

    def eof_received(self) -> bool | None:
        # Nothing will be answered any more, so nothing more need be sent.
        self.abort()
        return None

    def ended(self) -> None:
        if self._on_writable is not None and not self._on_writable.done():
            self._on_writable.set_result(None)
        self.fail_pending()
        self._on_end(self)

    def fail_pending(self) -> None:
        """Fails every request that waits on this channel."""
        lost, self.pending = self.pending, {}
        for answer in lost.values():
            if not answer.done():
                answer.set_exception(NodeDisconnected("connection closed"))
                answer.exception()  # seen: whoever waited may have gone

    def drop_pending(self) -> None:
        """Forgets the requests that wait: whoever waited has gone."""
        for answer in self.pending.values():
            answer.cancel()
        self.pending.clear()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._on_writable is not None and not self._on_writable.done():
            self._on_writable.set_result(None)

    def until_writable(self) -> "asyncio.Future[None]":
        """Done when the peer reads again, or the channel has ended. Shared by all who wait."""
        if self._on_writable is None or self._on_writable.done():
            self._on_writable = asyncio.get_running_loop().create_future()
        return self._on_writable

    def send_request(
        self,
        request_id: int,
        version: int,
        variable: bytes,
        body: tuple[bytes, bytes],
        scheme: Scheme | None,
    ) -> None:
        """A request in this version; the body has two parts."""
        alone = len(self.pending) <= 1
        size = len(body[0]) + len(body[1])
        if scheme is not None:
            packed = compress(b"".join(body), scheme)
            if is_taken(len(packed), size):
                head = encode_head(request_id, COMPRESSED, version, variable, len(packed))
                self.send_message(head, packed, at_once=alone)
                return
        head = encode_head(request_id, 0, version, variable, size)
        self.send_message(head, *body, at_once=alone)

    def tick(self) -> None:
        """Once per ping interval: a channel that has received nothing since the last one sends a
        ping.

        `unanswered_ticks` counts the intervals in a row that followed a ping and brought not a
        byte.
        """
        received = self.counters.rx_bytes
        silent = received == self._received_by_tick
        self._received_by_tick = received
        if not silent:
            self._pinged, self.unanswered_ticks = False, 0
            return
        if self._pinged:
            self.unanswered_ticks += 1
        self._pinged = True
        self.send(PING)
