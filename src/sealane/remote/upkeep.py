"""Keeping one remote connected: when the next connect round runs, who waits for it, what came of
it.

A round runs at once after a configuration, a lost connection, or a request that needs one;
otherwise in the background with growing pauses for as long as connections are missing. What a round
does is the strategy's business.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sealane.clock import Clock
from sealane.errors import ApiError, ConnectTransport, Internal, Rejected
from sealane.model.backoff import Backoff
from sealane.remote.kept_errors import without_frames
from sealane.remote.schedule import Schedule

_WAITERS_MAX = 1000
_STEPS_OF_A_CONNECT = 3
"""Sockets and two handshakes, each of which may take the connect timeout."""
_ROUND_GRACE_S = 30.0
"""What a round may take beyond its connects: a nodes request."""
_log = logging.getLogger("sealane.remote")


class Strategy(Protocol):
    """What a mode must offer."""

    @property
    def missing(self) -> int: ...

    @property
    def dials(self) -> int: ...

    last_address: str
    warnings: list[str]

    async def fill(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """Why the last failed round failed, and at which address."""

    at_ms: int
    address: str
    error: ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepStatistics:
    """`next_attempt_in_s` is None while a round runs and while nothing is missing. `last_error`
    stays after a recovery.
    """

    rounds: int
    misses: int
    waiting: int
    running: bool
    next_attempt_in_s: float | None
    last_connected_at_ms: int | None
    last_error: LastError | None
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Round:
    """One connect round, or the one to come. `error` says how it ended, once `done` is set."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: ApiError | None = None
    waiting: int = 0


class Upkeep:
    """The loop of one remote. `run` is the body of a background task that its owner starts and
    cancels.
    """

    def __init__(
        self,
        alias: str,
        strategy: Strategy,
        *,
        connect_timeout_s: float,
        backoff: Backoff,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._alias = alias
        self._strategy = strategy
        self._dial_s = connect_timeout_s * _STEPS_OF_A_CONNECT
        self._schedule = Schedule(backoff)
        self._clock = clock
        self._chance = chance
        self._round: _Round | None = None
        """The round that runs, or the one that somebody waits for."""
        self._running = False
        self._wake = asyncio.Event()
        self._rounds = 0
        self._last_error: LastError | None = None
        self._last_connected_at_ms: int | None = None
        self._last_round_failed = False
        self._closed = False
        self.began_at = _now()
        """Loop time."""

    async def run(self) -> None:
        """Runs until it is cancelled, or closed: a cancel that got lost on the way does not keep it."""
        try:
            while not self._closed:
                await self._run_round()
                await self._wait_until_due()
        finally:
            self.close()

    def close(self) -> None:
        """Fails those who wait, now and later. Apart from `run`, which may be cancelled before it
        has begun.
        """
        self._closed = True
        self._wake.set()
        self._end_round(self._closed_error())

    @property
    def first_round_ended(self) -> bool:
        return self._rounds > 0

    @property
    def failure(self) -> ApiError | None:
        """Why the last round failed; None when it did not."""
        return self._last_error.error if self._last_error and self._last_round_failed else None

    def failure_so_far(self) -> ApiError:
        """What to tell somebody who cannot wait any longer: where the round under way has got to, and
        why the one before failed.
        """
        return ConnectTransport(
            f"[][{self._strategy.last_address}] not connected yet, the connect round of remote cluster "
            f"[{self._alias}] goes on",
            caused_by=self.failure,
        )

    def gained(self) -> None:
        """A connection is open. Who waits for one need not wait for the rest of the round."""
        self._last_connected_at_ms = self._clock.now_ms()
        if self._running and self._round is not None:
            self._round.done.set()
            self._round = _Round()

    def lost(self) -> None:
        """A connection has gone."""
        self._schedule.lost(_now(), chance=self._chance())
        self._wake.set()

    def kick(self) -> None:
        """Somebody would have liked a connection: a round soon, without waiting for it."""
        self._schedule.kick(_now())
        self._wake.set()

    async def wait_round(self) -> None:
        """Waits until the round that runs, or one begun for this, has opened a connection or ended.

        All who wait share one round. Raises the round's error; Rejected when too many wait.
        """
        if self._closed:
            raise self._closed_error()
        joined = self._round
        if joined is None:
            joined = self._round = _Round()
            self._wake.set()
        if joined.waiting >= _WAITERS_MAX:
            raise Rejected("connect listener queue is full", caused_by=self.failure)
        joined.waiting += 1
        try:
            await joined.done.wait()
        finally:
            joined.waiting -= 1
        if joined.error is not None:
            raise ApiError.from_wire(joined.error.to_wire())

    def statistics(self) -> UpkeepStatistics:
        pause_s = None if self._running else self._due_in_s()
        return UpkeepStatistics(
            rounds=self._rounds,
            misses=self._schedule.misses,
            waiting=self._round.waiting if self._round else 0,
            running=self._running,
            next_attempt_in_s=pause_s,
            last_connected_at_ms=self._last_connected_at_ms,
            last_error=self._last_error,
            warnings=tuple(self._strategy.warnings),
        )

    # -- the loop ----------------------------------------------------------------------------------

    async def _run_round(self) -> None:
        if self._round is None:
            self._round = _Round()
        self._running = True
        self._schedule.round_began(_now())
        error: ApiError | None = None
        deadline_s = self._dial_s * self._strategy.dials + _ROUND_GRACE_S
        try:
            async with asyncio.timeout(deadline_s):
                await self._strategy.fill()
        except TimeoutError:
            error = ConnectTransport(
                f"[][{self._strategy.last_address}] connect round of remote cluster [{self._alias}] "
                f"gave up after [{deadline_s:g}s]"
            )
        except ApiError as raised:
            error = without_frames(raised)
        except Exception as fault:
            # A fault of ours is shown and retried like any failure: a remote must not stay lost for
            # it, nor those who wait for this round.
            _log.exception("connect round broke: alias=%s", self._alias)
            error = Internal(f"connect round of remote cluster [{self._alias}] broke: {fault!r}")
        finally:
            self._running = False
        self._account(error)
        self._end_round(error)

    def _account(self, error: ApiError | None) -> None:
        self._rounds += 1
        if error is not None:
            # A remote that stays away says so once, not at every attempt.
            level = logging.DEBUG if self._last_round_failed else logging.WARNING
            _log.log(level, "connect round failed: alias=%s error=%s", self._alias, error.reason)
            self._last_error = LastError(
                at_ms=self._clock.now_ms(),
                address=self._strategy.last_address,
                error=error,
            )
        self._last_round_failed = error is not None
        self._schedule.round_ended(_now(), missing=self._strategy.missing, chance=self._chance())

    def _closed_error(self) -> ApiError:
        return ConnectTransport(f"[{self._alias}] connection manager is closed")

    def _end_round(self, error: ApiError | None) -> None:
        ended, self._round = self._round, None
        if ended is not None:
            ended.error = error
            ended.done.set()

    async def _wait_until_due(self) -> None:
        while not self._closed:
            self._wake.clear()
            pause_s = self._due_in_s()
            if pause_s is not None and pause_s <= 0:
                return
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _due_in_s(self) -> float | None:
        return self._schedule.due_in_s(
            _now(), missing=self._strategy.missing, awaited=self._round is not None
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
