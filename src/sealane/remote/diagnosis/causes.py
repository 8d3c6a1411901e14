"""Why a connection does not come about: the causes that are told apart, and what an error says
about them.

Pure. The errors are the connection's own, so the same rules serve a test, a search and the last
error of a remote. What an operator reads is in `advice`.
"""

import errno
import re
import ssl
from collections.abc import Iterator
from enum import StrEnum

from sealane.errors import ApiError, TlsHandshake
from sealane.transport import Step
from sealane.transport.tls_failures import TlsFailure, TlsProblem
from sealane.wire.errors import (
    HttpResponseReceived,
    RemoteProtocolError,
    TlsReceived,
    UnsupportedVersion,
)


class Cause(StrEnum):
    """For programs: these words do not change."""

    UNKNOWN_HOST = "unknown_host"
    RESOLVE_TIMEOUT = "resolve_timeout"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    OUT_OF_FILE_DESCRIPTORS = "out_of_file_descriptors"
    HTTP_PORT = "http_port"
    HTTPS_PORT = "https_port"
    NOT_A_TRANSPORT_PORT = "not_a_transport_port"
    REMOTE_IS_TLS = "remote_is_tls"
    REMOTE_IS_PLAIN = "remote_is_plain"
    NOT_TLS = "not_tls"
    CLOSED_DURING_HELLO = "closed_during_hello"
    UNKNOWN_AUTHORITY = "unknown_authority"
    WRONG_SERVER_NAME = "wrong_server_name"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    BAD_CERTIFICATE = "bad_certificate"
    CLIENT_CERTIFICATE_MISSING = "client_certificate_missing"
    CERTIFICATE_REFUSED = "certificate_refused"
    NO_COMMON_PROTOCOL = "no_common_protocol"
    NO_COMMON_CIPHER = "no_common_cipher"
    SERVER_NAME_REFUSED = "server_name_refused"
    INVALID_SERVER_NAME = "invalid_server_name"
    TLS_FAILURE = "tls_failure"
    CLOSED_DURING_HANDSHAKE = "closed_during_handshake"
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    VERSION_INCOMPATIBLE = "version_incompatible"
    WRONG_CLUSTER = "wrong_cluster"
    NO_ELIGIBLE_NODE = "no_eligible_node"
    PUBLISH_ADDRESS_UNREACHABLE = "publish_address_unreachable"
    UNEXPECTED_NODE = "unexpected_node"
    NODES_REQUEST_FAILED = "nodes_request_failed"
    MISSING_ROLE = "missing_role"
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_EXPIRED = "key_expired"
    KEY_INVALIDATED = "key_invalidated"
    KEY_OF_WRONG_TYPE = "key_of_wrong_type"
    KEY_MALFORMED = "key_malformed"
    KEY_AT_TRANSPORT_PORT = "key_at_transport_port"
    KEY_NOT_CONFIGURED = "key_not_configured"
    CERTIFICATE_MODEL_REFUSED = "certificate_model_refused"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_AUTHORIZED = "not_authorized"
    OUT_OF_TIME = "out_of_time"
    OTHER = "other"


_CAUSES = frozenset(Cause)
UNREACHED = frozenset(
    {
        Cause.UNKNOWN_HOST,
        Cause.RESOLVE_TIMEOUT,
        Cause.CONNECTION_REFUSED,
        Cause.CONNECT_TIMEOUT,
        Cause.UNREACHABLE,
    }
)
"""Causes with which nobody at the address has answered."""

_BY_NUMBER = {
    errno.ECONNREFUSED: Cause.CONNECTION_REFUSED,
    errno.ETIMEDOUT: Cause.CONNECT_TIMEOUT,
    errno.EHOSTUNREACH: Cause.UNREACHABLE,
    errno.ENETUNREACH: Cause.UNREACHABLE,
    errno.EHOSTDOWN: Cause.UNREACHABLE,
    errno.EMFILE: Cause.OUT_OF_FILE_DESCRIPTORS,
    errno.ENFILE: Cause.OUT_OF_FILE_DESCRIPTORS,
}
_BY_TYPE = {
    "unknown_host_exception": Cause.UNKNOWN_HOST,
    "no_route_to_host_exception": Cause.UNREACHABLE,
    "node_disconnected_exception": Cause.CLOSED_DURING_HANDSHAKE,
}
_OF_SECURITY = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        (r"require transport header \[_cross_cluster", Cause.KEY_MISSING),
        (r"the keystore holds no \[cluster\.remote", Cause.KEY_NOT_CONFIGURED),
        (r"requires channel profile to be", Cause.KEY_AT_TRANSPORT_PORT),
        (
            r"^missing authentication credentials.*remote_cluster/handshake",
            Cause.KEY_AT_TRANSPORT_PORT,
        ),
        (r"api key is expired", Cause.KEY_EXPIRED),
        (r"has been invalidated", Cause.KEY_INVALIDATED),
        (r"expected API key type of \[cross_cluster\]", Cause.KEY_OF_WRONG_TYPE),
        (r"value must be a valid API key credential", Cause.KEY_MALFORMED),
        (r"unable to find apikey|invalid credentials for API key", Cause.KEY_UNKNOWN),
        (r"allow_certificate_model\] is \[false\]", Cause.CERTIFICATE_MODEL_REFUSED),
        (r"^missing authentication credentials", Cause.NOT_AUTHENTICATED),
        (r"^unable to authenticate", Cause.KEY_UNKNOWN),
        (r"is unauthorized", Cause.NOT_AUTHORIZED),
    )
)
"""What the port at the other end says to those that it does not let in."""
_TRIED = "additional_unsuccessful_credentials"
_BY_TEXT = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        (r"this is an HTTP port", Cause.HTTP_PORT),
        (r"this is an HTTPS port", Cause.HTTPS_PORT),
        (r"unsupported version: \[|is incompatible with local", Cause.VERSION_INCOMPATIBLE),
        (r"does not match expected remote cluster", Cause.WRONG_CLUSTER),
        (r"unexpected remote cluster name", Cause.WRONG_CLUSTER),
        (r"unexpected remote node", Cause.UNEXPECTED_NODE),
        (r"\] role$|remote cluster client role enabled$", Cause.MISSING_ROLE),
        (r"connect_timeout\[", Cause.CONNECT_TIMEOUT),
        (r"handshake_timeout\[", Cause.HANDSHAKE_TIMEOUT),
        (r"handshake failed because connection reset", Cause.CLOSED_DURING_HANDSHAKE),
        (r"closed during the handshake", Cause.CLOSED_DURING_HANDSHAKE),
        (r"a channel closed while connecting", Cause.CLOSED_DURING_HANDSHAKE),
        (r"invalid internal transport message format", Cause.NOT_A_TRANSPORT_PORT),
        (r"^Connection refused$", Cause.CONNECTION_REFUSED),
        (r"gave up after \[", Cause.OUT_OF_TIME),
    )
)


