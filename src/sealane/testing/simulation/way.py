"""One direction of a simulated TCP connection: what two kernels and the network between them do.

Window, delay, retransmission, FIN and RST. What a program sees of it is link.py's business.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sealane.testing.simulation.path import Path, State

WINDOW_BYTES = 128 * 1024
"""What one kernel sends before the other has taken it."""
_GIVE_UP_S = 924.6
"""Linux sends lost bytes again for about so long, then the connection has timed out."""
_GIVE_UP_CLOSED_S = 100.0
"""The same for a connection that its program has closed already."""
_SHREDS_MAX = 4


class Fin:
    """Nothing follows."""


class Rst:
    """The connection does not exist."""


_FIN, _RST = Fin(), Rst()
_Segment = bytes | Fin | Rst


class Station:
    """What a link needs of the host it is on."""

    loop: asyncio.AbstractEventLoop
    is_dead = False
    """Power is off: it takes and gives no packets."""
    is_frozen = False
    """Its programs do not run: kernels go on, nothing is read."""
    frozen_since = 0.0


class End(Protocol):
    """An end of a connection, as the ways from and to it need it."""

    serial: str
    shredded: bool
    is_lost: bool

    @property
    def station(self) -> Station: ...

    @property
    def wants_drain(self) -> bool: ...

    def drain(self) -> None: ...

    def arrive(self, part: bytes | Fin) -> bool: ...

    def reset(self) -> None: ...

    def time_out(self) -> None: ...

    def expect_nothing(self) -> None: ...


class Way:
    """One direction of a connection, from `src` to `dst`; `back` is the path that its
    acknowledgements take. `other` is the other direction."""

    __slots__ = (
        "_deaf",
        "_ended",
        "_finished",
        "_give_up",
        "_last_at",
        "_loop",
        "_note",
        "_queue",
        "_timer",
        "_unacked",
        "_unacked_lost",
        "back",
        "dst",
        "other",
        "path",
        "src",
    )

    other: "Way"

    def __init__(
        self, src: End, dst: End, path: Path, back: Path, note: Callable[..., None]
    ) -> None:
        self.src, self.dst, self.path, self.back = src, dst, path, back
        self._note = note
        self._loop = src.station.loop
        self._queue: deque[tuple[float, _Segment]] = deque()
        self._unacked = 0
        self._unacked_lost = 0
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._give_up: asyncio.TimerHandle | None = None
        self._finished = False
        self._ended = False
        self._deaf = False

    @property
    def dark_since(self) -> float | None:
        """Since when nothing gets through one way or the other, or is not read there."""
        dark = [each.dark_since for each in (self.path, self.back) if each.state is State.DARK]
        if self.dst.station.is_frozen:
            dark.append(self.dst.station.frozen_since)
        return min(dark, default=None)

    @property
    def room(self) -> int:
        return WINDOW_BYTES - self._unacked

    # -- sending -----------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._ended or self._finished:
            return
        self._unacked += len(data)
        if self.src.shredded and len(data) > 1:
            chance = self.path.chance
            cuts = sorted(
                chance.randrange(1, len(data)) for _ in range(chance.randint(0, _SHREDS_MAX))
            )
            start = 0
            for cut in (*cuts, len(data)):
                if cut > start:
                    self._enqueue(data[start:cut], cut - start)
                    start = cut
        else:
            self._enqueue(data, len(data))

    def send_fin(self) -> None:
        if not (self._ended or self._finished):
            self._finished = True
            self._enqueue(_FIN, 0)

    def send_rst(self) -> None:
        if not self._ended:
            self._finished = self._ended = True
            self._enqueue(_RST, 0)

    def end(self) -> None:
        """The sending end knows that there is no connection; what is under way still arrives."""
        self._ended = True

    def forget(self) -> None:
        """The sending host is gone, and what it had not got across with it."""
        self._ended = True
        self._queue.clear()
        self._stop_timers()
        self.dst.expect_nothing()

    def _enqueue(self, segment: _Segment, size: int) -> None:
        at = max(self._last_at, self._loop.time() + self.path.draw_delay_s(size))
        self._last_at = at
        self._queue.append((at, segment))
        if self._timer is None and self._give_up is None:
            self._timer = self._loop.call_at(at, self._arrive)

    # -- arriving ----------------------------------------------------------------------------------

    def _arrive(self) -> None:
        self._timer = None
        path = self.path
        now = self._loop.time()
        while self._queue and self._queue[0][0] <= now:
            segment = self._queue[0][1]
            if path.state is State.DARK or self.dst.station.is_dead:
                self._stall(segment)
                return
            if path.state is State.DOWN:
                self._refuse(segment)
                return
            self._queue.popleft()
            self._deliver(segment)
        if self._queue and self._timer is None:
            self._timer = self._loop.call_at(self._queue[0][0], self._arrive)

    def _deliver(self, segment: _Segment) -> None:
        dst = self.dst
        if isinstance(segment, Rst):
            self._note("rst", dst.serial)
            self._queue.clear()
            dst.reset()
        elif dst.is_lost:
            # There is no such socket any more; a FIN is answered by the kernel, bytes are not.
            if isinstance(segment, bytes) and not self._deaf:
                self._deaf = True
                self.other.answer_rst()
        elif isinstance(segment, Fin):
            self._note("fin", dst.serial)
            dst.arrive(segment)
        else:
            self._note("data", dst.serial, len(segment))
            if dst.arrive(segment):
                self.taken(len(segment))

    def taken(self, count: int) -> None:
        """The receiving program has read so many bytes, and its kernel says so."""
        if self.back.state is State.DARK:
            self._unacked_lost += count
            self.back.stalled[self] = None
            return
        self._unacked -= count
        if self.src.wants_drain:
            self._loop.call_soon(self.src.drain)

    def answer_rst(self) -> None:
        """The kernel of a socket that is gone answers what came for it."""
        if not self.src.station.is_dead:
            self._ended = False
            self.send_rst()

    # -- trouble -----------------------------------------------------------------------------------

    def _stall(self, segment: _Segment) -> None:
        """Lost. It is sent again and again until the path clears, or for so long."""
        if isinstance(segment, Rst):
            # Nobody sends that again.
            self._note("lost_rst", self.dst.serial)
            self._queue.clear()
            self.dst.expect_nothing()
            return
        self._note("stall", self.src.serial)
        self.path.stalled[self] = None
        patience_s = _GIVE_UP_CLOSED_S if self.src.is_lost else _GIVE_UP_S
        self._give_up = self._loop.call_later(patience_s, self._gave_up)

    def path_cleared(self, pause_s: float) -> None:
        if self._unacked_lost:
            lost, self._unacked_lost = self._unacked_lost, 0
            self.taken(lost)
        if self._give_up is None:
            return
        if self.dst.station.is_dead or self.path.state is State.DARK:
            self.path.stalled[self] = None
            return
        self._give_up.cancel()
        self._give_up = None
        if self._queue:
            at = self._loop.time() + pause_s
            self._queue = deque((max(at, when), segment) for when, segment in self._queue)
            self._last_at = max(at, self._last_at)
            self._timer = self._loop.call_at(at, self._arrive)

    def _gave_up(self) -> None:
        self._give_up = None
        self.path.stalled.pop(self, None)
        self._queue.clear()
        self._ended = True
        self._note("gave_up", self.src.serial)
        self.src.time_out()
        self.dst.expect_nothing()

    def _refuse(self, segment: _Segment) -> None:
        """A packet is answered with a reset; the other end does not hear of it."""
        self._note("refused", self.src.serial)
        self._queue.clear()
        self._ended = True
        self.src.reset()
        self.dst.expect_nothing()

    def answers_probe(self) -> bool:
        """Whether a keep-alive probe of `src` learns that the other end does not know it."""
        there = self.path.state is State.UP and self.back.state is State.UP
        return there and not self.dst.station.is_dead and self.dst.is_lost

    def _stop_timers(self) -> None:
        self.path.stalled.pop(self, None)
        self.back.stalled.pop(self, None)
        for timer in (self._timer, self._give_up):
            if timer is not None:
                timer.cancel()
        self._timer = self._give_up = None
