"""Copies of this cluster's shards: what a follower begins with, page by page, and as quickly as copies may be."""

from collections.abc import Callable
from typing import Final

from sealane.cluster.found_indices import Guard
from sealane.cluster.metadata import IndexMetadata
from sealane.errors import HistoryDiverged, LeaseNotFound
from sealane.model.replication import (
    LEASE_SOURCE,
    NO_OPERATIONS,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    ShardRef,
)
from sealane.model.task import Context
from sealane.remote.transport.messages_replication import DocumentsAnswer, DocumentsRequest
from sealane.replication.leader.by_ids import documents_by_ids
from sealane.replication.leader.histories import check_continues
from sealane.replication.leader.names import (
    LeaderEngine,
    LeaderIndices,
    LedShards,
    engine_errors,
)
from sealane.replication.leader.reads import Reads
from sealane.replication.throttle import Throttle

OPERATIONS_MAX: Final = 100_000
ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024
"""Whatever is asked for: a frame has to hold an answer."""


class LedCopies(LedShards):
    """`copy_rate` is the bytes a second of all copies together, 0 for any number."""

    def __init__(
        self,
        *,
        indices: LeaderIndices,
        engine: LeaderEngine,
        guard: Guard,
        copy_rate: Callable[[], int],
    ) -> None:
        super().__init__(indices=indices, engine=engine, guard=guard)
        self._reads = Reads()
        self._throttle = Throttle(copy_rate)

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart:
        """As ChangeFeed.open_copy. Raises LeaseNotFound."""
        index = self._shard(shard)
        engine, uuid, number = self._engine, index.uuid, shard.shard
        with engine_errors(index):
            held = [each for each in await engine.leases(uuid, number) if each.id == lease_id]
            if not held:
                raise LeaseNotFound(lease_id)
            state = await engine.shard_state(uuid, number)
            self._check_own(index, number, state)
            await engine.refresh(uuid)
            checkpoint = state.checkpoint
            mark, total_docs, total_bytes = None, 0, 0
            if checkpoint > NO_OPERATIONS:
                mark = await engine.mark(uuid, number, checkpoint)
                page = await engine.live_documents(
                    uuid, number, 0, checkpoint, max_count=1, max_bytes=1
                )
                total_docs = page.total_docs
                total_bytes = (await engine.stats(uuid)).store_bytes // index.shards
            # With the operation that the mark is of, unless that one is gone already.
            keeps = checkpoint if held[0].retaining_seq_no <= checkpoint else checkpoint + 1
            await engine.renew_lease(uuid, number, lease_id, max(0, keeps), LEASE_SOURCE)
        self._shard(shard)
        return CopyStart(
            checkpoint=checkpoint,
            history_uuid=state.history_uuid,
            total_docs=total_docs,
            total_bytes=total_bytes,
            mark=mark,
        )

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        """As ChangeFeed.copy, as quickly as copies may be."""
        shard = request.shard.shard
        index = self._shard(request.shard)
        with engine_errors(index):
            async with self._reads:
                await self._check_still(index, request)
                page = await self._engine.live_documents(
                    index.uuid,
                    shard,
                    request.from_seq_no,
                    request.to_seq_no,
                    max_count=min(request.max_count, OPERATIONS_MAX),
                    max_bytes=min(request.max_bytes, ANSWER_MAX_BYTES),
                )
                mark = await self._engine.mark(index.uuid, shard, page.state.checkpoint)
        self._check_own(index, shard, page.state)
        check_continues(page.state, request.history_uuid, request.to_seq_no)
        sources = sum(len(each.source or b"") for each in page.operations)
        await self._throttle.take(sources)
        index = self._shard(request.shard)
        return CopyAnswer(
            operations=page.operations,
            up_to=page.up_to,
            checkpoint=page.state.checkpoint,
            mapping_version=index.mapping_version,
            total_docs=page.total_docs,
            mark=mark,
        )

    async def _check_still(self, index: IndexMetadata, request: CopyRequest) -> None:
        """Raises UnexpectedHistory, HistoryDiverged where the shard is not what the copy began with."""
        engine, shard = self._engine, request.shard.shard
        state = await engine.shard_state(index.uuid, shard)
        check_continues(state, request.history_uuid, request.to_seq_no)
        if state.checkpoint < request.to_seq_no:
            raise HistoryDiverged(
                request.to_seq_no, "to be copied", f"absent: its last one is {state.checkpoint}"
            )
        mark = request.mark
        if mark is not None:
            await engine.changes(
                index.uuid, shard, mark.seq_no + 1, max_count=1, max_bytes=1, previous=mark
            )

    async def documents(self, request: DocumentsRequest, ctx: Context) -> DocumentsAnswer:
        """As ChangeFeed.documents, in portions."""
        index = self._shard(request.shard)
        with engine_errors(index):
            async with self._reads:
                state = await self._engine.shard_state(index.uuid, request.shard.shard)
                self._check_own(index, request.shard.shard, state)
                check_continues(state, request.history_uuid, NO_OPERATIONS)
                found, answered = await documents_by_ids(
                    self._engine, index, request.shard.shard, request.ids, ANSWER_MAX_BYTES
                )
        await self._throttle.take(sum(len(each.source or b"") for each in found))
        self._shard(request.shard)
        return DocumentsAnswer(found, answered)
