"""One shard: an operation log that is the truth, and a tantivy index derived from it.

Everything here blocks. Whoever owns the shard calls one writing method at a time, from any thread; `state`, `get`,
`view`, `history` and `retained` may be used beside them.

A write goes: versions and conditions -> documents built (so that a bad one is refused before it is logged) -> logged
and durable -> given to tantivy -> remembered for realtime gets. A refresh commits tantivy, opens a searcher and then
notes how far the commit reaches; a start replays what lies behind that note.
"""

import itertools
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sealane.clock import Clock, Ids
from sealane.engine.base import IndexConfig, RollBack, ShardState
from sealane.engine.embedded.batch import Batch, build_operation
from sealane.engine.embedded.coercion import Flat
from sealane.engine.embedded.document_index import Change, DocumentIndex, Replaced
from sealane.engine.embedded.documents import parse_ignoring_unknown
from sealane.engine.embedded.index_files import (
    claim_folder,
    empty_index,
    mapped_errors,
    size_bytes,
)
from sealane.engine.embedded.lineage import Lineage
from sealane.engine.embedded.lookup import find_document, has_document
from sealane.engine.embedded.numbers import SeqNumbers
from sealane.engine.embedded.oplog import NONE, OperationLogFile, Row, encode_mark
from sealane.engine.embedded.reading_log import HistoryReader
from sealane.engine.embedded.recent import RecentOperations
from sealane.engine.embedded.retained import RetainedLog, Retention
from sealane.engine.embedded.roll_back import check_roll_back, restored_rows, rolled_back_facts
from sealane.engine.embedded.versions import GC_DELETES_S, VersionMap
from sealane.engine.embedded.view import ShardView
from sealane.engine.embedded.view_limits import max_inner_window, view_limits
from sealane.errors import ApiError, IllegalArgument, IllegalState, Internal
from sealane.model.document import Document, Operation, OpKind, WriteOp, WriteResult
from sealane.model.replication import Ancestor, HistoryMark
from sealane.settings.units import parse_time

_LOG = logging.getLogger("sealane.engine")
_REPLAY_COUNT = 1000
_REPLAY_BYTES = 16_000_000
UNREFRESHED_MAX_BYTES = 64_000_000
"""Documents kept in memory for realtime gets before a refresh is due, searched or not."""

_generations = itertools.count(1)


