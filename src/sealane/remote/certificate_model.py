"""How nodes that trust each other's certificates tell on whose behalf they ask: the subject goes in a header, and which
cluster the asking node is of in another.

What the header holds is believed because of the certificate; what the subject's roles grant is decided where it
arrives. See `inbound.members` for that side.
"""

from collections.abc import Callable
from typing import Final

from sealane.model.security import Subject
from sealane.wire.frame import Headers

AUTHENTICATION_HEADER: Final = "_xpack_security_authentication"
CLUSTER_HEADER: Final = "_sealane_cluster"
"""The uuid of the sender's cluster, empty before it knows one."""
_SUBJECTS_MAX: Final = 1000
"""Whose headers are kept."""


class CertificateHeaders:
    """An OutgoingHeaders, of all connections by certificate. `encode` writes a subject for a wire family."""

    def __init__(
        self, cluster_uuid: Callable[[], str], encode: Callable[[Subject, str], str]
    ) -> None:
        self._cluster_uuid = cluster_uuid
        self._encode = encode
        self._known: dict[tuple[int, str], tuple[Subject, str, Headers]] = {}
        """By the subject's identity, which is kept with it: whoever is known already comes as the same object."""

    def headers(self, action: str, subject: Subject, family: str) -> Headers:
        at, uuid = (id(subject), family), self._cluster_uuid()
        known = self._known.get(at)
        if known is not None and known[0] is subject and known[1] == uuid:
            return known[2]
        made: Headers = ((AUTHENTICATION_HEADER, self._encode(subject, family)),)
        if family == "sealane":
            made = (*made, (CLUSTER_HEADER, uuid))
        if len(self._known) >= _SUBJECTS_MAX:
            self._known.clear()
        self._known[at] = (subject, uuid, made)
        return made
