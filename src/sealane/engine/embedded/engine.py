"""The embedded engine: indices under one folder, their shards written in an executor, searches handed to the searcher.

What a search computes is `search/`'s business; what a shard does with an operation shard.py's.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from sealane.clock import Clock, Ids
from sealane.engine.base import (
    Capability,
    Changes,
    FoundDoc,
    IndexConfig,
    IndexStats,
    LiveDocuments,
    MappingSink,
    RollBack,
    ShardSearch,
    ShardState,
    TermsWanted,
)
from sealane.engine.embedded.index import OpenIndex, settled
from sealane.engine.embedded.index_files import claim_folder
from sealane.engine.embedded.orphans import remove_folder, remove_orphans
from sealane.engine.embedded.placing import Placing, timed
from sealane.engine.embedded.readers import KEEP_ALIVE_S, ReaderContexts
from sealane.engine.embedded.replicated import ReplicatedShard, begin_history
from sealane.engine.embedded.view import ShardView
from sealane.errors import ApiError, IndexNotFound, NoShardAvailable
from sealane.model.document import Document, Operation, WriteOp, WriteResult
from sealane.model.replication import Ancestor, HistoryMark, Lease
from sealane.model.task import Context
from sealane.reduce.partial import Hit, Partial

_LOG = logging.getLogger("sealane.engine")
_T = TypeVar("_T")
EXECUTOR_THREADS = 3
_TICK_S = 0.1


class Searcher(Protocol):
    """What computes a search: the package `sealane.engine.embedded.search`, or a test's own."""

    def cached(self, view: ShardView, request: ShardSearch) -> Partial | None:
        """The answer if it costs next to nothing. Runs on the loop."""

    def search_shard(
        self, view: ShardView, request: ShardSearch, check: Callable[[], None]
    ) -> Partial:
        """Runs in the executor. Calls `check` now and then, which raises when the search is to end."""

    def fetch_docs(
        self, view: ShardView, request: ShardSearch, docs: Sequence[FoundDoc]
    ) -> list[Hit]:
        """The hits of documents that a query phase found, wherever it is called."""

    def can_match(self, view: ShardView, request: ShardSearch) -> bool:
        """False where nothing can match. Runs on the loop, and costs next to nothing, unless documents are hidden."""

    def list_terms(self, view: ShardView, wanted: TermsWanted) -> list[str]:
        """Terms of one field, ascending. Runs in the executor."""


