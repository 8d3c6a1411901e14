"""Who comes in by the transport's ordinary port on a node with security: nodes of this cluster, and of clusters whose
certificates are trusted.

A node says on whose behalf it asks and of which cluster it is, and is believed because of its certificate: whoever
holds one of a trusted authority is of one trust domain with this node. Even so a node of another cluster may only ask
what other clusters may ask, and what nodes of one cluster tell each other is asked by the node itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from sealane.cluster.forwarded import FORWARD
from sealane.cluster.published import JOIN
from sealane.errors import AuthenticationFailed, SecurityError
from sealane.model.security import SYSTEM, AuthenticationType, Subject
from sealane.remote.certificate_model import AUTHENTICATION_HEADER, CLUSTER_HEADER
from sealane.security.rules.access import denied
from sealane.security.rules.privileges import is_index_action
from sealane.transport.gate import Peer
from sealane.wire.families.discovery import KEY_HANDSHAKE, NODE_HANDSHAKE
from sealane.wire.families.foreign import CANCELS
from sealane.wire.families.sealane import CANCEL

_FOR_ANYBODY: Final = frozenset({NODE_HANDSHAKE, KEY_HANDSHAKE, CANCEL, *CANCELS})
"""Who is there, and what the channel itself judges."""
_INTERNAL, _RELAYED = "internal:", "internal:transport/proxy/"
_KNOWN_MAX: Final = 1024
"""Headers whose subject is kept."""
ALLOW_SETTING: Final = "transport.remote_cluster.allow_certificate_model"


class MembersGate:
    """`decode` reads a subject from its header; `allowed` says what other clusters may ask for at all."""

    def __init__(
        self,
        *,
        cluster_uuid: Callable[[], str],
        decode: Callable[[str], Subject],
        allowed: Callable[[str], bool],
        others_may_come: Callable[[], bool],
    ) -> None:
        self._cluster_uuid = cluster_uuid
        self._decode = decode
        self._allowed = allowed
        self._others_may_come = others_may_come
        self._known: OrderedDict[str, Subject] = OrderedDict()

    def admit(self, action: str, headers: Mapping[str, str], peer: Peer) -> Subject:
        """See `transport.gate.InboundGate`. Raises SecurityError, AuthenticationFailed."""
        text = headers.get(AUTHENTICATION_HEADER)
        if not text:
            raise AuthenticationFailed(f"missing authentication credentials for action [{action}]")
        subject = self._known.get(text)
        if subject is None:
            subject = self._read(text)
        if self._is_of_this_cluster(action, headers):
            self._check_internal(action, subject)
        else:
            self._check_other(action, subject)
        return subject

    def _read(self, text: str) -> Subject:
        subject = self._decode(text)
        if subject.type is AuthenticationType.INTERNAL:
            if subject.name != SYSTEM.name or subject.realm != SYSTEM.realm:
                raise SecurityError(
                    f"received a request from an unexpected internal user [{subject.name}]"
                )
            subject = SYSTEM
        self._known[text] = subject
        while len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return subject

    def _is_of_this_cluster(self, action: str, headers: Mapping[str, str]) -> bool:
        claimed = headers.get(CLUSTER_HEADER)
        if claimed:
            return claimed == self._cluster_uuid()
        # A node that has never been of a cluster asks to join one.
        return claimed is not None and action in (JOIN, NODE_HANDSHAKE)

    def _check_internal(self, action: str, subject: Subject) -> None:
        """Raises SecurityError for what a node says itself, asked in the name of a user."""
        if not action.startswith(_INTERNAL) or action.startswith(_RELAYED):
            return
        if action in _FOR_ANYBODY or action == FORWARD:
            return
        if subject.type is not AuthenticationType.INTERNAL:
            raise SecurityError(
                f"action [{action}] is for the nodes of a cluster among themselves, and "
                f"unauthorized for user [{subject.name}]"
            )

    def _check_other(self, action: str, subject: Subject) -> None:
        """Raises SecurityError for what only nodes of this cluster may ask, and for what is in indices where no user is
        named: what nodes do for themselves here is judged by nobody after this.
        """
        if not self._others_may_come():
            raise SecurityError(
                f"action [{action}] is refused: [{ALLOW_SETTING}] is [false], so other clusters have "
                "to come with an API key, by the dedicated remote cluster server port"
            )
        if action not in _FOR_ANYBODY and not self._allowed(action):
            raise SecurityError(
                f"action [{action}] is for the nodes of one cluster among themselves, and the asking "
                "node is of another one"
            )
        asked = action.removeprefix(_RELAYED)
        if subject is SYSTEM and is_index_action(asked):
            raise denied(subject, (subject.name,), action)
