"""The one line in the log that says why a peer's certificate was not trusted, with all that is known.

The failure as the asker sees it is `tls_failures`'; this is for whoever may read the log of this node.
"""

import ssl
from typing import Final

from sealane.transport.certificates import Certificate, is_address, time_text
from sealane.transport.tls_contexts import GroupContext
from sealane.transport.tls_failures import Attempt, TlsFailure, TlsProblem

TRUST_PROBLEMS: Final = frozenset(
    {
        TlsProblem.UNKNOWN_AUTHORITY,
        TlsProblem.WRONG_NAME,
        TlsProblem.EXPIRED,
        TlsProblem.NOT_YET_VALID,
        TlsProblem.BAD_CERTIFICATE,
    }
)
"""Those that are about a certificate which the peer has shown."""


def diagnosis(failure: TlsFailure, attempt: Attempt, peer: str, tls: ssl.SSLObject) -> str:
    """Without the beginning that all share. OpenSSL keeps to itself what a client has shown that it does not trust:
    of that one there is the address.
    """
    who = "client" if attempt.server_side else "server"
    at = peer if attempt.server_name in (None, "") else f"{attempt.server_name}, {peer}"
    parts = [f"{who} at [{at}]"]
    if not attempt.server_side:
        parts.append(_asked_for(attempt.server_name))
    if attempt.chain:
        parts += _shown(who, attempt.chain[0], attempt)
        parts.append(_issuer(who, attempt))
    parts += [_session(tls), _trust(tls, attempt), f"{failure}", failure.next_step]
    return "; ".join(parts)


def _asked_for(name: str | None) -> str:
    """An address is checked too, but TLS sends none."""
    return (
        f"the server name [{name}] was sent"
        if name and not is_address(name)
        else "no server name was sent"
    )


def _shown(who: str, own: Certificate, attempt: Attempt) -> list[str]:
    now_ms = attempt.now_ms
    if own.not_after_ms < now_ms:
        word = "certificate has expired"
    elif own.not_before_ms > now_ms:
        word = "certificate is not yet valid"
    else:
        word = "certificate dates are valid"
    names = f"[{', '.join(own.names)}]" if own.names else "no subject alternative names"
    return [
        f"the {who} provided a certificate with subject name [{own.subject}], fingerprint "
        f"[{own.fingerprint}]",
        f"the certificate is valid between [{time_text(own.not_before_ms)}] and "
        f"[{time_text(own.not_after_ms)}] (current time is [{time_text(now_ms)}], {word})",
        f"the certificate has subject alternative names {names}",
    ]


def _issuer(who: str, attempt: Attempt) -> str:
    own = attempt.chain[0]
    if own.issuer == own.subject:
        return "the certificate is self-issued"
    sent = any(each.subject == own.issuer for each in attempt.chain[1:])
    how = (
        f"and the {who} sent a certificate of that name"
        if sent
        else f"but the {who} did not provide a copy of the issuing certificate in the certificate chain"
    )
    return f"the certificate is issued by [{own.issuer}] {how}"


def _session(tls: ssl.SSLObject) -> str:
    cipher = tls.cipher()
    if cipher is None:
        return "no cipher suite was agreed on yet"
    return (
        f"the session uses cipher suite [{cipher[0]}] and protocol [{tls.version() or cipher[1]}]"
    )


def _trust(tls: ssl.SSLObject, attempt: Attempt) -> str:
    context = tls.context
    trusts = context.trusts if isinstance(context, GroupContext) else ""
    number = context.cert_store_stats()["x509"]
    with_what = f" (with trust configuration: {trusts})" if trusts else ""
    return f"this ssl context ([{attempt.group}]{with_what}) trusts [{number}] certificates"
