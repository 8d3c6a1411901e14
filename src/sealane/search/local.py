"""The local cluster as one of the clusters a search asks; also what answers other clusters' searches.

Resolves names, asks every shard, merges. It leaves to the engine how a shard is searched.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec

from sealane.cluster.resolve import ResolvedIndex
from sealane.engine.base import Reader, ShardSearch
from sealane.errors import ApiError, NoSuchRemoteCluster, SearchPhaseExecution, TaskCancelled
from sealane.model.dsl import TRACK_NONE, Bool, Query
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.query import decode, parse_query
from sealane.reduce import ClusterAnswer, MergeMemo
from sealane.reduce.partial import Partial, ShardCounts, ShardFailure, TotalHits
from sealane.search.expression import split_alias
from sealane.search.fan_out import ask_all
from sealane.search.protocols import IndexSource, SearchDefaults

_CONCURRENT_SHARDS = 16
"""Shards of one request that are searched at a time; the engine's executor is the real limit."""

_PLAIN_TYPES: Final = frozenset(
    {
        "illegal_argument_exception",
        "illegal_state_exception",
        "number_format_exception",
        "i_o_exception",
    }
)
"""Errors that the reference has as plain Java exceptions: they are shown once more below a failed search."""

_FOREIGN_TYPES: Final = _PLAIN_TYPES | {"date_time_parse_exception"}
"""Causes that are no exceptions of the reference's own, and so no root causes."""


