"""PKCS#12 files: the key and the certificates inside, in the PEM that contexts are made of.

`cryptography` is imported when the first such file is read. Which file is meant for what, and what
is said of one that does not fit, is `tls_contexts`'.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.model.security import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import pkcs12


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One certificate in a store, DER."""

    alias: str | None
    """That of the key for a certificate of its chain, which has none."""
    certificate: bytes
    has_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """`entries` hold the certificate of the key first, if there is a key."""

    entries: tuple[Entry, ...]
    chain: bytes
    """PEM: the certificate of the key, and all others after it."""
    key: bytes | None
    """PEM, encrypted with `passphrase`: in clear it would be in a file for a moment."""
    passphrase: Secret


class UnreadableStoreError(Exception):
    """The message says why, and is for people."""


def read_store(data: bytes, password: Secret) -> Store:
    """Raises UnreadableStoreError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        found = _load(data, password)
    except ValueError as error:
        text = "the password is wrong, or it is no PKCS#12 file"
        if not password.reveal():
            text = "no password is set for it, or it is no PKCS#12 file"
        raise UnreadableStoreError(text) from error
    except UnsupportedAlgorithm as error:
        raise UnreadableStoreError(
            f"it is encrypted in a way that is not known ({error})"
        ) from error
    if found.key is not None and found.cert is None:
        raise UnreadableStoreError("it holds a private key, but not its certificate")
    own = [] if found.cert is None else [found.cert]
    alias = _name_of(own[0]) if own else None
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    shown = [*own, *found.additional_certs]
    entries = tuple(
        Entry(
            alias=_name_of(each) or alias,
            certificate=each.certificate.public_bytes(der),
            has_key=at < len(own),
        )
        for at, each in enumerate(shown)
    )
    passphrase = Secret(secrets.token_hex(32))
    key = None
    if found.key is not None:
        encryption = serialization.BestAvailableEncryption(passphrase.reveal().encode())
        key = found.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
    chain = b"".join(each.certificate.public_bytes(pem) for each in shown)
    return Store(entries=entries, chain=chain, key=key, passphrase=passphrase)


def _name_of(each: "pkcs12.PKCS12Certificate") -> str | None:
    return each.friendly_name.decode("utf-8", "replace") if each.friendly_name else None


def _load(data: bytes, password: Secret) -> "pkcs12.PKCS12KeyAndCertificates":
    from cryptography.hazmat.primitives.serialization import pkcs12

    text = password.reveal()
    if text:
        return pkcs12.load_pkcs12(data, text.encode())
    try:
        # An empty password and none at all are not the same to those who write such files.
        return pkcs12.load_pkcs12(data, None)
    except ValueError:
        return pkcs12.load_pkcs12(data, b"")


@contextlib.contextmanager
def as_files(store: Store) -> Iterator[tuple[Path, Path]]:
    """Chain and key as files, which OpenSSL wants, for as long as they are read."""
    assert store.key is not None
    with tempfile.TemporaryDirectory(prefix="sealane-") as folder:
        chain, key = Path(folder) / "chain", Path(folder) / "key"
        chain.write_bytes(store.chain)
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(store.key)
        yield chain, key
