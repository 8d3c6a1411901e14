"""A search in phases over the shards of all clusters: each shard finds its best documents, all answers are
reduced at once, and only the documents that win are fetched.

A cluster is one message a phase, whatever the number of its shards. Reader contexts hold the shards' views still in
between; they are freed with the last message, and also where the search fails or is given up.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sealane.errors import ApiError, SearchPhaseExecution, TaskCancelled
from sealane.model.dsl import SearchBody
from sealane.model.task import Context
from sealane.reduce import MergeMemo, reduce_phases
from sealane.reduce.partial import Hit, Partial, ShardCounts, SortValue
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    QUERY,
    CanMatchRequest,
    FetchRequest,
    Phase,
    QueryRequest,
    WantedDoc,
    WantedDocs,
)
from sealane.search.aside import aside
from sealane.search.expression import LOCAL
from sealane.search.failed_shards import FailedShard, search_failed
from sealane.search.fan_out import ask_all
from sealane.search.freeing import Freeing
from sealane.search.keep_alive import WITHIN_SEARCH_MS
from sealane.search.one_shard import no_hits
from sealane.search.phased_clusters import PhasedCluster, PhasedShard, number
from sealane.search.progress import Progress
from sealane.search.protocols import ClusterClient, LocalClient, Remotes

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasedRequest:
    """What all shards are asked. `keep_ms` is how long contexts are to be kept: with `scroll` beyond the search,
    with contexts in the targets from this use on, else between the phases.
    """

    body: SearchBody
    allow_partial: bool
    batched_reduce_size: int = 512
    request_cache: bool | None = None
    keep_ms: int = WITHIN_SEARCH_MS
    scroll: bool = False


class PhasedSearch:
    """Runs the phases. What it has to free in the background ends with `close`."""

    def __init__(
        self, *, local: LocalClient, remotes: Remotes, max_buckets: Callable[[], int]
    ) -> None:
        self._local = local
        self._remotes = remotes
        self._max_buckets = max_buckets
        self._memo = MergeMemo()
        self.freeing = Freeing(self.client)

    async def close(self) -> None:
        await self.freeing.close()

    def client(self, alias: str) -> ClusterClient:
        """Raises NoSuchRemoteCluster."""
        return self._local if alias == LOCAL else self._remotes.client(alias)

    async def run(
        self,
        request: PhasedRequest,
        clusters: Sequence[PhasedCluster],
        shards: Sequence[PhasedShard],
        ctx: Context,
        progress: Progress | None = None,
    ) -> Partial:
        """The final answer. What became of each shard is in `shards`, of each cluster in `clusters`.

        Raises SearchPhaseExecution when no shard could answer, or one could not where partial answers are refused.
        """
        try:
            shard_count = number(shards)
            await self._query_all(request, clusters, shard_count, ctx, progress)
            self._refuse_failures(request, shards)
            parts = [shard.partial for shard in shards if shard.partial is not None]
            answer = await aside(lambda: self.reduce(request, shards, ctx), parts)
            await self.fetch(request, clusters, shards, answer, ctx)
            self._refuse_failures(request, shards)
        except BaseException as error:
            await self.freeing.give_up(clusters, error, ctx)
            raise
        return answer

    async def skip(self, body: SearchBody, clusters: Sequence[PhasedCluster], ctx: Context) -> None:
        """Asks which shards may hold a match, and skips the others. One that cannot be asked may."""

        async def ask(cluster: PhasedCluster) -> None:
            asked = CanMatchRequest(body.raw, [shard.target for shard in cluster.shards])
            try:
                answer = await self._run(cluster.alias, CAN_MATCH, asked, ctx)
            except TaskCancelled:
                raise
            except ApiError:
                return  # the query phase will say what is wrong
            for shard, matches in zip(cluster.shards, answer.matches, strict=True):
                shard.skipped = not matches

        await ask_all(ask, clusters)

    # -- query -----------------------------------------------------------------------------------------------------

    async def _query_all(
        self,
        request: PhasedRequest,
        clusters: Sequence[PhasedCluster],
        shard_count: int,
        ctx: Context,
        progress: Progress | None,
    ) -> None:
        started = asyncio.get_running_loop().time()
        body = request.body

        async def ask(cluster: PhasedCluster) -> None:
            pending = [shard for shard in cluster.shards if shard.is_pending]
            if not pending:
                return
            asked = QueryRequest(
                body=body.raw,
                size=body.from_ + body.size,
                targets=[shard.target for shard in pending],
                shard_count=shard_count,
                keep_ms=request.keep_ms,
                scroll=request.scroll,
                request_cache=request.request_cache,
            )
            try:
                answer = await self._run(cluster.alias, QUERY, asked, ctx)
            except TaskCancelled:
                raise
            except ApiError as error:
                for shard in pending:
                    shard.fail(error)
            else:
                for shard, outcome in zip(pending, answer.outcomes, strict=True):
                    shard.node = answer.node
                    shard.take(outcome)
            cluster.took_ms = int((asyncio.get_running_loop().time() - started) * 1000)
            if progress is not None:
                progress.cluster_ended(cluster.outcome(), None)
                progress.reduced(lambda: self.reduce(request, _shards_of(clusters), ctx))

        await ask_all(ask, [each for each in clusters if each.dropped is None])

    # -- reduce ----------------------------------------------------------------------------------------------------

    def reduce(
        self, request: PhasedRequest, shards: Sequence[PhasedShard], ctx: Context
    ) -> Partial:
        """One answer of all shards, its hits still bare. Raises SearchPhaseExecution where they cannot be merged."""
        body = request.body
        parts = [shard.partial for shard in shards if shard.partial is not None]
        if not parts:
            # Nothing was reduced: its max_score is 0.0 where all others' is null, as the reference's.
            answer = Partial(
                hits=[], total=no_hits(body), max_score=0.0, shards=ShardCounts(), final=True
            )
        else:
            try:
                answer = self._memo.merge(
                    body,
                    parts,
                    from_=body.from_,
                    size=body.size,
                    final=True,
                    max_buckets=self._max_buckets(),
                    now_ms=ctx.start_ms,
                )
            except ApiError as error:
                failure = SearchPhaseExecution("", phase="fetch", failed_shards=[], causes=[])
                failure.caused_by, failure.status = error, error.status
                raise failure from error
        empty = sum(shard.holds_none and shard.partial is not None for shard in shards)
        reduced = max(1, len(parts) - empty)
        answer = msgspec.structs.replace(
            answer, reduce_phases=reduce_phases(body, reduced, request.batched_reduce_size)
        )
        _count(answer, shards)
        return answer

    @staticmethod
    def _refuse_failures(request: PhasedRequest, shards: Sequence[PhasedShard]) -> None:
        failed = failures_of(shards)
        if not failed:
            return
        partly = len(failed) < len(shards)
        if not partly or not request.allow_partial:
            raise search_failed(failed, partly=partly)

    # -- fetch -----------------------------------------------------------------------------------------------------

    async def fetch(
        self,
        request: PhasedRequest,
        clusters: Sequence[PhasedCluster],
        shards: Sequence[PhasedShard],
        answer: Partial,
        ctx: Context,
    ) -> None:
        """Puts whole hits in the place of the answer's bare ones. Those of a shard that fails are left out."""
        by_place = {(shard.index, shard.target.shard): shard for shard in shards}
        won: dict[PhasedShard, list[Hit]] = {}
        for hit in answer.hits:
            won.setdefault(by_place[hit.index, hit.shard], []).append(hit)
        whole: dict[int, Hit] = {}

        async def ask(cluster: PhasedCluster) -> None:
            winners = [shard for shard in cluster.shards if shard in won]
            frees = [] if request.scroll else cluster.contexts()
            if not winners:
                if frees:
                    await self.freeing.free(cluster, ctx)
                return
            asked = FetchRequest(
                body=request.body.raw,
                wanted=[_wanted(each, won[each], scroll=request.scroll) for each in winners],
                shard_count=sum(not shard.skipped for shard in shards),
                frees=frees,
            )
            try:
                outcomes = (await self._run(cluster.alias, FETCH, asked, ctx)).outcomes
            except TaskCancelled:
                raise
            except ApiError as error:
                for shard in winners:
                    shard.fail(error)
                if frees:
                    self.freeing.later([cluster], ctx)
                return
            for shard, outcome in zip(winners, outcomes, strict=True):
                if outcome.error is not None:
                    shard.fail(ApiError.from_wire(outcome.error))
                    continue
                shard.sign(outcome.hits)
                for bare, hit in zip(won[shard], outcome.hits, strict=True):
                    hit.sort = bare.sort
                    whole[id(bare)] = hit
            if not request.scroll:
                cluster.forget_contexts()

        await ask_all(ask, clusters)
        answer.hits = [whole[id(hit)] for hit in answer.hits if id(hit) in whole]
        _count(answer, shards)

    async def _run(self, alias: str, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        return await self.client(alias).run(phase, request, ctx)


def failures_of(shards: Sequence[PhasedShard]) -> list[FailedShard]:
    return [shard.failed for shard in shards if shard.failed is not None]


def _wanted(shard: PhasedShard, hits: Sequence[Hit], *, scroll: bool) -> WantedDocs:
    target = shard.target
    if shard.context is not None:
        target = msgspec.structs.replace(target, context=shard.context)
    after: list[SortValue] | None = hits[-1].sort if scroll else None
    docs = [WantedDoc(hit.doc or 0, hit.score, hit.group) for hit in hits]
    return WantedDocs(target, docs, after)


def _count(answer: Partial, shards: Sequence[PhasedShard]) -> None:
    failed = failures_of(shards)
    skipped = sum(shard.skipped for shard in shards)
    answer.shards = ShardCounts(
        total=len(shards),
        successful=len(shards) - len(failed),
        skipped=skipped,
        failed=len(failed),
    )
    answer.failures = [each.failure for each in failed]


def _shards_of(clusters: Sequence[PhasedCluster]) -> list[PhasedShard]:
    return [shard for cluster in clusters for shard in cluster.shards]
