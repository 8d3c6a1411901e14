"""Why TLS could not be agreed on: each cause told apart, with a sentence and the next step.

What OpenSSL reports, and what it leaves out (the names and dates of the certificate that it
refused), becomes a `TlsFailure`. Finding out more by asking the peer again is `probe`'s.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sealane.transport.certificates import Certificate, time_text

TRANSPORT_GROUP: Final = "xpack.security.transport.ssl"
"""The settings group that the next step names where the context does not know its own."""


class TlsProblem(StrEnum):
    """Stable names of the causes, for programs."""

    REMOTE_IS_PLAIN = "remote_is_plain"
    """We speak TLS, the port does not."""
    REMOTE_IS_TLS = "remote_is_tls"
    """The port speaks TLS, we do not."""
    REMOTE_IS_HTTP = "remote_is_http"
    """The port answers in plain HTTP."""
    NOT_TLS = "not_tls"
    """What came is neither TLS nor anything known."""
    CLOSED = "closed_during_hello"
    """The peer said nothing and closed: most often a proxy that knows no such server name."""
    UNKNOWN_AUTHORITY = "unknown_authority"
    WRONG_NAME = "wrong_server_name"
    EXPIRED = "certificate_expired"
    NOT_YET_VALID = "certificate_not_yet_valid"
    BAD_CERTIFICATE = "bad_certificate"
    """Wrong in another way: its purpose, its signature, a weak key."""
    CERTIFICATE_MISSING = "client_certificate_missing"
    CERTIFICATE_REFUSED = "certificate_refused"
    """Ours, by the peer."""
    NO_COMMON_PROTOCOL = "no_common_protocol"
    NO_COMMON_CIPHER = "no_common_cipher"
    NAME_REFUSED = "server_name_refused"
    """The peer says that it serves no such name."""
    INVALID_NAME = "invalid_server_name"
    """A name that cannot be sent."""
    OTHER = "tls_failure"


_Q: Final = TlsProblem

_NEXT_STEPS: Final[Mapping[TlsProblem, str]] = {
    _Q.REMOTE_IS_PLAIN: "set [{group}.enabled: true] on the remote's nodes, or [false] here",
    _Q.REMOTE_IS_TLS: "set [{group}.enabled: true] here, with a key, a certificate and the authorities to trust",
    _Q.REMOTE_IS_HTTP: "use the remote's transport port (9300 by default), not its HTTP port",
    _Q.NOT_TLS: "check that the address leads to a transport port that speaks TLS",
    _Q.CLOSED: (
        "check that TLS is enabled on that port, and, where a proxy routes by server name, that it knows this one "
        "(cluster.remote.<alias>.server_name)"
    ),
    _Q.UNKNOWN_AUTHORITY: "add the certificate of the remote's authority to [{group}.certificate_authorities]",
    _Q.WRONG_NAME: (
        "issue a certificate for this name or address, or, in proxy mode, set [cluster.remote.<alias>.server_name] to "
        "a name that it is for; [{group}.verification_mode: certificate] checks no names"
    ),
    _Q.EXPIRED: "renew the certificate there; if it is valid still, set the clock of this machine right",
    _Q.NOT_YET_VALID: "compare the clocks of both machines; the certificate becomes valid at the time shown",
    _Q.BAD_CERTIFICATE: "issue another certificate for the peer",
    _Q.CERTIFICATE_MISSING: "set [{group}.certificate] and [{group}.key] to a certificate that the remote trusts",
    _Q.CERTIFICATE_REFUSED: (
        "add the authority of this node's certificate to [{group}.certificate_authorities] on the remote's nodes, and "
        "check that the certificate is valid and may be used by a client"
    ),
    _Q.NO_COMMON_PROTOCOL: "give [{group}.supported_protocols] a version in common on both sides",
    _Q.NO_COMMON_CIPHER: (
        "compare the cipher suites and the kinds of keys of both sides; a TLSv1.2 port that demands a certificate "
        "refuses in the same way"
    ),
    _Q.NAME_REFUSED: "set [cluster.remote.<alias>.server_name] to a name that the remote or its proxy serves",
    _Q.INVALID_NAME: "set [cluster.remote.<alias>.server_name] to a host name",
    _Q.OTHER: "look into the log of the remote node, which names its side of the failure",
}


class TlsFailure(ConnectionError):
    """TLS could not be agreed on. Its text is for the user who set up the connection, and so is
    `next_step`; `problem` is for programs."""

    def __init__(self, problem: TlsProblem, text: str, *, group: str = TRANSPORT_GROUP) -> None:
        super().__init__(text)
        self.problem = problem
        self.group = group

    @property
    def next_step(self) -> str:
        return _NEXT_STEPS[self.problem].replace("{group}", self.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known about a handshake when it fails."""

    server_side: bool
    server_name: str | None = None
    """The name that was asked for and checked."""
    chain: Sequence[Certificate] = field(default=())
    """What the peer showed, its own certificate first."""
    now_ms: int = 0
    group: str = TRANSPORT_GROUP


