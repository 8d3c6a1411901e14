"""A roll-back happens as a whole, whatever the moment of a crash or a failure."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealane.engine.base import IndexConfig, RollBack
from sealane.engine.embedded.document_index import DocumentIndex
from sealane.engine.embedded.engine import EmbeddedEngine
from sealane.engine.embedded.oplog import OperationLogFile
from sealane.engine.embedded.retained import RetainedLog
from sealane.engine.mapping import parse_mapping
from sealane.errors import Internal
from sealane.model.replication import Ancestor
from sealane.testing.engine_contract import INDEX, delete_op, index_op, operation, visible, write
from sealane.testing.replication_helpers import history, live

from .conftest import Bench

MAPPING = parse_mapping({"properties": {"v": {"type": "long"}, "inner": {"type": "nested"}}})
CONFIG = IndexConfig(uuid=INDEX, shards=1, mapping=MAPPING)
STEPS: list[tuple[type, str]] = [
    (OperationLogFile, "roll_back"),
    (DocumentIndex, "reopen"),
    (DocumentIndex, "write"),
    (DocumentIndex, "commit"),
    (RetainedLog, "note_commit"),
]
"""All that touches a disk, in the order of their first use."""


async def _diverged(bench: Bench) -> tuple[EmbeddedEngine, RollBack]:
    """A shard with two operations that its new leader never saw, and how it returns."""
    engine = bench.open()
    await engine.open_index(CONFIG, new=True)
    await write(
        engine,
        index_op("kept", b'{"v":1,"inner":[{"v":1},{"v":2}]}'),
        index_op("changed", b'{"v":1,"inner":{"v":3}}'),
        index_op("removed", b'{"v":1}'),
    )
    documents = [op for op in await live(engine) if op.id != "kept"]
    await write(engine, index_op("changed", b'{"v":2}'), delete_op("removed"), index_op("new"))
    await engine.refresh(INDEX)
    await write(engine, index_op("newer"))
    back = RollBack(
        to_seq_no=2,
        history_uuid="theirs",
        ancestors=(Ancestor("mine", 2),),
        touched=await engine.touched_since(INDEX, 0, 2),
        documents=documents,
    )
    return engine, back


async def _check_before(engine: EmbeddedEngine) -> None:
    state = await engine.shard_state(INDEX, 0)
    assert state.history_uuid != "theirs"
    assert (state.checkpoint, len(await history(engine))) == (6, 7)
    assert sorted(op.id for op in await live(engine)) == ["changed", "kept", "new", "newer"]


async def _check_after(engine: EmbeddedEngine) -> None:
    state = await engine.shard_state(INDEX, 0)
    assert (state.history_uuid, state.ancestors) == ("theirs", (Ancestor("mine", 2),))
    assert (state.checkpoint, state.max_seq_no) == (2, 2)
    told = await history(engine)
    assert [op.id for op in told] == ["kept", "changed", "removed"]
    assert [(op.seq_no, op.source) for op in await live(engine)] == [
        (op.seq_no, op.source) for op in told
    ]
    # The nested objects count as documents of their own, and went and came with theirs.
    assert (await engine.stats(INDEX)).docs == 3 + 3
    assert engine._indices[INDEX].shards[0]._log.restored() == []


def _fails(step: Callable[..., Any], times: int, *, before: bool) -> Callable[..., Any]:
    """`step`, but its first calls fail, before or after the work is done."""
    left = times

    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if left <= 0:
            return step(self, *args, **kwargs)
        left -= 1
        if before:
            raise Internal("the disk is full")
        step(self, *args, **kwargs)
        raise Internal("the disk is full")

    return failing


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("owner", "step"), STEPS)
async def test_a_crash_at_any_step_leaves_before_or_after(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    before: bool,
) -> None:
    """R-110: once the log's transaction is done it is decided, and every later start carries it out."""
    engine, back = await _diverged(bench)
    await engine.refresh(INDEX)
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, _fails(getattr(owner, step), 99, before=before))
        with pytest.raises(Internal):
            await engine.roll_back(INDEX, 0, back)
        shutil.copytree(
            bench.path, tmp_path / "crashed", ignore=shutil.ignore_patterns(".tmp*", "*.lock")
        )
    await engine.close()
    bench.path = tmp_path / "crashed"
    engine = bench.open()
    await engine.open_index(CONFIG)
    if step == "roll_back" and before:
        await _check_before(engine)
        await engine.roll_back(INDEX, 0, back)
    await _check_after(engine)
    await engine.close()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("owner", "step"), STEPS[1:])
