"""One search over any number of clusters: plan, ask all at once, merge.

The local cluster is the cluster whose alias is empty, asked through the same protocol as the others. It leaves to
`expression` who is named, to `reduce` how answers merge, and to the clients how a cluster is reached.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sealane.errors import ApiError, TaskCancelled
from sealane.model.dsl import TRACK_NONE
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import MergeMemo, cluster_reduce_phases
from sealane.reduce.partial import Partial, ShardCounts, TotalHits
from sealane.search.aside import aside
from sealane.search.blamed import UNMERGEABLE, Answered, blamed
from sealane.search.by_shards import ByShards
from sealane.search.client_search import ClientSearch
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.failed_shards import as_crossed, tell_types
from sealane.search.fan_out import ask_to_the_end
from sealane.search.lookups import LookUp, by_search, with_lookups
from sealane.search.named_clusters import clusters_named
from sealane.search.outcome import (
    ClusterOutcome,
    Clusters,
    SearchOutcome,
    failed_outcome,
    outcome_of,
)
from sealane.search.phases import PhasedSearch
from sealane.search.pit import PointsInTime, targets_of
from sealane.search.progress import Progress
from sealane.search.protocols import LocalClient, Remotes
from sealane.search.refine import search_refined
from sealane.search.scroll import Scrolls
from sealane.search.slow_log import CcsSlowLog
from sealane.search.staged import search_in_stages
from sealane.search.usage import ASYNC, PIT, UsageCounter


class SearchService:
    """Searches the local cluster and registered remotes."""

    def __init__(
        self,
        *,
        local: LocalClient,
        remotes: Remotes,
        max_buckets: Callable[[], int],
        fail_fast: Callable[[], bool] = lambda: False,
        slow_log: CcsSlowLog | None = None,
        allow_partial: Callable[[], bool] = lambda: True,
        look_up: LookUp | None = None,
    ) -> None:
        """`fail_fast` says whether the first failure that ends a search gives up the clusters still at work.

        `look_up` finds the documents that queries take their terms from; without it they are searched for.
        """
        self._look_up = look_up or by_search(local)
        self._fail_fast = fail_fast
        self._slow_log = slow_log
        self._local = local
        self._remotes = remotes
        self._max_buckets = max_buckets
        self._memo = MergeMemo()
        self._phases = PhasedSearch(local=local, remotes=remotes, max_buckets=max_buckets)
        self._by_shards = ByShards(
            phases=self._phases,
            local=local,
            remotes=remotes,
            allow_partial=allow_partial,
            fail_fast=fail_fast,
        )
        self.points_in_time = PointsInTime(
            phases=self._phases, by_shards=self._by_shards, remotes=remotes
        )
        self.scrolls = Scrolls(phases=self._phases, by_shards=self._by_shards)
        self.usage = UsageCounter()
        """Of searches that name a remote."""

    async def search(
        self, request: ClientSearch, ctx: Context, progress: Progress | None = None
    ) -> SearchOutcome:
        """Runs the search to its end. `progress` is told how far it is.

        Raises what the local cluster raises, and what a remote raises whose skip_unavailable is false; such an error
        carries `cluster`, the alias it came from. A failure that is skipped is in the outcome's details. Names that are
        wrong here come before whatever a remote fails with; a failure that ends the search does so when all clusters
        have ended, and of several the last one of a remote is told.
        """
        if request.refine_terms:
            return await search_refined(
                request,
                lambda each: self.search(each, ctx, progress),
                lambda each: self._uncounted(each, ctx),
            )
        started = asyncio.get_running_loop().time()
        if request.body.lookups:
            request = await with_lookups(request, self._look_up, ctx)
        if request.body.has_stages:
            outcome = await search_in_stages(
                request,
                lambda stage: self.search(stage, ctx),
                lambda stage: self.search(stage, ctx, progress),
                lambda stage: self._step(stage, ctx),
            )
            return replace(outcome, took_ms=_elapsed_ms(started))
        targets = self._targets(request)
        in_phases = _needs_phases(request)
        if len(targets) == 1 and targets[0].alias == LOCAL and not in_phases:
            whole_request = self._whole(request, targets[0])
            if progress is not None:
                await self._local.judge_names(whole_request, ctx, may_ask=True)
                (known,) = await self._by_shards.clusters(request, targets, ctx)
                progress.begun(targets)
                counts = ShardCounts(len(known.shards))
                progress.shards_counted(replace(known.running(), shards=counts))
            whole, _ = await self._local.search(whole_request, ctx)
            return SearchOutcome(
                answer=whole, took_ms=_elapsed_ms(started), reduce_phases=whole.reduce_phases
            )
        trips = request.minimize_roundtrips and not in_phases
        try:
            if trips:
                outcome = await self._search_clusters(request, targets, ctx, started, progress)
            else:
                found = await self._in_phases(request, targets, ctx, progress)
                outcome = replace(found, took_ms=_elapsed_ms(started))
        except (ApiError, asyncio.CancelledError) as error:
            self.usage.failed(
                targets,
                error,
                ctx,
                minimize_roundtrips=trips,
                features=_features(request, progress),
            )
            raise
        self.usage.succeeded(
            targets, outcome, ctx, minimize_roundtrips=trips, features=_features(request, progress)
        )
        if self._slow_log is not None:
            self._slow_log.note(request, outcome, ctx)
        return outcome

    async def _step(self, request: ClientSearch, ctx: Context) -> SearchOutcome:
        """A search without which the whole cannot go on: its failure is counted as the whole's."""
        try:
            return await self._uncounted(request, ctx)
        except ApiError as error:
            trips = request.minimize_roundtrips and not _needs_phases(request)
            features = _features(request, None)
            targets = self._targets(request)
            self.usage.failed(targets, error, ctx, minimize_roundtrips=trips, features=features)
            raise

    async def _uncounted(self, request: ClientSearch, ctx: Context) -> SearchOutcome:
        """A search that is a step of another, which is counted and logged as a whole. Raises as `search`."""
        started = asyncio.get_running_loop().time()
        if request.body.lookups:
            request = await with_lookups(request, self._look_up, ctx)
        targets = self._targets(request)
        in_one_trip = request.minimize_roundtrips or all(each.alias == LOCAL for each in targets)
        if in_one_trip and not _needs_phases(request):
            return await self._search_clusters(request, targets, ctx, started, None)
        return await self._in_phases(request, targets, ctx, None)

    def _targets(self, request: ClientSearch) -> Sequence[ClusterTarget]:
        if request.body.pit is None:
            return clusters_named(request.expressions, self._remotes.aliases, request.options)
        return targets_of(request.body.pit)

    async def _in_phases(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        progress: Progress | None,
    ) -> SearchOutcome:
        if request.body.pit is not None:
            return await self.points_in_time.search(request, ctx, progress)
        if request.scroll_ms is not None:
            return await self.scrolls.begin(request, targets, ctx)
        return await self._by_shards.search(request, targets, ctx, progress)

    async def close(self) -> None:
        """Ends what goes on behind searches that have ended."""
        await self._phases.close()

    async def _search_clusters(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        started: float,
        progress: Progress | None,
    ) -> SearchOutcome:
        outcomes = await self._ask_all(request, targets, ctx, progress)
        answers = [answer for _, answer in outcomes if answer is not None]
        alone = len(targets) == 1 and len(answers) == 1
        if alone:
            whole = answers[0]
        else:
            try:
                whole = await self._merged(request, answers, ctx)
            except UNMERGEABLE:
                outcomes = self._without_nonsense(request, targets, outcomes, ctx)
                answers = [answer for _, answer in outcomes if answer is not None]
                whole = await self._merged(request, answers, ctx)
        return SearchOutcome(
            answer=whole,
            took_ms=_elapsed_ms(started),
            reduce_phases=whole.reduce_phases if alone else cluster_reduce_phases(answers),
            clusters=Clusters(tuple(outcome for outcome, _ in outcomes)),
        )

    async def _merged(
        self, request: ClientSearch, answers: Sequence[Partial], ctx: Context
    ) -> Partial:
        return await aside(lambda: self.merge(request, answers, now_ms=ctx.start_ms), answers)

    def _without_nonsense(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        outcomes: Sequence[Answered],
        ctx: Context,
    ) -> list[Answered]:
        """The outcomes, where clusters have failed whose answers cannot be merged. Raises for one that may not."""
        wrong = blamed(outcomes, lambda found: self.merge(request, found, now_ms=ctx.start_ms))
        kept: list[Answered] = []
        for target, answered in zip(targets, outcomes, strict=True):
            error = wrong.get(target.alias)
            if error is None:
                kept.append(answered)
            elif self._remotes.skip_unavailable(target.alias):
                failed = failed_outcome(target.alias, target.expressions, error, skipped=True)
                kept.append((failed, None))
            else:
                raise error.with_metadata(cluster=target.alias)
        return kept

    def merge(self, request: ClientSearch, answers: Sequence[Partial], *, now_ms: int) -> Partial:
        """The final answer of several clusters, or of those that have answered so far; of none at all it is empty."""
        body = request.body
        if not answers:
            tracks = request.minimize_roundtrips or body.track_total_hits != TRACK_NONE
            total = TotalHits(0) if tracks else None
            return Partial(
                hits=[],
                total=total,
                # One reduce over no shards gives a zero, merging no clusters nothing: as the reference's two modes.
                max_score=None if request.minimize_roundtrips else 0.0,
                shards=ShardCounts(),
                final=True,
            )
        return self._memo.merge(
            body,
            answers,
            from_=body.from_,
            size=body.size,
            final=True,
            max_buckets=self._max_buckets(),
            now_ms=now_ms,
            by_cluster=request.minimize_roundtrips,
        )

    @staticmethod
    def _whole(request: ClientSearch, target: ClusterTarget) -> SearchRequest:
        """What a cluster answers that is asked alone: the request as it is, reduced to the end."""
        return _request_for(
            request, target, from_=request.body.from_, size=request.body.size, final=True
        )

    async def _ask_all(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        progress: Progress | None,
    ) -> list[tuple[ClusterOutcome, Partial | None]]:
        if len(targets) == 1:
            if progress is not None:
                progress.begun(targets)
            return [await self._ask(self._whole(request, targets[0]), targets[0], ctx, progress)]
        window = request.body.from_ + request.body.size

        parts: dict[tuple[str, ...], SearchRequest] = {}

        def part_of(target: ClusterTarget) -> SearchRequest:
            """Clusters of which the same is wanted share one."""
            part = parts.get(target.expressions)
            if part is None:
                part = _request_for(request, target, from_=0, size=window, final=False)
                parts[target.expressions] = part
            return part

        def ask(target: ClusterTarget) -> Awaitable[tuple[ClusterOutcome, Partial | None]]:
            return self._ask(part_of(target), target, ctx, progress)

        # The local cluster is first, if it is among them, and so is asked in this task.
        if not targets or targets[0].alias != LOCAL:
            if progress is not None:
                progress.begun(targets)
            return await ask_to_the_end(ask, targets, fail_fast=self._fail_fast)
        names = part_of(targets[0])
        await self._local.judge_names(names, ctx, may_ask=False)
        if progress is not None:
            progress.begun(targets)
        try:
            return await ask_to_the_end(ask, targets, fail_fast=self._fail_fast)
        except ApiError as error:
            if "cluster" in error.metadata:
                await self._local.judge_names(names, ctx, may_ask=True)
            raise

    async def _ask(
        self,
        request: SearchRequest,
        target: ClusterTarget,
        ctx: Context,
        progress: Progress | None,
    ) -> tuple[ClusterOutcome, Partial | None]:
        """One cluster's outcome. Raises where its failure is the whole search's."""
        try:
            outcome, answer = await self._outcome(request, target, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            if progress is not None:
                progress.cluster_ended(
                    failed_outcome(target.alias, target.expressions, error), None
                )
            raise
        if progress is not None:
            progress.cluster_ended(outcome, answer)
        return outcome, answer

    async def _outcome(
        self, request: SearchRequest, target: ClusterTarget, ctx: Context
    ) -> tuple[ClusterOutcome, Partial | None]:
        if target.alias == LOCAL:
            answer = await self._local.search(request, ctx)
            return outcome_of(LOCAL, target.expressions, answer), answer.partial
        try:
            answer = await self._remotes.client(target.alias).search(request, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            error = as_crossed(error)
            if not self._remotes.skip_unavailable(target.alias):
                raise error.with_metadata(cluster=target.alias) from None
            return failed_outcome(target.alias, target.expressions, error, skipped=True), None
        for failure in answer.partial.failures:
            tell_types(failure.error)
        return outcome_of(target.alias, target.expressions, answer), answer.partial


def _needs_phases(request: ClientSearch) -> bool:
    return request.body.pit is not None or request.scroll_ms is not None


def _features(request: ClientSearch, progress: Progress | None) -> list[str]:
    """What is counted of a search besides. Only asynchronous ones are watched."""
    found = [] if progress is None else [ASYNC]
    return found if request.body.pit is None else [*found, PIT]


def _request_for(
    request: ClientSearch, target: ClusterTarget, *, from_: int, size: int, final: bool
) -> SearchRequest:
    return SearchRequest(
        indices=target.expressions,
        body=request.body,
        from_=from_,
        size=size,
        final_reduce=final,
        options=request.options,
        preference=request.preference,
        routing=request.routing,
        allow_partial_results=request.allow_partial_results,
        request_cache=request.request_cache,
        batched_reduce_size=request.batched_reduce_size,
        pre_filter_shard_size=request.pre_filter_shard_size,
    )


def _elapsed_ms(started: float) -> int:
    return int((asyncio.get_running_loop().time() - started) * 1000)
