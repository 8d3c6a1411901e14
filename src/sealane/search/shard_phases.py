"""This cluster's side of a search in phases: which shards there are, what each finds, what the winners look like, and
the reader contexts in between.

Contexts are the engine's; here is only what a scroll has to remember beside them. A request that fails or is cancelled
leaves none of the contexts that it opened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, TypeVar

import msgspec

from sealane.cluster.resolve import ResolvedIndex
from sealane.engine.base import FoundDoc, Reader, ShardSearch
from sealane.errors import ApiError, TaskCancelled
from sealane.model.access import current_access
from sealane.model.dsl import SearchBody
from sealane.model.search import IndicesOptions
from sealane.model.security import IndexLimits
from sealane.model.task import Context
from sealane.query import parse_search_body
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    FREE,
    OPEN,
    QUERY,
    SCROLL,
    SHARDS,
    CanMatchAnswer,
    CanMatchRequest,
    FetchAnswer,
    FetchOutcome,
    FetchRequest,
    FreeAnswer,
    FreeRequest,
    IndexShards,
    OpenAnswer,
    OpenRequest,
    Phase,
    QueryAnswer,
    QueryRequest,
    ScrollAnswer,
    ScrollRequest,
    ShardOutcome,
    ShardsAnswer,
    ShardsRequest,
    ShardTarget,
    WantedDocs,
)
from sealane.search.context_owners import ContextOwners
from sealane.search.failed_shards import FailedShard
from sealane.search.fan_out import ask_all
from sealane.search.keep_alive import keep_alive_s
from sealane.search.limited import check_search, seen
from sealane.search.one_shard import (
    CONCURRENT_SHARDS,
    any_of,
    ask_shard,
    name_node,
    pause_after,
    shown_index,
    with_deadline,
)
from sealane.search.protocols import SearchDefaults
from sealane.search.routed import shards_asked
from sealane.search.scroll_cursors import ScrollCursor, ScrollCursors
from sealane.search.slow_log import NO_SLOW_LOG, ShardSlowLog

CLEAR_ALL_SCROLLS = "cluster:admin/indices/scroll/clear_all"
"""The action that may end what belongs to others."""

Q = TypeVar("Q")
A = TypeVar("A")

LimitsOf = Callable[[str, str, Sequence[str]], IndexLimits | None]
"""What may be seen of the index with this name and uuid, reached by these names. Raises SecurityError."""
ResolveNames = Callable[[Sequence[str], IndicesOptions, Context], Sequence[ResolvedIndex]]


class SearchContexts(NamedTuple):
    """Reader contexts of shards that are open, and how many of them are scrolls'."""

    open: int
    scrolls: int


