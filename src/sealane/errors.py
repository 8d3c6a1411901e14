"""Every error an API user can see, and the one place that knows its JSON and its wire form.

A subclass of ApiError is an `es_type`, a `status` and a constructor that builds the reason from typed fields.
Names, statuses and texts are the reference's own where it has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self


class ApiError(Exception):
    """An error with the reference's type name and HTTP status.

    `metadata` holds the members the reference prints beside type and reason (`index`, `index_uuid`, `line`, ...).
    `caused_by` nests; `root_causes` defaults to the error itself.
    """

    es_type: str = "exception"
    status: int = 500
    root_shows_suppressed: ClassVar[bool] = False
    _by_type: ClassVar[dict[str, type["ApiError"]]] = {}

    def __init__(
        self,
        reason: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        caused_by: "ApiError | None" = None,
        root_causes: "Sequence[ApiError] | None" = None,
        suppressed: "Sequence[ApiError]" = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.caused_by = caused_by
        self.root_causes = list(root_causes) if root_causes is not None else None
        self.suppressed = list(suppressed)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ApiError._by_type.setdefault(cls.es_type, cls)

    def __str__(self) -> str:
        return self.reason

    def to_cause(self) -> dict[str, Any]:
        """The error as it appears inside another answer: `caused_by`, a bulk item, a shard failure."""
        body: dict[str, Any] = {"type": self.es_type, "reason": self.reason, **self.metadata}
        if self.caused_by is not None:
            body["caused_by"] = self.caused_by.to_cause()
        if self.suppressed:
            body["suppressed"] = [each.to_cause() for each in self.suppressed]
        return body

    def to_body(self) -> dict[str, Any]:
        """The whole answer body: `{"error": {"root_cause": [...], ...}, "status": n}`."""
        roots = self.root_causes if self.root_causes is not None else [self]
        shown = [each._as_root() for each in roots]
        return {"error": {"root_cause": shown, **self.to_cause()}, "status": self.status}

    def _as_root(self) -> dict[str, Any]:
        """The error in `root_cause`: no causes, and what it suppressed only where the class says so."""
        body: dict[str, Any] = {"type": self.es_type, "reason": self.reason, **self.metadata}
        if self.suppressed and self.root_shows_suppressed:
            body["suppressed"] = [each._as_root() for each in self.suppressed]
        return body

    def to_wire(self) -> dict[str, Any]:
        """Plain data that `from_wire` turns back into an equal error on the other side."""
        return {
            "type": self.es_type,
            "status": self.status,
            "reason": self.reason,
            "metadata": self.metadata,
            "caused_by": self.caused_by.to_wire() if self.caused_by else None,
            "root_causes": None
            if self.root_causes is None
            else [each.to_wire() for each in self.root_causes],
            "suppressed": [each.to_wire() for each in self.suppressed],
        }

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> "ApiError":
        """The error a remote sent. A type unknown here keeps its name, status and members."""
        known = ApiError._by_type.get(data["type"], ApiError)
        error = known.__new__(known)
        ApiError.__init__(
            error,
            data["reason"],
            metadata=data["metadata"],
            caused_by=cls.from_wire(data["caused_by"]) if data["caused_by"] else None,
            root_causes=None
            if data["root_causes"] is None
            else [cls.from_wire(each) for each in data["root_causes"]],
            suppressed=[cls.from_wire(each) for each in data["suppressed"]],
        )
        error.es_type, error.status = data["type"], data["status"]
        return error

    def with_metadata(self, **members: Any) -> Self:
        """This error with further members; `_` at a name's end is dropped, `__` inside becomes a dot."""
        self.metadata.update({k.rstrip("_").replace("__", "."): v for k, v in members.items()})
        return self


# -- requests ----------------------------------------------------------------------------------------------------


class IllegalArgument(ApiError):
    es_type, status = "illegal_argument_exception", 400


class ParseError(ApiError):
    """A value that cannot be read as what it should be (`parse_exception`)."""

    es_type, status = "parse_exception", 400


class ParsingError(ApiError):
    """A malformed part of a request body, with its place."""

    es_type, status = "parsing_exception", 400

    def __init__(self, reason: str, *, line: int = 1, col: int = 1, **rest: Any) -> None:
        super().__init__(reason, metadata={"line": line, "col": col}, **rest)


class XContentParseError(ApiError):
    es_type, status = "x_content_parse_exception", 400


class JsonParseError(ApiError):
    """Bytes that are not JSON (`json_parse_exception`)."""

    es_type, status = "json_parse_exception", 400


class JsonEofError(ApiError):
    """JSON that ends too early (`json_e_o_f_exception`)."""

    es_type, status = "json_e_o_f_exception", 400


class XContentEofError(ApiError):
    es_type, status = "x_content_e_o_f_exception", 400


class NotXContent(ApiError):
    es_type, status = "not_x_content_exception", 400


class NumberFormatError(ApiError):
    es_type, status = "number_format_exception", 400


class SettingsError(ApiError):
    es_type, status = "settings_exception", 400


class ActionRequestValidation(ApiError):
    """Several rules of one request broken: `Validation Failed: 1: ...;2: ...;`."""

    es_type, status = "action_request_validation_exception", 400

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "".join(f"{n}: {text};" for n, text in enumerate(problems, 1))
        super().__init__(f"Validation Failed: {listed}")


# -- indices and documents ---------------------------------------------------------------------------------------


class IndexNotFound(ApiError):
    es_type, status = "index_not_found_exception", 404

    def __init__(self, index: str, *, kind: str = "index_or_alias") -> None:
        super().__init__(
            f"no such index [{index}]",
            metadata={
                "resource.type": kind,
                "resource.id": index,
                "index_uuid": "_na_",
                "index": index,
            },
        )


