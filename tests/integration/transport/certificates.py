"""A certificate authority for one test, and certificates signed by it."""

import datetime as dt
import ipaddress
import ssl
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

START = dt.datetime(2020, 1, 1)
END = dt.datetime(2120, 1, 1)


class Issued:
    """Files of one certificate: `path` holds both, `certificate` and `key` one each."""

    def __init__(self, folder: Path, stem: str, certificate: bytes, key: bytes) -> None:
        self.path = folder / f"{stem}.pem"
        self.certificate = folder / f"{stem}.crt"
        self.key = folder / f"{stem}.key"
        self.path.write_bytes(key + certificate)
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(key)


class Authority:
    """Writes what it makes into `folder`."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder = folder
        self._numbers = count(1)
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        self._certificate = (
            _builder(subject, subject, self._key, START, END)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / f"{name.replace(' ', '-')}.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, *hosts: str, ask_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(*hosts).path)
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def client_context(self, *names: str) -> ssl.SSLContext:
        """Trusts this authority; with `names` it has a certificate of its own."""
        context = ssl.create_default_context(cafile=str(self.path))
        if names:
            context.load_cert_chain(self.issue(*names).path)
        return context

    def issue(
        self,
        *hosts: str,
        start: dt.datetime = START,
        end: dt.datetime = END,
        passphrase: str | None = None,
        purpose: x509.ObjectIdentifier | None = None,
    ) -> Issued:
        """A certificate for these names and addresses; with `purpose` for that use alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(hosts[0]), self._certificate.subject, key, start, end)
        alternatives = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        builder = builder.add_extension(alternatives, critical=False)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        stem = f"{self.path.stem}-{hosts[0].replace(':', '-')}-{next(self._numbers)}"
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        return Issued(
            self._folder,
            stem,
            certificate.public_bytes(pem),
            key.private_bytes(pem, form, encryption),
        )


FOR_SERVERS = ExtendedKeyUsageOID.SERVER_AUTH


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    start: dt.datetime,
    end: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