class Shard:
    """Open from the constructor on; `close` commits. Raises IllegalState where its files cannot be trusted."""

    def __init__(
        self, folder: Path, number: int, config: IndexConfig, clock: Clock, ids: Ids
    ) -> None:
        claim_folder(folder)
        self.number = number
        self._uuid = config.uuid
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._documents = DocumentIndex(folder)
        self._versions = VersionMap()
        self._recent = RecentOperations()
        self._mapping = config.mapping
        self._limits = view_limits(config.settings)
        self._max_inner_window = max_inner_window(config.settings)
        self._versions.gc_deletes_s = _gc_deletes_s(config)
        self._dirty = False
        self._is_reviving = False
        self._is_behind = False
        """Whether the index lacks what the log holds behind the last commit: a writer that died had it, or a roll-back
        left it to be put back. Nothing else may be written or committed before that has been told again.
        """
        self._parse_given = parse_ignoring_unknown(config.mapping)
        self._log = OperationLogFile(folder / "operations.sqlite")
        try:
            self._start(config, ids)
        except BaseException:
            self._log.close()
            raise

    # -- start and stop ------------------------------------------------------------------------------------------

    def _start(self, config: IndexConfig, ids: Ids) -> None:
        if self._log.fact("history_uuid") is None and self._documents.has_files:
            # Without the log nobody knows which numbers were given, nor what was acknowledged behind the last commit.
            raise IllegalState(
                f"the operation log of shard [{self._uuid}][{self.number}] is missing or empty, but its index is "
                f"there: restore the folder [{self._folder}] from a copy, or delete the index"
            )
        self._lineage = Lineage(self._log, ids)
        self._committed = self._log.number("committed")
        self.retained = RetainedLog(
            self._log, self._clock, Retention.from_settings(config.settings)
        )
        # Below the floor there are documents of a copy, with gaps between their numbers.
        known = max(self._committed, self.retained.floor - 1)
        self._numbers = SeqNumbers(known, self._log.seq_nos_above(known))
        self.history = HistoryReader(self._log, self._recent, self.retained, self.state)
        self._open_documents()
        self.view = self._make_view()
        self._replay()

    def _open_documents(self) -> None:
        documents = self._documents
        try:
            documents.open(self._mapping)
        except Internal as exc:
            self._require_whole_log(exc.reason)
            _LOG.warning("rebuilding shard %s[%d]: %s", self._uuid, self.number, exc.reason)
            documents.remove()
        if documents.index is None and self._committed != NONE:
            self._require_whole_log("its index is missing")
            # First, so that a crash amid the rebuilding does not leave a part of it as the whole.
            self._log.set_facts(committed=NONE)
            self._committed = NONE

    def _require_whole_log(self, why: str) -> None:
        begin = max(self._log.lowest(), self.retained.floor)
        if self._committed != NONE and (begin or self._log.lowest() == NONE):
            raise IllegalState(
                f"shard [{self._uuid}][{self.number}] cannot be recovered: {why}, and its operation log "
                f"begins at [{begin}]; restore the folder [{self._folder}] from a copy"
            )

    def _replay(self) -> None:
        """Gives tantivy what the log holds behind the last commit. Doing it twice changes nothing."""
        self._put_back_restored()
        from_seq_no = self._committed + 1
        while operations := self._log.read(from_seq_no, _REPLAY_COUNT, _REPLAY_BYTES):
            self._index_again(operations)
            from_seq_no = operations[-1].seq_no + 1
        if self._dirty:
            self.refresh()

    def _put_back_restored(self) -> None:
        """What a roll-back left. It goes in before all that came later."""
        if restored := self._log.restored():
            self._index_again(restored)

    def _index_again(self, operations: Iterable[Operation]) -> None:
        """Each replaces what there is of its id."""
        documents = self._documents
        documents.ensure(self._mapping, self.refresh)
        changes: list[Change] = []
        families: list[Replaced] = []
        buried: dict[str, Row] = {}
        for op in operations:
            if op.kind is OpKind.NO_OP:
                continue
            built = values = None
            if op.kind is OpKind.INDEX and op.source is not None:
                values = self._parse_given(op.source)
                built = build_operation(op, values, documents.schema)
            elif op.seq_no > self._numbers.checkpoint:
                # Older operations on the id may still come.
                buried[op.id] = (op.seq_no, op.term, op.version, 1, op.id, op.routing, None, 0)
            changes.append((op.id, built))
            families.append((op.id, documents.nested.documents(values, op.id, op.seq_no), False))
        documents.write(changes, families, is_clean=not self._dirty)
        self._versions.put_all(buried, 0)
        self._dirty = True

    def close(self) -> None:
        """Commits, and marks the end as a clean one."""
        try:
            self.refresh()
            self._documents.close_writer()
            self._log.set_facts(is_clean=1)
        except BaseException:
            self._let_go_of_writer()
            raise
        finally:
            self._log.close()

    def abandon(self) -> None:
        """Lets go of the files without committing: the shard is about to be deleted."""
        self._let_go_of_writer()
        self._log.close()

    def _let_go_of_writer(self) -> None:
        try:
            self._documents.close_writer()
        except Internal as exc:
            _LOG.warning("closing the writer of %s[%d]: %s", self._uuid, self.number, exc)

    # -- writing -------------------------------------------------------------------------------------------------

    def update_config(self, config: IndexConfig) -> None:
        """Searches follow the new mapping at once, in the same documents."""
        if config.mapping is not self._mapping:
            self._parse_given = parse_ignoring_unknown(config.mapping)
        self._mapping = config.mapping
        self._limits = view_limits(config.settings)
        self._max_inner_window = max_inner_window(config.settings)
        self._versions.gc_deletes_s = _gc_deletes_s(config)
        self.retained.retention = Retention.from_settings(config.settings)
        self.view = replace(
            self.view,
            mapping=self._mapping,
            generation=next(_generations),
            nested=self._nested_view(),
            **self._limits,
        )

    def apply(
        self, operations: Sequence[WriteOp], parsed: Sequence[Flat | ApiError | None]
    ) -> list[WriteResult | ApiError]:
        """As primary, in order. `parsed` belongs to `operations` one by one; an error there is its outcome."""
        self._make_ready()
        batch = self._new_batch()
        for op, document in zip(operations, parsed, strict=True):
            if isinstance(document, ApiError):
                batch.outcomes.append(document)
                continue
            try:
                batch.add(op, document, self._ids)
            except ApiError as exc:
                batch.outcomes.append(exc)
        if batch.rows:
            self._log.append(batch.rows)
            self._take_logged(batch)
        return batch.outcomes

    def apply_replica(self, operations: Sequence[Operation]) -> None:
        """Under their own seq_no, term and version; those applied before are left out."""
        batch = self._given(operations)
        if batch.rows:
            self._append_given(batch)
            self._take_logged(batch)

    def apply_copied(
        self, operations: Sequence[Operation], up_to: int, mark: HistoryMark | None = None
    ) -> None:
        """As Writer.apply_copied. Raises IllegalArgument where they are not ascending from above the checkpoint."""
        before = self._numbers.checkpoint
        for op in operations:
            if not before < op.seq_no <= up_to:
                raise IllegalArgument(f"operation [{op.seq_no}] is not in [{before + 1}, {up_to}]")
            before = op.seq_no
        if up_to <= self._numbers.checkpoint:
            return
        batch = self._given(operations)
        floor = max(up_to + 1, self.retained.floor)
        last_gone = {} if mark is None else {"last_gone": encode_mark(mark)}
        self._append_given(batch, floor=floor, **last_gone)
        self.retained.note_floor(floor)
        self._take_logged(batch, up_to)

    def _make_ready(self) -> None:
        self._documents.ensure(self._mapping, self.refresh)
        if self._is_behind:
            self._revive()

    def _given(self, operations: Sequence[Operation]) -> Batch:
        self._make_ready()
        batch, numbers = self._new_batch(), self._numbers
        for op in operations:
            if op.seq_no not in numbers and op.seq_no not in batch.seq_nos:
                batch.add_given(op, self._parse_given)
        return batch

    def _append_given(self, batch: Batch, **facts: int | str) -> None:
        """A shard's own term is never below that of an operation it has: as primary it goes on above them."""
        term = max((row[1] for row in batch.rows), default=0)
        if term > self._lineage.term:
            self._log.append(batch.rows, primary_term=term, **facts)
            self._lineage.term = term
        else:
            self._log.append(batch.rows, **facts)

    def _new_batch(self) -> Batch:
        documents = self._documents
        return Batch(
            shard=self.number,
            term=self._lineage.term,
            next_seq_no=self._numbers.highest + 1,
            schema=documents.schema,
            known=self._known,
            is_live=self._is_live,
            now_ms=self._clock.now_ms(),
            nested=documents.nested.documents if documents.nested.exists else None,
        )

    def _take_logged(self, batch: Batch, up_to: int | None = None) -> None:
        """What is in the log is there, whatever becomes of the index. A copy is whole up to `up_to`."""
        was_dirty = self._dirty
        self._dirty = was_dirty or bool(batch.rows)  # before the checkpoint counts them
        if up_to is not None:
            self._numbers.pass_over(up_to)
        if not batch.rows:
            return
        if up_to is None:
            self._recent.add(batch.rows, batch.source_bytes)
            self._numbers.note_all([row[0] for row in batch.rows])
        self._versions.put_all(batch.entries, batch.source_bytes)
        try:
            self._documents.write(batch.changes, batch.families, is_clean=not was_dirty)
        except Internal as exc:
            # Everything is in the log: a writer that died is made anew and told again.
            _LOG.warning("rebuilding the writer of %s[%d]: %s", self._uuid, self.number, exc)
            self._revive()
        except BaseException:
            self._is_behind = True
            raise

    def _revive(self) -> None:
        """After a writer died with what it had not committed: opens the files anew and replays the log."""
        self._is_reviving = self._is_behind = True
        try:
            self._documents.reopen(self._mapping)
            self._dirty = False
            self._replay()
            self._is_behind = False
        except BaseException:
            self._dirty = True
            raise
        finally:
            self._is_reviving = False

    # -- history -------------------------------------------------------------------------------------------------

    def adopt_history(self, uuid: str, ancestors: Sequence[Ancestor]) -> None:
        """As Writer.adopt_history."""
        self._lineage.adopt(uuid, ancestors)

    def require_no_holes(self) -> None:
        """Raises IllegalState."""
        numbers = self._numbers
        if numbers.has_holes:
            raise IllegalState(
                f"shard [{self._uuid}][{self.number}] has operations up to [{numbers.highest}], but all only up to "
                f"[{numbers.checkpoint}]"
            )

    def begin_history(self) -> None:
        """As Writer.begin_history, for this shard."""
        self.require_no_holes()
        self._lineage.begin(self._numbers.checkpoint)

    def roll_back(self, back: RollBack) -> None:
        """As Writer.roll_back. One transaction of the log decides; the index follows, also after a crash."""
        rows = restored_rows(back)
        with self.retained.keeping(back.to_seq_no + 1) as floor:
            check_roll_back(back, self.state(), floor, self._log.ids_above)
            self.refresh()
            self._make_ready()
            self._documents.close_writer()
            self._recent.clear()
            self._log.roll_back(back.to_seq_no, rows, **rolled_back_facts(back))
        self._is_behind = self._dirty = True
        self._committed = back.to_seq_no
        self._numbers.return_to(back.to_seq_no)
        self._lineage.uuid, self._lineage.ancestors = back.history_uuid, tuple(back.ancestors)
        self._versions.restart({row[4]: row for row in rows})
        self._revive()

    # -- refresh -------------------------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether something was written since the last refresh, or is being told to the index again."""
        return self._dirty or self._is_behind

    @property
    def is_full(self) -> bool:
        return self._versions.size_bytes > UNREFRESHED_MAX_BYTES

    @property
    def visible_to(self) -> int:
        """The view shows all up to this number."""
        return self._committed if self.is_dirty else self._numbers.checkpoint

    @property
    def has_writer(self) -> bool:
        return self._documents.has_writer

    def release_writer(self) -> None:
        """Gives back the writer's threads and memory. The next write opens another."""
        if not self._dirty:
            self._documents.close_writer()

    def refresh(self) -> bool:
        """Makes all that was written searchable. False when there was nothing."""
        if not self._dirty:
            return False
        try:
            self._refresh()
        except Internal as exc:
            if self._is_reviving:
                raise
            _LOG.warning("rebuilding the writer of %s[%d]: %s", self._uuid, self.number, exc)
            self._revive()
        return True

    def _refresh(self) -> None:
        if self._is_behind and not self._is_reviving:
            raise Internal("the index has not been told again what it lost")
        self._versions.begin_refresh()
        covered = self._numbers.checkpoint
        self._documents.commit()
        self.view = self._make_view()
        self._dirty = False
        self._versions.end_refresh(self._clock.now_ms(), covered)
        self._recent.clear()
        self.retained.note_commit(covered)
        self._committed = covered

    def _make_view(self) -> ShardView:
        index = self._documents.index or empty_index()
        with mapped_errors():
            searcher = index.searcher()
        self._is_any_visible = searcher.num_docs > 0
        return ShardView(
            shard=self.number,
            index_uuid=self._uuid,
            index=index,
            searcher=searcher,
            schema=index.schema,
            mapping=self._mapping,
            columns=self._documents.columns,
            generation=next(_generations),
            nested=self._nested_view(),
            **self._limits,
        )

    def _nested_view(self) -> ShardView | None:
        return self._documents.nested.view(
            self.number, self._uuid, self._mapping, next(_generations), self._max_inner_window
        )

    # -- reading -------------------------------------------------------------------------------------------------

    def get(self, doc_id: str, realtime: bool) -> Document | None:
        """The live document. Realtime sees what is not refreshed yet."""
        if realtime:
            row = self._versions.get(doc_id)
            if row is not None:
                seq_no, term, version, _, _, routing, source, _ = row
                if source is None:
                    return None
                return Document(
                    id=doc_id,
                    version=version,
                    seq_no=seq_no,
                    primary_term=term,
                    source=source,
                    routing=routing,
                )
        return find_document(self.view, doc_id)

    def _known(self, doc_id: str) -> Row | None:
        row = self._versions.get(doc_id)
        if row is not None:
            return row
        found = find_document(self.view, doc_id) if self._is_any_visible else None
        if found is None:
            return None
        seq_no, term, version = found.seq_no, found.primary_term, found.version
        return seq_no, term, version, 0, doc_id, found.routing, found.source, 0

    def _is_live(self, doc_id: str) -> bool:
        """False where there is surely no document of that id."""
        row = self._versions.get(doc_id)
        if row is not None:
            return row[6] is not None
        return self._is_any_visible and has_document(self.view, doc_id)

    @property
    def checkpoint(self) -> int:
        return self._numbers.checkpoint

    def state(self) -> ShardState:
        lineage, numbers = self._lineage, self._numbers
        return ShardState(
            history_uuid=lineage.uuid,
            primary_term=lineage.term,
            max_seq_no=numbers.highest,
            checkpoint=numbers.checkpoint,
            ancestors=lineage.ancestors,
        )

    def counts(self) -> tuple[int, int, int]:
        """Documents, deleted documents as of the last refresh, and bytes on disk."""
        docs = self.view.searcher.num_docs
        if self.view.nested is not None:
            # The reference counts each nested object as a document of its own.
            docs += self.view.nested.searcher.num_docs
        return docs, self._documents.deleted, size_bytes(self._folder)


def _gc_deletes_s(config: IndexConfig) -> float:
    value = config.settings.get("index.gc_deletes")
    return GC_DELETES_S if value is None else parse_time(str(value), "index.gc_deletes").seconds
