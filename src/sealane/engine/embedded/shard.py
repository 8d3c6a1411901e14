"""One shard: an operation log that is the truth, and a tantivy index derived from it.

Everything here blocks. Whoever owns the shard calls one writing method at a time, from any thread; `state`, `get`,
`view` and `read_operations` may be called beside them.

A write goes: versions and conditions -> documents built (so that a bad one is refused before it is logged) -> logged
and durable -> given to tantivy -> remembered for realtime gets. A refresh commits tantivy, opens a searcher and then
notes how far the commit reaches; a start replays what lies behind that note.
"""

import itertools
import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import tantivy

from sealane.clock import Clock, Ids
from sealane.engine.base import Changes, IndexConfig, ShardState
from sealane.engine.embedded.batch import Batch, build_operation
from sealane.engine.embedded.coercion import Flat
from sealane.engine.embedded.documents import parse_ignoring_unknown
from sealane.engine.embedded.index_files import (
    append_columns,
    claim_folder,
    columns_of,
    create_index,
    deleted_documents,
    empty_index,
    mapped_errors,
    open_index,
    read_columns,
    size_bytes,
)
from sealane.engine.embedded.lookup import find_document
from sealane.engine.embedded.nested_index import NestedIndex
from sealane.engine.embedded.oplog import NONE, OperationLogFile, Row
from sealane.engine.embedded.versions import GC_DELETES_S, VersionMap
from sealane.engine.embedded.view import ID, ShardView
from sealane.errors import ApiError, IllegalState, Internal, ResourceNotFound
from sealane.model.document import Document, Operation, OpKind, WriteOp, WriteResult
from sealane.settings.units import parse_time

