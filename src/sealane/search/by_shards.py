"""A search over several clusters that asks all their shards as if they were one cluster's: `ccs_minimize_roundtrips`
false, and what that is silently switched to.

Each cluster is first asked for its shards, and is dropped or fails there as a cluster. From then on what goes wrong
goes wrong with shards.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import astuple

from sealane.errors import ApiError, TaskCancelled
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.remote.transport.messages_phases import (
    SHARDS,
    ShardsAnswer,
    ShardsRequest,
    ShardTarget,
)
from sealane.search.client_search import ClientSearch
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.fan_out import ask_to_the_end
from sealane.search.outcome import Clusters, SearchOutcome, failed_outcome
from sealane.search.phased_clusters import PhasedCluster, PhasedShard, keep_one, ordered
from sealane.search.phases import PhasedRequest, PhasedSearch
from sealane.search.progress import Progress
from sealane.search.protocols import LocalClient, Remotes
from sealane.search.skips import can_skip, filters_first, needs_one


class ByShards:
    """`allow_partial` is what this cluster's settings say where a search does not."""

    def __init__(
        self,
        *,
        phases: PhasedSearch,
        local: LocalClient,
        remotes: Remotes,
        allow_partial: Callable[[], bool],
        fail_fast: Callable[[], bool],
    ) -> None:
        self._phases = phases
        self._local = local
        self._remotes = remotes
        self._allow_partial = allow_partial
        self._fail_fast = fail_fast

    async def search(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        progress: Progress | None = None,
    ) -> SearchOutcome:
        """The outcome, its `took_ms` left to the caller. Raises as SearchService.search."""
        outcome, _ = await self.run(request, targets, ctx, lambda asked: asked, progress)
        return outcome

    async def run(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        shape: Callable[[PhasedRequest], PhasedRequest],
        progress: Progress | None = None,
    ) -> tuple[SearchOutcome, list[PhasedCluster]]:
        """As `search`, with what the shards are asked as `shape` makes it, and what became of the clusters."""
        clusters = await self.clusters(request, targets, ctx, progress)
        if progress is not None:
            for cluster in clusters:
                if cluster.dropped is not None:
                    progress.cluster_ended(cluster.dropped, None)
                else:
                    progress.shards_counted(cluster.running())
        shards = ordered(clusters)
        _skip(request, shards)
        asked = shape(self.asked(request))
        answer = await self._phases.run(asked, clusters, shards, ctx, progress)
        details = tuple(cluster.outcome() for cluster in clusters)
        outcome = SearchOutcome(
            answer=answer,
            took_ms=0,
            reduce_phases=answer.reduce_phases,
            clusters=Clusters(details) if any(each.alias for each in targets) else None,
        )
        return outcome, clusters

    def asked(self, request: ClientSearch) -> PhasedRequest:
        allow = request.allow_partial_results
        return PhasedRequest(
            body=request.body,
            allow_partial=self._allow_partial() if allow is None else allow,
            batched_reduce_size=request.batched_reduce_size,
            request_cache=request.request_cache,
        )

    async def clusters(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        progress: Progress | None = None,
    ) -> list[PhasedCluster]:
        """The shards of each cluster. Raises what the local cluster raises, and a remote that may not be skipped.

        Names that are wrong here come before whatever a remote fails with.
        """
        local = targets[0] if targets and targets[0].alias == LOCAL else None
        if local is not None:
            await self._local.judge_names(_names(request, local), ctx, may_ask=False)
        if progress is not None:
            progress.begun(targets)
        started = asyncio.get_running_loop().time()
        try:
            return await ask_to_the_end(
                lambda target: self._cluster(request, target, ctx, started),
                targets,
                fail_fast=self._fail_fast,
            )
        except ApiError as error:
            if local is not None and "cluster" in error.metadata:
                await self._local.judge_names(_names(request, local), ctx, may_ask=True)
            raise

    async def _cluster(
        self, request: ClientSearch, target: ClusterTarget, ctx: Context, started: float
    ) -> PhasedCluster:
        alias = target.alias
        cluster = PhasedCluster(
            alias=alias,
            indices=",".join(target.expressions),
            can_skip=alias != LOCAL and self._remotes.skip_unavailable(alias),
        )
        options = request.options
        asked = ShardsRequest(
            indices=target.expressions,
            options=astuple(options),
            body=request.body.raw,
            skips=can_skip(request.body),
            routing=request.routing,
            preference=request.preference,
        )
        try:
            answer = await self._phases.client(alias).run(SHARDS, asked, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            if alias == LOCAL:
                raise
            if not cluster.can_skip:
                raise error.with_metadata(cluster=alias) from None
            cluster.dropped = failed_outcome(alias, target.expressions, error, skipped=True)
            return cluster
        cluster.shards = _shards_of(alias, answer)
        if alias != LOCAL or cluster.shards:
            cluster.took_ms = int((asyncio.get_running_loop().time() - started) * 1000)
        return cluster


def _shards_of(alias: str, answer: ShardsAnswer) -> list[PhasedShard]:
    return [
        PhasedShard(
            alias=alias,
            target=ShardTarget(each.index, each.uuid, shard, 0, each.filters, None, each.reached),
            node=answer.node,
            skipped=shard in each.skipped,
        )
        for each in answer.indices
        for shard in each.shards
    ]


def _skip(request: ClientSearch, shards: Sequence[PhasedShard]) -> None:
    """Remote shards that hold no match are left out in any case, local ones by the rule for one cluster."""
    filters = filters_first(request.body, len(shards), request.pre_filter_shard_size)
    if not filters:
        for shard in shards:
            if shard.alias == LOCAL and shard.skipped:
                shard.skipped, shard.holds_none = False, True
    # Remote shards have been skipped where they are: without a filter here none of them is asked for the shape of the
    # answer.
    if needs_one(request.body) and (filters or any(shard.alias == LOCAL for shard in shards)):
        keep_one(shards)


def _names(request: ClientSearch, target: ClusterTarget) -> SearchRequest:
    return SearchRequest(
        indices=target.expressions,
        body=request.body,
        from_=0,
        size=0,
        final_reduce=False,
        options=request.options,
    )
