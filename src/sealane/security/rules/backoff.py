"""How long somebody who guesses has to wait: by the address that failed logins come from, and by whom they name there.

Two counts decide. That of one name at one address is small, so that a client with an old password is slowed down soon,
and keeps nobody else at its address out. That of the whole address is larger, and meets those who try many names. Both
leak: what is left alone is forgiven. A login that succeeds changes nothing, or one known password would pay for guesses
at another.

Plain decisions: every call says what time it is, in seconds of any one clock. Whoever may enter by what is remembered
of an earlier login need not ask here. What is answered, and by which status, is left to the caller.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

_IPV6_NETWORK_BITS: Final = 64
"""An IPv6 host has as many addresses as it likes in its network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffLimits:
    """Failures are free up to a number; each further one doubles the wait, from `first_s` to `longest_s`."""

    free_of_name: int = 10
    free_of_source: int = 100
    first_s: float = 0.5
    longest_s: float = 5.0
    leak_s: float = 10.0
    """One failure is forgotten in this time."""
    sources_max: int = 4096
    names_max: int = 16_384
    summary_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What one line of a log says of an interval: attempts that failed, that were not tried, and from where most."""

    failed: int
    refused: int
    sources: int
    busiest: str


class _Counts:
    """Leaking counts by a key; the one that failed longest ago is forgotten first."""

    __slots__ = ("_free", "_kept", "_limits", "_most")

    def __init__(self, limits: BackoffLimits, free: int, most: int) -> None:
        self._limits = limits
        self._free = free
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()
        """The count and when it was that."""

    def wait_s(self, key: tuple[str, ...], now: float) -> float:
        kept = self._kept.get(key)
        if kept is None:
            return 0.0
        count, since = kept
        over = count - self._free
        if over < 0:
            return 0.0
        limits = self._limits
        pause = min(limits.first_s * math.pow(2.0, min(over, 32.0)), limits.longest_s)
        return max(0.0, since + pause - now)

    def add(self, key: tuple[str, ...], now: float) -> None:
        count = self._left(key, now) + 1.0
        ceiling = self._free + 32.0
        self._kept[key] = (min(count, ceiling), now)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _left(self, key: tuple[str, ...], now: float) -> float:
        count, since = self._kept.get(key, (0.0, now))
        return max(0.0, count - (now - since) / self._limits.leak_s)

    def __len__(self) -> int:
        return len(self._kept)


class LoginBackoff:
    """Failed logins of one node. Bounded; not for several threads."""

    def __init__(self, limits: BackoffLimits | None = None) -> None:
        self._limits = limits or BackoffLimits()
        self._names = _Counts(self._limits, self._limits.free_of_name, self._limits.names_max)
        self._sources = _Counts(self._limits, self._limits.free_of_source, self._limits.sources_max)
        self._failed = self._refused = 0
        self._by_source: dict[str, int] = {}
        self._summed_at: float | None = None

    def wait_s(self, host: str, name: str, now: float) -> float:
        """Seconds until a login as `name` from `host` may be tried; 0 when it may be now.

        A login that has to wait is not tried: it is counted for the log, and never lengthens the wait.
        """
        source = source_of(host)
        wait = max(self._names.wait_s((source, name), now), self._sources.wait_s((source,), now))
        if wait > 0.0:
            self._refused += 1
            self._note(source, now)
        return wait

    def failed(self, host: str, name: str, now: float) -> None:
        """A login was tried, and was wrong. `name` is as the client gave it: a user, or an id of a key."""
        source = source_of(host)
        self._names.add((source, name), now)
        self._sources.add((source,), now)
        self._failed += 1
        self._note(source, now)

    def _note(self, source: str, now: float) -> None:
        if self._summed_at is None:
            self._summed_at = now
        if source in self._by_source or len(self._by_source) < self._limits.sources_max:
            self._by_source[source] = self._by_source.get(source, 0) + 1

    def summary(self, now: float) -> Summary | None:
        """What happened since the last one, once an interval is over and if anything did. Then counting begins anew."""
        if self._summed_at is None or now - self._summed_at < self._limits.summary_every_s:
            return None
        busiest = max(self._by_source, key=self._by_source.__getitem__)
        found = Summary(self._failed, self._refused, len(self._by_source), busiest)
        self._failed = self._refused = 0
        self._by_source.clear()
        self._summed_at = None
        return found

    def __len__(self) -> int:
        """How many names and addresses are remembered."""
        return len(self._names) + len(self._sources)


def source_of(host: str) -> str:
    """What is counted as one: an IPv4 address, the network of an IPv6 address, any other text as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = int(address) >> (128 - _IPV6_NETWORK_BITS) << (128 - _IPV6_NETWORK_BITS)
        return f"{IPv6Address(network)}/{_IPV6_NETWORK_BITS}"
    return str(address)
