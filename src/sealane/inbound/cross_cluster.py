"""Who comes in by the port for keys: a key that the header shows, and whom its holder says it asks for.

Everything is judged by the header alone, in this order: which headers there are, the key, the action, the signature,
and only then what is said of the subject. What comes of it is kept by the header's text for as long as the key stays
what it is, and the signature good. How keys are checked is the stores' business, which claims are believed the rules'.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from sealane.errors import IllegalArgument, SecurityError
from sealane.model.security import (
    ApiKeyIdentity,
    AuthenticationType,
    Realm,
    Secret,
    Side,
    Subject,
)
from sealane.remote.credentials import (
    CREDENTIALS_HEADER,
    SIGNATURE_HEADER,
    SUBJECT_INFO_HEADER,
)
from sealane.security.rules.cross_cluster import check_key_descriptor, effective_sides
from sealane.transport.gate import Peer

_ALLOWED_BESIDE: Final = frozenset(
    {
        SIGNATURE_HEADER,
        "_xpack_audit_request_id",
        "X-Opaque-Id",
        "X-elastic-product-origin",
        "traceparent",
        "tracestate",
        "trace.id",
    }
)
_KNOWN_MAX: Final = 1024
"""Headers whose subject is kept."""


class VerifiedKey(Protocol):
    """A key for other clusters whose secret was right; the same object as long as nothing of it changes."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def creator(self) -> str: ...
    @property
    def creator_realm(self) -> Realm: ...
    @property
    def side(self) -> Side:
        """What it grants."""

    @property
    def certificate_identity(self) -> str | None:
        """The pattern that the signer's distinguished name must match."""

    @property
    def expires_ms(self) -> int | None: ...


class Keys(Protocol):
    def verified_cross_cluster_key(self, credentials: Secret) -> VerifiedKey | None:
        """The key where its secret was found right before and nothing has changed since; else None."""

    async def verify_cross_cluster_key(self, credentials: Secret, action: str) -> VerifiedKey:
        """Raises AuthenticationFailed; Rejected where too many are being checked."""


Claim = Callable[[str], Subject]
"""Reads and judges what a header says of a subject; `sides` are what it may do by its own roles. Raises ApiError."""


class Signatures(Protocol):
    def check(
        self, key: VerifiedKey, subject_info: str, credentials: str, shown: str | None
    ) -> object:
        """What the verdict rests on, for `holds`. Raises AuthenticationFailed where the signature is not the one that
        the key demands, or is wrong.
        """

    def holds(self, rests_on: object) -> bool:
        """Whether a verdict is the same as it was: the authorities are, and no certificate has ended."""


class _Known(NamedTuple):
    """What came of a header, and of what."""

    key: VerifiedKey
    rests_on: object
    subject: Subject


class CrossClusterGate:
    """`allowed` says which actions may be asked for at all."""

    def __init__(
        self,
        keys: Keys,
        *,
        claim: Claim,
        allowed: Callable[[str], bool],
        signatures: Signatures | None = None,
    ) -> None:
        self._keys = keys
        self._claim = claim
        self._allowed = allowed
        self._signatures = signatures
        self._known: OrderedDict[tuple[str, str, str | None], _Known] = OrderedDict()
        self._ends: dict[str, int | None] = {}
        """Of the keys, by their ids: when they expire."""

    def admit(self, action: str, headers: Mapping[str, str], peer: Peer) -> "Subject | Verdict":
        """See `transport.gate.InboundGate`. Raises IllegalArgument, SecurityError, AuthenticationFailed."""
        credentials = _required(headers, CREDENTIALS_HEADER)
        _required(headers, SUBJECT_INFO_HEADER)
        if len(headers) > 2:
            _check_names(headers)
        shown = Secret(credentials)
        key = self._keys.verified_cross_cluster_key(shown)
        if key is None:
            return Verdict(self, action, headers, shown)
        return self.subject(key, action, headers)

    async def verify(self, action: str, headers: Mapping[str, str], shown: Secret) -> Subject:
        key = await self._keys.verify_cross_cluster_key(shown, action)
        return self.subject(key, action, headers)

    def subject(self, key: VerifiedKey, action: str, headers: Mapping[str, str]) -> Subject:
        """On whose behalf the holder of a key asks. Raises as `admit` does."""
        if not self._allowed(action):
            raise SecurityError(
                f"action [{action}] is not one that other clusters may ask for through the dedicated "
                "remote cluster server port"
            )
        credentials, info = headers[CREDENTIALS_HEADER], headers[SUBJECT_INFO_HEADER]
        signature = headers.get(SIGNATURE_HEADER)
        at = (credentials, info, signature)
        known, signatures = self._known.get(at), self._signatures
        if known is None or known.key is not key:
            known = None
        elif signatures is None or signatures.holds(known.rests_on):
            return known.subject
        rests_on = None
        if signatures is not None:
            rests_on = signatures.check(key, info, credentials, signature)
        for descriptor in key.side:
            check_key_descriptor(key.id, descriptor)
        subject = by_key(key, self._claim(info))
        if len(self._ends) >= _KNOWN_MAX:
            self._ends.clear()
        self._ends[key.id] = key.expires_ms
        self._known[at] = _Known(key, rests_on, subject)
        while len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return subject

    def key_expires_ms(self, subject: Subject) -> int | None:
        """When the key ends that the subject came with."""
        return None if subject.api_key is None else self._ends.get(subject.api_key.id)


class Verdict:
    """The subject of a request whose key has to be checked first. Nothing is begun before it is awaited."""

    __slots__ = ("_action", "_gate", "_headers", "_shown")

    def __init__(
        self, gate: CrossClusterGate, action: str, headers: Mapping[str, str], shown: Secret
    ) -> None:
        self._gate, self._action, self._headers, self._shown = gate, action, headers, shown

    def __await__(self) -> Generator[Any, None, Subject]:
        return self._gate.verify(self._action, self._headers, self._shown).__await__()


def by_key(key: VerifiedKey, claimed: Subject) -> Subject:
    """Whom a key's holder asks for, with what both the key and the claimed rights grant."""
    by_claim: Subject | None = claimed.authenticated_by
    if claimed.type is AuthenticationType.API_KEY and by_claim is None:
        by_claim = claimed
    return Subject(
        name=claimed.name,
        realm=claimed.realm,
        type=AuthenticationType.CROSS_CLUSTER_ACCESS,
        roles=claimed.roles,
        sides=effective_sides(key.side, claimed.sides or ()),
        api_key=ApiKeyIdentity(
            id=key.id, name=key.name, creator=key.creator, creator_realm=key.creator_realm
        ),
        authenticated_by=by_claim,
        metadata=claimed.metadata,
    )


def _required(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(name)
    if not found:
        raise IllegalArgument(
            "Cross cluster requests through the dedicated remote cluster server port require "
            f"transport header [{name}] but none found. Please ensure you have configured remote "
            "cluster credentials on the cluster originating the request."
        )
    return found


def _check_names(headers: Mapping[str, str]) -> None:
    for name in headers:
        if name not in _ALLOWED_BESIDE and name not in (CREDENTIALS_HEADER, SUBJECT_INFO_HEADER):
            raise IllegalArgument(
                f"Transport request header [{name}] is not allowed for cross cluster requests through "
                "the dedicated remote cluster server port"
            )
