"""A certificate in a file of this node, as people and monitoring are shown it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FileCertificate:
    """`path` is as the setting has it. Names are in the form of RFC 2253, times in ms since 1970."""

    path: str
    format: str
    """PEM or PKCS12."""
    alias: str = ""
    """Empty where the file has no names."""
    serial_number: str
    """Hexadecimal."""
    subject: str
    issuer: str
    has_private_key: bool
    not_before_ms: int
    not_after_ms: int
