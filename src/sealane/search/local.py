"""The local cluster as one of the clusters a search asks; also what answers other clusters' searches.

Resolves names, asks every shard, merges. It leaves to the engine how a shard is searched, and searches in phases to
`shard_phases`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import msgspec

from sealane.cluster.resolve import ResolvedIndex
from sealane.engine.base import Reader, ShardSearch
from sealane.errors import ApiError, NoSuchRemoteCluster, SearchPhaseExecution
from sealane.model.dsl import SearchBody
from sealane.model.index_names import split_alias
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer, MergeMemo, reduce_phases
from sealane.reduce.partial import Partial, ShardCounts
from sealane.remote.transport.messages_phases import Phase
from sealane.search.aside import aside
from sealane.search.failed_shards import FailedShard, search_failed
from sealane.search.fan_out import ask_all
from sealane.search.limited import check_search, seen
from sealane.search.one_shard import (
    CONCURRENT_SHARDS,
    any_of,
    ask_shard,
    no_hits,
    pause_after,
    shown_index,
    with_deadline,
)
from sealane.search.protocols import IndexSource, SearchDefaults
from sealane.search.routed import shards_asked
from sealane.search.shard_phases import ShardPhases
from sealane.search.skips import can_skip, filters_first, needs_one
from sealane.search.slow_log import NO_SLOW_LOG, ShardSlowLog

Q = TypeVar("Q")
A = TypeVar("A")


class _Asked(NamedTuple):
    uuid: str
    shard: int
    search: ShardSearch


class LocalCluster:
    """Implements LocalClient over this cluster's own indices."""

    def __init__(
        self,
        *,
        indices: IndexSource,
        reader: Reader,
        node_id: str,
        defaults: SearchDefaults,
        slow_log: ShardSlowLog = NO_SLOW_LOG,
    ) -> None:
        self._slow_log = slow_log
        self._indices = indices
        self._reader = reader
        self._node_id = node_id
        self._defaults = defaults
        self._memo = MergeMemo()
        self.phases = ShardPhases(
            resolve=self._resolve_names,
            limits_of=indices.limits_of,
            reader=reader,
            node_id=node_id,
            defaults=defaults,
            slow_log=slow_log,
        )

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """Implements LocalClient. Raises as `ShardPhases.run`."""
        return await self.phases.run(phase, request, ctx)

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """Raises IndexNotFound and its kin for the names, SearchPhaseExecution when no shard could answer."""
        started = asyncio.get_running_loop().time()
        limit_ms = request.body.timeout_ms
        if limit_ms is None:
            limit_ms = self._defaults.timeout_ms()
        ctx = with_deadline(ctx, limit_ms, started)
        targets = self._resolve(request, ctx)
        check_search(request.body, targets)
        partial = await self._ask(_shards_of(targets, request, ctx), request, ctx)
        took_ms = int((asyncio.get_running_loop().time() - started) * 1000)
        return ClusterAnswer(partial, took_ms)

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        """Raises as `search` does for the names. They are known here: nobody is asked."""
        self._resolve(request, ctx)

    def _resolve(self, request: SearchRequest, ctx: Context) -> Sequence[ResolvedIndex]:
        return self._resolve_names(request.indices, request.options, ctx)

    def _resolve_names(
        self, expressions: Sequence[str], options: IndicesOptions, ctx: Context
    ) -> Sequence[ResolvedIndex]:
        for expression in expressions:
            other = split_alias(expression)
            if other is not None:
                raise NoSuchRemoteCluster(other[0])
        return self._indices.resolve(expressions, options, ctx.start_ms)

    async def _ask(self, asked: Sequence[_Asked], request: SearchRequest, ctx: Context) -> Partial:
        if not asked:
            return _nothing(request.body, ShardCounts())
        left = asked
        if filters_first(request.body, len(asked), request.pre_filter_shard_size):
            left = await self._matching(asked)
            if not left:
                if not needs_one(request.body):
                    return _nothing(request.body, ShardCounts(len(asked), len(asked), len(asked)))
                left = asked[:1]
        first = request.from_
        if first and request.size and len(asked) == 1 and not request.body.profile:
            # Nothing comes between a lone shard's hits: those before the page need not be read.
            left = [each._replace(search=replace(each.search, skip=first)) for each in left]
            first = 0
        ask = self._slow_log.ask_shard if self._slow_log.is_on else ask_shard
        outcomes = await ask_all(
            lambda each: ask(self._reader, *each, ctx, self._node_id),
            left,
            at_a_time=CONCURRENT_SHARDS,
        )
        failed = [each for each in outcomes if isinstance(each, FailedShard)]
        parts = [each for each in outcomes if isinstance(each, Partial)]
        some = bool(parts) or len(left) < len(asked)  # a shard that was skipped has answered
        if failed and not (some and self._takes_partial(request)):
            raise search_failed(failed, partly=some)
        if len(parts) == len(asked) == 1 and not request.final_reduce and not request.from_:
            return parts[0]  # a shard's partial is its cluster's already
        counts = ShardCounts()
        answer = (
            await aside(lambda: self._merge(parts, request, first, ctx), parts)
            if parts
            else _nothing(request.body, counts)
        )
        reduced = len(parts)
        if reduced > request.batched_reduce_size and can_skip(request.body):
            # Shards that hold no match have nothing to be reduced, all but one.
            reduced = max(1, len(await self._matching(left)))
        phases = reduce_phases(request.body, reduced, request.batched_reduce_size)
        if len(parts) == len(asked) and phases == answer.reduce_phases:
            return answer
        skipped = len(asked) - len(left)
        return msgspec.structs.replace(
            answer,
            reduce_phases=phases,
            shards=ShardCounts(
                total=len(asked),
                successful=len(parts) + skipped,
                skipped=skipped,
                failed=len(failed),
            ),
            failures=[each.failure for each in failed],
        )

    async def _matching(self, asked: Sequence[_Asked]) -> list[_Asked]:
        """The shards that may hold a match. One that cannot be looked at says so when it is searched."""
        found = []
        for number, each in enumerate(asked):
            await pause_after(number)
            try:
                if not await self._reader.can_match(*each):
                    continue
            except ApiError:
                pass
            found.append(each)
        return found

    def _merge(
        self, parts: Sequence[Partial], request: SearchRequest, first: int, ctx: Context
    ) -> Partial:
        """The cluster's answer, its hits from the `first` of the parts' on.

        What shards cannot be merged about fails the search as the reference's reduce does.
        """
        try:
            return self._memo.merge(
                request.body,
                parts,
                from_=first,
                size=request.size,
                final=request.final_reduce,
                max_buckets=self._defaults.max_buckets(),
                now_ms=ctx.start_ms,
            )
        except ApiError as error:
            failure = SearchPhaseExecution("", phase="fetch", failed_shards=[], causes=[])
            failure.caused_by, failure.status = error, error.status
            raise failure from error

    def _takes_partial(self, request: SearchRequest) -> bool:
        asked = request.allow_partial_results
        return self._defaults.allow_partial_results() if asked is None else asked


