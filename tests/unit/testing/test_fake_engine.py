"""The fake engine's model of durability: what is on its disk outlives it, and nothing else does."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from sealane.clock import RandomIds, SystemClock
from sealane.engine.base import IndexConfig
from sealane.engine.mapping import Mapping
from sealane.errors import ApiError, IllegalState, IndexNotFound, Internal
from sealane.model.document import OpType, WriteOp
from sealane.model.replication import NO_OPERATIONS
from sealane.model.task import Context, TaskRegistry
from sealane.testing.fake_disk import FakeDisk
from sealane.testing.fake_engine import FakeEngine, FakeMappings

T = TypeVar("T")
_INDEX = "index"
_CONFIG = IndexConfig(uuid=_INDEX, shards=1, mapping=Mapping())


class _Disk(FakeDisk):
    """Refuses changes while it is full, and holds them back while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.free = asyncio.Event()
        self.free.set()

    async def commit(self, what: str, change: Callable[[], T]) -> T:
        await self.free.wait()
        if self.is_full:
            raise Internal("disk full")
        return change()


def _engine(disk: FakeDisk) -> FakeEngine:
    return FakeEngine(clock=SystemClock(), ids=RandomIds(), mappings=FakeMappings(), disk=disk)


def _context() -> Context:
    return Context(task=TaskRegistry("n").start("test", start_ms=0).task)


async def _write(engine: FakeEngine, *ids: str) -> None:
    operations = [WriteOp(op=OpType.INDEX, id=doc_id, source=b"{}") for doc_id in ids]
    await engine.bulk(_INDEX, operations, _context())


async def test_what_was_acknowledged_survives_a_kill() -> None:
    disk = FakeDisk()
    engine = _engine(disk)
    await engine.open_index(_CONFIG, new=True)
    await _write(engine, "1", "2")
    await engine.add_lease(_INDEX, 0, "lease", NO_OPERATIONS, "ccr")
    before = await engine.shard_state(_INDEX, 0)
    engine.kill()
    again = _engine(disk)
    await again.open_index(_CONFIG)
    after = await again.shard_state(_INDEX, 0)
    assert (after.history_uuid, after.checkpoint) == (before.history_uuid, 1)
    assert after.primary_term > before.primary_term, "a primary that was killed has a new term"
    assert [lease.id for lease in await again.leases(_INDEX, 0)] == ["lease"]
    assert await again.get(_INDEX, "2") is not None


async def test_a_dead_engine_changes_nothing() -> None:
    disk = _Disk()
    engine = _engine(disk)
    await engine.open_index(_CONFIG, new=True)
    disk.free.clear()
    writing = asyncio.ensure_future(_write(engine, "1"))
    await asyncio.sleep(0)
    engine.kill()
    disk.free.set()
    with pytest.raises(IllegalState):
        await writing
    again = _engine(disk)
    await again.open_index(_CONFIG)
    assert (await again.shard_state(_INDEX, 0)).checkpoint == NO_OPERATIONS


async def test_who_waits_for_operations_learns_of_the_end() -> None:
    engine = _engine(FakeDisk())
    await engine.open_index(_CONFIG, new=True)
    waiting = asyncio.ensure_future(engine.wait_for_checkpoint(_INDEX, 0, 5, timeout_s=1000))
    await asyncio.sleep(0)
    engine.kill()
    with pytest.raises(IndexNotFound):
        await waiting


async def test_a_full_disk_refuses_all_of_a_request() -> None:
    disk = _Disk()
    engine = _engine(disk)
    await engine.open_index(_CONFIG, new=True)
    disk.is_full = True
    with pytest.raises(ApiError):
        await _write(engine, "1", "2")
    disk.is_full = False
    await _write(engine, "3")
    found = await engine.changes(_INDEX, 0, 0, max_count=9, max_bytes=10**6)
    assert [op.id for op in found.operations] == ["3"]


async def test_an_index_without_its_files_is_not_replaced_by_an_empty_one() -> None:
    with pytest.raises(IllegalState):
        await _engine(FakeDisk()).open_index(_CONFIG)


async def test_a_copy_of_the_files_goes_its_own_way() -> None:
    disk = FakeDisk()
    engine = _engine(disk)
    await engine.open_index(_CONFIG, new=True)
    await _write(engine, "1")
    copy = disk.copied(_INDEX)
    await _write(engine, "2")
    assert [shard.checkpoint for shard in copy] == [0]
    assert [shard.checkpoint for shard in disk.indices[_INDEX]] == [1]
