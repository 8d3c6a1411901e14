"""The errors of connecting and asking, with the reference's texts. What to do about them is left to
the callers."""

import errno

from sealane.errors import (
    ApiError,
    CircuitBreaking,
    ConnectionRefused,
    ConnectTransport,
    ExecutionFailed,
    IllegalArgument,
    IllegalState,
    NodeClosed,
    NodeDisconnected,
    NodeNotConnected,
    ReceiveTimeout,
    Rejected,
    TlsHandshake,
    TransportSerialization,
    UncategorizedExecution,
    UnknownHost,
)
from sealane.model.node import Address
from sealane.transport.tls_failures import TlsFailure
from sealane.wire import format_bytes

HTTP_PORT_TEXT = "this is an HTTP port, not a transport port"
HTTPS_PORT_TEXT = "this is an HTTPS port, not a transport port"

_CONNECT_FAILURES = {
    errno.ECONNREFUSED: ("Connection refused", "Connect"),
    errno.EHOSTUNREACH: ("No route to host", "NoRouteToHost"),
    errno.ENETUNREACH: ("Network is unreachable", "Connect"),
    errno.ETIMEDOUT: ("Connection timed out", "Connect"),
}
_JAVA_TYPES = {"Connect": "connect_exception", "NoRouteToHost": "no_route_to_host_exception"}


def format_time(seconds: float) -> str:
    """A duration as the reference prints it: the largest unit, with a fraction of one digit at
    most."""
    millis = round(seconds * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if millis >= size:
            tenths = 10 * millis // size
            return f"{tenths // 10}{unit}" if tenths % 10 == 0 else f"{tenths / 10}{unit}"
    return f"{millis}ms"


def unknown_host(host: str) -> IllegalArgument:
    return IllegalArgument(f"unknown host [{host}]", caused_by=UnknownHost(host))


def connect_failed(name: str, host: str, address: Address, error: OSError) -> ConnectTransport:
    """A socket that did not open. `host` is the name resolved, empty for an address."""
    text, kind = _CONNECT_FAILURES.get(error.errno or 0, (error.strerror or str(error), "Connect"))
    plain: ApiError = ConnectionRefused(text)
    plain.es_type = _JAVA_TYPES[kind]
    annotated = ApiError(f"{text}: {host}/{address}", caused_by=plain)
    annotated.es_type = f"annotated_{_JAVA_TYPES[kind]}"
    executed = ExecutionFailed(
        f"io.netty.channel.AbstractChannel$Annotated{kind}Exception: {annotated.reason}",
        caused_by=annotated,
    )
    outer = UncategorizedExecution("Failed execution", caused_by=executed)
    return ConnectTransport(
        f"[{name}][{address}] connect_exception", caused_by=outer, root_causes=[outer]
    )


def connect_timeout(name: str, address: Address, seconds: float) -> ConnectTransport:
    return ConnectTransport(f"[{name}][{address}] connect_timeout[{format_time(seconds)}]")


def handshake_timeout(name: str, address: Address, seconds: float) -> ConnectTransport:
    return ConnectTransport(f"[{name}][{address}] handshake_timeout[{format_time(seconds)}]")


def http_port(name: str, address: Address) -> ConnectTransport:
    return ConnectTransport(f"[{name}][{address}] {HTTP_PORT_TEXT}")


def https_port(name: str, address: Address) -> ConnectTransport:
    return ConnectTransport(f"[{name}][{address}] {HTTPS_PORT_TEXT}")


def general_failure(name: str, address: Address, cause: str) -> ConnectTransport:
    return ConnectTransport(
        f"[{name}][{address}] general node connection failure", caused_by=IllegalState(cause)
    )


def tls_failed(name: str, address: Address, failure: TlsFailure) -> ConnectTransport:
    """TLS was tried and not agreed on. The failure itself is the `__cause__`."""
    shake = _tls_handshake(failure)
    executed = ExecutionFailed(
        f"javax.net.ssl.SSLHandshakeException: {shake.reason}", caused_by=shake
    )
    outer = UncategorizedExecution("Failed execution", caused_by=executed)
    error = ConnectTransport(
        f"[{name}][{address}] connect_exception", caused_by=outer, root_causes=[outer]
    )
    error.__cause__ = failure
    return error


def tls_wanted(name: str, address: Address, failure: TlsFailure) -> ConnectTransport:
    """We came in plain, and the port speaks TLS. The failure itself is the `__cause__`."""
    error = ConnectTransport(
        f"[{name}][{address}] general node connection failure", caused_by=_tls_handshake(failure)
    )
    error.__cause__ = failure
    return error


def _tls_handshake(failure: TlsFailure) -> TlsHandshake:
    return TlsHandshake(str(failure), problem=failure.problem, next_step=failure.next_step)


def node_disconnected(name: str, address: Address, action: str) -> NodeDisconnected:
    return NodeDisconnected(f"[{name}][{address}][{action}] disconnected")


def node_not_connected(name: str, address: Address) -> NodeNotConnected:
    return NodeNotConnected(f"[{name}][{address}] Node not connected")


def node_closed(name: str, address: Address) -> NodeClosed:
    return NodeClosed(f"node closed [{name}][{address}]")


def receive_timeout(
    name: str, address: Address, action: str, request_id: int, seconds: float
) -> ReceiveTimeout:
    return ReceiveTimeout(
        f"[{name}][{address}][{action}] request_id [{request_id}] timed out after "
        f"[{round(seconds * 1000)}ms]"
    )


def in_flight_too_large(action: str, wanted: int, limit: int) -> CircuitBreaking:
    return CircuitBreaking(
        f"[in_flight_requests] Data too large, data for [{action}] would be "
        f"[{wanted}/{format_bytes(wanted)}], which is larger than the limit of "
        f"[{limit}/{format_bytes(limit)}]",
        metadata={"bytes_wanted": wanted, "bytes_limit": limit, "durability": "TRANSIENT"},
    )


_FRAME_OVERHEAD_BYTES = 1024


def check_frame_size(what: str, size: int, limit: int) -> None:
    """Raises CircuitBreaking where a frame would make the other side close the connection."""
    wanted = size + _FRAME_OVERHEAD_BYTES
    if wanted > limit:
        raise CircuitBreaking(
            f"[transport] Data too large, data for [{what}] would be "
            f"[{wanted}/{format_bytes(wanted)}], which is larger than the limit of "
            f"[{limit}/{format_bytes(limit)}]",
            metadata={"bytes_wanted": wanted, "bytes_limit": limit, "durability": "PERMANENT"},
        )


def too_many_requests(action: str, limit: int) -> Rejected:
    return Rejected(f"rejected [{action}]: [{limit}] requests are in flight already")


def unreadable_error(reason: str) -> TransportSerialization:
    return TransportSerialization(f"Failed to deserialize exception response from stream: {reason}")


def unsupported_by_family(
    action: str, product: str, cluster: str, address: Address
) -> IllegalArgument:
    """We would ask a foreign cluster for something that only Sealane nodes can exchange as yet."""
    return IllegalArgument(
        f"action [{action}] is not supported yet with {product} clusters over transport: "
        f"cluster [{cluster}] at [{address}] runs {product}, only Sealane clusters can answer it"
    )


def unsupported_from_family(action: str, product: str) -> IllegalArgument:
    """A foreign node asks us for something that only Sealane nodes can ask as yet."""
    return IllegalArgument(
        f"action [{action}] is not supported yet from {product} nodes: this is a node of a Sealane "
        "cluster, which so far answers it to Sealane clusters only"
    )