class LocalCluster:
    """Implements LocalClient over this cluster's own indices."""

    def __init__(
        self,
        *,
        indices: IndexSource,
        reader: Reader,
        node_id: str,
        defaults: SearchDefaults,
    ) -> None:
        self._indices = indices
        self._reader = reader
        self._node_id = node_id
        self._defaults = defaults
        self._memo = MergeMemo()

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """Raises IndexNotFound and its kin for the names, SearchPhaseExecution when no shard could answer."""
        started = asyncio.get_running_loop().time()
        ctx = self._limited(request, ctx, started)
        targets = self._resolve(request, ctx)
        asked = [
            (target, shard, self._shard_search(target, request, ctx))
            for target in targets
            for shard in range(target.shards)
        ]
        partial = await self._ask(asked, request, ctx)
        took_ms = int((asyncio.get_running_loop().time() - started) * 1000)
        return ClusterAnswer(partial, took_ms)

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        """Raises as `search` does for the names. They are known here: nobody is asked."""
        self._resolve(request, ctx)

    def _resolve(self, request: SearchRequest, ctx: Context) -> Sequence[ResolvedIndex]:
        for expression in request.indices:
            other = split_alias(expression)
            if other is not None:
                raise NoSuchRemoteCluster(other[0])
        return self._indices.resolve(request.indices, request.options, ctx.start_ms)

    async def _ask(
        self,
        asked: Sequence[tuple[ResolvedIndex, int, ShardSearch]],
        request: SearchRequest,
        ctx: Context,
    ) -> Partial:
        if not asked:
            return _nothing(request)
        outcomes = await ask_all(
            lambda each: self._shard(*each, ctx), asked, at_a_time=_CONCURRENT_SHARDS
        )
        failed = [each for each in outcomes if isinstance(each, _Failed)]
        parts = [each for each in outcomes if isinstance(each, Partial)]
        if failed and not (parts and self._takes_partial(request)):
            raise self._all_failed(failed, partly=bool(parts))
        if len(parts) == len(asked) == 1 and not request.final_reduce and not request.from_:
            return parts[0]  # a shard's partial is its cluster's already
        answer = self._merge(parts, request, ctx)
        if not failed:
            return answer
        return msgspec.structs.replace(
            answer,
            shards=ShardCounts(
                total=len(asked), successful=len(parts), skipped=0, failed=len(failed)
            ),
            failures=[each.failure for each in failed],
        )

    def _merge(self, parts: Sequence[Partial], request: SearchRequest, ctx: Context) -> Partial:
        """The cluster's answer. What shards cannot be merged about fails the search as the reference's reduce does."""
        try:
            return self._memo.merge(
                request.body,
                parts,
                from_=request.from_,
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

    def _limited(self, request: SearchRequest, ctx: Context, now: float) -> Context:
        """The context with the deadline that the search's `timeout`, or this cluster's default, sets."""
        limit_ms = request.body.timeout_ms
        if limit_ms is None:
            limit_ms = self._defaults.timeout_ms()
        if limit_ms is None:
            return ctx
        deadline = now + limit_ms / 1000
        if ctx.deadline is not None and ctx.deadline < deadline:
            return ctx
        return replace(ctx, deadline=deadline)

    async def _shard(
        self, target: ResolvedIndex, shard: int, search: ShardSearch, ctx: Context
    ) -> "Partial | _Failed":
        try:
            async with asyncio.timeout_at(ctx.deadline):
                return await self._reader.search(target.uuid, shard, search, ctx)
        except TimeoutError:
            # What it found so far is not to be had: the shard counts as asked, its hits as none.
            return Partial(
                hits=[],
                total=_no_hits(search),
                max_score=None,
                shards=ShardCounts(1, 1),
                timed_out=True,
            )
        except TaskCancelled:
            raise
        except ApiError as error:
            failure = ShardFailure(shard, search.index_name, error.to_wire(), self._node_id)
            return _Failed(failure, error)

    @staticmethod
    def _shard_search(target: ResolvedIndex, request: SearchRequest, ctx: Context) -> ShardSearch:
        name = f"{ctx.local_alias}:{target.name}" if ctx.local_alias else target.name
        return ShardSearch(
            index_name=name,
            body=request.body,
            size=request.from_ + request.size,
            now_ms=ctx.start_ms,
            filter=_any_of(target.filters),
            request_cache=request.request_cache,
        )

    @staticmethod
    def _all_failed(failed: "Sequence[_Failed]", *, partly: bool) -> SearchPhaseExecution:
        """As the reference groups failures: one for each distinct cause, the first decides the status."""
        distinct: dict[tuple[str, str, str | None], _Failed] = {}
        for each in failed:
            distinct.setdefault((each.error.es_type, each.error.reason, each.failure.index), each)
        shown = [
            {
                "shard": each.failure.shard,
                "index": each.failure.index,
                "node": each.failure.node,
                "reason": each.error.to_cause(),
            }
            for each in distinct.values()
        ]
        error = SearchPhaseExecution(
            "Partial shards failure" if partly else "all shards failed",
            phase="query",
            failed_shards=shown,
            causes=[each.error for each in distinct.values()],
        )
        first = failed[0].error
        root = _root_of(first)
        error.caused_by = None if root is first else root
        error.root_causes = [_root_of(each.error) for each in distinct.values()]
        if first.es_type in _PLAIN_TYPES:
            error.caused_by = type(first)(first.reason, caused_by=first)
        return error


def _root_of(error: ApiError) -> ApiError:
    """The deepest cause that the reference counts as its own exception: what it shows as a root cause."""
    while error.caused_by is not None and error.caused_by.es_type not in _FOREIGN_TYPES:
        error = error.caused_by
    return error


class _Failed:
    __slots__ = ("error", "failure")

    def __init__(self, failure: ShardFailure, error: ApiError) -> None:
        self.failure = failure
        self.error = error


@lru_cache(maxsize=256)
def _any_of(filters: tuple[bytes, ...] | None) -> Query | None:
    """The alias filters of an index, or-ed; None where it was named without one."""
    if filters is None:
        return None
    parsed = tuple(parse_query(decode(each)) for each in filters)
    return parsed[0] if len(parsed) == 1 else Bool(should=parsed, minimum_should_match="1")


def _nothing(request: SearchRequest) -> Partial:
    """No index matched: an answer of no shards. Its max_score is 0.0 where all others' is null, as the reference's."""
    return Partial(hits=[], total=_no_hits(request), max_score=0.0, shards=ShardCounts())


def _no_hits(request: SearchRequest | ShardSearch) -> TotalHits | None:
    return None if request.body.track_total_hits == TRACK_NONE else TotalHits(0)
