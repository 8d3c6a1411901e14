"""An index is never open twice over the same files, however its opening and closing cross."""

import asyncio
import threading

import pytest

from sealane.engine.embedded.index import OpenIndex
from sealane.errors import IndexNotFound
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write
from tests.unit.engine.embedded.conftest import Bench

TURNS = 50
"""Of the loop: enough for whatever does not wait to have gone on."""


class HeldClose:
    """Closing stops in its thread, before it lets go of the files, until `release` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()
        close = OpenIndex._close

        def held(index: OpenIndex) -> None:
            self.begun.set()
            assert self.release.wait(20)
            close(index)

        monkeypatch.setattr(OpenIndex, "_close", held)

    async def wait_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 20)


async def some_turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_an_index_is_opened_after_it_has_been_closed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    held = HeldClose(monkeypatch)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.close_index(INDEX))
        await held.wait_begun()
        opening = group.create_task(engine.open_index(config()))
        await some_turns()
        assert not opening.done()
        with pytest.raises(IndexNotFound):
            await engine.shard_state(INDEX, 0)
        held.release.set()
    # What a crash leaves from here on must be replayed: the end of the first was marked before the second began.
    assert engine._indices[INDEX].shards[0]._log.fact("is_clean") == 0
    await write(engine, index_op("2"))
    await engine.refresh(INDEX)
    assert await visible(engine) == 2
    await engine.close()


async def test_an_index_is_deleted_after_it_has_been_closed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    held = HeldClose(monkeypatch)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.close_index(INDEX))
        await held.wait_begun()
        deleting = group.create_task(engine.delete_index(INDEX))
        await some_turns()
        assert not deleting.done()
        assert (bench.path / INDEX).exists()
        held.release.set()
    assert not (bench.path / INDEX).exists()
    await engine.close()


async def test_a_closing_that_was_cancelled_before_it_began_leaves_the_index_open(
    bench: Bench,
) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    async with asyncio.TaskGroup() as group, engine._indices[INDEX]._lock:
        closing = group.create_task(engine.close_index(INDEX))
        await some_turns()
        closing.cancel()
    await engine.refresh(INDEX)
    assert await visible(engine) == 1
    await engine.close_index(INDEX)
    await engine.open_index(config())
    assert await visible(engine) == 1
    await engine.close()


async def test_opening_and_closing_at_once(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(engine.close_index(INDEX))
            group.create_task(engine.open_index(config()))
    await engine.refresh(INDEX)
    assert await visible(engine) == 1
    await engine.close()