class ShardPhases:
    """Implements `run` of ClusterClient over this cluster's own shards."""

    def __init__(
        self,
        *,
        resolve: ResolveNames,
        limits_of: LimitsOf,
        reader: Reader,
        node_id: str,
        defaults: SearchDefaults,
        slow_log: ShardSlowLog = NO_SLOW_LOG,
    ) -> None:
        self._slow_log = slow_log
        self._resolve = resolve
        self._limits_of = limits_of
        self._reader = reader
        self._node_id = node_id
        self._defaults = defaults
        self.scrolls = ScrollCursors(defaults.max_open_scrolls)
        self._owners = ContextOwners()
        self._steps: dict[str, Callable[[Any, Context], Awaitable[Any]]] = {
            SHARDS.action: self._shards,
            CAN_MATCH.action: self._can_match,
            QUERY.action: self._query,
            FETCH.action: self._fetch,
            OPEN.action: self._open,
            SCROLL.action: self._scroll,
            FREE.action: self._free,
        }

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """One step. What goes wrong with one shard is in its outcome.

        Raises IndexNotFound and its kin for names, what the body's parser raises, TaskCancelled.
        """
        answer: A = await self._steps[phase.action](request, ctx)
        return answer

    def contexts(self) -> SearchContexts:
        """How many are open now."""
        return SearchContexts(self._reader.open_readers, len(self.scrolls))

    # -- the steps -------------------------------------------------------------------------------------------------

    async def _shards(self, request: ShardsRequest, ctx: Context) -> ShardsAnswer:
        body = parse_search_body(request.body)
        found = []
        looked_at = count()
        resolved = self._resolve(request.indices, IndicesOptions(*request.options), ctx)
        check_search(body, resolved)
        for each in resolved:
            skipped: list[int] = []
            shards = shards_asked(each, request.routing, request.preference)
            if request.skips:
                for shard in shards:
                    await pause_after(next(looked_at))
                    target = ShardTarget(each.name, each.uuid, shard, 0, each.filters)
                    search = _search_of(body, target, each.limits, 0, 1, ctx)
                    if not await self._may_match(target, search):
                        skipped.append(shard)
            found.append(
                IndexShards(
                    index=each.name,
                    uuid=each.uuid,
                    shards=tuple(shards),
                    filters=each.filters,
                    skipped=tuple(skipped),
                    reached=each.reached,
                )
            )
        return ShardsAnswer(self._node_id, found)

    async def _can_match(self, request: CanMatchRequest, ctx: Context) -> CanMatchAnswer:
        body = parse_search_body(request.body)
        matches = []
        for number, each in enumerate(request.targets):
            await pause_after(number)
            search = _search_of(body, each, self._permitted(each, ctx), 0, 1, ctx)
            matches.append(await self._may_match(each, search))
        return CanMatchAnswer(matches)

    async def _query(self, request: QueryRequest, ctx: Context) -> QueryAnswer:
        body = parse_search_body(request.body)
        limit_ms = body.timeout_ms if body.timeout_ms is not None else self._defaults.timeout_ms()
        ctx = with_deadline(ctx, limit_ms, asyncio.get_running_loop().time())
        opened: list[str] = []
        outcomes = await self._or_close(
            lambda target: self._query_one(target, request, body, opened, ctx),
            request.targets,
            opened,
        )
        return QueryAnswer(self._node_id, outcomes)

    async def _query_one(
        self,
        target: ShardTarget,
        request: QueryRequest,
        body: SearchBody,
        opened: list[str],
        ctx: Context,
    ) -> ShardOutcome:
        own = None
        try:
            limits = self._permitted(target, ctx)
            context = target.context
            if context is not None and request.keep_ms:
                await self._reader.keep_reader(context, self._keep_s(request.keep_ms))
            if context is None and (request.scroll or (request.keep_ms and request.size)):
                context = own = await self._opened(target, request, body, opened, ctx)
            search = _search_of(body, target, limits, request.size, request.shard_count, ctx)
            search = replace(
                search,
                reader=context,
                query_only=True,
                request_cache=request.request_cache,
                scroll=request.scroll,
            )
        except TaskCancelled:
            raise
        except ApiError as error:
            await self._closed(own)
            return ShardOutcome(error=error.to_wire())
        outcome = await self._searched(target, search, ctx)
        found = outcome.partial is not None and bool(outcome.partial.hits)
        if own is not None and (found or (request.scroll and outcome.error is None)):
            outcome.context = own
        else:
            await self._closed(own)
        return outcome

    async def _searched(
        self, target: ShardTarget, search: ShardSearch, ctx: Context
    ) -> ShardOutcome:
        ask = self._slow_log.ask_shard if self._slow_log.is_on else ask_shard
        answer = await ask(self._reader, target.uuid, target.shard, search, ctx, self._node_id)
        if isinstance(answer, FailedShard):
            return ShardOutcome(error=answer.failure.error)
        return ShardOutcome(partial=answer)

    def _permitted(self, target: ShardTarget, ctx: Context) -> IndexLimits | None:
        """What the request may see of the target. Nothing that it says of it is believed: not that name and uuid belong
        together, nor that the context is its own. Raises SecurityError, SearchContextMissing.
        """
        if target.context is not None:
            self._owners.check(target.context, ctx)
        return self._limits_of(target.index, target.uuid, target.reached)

    async def _open_context(self, target: ShardTarget, keep_ms: int, ctx: Context) -> str:
        context = await self._reader.open_reader(
            target.uuid,
            target.shard,
            keep_alive_s=self._keep_s(keep_ms),
            on_close=self._context_closed,
        )
        self._owners.claim(context, ctx)
        return context

    def _context_closed(self, context: str) -> None:
        self._owners.forget(context)
        self.scrolls.forget(context)

    async def _opened(
        self,
        target: ShardTarget,
        request: QueryRequest,
        body: SearchBody,
        opened: list[str],
        ctx: Context,
    ) -> str:
        if request.scroll:
            self.scrolls.check_room()
        context = await self._open_context(target, request.keep_ms, ctx)
        opened.append(context)
        if request.scroll:
            pinned = msgspec.structs.replace(target, context=context)
            self.scrolls.keep(context, ScrollCursor(pinned, request, body))
        return context

    async def _fetch(self, request: FetchRequest, ctx: Context) -> FetchAnswer:
        body = parse_search_body(request.body)
        try:
            outcomes = await ask_all(
                lambda wanted: self._fetch_one(wanted, request, body, ctx),
                request.wanted,
                at_a_time=CONCURRENT_SHARDS,
            )
        finally:
            await self._close_all([each for each in request.frees if self._owners.owns(each, ctx)])
        return FetchAnswer(outcomes)

    async def _fetch_one(
        self, wanted: WantedDocs, request: FetchRequest, body: SearchBody, ctx: Context
    ) -> FetchOutcome:
        target = wanted.target
        docs = [FoundDoc(each.doc, each.score, each.group) for each in wanted.docs]
        try:
            limits = self._permitted(target, ctx)
            search = _search_of(body, target, limits, 0, request.shard_count, ctx)
            search = replace(search, scroll=wanted.after is not None)
            hits = await self._reader.fetch(target.uuid, target.shard, search, docs, ctx)
        except TaskCancelled:
            raise
        except ApiError as error:
            return FetchOutcome(error=error.to_wire())
        if body.explain:
            name_node(hits, self._node_id)
        if wanted.after is not None and target.context is not None:
            self.scrolls.advance(target.context, wanted.after)
        return FetchOutcome(hits)

    async def _open(self, request: OpenRequest, ctx: Context) -> OpenAnswer:
        opened: list[str] = []

        async def open_one(target: ShardTarget) -> ShardOutcome:
            try:
                self._limits_of(target.index, target.uuid, target.reached)
                context = await self._open_context(target, request.keep_ms, ctx)
            except ApiError as error:
                return ShardOutcome(error=error.to_wire())
            opened.append(context)
            return ShardOutcome(context=context)

        return OpenAnswer(self._node_id, await self._or_close(open_one, request.targets, opened))

    async def _scroll(self, request: ScrollRequest, ctx: Context) -> ScrollAnswer:
        async def page_of(context: str) -> tuple[ShardOutcome, ScrollCursor | None]:
            try:
                self._owners.check(context, ctx)
                cursor = self.scrolls.find(context)
                limits = self._permitted(cursor.target, ctx)
                keep_ms = request.keep_ms
                if keep_ms is not None:
                    await self._reader.keep_reader(context, self._keep_s(keep_ms))
            except ApiError as error:
                return ShardOutcome(error=error.to_wire()), None
            asked = cursor.request
            search = _search_of(
                cursor.page(), cursor.target, limits, asked.size, asked.shard_count, ctx
            )
            search = replace(search, query_only=True, scroll=True)
            return await self._searched(cursor.target, search, ctx), cursor

        pages = await ask_all(page_of, request.contexts, at_a_time=CONCURRENT_SHARDS)
        cursors = [cursor for _, cursor in pages]
        return ScrollAnswer(
            node=self._node_id,
            body=next((each.body.raw for each in cursors if each is not None), b""),
            outcomes=[outcome for outcome, _ in pages],
            targets=[None if each is None else each.target for each in cursors],
        )

    async def _free(self, request: FreeRequest, ctx: Context) -> FreeAnswer:
        contexts = dict.fromkeys(request.contexts)
        if request.all_scrolls:
            contexts.update(dict.fromkeys(self.scrolls.contexts))
        access = current_access()
        if access is None or access.action != CLEAR_ALL_SCROLLS:
            contexts = dict.fromkeys(each for each in contexts if self._owners.owns(each, ctx))
        return FreeAnswer(await self._close_all(list(contexts)))

    # --------------------------------------------------------------------------------------------------------------

    async def _or_close(
        self,
        ask: Callable[[ShardTarget], Awaitable[ShardOutcome]],
        targets: Sequence[ShardTarget],
        opened: list[str],
    ) -> list[ShardOutcome]:
        """`ask` of each target. Whatever it opened is closed where the whole of it fails or is cancelled."""
        try:
            return await ask_all(ask, targets, at_a_time=CONCURRENT_SHARDS)
        except BaseException:
            await self._close_all(opened)
            raise

    async def _may_match(self, target: ShardTarget, search: ShardSearch) -> bool:
        """A shard that cannot be looked at says so when it is searched."""
        try:
            return await self._reader.can_match(target.uuid, target.shard, search)
        except ApiError:
            return True

    async def _closed(self, context: str | None) -> None:
        if context is not None:
            await self._reader.close_reader(context)

    async def _close_all(self, contexts: Sequence[str]) -> int:
        return sum([await self._reader.close_reader(each) for each in contexts])

    def _keep_s(self, keep_ms: int) -> float:
        return keep_alive_s(keep_ms, self._defaults.max_keep_alive_ms())


def _search_of(
    body: SearchBody,
    target: ShardTarget,
    limits: IndexLimits | None,
    size: int,
    shard_count: int,
    ctx: Context,
) -> ShardSearch:
    documents, fields = seen(limits, ctx)
    return ShardSearch(
        index_name=shown_index(target.index, ctx),
        body=body,
        size=size,
        now_ms=ctx.start_ms,
        filter=any_of(target.filters),
        documents=documents,
        fields=fields,
        reader=target.context,
        shard_index=target.number,
        shard_count=shard_count,
    )
