"""Hashes of passwords and of the secrets of API keys: made, told apart, and checked. CPU only; slow ones by intent.

A hash says by its beginning how it was made, so that hashes of several kinds live side by side. The forms are the
reference's own: a hash made there is good here.

    $2a$10$...                      bcrypt, 2^10 rounds; passwords count up to their 72nd byte
    {PBKDF2}10000$salt$hash         PBKDF2-HMAC-SHA512; salt and hash in base64
    {PBKDF2_STRETCH}10000$...       the same of the password's SHA-512 in hexadecimal
    {SSHA256}...                    base64 of SHA-256 and salt: for secrets that are random, not for passwords

Where and when the work is done is left to `hashing`.
"""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import bcrypt

from sealane.errors import IllegalArgument

SALT_BYTES: Final = 32
KEY_BYTES: Final = 32
BCRYPT_BYTES: Final = 72
SSHA256: Final = "ssha256"
_SSHA_SALT_BYTES: Final = 8
_BCRYPT_COSTS: Final = range(4, 15)
_BCRYPT_DEFAULT: Final = 10
_ROUNDS: Final = (1_000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
_ROUNDS_DEFAULT: Final = 10_000
_PBKDF2, _STRETCH, _SSHA = "{PBKDF2}", "{PBKDF2_STRETCH}", "{SSHA256}"
_BCRYPT_HASH: Final = re.compile(r"\$2a\$(\d\d)\$[./A-Za-z0-9]{53}")


class Algorithm(NamedTuple):
    """One way to hash: a kind with its work factor."""

    name: str
    kind: str
    cost: int


def _algorithms() -> Iterator[Algorithm]:
    yield Algorithm("bcrypt", "bcrypt", _BCRYPT_DEFAULT)
    for cost in _BCRYPT_COSTS:
        yield Algorithm(f"bcrypt{cost}", "bcrypt", cost)
    for kind in ("pbkdf2", "pbkdf2_stretch"):
        yield Algorithm(kind, kind, _ROUNDS_DEFAULT)
        for rounds in _ROUNDS:
            yield Algorithm(f"{kind}_{rounds}", kind, rounds)


PASSWORD_ALGORITHMS: Final = {each.name: each for each in _algorithms()}
"""Those that passwords may be kept by, in the order in which errors list them."""
KEY_ALGORITHMS: Final = {**PASSWORD_ALGORITHMS, SSHA256: Algorithm(SSHA256, SSHA256, 1)}
"""Those of the secrets of API keys."""


def make_hash(secret: str, algorithm: Algorithm) -> str:
    """A new hash, with a salt of its own."""
    if algorithm.kind == "bcrypt":
        salt = bcrypt.gensalt(algorithm.cost, prefix=b"2a")
        return bcrypt.hashpw(_for_bcrypt(secret), salt).decode("ascii")
    if algorithm.kind == SSHA256:
        return make_fast_hash(secret)
    stretch = algorithm.kind == "pbkdf2_stretch"
    made_salt = os.urandom(SALT_BYTES)
    derived = _derive(secret, made_salt, algorithm.cost, KEY_BYTES, stretch=stretch)
    prefix = _STRETCH if stretch else _PBKDF2
    return f"{prefix}{algorithm.cost}${_text(made_salt)}${_text(derived)}"


def nobodys_hash(algorithm: Algorithm) -> str:
    """A hash of no password at all. Checking one against it takes as long as against any other of the algorithm."""
    if algorithm.kind == "bcrypt":
        return bcrypt.gensalt(algorithm.cost, prefix=b"2a").decode("ascii") + "." * 31
    if algorithm.kind == SSHA256:
        return make_fast_hash("")
    prefix = _STRETCH if algorithm.kind == "pbkdf2_stretch" else _PBKDF2
    return (
        f"{prefix}{algorithm.cost}${_text(os.urandom(SALT_BYTES))}${_text(os.urandom(KEY_BYTES))}"
    )


def make_fast_hash(secret: str) -> str:
    """By ssha256, for a secret that nobody can guess."""
    salt = os.urandom(_SSHA_SALT_BYTES)
    return _SSHA + _text(hashlib.sha256(_bytes(secret) + salt).digest() + salt)


def is_fast(hashed: str) -> bool:
    """Whether checking it takes microseconds, so that it needs no thread."""
    return hashed.startswith(_SSHA)


def verify(secret: str, hashed: str) -> bool:
    """Whether `hashed` was made of `secret`. A hash that cannot be read was made of none."""
    if hashed.startswith(_SSHA):
        return _verify_fast(secret, hashed)
    if hashed.startswith("$2a$"):
        if _BCRYPT_HASH.fullmatch(hashed) is None or hash_algorithm(hashed) is None:
            return False
        return bcrypt.checkpw(_for_bcrypt(secret), hashed.encode("ascii"))
    return _verify_derived(secret, hashed)


def hash_algorithm(hashed: str) -> Algorithm | None:
    """How it was made; None where it is no hash, or one by other rounds than are supported."""
    if hashed.startswith("$2a$"):
        found = _BCRYPT_HASH.fullmatch(hashed)
        return None if found is None else PASSWORD_ALGORITHMS.get(f"bcrypt{int(found[1])}")
    for prefix, kind in ((_PBKDF2, "pbkdf2"), (_STRETCH, "pbkdf2_stretch")):
        if hashed.startswith(prefix):
            return PASSWORD_ALGORITHMS.get(f"{kind}_{hashed[len(prefix) :].split('$', 1)[0]}")
    return None


def check_given_hash(hashed: str) -> None:
    """Judges a hash that somebody gives in place of a password. Raises IllegalArgument."""
    if hash_algorithm(hashed) is None:
        raise IllegalArgument(
            "The provided password hash is not a hash or it could not be resolved to a supported hash algorithm. "
            f"The supported password hash algorithms are [{', '.join(PASSWORD_ALGORITHMS)}]"
        )


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _for_bcrypt(secret: str) -> bytes:
    return _bytes(secret)[:BCRYPT_BYTES]


def _verify_fast(secret: str, hashed: str) -> bool:
    try:
        data = base64.b64decode(hashed[len(_SSHA) :], validate=True)
    except ValueError:  # also of text that is not ASCII
        return False
    digest, salt = data[:KEY_BYTES], data[KEY_BYTES:]
    made = hashlib.sha256(_bytes(secret) + salt).digest()
    return hmac.compare_digest(made, digest)


def _verify_derived(secret: str, hashed: str) -> bool:
    algorithm = hash_algorithm(hashed)
    parts = hashed.split("$")
    if algorithm is None or len(parts) != 3:
        return False
    try:
        salt, wanted = (base64.b64decode(each, validate=True) for each in parts[1:])
    except ValueError:  # also of text that is not ASCII
        return False
    if not wanted or len(wanted) > 512:
        return False
    stretch = algorithm.kind == "pbkdf2_stretch"
    made = _derive(secret, salt, algorithm.cost, len(wanted), stretch=stretch)
    return hmac.compare_digest(made, wanted)


def _derive(secret: str, salt: bytes, rounds: int, size: int, *, stretch: bool) -> bytes:
    data = _bytes(secret)
    if stretch:
        data = hashlib.sha512(data).hexdigest().encode("ascii")
    return hashlib.pbkdf2_hmac("sha512", data, salt, rounds, size)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