def cause_of(error: BaseException, step: Step | None = None) -> Cause:
    """The cause behind `error`, raised in `step` where that is known."""
    if step is Step.NODES and _by_text(str(error)) is not Cause.OUT_OF_TIME:
        refusal = _cause_of_link(error)
        if refusal in (Cause.NOT_AUTHORIZED, Cause.CERTIFICATE_MODEL_REFUSED):
            return refusal
        # Who has come that far is reachable, whatever went wrong then.
        return Cause.NODES_REQUEST_FAILED
    for each in links(error):
        found = _cause_of_link(each)
        if found is Cause.CONNECT_TIMEOUT and step is Step.RESOLVE:
            return Cause.RESOLVE_TIMEOUT
        if found is not None:
            return found
    if isinstance(error, ApiError) and "Unable to open any connections" in error.reason:
        return _cause_of_suppressed(error)
    behind = behind_the_proxy(error)
    return Cause.OTHER if behind is None else cause_of(behind, step)


def behind_the_proxy(error: BaseException) -> ApiError | None:
    """Why none of a proxy's sockets was opened, where `error` only says that none was."""
    if isinstance(error, ApiError) and "Unable to open any proxy connections" in error.reason:
        return next(iter(error.suppressed), None)
    return None


def links(error: BaseException) -> Iterator[BaseException]:
    """The error and all that caused it, the first causes first: they know best. What was raised
    below comes before the texts made of it.
    """
    chain: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting and len(chain) < 32:
        each = waiting.pop()
        chain.append(each)
        under = each.caused_by if isinstance(each, ApiError) else None
        if each.__cause__ is not None and each.__cause__ is not under:
            waiting.append(each.__cause__)
        if under is not None:
            waiting.append(under)
    yield from reversed(chain)


def _cause_of_link(link: BaseException) -> Cause | None:
    if isinstance(link, TlsHandshake):
        return _of_tls(str(link.metadata.get("problem", "")))
    if isinstance(link, ApiError):
        said = (
            f"{link.metadata.get(_TRIED, '')} {link.reason}".strip()
            if link.metadata
            else link.reason
        )
        refusal = next((cause for pattern, cause in _OF_SECURITY if pattern.search(said)), None)
        return refusal or _BY_TYPE.get(link.es_type) or _by_text(link.reason)
    if isinstance(link, ssl.SSLError | TlsFailure | TlsReceived):
        return None  # the error made of it knows more
    if isinstance(link, HttpResponseReceived):
        return Cause.HTTP_PORT
    if isinstance(link, UnsupportedVersion):
        return Cause.VERSION_INCOMPATIBLE
    if isinstance(link, RemoteProtocolError):
        return Cause.NOT_A_TRANSPORT_PORT
    if isinstance(link, OSError) and link.errno in _BY_NUMBER:
        return _BY_NUMBER[link.errno]
    return _by_text(str(link))


def _of_tls(problem: str) -> Cause:
    """Its own word, but for the causes that are not peculiar to TLS."""
    if problem == TlsProblem.REMOTE_IS_HTTP:
        return Cause.HTTP_PORT
    return Cause(problem) if problem in _CAUSES else Cause.TLS_FAILURE


def _by_text(text: str) -> Cause | None:
    return next((cause for pattern, cause in _BY_TEXT if pattern.search(text)), None)


def _cause_of_suppressed(error: ApiError) -> Cause:
    """Of a seed that answered and none of whose nodes could be connected to."""
    causes = [cause_of(each) for each in error.suppressed]
    if not causes:
        return Cause.NO_ELIGIBLE_NODE
    return Cause.PUBLISH_ADDRESS_UNREACHABLE if causes[0] in UNREACHED else causes[0]
