"""What a certificate says of itself."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealane.transport.certificates import own_certificate


def server(folder: Path, curve: ec.EllipticCurve) -> ssl.SSLContext:
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1))
        .not_valid_after(dt.datetime(2030, 1, 1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "node.crt", folder / "node.key"
    paths[0].write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    return context


def test_our_own_is_read(tmp_path: Path) -> None:
    own = own_certificate(server(tmp_path, ec.SECP256R1()))
    assert own is not None
    assert (own.subject, own.names) == ("CN=node", ("node",))
    assert own.not_before_ms == 1_577_836_800_000


@pytest.mark.parametrize("curve", [ec.BrainpoolP256R1(), ec.SECP256K1()], ids=lambda c: c.name)
def test_one_that_is_never_shown_is_no_error(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    """OpenSSL loads keys of any curve, and agrees by default on a few: the node still starts."""
    assert own_certificate(server(tmp_path, curve)) is None
