"""What the cluster must not forget: small entries by key, changed by compare-and-set.

Every change has one number out of one sequence over all entries, so that "as of version n" means
the same to every part of the node. What is stored is not yet published: whoever writes publishes
after. `testing/state_store_contract.py` is the contract that each implementation passes.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from sealane.errors import ApiError


class Entry(NamedTuple):
    """A value and the number of the change that wrote it."""

    value: bytes
    version: int


class StoreConflict(ApiError):
    """Another change came first. Read again, decide again."""

    es_type, status = "version_conflict_engine_exception", 409

    def __init__(self, key: str, expected: int, found: int) -> None:
        super().__init__(f"[{key}] is at version [{found}], not [{expected}]")
        self.key = key


Watcher = Callable[[int, frozenset[str]], None]
"""Called with the change's number and the keys it touched, after it is durable."""

ABSENT = 0
"""The version of a key that is not there."""


class StateStore(Protocol):
    async def version(self) -> int:
        """The number of the last change; 0 before the first."""

    async def get(self, key: str) -> Entry | None: ...

    async def scan(self, prefix: str) -> dict[str, Entry]:
        """All entries whose key starts with `prefix`, by key."""

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int:
        """Applies all of `changes` (None removes) or nothing, and returns the number of the change.

        It is durable then. `expected` gives the versions that must still hold, ABSENT for a key
        that must not be there; keys in `changes` alone are written whatever they hold.
        Raises StoreConflict where one does not hold, IOFailure where the disk fails. A cancelled
        call has happened as a whole or not at all; either way it is over when the cancellation
        arrives.
        """

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` after each change, in order. Returns how to stop it."""

    async def close(self) -> None: ...


class MemoryStateStore:
    """A store that lives as long as the process: for tests."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._version = 0
        self._watchers: dict[object, Watcher] = {}

    async def version(self) -> int:
        return self._version

    async def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    async def scan(self, prefix: str) -> dict[str, Entry]:
        return {k: v for k, v in sorted(self._entries.items()) if k.startswith(prefix)}

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int:
        for key, version in expected.items():
            entry = self._entries.get(key)
            found = entry.version if entry else ABSENT
            if found != version:
                raise StoreConflict(key, version, found)
        self._version += 1
        for key, value in changes.items():
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = Entry(value, self._version)
        for watcher in list(self._watchers.values()):
            watcher(self._version, frozenset(changes))
        return self._version

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        token = object()
        self._watchers[token] = watcher
        return lambda: self._watchers.pop(token, None) and None

    async def close(self) -> None:
        self._watchers.clear()
