"""How this node shows remote clusters who it is and on whose behalf it asks: by a key, or by its certificate.

Which of the two an alias has depends on whether the keystore holds a key for it, and on nothing else unless
`cluster.remote.<alias>.security_model` says so. Where keys are kept is the keystore's business; what a subject may do
on another cluster, that of its roles; the port at the other end judges anew.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sealane.cluster.task_lists import CHILD_TASKS
from sealane.errors import IllegalArgument, SecurityError
from sealane.model.node import Address
from sealane.model.security import SYSTEM, AuthenticationType, Secret, Subject
from sealane.remote.config import Model
from sealane.remote.protocols import Dialer, NodeConnection
from sealane.transport import ConnectionProfile
from sealane.transport.gate import LinkSecurity, OutgoingHeaders
from sealane.transport.tls_files import ContextSource
from sealane.wire.frame import Headers

if TYPE_CHECKING:  # a node without security need not load the rules
    from sealane.security.rules.permission import Permission

CREDENTIALS_HEADER: Final = "_cross_cluster_access_credentials"
SUBJECT_INFO_HEADER: Final = "_cross_cluster_access_subject_info"
SIGNATURE_HEADER: Final = "_cross_cluster_access_signature"
_AS_ITSELF: Final = frozenset({"cluster:monitor/state", CHILD_TASKS})
"""Always asked for by the node itself, whoever is the reason."""
_SUBJECTS_MAX: Final = 1000
"""Whose headers are kept for an alias."""


class CredentialSource(Protocol):
    """The keys of this node for other clusters, as its keystore has them now."""

    def credentials(self, alias: str) -> Secret | None: ...

    def aliases(self) -> frozenset[str]:
        """All that there is a key for."""

    def on_change(self, callback: Callable[[frozenset[str]], None]) -> None:
        """Calls `callback(aliases)` for those whose key was added, changed or removed."""


class NoCredentials:
    """Of a node without a keystore."""

    def credentials(self, alias: str) -> Secret | None:
        return None

    def aliases(self) -> frozenset[str]:
        return frozenset()

    def on_change(self, callback: Callable[[frozenset[str]], None]) -> None:
        """Nothing changes."""


class Rights(Protocol):
    def permission(self, subject: Subject) -> "Permission":
        """What the subject may do; the same object as long as that stays the same."""


class SubjectInfo(Protocol):
    """How who asks is written for the other side."""

    def system(self) -> str:
        """The node itself."""

    def user(self, subject: Subject, permission: "Permission", alias: str, action: str) -> str:
        """Raises SecurityError for a subject without any right on the cluster of that alias."""


class Signer(Protocol):
    """Signs what is said of a subject, where a key for it is configured."""

    def current(self, alias: str) -> object:
        """With what it signs for an alias; another object once that has changed."""

    def sign(self, alias: str, subject_info: str, credentials: str) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLinks:
    """What every connection with a key needs. `info` by the family of the peer."""

    client_tls: ContextSource | None
    rights: Rights
    info: Callable[[str], SubjectInfo]
    signer: Signer | None = None


class KeyHeaders:
    """An OutgoingHeaders. What is sent for a subject is made once, and again when its rights have changed."""

    def __init__(self, alias: str, credentials: Secret, links: KeyLinks) -> None:
        self._alias = alias
        self._credentials = f"ApiKey {credentials.reveal()}"
        self._links = links
        self._system: dict[str, Headers] = {}
        self._users: dict[tuple[int, str], tuple[Subject, Permission, Headers]] = {}
        """By the subject's identity, which is kept with it: whoever is known already comes as the same object."""
        self._signed_with: object = None

    def headers(self, action: str, subject: Subject, family: str) -> Headers:
        if self._links.signer is not None:
            self._look_at(self._links.signer)
        if subject.type is AuthenticationType.INTERNAL or action in _AS_ITSELF:
            return self._of_system(subject, action, family)
        permission = self._links.rights.permission(subject)
        at = (id(subject), family)
        known = self._users.get(at)
        if known is not None and known[0] is subject and known[1] is permission:
            return known[2]
        info = self._links.info(family).user(subject, permission, self._alias, action)
        made = self._headers(info)
        if len(self._users) >= _SUBJECTS_MAX:
            self._users.clear()
        self._users[at] = (subject, permission, made)
        return made

    def _look_at(self, signer: Signer) -> None:
        """What another key has signed is not sent any more."""
        now = signer.current(self._alias)
        if now is not self._signed_with:
            self._signed_with = now
            self._system.clear()
            self._users.clear()

    def _of_system(self, subject: Subject, action: str, family: str) -> Headers:
        if subject.type is AuthenticationType.INTERNAL and subject.name != SYSTEM.name:
            raise SecurityError(
                f"internal user [{subject.name}] should not be used for cross cluster requests"
            )
        made = self._system.get(family)
        if made is None:
            made = self._system[family] = self._headers(self._links.info(family).system())
        return made

    def _headers(self, info: str) -> Headers:
        made = ((CREDENTIALS_HEADER, self._credentials), (SUBJECT_INFO_HEADER, info))
        signer = self._links.signer
        signature = None if signer is None else signer.sign(self._alias, info, self._credentials)
        return made if signature is None else (*made, (SIGNATURE_HEADER, signature))


