"""The indices' entries in the state store, and the metadata as last published.

It leaves to `indices` what changes, and in which order changes come.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from sealane.cluster.metadata import KEY_PREFIX, ClusterMetadata, IndexMetadata, StoredIndex
from sealane.cluster.store import ABSENT, StateStore
from sealane.engine.mapping import MappingLimits, parse_mapping
from sealane.errors import ApiError, IllegalState

# A stored mapping was within the limits of its time, and must open whatever they are now.
_NO_LIMITS: Final = MappingLimits(total_fields=2**31 - 1, depth=2**31 - 1)


class IndexStore:
    """`metadata` is what has been published; `load` fills it at start."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._entry_versions: dict[str, int] = {}
        self.metadata = ClusterMetadata()

    async def load(self) -> None:
        """Reads what is stored. Raises IllegalState where an entry cannot be read, IOFailure."""
        found: list[IndexMetadata] = []
        for key, entry in (await self._store.scan(KEY_PREFIX)).items():
            try:
                stored = msgspec.json.decode(entry.value, type=StoredIndex)
                mapping = parse_mapping(msgspec.json.decode(stored.mapping), _NO_LIMITS)
            except (msgspec.DecodeError, ApiError) as error:
                raise IllegalState(f"the stored index [{key}] cannot be read: {error}") from error
            found.append(IndexMetadata.from_stored(stored, mapping))
            self._entry_versions[stored.uuid] = entry.version
        self.metadata = ClusterMetadata(found, await self._store.version())

    async def commit(
        self, put: Iterable[IndexMetadata], removed: Iterable[IndexMetadata] = ()
    ) -> None:
        """Makes a change durable, then publishes it. Nothing to change is no change."""
        put, removed = list(put), list(removed)
        if put or removed:
            self.publish(put, removed, await self.write(put, removed))

    async def write(
        self, put: Iterable[IndexMetadata], removed: Iterable[IndexMetadata] = ()
    ) -> int:
        """Makes a change durable and returns its number. Raises StoreConflict, IOFailure."""
        values: dict[str, bytes | None] = {index.uuid: index.to_stored() for index in put}
        values.update({index.uuid: None for index in removed})
        version = await self._store.compare_and_set(
            {KEY_PREFIX + uuid: value for uuid, value in values.items()},
            {KEY_PREFIX + uuid: self._entry_versions.get(uuid, ABSENT) for uuid in values},
        )
        for uuid, value in values.items():
            if value is None:
                self._entry_versions.pop(uuid, None)
            else:
                self._entry_versions[uuid] = version
        return version

    def publish(
        self, put: Iterable[IndexMetadata], removed: Iterable[IndexMetadata], version: int
    ) -> None:
        """What everybody sees from now on."""
        self.metadata = self.metadata.with_indices(put, [each.uuid for each in removed], version)
