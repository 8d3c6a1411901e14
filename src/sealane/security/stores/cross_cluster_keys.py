"""Keys for other clusters, as they come in by the port for them: whether one is good, and what it grants."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sealane.clock import Clock
from sealane.errors import AuthenticationFailed, IllegalArgument
from sealane.model.security import Realm, Secret, Side
from sealane.security.stores.api_key_checks import CROSS_CLUSTER, KeyChecks, Refused, is_expired
from sealane.security.stores.authentication import KEY_KIND
from sealane.security.stores.known import Known, Owner
from sealane.security.stores.records import ApiKeyRecord

HEADER: Final = "_cross_cluster_access_credentials"
SECRET_CHARS: Final = 22
_SCHEME: Final = "apikey "
_MADE_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A key whose secret was right. The same object for as long as nothing of the key changes."""

    id: str
    name: str
    creator: str
    creator_realm: Realm
    side: Side
    certificate_identity: str | None
    expires_ms: int | None


class CrossClusterKeys:
    """`known` remembers keys whose hash is a slow one; whoever changes keys tells it."""

    def __init__(
        self,
        checks: KeyChecks,
        *,
        known: Known[ApiKeyRecord],
        ttl_ms: int,
        sides: Callable[[str, ApiKeyRecord], tuple[Side, ...]],
        clock: Clock,
    ) -> None:
        self._checks = checks
        self._known = known
        self._ttl_ms = ttl_ms
        self._sides = sides
        self._clock = clock
        self._made: dict[str, tuple[ApiKeyRecord, VerifiedKey]] = {}
        self._right: dict[bytes, tuple[ApiKeyRecord, VerifiedKey]] = {}
        """Of credentials that were right, by their digest: good for as long as the record is the one in force."""

    def verified(self, credentials: Secret) -> VerifiedKey | None:
        """The key, where that can be said without waiting and it is good. `credentials`: `ApiKey <encoded>`."""
        digest, now_ms = self._known.digest_of(credentials.reveal()), self._clock.now_ms()
        right = self._right.get(digest)
        if right is not None:
            record, key = right
            if self._checks.is_current(key.id, record) and not is_expired(record, now_ms):
                return key
            del self._right[digest]
        try:
            key_id, secret = _read(credentials)
        except AuthenticationFailed:
            return None
        judged = self._checks.at_once(key_id, secret, CROSS_CLUSTER, now_ms)
        if judged is None:
            judged = self._known.get(digest, now_ms)
            if not isinstance(judged, ApiKeyRecord) or is_expired(judged, now_ms):
                return None
            return self._key(key_id, judged)
        if not isinstance(judged, ApiKeyRecord):
            return None
        key = self._key(key_id, judged)
        if len(self._right) >= _MADE_MAX:
            self._right.clear()
        self._right[digest] = (judged, key)
        return key

    async def verify(self, credentials: Secret, action: str) -> VerifiedKey:
        """Raises AuthenticationFailed, with the reference's texts; Rejected where too many are being checked."""
        key_id, secret = _read(credentials)
        now_ms = self._clock.now_ms()
        judged = self._checks.at_once(key_id, secret, CROSS_CLUSTER, now_ms)
        if judged is None:
            judged = await self._checks.check(key_id, secret, CROSS_CLUSTER, now_ms)
            if isinstance(judged, ApiKeyRecord):
                digest = self._known.digest_of(credentials.reveal())
                self._known.put(digest, judged, now_ms + self._ttl_ms, (Owner(KEY_KIND, key_id),))
        if isinstance(judged, Refused):
            if judged.final:
                raise AuthenticationFailed(judged.reason)
            raise AuthenticationFailed(
                f"unable to authenticate user [{key_id}] for action [{action}]",
                tried=f"API key: {judged.reason}",
            )
        return self._key(key_id, judged)

    def _key(self, key_id: str, record: ApiKeyRecord) -> VerifiedKey:
        made = self._made.get(key_id)
        if made is not None and made[0] is record:
            return made[1]
        creator = record.creator
        key = VerifiedKey(
            id=key_id,
            name=record.name,
            creator=creator.principal,
            creator_realm=Realm(name=creator.realm, type=creator.realm_type),
            side=tuple(role for side in self._sides(key_id, record) for role in side),
            certificate_identity=record.certificate_identity,
            expires_ms=record.expiration,
        )
        if len(self._made) >= _MADE_MAX:
            self._made.clear()
        self._made[key_id] = (record, key)
        return key


def _read(credentials: Secret) -> tuple[str, Secret]:
    """Raises AuthenticationFailed for what is not of the form."""
    text = credentials.reveal()
    if not text[: len(_SCHEME)].lower() == _SCHEME:
        raise _malformed("invalid cross-cluster API key value")
    try:
        decoded = base64.b64decode(text[len(_SCHEME) :].strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _malformed("Illegal base64 character") from None
    key_id, colon, secret = decoded.partition(":")
    if not colon or not key_id or len(secret) != SECRET_CHARS:
        raise _malformed("invalid cross-cluster API key value")
    return key_id, Secret(secret)


def _malformed(why: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        "error attempting to authenticate request",
        caused_by=IllegalArgument(
            f"cross cluster access header [{HEADER}] value must be a valid API key credential",
            caused_by=IllegalArgument(why),
        ),
    )
