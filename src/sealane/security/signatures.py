"""Signatures by which a cluster that comes with a key proves which cluster it is: made, and checked.

What is signed is what is said of the subject, and the key: whoever holds the key alone cannot ask with it where the
key demands an identity. Which files hold keys and authorities, and when they are read again, is left to others.

The header is base64 of JSON: version, algorithm, certificates (DER, the signer's own first) and signature.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from sealane.errors import AuthenticationFailed, SettingsError
from sealane.security.rules import names

VERSION: Final = 1
RSA_ALGORITHM: Final = "SHA256withRSA"
EC_ALGORITHM: Final = "SHA256withECDSA"
HEADER_MAX_CHARS: Final = 48 * 1024
CHAIN_MAX: Final = 8
_ANY_CASE: Final = "(?i)"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def payload_of(subject_info: str, credentials: str) -> bytes:
    return f"{subject_info}\n{credentials}".encode()


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """A key and its certificates."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    def __repr__(self) -> str:
        return f"<Signer [{distinguished_name(self.chain[0])}]>"

    def sign(self, subject_info: str, credentials: str) -> str:
        payload = payload_of(subject_info, credentials)
        if isinstance(self.key, rsa.RSAPrivateKey):
            algorithm = RSA_ALGORITHM
            signature = self.key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            algorithm = EC_ALGORITHM
            signature = self.key.sign(payload, ec.ECDSA(hashes.SHA256()))
        shown = [each.public_bytes(serialization.Encoding.DER) for each in self.chain]
        told = {
            "v": VERSION,
            "algorithm": algorithm,
            "chain": [_text(each) for each in shown],
            "signature": _text(signature),
        }
        return _text(json.dumps(told, separators=(",", ":")).encode())


def pem_signer(certificate: bytes, key: bytes, passphrase: str | None) -> Signer:
    """Raises SettingsError for files that hold no such things, or that do not belong together."""
    try:
        chain = x509.load_pem_x509_certificates(certificate)
        secret = None if passphrase is None else passphrase.encode()
        return _signer(serialization.load_pem_private_key(key, secret), chain)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"certificate and key for signing cannot be read: {error}") from error


def pkcs12_signer(data: bytes, password: str | None) -> Signer:
    """Raises SettingsError."""
    try:
        secret = None if password is None else password.encode()
        key, own, others = pkcs12.load_key_and_certificates(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"the keystore for signing cannot be read: {error}") from error
    return _signer(key, [*([] if own is None else [own]), *others])


def _signer(key: Any, chain: Sequence[x509.Certificate]) -> Signer:
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SettingsError(f"a key for signing is one of RSA or EC, not [{type(key).__name__}]")
    if not chain or _public(key.public_key()) != _public(chain[0].public_key()):
        raise SettingsError("the key for signing is not the one of the first certificate")
    return Signer(key, tuple(chain))


def _public(key: Any) -> bytes:
    shown: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return shown


def pem_authorities(data: bytes) -> list[x509.Certificate]:
    """Raises SettingsError."""
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise SettingsError(f"authorities for signatures cannot be read: {error}") from error


def pkcs12_authorities(data: bytes, password: str | None) -> list[x509.Certificate]:
    """Raises SettingsError."""
    try:
        store = pkcs12.load_pkcs12(data, None if password is None else password.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"the truststore for signatures cannot be read: {error}") from error
    return [each.certificate for each in store.additional_certs]


def distinguished_name(certificate: x509.Certificate) -> str:
    """Of whom it is, as RFC 2253 writes it."""
    return certificate.subject.rfc4514_string()


def check(
    shown: str | None,
    subject_info: str,
    credentials: str,
    *,
    key_id: str,
    identity: str | None,
    authorities: Sequence[x509.Certificate],
    now_ms: int,
) -> int | None:
    """Until when a signature is good, in ms; None where none is shown, and none is demanded.

    Raises AuthenticationFailed where it is wrong, or is not the one that the key demands.

    `identity` is the pattern that the signer's distinguished name must match as a whole; None demands nothing, and a
    signature that is shown all the same must be right.
    """
    if shown is None:
        if identity is not None:
            raise _failed(
                f"API key (type:[cross_cluster], id:[{key_id}]) requires certificate identity matching "
                f"[{identity}], but no certificate was provided"
            )
        return None
    chain, algorithm, signature = _read(shown)
    name = distinguished_name(chain[0])
    until = _trusted_until(chain, authorities, datetime.fromtimestamp(now_ms / 1000, UTC))
    if until is None:
        raise _failed(f"Failed to verify cross cluster api key signature certificate from [{name}]")
    if not _is_right(chain[0], algorithm, signature, payload_of(subject_info, credentials)):
        raise _failed(f"Invalid cross cluster api key signature from [{name}]")
    if identity is not None and not matches(identity, name):
        raise _failed(
            f"DN from provided certificate [{name}] does not match API Key certificate identity "
            f"pattern [{identity}]"
        )
    return int(until.timestamp() * 1000)


def matches(identity: str, name: str) -> bool:
    """Whether a pattern fits a name as a whole; in time that grows with the name's length only."""
    if identity.startswith(_ANY_CASE):
        identity, name = identity.removeprefix(_ANY_CASE).lower(), name.lower()
    return bool(identity) and bool(names.matcher((f"/{identity}/",))(name))


def _read(shown: str) -> tuple[list[x509.Certificate], str, bytes]:
    try:
        if len(shown) > HEADER_MAX_CHARS:
            raise ValueError("too long")
        told = json.loads(base64.b64decode(shown.encode("ascii"), validate=True))
        if told["v"] != VERSION or not 0 < len(told["chain"]) <= CHAIN_MAX:
            raise ValueError("unknown version, or too many certificates")
        chain = [x509.load_der_x509_certificate(_bytes(each)) for each in told["chain"]]
        return chain, str(told["algorithm"]), _bytes(told["signature"])
    except (
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
        x509.InvalidVersion,
    ) as error:
        raise _failed("cross cluster api key signature cannot be read") from error


def _trusted_until(
    chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate], now: datetime
) -> datetime | None:
    """When the first certificate ends of a chain that leads to one of the authorities; None for a chain that does not,
    or with a certificate that is not valid now.
    """
    until = datetime.max.replace(tzinfo=UTC)
    for at, certificate in enumerate(chain):
        if not _is_valid(certificate, now) or (at and not _may_issue(certificate)):
            return None
        until = min(until, certificate.not_valid_after_utc)
        if any(certificate == each for each in authorities):
            return until
        for each in authorities:
            if _issued(certificate, each) and _may_issue(each) and _is_valid(each, now):
                return min(until, each.not_valid_after_utc)
        if at + 1 < len(chain) and not _issued(certificate, chain[at + 1]):
            return None
    return None


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        ValueError,
    ):
        return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_right(
    certificate: x509.Certificate, algorithm: str, signature: bytes, payload: bytes
) -> bool:
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and algorithm == RSA_ALGORITHM:
            key.verify(signature, payload, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == EC_ALGORITHM:
            key.verify(signature, payload, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _failed(text: str) -> AuthenticationFailed:
    return AuthenticationFailed(text)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    return base64.b64decode(str(text).encode("ascii"), validate=True)
