"""Errors of searches, of their shards and of what they keep open."""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.errors.base import ApiError


class QueryShardError(ApiError):
    """A query that cannot run against this index's mapping."""

    es_type, status = "query_shard_exception", 400


class ScriptError(ApiError):
    """A script or template that does not compile. `script` is its source."""

    es_type, status = "script_exception", 400

    def __init__(self, reason: str, *, script: str, lang: str = "mustache") -> None:
        super().__init__(reason, metadata={"script_stack": [], "script": script, "lang": lang})


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


class EndOfFile(ApiError):
    """The reference's words for an id that is no id: bytes that end too early. It has no reason."""

    es_type = "e_o_f_exception"

    def __init__(self) -> None:
        super().__init__("unexpected end", metadata={"reason": None})


class TooManyScrollContexts(ApiError):
    es_type, status = "too_many_scroll_contexts_exception", 429

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Trying to create too many scroll contexts. Must be less than or equal to: [{limit}]. "
            "This limit can be set by changing the [search.max_open_scroll_context] setting."
        )


class AggregationExecution(ApiError):
    es_type, status = "aggregation_execution_exception", 500


class UnfitState(AggregationExecution):
    """What a shard or a cluster has answered is not a state of the aggregation that it was asked for."""


class InvalidAggregationPath(ApiError):
    """An order of buckets by something that has no single value."""

    es_type, status = "invalid_path", 400


class AsyncSearchFailed(ApiError):
    """What an asynchronous search ended with; the cause decides the status."""

    es_type, status = "status_exception", 500

    def __init__(self, cause: ApiError) -> None:
        super().__init__("error while executing search", caused_by=cause)
        self.status = cause.status


class TaskCancelled(ApiError):
    es_type, status = "task_cancelled_exception", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"task cancelled [{reason}]")