class EmbeddedEngine:
    """Implements `engine.base.Engine`. `run` must be running for documents to become searchable by themselves."""

    capabilities = frozenset(Capability)

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        ids: Ids,
        mappings: MappingSink,
        searcher: Searcher,
        executor: ThreadPoolExecutor | None = None,
    ) -> None:
        """Claims `path`. Raises IllegalState where it has a format that this version does not know.

        An `executor` handed in stays its owner's to shut down.
        """
        claim_folder(path)
        self._path = path
        self._clock = clock
        self._ids = ids
        self._mappings = mappings
        self._searcher = searcher
        self._owns_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(EXECUTOR_THREADS, "sealane-engine")
        self._indices: dict[str, OpenIndex] = {}
        self._failed: dict[str, ApiError] = {}
        """Why an index could not be opened."""
        self._using_files: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By uuid. Whoever opens an index waits until those who closed it have let go of its files."""
        self._readers = ReaderContexts(ids)
        self._placing = Placing()

    async def run(self) -> None:
        """Refreshes what is due and tidies up, until cancelled. Its owner keeps it in a task group."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK_S)
            now = loop.time()
            self._readers.expire(now)
            for index in list(self._indices.values()):
                if index.is_closed:
                    continue
                try:
                    if index.is_untidy:
                        await index.tidy()
                    if index.is_refresh_due(now):
                        await index.refresh()
                    else:
                        await index.release_writers(now)
                except ApiError as exc:
                    # A full disk must not end the node: the next due time tries again.
                    index.schedule.last_refresh_s = now
                    _LOG.error("refresh of index %s failed: %s", index.config.uuid, exc.reason)

    # -- indices -------------------------------------------------------------------------------------------------

    async def open_index(self, config: IndexConfig, *, new: bool = False) -> None:
        async with self._files_of(config.uuid):
            if config.uuid in self._indices:
                await self.update_config(config)
                return
            index = OpenIndex(
                self._path / config.uuid, config, self._clock, self._ids, self._executor
            )
            try:
                await index.open(new=new)
            except ApiError as error:
                self._failed[config.uuid] = error
                raise
            self._failed.pop(config.uuid, None)
            self._indices[config.uuid] = index

    async def update_config(self, config: IndexConfig) -> None:
        await self._index(config.uuid).update_config(config)

    async def close_index(self, index_uuid: str) -> None:
        async with self._files_of(index_uuid):
            await self._let_go(index_uuid, OpenIndex.close)

    async def delete_index(self, index_uuid: str) -> None:
        async with self._files_of(index_uuid):
            self._failed.pop(index_uuid, None)
            await self._let_go(index_uuid, OpenIndex.abandon)
            folder = self._path / index_uuid
            await self._run(lambda: remove_folder(folder))

    async def _let_go(
        self, index_uuid: str, end: Callable[[OpenIndex], Coroutine[Any, Any, None]]
    ) -> None:
        index = self._indices.pop(index_uuid, None)
        self._readers.forget_index(index_uuid)
        if index is None:
            return
        try:
            await end(index)
        finally:
            if not index.is_closed:
                # Cancelled before it began: nobody else would ever close it.
                self._indices[index_uuid] = index

    def _files_of(self, index_uuid: str) -> asyncio.Lock:
        return self._using_files.setdefault(index_uuid, asyncio.Lock())

    async def remove_orphans(self, known_uuids: frozenset[str]) -> list[str]:
        """Removes what a crash left of indices that are not in `known_uuids`; returns their uuids (orphans.py).

        To be called once, at start, before an index is created.
        """
        known = known_uuids | self._indices.keys()
        return await self._run(lambda: remove_orphans(self._path, known))

    async def close(self) -> None:
        for index_uuid in list(self._indices):
            await self.close_index(index_uuid)
        if self._owns_executor:
            self._executor.shutdown(wait=False)

    # -- writing -------------------------------------------------------------------------------------------------

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        ctx.task.check()
        return await self._index(index_uuid).bulk(operations, self._mappings)

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState:
        return await self._shard(index_uuid, shard).apply(operations)

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState:
        return await self._shard(index_uuid, shard).apply_copied(operations, up_to, mark)

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None:
        await self._shard(index_uuid, shard).adopt_history(history_uuid, ancestors)

    async def begin_history(self, index_uuid: str) -> tuple[ShardState, ...]:
        return await begin_history(self._index(index_uuid))

    async def roll_back(self, index_uuid: str, shard: int, back: RollBack) -> ShardState:
        return await self._shard(index_uuid, shard).roll_back(back)

    async def hold_reads(self, index_uuid: str, reason: ApiError | None) -> None:
        self._index(index_uuid).held = reason

    async def refresh(self, index_uuid: str) -> None:
        await self._index(index_uuid).refresh()

    async def wait_for_refresh(self, index_uuid: str) -> None:
        await self._index(index_uuid).wait_for_refresh()

    # -- reading -------------------------------------------------------------------------------------------------

    async def search(
        self, index_uuid: str, shard: int, request: ShardSearch, ctx: Context
    ) -> Partial:
        ctx.task.check()
        view = await self._view(index_uuid, shard, request.reader)
        known = self._searcher.cached(view, request)
        if known is not None:
            return known
        key = self._placing.key(index_uuid, request.body, request.size)
        work = partial(timed, partial(self._searcher.search_shard, view, request, _check_of(ctx)))
        if self._placing.is_short(key):
            answer, cpu_s = work()
        else:
            loop = asyncio.get_running_loop()
            answer, cpu_s = await loop.run_in_executor(self._executor, work)
        self._placing.note(key, cpu_s)
        return answer

    async def _view(self, index_uuid: str, shard: int, reader: str | None) -> ShardView:
        now = asyncio.get_running_loop().time()
        if reader is not None:
            return self._readers.view(reader, index_uuid, shard, now)
        index = self._readable(index_uuid)
        if index.schedule.search(now) and index.is_dirty:
            await index.refresh()
        return index.shards[shard].view

    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None:
        index = self._readable(index_uuid)
        # A lookup takes a few microseconds: less than a change of threads.
        return index.shards[index.shard_number(routing or doc_id)].get(doc_id, realtime)

    async def fetch(
        self,
        index_uuid: str,
        shard: int,
        request: ShardSearch,
        docs: Sequence[FoundDoc],
        ctx: Context,
    ) -> list[Hit]:
        ctx.task.check()
        view = await self._view(index_uuid, shard, request.reader)
        work = partial(timed, partial(self._searcher.fetch_docs, view, request, docs))
        # Beside the searches of the same shape: a fetch costs by what it reads, not by what it matches.
        key = ("fetch", self._placing.key(index_uuid, request.body, len(docs)))
        if self._placing.is_short(key):
            hits, cpu_s = work()
        else:
            hits, cpu_s = await asyncio.get_running_loop().run_in_executor(self._executor, work)
        self._placing.note(key, cpu_s)
        return hits

    async def can_match(self, index_uuid: str, shard: int, request: ShardSearch) -> bool:
        view = await self._view(index_uuid, shard, request.reader)
        if request.documents is not None:
            return await self._run(lambda: self._searcher.can_match(view, request))
        return self._searcher.can_match(view, request)

    async def terms(self, index_uuid: str, shard: int, wanted: TermsWanted) -> list[str]:
        view = await self._view(index_uuid, shard, None)
        return await self._run(lambda: self._searcher.list_terms(view, wanted))

    async def open_reader(
        self,
        index_uuid: str,
        shard: int,
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        on_close: Callable[[str], None] | None = None,
    ) -> str:
        view = await self._view(index_uuid, shard, None)
        now = asyncio.get_running_loop().time()
        return self._readers.open(view, now, keep_alive_s=keep_alive_s, on_close=on_close)

    async def keep_reader(self, reader: str, keep_alive_s: float) -> None:
        self._readers.touch(reader, asyncio.get_running_loop().time(), keep_alive_s)

    async def close_reader(self, reader: str) -> bool:
        return self._readers.close(reader)

    @property
    def open_readers(self) -> int:
        return len(self._readers)

    async def stats(self, index_uuid: str) -> IndexStats:
        index = self._index(index_uuid)
        counts = await self._run(lambda: [shard.counts() for shard in index.shards])
        return IndexStats(
            docs=sum(docs for docs, _, _ in counts),
            deleted=sum(deleted for _, deleted, _ in counts),
            store_bytes=sum(size for _, _, size in counts),
            shards=tuple(shard.state() for shard in index.shards),
            sizes=tuple(counts),
        )

    # -- the operation log ---------------------------------------------------------------------------------------

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState:
        return self._index(index_uuid).shard(shard).state()

    async def changes(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
        previous: HistoryMark | None = None,
    ) -> Changes:
        log = self._shard(index_uuid, shard)
        return await log.changes(from_seq_no, max_count, max_bytes, previous)

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None:
        return await self._shard(index_uuid, shard).mark(seq_no)

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState:
        return await self._shard(index_uuid, shard).wait_for_checkpoint(seq_no, timeout_s)

    async def live_documents(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        to_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
    ) -> LiveDocuments:
        there = self._shard(index_uuid, shard)
        return await there.live_documents(from_seq_no, to_seq_no, max_count, max_bytes)

    async def touched_since(self, index_uuid: str, shard: int, seq_no: int) -> list[str]:
        return await self._shard(index_uuid, shard).ids_above(seq_no)

    async def add_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        there = self._shard(index_uuid, shard)
        return await there.add_lease(lease_id, retaining_seq_no, source)

    async def renew_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        there = self._shard(index_uuid, shard)
        return await there.renew_lease(lease_id, retaining_seq_no, source)

    async def remove_lease(self, index_uuid: str, shard: int, lease_id: str) -> None:
        await self._shard(index_uuid, shard).remove_lease(lease_id)

    async def leases(self, index_uuid: str, shard: int) -> tuple[Lease, ...]:
        return await self._shard(index_uuid, shard).leases()

    async def log_floor(self, index_uuid: str, shard: int) -> int:
        return self._index(index_uuid).shard(shard).retained.floor

    # ------------------------------------------------------------------------------------------------------------

    def _index(self, index_uuid: str) -> OpenIndex:
        index = self._indices.get(index_uuid)
        if index is not None:
            return index
        failed = self._failed.get(index_uuid)
        if failed is not None:
            raise NoShardAvailable(failed)
        raise IndexNotFound(index_uuid)

    def _readable(self, index_uuid: str) -> OpenIndex:
        """An open index whose reads are not held. Raises NoShardAvailable."""
        index = self._index(index_uuid)
        if index.held is not None:
            raise NoShardAvailable(index.held)
        return index

    def _shard(self, index_uuid: str, number: int) -> ReplicatedShard:
        return ReplicatedShard(self._index(index_uuid), number)

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await settled(asyncio.get_running_loop().run_in_executor(self._executor, job))


def _check_of(ctx: Context) -> Callable[[], None]:
    """Raises TaskCancelled once the task has been cancelled, TimeoutError once the deadline has passed. Any thread may
    call it.
    """
    task, deadline, now = ctx.task, ctx.deadline, asyncio.get_running_loop().time

    def check() -> None:
        task.check()
        if deadline is not None and now() > deadline:
            raise TimeoutError("the deadline has passed")

    return check
