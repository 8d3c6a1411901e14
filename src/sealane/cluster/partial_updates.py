"""A partial change of a document, and the write that it comes to. Pure."""

from typing import Any

import msgspec

from sealane.errors import DocumentMissing, ParseError, VersionConflict
from sealane.model.document import Document, OpType, WriteOp
from sealane.model.dsl import SourceFilter
from sealane.query import strip_comments
from sealane.query.any_json import dumps, loads


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A partial change of one document. `upsert` is what to store where there is none."""

    id: str
    doc: dict[str, Any]
    upsert: bytes | None = None
    detect_noop: bool = True
    retry_on_conflict: int = 0
    routing: str | None = None
    if_seq_no: int | None = None
    if_primary_term: int | None = None
    returned: SourceFilter | None = None
    """What of the new source the answer is to show."""


def merged(update: Update, found: Document | None) -> WriteOp | None:
    """The write that `update` means for what is there; None when nothing would change.

    Raises DocumentMissing, ParseError, and VersionConflict where the update names another seq_no than the one found.
    """
    if found is None:
        if update.upsert is None:
            raise DocumentMissing(f"[{update.id}]: document missing")
        return WriteOp(op=OpType.CREATE, id=update.id, routing=update.routing, source=update.upsert)
    if update.if_seq_no is not None and (
        (update.if_seq_no, update.if_primary_term) != (found.seq_no, found.primary_term)
    ):
        raise VersionConflict(
            f"[{update.id}]: version conflict, required seqNo [{update.if_seq_no}], primary term "
            f"[{update.if_primary_term}]. current document has seqNo [{found.seq_no}] and primary term "
            f"[{found.primary_term}]"
        )
    source = _read_source(found.source)
    changed = _merge_into(source, update.doc)
    if not changed and update.detect_noop:
        return None
    return WriteOp(
        op=OpType.INDEX,
        id=update.id,
        routing=update.routing or found.routing,
        source=dumps(source),
        if_seq_no=found.seq_no,
        if_primary_term=found.primary_term,
    )


def _read_source(source: bytes) -> dict[str, Any]:
    """A stored source, which may hold comments. Raises ParseError."""
    try:
        try:
            parsed: dict[str, Any] = loads(source)
        except ValueError:
            parsed = loads(strip_comments(source))
    except (ValueError, RecursionError) as error:
        raise ParseError(f"the stored source cannot be read: {error}") from error
    return parsed


def _merge_into(source: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Merges `changes` into `source`, objects recursively. Whether anything became different."""
    changed = False
    for name, value in changes.items():
        old = source.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            changed = _merge_into(old, value) or changed
        elif name not in source or not _equal(old, value):
            source[name] = value
            changed = True
    return changed


def _equal(left: Any, right: Any) -> bool:
    """Equality in which 1, 1.0 and true differ, as they do in the stored text."""
    return type(left) is type(right) and dumps(left) == dumps(right)
