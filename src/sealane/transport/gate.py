"""Who may come in, and how this side says on whose behalf it asks: the two seams that security hangs on.

An accepted request is judged by its header, before anything of its body is unpacked; a request that is sent gets the
headers by which the other side judges it. Who that is and what the headers hold is decided by whoever implements this.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from sealane.model.node import Address
from sealane.model.security import Subject
from sealane.model.task import NO_HEADERS
from sealane.transport.tls_files import ContextSource
from sealane.wire.frame import Headers


class Profile(StrEnum):
    """What a port is for; the reference's names."""

    DEFAULT = "default"
    """Nodes of this cluster, and of clusters whose certificates are trusted."""
    REMOTE_CLUSTER = "_remote_cluster"
    """Clusters that come with a key."""


UNPROVEN_FRAME_MAX_BYTES: Final = 64 * 1024
"""Of a frame on the port for keys whose sender has not been authenticated yet."""


class Peer(Protocol):
    """The other end of an accepted socket."""

    @property
    def peer(self) -> Address: ...

    @property
    def certificate(self) -> bytes | None:
        """The one it has shown, verified, in DER form."""


class InboundGate(Protocol):
    def admit(
        self, profile: Profile, action: str, headers: Mapping[str, str], peer: Peer
    ) -> Subject | Awaitable[Subject]:
        """On whose behalf the request comes: at once where that is known, else an answer to wait for, for which
        nothing is begun before somebody does.

        Raises ApiError, at once or when waited for; it is sent back, and on the port for keys the connection
        ends after it. Every request passes here but the first handshake of a channel.
        """

    def key_expires_ms(self, subject: Subject) -> int | None:
        """When the key ends that the subject came with."""


class OutgoingHeaders(Protocol):
    """Of one connection."""

    def headers(self, action: str, subject: Subject, family: str) -> Headers:
        """What goes with a request of `subject` to a node of that wire family. The same object as long as nothing
        changes.

        Raises SecurityError where the other side is not to be asked at all.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSecurity:
    """How one connection is secured. `by_key` shakes hands as the port for keys wants it."""

    tls: ContextSource | None = None
    outgoing: OutgoingHeaders | None = None
    by_key: bool = False


PLAIN: Final = LinkSecurity()


def without_private(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Those that may be shown and passed on: what nodes tell each other about who asks begins with `_`."""
    kept = {name: value for name, value in headers.items() if not name.startswith("_")}
    return kept or NO_HEADERS
