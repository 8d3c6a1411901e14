"""Whether what was shown is an API key that is good now.

The secret is checked first: only who holds it learns why a key is no good. An id that there is not and a secret that is
wrong get one answer, after the same work.
"""

from typing import Final, NamedTuple

from sealane.model.security import Secret
from sealane.security.stores.hashing import Hashing
from sealane.security.stores.passwords import is_fast, make_fast_hash, verify
from sealane.security.stores.records import ApiKeyRecord, Records

REST: Final = "rest"
CROSS_CLUSTER: Final = "cross_cluster"
_NOBODYS: Final = make_fast_hash("")
"""What a secret is compared with where there is no key of that id."""


class Refused(NamedTuple):
    """Why a key is not good. `final`: no other way in is tried."""

    reason: str
    final: bool = False


class KeyChecks:
    """Looks at keys as they are at the moment."""

    def __init__(self, records: Records, hashing: Hashing, *, fast: bool = True) -> None:
        """`fast`: the secrets of new keys are hashed by a fast algorithm."""
        self._records = records
        self._hashing = hashing
        self._fast = fast

    def is_current(self, key_id: str, record: ApiKeyRecord) -> bool:
        """Whether a key's record is still the one that was found right."""
        return self._records.api_keys.get(key_id) is record

    def at_once(
        self, key_id: str, secret: Secret, type: str, now_ms: int
    ) -> ApiKeyRecord | Refused | None:
        """None where the secret's hash is a slow one."""
        record = self._records.api_keys.get(key_id)
        hashed = _NOBODYS if record is None else record.hash
        if not is_fast(hashed) or (record is None and not self._fast):
            return None
        return _judged(key_id, record, verify(secret.reveal(), hashed), type, now_ms)

    async def check(
        self, key_id: str, secret: Secret, type: str, now_ms: int
    ) -> ApiKeyRecord | Refused:
        """Raises Rejected where too many are being checked."""
        record = self._records.api_keys.get(key_id)
        if record is None and not self._fast:
            await self._hashing.verify_nobody(secret.reveal())
            return _judged(key_id, None, False, type, now_ms)
        hashed = _NOBODYS if record is None else record.hash
        right = await self._hashing.verify(secret.reveal(), hashed)
        # What has changed while it was hashed counts.
        if record is not None and self._records.api_keys.get(key_id) is not record:
            return await self.check(key_id, secret, type, now_ms)
        return _judged(key_id, record, right, type, now_ms)


def _judged(
    key_id: str, record: ApiKeyRecord | None, right: bool, type: str, now_ms: int
) -> ApiKeyRecord | Refused:
    if record is None or not right:
        return Refused(f"invalid credentials for API key [{key_id}]")
    if record.invalidation is not None:
        return Refused(f"api key [{key_id}] has been invalidated")
    if record.type != type:
        return Refused(
            f"authentication expected API key type of [{type}], but API key [{key_id}] has type [{record.type}]",
            final=True,
        )
    if is_expired(record, now_ms):
        return Refused("api key is expired")
    return record


def is_expired(record: ApiKeyRecord, now_ms: int) -> bool:
    return record.expiration is not None and now_ms >= record.expiration
