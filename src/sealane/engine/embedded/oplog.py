"""A shard's operation log: SQLite, one transaction a request, durable when it returns.

It is the truth of the shard; the tantivy index is derived from it. Operations are written under the shard's lock only,
and read from any thread. What is retained of them, and for whom, is retained.py's.
"""

import contextlib
import sqlite3
import threading
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from sealane.engine.embedded.log_format import FORMAT, prepare
from sealane.engine.embedded.log_rows import (
    ENTRY_BYTES,
    GATHERED,
    LENGTHS,
    Row,
    gathered_operations,
    texts,
    whole_numbers,
)
from sealane.errors import Internal
from sealane.model.document import Operation, OpKind
from sealane.model.replication import HistoryMark

__all__ = ["FORMAT", "NONE", "OperationLogFile", "Row", "holds_operations", "put_facts"]

NONE: Final = -1
_ROWS_A_STATEMENT = 250
_ROWS_A_READ = 5_000
_BYTES_A_READ = 64_000_000

_COLUMNS = "seq_no, term, version, kind, id, routing, source, wall_ms"
_ROW = "(?,?,?,?,?,?,?,?)"
_MANY = f"INSERT INTO operations ({_COLUMNS}) VALUES {','.join([_ROW] * _ROWS_A_STATEMENT)}"
_ONE = f"INSERT INTO operations ({_COLUMNS}) VALUES {_ROW}"
_RESTORED = f"INSERT INTO restored ({_COLUMNS}) VALUES {_ROW}"
_PART = f"(SELECT {_COLUMNS} FROM operations WHERE seq_no BETWEEN ? AND ? ORDER BY seq_no LIMIT ?)"
_LENGTHS, _GATHERED = LENGTHS.format(part=_PART), GATHERED.format(part=_PART)
_SEQ_NO_MAX = 2**63 - 1
PAGE_BYTES: Final = 8_192
_SHRINK_FROM_BYTES = 256_000_000
_SHRINK_FROM_SHARE = 0.75
"""Less is left in the file for the operations to come."""

_decode_mark: Final = msgspec.json.Decoder(HistoryMark).decode

Fact = str | int


