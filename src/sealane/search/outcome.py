"""What became of each cluster in a search over several: the `_clusters` block, before it is JSON."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sealane.errors import ApiError
from sealane.model.dsl import SearchBody
from sealane.reduce.partial import ClusterAnswer, Partial, ShardCounts, ShardFailure


class ClusterStatus(StrEnum):
    RUNNING = "running"
    SUCCESSFUL = "successful"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOutcome:
    """One cluster's part. `took_ms` and `shards` are None when it never answered."""

    alias: str
    status: ClusterStatus
    indices: str
    """The client's expressions for this cluster, comma-joined, without the alias."""
    took_ms: int | None = None
    timed_out: bool = False
    shards: ShardCounts | None = None
    failures: tuple[ShardFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class Clusters:
    """All clusters of one search. The counters always add up to the total."""

    details: tuple[ClusterOutcome, ...]

    @property
    def total(self) -> int:
        return len(self.details)

    def count(self) -> dict[ClusterStatus, int]:
        """How many clusters have each status that there is."""
        counts: dict[ClusterStatus, int] = {}
        for each in self.details:
            counts[each.status] = counts.get(each.status, 0) + 1
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutcome:
    """A finished search. `clusters` is None when only the local cluster was named."""

    answer: Partial
    took_ms: int
    reduce_phases: int = 1
    clusters: Clusters | None = field(default=None)
    pit_id: str | None = None
    """The point in time that was searched, as the next request should name it."""
    scroll_id: str | None = None
    body: SearchBody | None = None
    """What was searched for, where that is not the body as the client wrote it: a retriever may bring a sort."""


def outcome_of(alias: str, indices: Iterable[str], answer: ClusterAnswer) -> ClusterOutcome:
    """How an answer counts: partial when a shard failed or time ran out, else successful."""
    partial, took_ms = answer
    is_partial = partial.timed_out or partial.shards.failed > 0
    return ClusterOutcome(
        alias=alias,
        status=ClusterStatus.PARTIAL if is_partial else ClusterStatus.SUCCESSFUL,
        indices=",".join(indices),
        took_ms=took_ms,
        timed_out=partial.timed_out,
        shards=partial.shards,
        failures=tuple(partial.failures),
    )


def failed_outcome(
    alias: str, indices: Iterable[str], error: ApiError, *, skipped: bool = False
) -> ClusterOutcome:
    """A cluster that gave no answer: skipped where the search goes on without it."""
    return ClusterOutcome(
        alias=alias,
        status=ClusterStatus.SKIPPED if skipped else ClusterStatus.FAILED,
        indices=",".join(indices),
        failures=(ShardFailure(-1, None, error.to_wire()),),
    )
