"""Makes certificates: authorities, what they issue, and requests to authorities elsewhere.

Only values: what is written where is the caller's. `cryptography` is imported with this module, so
whoever may not need it imports this late.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealane.errors import IllegalArgument
from sealane.model.security import Secret

DAYS: Final = 1095
KEY_BITS: Final = 2048
_KEY_BITS_RANGE: Final = range(2048, 8192 + 1)
_DAYS_RANGE: Final = range(1, 100 * 365)
_EARLIER: Final = dt.timedelta(minutes=5)
"""A certificate is valid from a little before it was made: clocks of peers differ."""
_PEM: Final = serialization.Encoding.PEM

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""Of an authority that was made elsewhere; ours are RSA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A certificate with its key; `chain` are those above it, none where it signed itself."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hexadecimal."""
        return sha256_of(self.certificate_pem())

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    def chain_pem(self) -> bytes:
        """The certificate and those above it: a client that knows the fingerprint of the authority
        alone can tell it from what a server sends.
        """
        above = b"".join(each.public_bytes(_PEM) for each in self.chain)
        return self.certificate_pem() + above

    def key_pem(self, password: Secret | None = None) -> bytes:
        return key_pem(self.key, password)

    def pkcs12(self, name: str, password: Secret | None = None) -> bytes:
        """Key, certificate and those above it under `name`; without a password in clear."""
        encryption = _encryption(password)
        data: bytes = pkcs12.serialize_key_and_certificates(
            name.encode(), self.key, self.certificate, self.chain or None, encryption
        )
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a certificate is for: a distinguished name as RFC 4514 writes it, and what peers dial."""

    name: str
    dns: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()


def make_authority(name: str, *, now_ms: int, days: int = DAYS, key_bits: int = KEY_BITS) -> Signed:
    """A root. `name` is its distinguished name. Raises IllegalArgument."""
    key = make_key(key_bits)
    subject = distinguished_name(name)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(subject, subject, key, now_ms, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signed(certificate=certificate, key=key)


def issue(
    authority: Signed | None,
    subject: Subject,
    *,
    now_ms: int,
    days: int = DAYS,
    key_bits: int = KEY_BITS,
) -> Signed:
    """A certificate for a node, which both calls and answers. Without an authority it signs itself.

    Raises IllegalArgument.
    """
    key = make_key(key_bits)
    name = distinguished_name(subject.name)
    issuer = name if authority is None else authority.certificate.subject
    signer = key if authority is None else authority.key
    builder = _builder(name, issuer, key, now_ms, days)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage(_BOTH_ENDS), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    names = alternative_names(subject)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    chain = () if authority is None else (authority.certificate, *authority.chain)
    return Signed(certificate=builder.sign(signer, hashes.SHA256()), key=key, chain=chain)


_BOTH_ENDS: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def make_request(subject: Subject, *, key_bits: int = KEY_BITS) -> tuple[bytes, rsa.RSAPrivateKey]:
    """A signing request (PEM) and its key. Raises IllegalArgument."""
    key = make_key(key_bits)
    builder = x509.CertificateSigningRequestBuilder().subject_name(distinguished_name(subject.name))
    names = alternative_names(subject)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(_PEM), key


def make_key(bits: int) -> rsa.RSAPrivateKey:
    """Raises IllegalArgument for a size that is unsafe or takes for ever."""
    if bits not in _KEY_BITS_RANGE:
        least, most = _KEY_BITS_RANGE[0], _KEY_BITS_RANGE[-1]
        raise IllegalArgument(f"a key has between [{least}] and [{most}] bits, not [{bits}]")
    return rsa.generate_private_key(65537, bits)


def key_pem(key: Key, password: Secret | None = None) -> bytes:
    """PKCS#8, encrypted with `password` if there is one."""
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _encryption(password))


def sha256_of(certificate: bytes) -> str:
    """The fingerprint of a certificate in PEM form, hexadecimal."""
    return x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()