class OperationLogFile:
    """One SQLite file. Raises Internal where SQLite fails, IllegalState for an unknown format."""

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as opened:
            try:
                self._writer = opened.enter_context(contextlib.closing(_connect(path)))
                self._reader = opened.enter_context(contextlib.closing(_connect(path)))
                prepare(self._writer, path)
            except sqlite3.Error as exc:
                raise Internal(f"the operation log [{path}] cannot be opened: {exc}") from exc
            opened.pop_all()
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        """Held for one transaction: leases are written beside the shard's lock, which a refresh holds for long."""

    def transaction(self) -> "_Transaction":
        """`with` it: all that is executed on its connection is durable at the end, or has not happened."""
        return _Transaction(self._writer, self._write_lock)

    def _reading(self) -> "_Transaction":
        """One view of the file for several statements."""
        return _Transaction(self._reader, self._read_lock, "BEGIN")

    # -- facts ---------------------------------------------------------------------------------------------------

    def fact(self, name: str) -> Fact | None:
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def number(self, name: str) -> int:
        """A fact that is there, and a number."""
        value = self.fact(name)
        assert isinstance(value, int)
        return value

    def set_facts(self, **facts: Fact) -> None:
        """Durable when it returns; all of them or none."""
        with self.transaction() as connection:
            put_facts(connection, facts)

    # -- operations ----------------------------------------------------------------------------------------------

    def append(self, rows: Sequence[Row], **facts: Fact) -> None:
        """All of them, and `facts` with them, or none; durable when it returns."""
        with self.transaction() as connection:
            whole = len(rows) - len(rows) % _ROWS_A_STATEMENT
            for start in range(0, whole, _ROWS_A_STATEMENT):
                few = rows[start : start + _ROWS_A_STATEMENT]
                connection.execute(_MANY, list(chain.from_iterable(few)))
            if whole < len(rows):
                connection.executemany(_ONE, rows[whole:])
            if facts:
                put_facts(connection, facts)

    def read(
        self, from_seq_no: int, max_count: int, max_bytes: int, *, to_seq_no: int = _SEQ_NO_MAX
    ) -> list[Operation]:
        """Operations in [from_seq_no, to_seq_no], in order: at least one if there is one. There may be gaps.

        Another one that would bring them over `max_bytes` is left out; each counts its id, its source and 50.
        """
        found: list[Operation] = []
        size = 0
        with self._reading() as connection:
            while len(found) < max_count:
                few = min(max_count - len(found), _ROWS_A_READ)
                bounds = (from_seq_no, to_seq_no)
                (lengths,) = connection.execute(_LENGTHS, (*bounds, few)).fetchone()
                if lengths is None:
                    break
                sizes = list(accumulate(each + ENTRY_BYTES for each in whole_numbers(lengths)))
                left = max_bytes - size
                fits = bisect_right(sizes, min(left, _BYTES_A_READ))
                if not fits:
                    if found and sizes[0] > left:
                        break
                    fits = 1
                found += gathered_operations(
                    connection.execute(_GATHERED, (*bounds, fits)).fetchone()
                )
                size += sizes[fits - 1]
                from_seq_no = found[-1].seq_no + 1
                if fits == len(sizes) < few:
                    break
        return found

    def mark(self, seq_no: int) -> HistoryMark | None:
        """The operation of that number, also the last one that has been removed; None for what came as a copy."""
        with self._reading() as connection:
            facts = dict(
                connection.execute("SELECT * FROM facts WHERE name IN ('floor', 'last_gone')")
            )
            row = select_mark(connection, seq_no) if seq_no >= facts["floor"] else None
        if row is not None:
            return row
        gone = _decode_mark(facts["last_gone"]) if "last_gone" in facts else None
        return gone if gone is not None and gone.seq_no == seq_no else None

    def ids_above(self, seq_no: int) -> list[str]:
        """The ids of all operations above `seq_no` that are about one, each once."""
        with self._reading() as connection:
            (found,) = connection.execute(
                "SELECT json_group_array(id) FROM "
                "(SELECT DISTINCT id FROM operations WHERE seq_no > ? AND kind < 2)",
                (seq_no,),
            ).fetchone()
        return texts(found)

    def seq_nos_above(self, seq_no: int) -> list[int]:
        with self._reading() as connection:
            (found,) = connection.execute(
                "SELECT group_concat(seq_no) FROM "
                "(SELECT seq_no FROM operations WHERE seq_no > ? ORDER BY seq_no)",
                (seq_no,),
            ).fetchone()
        return [] if found is None else whole_numbers(found)

    def lowest(self) -> int:
        """The lowest seq_no held; NONE where there is none."""
        with self._reading() as connection:
            (low,) = connection.execute("SELECT min(seq_no) FROM operations").fetchone()
        return NONE if low is None else low

    def shrink(self) -> None:
        """Gives the space of removed operations back, where that is most of the file. Costs by what is left."""
        with self._write_lock, self._read_lock:
            try:
                (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
                (free,) = self._writer.execute("PRAGMA freelist_count").fetchone()
                if free * PAGE_BYTES < _SHRINK_FROM_BYTES or free < pages * _SHRINK_FROM_SHARE:
                    return
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as exc:
                raise Internal(f"the operation log failed: {exc}") from exc

    # -- rolling back --------------------------------------------------------------------------------------------

    def roll_back(self, to_seq_no: int, restored: Sequence[Row], **facts: Fact) -> None:
        """Drops all operations above `to_seq_no`, and keeps what is to be put back into the index instead, with
        `facts`; durable when it returns, or nothing has happened.
        """
        with self.transaction() as connection:
            connection.execute("DELETE FROM operations WHERE seq_no > ?", (to_seq_no,))
            connection.execute("DELETE FROM restored")
            connection.executemany(_RESTORED, restored)
            put_facts(connection, facts)

    def restored(self) -> list[Operation]:
        """What a roll-back left to be put back: documents, and a deletion for an id that had none."""
        with self._reading() as connection:
            cursor = connection.execute(f"SELECT {_COLUMNS} FROM restored")
            return [
                Operation(seq_no, term, version, OpKind(kind), doc_id, routing, source, wall_ms)
                for seq_no, term, version, kind, doc_id, routing, source, wall_ms in cursor
            ]

    # ------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        with self._read_lock:
            self._reader.close()
        with self._write_lock:
            self._writer.close()


def select_mark(connection: sqlite3.Connection, seq_no: int) -> HistoryMark | None:
    row = connection.execute(
        "SELECT seq_no, term, version, id, wall_ms FROM operations WHERE seq_no = ?", (seq_no,)
    ).fetchone()
    return None if row is None else HistoryMark(*row)


def encode_mark(mark: HistoryMark) -> str:
    return msgspec.json.encode(mark).decode()


def put_facts(connection: sqlite3.Connection, facts: Mapping[str, Fact]) -> None:
    """Inside a transaction."""
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


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


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=16
    )
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # A checkpoint copies each page once more; rarer ones find more pages written twice.
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    return connection


class _Transaction:
    """BEGIN to COMMIT, or ROLLBACK, by one thread at a time; sqlite3's own errors become ours."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: threading.Lock,
        begin: str = "BEGIN IMMEDIATE",
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._begin = begin

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._connection.execute(self._begin)
        except sqlite3.Error as exc:
            self._lock.release()
            raise Internal(f"the operation log failed: {exc}") from exc
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        try:
            self._end(kind, exc)
        finally:
            self._lock.release()

    def _end(self, kind: type[BaseException] | None, exc: BaseException | None) -> None:
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
