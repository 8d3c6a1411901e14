"""A disk without room in the middle of things: what was acknowledged is found again once there is room."""

from pathlib import Path

import pytest

from sealane.engine.embedded import document_index, index
from sealane.engine.embedded.document_index import DocumentIndex
from sealane.engine.embedded.shard import Shard
from sealane.engine.mapping import parse_mapping
from sealane.errors import Internal
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write
from sealane.testing.replication_helpers import error_of

from .conftest import Bench


def _fails(*_: object) -> None:
    raise Internal("no space left on device")


async def test_what_a_writer_lost_is_told_again_however_often_that_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104: a commit must not count what the index never got, or the log would forget it."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    await write(engine, index_op("2"), index_op("3"))
    with monkeypatch.context() as full:
        full.setattr(DocumentIndex, "commit", _fails)
        full.setattr(Shard, "_index_again", _fails)
        assert isinstance(await error_of(engine.refresh(INDEX)), Internal)
        outcome = await error_of(write(engine, index_op("4")))
        assert isinstance(outcome, Internal)
    await write(engine, index_op("5"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 4
    await engine.close()
    engine = bench.open()
    await engine.open_index(config())
    assert await visible(engine) == 4
    await engine.close()


async def test_a_commit_that_fails_amid_telling_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104"""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"), index_op("2"))
    with monkeypatch.context() as full:
        full.setattr(DocumentIndex, "commit", _fails)
        assert isinstance(await error_of(engine.refresh(INDEX)), Internal)
    await write(engine, index_op("3"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 3
    await engine.close()


async def test_columns_that_find_no_room_are_added_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104: the write that needs them is refused as a disk's failure, and nothing of it is there."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    grown = parse_mapping({"properties": {"late": {"type": "keyword"}}})
    await engine.update_config(config(mapping=grown))

    def no_room(folder: Path, columns: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(document_index, "append_columns", no_room)
        refused = await error_of(write(engine, index_op("2", b'{"late":"x"}')))
        assert isinstance(refused, Internal)
        assert "No space left" in refused.reason
    await write(engine, index_op("2", b'{"late":"x"}'))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    await engine.close()


async def test_an_error_that_is_kept_does_not_keep_the_writer_that_died(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104: statistics show the last error, and its traceback knows the writer: its lock is free none the less."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    with monkeypatch.context() as full:

        def fails(self: DocumentIndex, *_: object, is_clean: bool) -> None:
            writer = self._open_writer()
            raise Internal(f"no space left for {writer}")

        full.setattr(DocumentIndex, "write", fails)
        kept = [await error_of(write(engine, index_op(str(number)))) for number in range(3)]
    assert all("no space left" in str(each) for each in kept)
    await write(engine, index_op("3"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2  # the first was in the log when its index failed
    await engine.close()


async def test_a_fault_of_ours_amid_a_write_is_no_loss_either(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104: whatever kept the index from an operation of the log, no commit counts it before it is there."""
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    with monkeypatch.context() as broken:

        def breaks(self: DocumentIndex, *_: object, is_clean: bool) -> None:
            raise RuntimeError("a fault")

        broken.setattr(DocumentIndex, "write", breaks)
        with pytest.raises(RuntimeError):
            await write(engine, index_op("2"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    await engine.close()
    engine = bench.open()
    await engine.open_index(config())
    assert await visible(engine) == 2
    await engine.close()


async def test_an_index_that_finds_no_room_is_not_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-104: that is told as a disk's failure, and it is made once there is room."""
    engine = bench.open()

    def no_room(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(index, "claim_folder", no_room)
        refused = await error_of(engine.open_index(config(), new=True))
        assert isinstance(refused, Internal)
        assert "No space left" in refused.reason
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 1
    await engine.close()
