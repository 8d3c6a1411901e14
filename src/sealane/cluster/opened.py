"""The engine's side of the indices: it holds what the metadata says, and what it could not open is known.

Whoever changes the metadata tells this part afterwards; what it does for an existing index may wait for the index's
shards.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from weakref import WeakValueDictionary

from sealane.cluster.catalog import NO_ENTRIES, Entries
from sealane.cluster.index_store import IndexStore
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.serial import Serial
from sealane.engine.base import IndexConfig, IndexStats, ShardState, Writer
from sealane.errors import ApiError, IllegalState
from sealane.model.replication import Lease
from sealane.settings.index_settings import INDEX_REGISTRY

log = logging.getLogger("sealane.cluster")
_REOPEN_EVERY_S: Final = 10.0


class IndexEngine(Writer, Protocol):
    """What of the engine is used here."""

    async def stats(self, index_uuid: str) -> IndexStats: ...

    async def leases(self, index_uuid: str, shard: int) -> tuple[Lease, ...]: ...


@dataclass(frozen=True, slots=True)
class ShardReport:
    """One shard: documents, deleted ones and bytes where the engine can tell, its history, and its leases."""

    state: ShardState
    sizes: tuple[int, int, int] | None
    leases: tuple[Lease, ...]


class OpenedIndices:
    """Brings the engine to what is published. `start` before the first use."""

    def __init__(self, indices: IndexStore, serial: Serial) -> None:
        self._indices = indices
        self._serial = serial
        self._engine: IndexEngine | None = None
        self.failed: dict[str, ApiError] = {}
        """Indices, by uuid, that the engine could not open, and why the last time."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By uuid: what one brings about in the engine, no other undoes meanwhile."""

    @property
    def engine(self) -> IndexEngine:
        assert self._engine is not None, "start has not been called"
        return self._engine

    async def start(self, engine: IndexEngine) -> None:
        """Opens every open index. One that fails is left out and kept in `failed`."""
        self._engine = engine
        for index in self._indices.metadata:
            if index.open:
                await self._open(index)
        for uuid, error in self.failed.items():
            known = self._indices.metadata.by_uuid(uuid)
            name = uuid if known is None else known.name
            log.error("index [%s] cannot be opened: %s", name, error.reason)

    async def reopen_failed(self) -> None:
        """Tries again to open what failed, until cancelled: a disk that was full may have space now."""
        while True:
            await asyncio.sleep(_REOPEN_EVERY_S)
            for uuid in list(self.failed):
                await self._serial.run(partial(self._reopen, uuid), alone=False)

    async def _reopen(self, index_uuid: str) -> None:
        async with self._turn(index_uuid):
            index = self._indices.metadata.by_uuid(index_uuid)
            if index is None or not index.open:
                self.failed.pop(index_uuid, None)
            elif await self._open(index):
                log.info("index [%s] is open again", index.name)

    async def make(
        self,
        index: IndexMetadata,
        replaced: IndexMetadata | None = None,
        *,
        changed: Sequence[IndexMetadata] = (),
        entries: Entries = NO_ENTRIES,
    ) -> None:
        """Makes a new index, and publishes it in place of `replaced`, which the engine still has then; `changed` other
        indices, streams and templates (`entries`) in the same change.
        """
        # The engine comes first: what a crash leaves behind is then a folder that nobody knows and
        # the next start removes, never a stored index without its files.
        await self._open_in_engine(index, new=True)
        gone = [] if replaced is None else [replaced]
        try:
            version = await self._indices.write([index, *changed], gone, entries)
        except BaseException:
            await self.engine.delete_index(index.uuid)
            raise
        self._indices.publish([index, *changed], gone, version, entries)

    async def _open(self, index: IndexMetadata) -> bool:
        try:
            await self._open_in_engine(index)
        except ApiError as error:
            self.failed[index.uuid] = error
            return False
        self.failed.pop(index.uuid, None)
        return True

    async def _open_in_engine(self, index: IndexMetadata, *, new: bool = False) -> None:
        """What is not yet as its leader was at any one moment is kept from searches."""
        await self.engine.open_index(config_of(index), new=new)
        if _is_half(index):
            await self.engine.hold_reads(
                index.uuid,
                IllegalState(f"index [{index.name}] is still being copied from its leader"),
            )
            if not _is_half(self._indices.metadata.by_uuid(index.uuid) or index):
                # The copy has ended meanwhile, and whoever ended it let go what was not held yet.
                await self.engine.hold_reads(index.uuid, None)

    async def follow(self, index_uuid: str, *, anew: bool = False) -> None:
        """Brings one index to what is published, also when that changes on the way. `anew` closes it in the engine
        first, for settings that it takes only when it opens an index. One that cannot be opened is in `failed`.
        """
        async with self._turn(index_uuid):
            await self._follow(index_uuid, anew=anew)

    async def _follow(self, index_uuid: str, *, anew: bool) -> None:
        done: IndexMetadata | None = None
        while (
            index := self._indices.metadata.by_uuid(index_uuid)
        ) is not None and index is not done:
            if not index.open:
                self.failed.pop(index_uuid, None)
                await self.engine.close_index(index_uuid)
            elif done is None or not done.open:
                # Opening an open index changes nothing, and takes one that has just been opened.
                if anew:
                    await self.engine.close_index(index_uuid)
                    anew = False
                if not await self._open(index):
                    raise self.failed[index_uuid]
                await self.engine.update_config(config_of(index))
            else:
                await self.engine.update_config(config_of(index))
            done = index

    async def shard_reports(self, index_uuid: str) -> list[ShardReport]:
        """By shard. Raises as `stats` of the engine does."""
        stats = await self.engine.stats(index_uuid)
        return [
            ShardReport(
                state,
                stats.sizes[number] if stats.sizes else None,
                await self.engine.leases(index_uuid, number),
            )
            for number, state in enumerate(stats.shards)
        ]

    async def delete(self, index: IndexMetadata) -> None:
        async with self._turn(index.uuid):
            self.failed.pop(index.uuid, None)
            await self.engine.delete_index(index.uuid)

    def _turn(self, index_uuid: str) -> asyncio.Lock:
        return self._turns.setdefault(index_uuid, asyncio.Lock())


def _is_half(index: IndexMetadata) -> bool:
    return index.following is not None and index.following.is_copying


def config_of(index: IndexMetadata) -> IndexConfig:
    """What the engine must know of an index."""
    return IndexConfig(
        uuid=index.uuid,
        shards=index.shards,
        mapping=index.mapping,
        settings=INDEX_REGISTRY.defaults(index.settings).merged(index.settings),
    )
