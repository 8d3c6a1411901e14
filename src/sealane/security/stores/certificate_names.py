"""The subject of a client certificate, read by its structure: a name in it cannot pose as another part of it."""

from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

_RDN: Final[dict[str, ObjectIdentifier]] = {
    "CN": NameOID.COMMON_NAME,
    "UID": NameOID.USER_ID,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
}


class CertificateName(NamedTuple):
    """`user` is the part of the subject that names the user, `dn` the whole of it (RFC 2253)."""

    user: str
    dn: str


def read_subject(certificate: bytes, part: str) -> CertificateName | None:
    """None for what is no certificate (DER), and where its subject has no such part or an empty one."""
    oid = _RDN.get(part.upper())
    if oid is None:
        return None
    try:
        subject = x509.load_der_x509_certificate(certificate).subject
        found = subject.get_attributes_for_oid(oid)
        dn = subject.rfc4514_string()
    except (ValueError, TypeError, x509.InvalidVersion):
        return None  # not only what is no DER: also a name with values of the wrong types
    if not found:
        return None
    # The most specific part stands last in the certificate, and first in the text.
    value = found[-1].value
    user = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return CertificateName(user, dn) if user else None
