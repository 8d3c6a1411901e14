"""What has been asked of one remote since the node's start: requests, how long they took, how they failed, how much
crossed.

A request is held as a context manager while it is under way; its end is counted here and told to the breaker.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

from sealane.errors import ApiError, TaskCancelled
from sealane.model.histogram import Latencies
from sealane.remote.breaker import Breaker, is_failure, was_not_reached
from sealane.remote.in_flight import InFlight

_CLASSES_MAX: Final = 100
"""Kinds of failures that are counted by name: a remote may send any."""
OTHER: Final = "other"
CANCELLED: Final = TaskCancelled.es_type


class Traffic:
    """The counts of one remote. Bytes are those of requests and answers, before compression and without frames."""

    __slots__ = ("failures", "latencies", "received_bytes", "requests", "sent_bytes")

    def __init__(self) -> None:
        self.requests = 0
        self.failures: dict[str, int] = {}
        self.latencies = Latencies()
        self.sent_bytes = 0
        self.received_bytes = 0

    def count_failure(self, kind: str) -> None:
        if kind not in self.failures and len(self.failures) >= _CLASSES_MAX:
            kind = OTHER
        self.failures[kind] = self.failures.get(kind, 0) + 1


class UnderWay:
    """One request: `with cluster.request(): ...`. Its place was taken by whoever made it."""

    __slots__ = ("_began", "_breaker", "_limit", "_loop", "_pause_s", "_place", "_traffic")
    is_timed = True

    def __init__(
        self, place: InFlight, traffic: Traffic, breaker: Breaker, limit: int, pause_s: float
    ) -> None:
        self._place = place
        self._traffic = traffic
        self._breaker = breaker
        self._limit = limit
        self._pause_s = pause_s
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._place.__exit__(kind, error, trace)
        now = self._loop.time()
        traffic, breaker = self._traffic, self._breaker
        traffic.requests += 1
        if self.is_timed:
            traffic.latencies.add(now - self._began)
        if error is None:
            breaker.answered()
        elif isinstance(error, ApiError) and not isinstance(error, TaskCancelled):
            traffic.count_failure(error.es_type)
            if is_failure(error, now - self._began):
                breaker.failed(error, self._began, now, limit=self._limit, pause_s=self._pause_s)
            elif was_not_reached(error):
                breaker.given_up(self._began)
            else:
                breaker.answered()
        else:
            traffic.count_failure(CANCELLED)
            breaker.given_up(self._began)


class Background(UnderWay):
    """One request whose time is of no interest: it waits at the remote until something happens there."""

    __slots__ = ()
    is_timed = False
