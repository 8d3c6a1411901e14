"""The rules of this cluster: one entry `auto_follow/<name>` each in the state store, all of them in memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sealane.cluster.store import StateStore
from sealane.errors import IllegalArgument, IllegalState, ResourceNotFound
from sealane.model.followers import AutoFollowPattern

KEY_PREFIX: Final = "auto_follow/"
PATTERNS_MAX: Final = 1_000
"""Every new index of a remote is held against every rule on it."""


class StoredPatterns:
    """`load` before the first use. Each change is durable when its method returns."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._patterns: dict[str, AutoFollowPattern] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Raises IllegalState where an entry cannot be read, IOFailure."""
        for key, entry in (await self._store.scan(KEY_PREFIX)).items():
            try:
                pattern = msgspec.json.decode(entry.value, type=AutoFollowPattern)
            except msgspec.DecodeError as error:
                raise IllegalState(
                    f"the stored auto-follow pattern [{key}] cannot be read: {error}"
                ) from error
            self._patterns[pattern.name] = pattern

    def all(self) -> Sequence[AutoFollowPattern]:
        """By name."""
        return [self._patterns[name] for name in sorted(self._patterns)]

    def get(self, name: str) -> AutoFollowPattern | None:
        return self._patterns.get(name)

    def find(self, name: str) -> AutoFollowPattern:
        """Raises ResourceNotFound."""
        pattern = self._patterns.get(name)
        if pattern is None:
            raise ResourceNotFound(f"auto-follow pattern [{name}] is missing")
        return pattern

    async def put(
        self, name: str, make: Callable[[AutoFollowPattern | None], AutoFollowPattern]
    ) -> None:
        """`make` is given what has the name already. Raises IllegalArgument where there are too many, IOFailure."""
        async with self._changing:
            before = self._patterns.get(name)
            if before is None and len(self._patterns) >= PATTERNS_MAX:
                raise IllegalArgument(
                    f"there are [{PATTERNS_MAX}] auto-follow patterns already, which is the most; delete one first"
                )
            await self._write(make(before))

    async def change(
        self, name: str, change: Callable[[AutoFollowPattern], AutoFollowPattern]
    ) -> AutoFollowPattern:
        """Raises ResourceNotFound, IOFailure. What stays the same is not written."""
        async with self._changing:
            before = self.find(name)
            after = change(before)
            if after != before:
                await self._write(after)
            return after

    async def delete(self, name: str) -> None:
        """Raises ResourceNotFound, IOFailure."""
        async with self._changing:
            self.find(name)
            await self._store.compare_and_set({KEY_PREFIX + name: None}, {})
            del self._patterns[name]

    async def _write(self, pattern: AutoFollowPattern) -> None:
        key = KEY_PREFIX + pattern.name
        await self._store.compare_and_set({key: msgspec.json.encode(pattern)}, {})
        self._patterns[pattern.name] = pattern
