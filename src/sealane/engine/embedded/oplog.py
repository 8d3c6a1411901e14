"""A shard's operation log: SQLite, one transaction a request, durable when it returns.

It is the truth of the shard; the tantivy index is derived from it. Written under the shard's lock only; read from any
thread.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from sealane.errors import IllegalState, Internal
from sealane.model.document import Operation, OpKind

FORMAT = 1
NONE = -1
RETAINED_OPERATIONS = 100_000
"""Operations kept behind the last commit, for whoever follows; leases will ask for more."""
_TRIM_SLACK = RETAINED_OPERATIONS // 4
_ROWS_A_STATEMENT = 250

_COLUMNS = "seq_no, term, version, kind, id, routing, source, wall_ms"
_ROW = "(?,?,?,?,?,?,?,?)"
_MANY = f"INSERT INTO operations ({_COLUMNS}) VALUES {','.join([_ROW] * _ROWS_A_STATEMENT)}"
_ONE = f"INSERT INTO operations ({_COLUMNS}) VALUES {_ROW}"

Row = tuple[int, int, int, int, str, str | None, bytes | None, int]


class OperationLogFile:
    """One SQLite file. Raises Internal where SQLite fails, IllegalState for an unknown format."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._writer = self._connect()
            self._reader = self._connect()
            self._prepare()
        except sqlite3.Error as exc:
            raise Internal(f"the operation log [{path}] cannot be opened: {exc}") from exc
        self._read_lock = threading.Lock()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        connection.execute("PRAGMA page_size=8192")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # A checkpoint copies each page once more; rarer ones find more pages written twice.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        return connection

    def _prepare(self) -> None:
        (found,) = self._writer.execute("PRAGMA user_version").fetchone()
        if found not in (0, FORMAT):
            raise IllegalState(
                f"the operation log [{self._path}] has the format [{found}], this version reads [{FORMAT}]"
            )
        if found == FORMAT:
            return
        self._writer.executescript(
            f"""
            BEGIN;
            CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
            CREATE TABLE operations (
                seq_no INTEGER PRIMARY KEY, term INTEGER NOT NULL, version INTEGER NOT NULL,
                kind INTEGER NOT NULL, id TEXT NOT NULL, routing TEXT, source BLOB, wall_ms INTEGER NOT NULL
            );
            PRAGMA user_version={FORMAT};
            COMMIT;
            """
        )

    # -- facts ---------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> str | int | None:
        row = self._writer.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_facts(self, **facts: str | int) -> None:
        """Durable when it returns; all of them or none."""
        with self._transaction():
            self._writer.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    # -- operations ----------------------------------------------------------------------------------------------

    def append(self, rows: Sequence[Row]) -> None:
        """All of them or none, durable when it returns."""
        with self._transaction():
            whole = len(rows) - len(rows) % _ROWS_A_STATEMENT
            for start in range(0, whole, _ROWS_A_STATEMENT):
                few = rows[start : start + _ROWS_A_STATEMENT]
                self._writer.execute(_MANY, list(chain.from_iterable(few)))
            if whole < len(rows):
                self._writer.executemany(_ONE, rows[whole:])

    def read(self, from_seq_no: int, max_count: int, max_bytes: int) -> list[Operation]:
        """Operations from `from_seq_no` on, in order: at least one if there is one."""
        found: list[Operation] = []
        size = 0
        with self._read_lock:
            cursor = self._reader.execute(
                f"SELECT {_COLUMNS} FROM operations WHERE seq_no >= ? ORDER BY seq_no LIMIT ?",
                (from_seq_no, max_count),
            )
            for row in cursor:
                size += len(row[6] or b"") + len(row[4])
                if found and size > max_bytes:
                    break
                found.append(
                    Operation(
                        row[0], row[1], row[2], OpKind(row[3]), row[4], row[5], row[6], row[7]
                    )
                )
            cursor.close()
        return found

    def seq_nos_after(self, seq_no: int) -> Iterable[int]:
        cursor = self._writer.execute(
            "SELECT seq_no FROM operations WHERE seq_no > ? ORDER BY seq_no", (seq_no,)
        )
        return (row[0] for row in cursor)

    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest seq_no held; NONE where there is none."""
        with self._read_lock:
            low, high = self._reader.execute(
                "SELECT (SELECT min(seq_no) FROM operations), (SELECT max(seq_no) FROM operations)"
            ).fetchone()
        return (NONE, NONE) if low is None else (low, high)

    def trim(self, committed: int) -> None:
        """Drops what is older than the newest RETAINED_OPERATIONS of those that are committed."""
        low, _ = self.bounds()
        keep_from = committed + 1 - RETAINED_OPERATIONS
        if low == NONE or keep_from - low < _TRIM_SLACK:
            return
        with self._transaction():
            self._writer.execute("DELETE FROM operations WHERE seq_no < ?", (keep_from,))

    def close(self) -> None:
        with self._read_lock:
            self._reader.close()
        self._writer.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._writer)


def holds_operations(path: Path) -> bool:
    """Whether the log at `path`, which nobody has open, has any operation. A file that is no log counts as one."""
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(path)
        try:
            return connection.execute("SELECT 1 FROM operations LIMIT 1").fetchone() is not None
        finally:
            connection.close()
    except sqlite3.Error:
        return True


class _Transaction:
    """BEGIN to COMMIT, or ROLLBACK; sqlite3's own errors become ours."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            raise Internal(f"the operation log failed: {exc}") from exc

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, _: object
    ) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
                return
        except sqlite3.Error as failure:
            self._roll_back()
            raise Internal(f"the operation log failed: {failure}") from failure
        self._roll_back()
        if isinstance(exc, sqlite3.Error):
            raise Internal(f"the operation log failed: {exc}") from exc

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
