"""The engine's side of the indices: it holds what the metadata says, and what it could not open is known.

Whoever changes the metadata tells this part afterwards; what it does for an existing index may wait for the index's
shards.
"""

import asyncio
import logging
from functools import partial
from typing import Final, Protocol

from sealane.cluster.index_store import IndexStore
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.serial import Serial
from sealane.engine.base import IndexConfig, IndexStats, Writer
from sealane.errors import ApiError
from sealane.settings.index_settings import INDEX_REGISTRY

log = logging.getLogger("sealane.cluster")
_REOPEN_EVERY_S: Final = 10.0


class IndexEngine(Writer, Protocol):
    """What of the engine is used here."""

    async def stats(self, index_uuid: str) -> IndexStats: ...


class OpenedIndices:
    """Brings the engine to what is published. `start` before the first use."""

    def __init__(self, indices: IndexStore, serial: Serial) -> None:
        self._indices = indices
        self._serial = serial
        self._engine: IndexEngine | None = None
        self.failed: dict[str, ApiError] = {}
        """Indices, by uuid, that the engine could not open, and why the last time."""

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
        index = self._indices.metadata.by_uuid(index_uuid)
        if index is None or not index.open:
            self.failed.pop(index_uuid, None)
        elif await self._open(index):
            log.info("index [%s] is open again", index.name)

    async def _open(self, index: IndexMetadata) -> bool:
        try:
            await self.engine.open_index(config_of(index))
        except ApiError as error:
            self.failed[index.uuid] = error
            return False
        self.failed.pop(index.uuid, None)
        return True

    async def follow(self, index_uuid: str) -> None:
        """Brings one index to what is published, also when that changes on the way."""
        done: IndexMetadata | None = None
        while (
            index := self._indices.metadata.by_uuid(index_uuid)
        ) is not None and index is not done:
            if not index.open:
                await self.engine.close_index(index_uuid)
            elif done is None or not done.open:
                # Opening an open index changes nothing, and takes one that has just been opened.
                await self.engine.open_index(config_of(index))
                await self.engine.update_config(config_of(index))
            else:
                await self.engine.update_config(config_of(index))
            done = index

    async def delete(self, index: IndexMetadata) -> None:
        self.failed.pop(index.uuid, None)
        await self.engine.delete_index(index.uuid)


def config_of(index: IndexMetadata) -> IndexConfig:
    """What the engine must know of an index."""
    return IndexConfig(
        uuid=index.uuid,
        shards=index.shards,
        mapping=index.mapping,
        settings=INDEX_REGISTRY.defaults(index.settings).merged(index.settings),
    )
