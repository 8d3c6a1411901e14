"""One end of a simulated TCP connection, as asyncio shows it to a protocol.

What one end writes the other reads, in order, later, and in other pieces: write buffer with its
limits, pause and resume, end of file, connection lost. What happens below is way.py's business;
names, listeners and hosts are network.py's.
"""

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from sealane.model.node import Address
from sealane.testing.simulation.way import Fin, Station, Way

_HIGH_WATER_BYTES = 64 * 1024
KEEP_IDLE_S = 300.0
_KEEP_INTERVAL_S = 75.0
_KEEP_PROBES = 9


class Link(asyncio.Transport):
    """One end of a connection."""

    def __init__(
        self,
        station: Station,
        serial: str,
        local: Address,
        peer: Address,
        on_gone: Callable[["Link"], None],
    ) -> None:
        super().__init__()
        self.station = station
        self.serial = serial
        self.local, self.peer = local, peer
        self._on_gone = on_gone
        self.owner = ""
        self.opened_at = station.loop.time()
        self.shredded = False
        """Whether its bytes arrive in many pieces."""
        self.out: Way
        self.is_lost = False
        self.has_descriptor = False
        self.corked = False
        """Its program does not read: a slow one."""
        self._loop = station.loop
        self._protocol: asyncio.BufferedProtocol | None = None
        self._closing = False
        self._reading = True
        self._received: deque[bytes | Fin] = deque()
        self._buffer: deque[bytes] = deque()
        self._buffered = 0
        self._high, self._low = _HIGH_WATER_BYTES, _HIGH_WATER_BYTES // 4
        self._paused = False
        self._half_closed = False
        self._keep_alive: asyncio.TimerHandle | None = None

    def begin(self, protocol: asyncio.BufferedProtocol) -> None:
        """The program has its connection."""
        self._protocol = protocol
        if self.is_lost:
            protocol.connection_made(self)
            protocol.connection_lost(_reset())
            return
        protocol.connection_made(self)
        self.take_received()

    # -- what a protocol calls ---------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._half_closed:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        whole = bytes(data)
        if not self._buffer:
            room = self.out.room
            if room >= len(whole):
                self.out.send(whole)
                return
            if room > 0:
                self.out.send(whole[:room])
                whole = whole[room:]
        self._buffer.append(whole)
        self._buffered += len(whole)
        if self._buffered > self._high and not self._paused:
            self._paused = True
            assert self._protocol is not None
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        if self._half_closed or self._closing:
            return
        self._half_closed = True
        if not self._buffer:
            self.out.send_fin()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._buffer:
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        self._break_off(None)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._reading = True
            self._loop.call_soon(self.take_received)

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = _HIGH_WATER_BYTES if low is None else 4 * low
        self._high, self._low = high, high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        return self._buffered

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peername":
            return (self.peer.host, self.peer.port)
        if name == "sockname":
            return (self.local.host, self.local.port)
        return default

    # -- what the kernel below does ----------------------------------------------------------------

    def drain(self) -> None:
        """There is room in the window again."""
        while self._buffer and self.out.room > 0:
            part = self._buffer.popleft()
            room = self.out.room
            if len(part) > room:
                self._buffer.appendleft(part[room:])
                part = part[:room]
            self._buffered -= len(part)
            self.out.send(part)
        if self._paused and self._buffered <= self._low and not self.is_lost:
            self._paused = False
            assert self._protocol is not None
            self._protocol.resume_writing()
        if not self._buffer and not self.is_lost:
            if self._closing:
                self._lose(None)
            elif self._half_closed:
                self.out.send_fin()

    @property
    def wants_drain(self) -> bool:
        return bool(self._buffer) or self._paused

    @property
    def _is_read(self) -> bool:
        """Whether the program takes what arrives."""
        return (
            self._reading
            and not self._closing
            and not self.corked
            and self._protocol is not None
            and not self.station.is_frozen
        )

    def arrive(self, part: bytes | Fin) -> bool:
        """Whether the program has taken it at once; else the kernel keeps it."""
        if self._received or not self._is_read:
            self._received.append(part)
            return False
        self._hand_over(part)
        return True

    def take_received(self) -> None:
        """The program reads what the kernel has kept."""
        while self._received and self._is_read:
            part = self._received.popleft()
            self._hand_over(part)
            if isinstance(part, bytes):
                self.out.other.taken(len(part))

    def _hand_over(self, part: bytes | Fin) -> None:
        protocol = self._protocol
        assert protocol is not None
        if not isinstance(part, bytes):
            if not protocol.eof_received():
                self.close()
            return
        rest = memoryview(part)
        while rest and not self._closing:
            room = memoryview(protocol.get_buffer(-1))
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            protocol.buffer_updated(count)
            rest = rest[count:]

    def reset(self) -> None:
        """The peer, or somebody on the way, says that there is no such connection."""
        self._received.clear()
        self._break_off(_reset())

    def reset_unaccepted(self) -> None:
        """Its listener has closed before any program had it."""
        self.out.send_rst()
        self._break_off(None)

    def time_out(self) -> None:
        self._break_off(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def vanish(self) -> None:
        """Its host has lost power, or its program was killed with its host's network down."""
        self.out.forget()
        self._break_off(ConnectionAbortedError(errno.ECONNABORTED, "host is down"))

    def _break_off(self, error: OSError | None) -> None:
        if self.is_lost:
            return
        self._closing = True
        self._buffer.clear()
        self._buffered = 0
        if error is not None:
            self.out.end()
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: OSError | None) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        self._on_gone(self)
        if any(isinstance(part, bytes) for part in self._received):
            self.out.send_rst()  # the peer is told that nobody will read its bytes
        else:
            self.out.send_fin()
        self._received.clear()
        if self._protocol is not None:
            self._protocol.connection_lost(error)

    # -- keep-alive --------------------------------------------------------------------------------

    def expect_nothing(self) -> None:
        """The other end has gone without a word that will arrive: only the kernel's probes tell."""
        if self._keep_alive is None and not self.is_lost:
            self._keep_alive = self._loop.call_later(KEEP_IDLE_S, self._probe, 1)

    def _probe(self, number: int) -> None:
        self._keep_alive = None
        if self.out.answers_probe():
            self.reset()
        elif number > _KEEP_PROBES:
            self.time_out()
        else:
            self._keep_alive = self._loop.call_later(_KEEP_INTERVAL_S, self._probe, number + 1)


def _reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
