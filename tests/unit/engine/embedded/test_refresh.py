"""When the embedded engine refreshes by itself, and who may wait for it."""

import asyncio
from typing import Any

import pytest

from sealane.engine.base import IndexConfig
from sealane.engine.embedded import schedule
from sealane.engine.embedded.index import OpenIndex
from sealane.engine.embedded.schedule import (
    LOAD_MAX_S,
    SEARCH_IDLE_S,
    RefreshSchedule,
)
from sealane.engine.mapping import Mapping
from sealane.testing.engine_contract import INDEX, config, index_op, visible, write

from .conftest import Bench

OFF = {"index.refresh_interval": "-1"}


def _index(engine: Any) -> OpenIndex:
    index: OpenIndex = engine._indices[INDEX]
    return index


def _now() -> float:
    return asyncio.get_running_loop().time()


def _config(settings: dict[str, str]) -> IndexConfig:
    return IndexConfig(uuid=INDEX, shards=1, mapping=Mapping(), settings=settings)


async def test_a_refresh_is_due_after_the_interval_when_something_was_written(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    index, now = _index(engine), _now()
    assert not index.is_refresh_due(now + 2)
    await write(engine, index_op("1"))
    assert not index.is_refresh_due(now + 0.5)
    assert index.is_refresh_due(now + 2)
    await engine.close()


@pytest.mark.parametrize("settings", [{}, {"index.refresh_interval": "1s"}])
async def test_an_index_that_nobody_searches_is_refreshed_by_the_next_search(
    bench: Bench, settings: dict[str, str]
) -> None:
    engine = bench.open()
    await engine.open_index(_config(settings), new=True)
    await write(engine, index_op("1"))
    index, now = _index(engine), _now()
    assert not index.is_refresh_due(now + SEARCH_IDLE_S + 1)
    index.schedule.last_search_s = now - SEARCH_IDLE_S
    assert await visible(engine) == 1
    assert not index.schedule.is_search_idle(_now())
    await engine.close()


async def test_an_interval_of_minus_one_never_refreshes(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(_config(OFF), new=True)
    await write(engine, index_op("1"))
    index, now = _index(engine), _now()
    assert not index.is_refresh_due(now + 1000)
    index.schedule.last_search_s = now - SEARCH_IDLE_S
    assert await visible(engine) == 0
    await engine.close()


def test_a_load_that_nobody_searches_is_not_refreshed_each_second() -> None:
    timing = RefreshSchedule({}, 0.0)
    for second in range(9):
        timing.write(second + 0.5)
        assert not timing.is_due(second + 1.0)
    assert timing.is_due(9.6), "a second without a write"
    timing.write(9.9)
    assert timing.is_due(LOAD_MAX_S), "but not without end"


def test_a_load_that_somebody_searches_is_refreshed_each_second() -> None:
    timing = RefreshSchedule({}, 0.0)
    timing.search(0.1)
    timing.write(0.9)
    assert timing.is_due(1.0)


def test_a_load_with_an_interval_of_its_own_is_refreshed_by_it() -> None:
    timing = RefreshSchedule({"index.refresh_interval": "2s"}, 0.0)
    timing.write(1.9)
    assert not timing.is_due(1.95)
    assert timing.is_due(2.0)


def test_the_first_search_sees_what_is_older_than_the_interval() -> None:
    fresh, late = RefreshSchedule({}, 0.0), RefreshSchedule({}, 0.0)
    fresh.write(20.0)
    assert not fresh.search(20.5), "a refresh each second need not have seen it"
    late.write(20.0)
    late.write(20.9)
    assert late.search(21.0)


# -- waiting -----------------------------------------------------------------------------------------------------


async def test_waiting_ends_with_the_refresh_that_covers_the_write(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    async with asyncio.TaskGroup() as group:
        waiter = group.create_task(engine.wait_for_refresh(INDEX))
        await asyncio.sleep(0)
        assert not waiter.done()
        await engine.refresh(INDEX)
    assert await visible(engine) == 1
    await engine.close()


async def test_there_is_nothing_to_wait_for_after_a_refresh(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(_config(OFF), new=True)
    await engine.wait_for_refresh(INDEX)
    await write(engine, index_op("1"))
    await engine.refresh(INDEX)
    await engine.wait_for_refresh(INDEX)
    await engine.close()


async def test_one_who_waits_makes_an_idle_index_due(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(config(), new=True)
    await write(engine, index_op("1"))
    index, later = _index(engine), _now() + SEARCH_IDLE_S + 1
    assert not index.is_refresh_due(later)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.wait_for_refresh(INDEX))
        await asyncio.sleep(0)
        assert index.is_refresh_due(later)
        await index.refresh()
    await engine.close()


async def test_one_too_many_who_waits_forces_the_refresh(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "WAITING_MAX", 2)
    engine = bench.open()
    await engine.open_index(_config(OFF), new=True)
    await write(engine, index_op("1"))
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(engine.wait_for_refresh(INDEX))
    assert await visible(engine) == 1
    await engine.close()


async def test_one_who_stops_waiting_leaves_nothing_behind(bench: Bench) -> None:
    engine = bench.open()
    await engine.open_index(_config({"index.refresh_interval": "5s"}), new=True)
    await write(engine, index_op("1"))
    index = _index(engine)
    async with asyncio.TaskGroup() as group:
        waiter = group.create_task(engine.wait_for_refresh(INDEX))
        await asyncio.sleep(0)
        waiter.cancel()
    assert not index.schedule._waiting
    await engine.close()


@pytest.mark.parametrize("end", ["close_index", "delete_index"])
async def test_nobody_waits_for_an_index_that_is_gone(bench: Bench, end: str) -> None:
    engine = bench.open()
    await engine.open_index(_config(OFF), new=True)
    await write(engine, index_op("1"))
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.wait_for_refresh(INDEX))
        await asyncio.sleep(0)
        await getattr(engine, end)(INDEX)
    await engine.close()
