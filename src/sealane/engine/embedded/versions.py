"""What a shard knows of documents that its searcher does not show yet: for realtime gets and for versions.

Entries live from the write to the refresh that makes them visible; deletes stay a while longer, as tombstones.
"""

from typing import NamedTuple

GC_DELETES_MS = 60_000
"""How long a deleted document's version is remembered (`index.gc_deletes`)."""
_ENTRY_BYTES = 200


class Entry(NamedTuple):
    """The newest operation on one id. `source` None means deleted."""

    seq_no: int
    term: int
    version: int
    source: bytes | None
    routing: str | None


class VersionMap:
    """Written under the shard's lock; `get` may be called from any thread."""

    def __init__(self) -> None:
        self._current: dict[str, Entry] = {}
        self._refreshing: dict[str, Entry] = {}
        self._tombstones: dict[str, tuple[Entry, int]] = {}
        self.size_bytes = 0
        """Roughly what the unrefreshed entries take."""

    def get(self, doc_id: str) -> Entry | None:
        entry = self._current.get(doc_id)
        if entry is None:
            entry = self._refreshing.get(doc_id)
        if entry is None and self._tombstones:
            buried = self._tombstones.get(doc_id)
            entry = None if buried is None else buried[0]
        return entry

    def put(self, doc_id: str, entry: Entry) -> None:
        self._current[doc_id] = entry
        self.size_bytes += _ENTRY_BYTES + len(doc_id) + (len(entry.source) if entry.source else 0)

    def begin_refresh(self) -> None:
        """What is here now will be visible once the refresh ends; what comes after will not."""
        # After a refresh that failed its entries are still here, and older than the current ones.
        self._refreshing = {**self._refreshing, **self._current}
        self._current = {}
        self.size_bytes = 0

    def end_refresh(self, now_ms: int) -> None:
        """The searcher shows them now."""
        for doc_id, entry in self._refreshing.items():
            if entry.source is None:
                self._tombstones[doc_id] = (entry, now_ms)
            else:
                self._tombstones.pop(doc_id, None)
        self._refreshing = {}
        if self._tombstones:
            self._tombstones = {
                doc_id: buried
                for doc_id, buried in self._tombstones.items()
                if now_ms - buried[1] < GC_DELETES_MS
            }
