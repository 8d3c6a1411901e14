"""Cipher suites by the names that settings use, and what OpenSSL calls them.

Settings follow the standard's names, as Java does: `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`. Those of
TLSv1.3 are apart: OpenSSL keeps them in another list, which Python cannot change. So naming one of
them leaves TLSv1.3 on with all of its suites, naming none turns it off.
"""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_FOR_TLS_1_3: Final = frozenset(
    {
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    }
)
_SIGNALS: Final = frozenset({"TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV"})
"""No suites: what a hello says besides. OpenSSL does that by itself."""
_SUITE: Final = re.compile(r"(?:TLS|SSL)_(?P<exchange>[A-Za-z0-9_]+)_WITH_(?P<cipher>[A-Z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Suites:
    """`older` is OpenSSL's list for TLSv1.2, empty where none was named."""

    older: str
    newer: bool
    """Whether any of TLSv1.3 was named."""


def suites_of(names: Sequence[str]) -> Suites:
    """Raises LookupError with the names that OpenSSL does not have."""
    older: list[str] = []
    unknown: list[str] = []
    newer = False
    for name in names:
        if name in _FOR_TLS_1_3:
            newer = True
        elif name not in _SIGNALS:
            translated = openssl_name(name)
            if translated in _known():
                older.append(translated)
            else:
                unknown.append(name)
    if unknown:
        raise LookupError(*unknown)
    return Suites(":".join(older), newer)


def openssl_name(name: str) -> str:
    """What OpenSSL calls a suite of TLSv1.2, whether it has it or not. Its own names stay."""
    match = _SUITE.fullmatch(name)
    if match is None:
        return name
    exchange = match["exchange"].replace("_", "-")
    parts = match["cipher"].split("_")
    bits = parts[1] if len(parts) > 1 and parts[1].isdigit() else ""
    head, rest = (parts[0] + bits, parts[2:]) if bits else (parts[0], parts[1:])
    if rest and rest[0] == "CBC":
        rest = rest[1:]
    if rest[:1] == ["POLY1305"]:
        rest = rest[:1]  # its hash is not part of the name
    cipher = "-".join([head, *rest])
    return cipher if exchange == "RSA" else f"{exchange}-{cipher}"


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Those that this OpenSSL speaks with a certificate and holds to be strong enough."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:!aNULL:!eNULL:!PSK:!SRP")
    return frozenset(str(each["name"]) for each in context.get_ciphers())
