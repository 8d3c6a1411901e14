"""What is told of a shard's newest operations from memory is what its log would tell."""

from pathlib import Path

import pytest

from sealane.engine.embedded import recent
from sealane.engine.embedded.log_rows import Row
from sealane.engine.embedded.oplog import OperationLogFile
from sealane.engine.embedded.recent import RecentOperations
from sealane.engine.embedded.shard import Shard
from sealane.testing.engine_contract import INDEX, config, delete_op, index_op, write
from sealane.testing.replication_helpers import history

from .conftest import Bench


def _rows(first: int, count: int) -> list[Row]:
    """A deletion, one that says nothing, and documents with ids of several bytes a character."""
    made: list[Row] = []
    for seq_no in range(first, first + count):
        kind = 1 if seq_no % 5 == 0 else 2 if seq_no % 7 == 0 else 0
        source = None if kind else b'{"n":%d}' % seq_no
        routing = "r" if seq_no % 3 == 0 else None
        made.append((seq_no, 2, seq_no % 4, kind, f"ü{seq_no}", routing, source, 1_000 + seq_no))
    return made


def _wanted() -> RecentOperations:
    made = RecentOperations()
    made.is_wanted = True
    return made


@pytest.mark.parametrize("max_count", [1, 7, 100])
@pytest.mark.parametrize("max_bytes", [1, 200, 10_000])
def test_they_are_as_the_log_tells_them(tmp_path: Path, max_count: int, max_bytes: int) -> None:
    log, made = OperationLogFile(tmp_path / "log"), _wanted()
    for first in (0, 10, 30):
        rows = _rows(first, 20 if first == 10 else 10)
        log.append(rows)
        made.add(rows, 100)
    try:
        for first in (0, 9, 10, 25, 39, 40):
            for last in (9, 25, 39, 50):
                if first <= last:
                    told = made.read(first, max_count, max_bytes, last)
                    assert told == log.read(first, max_count, max_bytes, to_seq_no=last)
        assert [made.mark(n) for n in range(41)] == [log.mark(n) for n in range(41)]
    finally:
        log.close()


def test_nothing_is_kept_where_nobody_reads() -> None:
    made = RecentOperations()
    made.add(_rows(0, 10), 100)
    assert made.read(0, 10, 1_000, 9) == []


def test_a_hole_begins_anew() -> None:
    made = _wanted()
    made.add(_rows(0, 10), 100)
    made.add(_rows(12, 3), 100)
    assert made.read(9, 10, 1_000, 14) == []
    assert [each.seq_no for each in made.read(12, 10, 1_000, 14)] == [12, 13, 14]
    made.add([_rows(15, 1)[0], _rows(17, 1)[0]], 100)
    assert made.read(12, 10, 1_000, 17) == []


def test_they_take_no_more_than_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_MAX_BYTES", 1_000)
    made = _wanted()
    made.add(_rows(0, 10), 300)
    made.add(_rows(10, 10), 300)
    assert made.read(9, 1, 1_000, 9) == []
    assert len(made.read(10, 10, 10_000, 19)) == 10
    made.add(_rows(20, 1), 1_000)
    assert made.read(10, 10, 10_000, 20) == []


async def test_a_shard_tells_the_same_from_memory_and_from_its_log(bench: Bench) -> None:
    """Whoever follows closely gets what was logged, before a refresh and after it."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    shard: Shard = engine._indices[INDEX].shards[0]
    await history(engine)
    await write(engine, index_op("1"), index_op("1"), delete_op("1"), index_op("2"))
    assert len(shard._recent.read(0, 10, 10_000, 3)) == 4
    from_memory = await history(engine)
    await engine.refresh(INDEX)
    assert shard._recent.read(0, 10, 10_000, 3) == []
    assert from_memory == await history(engine)
    await engine.close()