_LOG = logging.getLogger("sealane.engine")
_QUIET_HEAP_BYTES, _BUSY_HEAP_BYTES = 15_000_000, 64_000_000
"""What a writer may gather before it writes a segment: tantivy's minimum, and what pays for many documents."""
_BUSY_FROM = 200
"""Changes in one request that make a shard a busy one."""
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
        self._clock = clock
        self._ids = ids
        self._files = folder / "index"
        self._nested = NestedIndex(folder / "nested")
        self._versions = VersionMap()
        self._writer: tantivy.IndexWriter | None = None
        self._is_writer_large = False
        self._index: tantivy.Index | None = None
        self._columns: frozenset[str] = frozenset()
        self._mapping = config.mapping
        self._max_result_window = _result_window(config)
        self._max_rescore_window = _rescore_window(config)
        self._max_slices = int(config.settings.get("index.max_slices_per_scroll", 1_024))
        self._max_inner_window = int(config.settings.get("index.max_inner_result_window", 100))
        self._versions.gc_deletes_s = _gc_deletes_s(config)
        self._dirty = False
        self._is_reviving = False
        self._ensured: object = None
        """The mapping that both indices have the columns of."""
        self._log = OperationLogFile(folder / "operations.sqlite")
        try:
            self._start()
        except BaseException:
            self._log.close()
            raise

    # -- start and stop ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        known = self._log.fact("history_uuid")
        if known is None and self._files.exists():
            # Without the log nobody knows which numbers were given, nor what was acknowledged behind the last commit.
            raise IllegalState(
                f"the operation log of shard [{self._uuid}][{self.number}] is missing or empty, but its index is "
                f"there: restore the folder [{self._files.parent}] from a copy, or delete the index"
            )
        history = self._ids.new() if known is None else str(known)
        if known is None:
            self._log.set_facts(history_uuid=history, primary_term=1, committed=NONE, is_clean=0)
            term = 1
        else:
            term = _whole(self._log.fact("primary_term"))
            if not self._log.fact("is_clean"):
                term += 1
            self._log.set_facts(primary_term=term, is_clean=0)
        self._history = history
        self._term = term
        self._committed = _whole(self._log.fact("committed"))
        self._checkpoint = self._committed
        self._above: set[int] = set()
        """Applied seq_nos over a gap, until the gap is filled: replicas may arrive out of order."""
        self._max_seq_no = self._committed
        for seq_no in self._log.seq_nos_after(self._committed):
            self._note(seq_no)
        self._open_files()
        self.view = self._make_view()
        self._replay(self._committed + 1)

    def _open_files(self) -> None:
        shutil.rmtree(self._files.with_name("index.new"), ignore_errors=True)
        self._nested.open()
        if self._files.exists():
            try:
                self._index = open_index(self._files)
            except Internal as exc:
                self._discard_files(exc)
        if self._index is not None:
            self._columns = read_columns(self._files)
            if self._mapping.nested and not self._nested.exists:
                self._nested.rebuild(self._index, self._mapping)
        elif self._committed != NONE:
            self._require_whole_log("its index is missing")
            self._committed = self._checkpoint = NONE
            self._max_seq_no = NONE
            for seq_no in self._log.seq_nos_after(NONE):
                self._note(seq_no)

    def _discard_files(self, cause: ApiError) -> None:
        self._require_whole_log(cause.reason)
        _LOG.warning("rebuilding shard %s[%d]: %s", self._uuid, self.number, cause.reason)
        shutil.rmtree(self._files)

    def _require_whole_log(self, why: str) -> None:
        low, _ = self._log.bounds()
        if low not in (NONE, 0) or (low == NONE and self._committed != NONE):
            raise IllegalState(
                f"shard [{self._uuid}][{self.number}] cannot be recovered: {why}, and its operation log "
                f"begins at [{low}]; restore the folder [{self._files.parent}] from a copy"
            )

    def _replay(self, from_seq_no: int) -> None:
        """Gives tantivy what the log holds from `from_seq_no` on. Doing it twice changes nothing."""
        parse = parse_ignoring_unknown(self._mapping)
        while True:
            operations = self._log.read(from_seq_no, _REPLAY_COUNT, _REPLAY_BYTES)
            if not operations:
                break
            self._ensure_columns()
            writer, index = self._open_writer(len(operations)), self._index
            assert index is not None
            with mapped_errors():
                for op in operations:
                    writer.delete_documents_by_term(ID, op.id)
                    values = None
                    if op.kind is OpKind.INDEX and op.source is not None:
                        values = parse(op.source)
                        writer.add_document(build_operation(op, values, index.schema))
                    objects = self._nested.documents(values, op.id, op.seq_no)
                    self._nested.replace(op.id, objects, is_new=False)
            self._dirty = True
            from_seq_no = operations[-1].seq_no + 1
        if self._dirty:
            self.refresh()

    def close(self) -> None:
        """Commits, and marks the end as a clean one."""
        try:
            self.refresh()
            self._close_writer()
            self._log.set_facts(is_clean=1)
        finally:
            self._log.close()

    def abandon(self) -> None:
        """Lets go of the files without committing: the shard is about to be deleted."""
        try:
            self._close_writer()
        except Internal as exc:
            _LOG.warning("closing the writer of %s[%d]: %s", self._uuid, self.number, exc)
        self._log.close()

    # -- writing -------------------------------------------------------------------------------------------------

    def update_config(self, config: IndexConfig) -> None:
        """Searches follow the new mapping at once, in the same documents."""
        self._mapping = config.mapping
        self._max_result_window = _result_window(config)
        self._max_rescore_window = _rescore_window(config)
        self._max_slices = int(config.settings.get("index.max_slices_per_scroll", 1_024))
        self._max_inner_window = int(config.settings.get("index.max_inner_result_window", 100))
        self._versions.gc_deletes_s = _gc_deletes_s(config)
        self.view = replace(
            self.view,
            mapping=self._mapping,
            max_result_window=self._max_result_window,
            max_rescore_window=self._max_rescore_window,
            max_slices=self._max_slices,
            generation=next(_generations),
            nested=self._nested_view(),
        )

    def apply(
        self, operations: Sequence[WriteOp], parsed: Sequence[Flat | ApiError | None]
    ) -> list[WriteResult | ApiError]:
        """As primary, in order. `parsed` belongs to `operations` one by one; an error there is its outcome."""
        self._ensure_columns()
        batch = self._new_batch()
        for op, document in zip(operations, parsed, strict=True):
            if isinstance(document, ApiError):
                batch.outcomes.append(document)
                continue
            try:
                batch.add(op, document, self._ids)
            except ApiError as exc:
                batch.outcomes.append(exc)
        self._commit_batch(batch)
        return batch.outcomes

    def apply_replica(self, operations: Sequence[Operation]) -> None:
        """Under their own seq_no, term and version; those applied before are left out."""
        self._ensure_columns()
        parse = parse_ignoring_unknown(self._mapping)
        batch = self._new_batch()
        for op in operations:
            if (
                op.seq_no <= self._checkpoint
                or op.seq_no in self._above
                or op.seq_no in batch.seq_nos
            ):
                continue
            batch.add_given(op, parse)
        self._commit_batch(batch)

    def _new_batch(self) -> Batch:
        assert self._index is not None
        return Batch(
            shard=self.number,
            term=self._term,
            next_seq_no=self._max_seq_no + 1,
            schema=self._index.schema,
            known=self._known,
            now_ms=self._clock.now_ms(),
            nested=self._nested.documents if self._nested.exists else None,
        )

    def _commit_batch(self, batch: Batch) -> None:
        if not batch.rows:
            return
        self._log.append(batch.rows)
        for row in batch.rows:
            self._note(row[0])
        self._versions.put_all(batch.entries, batch.source_bytes)
        was_dirty, self._dirty = self._dirty, True
        try:
            writer = self._open_writer(len(batch.changes), may_replace=not was_dirty)
            with mapped_errors():
                add, delete = writer.add_document, writer.delete_documents_by_term
                for replaced, document in batch.changes:
                    if replaced is not None:
                        delete(ID, replaced)
                    if document is not None:
                        add(document)
            for doc_id, objects, is_new in batch.families:
                self._nested.replace(doc_id, objects, is_new=is_new)
        except Internal as exc:
            # Everything is in the log: a writer that died is made anew and told again.
            _LOG.warning("rebuilding the writer of %s[%d]: %s", self._uuid, self.number, exc)
            self._revive()

    def _revive(self) -> None:
        """After a writer died with what it had not committed: opens the files anew and replays the log."""
        self._is_reviving = True
        try:
            self._writer = None
            self._index = open_index(self._files)
            self._nested.open()
            self._replay(self._committed + 1)
        finally:
            self._is_reviving = False

    def _note(self, seq_no: int) -> None:
        """Moves the checkpoint over `seq_no` and what it connects to."""
        self._max_seq_no = max(self._max_seq_no, seq_no)
        if seq_no != self._checkpoint + 1:
            self._above.add(seq_no)
            return
        self._checkpoint = seq_no
        while self._above and self._checkpoint + 1 in self._above:
            self._checkpoint += 1
            self._above.discard(self._checkpoint)

    def _ensure_columns(self) -> None:
        """Creates the index at the first write, or appends what the mapping has got since."""
        mapping = self._mapping
        if mapping is self._ensured:
            return
        wanted = columns_of(mapping)
        self._nested.ensure(mapping, self.refresh)
        if self._index is None:
            self._index = create_index(self._files, wanted)
            self._columns = read_columns(self._files)
        elif wanted.keys() - self._columns:
            self.refresh()
            self._close_writer()
            missing = {name: wanted[name] for name in wanted if name not in self._columns}
            append_columns(self._files, missing)
            self._index = open_index(self._files)
            self._columns = read_columns(self._files)
        self._ensured = mapping

    def _open_writer(self, changes: int = 0, *, may_replace: bool = False) -> tantivy.IndexWriter:
        """A writer fit for so many changes. With `may_replace`, one that has nothing uncommitted may give way to it."""
        is_busy = changes >= _BUSY_FROM
        if is_busy and may_replace and not self._is_writer_large:
            self._close_writer()
        if self._writer is None:
            assert self._index is not None
            with mapped_errors():
                heap_bytes = _BUSY_HEAP_BYTES if is_busy else _QUIET_HEAP_BYTES
                self._writer = self._index.writer(heap_bytes, 1)
                self._writer.garbage_collect_files()
            self._is_writer_large = is_busy
        return self._writer

    def _close_writer(self) -> None:
        self._nested.close_writer()
        writer, self._writer = self._writer, None
        if writer is not None:
            with mapped_errors():
                writer.wait_merging_threads()

    def release_writer(self) -> None:
        """Gives back the writer's threads and memory. The next write opens another."""
        if not self._dirty:
            self._close_writer()

    # -- refresh -------------------------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether something was written since the last refresh."""
        return self._dirty

    @property
    def is_full(self) -> bool:
        return self._versions.size_bytes > UNREFRESHED_MAX_BYTES

    @property
    def has_writer(self) -> bool:
        return self._writer is not None

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
        self._versions.begin_refresh()
        covered = self._checkpoint
        writer, index = self._open_writer(), self._index
        assert index is not None
        # Before the documents: what is behind their commit is replayed into both.
        self._nested.commit()
        with mapped_errors():
            writer.commit()
            index.reload()
        self.view = self._make_view()
        self._dirty = False
        self._versions.end_refresh(self._clock.now_ms())
        self._log.set_facts(committed=covered)
        self._committed = covered
        self._log.trim(covered)

    def _make_view(self) -> ShardView:
        index = self._index if self._index is not None else empty_index()
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
            columns=self._columns,
            generation=next(_generations),
            max_result_window=self._max_result_window,
            max_rescore_window=self._max_rescore_window,
            max_slices=self._max_slices,
            nested=self._nested_view(),
        )

    def _nested_view(self) -> ShardView | None:
        return self._nested.view(
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

    def state(self) -> ShardState:
        return ShardState(
            history_uuid=self._history,
            primary_term=self._term,
            max_seq_no=self._max_seq_no,
            checkpoint=self._checkpoint,
        )

    def read_operations(self, from_seq_no: int, max_count: int, max_bytes: int) -> Changes:
        state = self.state()
        low, _ = self._log.bounds()
        if from_seq_no <= state.max_seq_no and (low == NONE or from_seq_no < low):
            raise ResourceNotFound(
                f"Operations are no longer available for replicating. Existing retention leases [[]]; "
                f"operations from [{from_seq_no}] on were asked for, the log begins at [{low}]"
            )
        return Changes(operations=self._log.read(from_seq_no, max_count, max_bytes), state=state)

    def counts(self) -> tuple[int, int, int]:
        """Documents, deleted documents as of the last refresh, and bytes on disk."""
        deleted = deleted_documents(self._files) if self._index is not None else 0
        docs = self.view.searcher.num_docs
        if self.view.nested is not None:
            # The reference counts each nested object as a document of its own.
            docs += self.view.nested.searcher.num_docs
            deleted += self._nested.deleted
        return docs, deleted, size_bytes(self._files.parent)


def _result_window(config: IndexConfig) -> int:
    return int(config.settings.get("index.max_result_window", 10_000))


def _rescore_window(config: IndexConfig) -> int:
    return int(config.settings.get("index.max_rescore_window", 10_000))


def _gc_deletes_s(config: IndexConfig) -> float:
    value = config.settings.get("index.gc_deletes")
    return GC_DELETES_S if value is None else parse_time(str(value), "index.gc_deletes").seconds


def _whole(value: str | int | None) -> int:
    assert isinstance(value, int)
    return value
