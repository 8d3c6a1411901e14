"""The gate of a node with security: what comes in by which port is judged by whom."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any

from sealane.errors import ApiError, IllegalState
from sealane.inbound.cross_cluster import CrossClusterGate
from sealane.inbound.members import MembersGate
from sealane.model.security import Subject
from sealane.transport.gate import Peer, Profile

Refused = Callable[[str, Peer, ApiError], None]
"""Hears of each request that was not let in: action, sender, reason."""


class TransportGate:
    """An InboundGate. `by_key` None is a node whose port for keys is closed: nobody comes in by it."""

    def __init__(
        self,
        *,
        members: MembersGate,
        by_key: CrossClusterGate | None,
        on_refused: Refused = lambda action, peer, error: None,
    ) -> None:
        self._members = members
        self._by_key = by_key
        self._on_refused = on_refused

    def admit(
        self, profile: Profile, action: str, headers: Mapping[str, str], peer: Peer
    ) -> Subject | Awaitable[Subject]:
        judge = self._members if profile is Profile.DEFAULT else self._by_key
        try:
            if judge is None:
                raise IllegalState(f"the port of the profile [{profile}] is closed")
            found = judge.admit(action, headers, peer)
        except ApiError as error:
            self._on_refused(action, peer, error)
            raise
        if isinstance(found, Subject):
            return found
        return _Told(found, lambda error: self._on_refused(action, peer, error))

    def key_expires_ms(self, subject: Subject) -> int | None:
        return None if self._by_key is None else self._by_key.key_expires_ms(subject)


class _Told:
    """An answer to wait for, with somebody who hears where it is no. Like what it waits for it begins nothing before
    it is awaited.
    """

    __slots__ = ("_found", "_on_refused")

    def __init__(self, found: Awaitable[Subject], on_refused: Callable[[ApiError], None]) -> None:
        self._found, self._on_refused = found, on_refused

    def __await__(self) -> Generator[Any, None, Subject]:
        try:
            return (yield from self._found.__await__())
        except ApiError as error:
            self._on_refused(error)
            raise
