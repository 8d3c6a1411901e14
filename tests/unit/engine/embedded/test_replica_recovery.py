"""What a follower's shard is after a crash: what it took is there as a whole, and goes on where it stood."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.oplog import OperationLogFile
from sealane.engine.embedded.shard import Shard
from sealane.errors import IllegalState, Internal, OperationsMissing
from sealane.model.document import Operation
from sealane.model.replication import NO_OPERATIONS
from sealane.testing.engine_contract import (
    INDEX,
    config,
    delete_op,
    index_op,
    operation,
    visible,
    write,
)
from sealane.testing.replication_helpers import error_of, history, kept, live

from .conftest import Bench


def _shard(engine: EmbeddedEngine) -> Shard:
    return engine._indices[INDEX].shards[0]


async def _crashed(engine: EmbeddedEngine, bench: Bench, to: Path) -> EmbeddedEngine:
    """An engine over the files as a crash would leave them now, with what the writer had not committed lost."""
    _shard(engine)._documents.close_writer()  # merges that end amid the copying would make no crash
    shutil.copytree(bench.path, to, ignore=shutil.ignore_patterns(".tmp*", "*.lock"))
    await engine.close()
    bench.path = to
    engine = bench.open()
    await engine.open_index(config())
    return engine


def _page(chance: random.Random, from_seq_no: int) -> tuple[list[Operation], int]:
    """Live documents of the next numbers, with gaps between, and up to where they are all."""
    up_to = from_seq_no + chance.randrange(1, 30)
    numbers = sorted(
        chance.sample(
            range(from_seq_no, up_to + 1), chance.randrange(0, 8) % (up_to - from_seq_no + 1)
        )
    )
    return [operation(n, f"doc-{n}", 2, b'{"n":%d}' % n) for n in numbers], up_to


@pytest.mark.parametrize("seed", range(6))
async def test_a_copy_that_is_cut_off_goes_on_where_it_stood(
    bench: Bench, tmp_path: Path, seed: int
) -> None:
    """R-92, R-93: after each of several crashes its checkpoint and its documents are those of the last page."""
    chance = random.Random(seed)
    engine = bench.open()
    await engine.open_index(config(), new=True)
    expected: list[int] = []
    checkpoint = NO_OPERATIONS
    for step in range(12):
        page, checkpoint = _page(chance, checkpoint + 1)
        await engine.apply_copied(INDEX, 0, page, up_to=checkpoint)
        expected += [op.seq_no for op in page]
        if chance.random() < 0.4:
            await engine.refresh(INDEX)
        if chance.random() < 0.5:
            engine = await _crashed(engine, bench, tmp_path / f"crash-{step}")
        state = await engine.shard_state(INDEX, 0)
        assert (state.checkpoint, state.max_seq_no) == (checkpoint, checkpoint)
        assert await engine.log_floor(INDEX, 0) == checkpoint + 1
    tail = [operation(checkpoint + n, f"tail-{n}") for n in (1, 2, 3)]
    await engine.apply_replica(INDEX, 0, tail)
    engine = await _crashed(engine, bench, tmp_path / "last")
    assert [op.seq_no for op in await live(engine)] == [*expected, *(op.seq_no for op in tail)]
    assert await history(engine, from_seq_no=checkpoint + 1) == tail
    assert await visible(engine) == len(expected) + 3
    await engine.close()


async def test_the_log_keeps_no_copied_documents_that_the_index_holds(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.apply_copied(INDEX, 0, [operation(3, "1"), operation(8, "2")], up_to=9)
    assert _shard(engine)._log.seq_nos_above(-1) == [3, 8]
    await engine.refresh(INDEX)
    assert _shard(engine)._log.seq_nos_above(-1) == []
    await engine.close()


async def test_a_copy_whose_index_is_lost_is_never_opened_as_if_whole(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.apply_copied(INDEX, 0, [operation(0, "1")], up_to=0)
    await engine.refresh(INDEX)
    await engine.apply_replica(INDEX, 0, [operation(1, "2")])
    await engine.close()
    shutil.rmtree(bench.path / INDEX / "0" / "index")
    with pytest.raises(IllegalState, match="cannot be recovered"):
        await bench.open().open_index(config())


async def test_a_rebuilding_that_is_cut_off_is_begun_anew(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The empty index that it had made is not taken for the whole one."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"))
    await engine.close()
    shutil.rmtree(bench.path / INDEX / "0" / "index")

    def cut_off(self: Shard, operations: object) -> None:
        self._documents.ensure(self._mapping, self.refresh)
        raise Internal("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Shard, "_index_again", cut_off)
        with pytest.raises(Internal, match="killed"):
            await bench.open().open_index(config())
    assert (bench.path / INDEX / "0" / "index").exists()
    engine = bench.open()
    await engine.open_index(config())
    assert await visible(engine) == 2
    await engine.close()


async def test_a_delete_above_a_gap_is_remembered_after_a_crash(
    bench: Bench, tmp_path: Path
) -> None:
    """R-54, R-93"""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.apply_replica(INDEX, 0, [operation(0, "1"), operation(3, "1", 3, None)])
    await engine.refresh(INDEX)
    for crash in range(2):
        engine = await _crashed(engine, bench, tmp_path / f"crash-{crash}")
        assert (await engine.shard_state(INDEX, 0)).checkpoint == crash
        await engine.apply_replica(INDEX, 0, [operation(crash + 1, "1", 2)])
        await engine.refresh(INDEX)
        assert await engine.get(INDEX, "1", realtime=False) is None
    assert (await engine.shard_state(INDEX, 0)).checkpoint == 3
    await engine.close()


async def test_a_batch_whose_log_fails_leaves_nothing(bench: Bench) -> None:
    """R-93, R-104: neither operations nor a checkpoint; the same batch succeeds when there is room again."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.apply_replica(INDEX, 0, [operation(0, "1")])
    before = await engine.shard_state(INDEX, 0)
    writer = _shard(engine)._log._writer
    writer.execute("PRAGMA query_only=ON")
    for call in (
        engine.apply_replica(INDEX, 0, [operation(1, "2")]),
        engine.apply_copied(INDEX, 0, [operation(1, "2")], up_to=5),
        engine.adopt_history(INDEX, 0, "theirs"),
        engine.begin_history(INDEX),
        engine.add_lease(INDEX, 0, "x", 0, "ccr"),
    ):
        assert isinstance(await error_of(call), Internal)
        assert await engine.shard_state(INDEX, 0) == before
        assert await engine.log_floor(INDEX, 0) == 0
    writer.execute("PRAGMA query_only=OFF")
    assert await engine.leases(INDEX, 0) == ()
    assert (await engine.apply_replica(INDEX, 0, [operation(1, "2")])).checkpoint == 1
    await engine.refresh(INDEX)
    assert [op.id for op in await live(engine)] == ["1", "2"]
    await engine.close()


