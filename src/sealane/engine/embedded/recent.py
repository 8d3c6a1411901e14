"""The newest operations of a shard as they were logged: whoever follows it closely is told of them from memory.

Reading the log costs the leader a tenth of what writing did. These are kept only while somebody reads, and only until a
refresh: until then the shard remembers them for realtime gets anyway. All are durable, and they have no holes.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sealane.engine.embedded.log_rows import ENTRY_BYTES, KINDS, Row
from sealane.model.document import Operation
from sealane.model.replication import HistoryMark

_MAX_BYTES: Final = 8_000_000
"""Whoever is further behind than these reads the log."""


class _Run(NamedTuple):
    """Rows one after the other; `first` is the number of the first one."""

    first: int
    rows: list[Row]


class RecentOperations:
    """Written under the shard's lock; read from any thread: a run is only ever added to."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._size_bytes = 0
        self.is_wanted = False
        """Whether somebody reads: nothing is kept before."""

    def add(self, rows: Sequence[Row], source_bytes: int) -> None:
        """What has just become durable; the sources have `source_bytes` together."""
        if not self.is_wanted:
            return
        first = rows[0][0]
        if any(row[0] != seq_no for seq_no, row in enumerate(rows, first)):
            self._run = None
            return
        size = source_bytes + ENTRY_BYTES * len(rows)
        run = self._run
        if (
            run is None
            or run.first + len(run.rows) != first
            or self._size_bytes + size > _MAX_BYTES
        ):
            self._run = _Run(first, list(rows)) if size <= _MAX_BYTES else None
            self._size_bytes = size
        else:
            run.rows.extend(rows)
            self._size_bytes += size

    def clear(self) -> None:
        """What comes now is kept once somebody has read again."""
        self._run, self.is_wanted = None, False

    def read(
        self, from_seq_no: int, max_count: int, max_bytes: int, to_seq_no: int
    ) -> list[Operation]:
        """As OperationLogFile.read; none where the first one is not here."""
        found: list[Operation] = []
        size = 0
        for seq_no, term, version, kind, doc_id, routing, source, wall_ms in self._rows(
            from_seq_no, min(to_seq_no, from_seq_no + max_count - 1)
        ):
            size += ENTRY_BYTES + len(doc_id if doc_id.isascii() else doc_id.encode())
            if source is not None:
                size += len(source)
            if size > max_bytes and found:
                break
            found.append(
                Operation(seq_no, term, version, KINDS[kind], doc_id, routing, source, wall_ms)
            )
        return found

    def mark(self, seq_no: int) -> HistoryMark | None:
        """As OperationLogFile.mark; also None where it is not here."""
        for row in self._rows(seq_no, seq_no):
            return HistoryMark(
                seq_no=seq_no, term=row[1], version=row[2], id=row[4], wall_ms=row[7]
            )
        return None

    def _rows(self, first: int, last: int) -> Sequence[Row]:
        run = self._run
        if run is None or not run.first <= first <= last:
            return ()
        return run.rows[first - run.first : last - run.first + 1]