def _shards_of(
    targets: Sequence[ResolvedIndex], request: SearchRequest, ctx: Context
) -> list[_Asked]:
    asked = [
        _Asked(target.uuid, shard, _shard_search(target, request, ctx))
        for target in targets
        for shard in shards_asked(target, request.routing, request.preference)
    ]
    if any(key.field == "_shard_doc" for key in request.body.sort):
        asked.sort(key=lambda each: (each.shard, each.search.index_name, each.uuid))
        return [
            each._replace(search=replace(each.search, shard_index=place))
            for place, each in enumerate(asked)
        ]
    return asked


def _shard_search(target: ResolvedIndex, request: SearchRequest, ctx: Context) -> ShardSearch:
    documents, fields = seen(target.limits, ctx)
    return ShardSearch(
        index_name=shown_index(target.name, ctx),
        body=request.body,
        # Nothing is collected where nothing is shown, wherever the page begins.
        size=request.from_ + request.size if request.size else 0,
        now_ms=ctx.start_ms,
        filter=any_of(target.filters),
        documents=documents,
        fields=fields,
        request_cache=request.request_cache,
    )


def _nothing(body: SearchBody, shards: ShardCounts) -> Partial:
    """No shard was searched. The answer's max_score is 0.0 where all others' is null, as the reference's."""
    return Partial(hits=[], total=no_hits(body), max_score=0.0, shards=shards)
