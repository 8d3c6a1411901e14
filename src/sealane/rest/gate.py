"""Who a request over HTTP comes from: what it shows, and the seam to whoever judges that."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sealane.model.access import Access
from sealane.model.credentials import Credentials
from sealane.model.security import Secret, Subject
from sealane.rest.head import Message


class Gate(Protocol):
    """Security, as REST needs it."""

    def authenticated(self, credentials: Credentials) -> Subject | None:
        """The subject where that is known already, without waiting; None asks `authenticate`."""

    async def authenticate(self, credentials: Credentials) -> Subject:
        """Raises AuthenticationFailed; SecurityError where a user may not run as another."""

    def access(self, subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
        """See `security.rules.Authorize`."""


_AUTHORIZATION, _RUN_AS, _SECONDARY = (
    b"authorization",
    b"es-security-runas-user",
    b"es-secondary-authorization",
)
_SHOWN = frozenset({_AUTHORIZATION, _RUN_AS, _SECONDARY})


def read_credentials(scope: Message, uri: str) -> Credentials:
    """What the request shows. Of a header that comes twice the first counts, as in the reference.

    No other header has anything to say about who asks: those that nodes use among themselves are not read here.
    """
    shown: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _SHOWN:
            shown.setdefault(name, value.decode("latin-1"))
    authorization, secondary = shown.get(_AUTHORIZATION), shown.get(_SECONDARY)
    client = scope.get("client")
    return Credentials(
        authorization=None if authorization is None else Secret(authorization),
        run_as=shown.get(_RUN_AS),
        secondary=None if secondary is None else Secret(secondary),
        certificate=_certificate(extensions) if (extensions := scope.get("extensions")) else None,
        peer=client[0] if client else "",
        uri=uri,
    )


def _certificate(extensions: Mapping[str, Any]) -> bytes | None:
    """The verified certificate of the client (DER), where the server put it."""
    found = (extensions.get("tls") or {}).get("client_certificate")
    return found if isinstance(found, bytes) else None
