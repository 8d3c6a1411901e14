"""Mappings that grow by what documents bring: made durable before the first document that needs it is.

Calls that wait at the same time for one index are made durable together. Implements the engine's MappingSink.
"""

from collections.abc import Mapping
from typing import Any

from sealane.cluster.index_changes import with_mapping
from sealane.cluster.index_store import IndexStore
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.serial import Serial
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping import MappingLimits, parse_mapping
from sealane.errors import ApiError, FollowingEngine, IndexNotFound


class _Extension:
    """One call on its way through the line of changes."""

    __slots__ = ("error", "update")

    def __init__(self, update: FieldMapping) -> None:
        self.update = update
        self.error: ApiError | None = None


class GrowingMappings:
    """The engine takes the new mapping from the answer, so nothing is carried out here."""

    def __init__(self, indices: IndexStore, serial: Serial) -> None:
        self._indices = indices
        self._serial = serial
        self._waiting: dict[str, list[_Extension]] = {}

    async def extend_mapping(self, index_uuid: str, update: Mapping[str, Any]) -> FieldMapping:
        """See MappingSink."""
        index = self._present(index_uuid)
        parsed = parse_mapping(update, MappingLimits.from_settings(index.settings))
        if with_mapping(index, parsed) is index:
            return index.mapping
        extension = _Extension(parsed)
        self._waiting.setdefault(index_uuid, []).append(extension)
        await self._serial.run(lambda: self._extend(index_uuid))
        if extension.error is not None:
            raise extension.error
        return self._present(index_uuid).mapping

    async def _extend(self, index_uuid: str) -> None:
        """Merges all that wait for this index, and stores them with one write."""
        waiting = self._waiting.pop(index_uuid, [])
        if not waiting:
            return
        before = self._indices.metadata.by_uuid(index_uuid)
        index = before
        for extension in waiting:
            try:
                index = with_mapping(self._growing(index_uuid, index), extension.update)
            except ApiError as error:
                extension.error = error
        if index is None or index is before:
            return
        try:
            await self._indices.commit([index])
        except ApiError as error:
            for extension in waiting:
                extension.error = extension.error or error

    def _growing(self, index_uuid: str, index: IndexMetadata | None) -> IndexMetadata:
        """The index whose mapping documents may extend. A follower's is its leader's, also for a bulk that was
        under way when the index began to follow.
        """
        found = self._present(index_uuid) if index is None else index
        if found.following is not None:
            raise FollowingEngine
        return found

    def _present(self, index_uuid: str) -> IndexMetadata:
        index = self._indices.metadata.by_uuid(index_uuid)
        if index is None:
            raise IndexNotFound(index_uuid)
        return index