async def test_a_failure_at_any_step_is_made_good(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    times: int,
    before: bool,
) -> None:
    """R-104: without a restart, and operations that come after it are applied after it."""
    engine, back = await _diverged(bench)
    await engine.refresh(INDEX)
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, _fails(getattr(owner, step), times, before=before))
        try:
            await engine.roll_back(INDEX, 0, back)
        except Internal:
            state = await engine.shard_state(INDEX, 0)
            assert (state.history_uuid, state.checkpoint) == ("theirs", 2)
            document = await engine.get(INDEX, "changed")
            assert document is not None
            assert document.seq_no == 1
            assert await engine.get(INDEX, "new") is None
        for _ in range(3):
            try:
                await engine.refresh(INDEX)
            except Internal:
                continue
    await _check_after(engine)
    await engine.apply_replica(INDEX, 0, [operation(3, "changed", 9, b'{"v":9}')])
    await engine.refresh(INDEX)
    assert [op.id for op in await live(engine)] == ["kept", "removed", "changed"]
    await engine.close()
    engine = bench.open()
    await engine.open_index(CONFIG)
    assert [op.version for op in await live(engine)] == [1, 1, 9]
    await engine.close()


async def test_operations_that_come_before_it_is_carried_out_are_applied_after_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, back = await _diverged(bench)
    with monkeypatch.context() as patched:
        patched.setattr(DocumentIndex, "reopen", _fails(DocumentIndex.reopen, 1, before=True))
        with pytest.raises(Internal):
            await engine.roll_back(INDEX, 0, back)
    await engine.apply_replica(
        INDEX, 0, [operation(3, "changed", 9, b'{"v":9}'), operation(4, "kept", 2, None)]
    )
    await engine.refresh(INDEX)
    assert [(op.id, op.version) for op in await live(engine)] == [("removed", 1), ("changed", 9)]
    assert await visible(engine) == 2
    await engine.close()


@pytest.mark.parametrize("amid", ["a refresh", "a lease that ends"])
async def test_what_is_trimmed_meanwhile_does_not_move_the_checkpoint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, amid: str
) -> None:
    """R-110: else the next start would take the discarded numbers for operations that are there."""
    engine = bench.open()
    settings = {"index.soft_deletes.retention.operations": "0"}
    narrow = IndexConfig(uuid=INDEX, shards=1, mapping=MAPPING, settings=settings)
    await engine.open_index(narrow, new=True)
    await write(engine, index_op("kept"), index_op("changed"))
    documents = [op for op in await live(engine) if op.id == "changed"]
    await engine.add_lease(INDEX, 0, "x", 2, "ccr")
    await write(engine, index_op("changed"), index_op("new"))
    if amid == "a refresh":
        await engine.remove_lease(INDEX, 0, "x")
    else:
        await engine.refresh(INDEX)
        close_writer = DocumentIndex.close_writer
        shard = engine._indices[INDEX].shards[0]

        def ends_amid(self: DocumentIndex) -> None:
            monkeypatch.setattr(DocumentIndex, "close_writer", close_writer)
            shard.retained.remove("x")
            close_writer(self)

        monkeypatch.setattr(DocumentIndex, "close_writer", ends_amid)
    back = RollBack(
        to_seq_no=1,
        history_uuid="theirs",
        ancestors=(Ancestor("mine", 1),),
        touched=await engine.touched_since(INDEX, 0, 1),
        documents=documents,
    )
    state = await engine.roll_back(INDEX, 0, back)
    assert (state.checkpoint, state.max_seq_no) == (1, 1)
    await engine.close()
    engine = bench.open()
    await engine.open_index(narrow)
    state = await engine.shard_state(INDEX, 0)
    assert (state.checkpoint, state.max_seq_no) == (1, 1)
    assert [(op.id, op.seq_no) for op in await live(engine)] == [("kept", 0), ("changed", 1)]
    await engine.apply_replica(INDEX, 0, [operation(2, "changed", 9, b'{"v":9}')])
    assert [op.seq_no for op in await history(engine, from_seq_no=2)] == [2]
    await engine.close()
