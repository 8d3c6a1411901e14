"""The tantivy index of a shard's nested objects, beside that of its documents.

An object is one document here (nested_documents.py), so that a query inside `nested` sees the fields of one object
alone, and everything else is as in an index without nested objects. It follows the shard: changed in the same requests,
committed right before the documents are, replayed from the same log, and removed by `_id` with its document.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from sealane.engine.embedded.coercion import Flat
from sealane.engine.embedded.documents import parse_ignoring_unknown
from sealane.engine.embedded.index_files import (
    Column,
    append_columns,
    column_of,
    create_index,
    deleted_documents,
    mapped_errors,
    number_column,
    open_index,
    raw_column,
    read_columns,
)
from sealane.engine.embedded.nested_documents import Family
from sealane.engine.embedded.stored import decode_stored
from sealane.engine.embedded.view import (
    ID,
    NESTED_PATH,
    OFFSET,
    PARENT,
    ROOT,
    STORED,
    ShardView,
)
from sealane.engine.mapping import Mapping
from sealane.errors import Internal

_HEAP_BYTES = 15_000_000


class NestedIndex:
    """Blocks, and is used under the same rules as its Shard. Until `ensure` is called with nested fields, no index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index: tantivy.Index | None = None
        self._columns: frozenset[str] = frozenset()
        self._writer: tantivy.IndexWriter | None = None

    @property
    def exists(self) -> bool:
        return self._index is not None

    @property
    def deleted(self) -> int:
        """Objects that are deleted but not yet merged away."""
        return 0 if self._index is None else deleted_documents(self._folder)

    def open(self) -> None:
        """Opens what there is. Files that cannot be read are removed: they are made anew from the documents."""
        shutil.rmtree(self._folder.with_name(self._folder.name + ".new"), ignore_errors=True)
        self._writer = None
        self._index = None
        if not self._folder.exists():
            return
        try:
            self._index = open_index(self._folder)
            self._columns = read_columns(self._folder)
        except Internal:
            self.remove()

    def remove(self) -> None:
        self._writer = None
        self._index = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def ensure(self, mapping: Mapping, refresh: Callable[[], object]) -> None:
        """Creates the index, or adds the columns that the mapping has got since.

        `refresh` commits the shard before: its two indices show one point of time.
        """
        if not mapping.nested:
            return
        wanted = nested_columns(mapping)
        if self._index is None:
            self._index = create_index(self._folder, wanted)
            self._columns = read_columns(self._folder)
        elif wanted.keys() - self._columns:
            refresh()
            self.close_writer()
            missing = {name: wanted[name] for name in wanted if name not in self._columns}
            append_columns(self._folder, missing)
            self._index = open_index(self._folder)
            self._columns = read_columns(self._folder)

    def rebuild(self, documents: tantivy.Index, mapping: Mapping) -> None:
        """Makes the index anew from the sources of an index of documents, and commits it."""
        self.ensure(mapping, self.commit)
        parse = parse_ignoring_unknown(mapping)
        with mapped_errors():
            documents.reload()
            searcher = documents.searcher()
            everything = tantivy.Query.all_query()
            hits = searcher.search(everything, max(searcher.num_docs, 1), False).hits
            for _, address in hits:
                stored = decode_stored(searcher.doc(address)[STORED][0])
                objects = self.documents(parse(stored.source), stored.id, stored.seq_no)
                self.replace(stored.id, objects, is_new=True)
        self.commit()

    def documents(self, document: Flat | None, doc_id: str, seq_no: int) -> list[Any]:
        """The tantivy documents of a document's objects, checked against the schema. Raises Internal."""
        if self._index is None or not isinstance(document, Family):
            return []
        schema = self._index.schema
        with mapped_errors():
            return [
                tantivy.Document.from_dict(each.keyed(doc_id, seq_no), schema)
                for each in document.objects
            ]

    def replace(self, doc_id: str, objects: Sequence[Any], *, is_new: bool) -> None:
        """Puts a document's objects in the place of those it had. `is_new` says that it surely had none.

        Raises Internal.
        """
        if self._index is None or (is_new and not objects):
            return
        with mapped_errors():
            writer = self._open_writer()
            if not is_new:
                writer.delete_documents_by_term(ID, doc_id)
            for each in objects:
                writer.add_document(each)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            assert self._index is not None
            self._writer = self._index.writer(_HEAP_BYTES, 1)
            self._writer.garbage_collect_files()
        return self._writer

    def commit(self) -> None:
        """Makes what was written durable and visible to the next view."""
        if self._index is None:
            return
        with mapped_errors():
            if self._writer is not None:
                self._writer.commit()
            self._index.reload()

    def close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with mapped_errors():
                writer.wait_merging_threads()

    def view(
        self,
        shard: int,
        index_uuid: str,
        mapping: Mapping,
        generation: int,
        max_inner_result_window: int,
    ) -> ShardView | None:
        """The nested objects of all documents; None before there can be any."""
        if self._index is None:
            return None
        with mapped_errors():
            searcher = self._index.searcher()
        return ShardView(
            shard=shard,
            index_uuid=index_uuid,
            index=self._index,
            searcher=searcher,
            schema=self._index.schema,
            mapping=mapping,
            columns=self._columns,
            generation=generation,
            max_inner_result_window=max_inner_result_window,
        )


def nested_columns(mapping: Mapping) -> dict[str, Column]:
    """The columns of all fields in nested objects, and of what places an object."""
    columns = {NESTED_PATH: raw_column(NESTED_PATH, fast=True)}
    for name in (ROOT, PARENT, OFFSET):
        columns[name] = number_column(name, "i64")
    for path, leaf in mapping.fields.items():
        if leaf.is_indexed and mapping.nested_at(path):
            columns.update((column["name"], column) for column in column_of(leaf))
    return columns
