"""The certificates of a secured pair, made anew for each run: one authority for the transport ports of both clusters,
another for the remote cluster server, so that a key sent to the wrong port is refused by TLS.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealane.clock import SystemClock

TRANSPORT, SERVER = "transport", "server"
"""The two authorities: `transport-ca.crt`, `server-ca.crt`."""
_DAY = datetime.timedelta(days=1)


def make(folder: Path, clusters: Sequence[str]) -> None:
    """Writes both authorities, and for each cluster `CLUSTER-transport` and `CLUSTER-server` with `.crt` and `.key`."""
    now = datetime.datetime.fromtimestamp(SystemClock().now_ms() // 1000, datetime.UTC)
    for use in (TRANSPORT, SERVER):
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _signed(f"{use} authority", authority_key, None, authority_key, now)
        _write(folder / f"{use}-ca", authority, authority_key)
        for cluster in clusters:
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _signed(f"{cluster}-0", key, authority, authority_key, now)
            _write(folder / f"{cluster}-{use}", certificate, key)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
) -> x509.Certificate:
    """Signed by `issuer`, or an authority signed by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 365 * _DAY)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        names = x509.SubjectAlternativeName([loopback, x509.DNSName("localhost")])
        uses = x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        )
        builder = builder.add_extension(names, critical=False).add_extension(uses, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _write(stem: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    stem.with_name(f"{stem.name}.crt").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    stem.with_name(f"{stem.name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
