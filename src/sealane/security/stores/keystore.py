"""What a keystore file holds: names with secret values, encrypted. Pure; `keystore_file` reads and writes the files.

The layout, all numbers big-endian:

    bytes     what
    0-7       "SEALKEYS"
    8         the format's number
    9         1 where a password protects it, else 0
    10-13     rounds of PBKDF2-HMAC-SHA512, which makes the AES-256 key of the password
    14-29     its salt
    30-41     the nonce of AES-GCM
    42-       the entries, encrypted; the 16 bytes at the end are the tag, which covers the head too

and of the entries, decrypted: their number (4), then for each its kind (1: 0 a text, 1 a file), its name (2 + n) and
its value (4 + n).

Without a password the encryption hides nothing from who can read the file. It needs no rounds then, and a node starts
the faster; the file's mode is what protects it.
"""

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sealane.errors import KeystoreError
from sealane.model.security import Secret

FORMAT: Final = 1
SEED: Final = "keystore.seed"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
ROUNDS: Final = 210_000
"""Of a keystore with a password: what OWASP asks of PBKDF2-HMAC-SHA512, and the reference does."""
ROUNDS_WITHOUT_PASSWORD: Final = 1_000
ROUNDS_MAX: Final = 1_000_000
"""More are refused before they are computed: a file must not hold up the start for minutes."""
FILE_MAX_BYTES: Final = 10 * 1024 * 1024
_ENTRIES_MAX: Final = 10_000
_MAGIC: Final = b"SEALKEYS"
_HEAD: Final = struct.Struct(">8sBBI16s12s")
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_TEXT, _FILE = 0, 1
_NAME: Final = re.compile(r"[A-Za-z0-9_\-.]+")

WRONG_PASSWORD: Final = "Provided keystore password was incorrect"
CORRUPT: Final = "Keystore has been corrupted or tampered with"


@dataclass(frozen=True, slots=True)
class Head:
    """What can be read without the password."""

    has_password: bool
    rounds: int
    salt: bytes
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Keystore:
    """The entries: `texts`, which settings read, and `files`, whose bytes may be anything. A name is in one of them."""

    texts: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def names(self) -> list[str]:
        return sorted((*self.texts, *self.files))

    def __contains__(self, name: object) -> bool:
        return name in self.texts or name in self.files

    def with_text(self, name: str, value: str) -> "Keystore":
        """Raises KeystoreError for a name that no setting can have."""
        kept = self.without(check_name(name))
        return Keystore({**kept.texts, name: Secret(value)}, kept.files)

    def with_file(self, name: str, value: bytes) -> "Keystore":
        """Raises KeystoreError for a name that no setting can have."""
        kept = self.without(check_name(name))
        return Keystore(kept.texts, {**kept.files, name: value})

    def without(self, name: str) -> "Keystore":
        return Keystore(
            {each: value for each, value in self.texts.items() if each != name},
            {each: value for each, value in self.files.items() if each != name},
        )

    def bytes_of(self, name: str) -> bytes:
        """The value as it was put; a text as UTF-8. Raises KeyError."""
        secret = self.texts.get(name)
        return self.files[name] if secret is None else secret.reveal().encode()


def check_name(name: str) -> str:
    """Raises KeystoreError for a name that no setting can have."""
    if not _NAME.fullmatch(name):
        raise KeystoreError(
            f"Setting name [{name}] does not match the allowed setting name pattern [{_NAME.pattern}]"
        )
    return name


def read_head(data: bytes) -> Head:
    """Raises KeystoreError for bytes that are no keystore, or one of a later version."""
    if len(data) > FILE_MAX_BYTES:
        raise KeystoreError(f"the keystore is larger than [{FILE_MAX_BYTES}] bytes")
    if not data.startswith(_MAGIC) or len(data) <= len(_MAGIC):
        raise KeystoreError("this is not a keystore of sealane")
    number = data[len(_MAGIC)]
    if number != FORMAT:
        raise KeystoreError(
            f"the keystore has the format [{number}], this version reads [{FORMAT}]: use the version that wrote it"
        )
    if len(data) < _HEAD.size + _TAG_BYTES:
        raise KeystoreError(CORRUPT)
    _, _, protected, rounds, salt, nonce = _HEAD.unpack_from(data)
    if protected not in (0, 1) or not 1 <= rounds <= ROUNDS_MAX:
        raise KeystoreError(CORRUPT)
    return Head(protected == 1, rounds, salt, nonce)


