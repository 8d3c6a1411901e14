"""Stops asking a remote that keeps failing, for a while, and says so.

A breaker counts failures of the way to the remote: connections that break, answers that do not come in time. What a
remote answers, errors included, is no failure. After enough of them in a row it is open: requests are refused at once
with the last failure as their cause. When the pause is over, or a connection has been opened anew, one request is let
through; its end decides. Decisions only, no clock: who asks says what time it is.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sealane.errors import (
    ApiError,
    ConnectTransport,
    NodeDisconnected,
    NodeNotConnected,
    NoSeedNodeLeft,
    ReceiveTimeout,
    RemoteUnavailable,
)
from sealane.remote.kept_errors import without_frames

_BROKEN: Final = (NodeDisconnected, ReceiveTimeout)
_NOT_REACHED: Final = (ConnectTransport, NodeNotConnected, NoSeedNodeLeft)
_WAITED_S: Final = 1.0
"""A remote that is known to be away costs a request nothing; it does when the request has waited for it this long."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatistics:
    """`retry_in_s` is None unless it is open. `refused` counts requests since the node's start."""

    state: BreakerState
    failures_in_a_row: int
    opened: int
    refused: int
    retry_in_s: float | None
    last_failure: ApiError | None


class Breaker:
    """Of one remote."""

    __slots__ = (
        "_alias",
        "_counted_at",
        "_in_a_row",
        "_last",
        "_opened",
        "_pause_s",
        "_probe_since",
        "_refused",
        "_retry_at",
    )

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._in_a_row = 0
        self._counted_at = float("-inf")
        self._retry_at: float | None = None
        self._probe_since: float | None = None
        self._last: ApiError | None = None
        self._opened = 0
        self._pause_s = 0.0
        self._refused = 0

    def check(self, now: float) -> None:
        """Lets a request that begins now through, or raises RemoteUnavailable."""
        if self._retry_at is None:
            return
        since = self._probe_since
        # A search may take long though all is well: after another pause the next one tries.
        if now >= self._retry_at and (since is None or now >= since + self._pause_s):
            self._probe_since = now
            return
        self._refused += 1
        raise RemoteUnavailable(
            self._alias,
            failures=self._in_a_row,
            retry_in_s=max(0.0, self._retry_at - now),
            cause=self._last,
        )

    def answered(self) -> None:
        """A request has come back, with whatever answer."""
        if self._in_a_row:
            self._in_a_row = 0
            self._retry_at = self._probe_since = None

    def failed(
        self, error: ApiError, began: float, now: float, *, limit: int, pause_s: float
    ) -> None:
        """A request that began then has failed on its way. `limit` in a row open the breaker; 0 never do.

        Requests that were under way together fail for one reason, and count as one.
        """
        is_probe = self._probe_since is not None and began >= self._probe_since
        if began < self._counted_at and not is_probe:
            return
        self._counted_at = now
        self._in_a_row += 1
        self._last = without_frames(error)
        if is_probe or (limit and self._in_a_row >= limit and self._retry_at is None):
            self._pause_s = pause_s
            self._retry_at = now + pause_s
            self._probe_since = None
            self._opened += 1

    def given_up(self, began: float) -> None:
        """A request that began then was cancelled, or found no connection: it says nothing of how the remote answers,
        and another may try.
        """
        if self._probe_since is not None and began >= self._probe_since:
            self._probe_since = None

    def reconnected(self, now: float) -> None:
        """A connection has been opened: an open breaker need not wait any longer."""
        if self._retry_at is not None:
            self._retry_at = min(self._retry_at, now)

    def reset(self) -> None:
        """The remote has been configured anew: what was before says nothing."""
        self._in_a_row = 0
        self._retry_at = self._probe_since = self._last = None

    def statistics(self, now: float) -> BreakerStatistics:
        state = BreakerState.CLOSED
        if self._retry_at is not None:
            state = BreakerState.OPEN if now < self._retry_at else BreakerState.HALF_OPEN
        is_open = state is BreakerState.OPEN and self._retry_at is not None
        return BreakerStatistics(
            state=state,
            failures_in_a_row=self._in_a_row,
            opened=self._opened,
            refused=self._refused,
            retry_in_s=self._retry_at - now if is_open and self._retry_at is not None else None,
            last_failure=self._last,
        )


def is_failure(error: BaseException, waited_s: float) -> bool:
    """Whether a request that took so long failed on its way, rather than by what the remote answered."""
    return isinstance(error, _BROKEN) or (
        isinstance(error, _NOT_REACHED)
        and not isinstance(error, RemoteUnavailable)
        and waited_s >= _WAITED_S
    )


def was_not_reached(error: BaseException) -> bool:
    """Whether there was no connection to ask by: where that is no failure, it is no answer either."""
    return isinstance(error, _NOT_REACHED)
