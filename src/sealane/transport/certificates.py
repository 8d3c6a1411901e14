"""What a certificate says of itself: whose it is, for which names, and when it is valid.

Read by way of OpenSSL, which has parsed it already; whether it is trusted is not asked here.
"""

import hashlib
import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is shown of one. Times in milliseconds since 1970."""

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    not_before_ms: int = 0
    not_after_ms: int = 0
    fingerprint: str = ""
    """SHA-1, hexadecimal: as other tools show it, to find the certificate by."""


def chain_of(tls: ssl.SSLObject) -> list[Certificate]:
    """The certificates that the peer has shown, whether or not they were accepted."""
    # Until Python 3.13 only the object below tells of a certificate that was refused.
    hidden: Any = getattr(tls, "_sslobj", None)
    chain: list[Certificate] = []
    if hasattr(hidden, "get_unverified_chain"):
        for shown in hidden.get_unverified_chain() or ():
            try:
                info, pem = shown.get_info(), shown.public_bytes()
                chain.append(_certificate(info, ssl.PEM_cert_to_DER_cert(pem)))
            except (ValueError, LookupError, ssl.SSLError):
                continue  # a stranger's certificate may hold anything; the others still tell something
    return chain


def verified_certificate(tls: ssl.SSLObject) -> bytes | None:
    """The certificate (DER) of a peer whose chain was verified; None of one that showed none, or
    where nobody asked for it.
    """
    if tls.context.verify_mode is ssl.CERT_NONE:
        return None
    return tls.getpeercert(binary_form=True)


def own_certificate(server_context: ssl.SSLContext) -> Certificate | None:
    """The certificate that a server would show: shown to ourselves, in memory. None where no
    handshake comes that far.
    """
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for end in (client, server, client):
        try:
            end.do_handshake()
        except ssl.SSLError:
            continue  # waits for the other end; or they do not agree, with the certificate shown or not
    chain = chain_of(client)
    return chain[0] if chain else None


def _certificate(info: Mapping[str, Any], der: bytes) -> Certificate:
    given = info.get("subjectAltName", ())
    names = tuple(_printable(str(value)) for _, value in given[:_NAMES_MAX])
    return Certificate(
        subject=_distinguished(info.get("subject", ())),
        issuer=_distinguished(info.get("issuer", ())),
        names=names or _common_names(info.get("subject", ())),
        not_before_ms=_millis(info["notBefore"]),
        not_after_ms=_millis(info["notAfter"]),
        fingerprint=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
    )


_NAMES_MAX: Final = 50
_TEXT_MAX: Final = 1000
_SHORT: Final = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "domainComponent": "DC",
}


def _distinguished(name: Sequence[Sequence[tuple[str, str]]]) -> str:
    """A stranger chose what is in it, and it goes into logs."""
    parts = [f"{_SHORT.get(key, key)}={value}" for relative in name for key, value in relative]
    return _printable(",".join(reversed(parts)))


def _printable(text: str) -> str:
    shown = text[:_TEXT_MAX]
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")


def _common_names(name: Sequence[Sequence[tuple[str, str]]]) -> tuple[str, ...]:
    return tuple(
        _printable(value) for relative in name for key, value in relative if key == "commonName"
    )


def _millis(text: str) -> int:
    """`Jan  1 00:00:00 2120 GMT`, as OpenSSL prints it."""
    return int(ssl.cert_time_to_seconds(text)) * 1000


def is_address(host: str) -> bool:
    """Whether it is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def time_text(millis: int) -> str:
    """`2026-11-22T06:00:00Z`"""
    return datetime.fromtimestamp(millis // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