# -- from OpenSSL's words to ours ------------------------------------------------------------------

_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21, 24, 27})
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAME: Final = frozenset({62, 64})

_ALERTS: Final[Mapping[str, tuple[TlsProblem, str]]] = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        _Q.CERTIFICATE_MISSING,
        "the remote demands a certificate, and this node has none to show",
    ),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        _Q.CERTIFICATE_MISSING,
        "the caller showed no certificate, and this port demands one",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": (
        _Q.CERTIFICATE_REFUSED,
        "the peer does not trust the authority that issued this node's certificate",
    ),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (
        _Q.CERTIFICATE_REFUSED,
        "the peer says that this node's certificate is not valid now",
    ),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (
        _Q.CERTIFICATE_REFUSED,
        "the peer says that this node's certificate was revoked",
    ),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": (
        _Q.CERTIFICATE_REFUSED,
        "the peer does not accept this node's certificate",
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": (
        _Q.CERTIFICATE_REFUSED,
        "the peer does not accept this node's certificate, or its name",
    ),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": (
        _Q.CERTIFICATE_REFUSED,
        "the peer says that this node's certificate is not made for this purpose",
    ),
    "TLSV1_ALERT_ACCESS_DENIED": (_Q.CERTIFICATE_REFUSED, "the peer denies access"),
    "TLSV1_ALERT_PROTOCOL_VERSION": (
        _Q.NO_COMMON_PROTOCOL,
        "the peer speaks none of the TLS versions that this side speaks",
    ),
    "UNSUPPORTED_PROTOCOL": (
        _Q.NO_COMMON_PROTOCOL,
        "the peer speaks none of the TLS versions that this side speaks",
    ),
    "NO_PROTOCOLS_AVAILABLE": (
        _Q.NO_COMMON_PROTOCOL,
        "no TLS version is left that both sides may speak",
    ),
    "NO_SHARED_CIPHER": (_Q.NO_COMMON_CIPHER, "both sides have no cipher suite in common"),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        _Q.NO_COMMON_CIPHER,
        "the peer refused the handshake without saying why, most often for want of a common cipher suite",
    ),
    "TLSV1_UNRECOGNIZED_NAME": (_Q.NAME_REFUSED, "the peer serves no such server name"),
}


def failure_of(error: ssl.SSLError, attempt: Attempt) -> TlsFailure:
    """What `error` means to a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem, text = _refused_certificate(error, attempt)
        whose = "client certificate" if attempt.server_side else "certificate"
        return TlsFailure(problem, f"{whose} verification failed: {text}", group=attempt.group)
    reason = error.reason or ""
    if reason in _ALERTS:
        problem, text = _ALERTS[reason]
        if problem is _Q.NAME_REFUSED and attempt.server_name:
            text = f"{text} [{attempt.server_name}]"
        return TlsFailure(problem, f"TLS handshake failed: {text}", group=attempt.group)
    said = reason.lower().replace("_", " ") if reason else str(error)
    return TlsFailure(_Q.OTHER, f"TLS handshake failed: {said}", group=attempt.group)


def _refused_certificate(
    error: ssl.SSLCertVerificationError, attempt: Attempt
) -> tuple[TlsProblem, str]:
    code, said = error.verify_code, error.verify_message
    own = attempt.chain[0] if attempt.chain else None
    if code in _WRONG_NAME:
        names = f"is for [{', '.join(own.names)}]" if own else "is for other names"
        return _Q.WRONG_NAME, f"it {names}, not for [{attempt.server_name}]"
    if code in (_EXPIRED, _NOT_YET_VALID):
        return _out_of_time(code == _EXPIRED, attempt)
    about = "" if own is None else f": [{own.subject}], issued by [{own.issuer}]"
    if code in _UNKNOWN_AUTHORITY:
        return _Q.UNKNOWN_AUTHORITY, f"its authority is not trusted here ({said}){about}"
    return _Q.BAD_CERTIFICATE, f"{said}{about}"


def _out_of_time(expired: bool, attempt: Attempt) -> tuple[TlsProblem, str]:
    """Of the whole chain: an authority's certificate ends too."""
    now_ms = attempt.now_ms
    if expired:
        problem, word = _Q.EXPIRED, "has expired"
        found = [each for each in attempt.chain if each.not_after_ms < now_ms]
    else:
        problem, word = _Q.NOT_YET_VALID, "is not yet valid"
        found = [each for each in attempt.chain if each.not_before_ms > now_ms]
    if not found:
        return problem, f"it {word}, by the clock here [{time_text(now_ms)}]"
    which = found[0]
    return problem, (
        f"[{which.subject}] {word}: it is valid from [{time_text(which.not_before_ms)}] "
        f"to [{time_text(which.not_after_ms)}], the clock here says [{time_text(now_ms)}]"
    )
