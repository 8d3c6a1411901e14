"""The state store as one SQLite file.

WAL with `synchronous=FULL`: what was acknowledged survives the loss of power. Blocking calls run
on the executor that is handed in. The file carries a format number; one that is not known, or
damage, stops the start.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from sealane.cluster.store import ABSENT, Entry, StoreConflict, Watcher
from sealane.errors import IllegalState, IOFailure

T = TypeVar("T")

FORMAT: Final = 1
# "slns": tells our file from any other SQLite file.
_APPLICATION_ID: Final = 0x736C6E73
_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE sequence (version INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES (0);
PRAGMA application_id = {application_id};
PRAGMA user_version = {format};
COMMIT;
"""


class SqliteStateStore:
    """Made by `open`; implements StateStore."""

    def __init__(self, path: Path, connection: sqlite3.Connection, executor: Executor) -> None:
        self._path = path
        self._connection = connection
        self._executor = executor
        self._lock = threading.Lock()
        self._watchers: dict[object, Watcher] = {}

    @classmethod
    async def open(cls, path: Path, executor: Executor) -> "SqliteStateStore":
        """Opens the file, making it and its folder at first.

        Raises IllegalState for a format not known here or a damaged file, IOFailure where the disk
        fails.
        """
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(executor, _open, path)
        return cls(path, connection, executor)

    async def version(self) -> int:
        return await self._run(self._version)

    async def get(self, key: str) -> Entry | None:
        def read() -> Entry | None:
            row = self._connection.execute(
                "SELECT value, version FROM entry WHERE key = ?", (key,)
            ).fetchone()
            return Entry(*row) if row else None

        return await self._run(read)

    async def scan(self, prefix: str) -> dict[str, Entry]:
        def read() -> dict[str, Entry]:
            rows = self._connection.execute(
                "SELECT key, value, version FROM entry "
                "WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
                (prefix,),
            )
            return {key: Entry(value, version) for key, value, version in rows}

        return await self._run(read)

    async def compare_and_set(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, int]
    ) -> int:
        frozen, wanted = dict(changes), dict(expected)

        def tell(version: int) -> None:
            for watcher in list(self._watchers.values()):
                watcher(version, frozenset(frozen))

        return await self._run(lambda: self._apply(frozen, wanted), tell)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        token = object()
        self._watchers[token] = watcher
        return lambda: self._watchers.pop(token, None) and None

    async def close(self) -> None:
        self._watchers.clear()
        await self._run(self._connection.close)

    def _version(self) -> int:
        (version,) = self._connection.execute("SELECT version FROM sequence").fetchone()
        return int(version)

    def _apply(self, changes: dict[str, bytes | None], expected: dict[str, int]) -> int:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for key, wanted in expected.items():
                row = self._connection.execute(
                    "SELECT version FROM entry WHERE key = ?", (key,)
                ).fetchone()
                found = row[0] if row else ABSENT
                if found != wanted:
                    raise StoreConflict(key, wanted, found)
            version = self._version() + 1
            self._connection.execute("UPDATE sequence SET version = ?", (version,))
            for key, value in changes.items():
                if value is None:
                    self._connection.execute("DELETE FROM entry WHERE key = ?", (key,))
                else:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", (key, value, version)
                    )
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return version

    async def _run(self, work: Callable[[], T], tell: Callable[[T], None] | None = None) -> T:
        """Runs `work` in the pool and waits for its end even when cancelled: a write must not be
        half known. `tell` hears of what came of it even then.
        """

        def locked() -> T:
            with self._lock:
                return work()

        future = asyncio.get_running_loop().run_in_executor(self._executor, locked)
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.shield(future)
            except asyncio.CancelledError as error:
                cancelled = error
            except Exception:
                break  # raised below, from the future itself
        try:
            result = future.result()
        except sqlite3.Error as error:
            raise IOFailure(f"the state in [{self._path}] failed: {error}") from error
        if tell is not None:
            tell(result)
        if cancelled is not None:
            raise cancelled
        return result


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise IOFailure(f"cannot open the state in [{path}]: {error}") from error
    try:
        _prepare(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise IOFailure(f"cannot open the state in [{path}]: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise IllegalState(
            f"the state in [{path}] is damaged: {error}; restore the data folder from a copy"
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    application, format_number = (
        _pragma(connection, "application_id"),
        _pragma(connection, "user_version"),
    )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application, format_number, tables) == (0, 0, 0):
        connection.executescript(_SCHEMA.format(application_id=_APPLICATION_ID, format=FORMAT))
        return
    if application != _APPLICATION_ID:
        raise IllegalState(f"[{path}] is not a state file of this program")
    if format_number != FORMAT:
        raise IllegalState(
            f"the state in [{path}] has format [{format_number}], this program knows [{FORMAT}]"
        )
    with closing(connection.execute("PRAGMA quick_check(1)")) as check:
        (verdict,) = check.fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