async def test_what_was_acknowledged_and_read_is_there_after_a_crash(
    bench: Bench, tmp_path: Path
) -> None:
    """R-94, R-95: under the same history, so that a follower goes on."""
    engine = bench.open()
    await engine.open_index(kept(0), new=True)
    lease = await engine.add_lease(INDEX, 0, "x", NO_OPERATIONS, "ccr")
    await write(engine, index_op("1"), index_op("2"))
    await engine.refresh(INDEX)
    await write(engine, delete_op("1"), index_op("3"))
    before, told = await engine.shard_state(INDEX, 0), await history(engine)
    engine = await _crashed(engine, bench, tmp_path / "crashed")
    after = await engine.shard_state(INDEX, 0)
    assert await history(engine) == told
    assert (after.history_uuid, after.checkpoint) == (before.history_uuid, 3)
    assert after.primary_term == before.primary_term + 1
    assert await engine.leases(INDEX, 0) == (lease,)
    await engine.close()


# -- the first format -----------------------------------------------------------------------------------------------


def _to_format_1(path: Path) -> None:
    """The log as the version before leases wrote it."""
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "DROP TABLE leases; DROP TABLE restored; PRAGMA user_version=1;"
            "DELETE FROM facts WHERE name IN ('floor', 'ancestors');"
        )
    connection.close()


@pytest.mark.parametrize(("trimmed", "floor"), [(0, 0), (2, 2), (9, 4)])
async def test_a_log_of_the_first_format_is_taken_over(
    bench: Bench, trimmed: int, floor: int
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, *(index_op(str(n)) for n in range(4)))
    await engine.refresh(INDEX)
    before = await engine.shard_state(INDEX, 0)
    await engine.close()
    path = bench.path / INDEX / "0" / "operations.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM operations WHERE seq_no < ?", (trimmed,))
    connection.close()
    _to_format_1(path)
    for _ in range(2):
        engine = bench.open()
        await engine.open_index(config())
        assert await engine.shard_state(INDEX, 0) == before
        assert await engine.log_floor(INDEX, 0) == floor
        assert len(await history(engine, from_seq_no=floor)) == 4 - floor
        if floor:
            assert isinstance(await error_of(history(engine)), OperationsMissing)
        await engine.close()


async def test_an_empty_log_of_the_first_format_is_taken_over(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await engine.close()
    _to_format_1(bench.path / INDEX / "0" / "operations.sqlite")
    engine = bench.open()
    await engine.open_index(config())
    await write(engine, index_op("1"))
    assert len(await history(engine)) == 1
    await engine.close()


async def test_a_migration_that_fails_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.close()
    path = bench.path / INDEX / "0" / "operations.sqlite"
    _to_format_1(path)
    with monkeypatch.context() as patched:
        broken = "CREATE TABLE leases (id TEXT); CREATE TABLE nonsense;"
        patched.setattr("sealane.engine.embedded.log_format._FROM_1_TO_2", broken)
        with pytest.raises(Internal, match="cannot be opened"):
            OperationLogFile(path)
    engine = bench.open()
    await engine.open_index(config())
    assert len(await history(engine)) == 1
    await engine.close()
