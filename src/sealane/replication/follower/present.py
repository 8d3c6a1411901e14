"""The engine as a follower's shard uses it: an index that is closed, or being reopened, is one that is there.

An engine knows no closed indices, only such as it does not have. To a follower the difference decides: one will be
back, and is waited for; the other is gone.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from sealane.engine.base import ShardState
from sealane.errors import IndexClosed, IndexNotFound
from sealane.model.document import Operation
from sealane.model.replication import Ancestor, HistoryMark
from sealane.replication.indices import FollowerIndices

T = TypeVar("T")


class ReplicaEngine(Protocol):
    """Of `Engine`, what writes a follower and tells how far it is."""

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None: ...

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState: ...

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState: ...

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None: ...

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState: ...

    async def refresh(self, index_uuid: str) -> None: ...


class PresentEngine:
    """A ReplicaEngine. Each method raises as the engine's, but IndexClosed for an index that there is."""

    def __init__(self, engine: ReplicaEngine, indices: FollowerIndices) -> None:
        self._engine = engine
        self._indices = indices

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState:
        return await self._ask(index_uuid, lambda: self._engine.shard_state(index_uuid, shard))

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None:
        return await self._ask(index_uuid, lambda: self._engine.mark(index_uuid, shard, seq_no))

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState:
        return await self._ask(
            index_uuid, lambda: self._engine.apply_replica(index_uuid, shard, operations)
        )

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState:
        return await self._ask(
            index_uuid,
            lambda: self._engine.apply_copied(
                index_uuid, shard, operations, up_to=up_to, mark=mark
            ),
        )

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None:
        await self._ask(
            index_uuid,
            lambda: self._engine.adopt_history(
                index_uuid, shard, history_uuid, ancestors=ancestors
            ),
        )

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState:
        return await self._ask(
            index_uuid,
            lambda: self._engine.wait_for_checkpoint(
                index_uuid, shard, seq_no, timeout_s=timeout_s
            ),
        )

    async def refresh(self, index_uuid: str) -> None:
        await self._ask(index_uuid, lambda: self._engine.refresh(index_uuid))

    async def release_reads(self, index_uuid: str) -> None:
        """What was held may be searched from now on."""
        await self._ask(index_uuid, lambda: self._indices.hold_reads(index_uuid, None))

    async def _ask(self, index_uuid: str, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await call()
        except IndexNotFound:
            index = self._indices.metadata.by_uuid(index_uuid)
            if index is None:
                raise
            raise IndexClosed(index.name, index.uuid) from None
