"""Points in time: a view of many shards, of any number of clusters, held still while it is searched again and again.

Their reader contexts are with the shards; the id says where. A search in one asks its shards in phases, whatever the
clusters are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sealane.errors import ApiError, IllegalArgument, TaskCancelled
from sealane.model.dsl.point_in_time import PointInTime
from sealane.model.opaque import NotAnId
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.query import parse_search_body, without_point_in_time
from sealane.reduce.partial import ShardCounts, ShardFailure
from sealane.remote.transport.messages_phases import (
    FREE,
    OPEN,
    FreeRequest,
    OpenRequest,
    ShardTarget,
)
from sealane.search.by_shards import ByShards
from sealane.search.client_search import ClientSearch
from sealane.search.context_ids import (
    HeldCluster,
    HeldIndex,
    make_pit_id,
    read_pit_id,
    split_context,
)
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.failed_shards import search_failed
from sealane.search.fan_out import ask_all
from sealane.search.named_clusters import clusters_named
from sealane.search.outcome import Clusters, SearchOutcome
from sealane.search.phased_clusters import PhasedCluster, PhasedShard, keep_one, ordered
from sealane.search.phases import PhasedSearch, failures_of
from sealane.search.progress import Progress
from sealane.search.protocols import Remotes
from sealane.search.skips import filters_first, needs_one

_PHASE = "indices:data/read/open_point_in_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPointInTime:
    """`index_filter` is a search body whose query leaves out the shards that it cannot match."""

    expressions: tuple[str, ...]
    keep_alive_ms: int
    options: IndicesOptions = field(default_factory=IndicesOptions)
    preference: str | None = None
    routing: tuple[str, ...] = ()
    index_filter: bytes = b"{}"
    allow_partial: bool = False


@dataclass(frozen=True, slots=True)
class OpenedPointInTime:
    id: str
    shards: ShardCounts
    failures: Sequence[ShardFailure] = ()


@dataclass(frozen=True, slots=True)
class Freed:
    """How many contexts were closed, and whether that is all there were."""

    count: int
    succeeded: bool
    wanted: int = 0

    @property
    def found_none(self) -> bool:
        """Whether there were contexts to close, and none was open any more."""
        return self.wanted > 0 and self.count == 0


class PointsInTime:
    def __init__(self, *, phases: PhasedSearch, by_shards: ByShards, remotes: Remotes) -> None:
        self._phases = phases
        self._by_shards = by_shards
        self._remotes = remotes

    # -- opening ---------------------------------------------------------------------------------------------------

    async def open(self, wanted: OpenPointInTime, ctx: Context) -> OpenedPointInTime:
        """Pins every shard. A remote that may be skipped and cannot be reached is left out.

        Raises as a search does for names and clusters; SearchPhaseExecution where a shard cannot be pinned, unless
        partial answers are allowed. What was opened is closed then.
        """
        request = ClientSearch(
            expressions=wanted.expressions,
            body=parse_search_body(wanted.index_filter),
            options=wanted.options,
            preference=wanted.preference,
            routing=wanted.routing,
        )
        targets = clusters_named(wanted.expressions, self._remotes.aliases, wanted.options)
        clusters = await self._by_shards.clusters(request, targets, ctx)
        shards = ordered(clusters)
        try:
            await ask_all(
                lambda cluster: self._open_in(cluster, wanted.keep_alive_ms, ctx),
                [each for each in clusters if each.dropped is None],
            )
            failed = failures_of(shards)
            if failed and not wanted.allow_partial:
                raise search_failed(failed, partly=len(failed) < len(shards), phase=_PHASE)
        except BaseException as error:
            await self._phases.freeing.give_up(clusters, error, ctx)
            raise
        skipped = sum(shard.skipped for shard in shards)
        return OpenedPointInTime(
            make_pit_id([_held(each) for each in clusters if any(s.context for s in each.shards)]),
            ShardCounts(len(shards), len(shards) - len(failed), skipped, len(failed)),
            tuple(each.failure for each in failed),
        )

    async def _open_in(self, cluster: PhasedCluster, keep_ms: int, ctx: Context) -> None:
        pending = [shard for shard in cluster.shards if not shard.skipped]
        if not pending:
            return
        request = OpenRequest([shard.target for shard in pending], keep_ms)
        try:
            answer = await self._phases.client(cluster.alias).run(OPEN, request, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            for shard in pending:
                shard.fail(error)
            return
        for shard, outcome in zip(pending, answer.outcomes, strict=True):
            shard.node = answer.node
            shard.context = outcome.context
            if outcome.error is not None:
                shard.fail(ApiError.from_wire(outcome.error))

    # -- searching -------------------------------------------------------------------------------------------------

    async def search(
        self, request: ClientSearch, ctx: Context, progress: Progress | None = None
    ) -> SearchOutcome:
        """A search in the point in time that its body names; `took_ms` is left to the caller.

        Raises IllegalArgument for what is no id, NoSuchRemoteCluster for a cluster that is no longer registered, and as
        PhasedSearch.run: a context that is gone is a shard that failed.
        """
        pit = request.body.pit
        assert pit is not None
        clusters = [self._cluster(each) for each in read(pit.id)]
        shards = ordered(clusters)
        body = without_point_in_time(request.body)
        if filters_first(body, len(shards), request.pre_filter_shard_size):
            await self._phases.skip(body, clusters, ctx)
            if needs_one(body):
                keep_one(shards)
        asked = replace(
            self._by_shards.asked(replace(request, body=body)),
            keep_ms=pit.keep_alive_ms or 0,
        )
        if progress is not None:
            progress.begun(targets_of(pit))
            for cluster in clusters:
                progress.shards_counted(cluster.running())
        answer = await self._phases.run(asked, clusters, shards, ctx, progress)
        details = tuple(cluster.outcome() for cluster in clusters)
        return SearchOutcome(
            answer=answer,
            took_ms=0,
            reduce_phases=answer.reduce_phases,
            clusters=Clusters(details) if any(each.alias for each in details) else None,
            pit_id=pit.id,
        )

    def _cluster(self, held: HeldCluster) -> PhasedCluster:
        alias = held.alias
        return PhasedCluster(
            alias=alias,
            indices=",".join(sorted({each.index for each in held.indices})),
            can_skip=alias != LOCAL and self._remotes.skip_unavailable(alias),
            shards=[
                PhasedShard(
                    alias=alias,
                    target=ShardTarget(
                        each.index,
                        each.uuid,
                        shard,
                        0,
                        each.filters,
                        held.context(number),
                        each.reached,
                    ),
                    node=held.node,
                )
                for each in held.indices
                for shard, number in zip(each.shards, each.contexts, strict=True)
            ],
        )

    # -- closing ---------------------------------------------------------------------------------------------------

    async def close(self, pit_id: str, ctx: Context) -> Freed:
        """Closes its contexts on every cluster that can be reached. Raises IllegalArgument for what is no id."""
        held = read(pit_id)
        wanted = {
            each.alias: [each.context(n) for index in each.indices for n in index.contexts]
            for each in held
        }
        freed = await free_all(self._phases, wanted, ctx)
        total = sum(len(each) for each in wanted.values())
        return Freed(freed, freed == total, total)


async def free_all(phases: PhasedSearch, wanted: dict[str, list[str]], ctx: Context) -> int:
    """Closes contexts by cluster, and returns how many were open. A cluster that cannot be asked closes none."""

    async def free(alias: str) -> int:
        try:
            return (await phases.client(alias).run(FREE, FreeRequest(wanted[alias]), ctx)).freed
        except TaskCancelled:
            raise
        except ApiError:
            return 0

    return sum(await ask_all(free, list(wanted)))


def targets_of(pit: PointInTime) -> tuple[ClusterTarget, ...]:
    """The clusters of a point in time with the indices in it. Raises IllegalArgument for what is no id."""
    return tuple(
        ClusterTarget(each.alias, tuple(sorted({index.index for index in each.indices})))
        for each in read(pit.id)
    )


def read(pit_id: str) -> tuple[HeldCluster, ...]:
    """Raises IllegalArgument."""
    try:
        return read_pit_id(pit_id)
    except NotAnId:
        raise IllegalArgument("Cannot parse point in time id") from None


def _held(cluster: PhasedCluster) -> HeldCluster:
    found: dict[str, list[PhasedShard]] = {}
    for shard in cluster.shards:
        if shard.context is not None:
            found.setdefault(shard.target.uuid, []).append(shard)
    any_shard = next(shard for shards in found.values() for shard in shards)
    return HeldCluster(
        alias=cluster.alias,
        node=any_shard.node or "",
        session=split_context(any_shard.context or "")[0],
        indices=tuple(
            HeldIndex(
                index=shards[0].target.index,
                uuid=uuid,
                shards=tuple(each.target.shard for each in shards),
                contexts=tuple(split_context(each.context or "")[1] for each in shards),
                filters=shards[0].target.filters,
                reached=shards[0].target.reached,
            )
            for uuid, shards in found.items()
        ),
    )
