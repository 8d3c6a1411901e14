"""How far back the log reaches on disk, and that leases wait for nobody."""

import asyncio
import contextlib
from typing import Any

import pytest

from sealane.engine.base import IndexConfig
from sealane.engine.embedded import oplog, retained
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.index import OpenIndex
from sealane.engine.embedded.shard import Shard
from sealane.engine.mapping import Mapping
from sealane.errors import IndexNotFound, Internal, OperationsMissing
from sealane.model.replication import NO_OPERATIONS
from sealane.testing.engine_contract import INDEX, config, index_op, write
from sealane.testing.replication_helpers import error_of, history, kept

from .conftest import Bench


def _shard(engine: EmbeddedEngine) -> Shard:
    return engine._indices[INDEX].shards[0]


def _numbers(engine: EmbeddedEngine) -> list[int]:
    return _shard(engine)._log.seq_nos_above(-1)


async def _ticks(engine: EmbeddedEngine) -> None:
    """What the engine does by itself as long as something of a log is left to do."""
    index = engine._indices[INDEX]
    while index.is_untidy:
        await index.tidy()


async def test_the_engine_tidies_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    done = asyncio.Event()

    async def tidy(index: OpenIndex) -> None:
        assert index.is_untidy
        done.set()

    monkeypatch.setattr(OpenIndex, "tidy", tidy)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        await done.wait()
        running.cancel()
    await engine.close()


async def test_much_is_removed_in_steps(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-74: so that no write waits long for it, and without further writes."""
    monkeypatch.setattr(retained, "_TRIM_MAX", 4)
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
    await write(engine, *(index_op(str(n)) for n in range(10)))
    await engine.refresh(INDEX)
    await engine.remove_lease(INDEX, 0, "x")
    assert _numbers(engine) == [4, 5, 6, 7, 8, 9]
    assert await engine.log_floor(INDEX, 0) == 4
    assert len(await history(engine, from_seq_no=4)) == 6
    await _ticks(engine)
    assert _numbers(engine) == []
    assert await engine.log_floor(INDEX, 0) == 10
    await engine.close()


async def test_the_floor_never_moves_back_whoever_tells_of_it_last(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-71, R-110: two threads have trimmed, and the first one to do it is the last one to say so."""
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
    await write(engine, *(index_op(str(n)) for n in range(10)))
    await engine.refresh(INDEX)
    log, note = _shard(engine).retained, retained.RetainedLog._note

    def late(self: retained.RetainedLog, trimmed: Any) -> None:
        monkeypatch.setattr(retained.RetainedLog, "_note", note)
        log.remove("x")
        note(self, trimmed)

    monkeypatch.setattr(retained.RetainedLog, "_note", late)
    await engine.renew_lease(INDEX, 0, "x", 4, "ccr")
    assert await engine.log_floor(INDEX, 0) == 10
    assert isinstance(await error_of(engine.touched_since(INDEX, 0, 4)), OperationsMissing)
    await engine.close()


async def test_a_lease_that_comes_amid_the_steps_stops_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-69"""
    monkeypatch.setattr(retained, "_TRIM_MAX", 4)
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await write(engine, *(index_op(str(n)) for n in range(10)))
    await engine.refresh(INDEX)
    lease = await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
    assert lease.retaining_seq_no == 4
    await _ticks(engine)
    assert _numbers(engine) == [4, 5, 6, 7, 8, 9]
    await engine.close()


async def test_many_kept_operations_are_removed_many_at_a_time(bench: Bench) -> None:
    """A quarter of what is kept is not worth a removal at each refresh."""
    engine = bench.open()
    await engine.open_index(kept(8), new=True)
    for count, floor in ((5, 0), (5, 2), (1, 2), (1, 4)):
        await write(engine, *(index_op("1") for _ in range(count)))
        await engine.refresh(INDEX)
        assert await engine.log_floor(INDEX, 0) == floor
    await engine.close()


async def test_the_space_of_what_was_removed_is_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-74: where it is most of the file; what is left is still told."""
    monkeypatch.setattr(oplog, "_SHRINK_FROM_BYTES", 1_000_000)
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
    large = b'{"a":"%s"}' % (b"x" * 4_000)
    await write(engine, *(index_op(str(n), large) for n in range(500)))
    await engine.refresh(INDEX)
    before = (await engine.stats(INDEX)).store_bytes
    await engine.renew_lease(INDEX, 0, "x", 490, "ccr")
    await _ticks(engine)
    assert (await engine.stats(INDEX)).store_bytes < before - 1_500_000
    assert [op.seq_no for op in await history(engine, from_seq_no=490)] == list(range(490, 500))
    assert len(await engine.leases(INDEX, 0)) == 1
    await engine.close()


async def test_a_tidying_that_fails_waits_for_the_next_commit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    index = engine._indices[INDEX]

    def full(_: object) -> None:
        raise Internal("the disk is full")

    monkeypatch.setattr(oplog.OperationLogFile, "shrink", full)
    with pytest.raises(Internal):
        await index.tidy()
    assert not index.is_untidy
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    assert index.is_untidy
    await engine.close()


async def test_leases_do_not_wait_for_the_index(bench: Bench) -> None:
    """R-66: nor does reading; a refresh holds the lock for long."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    async with contextlib.AsyncExitStack() as held:
        await held.enter_async_context(engine._indices[INDEX]._lock)
        await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
        await engine.renew_lease(INDEX, 0, "x", 1, "ccr")
        assert len(await engine.leases(INDEX, 0)) == 1
        assert len(await history(engine)) == 1
        await engine.remove_lease(INDEX, 0, "x")
    await engine.close()


async def test_a_log_that_is_closed_on_the_way_is_an_index_that_is_gone(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    index = engine._indices[INDEX]
    shard = engine._shard(INDEX, 0)
    await engine.close_index(INDEX)
    assert index.is_closed
    for call in (
        shard.add_lease("x", 0, "ccr"),
        shard.leases(),
        shard.changes(0, 1, 1, None),
        shard.ids_above(0),
        shard.apply([]),
    ):
        assert isinstance(await error_of(call), IndexNotFound)
    await engine.close()


async def test_all_that_can_be_given_is_kept(bench: Bench) -> None:
    """Settings as a request gives them, and the defaults."""
    engine = bench.open()
    settings = {
        "index.soft_deletes.retention.operations": "7",
        "index.soft_deletes.retention_lease.period": "90s",
    }
    await engine.open_index(
        IndexConfig(uuid=INDEX, shards=1, mapping=Mapping(), settings=settings), new=True
    )
    assert _shard(engine).retained.retention == retained.Retention(7, 90_000)
    await engine.update_config(config())
    assert _shard(engine).retained.retention == retained.Retention(100_000, 12 * 3_600_000)
    await engine.close()
