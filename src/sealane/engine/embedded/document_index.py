"""A shard's tantivy indices: that of its documents, and that of their nested objects beside it.

Blocks, and is used under the shard's lock. What is written here is derived from the operation log: the shard decides
what is written, when it is committed, and what is told again after a failure.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import tantivy

from sealane.engine.embedded.index_files import (
    append_columns,
    columns_of,
    create_index,
    deleted_documents,
    mapped_errors,
    open_index,
    read_columns,
)
from sealane.engine.embedded.nested_index import NestedIndex
from sealane.engine.embedded.view import ID
from sealane.engine.mapping import Mapping
from sealane.errors import Internal

_QUIET_HEAP_BYTES, _BUSY_HEAP_BYTES = 15_000_000, 64_000_000
"""What a writer may gather before it writes a segment: tantivy's minimum, and what pays for many documents."""
_BUSY_FROM: Final = 200
"""Changes in one request that make a shard a busy one."""

Change = tuple[str | None, Any]
"""(id to delete first or None, document to add or None)"""
Replaced = tuple[str, Sequence[Any], bool]
"""A document's id, its nested objects now, and whether it surely had none before."""


class DocumentIndex:
    """Methods raise Internal where tantivy fails."""

    def __init__(self, folder: Path) -> None:
        self.nested = NestedIndex(folder / "nested")
        self.index: tantivy.Index | None = None
        self.columns: frozenset[str] = frozenset()
        self._files = folder / "index"
        self._writer: tantivy.IndexWriter | None = None
        self._is_writer_large = False
        self._ensured: object = None
        """The mapping that both indices have the columns of."""

    @property
    def has_files(self) -> bool:
        return self._files.exists()

    @property
    def has_writer(self) -> bool:
        return self._writer is not None

    @property
    def schema(self) -> tantivy.Schema:
        assert self.index is not None
        return self.index.schema

    @property
    def deleted(self) -> int:
        """Documents that are deleted but not yet merged away, nested objects counted too."""
        if self.index is None:
            return 0
        return deleted_documents(self._files) + self.nested.deleted

    # -- files ---------------------------------------------------------------------------------------------------

    def open(self, mapping: Mapping) -> None:
        """What there is of files. None of the documents' is no error."""
        shutil.rmtree(self._files.with_name("index.new"), ignore_errors=True)
        self.nested.open()
        self.index = None
        self._writer = None
        if not self._files.exists():
            return
        self.index = open_index(self._files)
        self.columns = read_columns(self._files)
        if mapping.nested and not self.nested.exists:
            self.nested.rebuild(self.index, mapping)

    def reopen(self, mapping: Mapping) -> None:
        """Forgets a writer that died, with what it had not committed."""
        with contextlib.suppress(Internal):
            self.close_writer()
        self.index = open_index(self._files)
        self.nested.open()
        if mapping.nested and not self.nested.exists:
            self.nested.rebuild(self.index, mapping)

    def remove(self) -> None:
        """The documents' files, to be made anew."""
        self.index = None
        self._writer = None
        shutil.rmtree(self._files)

    def ensure(self, mapping: Mapping, refresh: Callable[[], object]) -> None:
        """Creates the index at the first write, or appends what the mapping has got since.

        `refresh` commits the shard before that.
        """
        if mapping is self._ensured:
            return
        with mapped_errors():
            self._ensure(mapping, refresh)
        self._ensured = mapping

    def _ensure(self, mapping: Mapping, refresh: Callable[[], object]) -> None:
        wanted = columns_of(mapping)
        self.nested.ensure(mapping, refresh)
        if self.index is None:
            self.index = create_index(self._files, wanted)
            self.columns = read_columns(self._files)
        elif wanted.keys() - self.columns:
            refresh()
            self.close_writer()
            missing = {name: wanted[name] for name in wanted if name not in self.columns}
            append_columns(self._files, missing)
            self.index = open_index(self._files)
            self.columns = read_columns(self._files)

    # -- writing -------------------------------------------------------------------------------------------------

    def write(
        self, changes: Sequence[Change], families: Iterable[Replaced], *, is_clean: bool
    ) -> None:
        """`is_clean` says that nothing is uncommitted: a larger writer may take the place of a small one then."""
        writer = self._open_writer(len(changes), may_replace=is_clean)
        with mapped_errors():
            add, delete = writer.add_document, writer.delete_documents_by_term
            for replaced, document in changes:
                if replaced is not None:
                    delete(ID, replaced)
                if document is not None:
                    add(document)
        for doc_id, objects, is_new in families:
            self.nested.replace(doc_id, objects, is_new=is_new)

    def commit(self) -> None:
        """What was written is durable, and in the next searcher."""
        writer = self._open_writer()
        assert self.index is not None
        # Before the documents: what is behind their commit is replayed into both.
        self.nested.commit()
        with mapped_errors():
            writer.commit()
            self.index.reload()

    def _open_writer(self, changes: int = 0, *, may_replace: bool = False) -> tantivy.IndexWriter:
        """A writer fit for so many changes. With `may_replace`, one that has nothing uncommitted may give way to it."""
        is_busy = changes >= _BUSY_FROM
        if is_busy and may_replace and not self._is_writer_large:
            self.close_writer()
        if self._writer is None:
            assert self.index is not None
            with mapped_errors():
                heap_bytes = _BUSY_HEAP_BYTES if is_busy else _QUIET_HEAP_BYTES
                self._writer = self.index.writer(heap_bytes, 1)
                self._writer.garbage_collect_files()
            self._is_writer_large = is_busy
        return self._writer

    def close_writer(self) -> None:
        """What it has not committed is gone, and so is its lock on the files, whatever is raised: an error that is kept
        keeps the writer too, by the frames of its traceback.
        """
        writer, self._writer = self._writer, None
        try:
            self.nested.close_writer()
        finally:
            if writer is not None:
                with mapped_errors():
                    writer.wait_merging_threads()
