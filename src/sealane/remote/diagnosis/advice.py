"""What an operator is told about a failure: one sentence for the cause, one for the next step.

Pure. `advice` serves the connection test, the command line and the last error of `_remote/info`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from sealane.errors import ApiError, TlsHandshake
from sealane.remote.diagnosis.causes import (
    UNREACHED,
    Cause,
    behind_the_proxy,
    cause_of,
    links,
)
from sealane.remote.diagnosis.refusals import refused, step_with_a_key
from sealane.transport import Step, format_time
from sealane.wire.errors import RemoteProtocolError

ACCEPTED_VERSIONS = "Sealane, Elasticsearch 8.19 to 9.x, OpenSearch 2.19 to 3.x"
_BOTH_VERSIONS = re.compile(r"remote speaks .+, this node accepts .+$")
_VERSIONS = re.compile(
    r"unsupported version: \[([^\]]*)\] minimal compatible version is: \[([^\]]*)\]"
)
_HANDSHAKE_WITH = re.compile(r"^handshake with \[.*\] failed: ")
_SHOWN_BYTES = 40


_MAY_WANT_A_KEY = frozenset(
    {
        Cause.KEY_MISSING,
        Cause.KEY_NOT_CONFIGURED,
        Cause.UNKNOWN_AUTHORITY,
        Cause.CERTIFICATE_REFUSED,
        Cause.CLIENT_CERTIFICATE_MISSING,
        Cause.CLOSED_DURING_HANDSHAKE,
        Cause.REMOTE_IS_TLS,
    }
)
"""Failures of a node that comes without a key to a port that is for those with one."""


class Role(StrEnum):
    """What an address was dialled as."""

    SEED = "seed"
    PROXY = "proxy"
    NODE = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside the error. `address` is the one dialled, as text."""

    address: str
    role: Role = Role.SEED
    timeout_s: float | None = None
    alias: str = ""
    key_hint: str = ""
    """What may be wrong with the keys of this node, where it comes without one."""
    by_key: bool = False
    """Whether it comes with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Why, for programs and for people, and what to do next. Both texts are half sentences in lower
    case, without a full stop."""

    cause: Cause
    explanation: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.explanation}; {self.next_step}"


def advice(error: BaseException, step: Step | None, around: Circumstances) -> Advice:
    """What to tell about `error`, which was raised in `step`."""
    error = behind_the_proxy(error) or error
    cause = cause_of(error, step)
    if around.role is Role.NODE and cause in UNREACHED:
        cause = Cause.PUBLISH_ADDRESS_UNREACHABLE
    return told(cause, error, around)


def told(cause: Cause, error: BaseException, around: Circumstances) -> Advice:
    """What to tell about `error` once its cause is known."""
    explanation, next_step = _sentences(cause, error, around)
    if around.by_key:
        next_step = step_with_a_key(cause, next_step)
    if around.alias:
        next_step = next_step.replace("<alias>", around.alias)
    if around.key_hint and cause in _MAY_WANT_A_KEY:
        next_step = f"{around.key_hint}; if no key is meant, {next_step}"
    return Advice(cause=cause, explanation=explanation, next_step=next_step)


def _sentences(cause: Cause, error: BaseException, around: Circumstances) -> tuple[str, str]:
    found = (
        refused(cause, f"[{around.address}]", _innermost(error))
        or _socket(cause, error, around)
        or _tls(cause, error, around)
        or _peer(cause, error, around)
    )
    return found or (
        f"connecting to [{around.address}] failed: {_innermost(error)}",
        "see the log of the node at that address",
    )


def _socket(cause: Cause, error: BaseException, around: Circumstances) -> tuple[str, str] | None:
    """Before anybody has answered."""
    at = f"[{around.address}]"
    match cause:
        case Cause.UNKNOWN_HOST:
            return (
                f"the host name of {at} does not resolve",
                "correct the name, or add it to the DNS that this host uses",
            )
        case Cause.RESOLVE_TIMEOUT:
            return (
                f"no answer to the question for the host name of {at}{_within(around)}",
                "check the DNS servers that this host uses, and the way to them",
            )
        case Cause.CONNECTION_REFUSED:
            return (
                f"nothing listens on {at}",
                "check that the node runs, that it listens on this address and not only on "
                "loopback, and its transport port",
            )
        case Cause.CONNECT_TIMEOUT:
            return (
                f"{at} did not answer{_within(around)}",
                "open the port in the firewalls between this host and that one, and check that it "
                "is up",
            )
        case Cause.UNREACHABLE:
            return (
                f"there is no route from this host to {at}",
                "check the address, and the routing of both networks",
            )
        case Cause.OUT_OF_FILE_DESCRIPTORS:
            return (
                "this process has no file descriptor left for another socket",
                "raise its limit of open files, for example with [ulimit -n 65535]",
            )
        case Cause.PUBLISH_ADDRESS_UNREACHABLE:
            return (
                f"the publish address {at} cannot be reached from here, though the cluster "
                "answers at its seed",
                "use proxy mode, or set [transport.publish_host] of that node to an address that "
                "this host can reach",
            )
        case Cause.OUT_OF_TIME:
            return (
                f"the time was over before {at} was done",
                "ask again with a larger [timeout]",
            )
        case _:
            return None


