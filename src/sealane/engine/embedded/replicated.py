"""What replication asks of an open index, shard by shard: to take operations, to tell of them, to keep them.

Writing happens under the index's lock, reading and leases beside it.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sealane.engine.base import Changes, LiveDocuments, RollBack, ShardState
from sealane.engine.embedded.index import OpenIndex
from sealane.engine.embedded.reading_log import live_page
from sealane.engine.embedded.shard import Shard
from sealane.errors import ApiError, IllegalState
from sealane.model.document import Operation
from sealane.model.replication import Ancestor, HistoryMark, Lease

_T = TypeVar("_T")


class ReplicatedShard:
    """One shard of an open index. Made for one call; raises IndexNotFound once the index is closed."""

    def __init__(self, index: OpenIndex, number: int) -> None:
        """Raises IllegalArgument where the index has no such shard."""
        self._index = index
        self._shard: Shard = index.shard(number)

    # -- writing -------------------------------------------------------------------------------------------------

    async def apply(self, operations: Sequence[Operation]) -> ShardState:
        return await self._write(partial(self._shard.apply_replica, operations))

    async def apply_copied(
        self, operations: Sequence[Operation], up_to: int, mark: HistoryMark | None
    ) -> ShardState:
        return await self._write(partial(self._shard.apply_copied, operations, up_to, mark))

    async def roll_back(self, back: RollBack) -> ShardState:
        return await self._write(partial(self._shard.roll_back, back))

    async def adopt_history(self, uuid: str, ancestors: Sequence[Ancestor]) -> None:
        await self._write(partial(self._shard.adopt_history, uuid, ancestors))

    async def _write(self, work: Callable[[], None]) -> ShardState:
        index, shard = self._index, self._shard

        def job() -> ShardState:
            index.require_open()
            work()
            if shard.is_full:
                shard.refresh()
            return shard.state()

        index.schedule.write(asyncio.get_running_loop().time())
        try:
            return await index.exclusively(job)
        finally:
            index.tell_waiters()

    # -- reading -------------------------------------------------------------------------------------------------

    async def changes(
        self, from_seq_no: int, max_count: int, max_bytes: int, previous: HistoryMark | None
    ) -> Changes:
        return await self._read(
            partial(self._shard.history.changes, from_seq_no, max_count, max_bytes, previous)
        )

    async def mark(self, seq_no: int) -> HistoryMark | None:
        return await self._read(partial(self._shard.history.mark, seq_no))

    async def ids_above(self, seq_no: int) -> list[str]:
        return await self._read(partial(self._shard.history.ids_above, seq_no))

    async def live_documents(
        self, low: int, high: int, max_count: int, max_bytes: int
    ) -> LiveDocuments:
        shard = self._shard
        if shard.visible_to < high:
            await self._index.refresh()
        if shard.visible_to < high:
            raise IllegalState(
                f"documents up to [{high}] were asked for, there are all only up to [{shard.visible_to}]"
            )
        view, state = shard.view, shard.state()
        return await self._read(partial(live_page, view, state, (low, high), max_count, max_bytes))

    async def wait_for_checkpoint(self, seq_no: int, timeout_s: float) -> ShardState:
        if self._shard.checkpoint < seq_no and timeout_s > 0:
            await self._index.waiters.wait(self._shard.number, seq_no, timeout_s)
        return self._shard.state()

    # -- leases --------------------------------------------------------------------------------------------------

    async def add_lease(self, lease_id: str, retaining_seq_no: int, source: str) -> Lease:
        return await self._read(
            partial(self._shard.retained.add, lease_id, retaining_seq_no, source)
        )

    async def renew_lease(self, lease_id: str, retaining_seq_no: int, source: str) -> Lease:
        return await self._read(
            partial(self._shard.retained.renew, lease_id, retaining_seq_no, source)
        )

    async def remove_lease(self, lease_id: str) -> None:
        await self._read(partial(self._shard.retained.remove, lease_id))

    async def leases(self) -> tuple[Lease, ...]:
        return await self._read(self._shard.retained.leases)

    async def _read(self, work: Callable[[], _T]) -> _T:
        """Beside the lock: a refresh that takes long holds nobody up."""
        index = self._index

        def job() -> _T:
            index.require_open()
            try:
                return work()
            except ApiError:
                # The log may have been closed on the way.
                index.require_open()
                raise

        return await index.run(job)


async def begin_history(index: OpenIndex) -> tuple[ShardState, ...]:
    """As Writer.begin_history. None of the shards has begun where one has holes."""

    def job() -> tuple[ShardState, ...]:
        index.require_open()
        for shard in index.shards:
            shard.require_no_holes()
        for shard in index.shards:
            shard.begin_history()
        return tuple(shard.state() for shard in index.shards)

    return await index.exclusively(job)