def decode(data: bytes, password: Secret) -> Keystore:
    """The entries of a keystore's bytes; an empty password is none. Takes 0.1 s where there is one.

    Raises KeystoreError: WRONG_PASSWORD, CORRUPT, or what else is wrong with the bytes.
    """
    head = read_head(data)
    if head.has_password != bool(password.reveal()):
        raise KeystoreError(WRONG_PASSWORD)
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not for nodes without one

    cipher = AESGCM(_key(password, head.salt, head.rounds))
    try:
        plain = cipher.decrypt(head.nonce, data[_HEAD.size :], data[: _HEAD.size])
    except InvalidTag:
        # Which of the two it is nobody can tell: that is what the tag is for.
        raise KeystoreError(WRONG_PASSWORD if head.has_password else CORRUPT) from None
    return read_entries(plain)


def encode(
    keystore: Keystore,
    password: Secret,
    *,
    salt: bytes,
    nonce: bytes,
    rounds: int | None = None,
) -> bytes:
    """The bytes of a keystore file. `salt` and `nonce` are random, and new for each. Raises KeystoreError for one that
    would be too large to be read again.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    assert len(salt) == SALT_BYTES, salt
    assert len(nonce) == NONCE_BYTES, nonce
    protected = bool(password.reveal())
    if rounds is None:
        rounds = ROUNDS if protected else ROUNDS_WITHOUT_PASSWORD
    head = _HEAD.pack(_MAGIC, FORMAT, protected, rounds, salt, nonce)
    data = head + AESGCM(_key(password, salt, rounds)).encrypt(nonce, _plain(keystore), head)
    if len(data) > FILE_MAX_BYTES:
        raise KeystoreError(f"the keystore would be larger than [{FILE_MAX_BYTES}] bytes")
    return data


def _key(password: Secret, salt: bytes, rounds: int) -> bytes:
    text = password.reveal().encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha512", text, salt, rounds, _KEY_BYTES)


def _plain(keystore: Keystore) -> bytes:
    names = keystore.names()
    if len(names) > _ENTRIES_MAX:
        raise KeystoreError(f"a keystore holds at most [{_ENTRIES_MAX}] settings")
    parts = [struct.pack(">I", len(names))]
    for name in names:
        value, said = keystore.bytes_of(name), name.encode()
        kind = _TEXT if name in keystore.texts else _FILE
        parts += [struct.pack(">BH", kind, len(said)), said, struct.pack(">I", len(value)), value]
    return b"".join(parts)


def read_entries(plain: bytes) -> Keystore:
    """The entries as they are once decrypted; as wary as of the file, which without a password anybody can write.

    Raises KeystoreError.
    """
    texts: dict[str, Secret] = {}
    files: dict[str, bytes] = {}
    try:
        for kind, name, value in _entries(plain):
            if name in texts or name in files or not _NAME.fullmatch(name):
                raise KeystoreError(CORRUPT)
            if kind == _TEXT:
                texts[name] = Secret(value.decode())
            elif kind == _FILE:
                files[name] = value
            else:
                raise KeystoreError(CORRUPT)
    except (struct.error, UnicodeDecodeError):
        # Without its cause, which holds the bytes.
        raise KeystoreError(CORRUPT) from None
    return Keystore(texts, files)


def _entries(plain: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Raises KeystoreError, struct.error, UnicodeDecodeError."""
    (count,) = struct.unpack_from(">I", plain)
    if count > _ENTRIES_MAX:
        raise KeystoreError(CORRUPT)
    at = 4
    for _ in range(count):
        kind, length = struct.unpack_from(">BH", plain, at)
        name, at = _cut(plain, at + 3, length)
        (length,) = struct.unpack_from(">I", plain, at)
        value, at = _cut(plain, at + 4, length)
        yield kind, name.decode("ascii"), value
    if at != len(plain):
        raise KeystoreError(CORRUPT)


def _cut(plain: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(plain):
        raise KeystoreError(CORRUPT)
    return plain[at : at + length], at + length
