"""Which HTTP connections may stay: how many there are, and how long each may take to say what it wants.

A connection is a stranger until the head of its first request has come whole. One that is late or too many is told so
here, and closes by itself. A request that comes at once costs nothing here.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

_log = logging.getLogger("sealane.rest")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Of one server. Times in seconds."""

    connections_max: int = 8192
    strangers_max: int = 1024
    strangers_of_host_max: int = 512
    head_timeout_s: float = 10.0
    """From the first byte of a head to its last; for the first head of a connection, from its opening."""
    body_timeout_s: float = 30.0
    """In which `body_step_bytes` of a body have to come."""
    body_step_bytes: int = 1024


class Connection(Protocol):
    """What is told here to go."""

    def head_is_late(self) -> None:
        """Closes."""

    def body_is_late(self) -> bool:
        """Closes; False where the body waits for this side, and gets its time anew."""

    def drop(self) -> None:
        """Closes at once."""


class HttpConnections:
    """All connections of a server. Whoever was let in by `enter` calls `leave` in the end."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self._open = 0
        self._strangers: dict[Connection, str] = {}
        self._strangers_of: Counter[str] = Counter()
        self._heads: dict[Connection, float] = {}
        self._bodies: dict[Connection, float] = {}
        """By connection when it is late. Each kind has one time, so the first is the first to be late."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._refused_last = False
        self.late = 0
        """Connections that were closed because they took too long, since the start."""
        self.refused = 0
        """Those that were too many."""

    def enter(self, connection: Connection, host: str) -> bool:
        """Whether one more may stay; its first head is awaited then. Of strangers, the oldest has to make room."""
        limits = self.limits
        if self._open >= limits.connections_max:
            level = logging.DEBUG if self._refused_last else logging.WARNING
            _log.log(
                level,
                "refusing HTTP connection from [%s]: [%d] connections are open",
                host,
                limits.connections_max,
            )
            self._refused_last = True
            self.refused += 1
            return False
        self._refused_last = False
        if self._strangers_of[host] >= limits.strangers_of_host_max:
            self._drop(next(each for each, theirs in self._strangers.items() if theirs == host))
        elif len(self._strangers) >= limits.strangers_max:
            self._drop(next(iter(self._strangers)))
        self._open += 1
        self._strangers[connection] = host
        self._strangers_of[host] += 1
        self.head_begins(connection)
        return True

    def leave(self, connection: Connection) -> None:
        self._open -= 1
        self._introduce(connection)
        self._heads.pop(connection, None)
        self._bodies.pop(connection, None)
        if self._timer is not None and not (self._heads or self._bodies):
            self._timer.cancel()
            self._timer = None

    def _drop(self, connection: Connection) -> None:
        self.refused += 1
        self._introduce(connection)
        connection.drop()

    def _introduce(self, connection: Connection) -> None:
        host = self._strangers.pop(connection, None)
        if host is not None:
            self._strangers_of[host] -= 1
            if not self._strangers_of[host]:
                del self._strangers_of[host]

    # -- what is awaited ---------------------------------------------------------------------------------------

    def head_begins(self, connection: Connection) -> None:
        self._await(self._heads, connection, self.limits.head_timeout_s)

    def head_ended(self, connection: Connection) -> None:
        self._heads.pop(connection, None)
        self._introduce(connection)

    def body_goes_on(self, connection: Connection) -> None:
        """It has begun, or a step of it has come: the next gets its time."""
        self._await(self._bodies, connection, self.limits.body_timeout_s)

    def body_ended(self, connection: Connection) -> None:
        self._bodies.pop(connection, None)

    def _await(self, kind: dict[Connection, float], connection: Connection, time_s: float) -> None:
        loop = asyncio.get_running_loop()
        late_at = loop.time() + time_s
        kind.pop(connection, None)
        kind[connection] = late_at
        if self._timer is None or late_at < self._timer_at:
            self._wake(loop, late_at)

    def _wake(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = loop.call_at(at, self._look), at

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        for connection in _due(self._heads, now):
            self.late += 1
            connection.head_is_late()
        for connection in _due(self._bodies, now):
            if connection.body_is_late():
                self.late += 1
            else:
                self.body_goes_on(connection)
        nexts = [next(iter(kind.values())) for kind in (self._heads, self._bodies) if kind]
        if nexts:
            self._wake(loop, min(nexts))

    def close(self) -> None:
        """Nobody is late any more."""
        self._heads.clear()
        self._bodies.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _due(kind: dict[Connection, float], now: float) -> list[Connection]:
    due = []
    for connection, late_at in kind.items():
        if late_at > now:
            break
        due.append(connection)
    for connection in due:
        del kind[connection]
    return due
