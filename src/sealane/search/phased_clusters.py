"""The clusters of a search in phases, and their shards: what is asked of each, and what has become of it. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from sealane.errors import ApiError
from sealane.reduce.partial import Hit, Partial, ShardCounts
from sealane.remote.transport.messages_phases import ShardOutcome, ShardTarget
from sealane.search.expression import LOCAL
from sealane.search.failed_shards import FailedShard, as_crossed_cause, failed_shard
from sealane.search.outcome import ClusterOutcome, ClusterStatus


@dataclass(slots=True, eq=False)
class PhasedShard:
    """One shard. It ends as skipped, failed, or with a `partial`, whose hits name it."""

    alias: str
    target: ShardTarget
    node: str | None = None
    skipped: bool = False
    holds_none: bool = False
    """Whether it is asked though it is known to hold no match: then it has nothing to be reduced."""
    failed: FailedShard | None = None
    partial: Partial | None = None
    context: str | None = None
    """The reader context that was opened for this search and is still open."""
    is_known: bool = True
    """False for one of which nothing but its context is known, and that is gone."""

    @property
    def index(self) -> str:
        return f"{self.alias}:{self.target.index}" if self.alias else self.target.index

    @property
    def is_pending(self) -> bool:
        return not self.skipped and self.failed is None and self.partial is None

    @property
    def place(self) -> tuple[int, str, str, str]:
        """What orders shards, and so hits that are equal in all else."""
        return self.target.shard, self.target.index, self.target.uuid, self.alias

    def take(self, outcome: ShardOutcome) -> None:
        self.context = outcome.context
        if outcome.error is not None:
            self.fail(ApiError.from_wire(outcome.error))
        elif outcome.partial is None:
            self.skipped = True
        else:
            self.partial = outcome.partial
            self.sign(outcome.partial.hits)

    def sign(self, hits: Iterable[Hit]) -> None:
        """Puts into hits where they come from."""
        index, uuid, shard = self.index, self.target.uuid, self.target.shard
        for hit in hits:
            hit.index, hit.index_uuid, hit.shard = index, uuid, shard

    def fail(self, error: ApiError) -> None:
        if self.alias:
            error = as_crossed_cause(error)
        self.partial = None
        index = self.index if self.is_known else None
        self.failed = failed_shard(self.target.shard, index, error, self.node)


@dataclass(slots=True, eq=False)
class PhasedCluster:
    """One cluster. `dropped` is set where it gave no shards at all, and the search goes on without it."""

    alias: str
    indices: str
    """What `details` shows: the client's expressions, or the names of the indices."""
    can_skip: bool
    shards: list[PhasedShard] = field(default_factory=list)
    dropped: ClusterOutcome | None = None
    took_ms: int = 0

    def counts(self) -> ShardCounts:
        failed = sum(shard.failed is not None for shard in self.shards)
        skipped = sum(shard.skipped for shard in self.shards)
        done = sum(shard.partial is not None for shard in self.shards)
        return ShardCounts(len(self.shards), done + skipped, skipped, failed)

    def contexts(self) -> list[str]:
        """The contexts that the search has opened there, and that are still open."""
        return [shard.context for shard in self.shards if shard.context is not None]

    def forget_contexts(self) -> None:
        for shard in self.shards:
            shard.context = None

    def running(self) -> ClusterOutcome:
        return ClusterOutcome(
            alias=self.alias,
            status=ClusterStatus.RUNNING,
            indices=self.indices,
            shards=self.counts(),
        )

    def outcome(self) -> ClusterOutcome:
        """How the cluster counts: by its shards, as the reference does where it asks them one by one."""
        if self.dropped is not None:
            return self.dropped
        counts = self.counts()
        timed_out = any(s.partial is not None and s.partial.timed_out for s in self.shards)
        status = ClusterStatus.SUCCESSFUL
        if counts.failed and counts.failed == counts.total:
            status = ClusterStatus.SKIPPED if self.can_skip else ClusterStatus.FAILED
        elif counts.failed or timed_out:
            status = ClusterStatus.PARTIAL
        gave_nothing = status in (ClusterStatus.SKIPPED, ClusterStatus.FAILED)
        return ClusterOutcome(
            alias=self.alias,
            status=status,
            indices=self.indices,
            took_ms=None if gave_nothing else self.took_ms,
            timed_out=timed_out,
            shards=counts,
            failures=tuple(s.failed.failure for s in self.shards if s.failed is not None),
        )


def ordered(clusters: Iterable[PhasedCluster]) -> list[PhasedShard]:
    """All shards in their order."""
    shards = [shard for cluster in clusters for shard in cluster.shards]
    return sorted(shards, key=lambda each: each.place)


def number(shards: Iterable[PhasedShard]) -> int:
    """Gives each shard that is asked its number among them, and returns how many there are."""
    asked = [shard for shard in shards if not shard.skipped]
    for place, shard in enumerate(asked):
        shard.target = msgspec.structs.replace(shard.target, number=place)
    return len(asked)


def keep_one(shards: Sequence[PhasedShard]) -> None:
    """Where all shards are skipped, one is asked all the same: the first that is near."""
    if shards and all(shard.skipped for shard in shards):
        chosen = next((each for each in shards if each.alias == LOCAL), shards[0])
        chosen.skipped = False
