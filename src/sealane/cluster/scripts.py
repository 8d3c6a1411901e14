"""The stored scripts of this cluster, which are search templates: one entry `script/<id>` each in the state store."""

from typing import Final

import msgspec

from sealane.cluster.store import StateStore
from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    IllegalState,
    ResourceNotFound,
)

KEY_PREFIX: Final = "script/"
SOURCE_MAX_BYTES: Final = 65_535
"""The reference's `script.max_size_in_bytes`."""
LANGUAGES: Final = frozenset({"mustache"})


class StoredScript(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of a script's entry."""

    lang: str
    source: str
    options: dict[str, str] = {}


class StoredScripts:
    """Reads and writes through: nothing is kept in memory, so nothing can be stale."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def get(self, script_id: str) -> StoredScript | None:
        """Raises IllegalState where the entry cannot be read, IOFailure."""
        entry = await self._store.get(KEY_PREFIX + script_id)
        if entry is None:
            return None
        try:
            return msgspec.json.decode(entry.value, type=StoredScript)
        except msgspec.DecodeError as error:
            raise IllegalState(
                f"the stored script [{script_id}] cannot be read: {error}"
            ) from error

    async def find(self, script_id: str) -> StoredScript:
        """Raises ResourceNotFound, and as `get`."""
        script = await self.get(script_id)
        if script is None:
            raise ResourceNotFound(f"unable to find script [{script_id}] in cluster state")
        return script

    async def put(self, script_id: str, script: StoredScript) -> None:
        """Makes it durable, in place of one of the same id.

        Raises ActionRequestValidation for the id, IllegalArgument for another language or too long a source, IOFailure.
        """
        check_id(script_id)
        if script.lang not in LANGUAGES:
            raise IllegalArgument(
                f"unable to put stored script with unsupported lang [{script.lang}]"
            )
        size = len(script.source.encode("utf-8", "surrogatepass"))
        if size > SOURCE_MAX_BYTES:
            raise IllegalArgument(
                f"exceeded max allowed stored script size in bytes [{SOURCE_MAX_BYTES}] with size "
                f"[{size}] for script [{script_id}]"
            )
        await self._store.compare_and_set({KEY_PREFIX + script_id: msgspec.json.encode(script)}, {})

    async def delete(self, script_id: str) -> None:
        """Raises ActionRequestValidation for the id, ResourceNotFound, StoreConflict, IOFailure."""
        check_id(script_id)
        key = KEY_PREFIX + script_id
        entry = await self._store.get(key)
        if entry is None:
            raise ResourceNotFound(
                f"stored script [{script_id}] does not exist and cannot be deleted"
            )
        await self._store.compare_and_set({key: None}, {key: entry.version})


def check_id(script_id: str) -> None:
    """Raises ActionRequestValidation."""
    if not script_id:
        raise ActionRequestValidation(["must specify id for stored script"])
    if "#" in script_id:
        raise ActionRequestValidation(["id cannot contain '#' for stored script"])