def _tls(cause: Cause, error: BaseException, around: Circumstances) -> tuple[str, str] | None:
    """What TLS itself has found out."""
    at = f"[{around.address}]"
    for link in links(error):
        if isinstance(link, TlsHandshake) and cause is not Cause.HTTP_PORT:
            next_step = link.metadata.get("next_step") or "compare the TLS settings of both sides"
            return f"TLS with {at} failed, {link.reason}", str(next_step)
    return None


def _peer(cause: Cause, error: BaseException, around: Circumstances) -> tuple[str, str] | None:
    """Once somebody answers."""
    at = f"[{around.address}]"
    match cause:
        case Cause.HTTP_PORT | Cause.HTTPS_PORT:
            kind = "an HTTP" if cause is Cause.HTTP_PORT else "an HTTPS"
            return (
                f"{at} is {kind} port, not a transport port",
                "use the transport port of that node, usually 9300",
            )
        case Cause.NOT_A_TRANSPORT_PORT:
            return (
                f"{at} is not a transport port, {_heard(error, around)}",
                "correct the port: the transport port of a node is usually 9300",
            )
        case Cause.CLOSED_DURING_HANDSHAKE:
            return (
                f"{at} closed the connection during the handshake without saying why",
                "check that it is a transport port of a version that this node speaks "
                f"({ACCEPTED_VERSIONS}), and whether it expects TLS",
            )
        case Cause.HANDSHAKE_TIMEOUT:
            return (
                f"{at} accepts connections but did not answer the handshake{_within(around)}",
                "check what listens on that port, and whether that process still responds",
            )
        case Cause.VERSION_INCOMPATIBLE:
            return _versions(error, at)
        case Cause.WRONG_CLUSTER:
            difference = _difference(error)
            correct = "correct the address"
            if "cluster name" in difference:
                correct += ", or [cluster.remote.<alias>.cluster_name] where it is set"
            return (
                f"{at} belongs to another cluster: {difference}",
                f"{correct}; if the cluster was replaced, remove the remote and add it again",
            )
        case Cause.UNEXPECTED_NODE:
            return (
                f"another node than the one that publishes {at} answers there",
                "correct [transport.publish_host] of that node, or use proxy mode",
            )
        case Cause.NODES_REQUEST_FAILED:
            return (
                f"{at} did not tell the nodes of its cluster: {_innermost(error)}",
                "use another seed, or proxy mode, which needs no list",
            )
        case Cause.NO_ELIGIBLE_NODE:
            return (
                f"no node of the cluster at {at} may be a gateway",
                "let a node that is not a dedicated master have the attribute that "
                "[cluster.remote.node.attr] asks for, or use proxy mode",
            )
        case Cause.MISSING_ROLE:
            return (
                "this node lacks the role [remote_cluster_client] and opens no remote connections",
                "add the role to [node.roles], or ask another node",
            )
        case _:
            return None


def _difference(error: BaseException) -> str:
    """Only what differs: the node is named beside it, and what to do is said in other words."""
    return _HANDSHAKE_WITH.sub("", _innermost(error)).partition("; ")[0]


def _within(around: Circumstances) -> str:
    return "" if around.timeout_s is None else f" within [{format_time(around.timeout_s)}]"


def _versions(error: BaseException, at: str) -> tuple[str, str]:
    common = f"{at} speaks no version in common with this node"
    texts = [_text(link) for link in links(error)]
    ours = next(filter(None, map(_BOTH_VERSIONS.search, texts)), None)
    theirs = next(filter(None, map(_VERSIONS.search, texts)), None)
    if ours is not None:
        said = ours.group()
    elif theirs is not None:
        # The other side has refused us, in these words.
        said = f"it was offered version [{theirs[1]}] and accepts [{theirs[2]}] and later"
    else:
        said = _innermost(error)
    return f"{common}: {said}", f"upgrade the older side; this node accepts {ACCEPTED_VERSIONS}"


def _heard(error: BaseException, around: Circumstances) -> str:
    received = b""
    for link in links(error):
        if isinstance(link, RemoteProtocolError) and link.received:
            received = link.received
    if not received:
        return _innermost(error)
    return f"it says [{printable(received)}]"


def printable(data: bytes) -> str:
    """The first bytes of anything, for people: its text, or what stands for it."""
    line = data.splitlines()[0] if data.splitlines() else data
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in line[:_SHOWN_BYTES]
    )


def _innermost(error: BaseException) -> str:
    """The text of the first cause that has one; our own texts before the system's."""
    chain = sorted(links(error), key=lambda link: not isinstance(link, ApiError))
    return next((text for link in chain if (text := _text(link))), type(error).__name__)


def _text(link: BaseException) -> str:
    """Without the place in the stream, which is for developers."""
    return link.reason if isinstance(link, RemoteProtocolError) else str(link)
