"""The entries of indices, data streams and templates in the state store, and the metadata as last published.

It leaves to `indices` what changes, and in which order changes come.
"""

from collections.abc import Iterable

import msgspec

from sealane.cluster.catalog import EMPTY, KINDS, NO_ENTRIES, Catalog, Entries, Entry
from sealane.cluster.metadata import (
    KEY_PREFIX,
    NO_LIMITS,
    ClusterMetadata,
    IndexMetadata,
    StoredIndex,
)
from sealane.cluster.store import ABSENT, StateStore
from sealane.cluster.subscribers import Subscribers
from sealane.engine.mapping import parse_mapping
from sealane.errors import ApiError, IllegalState


class IndexStore:
    """`metadata` is what has been published; `load` fills it at start."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._entry_versions: dict[str, int] = {}
        self.metadata = ClusterMetadata()
        self.changes: Subscribers[ClusterMetadata] = Subscribers()
        """Who hears of each change, once it is published."""

    async def load(self) -> None:
        """Reads what is stored. Raises IllegalState where an entry cannot be read, IOFailure."""
        found: list[IndexMetadata] = []
        for key, entry in (await self._store.scan(KEY_PREFIX)).items():
            try:
                stored = msgspec.json.decode(entry.value, type=StoredIndex)
                mapping = parse_mapping(msgspec.json.decode(stored.mapping), NO_LIMITS)
            except (msgspec.DecodeError, ApiError) as error:
                raise IllegalState(f"the stored index [{key}] cannot be read: {error}") from error
            found.append(IndexMetadata.from_stored(stored, mapping))
            self._entry_versions[key] = entry.version
        catalog = await self._load_catalog()
        self.metadata = ClusterMetadata(found, await self._store.version(), catalog)

    async def _load_catalog(self) -> Catalog:
        entries: dict[str, Entry | None] = {}
        for kind in KINDS:
            for key, entry in (await self._store.scan(kind.KEY)).items():
                try:
                    entries[key] = msgspec.json.decode(entry.value, type=kind)
                except msgspec.DecodeError as error:
                    raise IllegalState(f"the stored [{key}] cannot be read: {error}") from error
                self._entry_versions[key] = entry.version
        return EMPTY.changed(entries)

    async def commit(
        self,
        put: Iterable[IndexMetadata],
        removed: Iterable[IndexMetadata] = (),
        entries: Entries = NO_ENTRIES,
    ) -> None:
        """Makes a change durable, then publishes it. Nothing to change is no change."""
        put, removed = list(put), list(removed)
        if put or removed or entries:
            version = await self.write(put, removed, entries)
            self.publish(put, removed, version, entries)

    async def write(
        self,
        put: Iterable[IndexMetadata],
        removed: Iterable[IndexMetadata] = (),
        entries: Entries = NO_ENTRIES,
    ) -> int:
        """Makes a change durable and returns its number. A data stream loses the indices that are removed.

        Raises StoreConflict, IOFailure.
        """
        gone = [index.uuid for index in removed]
        values: dict[str, bytes | None] = {
            KEY_PREFIX + index.uuid: index.to_stored() for index in put
        }
        values.update({KEY_PREFIX + uuid: None for uuid in gone})
        also = {**self.metadata.catalog.without_indices(gone), **entries}
        for key, entry in also.items():
            values[key] = None if entry is None else msgspec.json.encode(entry)
        version = await self._store.compare_and_set(
            values, {key: self._entry_versions.get(key, ABSENT) for key in values}
        )
        for key, value in values.items():
            if value is None:
                self._entry_versions.pop(key, None)
            else:
                self._entry_versions[key] = version
        return version

    def publish(
        self,
        put: Iterable[IndexMetadata],
        removed: Iterable[IndexMetadata],
        version: int,
        entries: Entries = NO_ENTRIES,
    ) -> None:
        """What everybody sees from now on."""
        gone = [each.uuid for each in removed]
        before = self.metadata
        self.metadata = before.with_indices(put, gone, version, entries)
        self.changes.tell(before, self.metadata)
