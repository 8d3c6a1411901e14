"""One request's operations on one shard, worked out before anything is written: versions, rows, tantivy documents.

Decides only; the shard logs the rows, gives the changes to tantivy and remembers the entries.
"""

from collections.abc import Callable
from typing import Any

import tantivy

from sealane.clock import Ids
from sealane.engine.embedded.coercion import Flat
from sealane.engine.embedded.conflicts import next_version
from sealane.engine.embedded.oplog import Row
from sealane.engine.embedded.stored import encode_stored
from sealane.engine.embedded.view import ID, SEQ_NO, STORED
from sealane.errors import ApiError, Internal
from sealane.model.document import Operation, OpKind, OpType, WriteOp, WriteResult


class Batch:
    """One request's operations on one shard before they are logged. Sees its own earlier ones."""

    def __init__(
        self,
        *,
        shard: int,
        term: int,
        next_seq_no: int,
        schema: tantivy.Schema,
        known: Callable[[str], Row | None],
        is_live: Callable[[str], bool],
        now_ms: int,
        nested: Callable[[Flat | None, str, int], list[Any]] | None = None,
    ) -> None:
        """`known` tells the newest row that the shard has of an id, `is_live` only whether that may be a document;
        `nested` makes the objects of a document.
        """
        self.outcomes: list[WriteResult | ApiError] = []
        self.rows: list[Row] = []
        self.changes: list[tuple[str | None, Any]] = []
        """(id to delete first or None, document to add or None)"""
        self.entries: dict[str, Row] = {}
        """The newest row by id."""
        self.families: list[tuple[str, list[Any], bool]] = []
        """Of an index with nested objects: a document's id, its objects now, and whether it surely had none before."""
        self.source_bytes = 0
        self.seq_nos: set[int] = set()
        """Of the operations that came with one."""
        self._number = shard
        self._term = term
        self._next = next_seq_no
        self._schema = schema
        self._known = known
        self._is_live = is_live
        self._highest = next_seq_no - 1
        self._now_ms = now_ms
        self._nested = nested

    def add(self, op: WriteOp, document: Flat | None, ids: Ids) -> None:
        """Raises VersionConflict, or what keeps the document from being indexed; then nothing is changed."""
        doc_id, version, is_live = op.id, 1, False
        if doc_id is None:
            # Nobody has an id that was just made up: no look-up, no conflict, nothing to replace.
            doc_id = ids.document()
        else:
            row = self.entries.get(doc_id) or self._known(doc_id)
            if row is not None:
                is_live = row[6] is not None
                version = next_version(op, doc_id, (row[0], row[1], row[2], not is_live))
            elif op.version is not None or op.if_seq_no is not None:
                version = next_version(op, doc_id, None)
        seq_no, term, source, routing = self._next, self._term, op.source, op.routing
        if op.op is OpType.DELETE:
            source, kind = None, 1
            result = "deleted" if is_live else "not_found"
            self.changes.append((doc_id, None))
            if self._nested is not None:
                self.families.append((doc_id, [], False))
        else:
            assert document is not None
            assert source is not None
            kind = 0
            result = "updated" if is_live else "created"
            stored = encode_stored(seq_no, term, version, doc_id, routing, document.ignored, source)
            built = _build(doc_id, seq_no, stored, document, self._schema)
            if self._nested is not None:
                objects = self._nested(document, doc_id, seq_no)
                self.families.append((doc_id, objects, not is_live))
            self.changes.append((doc_id if is_live else None, built))
            self.source_bytes += len(source)
        new = (seq_no, term, version, kind, doc_id, routing, source, self._now_ms)
        self.rows.append(new)
        self.entries[doc_id] = new
        self._next = seq_no + 1
        self.outcomes.append(
            WriteResult(
                id=doc_id,
                result=result,
                version=version,
                seq_no=seq_no,
                primary_term=term,
                shard=self._number,
            )
        )

    def add_given(self, op: Operation, parse: Callable[[bytes], Flat]) -> None:
        """A replica's operation: logged in any case, indexed only when it is the newest on its id."""
        self.seq_nos.add(op.seq_no)
        source = op.source if op.kind is OpKind.INDEX else None
        row = _row(op)
        self.rows.append(row)
        is_newest = op.seq_no > self._highest
        self._highest = max(self._highest, op.seq_no)
        if op.kind is OpKind.NO_OP:
            return
        known = self.entries.get(op.id)
        if is_newest:
            # Nothing the shard has can be newer: what there is of the id need not be read.
            is_live = self._is_live(op.id) if known is None else known[6] is not None
        else:
            known = known or self._known(op.id)
            if known is not None and known[0] >= op.seq_no:
                return
            is_live = known is not None
        values = None if source is None else parse(source)
        built = None if values is None else build_operation(op, values, self._schema)
        if self._nested is not None:
            self.families.append((op.id, self._nested(values, op.id, op.seq_no), not is_live))
        self.entries[op.id] = row
        self.source_bytes += len(source or b"")
        if is_live or built is not None:
            self.changes.append((op.id if is_live else None, built))


def _row(op: Operation) -> Row:
    return (op.seq_no, op.term, op.version, int(op.kind), op.id, op.routing, op.source, op.wall_ms)


def _build(doc_id: str, seq_no: int, stored: bytes, values: Flat, schema: tantivy.Schema) -> Any:
    """The tantivy document, checked against the schema: a wrong value is refused here, not by the writer's thread."""
    values[ID] = doc_id
    values[SEQ_NO] = seq_no
    values[STORED] = stored
    try:
        return tantivy.Document.from_dict(values, schema)
    except ValueError as exc:
        raise Internal(f"the index cannot take document [{doc_id}]: {exc}") from exc


def build_operation(op: Operation, values: Flat, schema: tantivy.Schema) -> Any:
    """The tantivy document of an index operation that has its numbers already."""
    assert op.source is not None
    stored = encode_stored(
        op.seq_no, op.term, op.version, op.id, op.routing, values.ignored, op.source
    )
    return _build(op.id, op.seq_no, stored, values, schema)
