"""One search over any number of clusters: plan, ask all at once, merge.

The local cluster is the cluster whose alias is empty, asked through the same protocol as the others. It leaves to
`expression` who is named, to `reduce` how answers merge, and to the clients how a cluster is reached.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sealane.errors import ApiError, SearchPhaseExecution, TaskCancelled
from sealane.model.dsl import TRACK_NONE, SearchBody
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.task import Context
from sealane.reduce import MergeMemo, cluster_reduce_phases
from sealane.reduce.partial import Partial, ShardCounts, ShardFailure, TotalHits
from sealane.search.expression import LOCAL, ClusterTarget, group_by_cluster
from sealane.search.fan_out import ask_all
from sealane.search.outcome import (
    ClusterOutcome,
    Clusters,
    ClusterStatus,
    SearchOutcome,
    outcome_of,
)
from sealane.search.protocols import LocalClient, Remotes
from sealane.search.usage import UsageCounter


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSearch:
    """A search as the client asked for it. `expressions` as typed, aliases included; empty means all local indices."""

    expressions: tuple[str, ...]
    body: SearchBody
    options: IndicesOptions = field(default_factory=IndicesOptions)
    preference: str | None = None
    routing: tuple[str, ...] = ()
    allow_partial_results: bool | None = None
    request_cache: bool | None = None
    batched_reduce_size: int = 512
    minimize_roundtrips: bool = True
    """Accepted for what it shows in the answer: every search takes one round trip a cluster."""


class SearchService:
    """Searches the local cluster and registered remotes."""

    def __init__(
        self, *, local: LocalClient, remotes: Remotes, max_buckets: Callable[[], int]
    ) -> None:
        self._local = local
        self._remotes = remotes
        self._max_buckets = max_buckets
        self._memo = MergeMemo()
        self.usage = UsageCounter()
        """Of searches that name a remote."""

    async def search(self, request: ClientSearch, ctx: Context) -> SearchOutcome:
        """Runs the search to its end.

        Raises what the local cluster raises, and what a remote raises whose skip_unavailable is false; such an error
        carries `cluster`, the alias it came from. A failure that is skipped is in the outcome's details. Names that are
        wrong here come before whatever a remote fails with; of several remotes the one that fails first ends the
        search.
        """
        started = asyncio.get_running_loop().time()
        targets = group_by_cluster(request.expressions, self._remotes.aliases)
        if len(targets) == 1 and targets[0].alias == LOCAL:
            whole, _ = await self._local.search(self._whole(request, targets[0]), ctx)
            return SearchOutcome(answer=whole, took_ms=_elapsed_ms(started))
        trips = request.minimize_roundtrips
        try:
            outcome = await self._search_clusters(request, targets, ctx, started)
        except (ApiError, asyncio.CancelledError) as error:
            self.usage.failed(targets, error, ctx, minimize_roundtrips=trips)
            raise
        self.usage.succeeded(targets, outcome, ctx, minimize_roundtrips=trips)
        return outcome

    async def _search_clusters(
        self,
        request: ClientSearch,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        started: float,
    ) -> SearchOutcome:
        outcomes = await self._ask_all(request, targets, ctx)
        details = Clusters(tuple(outcome for outcome, _ in outcomes))
        answers = [answer for _, answer in outcomes if answer is not None]
        alone = len(targets) == 1 and len(answers) == 1
        return SearchOutcome(
            answer=answers[0] if alone else self._merge(request, answers, ctx),
            took_ms=_elapsed_ms(started),
            reduce_phases=_phases(request, answers, alone=alone),
            clusters=details,
        )

    def _merge(self, request: ClientSearch, answers: list[Partial], ctx: Context) -> Partial:
        """The final answer of several clusters; of none at all it is empty."""
        body = request.body
        if not answers:
            total = None if body.track_total_hits == TRACK_NONE else TotalHits(0)
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
            now_ms=ctx.start_ms,
            by_cluster=request.minimize_roundtrips,
        )

    @staticmethod
    def _whole(request: ClientSearch, target: ClusterTarget) -> SearchRequest:
        """What a cluster answers that is asked alone: the request as it is, reduced to the end."""
        return _request_for(
            request, target, from_=request.body.from_, size=request.body.size, final=True
        )

    async def _ask_all(
        self, request: ClientSearch, targets: Sequence[ClusterTarget], ctx: Context
    ) -> list[tuple[ClusterOutcome, Partial | None]]:
        if len(targets) == 1:
            return [await self._ask(self._whole(request, targets[0]), targets[0], ctx)]
        window = request.body.from_ + request.body.size

        def ask(target: ClusterTarget) -> Awaitable[tuple[ClusterOutcome, Partial | None]]:
            part = _request_for(request, target, from_=0, size=window, final=False)
            return self._ask(part, target, ctx)

        # The local cluster is first, if it is among them, and so is asked in this task.
        if not targets or targets[0].alias != LOCAL:
            return await ask_all(ask, targets)
        names = _request_for(request, targets[0], from_=0, size=window, final=False)
        await self._local.judge_names(names, ctx, may_ask=False)
        try:
            return await ask_all(ask, targets)
        except ApiError as error:
            if "cluster" in error.metadata:
                await self._local.judge_names(names, ctx, may_ask=True)
            raise

    async def _ask(
        self, request: SearchRequest, target: ClusterTarget, ctx: Context
    ) -> tuple[ClusterOutcome, Partial | None]:
        """One cluster's outcome. Raises where its failure is the whole search's."""
        if target.alias == LOCAL:
            answer = await self._local.search(request, ctx)
            return outcome_of(LOCAL, target.expressions, answer), answer.partial
        try:
            answer = await self._remotes.client(target.alias).search(request, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            if not self._remotes.skip_unavailable(target.alias):
                raise error.with_metadata(cluster=target.alias) from None
            return _skipped(target, error), None
        return outcome_of(target.alias, target.expressions, answer), answer.partial


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
    )


def _phases(request: ClientSearch, answers: list[Partial], *, alone: bool) -> int:
    """`num_reduce_phases` as the reference counts them: its other mode of execution reduces once."""
    if alone or not request.minimize_roundtrips:
        return 1
    return cluster_reduce_phases(answers)


def _skipped(target: ClusterTarget, error: ApiError) -> ClusterOutcome:
    if isinstance(error, SearchPhaseExecution) and error.caused_by is None and error.root_causes:
        error.caused_by = error.root_causes[
            0
        ]  # as the reference shows it once it has crossed the wire
    return ClusterOutcome(
        alias=target.alias,
        status=ClusterStatus.SKIPPED,
        indices=",".join(target.expressions),
        failures=(ShardFailure(-1, None, error.to_wire()),),
    )


def _elapsed_ms(started: float) -> int:
    return int((asyncio.get_running_loop().time() - started) * 1000)
