"""What a shard knows of documents that its searcher does not show yet: for realtime gets and for versions.

Entries live from the write to the refresh that makes them visible; deletes stay a while longer, as tombstones. An
entry is the row that was logged: a bulk makes thousands of them, and a plain tuple of plain values is not even walked
by the garbage collector.
"""

from collections.abc import Mapping

from sealane.engine.embedded.oplog import Row

GC_DELETES_S = 60.0
"""How long a deleted document's version is remembered unless `index.gc_deletes` says otherwise, in seconds."""
_ENTRY_BYTES = 250


class VersionMap:
    """Written under the shard's lock; `get` may be called from any thread."""

    def __init__(self) -> None:
        self.gc_deletes_s = GC_DELETES_S
        self._current: dict[str, Row] = {}
        self._refreshing: dict[str, Row] = {}
        self._tombstones: dict[str, tuple[Row, int]] = {}
        self.size_bytes = 0
        """Roughly what the unrefreshed entries take."""

    def get(self, doc_id: str) -> Row | None:
        """The newest operation on the id."""
        row = self._current.get(doc_id)
        if row is None:
            row = self._refreshing.get(doc_id)
        if row is None and self._tombstones:
            buried = self._tombstones.get(doc_id)
            row = None if buried is None else buried[0]
        return row

    def put_all(self, rows: Mapping[str, Row], source_bytes: int) -> None:
        """Newer ones, by id; their sources have `source_bytes` together."""
        self._current.update(rows)
        self.size_bytes += _ENTRY_BYTES * len(rows) + source_bytes

    def begin_refresh(self) -> None:
        """What is here now will be visible once the refresh ends; what comes after will not."""
        # After a refresh that failed its entries are still here, and older than the current ones.
        self._refreshing = (
            {**self._refreshing, **self._current} if self._refreshing else self._current
        )
        self._current = {}
        self.size_bytes = 0

    def restart(self, rows: Mapping[str, Row]) -> None:
        """Forgets all there was: only these are known, until a refresh."""
        self._current, self._refreshing, self._tombstones = dict(rows), {}, {}
        self.size_bytes = _ENTRY_BYTES * len(rows)

    def end_refresh(self, now_ms: int, checkpoint: int) -> None:
        """The searcher shows them now. A delete above the checkpoint is kept: older operations on the id may still
        come, and must not bring the document back.
        """
        tombstones = self._tombstones
        for doc_id, row in self._refreshing.items():
            if row[6] is None:
                tombstones[doc_id] = (row, now_ms)
            elif tombstones:
                tombstones.pop(doc_id, None)
        self._refreshing = {}
        if tombstones:
            oldest = now_ms - self.gc_deletes_s * 1000
            self._tombstones = {
                doc_id: buried
                for doc_id, buried in tombstones.items()
                if buried[1] > oldest or buried[0][0] > checkpoint
            }
