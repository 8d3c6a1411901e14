"""A shard's history as those who follow it read it: operations from the log, live documents from a view. Reads only."""

from collections.abc import Callable, Sequence
from typing import Final

import tantivy

from sealane.engine.base import Changes, LiveDocuments, ShardState
from sealane.engine.embedded.index_files import mapped_errors
from sealane.engine.embedded.log_rows import ENTRY_BYTES
from sealane.engine.embedded.oplog import OperationLogFile
from sealane.engine.embedded.recent import RecentOperations
from sealane.engine.embedded.retained import RetainedLog, lease_text
from sealane.engine.embedded.stored import decode_stored
from sealane.engine.embedded.view import SEQ_NO, STORED, ShardView
from sealane.errors import HistoryDiverged, IllegalState, OperationsMissing
from sealane.model.document import Operation, OpKind
from sealane.model.replication import HistoryMark

_WINDOW_GROWTH: Final = 4
_INTEGER: Final = tantivy.FieldType.Integer


class HistoryReader:
    """Of one shard; `state` tells where it stands. Safe from any thread."""

    def __init__(
        self,
        log: OperationLogFile,
        recent: RecentOperations,
        retained: RetainedLog,
        state: Callable[[], ShardState],
    ) -> None:
        self._log = log
        self._recent = recent
        self._retained = retained
        self._state = state

    def changes(
        self, from_seq_no: int, max_count: int, max_bytes: int, previous: HistoryMark | None
    ) -> Changes:
        """As OperationLog.changes."""
        while True:
            found = self._changes(from_seq_no, max_count, max_bytes, previous)
            # Rolled back while it was read: operations of one history must not be told under the name of another.
            if self._state().history_uuid == found.state.history_uuid:
                return found

    def _changes(
        self, from_seq_no: int, max_count: int, max_bytes: int, previous: HistoryMark | None
    ) -> Changes:
        state = self._state()
        self._recent.is_wanted = True
        if previous is not None:
            self._check_mark(previous, state)
        last = min(state.checkpoint, from_seq_no + max_count - 1)
        if from_seq_no > last:
            return Changes(operations=(), state=state)
        self._require(from_seq_no)
        found = self._recent.read(from_seq_no, max_count, max_bytes, last)
        found = found or self._log.read(from_seq_no, max_count, max_bytes, to_seq_no=last)
        if not found or found[0].seq_no != from_seq_no:
            # They have been trimmed since the floor was looked at.
            raise self._missing(from_seq_no)
        if found[-1].seq_no - from_seq_no + 1 != len(found):
            raise IllegalState(
                f"the operation log has a hole between [{from_seq_no}] and [{found[-1].seq_no}]"
            )
        return Changes(operations=found, state=state)

    def mark(self, seq_no: int) -> HistoryMark | None:
        """As OperationLog.mark."""
        return self._log.mark(seq_no) if seq_no <= self._state().checkpoint else None

    def ids_above(self, seq_no: int) -> list[str]:
        """As OperationLog.touched_since."""
        state = self._state()
        if seq_no < state.max_seq_no:
            self._require(seq_no + 1)
        found = self._log.ids_above(seq_no)
        if seq_no < state.max_seq_no:
            self._require(seq_no + 1)  # trimmed while it was read
        return found

    def _require(self, from_seq_no: int) -> None:
        if from_seq_no < self._retained.floor:
            raise self._missing(from_seq_no)

    def _missing(self, from_seq_no: int) -> OperationsMissing:
        leases = [lease_text(lease) for lease in self._retained.leases()]
        return OperationsMissing(from_seq_no, self._retained.floor - 1, leases)

    def _check_mark(self, previous: HistoryMark, state: ShardState) -> None:
        """Raises HistoryDiverged where this shard has another operation of that number, or none yet."""
        number = previous.seq_no
        if number > state.checkpoint:
            raise HistoryDiverged(number, _shown(previous), "-")
        held = self._recent.mark(number) or self._log.mark(number)
        if held is not None and held != previous:
            raise HistoryDiverged(number, _shown(previous), _shown(held))


def _shown(mark: HistoryMark) -> str:
    return f"{mark.id} version {mark.version} term {mark.term} at {mark.wall_ms}"


def live_documents(
    view: ShardView, low: int, high: int, max_count: int, max_bytes: int
) -> tuple[Sequence[Operation], int]:
    """The view's documents with numbers in [low, high], the lowest first, and the number up to which these are all.

    A page's cost does not grow with the index: numbers are unique, so a window of `max_count` numbers holds a page at
    most. It grows while documents are rare in it.
    """
    found: list[Operation] = []
    size, window = 0, max_count
    with mapped_errors():
        while low <= high:
            end = min(high, low + window - 1)
            left = max_count - len(found)
            query = tantivy.Query.range_query(view.schema, SEQ_NO, _INTEGER, low, end)
            hits = view.searcher.search(query, left, False, SEQ_NO, 0, tantivy.Order.Asc).hits
            for seq_no, address in hits:
                stored = decode_stored(view.searcher.doc(address)[STORED][0])
                size += len(stored.source) + len(stored.id) + ENTRY_BYTES
                if found and size > max_bytes:
                    return found, seq_no - 1
                found.append(
                    Operation(
                        stored.seq_no,
                        stored.term,
                        stored.version,
                        OpKind.INDEX,
                        stored.id,
                        stored.routing,
                        stored.source,
                        0,
                    )
                )
            if len(hits) == left:
                return found, found[-1].seq_no
            low = end + 1
            window *= _WINDOW_GROWTH
    return found, high


def live_page(
    view: ShardView,
    state: ShardState,
    bounds: tuple[int, int],
    max_count: int,
    max_bytes: int,
) -> LiveDocuments:
    """As OperationLog.live_documents, of a view that covers the bounds."""
    operations, up_to = live_documents(view, *bounds, max_count, max_bytes)
    return LiveDocuments(
        operations=operations, up_to=up_to, total_docs=view.searcher.num_docs, state=state
    )
