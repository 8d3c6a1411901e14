"""The gate of a node with security: what comes in by which port is judged by whom."""

from collections.abc import Awaitable, Callable, Mapping

from sealane.errors import ApiError
from sealane.inbound.cross_cluster import CrossClusterGate
from sealane.inbound.members import MembersGate
from sealane.model.security import Subject
from sealane.transport.gate import Peer, Profile

Refused = Callable[[str, Peer, ApiError], None]
"""Hears of each request that was not let in: action, sender, reason."""


class TransportGate:
    """An InboundGate. `by_key` None is a node whose port for keys is closed."""

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
        try:
            if profile is Profile.DEFAULT or self._by_key is None:
                return self._members.admit(action, headers, peer)
            return self._by_key.admit(action, headers, peer)
        except ApiError as error:
            self._on_refused(action, peer, error)
            raise

    def key_expires_ms(self, subject: Subject) -> int | None:
        return None if self._by_key is None else self._by_key.key_expires_ms(subject)
