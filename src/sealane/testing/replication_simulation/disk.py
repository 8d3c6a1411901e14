"""The disks of a simulated site: what was acknowledged stays, what was not may have happened or not.

A change takes time before and after it is durable. It may be refused because the disk is full, and the program may
be killed on either side of it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import TypeVar

from sealane.cluster.store import MemoryStateStore
from sealane.errors import ApiError, IllegalState, Internal, IOFailure
from sealane.testing.fake_disk import FakeDisk
from sealane.testing.replication_simulation.shards import WatchedShard, Watcher
from sealane.testing.simulation.trace import Trace

_T = TypeVar("_T")


class Platter:
    """What both kinds of storage of one site have in common. `on_crash` ends the program that writes."""

    def __init__(self, name: str, chance: Random, trace: Trace) -> None:
        self.name = name
        self.chance = chance
        self.trace = trace
        self.is_full = False
        self.is_slow = False
        self.crash_in: int | None = None
        """So many changes from now, in the middle of one, the program is killed."""
        self.fail_in: int | None = None
        """So many changes from now one fails."""
        self.on_crash: Callable[[], None] = lambda: None

    async def change(self, what: str, change: Callable[[], _T], error: type[ApiError]) -> _T:
        """`change`, once, or not at all."""
        failing = self._counted_down("fail_in")
        if self._counted_down("crash_in"):
            self._crash(what, change)
        try:
            await self._pause()
        except asyncio.CancelledError:
            # What was begun is finished, or had not been begun.
            if self.chance.random() < 0.5 and not self.is_full:
                _finish(change)
            raise
        if self.is_full or failing:
            self.trace.note("disk_full", self.name, what)
            raise error("database or disk is full")
        done = change()
        await self._pause()
        return done

    def _crash(self, what: str, change: Callable[[], object]) -> None:
        after = self.chance.random() < 0.5
        self.trace.note("crash_at", self.name, what, "after" if after else "before")
        if after:
            _finish(change)
        self.on_crash()
        raise IllegalState("the program is dead")

    def _counted_down(self, name: str) -> bool:
        left: int | None = getattr(self, name)
        if left is None:
            return False
        setattr(self, name, None if left <= 0 else left - 1)
        return left <= 0

    async def _pause(self) -> None:
        kind = self.chance.random()
        if self.is_slow:
            await asyncio.sleep(self.chance.uniform(0.05, 3.0))
        elif kind < 0.4:
            await asyncio.sleep(10 ** self.chance.uniform(-4, -1.5))


def _finish(change: Callable[[], object]) -> None:
    try:
        change()
    except ApiError:
        pass  # nobody is left to hear of it


class SimulatedDisk(FakeDisk):
    """The engine's. The label of a shard begins with the site's name."""

    def __init__(self, platter: Platter, watcher: Watcher) -> None:
        super().__init__()
        self._platter = platter
        self._watcher = watcher
        self._made = 0

    async def commit(self, what: str, change: Callable[[], _T]) -> _T:
        def noted() -> _T:
            before = {id(shard): shard.checkpoint for shard in self._shards()}
            done = change()
            for shard in self._shards():
                was = before.get(id(shard), shard.checkpoint)
                if was != shard.checkpoint:
                    self._platter.trace.note(what, shard.label, was + 1, shard.checkpoint)
            return done

        return await self._platter.change(what, noted, Internal)

    def watched(self, index_uuid: str) -> Iterator[WatchedShard]:
        for shard in self.indices.get(index_uuid, ()):
            assert isinstance(shard, WatchedShard), "every shard here is watched"
            yield shard

    def _shards(self) -> Iterator[WatchedShard]:
        for index_uuid in self.indices:
            yield from self.watched(index_uuid)

    def make(self, history_uuid: str) -> WatchedShard:
        self._made += 1
        return WatchedShard(history_uuid, f"{self._platter.name}{self._made}", self._watcher)

    def shard(self, index_uuid: str, number: int) -> WatchedShard | None:
        shards = self.indices.get(index_uuid)
        if shards is None:
            return None
        found = shards[number]
        assert isinstance(found, WatchedShard)
        return found


class SimulatedStore(MemoryStateStore):
    """The state store's file; a program uses it through a ProgramStore."""

    def __init__(self, platter: Platter) -> None:
        super().__init__()
        self.platter = platter


class ProgramStore(MemoryStateStore):
    """The state store as one run of the program has it. `kill` ends what the program may still change."""

    def __init__(self, file: SimulatedStore) -> None:
        super().__init__()
        self._file = file
        self._entries = file._entries
        self._version = file._version
        self._is_dead = False

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int:
        return await self._file.platter.change(
            "state", lambda: self._apply(changes, expected), IOFailure
        )

    def _apply(self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]) -> int:
        if self._is_dead:
            raise IllegalState("the store is closed")
        # The memory's own never waits: it is over when it is asked for its result.
        done = super().compare_and_set(changes, expected)
        try:
            done.send(None)
        except StopIteration as ended:
            self._file._version = self._version
            return int(ended.value)
        raise AssertionError("a store in memory does not wait")

    def kill(self) -> None:
        self._is_dead = True
        self._watchers.clear()