def read_authority(certificate: bytes, key: bytes, password: Secret | None) -> Signed:
    """An authority of PEM files. Raises IllegalArgument."""
    try:
        chain = x509.load_pem_x509_certificates(certificate)
    except ValueError:
        raise IllegalArgument("the authority's file holds no certificate in PEM form") from None
    given = None if password is None else password.reveal().encode()
    try:
        private = serialization.load_pem_private_key(key, given)
    except TypeError as error:
        raise IllegalArgument(
            "the authority's key is encrypted: give its password"
            if given is None
            else "a password is given, but the authority's key is not encrypted"
        ) from error
    except ValueError:
        raise IllegalArgument("the authority's key cannot be read: wrong password?") from None
    return _authority(chain[0], private, chain[1:])


def read_authority_store(data: bytes, password: Secret | None) -> Signed:
    """An authority of a PKCS#12 file. Raises IllegalArgument."""
    given = None if password is None else password.reveal().encode()
    try:
        found = pkcs12.load_pkcs12(data, given or None)
    except ValueError:
        raise IllegalArgument(
            "the authority's file is no PKCS#12, or its password is wrong"
        ) from None
    if found.key is None or found.cert is None:
        raise IllegalArgument("the authority's file holds no key with its certificate")
    above = [each.certificate for each in found.additional_certs]
    return _authority(found.cert.certificate, found.key, above)


def _authority(
    certificate: x509.Certificate, key: object, above: Sequence[x509.Certificate]
) -> Signed:
    if not isinstance(key, Key):
        raise IllegalArgument("the authority's key is neither of RSA nor of an elliptic curve")
    if key.public_key() != certificate.public_key():
        raise IllegalArgument("the authority's key and its certificate do not belong together")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        is_authority = constraints.value.ca
    except (x509.ExtensionNotFound, ValueError):
        is_authority = False
    if not is_authority:
        shown = certificate.subject.rfc4514_string()
        raise IllegalArgument(f"the certificate [{shown}] is not that of an authority")
    return Signed(certificate=certificate, key=key, chain=tuple(above))


def distinguished_name(text: str) -> x509.Name:
    """`CN=node-1,O=example`. Raises IllegalArgument."""
    try:
        name = x509.Name.from_rfc4514_string(text)
    except ValueError as error:
        raise IllegalArgument(f"[{text}] is no distinguished name such as [CN=node-1]") from error
    if not list(name):
        raise IllegalArgument("a distinguished name must not be empty")
    return name


def common_name(text: str) -> str:
    """The distinguished name of something called `text`, whatever characters that has. Raises
    IllegalArgument for one that is too long.
    """
    try:
        attribute = x509.NameAttribute(x509.NameOID.COMMON_NAME, text)
    except ValueError:
        raise IllegalArgument(
            f"[{text}] cannot be a common name, which has 1 to 64 bytes"
        ) from None
    return x509.Name([attribute]).rfc4514_string()


def alternative_names(subject: Subject) -> x509.SubjectAlternativeName | None:
    """Raises IllegalArgument for what is no host name or address."""
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(subject.dns):
        if not host or not host.isascii() or any(each.isspace() for each in host):
            raise IllegalArgument(f"[{host}] is no host name")
        names.append(x509.DNSName(host))
    for text in dict.fromkeys(subject.ips):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            raise IllegalArgument(f"[{text}] is no IP address") from None
    return x509.SubjectAlternativeName(names) if names else None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now_ms: int, days: int
) -> x509.CertificateBuilder:
    if days not in _DAYS_RANGE:
        raise IllegalArgument(
            f"a certificate is valid for [{_DAYS_RANGE[0]}] to [{_DAYS_RANGE[-1]}] days, not [{days}]"
        )
    now = dt.datetime.fromtimestamp(now_ms // 1000, dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _encryption(password: Secret | None) -> serialization.KeySerializationEncryption:
    text = "" if password is None else password.reveal()
    if not text:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(text.encode())
