"""Errors of reaching other nodes and clusters."""

from sealane.errors.base import ApiError


class NoSuchRemoteCluster(ApiError):
    es_type, status = "no_such_remote_cluster_exception", 404

    def __init__(self, alias: str) -> None:
        super().__init__(f"no such remote cluster: [{alias}]")


class ConnectTransport(ApiError):
    """No connection could be opened. `[node name][address] what went wrong`."""

    es_type, status = "connect_transport_exception", 502


class RemoteUnavailable(ConnectTransport):
    """A remote that keeps failing is not asked for a while. The cause is its last failure."""

    def __init__(
        self, alias: str, *, failures: int, retry_in_s: float, cause: ApiError | None
    ) -> None:
        super().__init__(
            f"remote cluster [{alias}] is not asked: it has failed [{failures}] times in a row, the next attempt is in "
            f"[{retry_in_s:.1f}s]",
            caused_by=cause,
        )


class NodeDisconnected(ApiError):
    es_type, status = "node_disconnected_exception", 502


class NodeNotConnected(ApiError):
    es_type, status = "node_not_connected_exception", 502


class NoSuchNode(ApiError):
    """A node of this cluster is meant that is not in it."""

    es_type, status = "no_such_node_exception", 500

    def __init__(self, node_id: str) -> None:
        super().__init__(f"No such node [{node_id}]", metadata={"node_id": node_id})


class NodeClosed(ApiError):
    es_type, status = "node_closed_exception", 500


class NoSeedNodeLeft(ApiError):
    es_type, status = "no_seed_node_left_exception", 500
    root_shows_suppressed = True


class IllegalState(ApiError):
    es_type, status = "illegal_state_exception", 500


class CoordinationStateRejected(ApiError):
    """A node asks the master what it may not: to join another cluster, to follow without having joined."""

    es_type, status = "coordination_state_rejected_exception", 500


class MasterNotDiscovered(ApiError):
    """There is no master to ask. The reference gives no reason: its answers hold a null there."""

    es_type, status = "master_not_discovered_exception", 503

    def __init__(self) -> None:
        super().__init__("no master has been discovered", metadata={"reason": None})


class TimedOut(ApiError):
    """Something that was waited for did not come in time."""

    es_type, status = "timeout_exception", 429


class ReceiveTimeout(ApiError):
    es_type, status = "receive_timeout_transport_exception", 500


class ActionNotFound(ApiError):
    es_type, status = "action_not_found_transport_exception", 500

    def __init__(self, action: str) -> None:
        super().__init__(f"No handler for action [{action}]")


class RemoteTransport(ApiError):
    """Wraps what a handler on another node raised; REST shows the cause."""

    es_type, status = "remote_transport_exception", 500


class TransportSerialization(ApiError):
    """What another node sent could not be read here."""

    es_type, status = "transport_serialization_exception", 500


class ConnectionRefused(ApiError):
    es_type, status = "connect_exception", 500


class TlsHandshake(ApiError):
    """TLS could not be agreed on. `problem` names the cause for programs, `next_step` says what to do."""

    es_type = "s_s_l_handshake_exception"

    def __init__(self, reason: str, *, problem: str, next_step: str) -> None:
        super().__init__(reason, metadata={"problem": str(problem), "next_step": next_step})


class UnknownHost(ApiError):
    es_type, status = "unknown_host_exception", 500


class ExecutionFailed(ApiError):
    """The reference's wrapper around what a future failed with."""

    es_type, status = "execution_exception", 500


class UncategorizedExecution(ApiError):
    es_type, status = "uncategorized_execution_exception", 500
