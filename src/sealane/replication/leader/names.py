"""The shards of this cluster that followers may read: found by name and uuid, judged by the rights of whoever asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sealane.cluster.found_indices import Guard
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.stream_names import names_judged
from sealane.engine.base import IndexStats, OperationLog, ShardState
from sealane.errors import (
    ClusterBlock,
    IllegalState,
    IndexNotFound,
    NoShardAvailable,
    ShardNotFound,
)
from sealane.model.replication import ShardRef
from sealane.replication.leader.by_ids import Gets
from sealane.replication.leader.described import is_half
from sealane.replication.leader.rights import Names, check_may_read


class LeaderIndices(Protocol):
    """The indices of this cluster."""

    @property
    def metadata(self) -> ClusterMetadata: ...

    def on_change(
        self, callback: Callable[[ClusterMetadata, ClusterMetadata], None]
    ) -> Callable[[], None]: ...


class LeaderEngine(OperationLog, Gets, Protocol):
    """What of the engine is used here."""

    async def refresh(self, index_uuid: str) -> None: ...

    async def stats(self, index_uuid: str) -> IndexStats: ...


class LedShards:
    """What all that leads is built on."""

    def __init__(self, *, indices: LeaderIndices, engine: LeaderEngine, guard: Guard) -> None:
        self._indices = indices
        self._engine = engine
        self._guard = guard

    def _shard(self, shard: ShardRef) -> IndexMetadata:
        """The index of a shard that may be read: name and uuid have to belong together.

        Raises SecurityError, IndexNotFound, ClusterBlock, ShardNotFound, NoShardAvailable.
        """
        index = self._retained(shard)
        check_settled(index)
        return index

    def _retained(self, shard: ShardRef) -> IndexMetadata:
        """As `_shard`, also while it is brought to its own leader's: what its followers still need is kept for them
        however long that takes.
        """
        check_may_read(self._guard(), self._judged(shard.index))
        index = self._indices.metadata.index(shard.index)
        if index is None or index.uuid != shard.index_uuid:
            raise IndexNotFound(shard.index)
        _check_open(index)
        if shard.shard >= index.shards:
            raise ShardNotFound(index.name, index.uuid, shard.shard)
        return index

    def _judged(self, name: str) -> Names:
        """The names by which rights on what has that name are judged, whether or not there is such a thing."""
        metadata = self._indices.metadata
        index = metadata.index(name)
        return (name,) if index is None else names_judged(metadata, index)

    def _check_own(self, index: IndexMetadata, shard: int, state: ShardState) -> None:
        """Raises NoShardAvailable for a follower whose history is not the one it follows, or not yet: who took that one
        for its own could not go on when it is given up.
        """
        now = self._indices.metadata.by_uuid(index.uuid) or index
        if now.following is None:
            return
        wanted = now.following.history_uuids
        if shard < len(wanted) and wanted[shard] != state.history_uuid:
            raise _unsettled(index)


def check_settled(index: IndexMetadata) -> None:
    """Raises NoShardAvailable for a follower that is no copy of its own leader yet."""
    if is_half(index):
        raise _unsettled(index)


def _unsettled(index: IndexMetadata) -> NoShardAvailable:
    return NoShardAvailable(
        IllegalState(f"index [{index.name}] is being brought to what its own leader has")
    )


def _check_open(index: IndexMetadata) -> None:
    if not index.open:
        raise ClusterBlock(f"index [{index.name}] blocked by: [FORBIDDEN/4/index closed];")


def not_open(index: IndexMetadata) -> NoShardAvailable:
    return NoShardAvailable(IllegalState(f"index [{index.name}] is being opened"))


@contextmanager
def engine_errors(index: IndexMetadata) -> Iterator[None]:
    """The engine knows an index by its uuid, and one that it has not open it does not know: that passes."""
    try:
        yield
    except IndexNotFound:
        raise not_open(index) from None
