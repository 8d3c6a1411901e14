"""The state stores: the contract, and what is SQLite's own."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from sealane.cluster.sqlite_store import SqliteStateStore
from sealane.cluster.store import Entry, MemoryStateStore, StateStore
from sealane.errors import IllegalState, IOFailure
from sealane.testing.state_store_contract import StateStoreContract


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


class TestMemoryStateStore(StateStoreContract):
    @pytest.fixture
    def store(self) -> StateStore:
        return MemoryStateStore()


class TestSqliteStateStore(StateStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path, executor: Executor) -> AsyncIterator[StateStore]:
        store = await SqliteStateStore.open(tmp_path / "state" / "state.db", executor)
        yield store
        await store.close()


async def test_everything_is_there_after_a_restart(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "state.db"
    store = await SqliteStateStore.open(path, executor)
    await store.compare_and_set({"a": b"1"}, {})
    await store.close()
    again = await SqliteStateStore.open(path, executor)
    assert await again.get("a") == Entry(b"1", 1)
    assert await again.compare_and_set({"a": b"2"}, {"a": 1}) == 2
    await again.close()


async def test_an_unknown_format_stops_the_start(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "state.db"
    await (await SqliteStateStore.open(path, executor)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(IllegalState, match=r"has format \[2\], this program knows \[1\]"):
        await SqliteStateStore.open(path, executor)


async def test_another_programs_file_is_refused(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(IllegalState, match="not a state file"):
        await SqliteStateStore.open(path, executor)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(IllegalState, match=rf"the state in \[{path}\] is damaged"):
        await SqliteStateStore.open(path, executor)


async def test_a_page_overwritten_is_damage(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "state.db"
    store = await SqliteStateStore.open(path, executor)
    await store.compare_and_set({f"k{n}": b"x" * 900 for n in range(50)}, {})
    await store.close()
    data = bytearray(path.read_bytes())
    data[4096 : 4096 + 8192] = b"\xff" * 8192
    path.write_bytes(bytes(data))
    with pytest.raises(IllegalState, match="damaged"):
        await SqliteStateStore.open(path, executor)


async def test_a_folder_in_the_way_is_an_io_failure(tmp_path: Path, executor: Executor) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(IOFailure):
        await SqliteStateStore.open(tmp_path / "state" / "state.db", executor)


async def test_a_cancelled_write_is_over_when_the_cancellation_arrives(
    tmp_path: Path, executor: Executor
) -> None:
    store = await SqliteStateStore.open(tmp_path / "state.db", executor)
    heard: list[tuple[int, frozenset[str]]] = []
    store.watch(lambda version, keys: heard.append((version, keys)))
    held = threading.Event()
    holders = [executor.submit(held.wait) for _ in range(2)]
    task = asyncio.get_running_loop().create_task(store.compare_and_set({"a": b"1"}, {}))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [(1, frozenset({"a"}))]  # whoever mirrors the store must not miss it
    assert await store.get("a") == Entry(b"1", 1)
    assert all(holder.result() for holder in holders)
    await store.close()
