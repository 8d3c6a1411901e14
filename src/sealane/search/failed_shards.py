"""Shards that could not answer: each one's error, and the error of a search that cannot do without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sealane.errors import ApiError, SearchPhaseExecution
from sealane.reduce.partial import ShardFailure

_PLAIN_TYPES: Final = frozenset(
    {
        "array_index_out_of_bounds_exception",
        "illegal_argument_exception",
        "illegal_state_exception",
        "number_format_exception",
        "i_o_exception",
    }
)
"""Errors that the reference has as plain Java exceptions: they are shown once more below a failed search."""

_FOREIGN_TYPES: Final = _PLAIN_TYPES | {"date_time_parse_exception", "query_validation_exception"}
"""Causes that are no exceptions of the reference's own, and so no root causes."""

_UNSENDABLE: Final = frozenset({"date_time_parse_exception", "token_mgr_error"})
_LUCENE_SYNTAX: Final = "Cannot parse '"
"""How the parser of query_string begins, which shares its type with an exception of the reference's own."""


@dataclass(frozen=True, slots=True)
class FailedShard:
    failure: ShardFailure
    error: ApiError


def failed_shard(
    shard: int, index: str | None, error: ApiError, node: str | None = None
) -> FailedShard:
    """`index` carries the alias of its cluster already. Shard -1 and no index are shards that nobody names."""
    return FailedShard(ShardFailure(shard, index, error.to_wire(), node), error)


def search_failed(
    failed: Sequence[FailedShard], *, partly: bool, phase: str = "query"
) -> SearchPhaseExecution:
    """As the reference groups failures: one for each distinct cause, the first decides the status."""
    distinct: dict[tuple[str, str, str | None], FailedShard] = {}
    for each in failed:
        distinct.setdefault((each.error.es_type, each.error.reason, each.failure.index), each)
    error = SearchPhaseExecution(
        "Partial shards failure" if partly else "all shards failed",
        phase=phase,
        failed_shards=[_shown(each) for each in distinct.values()],
        causes=[each.error for each in distinct.values()],
    )
    first = failed[0].error
    root = _root_of(first)
    error.caused_by = None if root is first else root
    error.root_causes = [_root_of(each.error) for each in distinct.values()]
    if first.es_type in _PLAIN_TYPES:
        error.caused_by = type(first)(first.reason, caused_by=first)
    if partly:
        error.caused_by = None  # it has none before it has crossed the wire
    return error


def tell_types(error: dict[str, Any] | None) -> bool:
    """Puts the type in front of reasons that have come from another cluster, down the chain of causes.

    Only of those that the reference has no way to send as what they are; returns whether there are any. The error is
    one that has been decoded: its JSON, or the form that it crosses in.
    """
    in_syntax = found = False
    while error is not None:
        kind, reason = error["type"], error["reason"]
        in_syntax = kind == "parse_exception" and (in_syntax or reason.startswith(_LUCENE_SYNTAX))
        if (in_syntax or kind in _UNSENDABLE) and not reason.startswith(f"{kind}: "):
            error["reason"] = f"{kind}: {reason}"
            found = True
        error = error.get("caused_by")
    return found


def as_crossed(error: ApiError) -> ApiError:
    """The error of another cluster, which shows the cause that a search that failed has by then.

    A plain exception is below one without a name there: the reference cannot send the one that it is wrapped in.
    """
    if error.caused_by is not None or isinstance(error, SearchPhaseExecution):
        error = _with_types(error)
    if not isinstance(error, SearchPhaseExecution) or not error.root_causes:
        return error
    cause = error.caused_by or error.root_causes[0]
    if cause.es_type in _PLAIN_TYPES:
        plain = cause.caused_by or cause
        cause = ApiError(f": {plain.reason}", caused_by=plain)
        cause.es_type = ""
    error.caused_by = cause
    return error


def as_crossed_cause(error: ApiError) -> ApiError:
    """The error of one shard of another cluster."""
    return error if error.caused_by is None else _with_types(error)


def _with_types(error: ApiError) -> ApiError:
    for shard in error.metadata.get("failed_shards", ()):
        tell_types(shard["reason"])
    told = error.to_wire()
    found = [tell_types(each) for each in (told, *(told["root_causes"] or ()))]
    return ApiError.from_wire(told) if any(found) else error


def _shown(each: FailedShard) -> dict[str, Any]:
    shown: dict[str, Any] = {"shard": each.failure.shard, "index": each.failure.index}
    if each.failure.node is not None:
        shown["node"] = each.failure.node
    shown["reason"] = each.error.to_cause()
    return shown


def _root_of(error: ApiError) -> ApiError:
    """The deepest cause that the reference counts as its own exception: what it shows as a root cause."""
    while error.caused_by is not None and not _is_foreign(error.caused_by):
        error = error.caused_by
    return error


def _is_foreign(error: ApiError) -> bool:
    """Whether the reference has it from elsewhere."""
    return error.es_type in _FOREIGN_TYPES or error.reason.startswith(_LUCENE_SYNTAX)
