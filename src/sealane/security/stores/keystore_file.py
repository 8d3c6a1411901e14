"""The keystore's file in the configuration folder: reading it, and replacing it whole.

What its bytes mean is `keystore`'s. All calls block: 0.1 s where a password protects the file, else a millisecond.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealane.errors import IOFailure, KeystoreError
from sealane.model.security import Secret
from sealane.security.stores.keystore import (
    FILE_MAX_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    SEED,
    Keystore,
    decode,
    encode,
    read_head,
)

FILE_NAME: Final = "sealane.keystore"
MODE: Final = 0o600
NO_PASSWORD: Final = Secret("")
_SEED_ALPHABET: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#$%^*-+=_?~"
)
_SEED_LENGTH: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A keystore as its file was when it was read."""

    keystore: Keystore
    digest: str
    """SHA-256 of the file, hexadecimal: nodes with a copy of the same file show the same."""
    modified_ms: int


class KeystoreFile:
    """The keystore of one configuration folder, whether it is there or not."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def exists(self) -> bool:
        return self.path.exists()

    def has_password(self) -> bool:
        """Raises KeystoreError, IOFailure."""
        data, _ = self._read()
        return read_head(data).has_password

    def open(self, password: Secret) -> Opened:
        """Raises KeystoreError for a wrong password or a damaged file; IOFailure."""
        data, modified_ms = self._read()
        digest = hashlib.sha256(data).hexdigest()
        return Opened(keystore=decode(data, password), digest=digest, modified_ms=modified_ms)

    def save(self, keystore: Keystore, password: Secret) -> None:
        """Replaces the file as a whole or not at all; only its owner may read it. Saved by root it belongs to whom the
        one before, or else the folder, belongs to: the node that reads it runs as another user.

        Raises KeystoreError, IOFailure.
        """
        data = encode(
            keystore, password, salt=os.urandom(SALT_BYTES), nonce=os.urandom(NONCE_BYTES)
        )
        beside = self.path.with_name(f"{FILE_NAME}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                _write(beside, data, self.path if self.exists() else self.path.parent)
                beside.replace(self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    beside.unlink(missing_ok=True)
                raise
            _sync_folder(self.path.parent)
        except OSError as error:
            raise IOFailure(f"cannot write [{self.path}]: {error.strerror}") from error

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """Keeps others from changing the keystore between its reading and its saving: what they add would be lost. A
        folder that is not there yet cannot be kept. Raises KeystoreError where another one is at it.
        """
        try:
            number = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            yield
            return
        except OSError as error:
            raise IOFailure(f"cannot use [{self.path.parent}]: {error.strerror}") from error
        try:
            _lock(number)
            yield
        finally:
            os.close(number)

    def _read(self) -> tuple[bytes, int]:
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise KeystoreError(f"[{self.path}] is not a file")
                data = file.read(FILE_MAX_BYTES + 1)
        except OSError as error:
            raise IOFailure(f"cannot read [{self.path}]: {error.strerror}") from error
        return data, status.st_mtime_ns // 1_000_000


def new_keystore() -> Keystore:
    """One that holds its seed only, as every keystore does from its start."""
    picked = (_SEED_ALPHABET[each % len(_SEED_ALPHABET)] for each in _unbiased(_SEED_LENGTH))
    return Keystore().with_text(SEED, "".join(picked))


def _unbiased(count: int) -> list[int]:
    """Random bytes below the largest multiple of the alphabet's length, so that each of its letters is as likely."""
    limit = 256 - 256 % len(_SEED_ALPHABET)
    found: list[int] = []
    while len(found) < count:
        found += [each for each in os.urandom(count) if each < limit]
    return found[:count]


def _lock(number: int) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise KeystoreError("another command is changing the keystore") from None


def _write(path: Path, data: bytes, owned_like: Path) -> None:
    # Not through `open`: the mode must be right from the first byte on, and an old leftover must not be written into.
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
    with os.fdopen(number, "wb") as file:
        if os.geteuid() == 0:
            owner = owned_like.stat()
            os.fchown(number, owner.st_uid, owner.st_gid)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
