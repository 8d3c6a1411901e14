"""Who was authenticated before: what spares a request the work of hashing.

What a caller showed is kept as a hash under a key of this process, so that neither the memory of a node nor the time a
look-up takes tells anything of it. Only successes are kept. An entry goes with what it was made of: a user, a key.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sealane.model.credentials import Credentials

USERS_MAX: Final = 100_000
KEYS_MAX: Final = 25_000
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Owner:
    """What an entry was made of: the record of a user or of a key."""

    kind: str
    name: str


T = TypeVar("T")


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    until_ms: int
    owners: tuple[Owner, ...]


class Known(Generic[T]):
    """At most `limit` entries; the oldest go first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._key = os.urandom(_DIGEST_BYTES)
        self._entries: dict[bytes, _Entry[T]] = {}
        self._of: dict[Owner, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def digest(self, credentials: Credentials) -> bytes | None:
        """The name of an entry; None for credentials that are not kept: none at all, or two of them."""
        header, certificate = credentials.authorization, credentials.certificate
        if credentials.secondary is not None or (header is None and certificate is None):
            return None
        hashed = self._hash("" if header is None else header.reveal())
        # A header holds no NUL, so what follows one cannot be taken for a part of it.
        if credentials.run_as is not None:
            hashed.update(b"\0r" + credentials.run_as.encode("utf-8", "surrogatepass"))
        if certificate is not None:
            hashed.update(b"\0c" + certificate)
        return hashed.digest()

    def digest_of(self, text: str) -> bytes:
        """The same of one text that is all that was shown."""
        return self._hash(text).digest()

    def _hash(self, text: str) -> "hashlib.blake2b":
        data = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._key, digest_size=_DIGEST_BYTES)

    def get(self, digest: bytes, now_ms: int) -> T | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if now_ms >= entry.until_ms:
            self._drop(digest)
            return None
        return entry.value

    def put(self, digest: bytes, value: T, until_ms: int, owners: tuple[Owner, ...]) -> None:
        if self._limit <= 0:
            return
        self._drop(digest)
        while len(self._entries) >= self._limit:
            self._drop(next(iter(self._entries)))
        self._entries[digest] = _Entry(value, until_ms, owners)
        for owner in owners:
            self._of.setdefault(owner, set()).add(digest)

    def forget(self, owner: Owner) -> None:
        """Drops what was made of a record that has changed."""
        for digest in list(self._of.get(owner, ())):
            self._drop(digest)

    def clear(self, kind: str | None = None) -> None:
        """Drops all entries, or those that were made of a kind of record."""
        for digest, entry in list(self._entries.items()):
            if kind is None or any(owner.kind == kind for owner in entry.owners):
                self._drop(digest)

    def _drop(self, digest: bytes) -> None:
        entry = self._entries.pop(digest, None)
        if entry is None:
            return
        for owner in entry.owners:
            held = self._of[owner]
            held.discard(digest)
            if not held:
                del self._of[owner]
