"""Scrolls: a search whose next pages are asked for one by one, over the shards of any number of clusters.

Each shard remembers what was asked and the last document it has given; the id says where the shards are. A page asks
them all for their next documents, and moves on those whose documents it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from sealane.errors import (
    ApiError,
    EndOfFile,
    IllegalArgument,
    IOFailure,
    SearchPhaseExecution,
    TaskCancelled,
)
from sealane.model.dsl import SearchBody
from sealane.model.opaque import NotAnId, NotBase64
from sealane.model.task import Context
from sealane.query import for_scroll, parse_search_body, shows_no_sort
from sealane.reduce.partial import Hit, Partial
from sealane.remote.transport.messages_phases import (
    FREE,
    SCROLL,
    FreeRequest,
    ScrollAnswer,
    ScrollRequest,
    ShardTarget,
)
from sealane.search.by_shards import ByShards
from sealane.search.client_search import ClientSearch
from sealane.search.context_ids import (
    ScrolledCluster,
    make_scroll_id,
    read_scroll_id,
    split_context,
)
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.failed_shards import search_failed
from sealane.search.fan_out import ask_all
from sealane.search.outcome import SearchOutcome
from sealane.search.phased_clusters import PhasedCluster, PhasedShard
from sealane.search.phases import PhasedRequest, PhasedSearch, failures_of
from sealane.search.pit import Freed, free_all


@dataclass(frozen=True, slots=True)
class ScrollPage:
    """The next page, with the body whose sort its hits are shown by."""

    outcome: SearchOutcome
    body: SearchBody


class Scrolls:
    def __init__(self, *, phases: PhasedSearch, by_shards: ByShards) -> None:
        self._phases = phases
        self._by_shards = by_shards

    async def begin(
        self, request: ClientSearch, targets: Sequence[ClusterTarget], ctx: Context
    ) -> SearchOutcome:
        """The first page; `took_ms` is left to the caller. Raises as ByShards.search."""
        assert request.scroll_ms is not None
        body = for_scroll(request.body)
        outcome, clusters = await self._by_shards.run(
            replace(request, body=_shown(body)),
            targets,
            ctx,
            lambda asked: replace(asked, scroll=True, keep_ms=request.scroll_ms or 0),
        )
        held = [
            _scrolled(each.alias, [s.context for s in each.shards if s.context is not None])
            for each in clusters
        ]
        return replace(
            outcome,
            answer=_without_added_key(outcome.answer, body),
            scroll_id=make_scroll_id([each for each in held if each.contexts]),
        )

    async def next(self, scroll_id: str, keep_ms: int | None, ctx: Context) -> ScrollPage:
        """The page behind the last one that was given.

        Raises IllegalArgument for what is no id; what a cluster raises that cannot be asked; SearchPhaseExecution where
        all contexts are gone. `took_ms` is left to the caller.
        """
        held = read(scroll_id)
        if not held:
            raise _no_shards()
        answers = await ask_all(lambda each: self._ask(each, keep_ms, ctx), held)
        clusters = [_cluster(each, answer) for each, answer in zip(held, answers, strict=True)]
        shards = [shard for cluster in clusters for shard in cluster.shards]
        shards.sort(key=lambda each: each.place)
        failed = failures_of(shards)
        if len(failed) == len(shards):
            error = search_failed(failed, partly=False)
            error.caused_by = error.caused_by or failed[-1].error
            raise error
        body = parse_search_body(next(answer.body for answer in answers if answer.body))
        shown = replace(_shown(body), aggs=())
        asked = PhasedRequest(body=shown, allow_partial=True, scroll=True)
        answer = self._phases.reduce(asked, shards, ctx)
        await self._phases.fetch(asked, clusters, shards, answer, ctx)
        outcome = SearchOutcome(
            answer=_without_added_key(answer, body),
            took_ms=0,
            scroll_id=scroll_id if keep_ms is not None else None,
        )
        return ScrollPage(outcome, shown)

    async def _ask(self, held: ScrolledCluster, keep_ms: int | None, ctx: Context) -> ScrollAnswer:
        request = ScrollRequest(held.names(), keep_ms)
        try:
            return await self._phases.client(held.alias).run(SCROLL, request, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            if held.alias == LOCAL:
                raise
            raise error.with_metadata(cluster=held.alias) from None

    async def close(self, scroll_ids: Sequence[str], ctx: Context) -> Freed:
        """Closes the contexts of these scrolls. Raises IllegalArgument for what is no id, and closes none then."""
        wanted: dict[str, list[str]] = {}
        for scroll_id in dict.fromkeys(scroll_ids):
            for each in read(scroll_id):
                wanted.setdefault(each.alias, []).extend(each.names())
        total = sum(len(each) for each in wanted.values())
        return Freed(await free_all(self._phases, wanted, ctx), succeeded=True, wanted=total)

    async def close_all(self, ctx: Context) -> Freed:
        """Closes every scroll whose shards are in this cluster. The reference counts the nodes that were asked."""
        await self._phases.client(LOCAL).run(FREE, FreeRequest([], all_scrolls=True), ctx)
        return Freed(1, succeeded=True)


def read(scroll_id: str) -> tuple[ScrolledCluster, ...]:
    """Raises IllegalArgument."""
    try:
        return read_scroll_id(scroll_id)
    except NotAnId:
        cause: ApiError = EndOfFile()
    except NotBase64 as error:
        cause = IOFailure(error.streamed)
    raise IllegalArgument("Cannot parse scroll id", caused_by=cause)


def _scrolled(alias: str, contexts: Sequence[str]) -> ScrolledCluster:
    split = [split_context(each) for each in contexts]
    return ScrolledCluster(
        alias, split[0][0] if split else "", tuple(number for _, number in split)
    )


def _no_shards() -> SearchPhaseExecution:
    error = SearchPhaseExecution(
        "no nodes to search on", phase="query", failed_shards=[], causes=[]
    )
    error.status = 503
    return error


def _cluster(held: ScrolledCluster, answer: ScrollAnswer) -> PhasedCluster:
    cluster = PhasedCluster(alias=held.alias, indices="", can_skip=False)
    for context, outcome, target in zip(held.names(), answer.outcomes, answer.targets, strict=True):
        shard = PhasedShard(
            alias=held.alias,
            target=target or ShardTarget("", "", -1, context=context),
            is_known=target is not None,
        )
        shard.take(outcome)
        cluster.shards.append(shard)
    return cluster


def _shown(body: SearchBody) -> SearchBody:
    """The body as the scroll's client has it: shards know the key that was added from the JSON, and hits of different
    shards are not ordered by it.
    """
    return replace(body, sort=() if shows_no_sort(body) else body.sort[:-1])


def _without_added_key(answer: Partial, body: SearchBody) -> Partial:
    """The answer's hits without the sort value that only tells where a page ends."""
    hidden = shows_no_sort(body)
    hits: list[Hit] = []
    for hit in answer.hits:
        shown = None if hidden or hit.sort is None else hit.sort[:-1]
        hits.append(msgspec.structs.replace(hit, sort=shown))
    types = None if hidden or answer.sort_types is None else answer.sort_types[:-1]
    return msgspec.structs.replace(answer, hits=hits, sort_types=types)