class InvalidIndexName(ApiError):
    es_type, status = "invalid_index_name_exception", 400

    def __init__(self, index: str, problem: str) -> None:
        super().__init__(
            f"Invalid index name [{index}], {problem}",
            metadata={"index_uuid": "_na_", "index": index},
        )


class ResourceAlreadyExists(ApiError):
    es_type, status = "resource_already_exists_exception", 400

    def __init__(self, index: str, uuid: str) -> None:
        super().__init__(
            f"index [{index}/{uuid}] already exists",
            metadata={"index_uuid": uuid, "index": index},
        )


class ResourceNotFound(ApiError):
    es_type, status = "resource_not_found_exception", 404


class IndexClosed(ApiError):
    es_type, status = "index_closed_exception", 400

    def __init__(self, index: str, uuid: str) -> None:
        super().__init__("closed", metadata={"index_uuid": uuid, "index": index})


class AliasesNotFound(ApiError):
    es_type, status = "aliases_not_found_exception", 404


class MapperParsing(ApiError):
    """A mapping that makes no sense (`mapper_parsing_exception`)."""

    es_type, status = "mapper_parsing_exception", 400


class MapperError(ApiError):
    """A change that an existing mapping does not allow (`mapper_exception`)."""

    es_type, status = "mapper_exception", 500


class DocumentParsing(ApiError):
    """A document that does not fit its mapping."""

    es_type, status = "document_parsing_exception", 400


class StrictDynamicMapping(ApiError):
    es_type, status = "strict_dynamic_mapping_exception", 400


class VersionConflict(ApiError):
    """`index`, `index_uuid` and `shard` are added by whoever knows them."""

    es_type, status = "version_conflict_engine_exception", 409


class DocumentMissing(ApiError):
    es_type, status = "document_missing_exception", 404


class ClusterBlock(ApiError):
    es_type, status = "cluster_block_exception", 403


# -- search ------------------------------------------------------------------------------------------------------


class QueryShardError(ApiError):
    """A query that cannot run against this index's mapping."""

    es_type, status = "query_shard_exception", 400


class SearchPhaseExecution(ApiError):
    """All shards failed, or one failed where partial results are not allowed.

    The status is the first cause's; `failures` are rendered as `failed_shards`.
    """

    es_type, status = "search_phase_execution_exception", 503

    def __init__(
        self,
        reason: str,
        *,
        phase: str,
        failed_shards: Sequence[Mapping[str, Any]],
        causes: Sequence[ApiError],
    ) -> None:
        super().__init__(
            reason,
            metadata={"phase": phase, "grouped": True, "failed_shards": list(failed_shards)},
            root_causes=causes or [],
            caused_by=causes[0] if causes else None,
        )
        if causes:
            self.status = causes[0].status


class TooManyBuckets(ApiError):
    es_type, status = "too_many_buckets_exception", 400

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Trying to create too many buckets. Must be less than or equal to: [{limit}] but this "
            "number of buckets was exceeded. This limit can be set by changing the "
            "[search.max_buckets] cluster level setting.",
            metadata={"max_buckets": limit},
        )


class TooManyBooleanClauses(ApiError):
    es_type, status = "too_many_clauses", 400

    def __init__(self, limit: int) -> None:
        super().__init__(f"maxClauseCount is set to {limit}")


class NoShardAvailable(ApiError):
    """An index that could not be opened: the cause says why."""

    es_type, status = "no_shard_available_action_exception", 503

    def __init__(self, cause: ApiError) -> None:
        super().__init__(f"no shard is available: {cause.reason}", caused_by=cause)


class UnavailableShards(ApiError):
    """A write to an index that could not be opened."""

    es_type, status = "unavailable_shards_exception", 503

    def __init__(self, index: str, cause: ApiError | None) -> None:
        super().__init__(f"[{index}] primary shard is not active", caused_by=cause)


class SearchContextMissing(ApiError):
    es_type, status = "search_context_missing_exception", 404


class AggregationExecution(ApiError):
    es_type, status = "aggregation_execution_exception", 500


class InvalidAggregationPath(ApiError):
    """An order of buckets by something that has no single value."""

    es_type, status = "invalid_path", 400


class TaskCancelled(ApiError):
    es_type, status = "task_cancelled_exception", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"task cancelled [{reason}]")


# -- other clusters ----------------------------------------------------------------------------------------------


class NoSuchRemoteCluster(ApiError):
    es_type, status = "no_such_remote_cluster_exception", 404

    def __init__(self, alias: str) -> None:
        super().__init__(f"no such remote cluster: [{alias}]")


class ConnectTransport(ApiError):
    """No connection could be opened. `[node name][address] what went wrong`."""

    es_type, status = "connect_transport_exception", 502


class NodeDisconnected(ApiError):
    es_type, status = "node_disconnected_exception", 502


class NodeNotConnected(ApiError):
    es_type, status = "node_not_connected_exception", 502


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


# -- limits and security -----------------------------------------------------------------------------------------


class Rejected(ApiError):
    es_type, status = "es_rejected_execution_exception", 429


class CircuitBreaking(ApiError):
    es_type, status = "circuit_breaking_exception", 429


class SecurityError(ApiError):
    es_type, status = "security_exception", 403


class Internal(ApiError):
    """A fault of ours. The reason names it; the details are in the log."""

    es_type, status = "exception", 500


class IOFailure(ApiError):
    es_type, status = "i_o_exception", 500