class RemoteSecurity:
    """Which model each alias has, and the connections that it gives.

    `links` None is a node without security: no alias has a key then.
    """

    def __init__(self, source: CredentialSource, links: KeyLinks | None) -> None:
        self.source = source
        self._links = links

    def model(self, alias: str, wanted: Model | None) -> Model:
        """By the key, where nothing is wanted."""
        if wanted is not None:
            return wanted
        return Model.CERTIFICATE if self._key(alias) is None else Model.API_KEY

    def digest(self, alias: str) -> str | None:
        """What tells whether two nodes have the same key for an alias; None without one."""
        key = self._key(alias)
        if key is None:
            return None
        return hmac.digest(alias.encode(), key.reveal().encode(), hashlib.sha256).hex()[:8]

    def link(self, alias: str, model: Model) -> LinkSecurity | None:
        """How the connections of an alias are secured; None as those of the node's own transport.

        Raises IllegalArgument where a key is wanted and there is none.
        """
        if model is Model.CERTIFICATE:
            return None
        key, links = self._key(alias), self._links
        if key is None or links is None:
            raise IllegalArgument(missing_key(alias))
        outgoing: OutgoingHeaders = KeyHeaders(alias, key, links)
        return LinkSecurity(tls=links.client_tls, outgoing=outgoing, by_key=True)

    def dialer(self, alias: str, model: Model, dialer: Dialer) -> Dialer:
        """Opens the connections of an alias."""
        try:
            security = self.link(alias, model)
        except IllegalArgument:
            return _Missing(alias)
        return dialer if security is None else _ByKey(dialer, security)

    def _key(self, alias: str) -> Secret | None:
        return None if self._links is None else self.source.credentials(alias)


class _ByKey:
    """A Dialer."""

    def __init__(self, dialer: Dialer, security: LinkSecurity) -> None:
        self._dialer = dialer
        self._security = security

    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        server_name: str | None = None,
        node_name: str = "",
        security: LinkSecurity | None = None,
    ) -> NodeConnection:
        return await self._dialer.connect(
            address,
            profile,
            server_name=server_name,
            node_name=node_name,
            security=security or self._security,
        )


class _Missing:
    """A Dialer of an alias that is to have a key, and has none."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    async def connect(
        self,
        address: Address,
        profile: ConnectionProfile,
        *,
        server_name: str | None = None,
        node_name: str = "",
        security: LinkSecurity | None = None,
    ) -> NodeConnection:
        raise IllegalArgument(missing_key(self._alias))


def missing_key(alias: str) -> str:
    """The text for an alias whose settings want a key that the keystore does not hold."""
    return (
        f"[cluster.remote.{alias}.security_model] is [{Model.API_KEY}], but the keystore holds no "
        f"[cluster.remote.{alias}.credentials]"
    )
