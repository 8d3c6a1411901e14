"""`_reindex`, `_update_by_query` and `_delete_by_query`: what is found, and what is written for each document found."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.documents import NO_UPDATE, BulkItem
from sealane.cluster.targets import resolve_write_target
from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument, RefusedUnderLimits
from sealane.model.access import acting, current_access
from sealane.model.document import OpType, VersionType, WriteOp
from sealane.model.index_names import split_alias
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.query.by_query_body import NO_LIMIT, ByQuery, Reindex
from sealane.reduce.partial import Hit
from sealane.search.bulk_by_scroll import BULK, KEEP_MS, SEARCH, BulkByScroll, Done, Progress, Work
from sealane.search.client_search import ClientSearch
from sealane.search.local_indices import Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the URL says beside the body. `keep_ms` is how long a page may take."""

    refresh: bool = False
    keep_ms: int = KEEP_MS
    requests_per_second: float = math.inf
    routing: tuple[str, ...] = ()
    indices: IndicesOptions = field(default_factory=IndicesOptions)
    require_alias: bool = False


class ByQueryService:
    """Judges requests, and runs them by pages."""

    def __init__(self, bulk: BulkByScroll, indices: Indices) -> None:
        self._bulk = bulk
        self._indices = indices

    def judge_reindex(self, wanted: Reindex, ctx: Context) -> None:
        """Before anything is read. Raises ActionRequestValidation for a copy onto itself, InvalidIndexName for a
        destination in another cluster, and what is wrong with the local names.
        """
        dest = wanted.dest.index
        with acting(BULK):
            access = current_access()
        found = resolve_write_target(self._indices.metadata, dest, ctx.start_ms, access)
        target = resolve_date_name(dest, ctx.start_ms) if found is None else found.name
        local = [each for each in wanted.indices if split_alias(each) is None]
        if not local:
            return
        with acting(SEARCH):
            sources = self._indices.resolve(local, IndicesOptions(), ctx.start_ms)
        for index in sources:
            if index.name == target:
                raise ActionRequestValidation(
                    [f"reindex cannot write into an index its reading from [{target}]"]
                )

    async def reindex(
        self, wanted: Reindex, options: Options, progress: Progress, ctx: Context
    ) -> Done:
        """Copies documents. Raises as the search of the source does."""
        return await self._run(
            wanted.indices, wanted, _copy(wanted, options), options, progress, ctx
        )

    async def delete(
        self,
        expressions: tuple[str, ...],
        wanted: ByQuery,
        options: Options,
        progress: Progress,
        ctx: Context,
    ) -> Done:
        """Deletes what is found, unless it has changed since."""
        refuse_remote(expressions)
        return await self._run(expressions, wanted, _delete, options, progress, ctx)

    async def update(
        self,
        expressions: tuple[str, ...],
        wanted: ByQuery,
        options: Options,
        progress: Progress,
        ctx: Context,
    ) -> Done:
        """Writes what is found once more as it is: new fields of the mapping take effect.

        Raises RefusedUnderLimits where fields are hidden: they would be lost.
        """
        refuse_remote(expressions)
        with acting(SEARCH):
            found = self._indices.resolve(expressions, options.indices, ctx.start_ms)
        if any(each.limits is not None and each.limits.fields is not None for each in found):
            raise RefusedUnderLimits(NO_UPDATE)
        return await self._run(expressions, wanted, _rewrite, options, progress, ctx)

    async def _run(
        self,
        expressions: tuple[str, ...],
        wanted: Reindex | ByQuery,
        write: Callable[[Hit], BulkItem],
        options: Options,
        progress: Progress,
        ctx: Context,
    ) -> Done:
        progress.requests_per_second = options.requests_per_second
        return await self._bulk.run(
            Work(
                search=ClientSearch(
                    expressions=expressions,
                    body=wanted.body,
                    options=options.indices,
                    routing=options.routing,
                    scroll_ms=options.keep_ms,
                    minimize_roundtrips=False,
                    allow_partial_results=True,
                ),
                write=write,
                max_docs=None if wanted.max_docs == NO_LIMIT else wanted.max_docs,
                proceed=wanted.proceed,
                refresh=options.refresh,
                progress=progress,
            ),
            ctx,
        )


def refuse_remote(expressions: tuple[str, ...]) -> None:
    """Raises IllegalArgument where another cluster is named."""
    remote = [each for each in expressions if split_alias(each) is not None]
    if remote:
        raise IllegalArgument(
            "Cross-cluster calls are not supported in this context but remote indices were requested: "
            f"[{', '.join(remote)}]"
        )


def _copy(wanted: Reindex, options: Options) -> Callable[[Hit], BulkItem]:
    dest = wanted.dest

    def write(hit: Hit) -> BulkItem:
        routing = hit.routing
        if dest.routing == "discard":
            routing = None
        elif dest.routing.startswith("="):
            routing = dest.routing[1:]
        versioned = dest.version_type is not VersionType.INTERNAL
        return BulkItem(
            action=dest.op,
            index=dest.index,
            op=WriteOp(
                op=dest.op,
                id=hit.id,
                routing=routing,
                source=hit.source,
                version=hit.version if versioned else None,
                version_type=dest.version_type,
            ),
            require_alias=options.require_alias,
            error=_unreadable(hit),
        )

    return write


def _delete(hit: Hit) -> BulkItem:
    return BulkItem(
        action=OpType.DELETE,
        index=hit.index,
        op=WriteOp(
            op=OpType.DELETE,
            id=hit.id,
            routing=hit.routing,
            if_seq_no=hit.seq_no,
            if_primary_term=hit.primary_term,
        ),
    )


def _rewrite(hit: Hit) -> BulkItem:
    return BulkItem(
        action=OpType.INDEX,
        index=hit.index,
        op=WriteOp(
            op=OpType.INDEX,
            id=hit.id,
            routing=hit.routing,
            source=hit.source,
            if_seq_no=hit.seq_no,
            if_primary_term=hit.primary_term,
        ),
        error=_unreadable(hit),
    )


def _unreadable(hit: Hit) -> ApiError | None:
    """The request left out what has to be written."""
    if hit.source is not None:
        return None
    return IllegalArgument(f"[{hit.index}][{hit.id}] didn't store _source")
