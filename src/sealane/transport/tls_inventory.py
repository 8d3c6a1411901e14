"""Which certificates are in the files of a group, and when each of them ends.

For people and monitoring. `cryptography`, which reads them, is imported when somebody asks.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sealane.model.certificates import FileCertificate
from sealane.settings.tls_settings import StoreValues
from sealane.transport.tls_contexts import ContextMaker

if TYPE_CHECKING:
    from cryptography import x509


def inventory(maker: ContextMaker) -> tuple[FileCertificate, ...]:
    """Each once, in order of their files. Raises SettingsError for a file that cannot be read."""
    return tuple(sorted(set(_all(maker))))


def _all(maker: ContextMaker) -> Iterator[FileCertificate]:
    values = maker.values
    if values.certificate is not None:
        yield from _of_pem(maker, values.certificate, "certificate", has_key=True)
    for each in values.certificate_authorities or ():
        yield from _of_pem(maker, each, "certificate_authorities", has_key=False)
    for named, member in ((values.keystore, "keystore"), (values.truststore, "truststore")):
        if named is not None:
            yield from _of_store(maker, named, member)


def _of_pem(
    maker: ContextMaker, path: str, member: str, *, has_key: bool
) -> Iterator[FileCertificate]:
    from cryptography import x509

    data = maker.read(maker.path(path), f"PEM {member}", member)
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        return  # OpenSSL takes what this does not: it is in use, but nothing is told of it
    for at, certificate in enumerate(found):
        yield _described(certificate, path, "PEM", "", has_key and at == 0)


def _of_store(maker: ContextMaker, named: StoreValues, member: str) -> Iterator[FileCertificate]:
    from cryptography import x509

    for entry in maker.store(named, member).entries:
        certificate = x509.load_der_x509_certificate(entry.certificate)
        alias = entry.alias or ""
        yield _described(certificate, named.path, "PKCS12", alias, entry.has_key)


def _described(
    certificate: "x509.Certificate", path: str, format: str, alias: str, has_key: bool
) -> FileCertificate:
    return FileCertificate(
        path=path,
        format=format,
        alias=alias,
        serial_number=f"{certificate.serial_number:x}",
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        has_private_key=has_key,
        not_before_ms=int(certificate.not_valid_before_utc.timestamp() * 1000),
        not_after_ms=int(certificate.not_valid_after_utc.timestamp() * 1000),
    )
