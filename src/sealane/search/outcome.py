"""What became of each cluster in a search over several: the `_clusters` block, before it is JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

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

    def count(self) -> Counter[ClusterStatus]:
        return Counter(each.status for each in self.details)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutcome:
    """A finished search. `clusters` is None when only the local cluster was named."""

    answer: Partial
    took_ms: int
    reduce_phases: int = 1
    clusters: Clusters | None = field(default=None)


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
