"""`inner_hits` of nested queries: the objects that matched, as hits within the hits that hold them.

Found for a whole page at once: one search of the nested objects of all its hits, sorted into them afterwards.
"""

from dataclasses import dataclass
from typing import Any

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.nested_documents import NUMBER_BITS
from sealane.engine.embedded.search.document_cache import Document, decoded
from sealane.engine.embedded.search.field_values import FieldReader
from sealane.engine.embedded.search.highlight import Highlighter
from sealane.engine.embedded.search.nested import InnerQuery, owners_of
from sealane.engine.embedded.search.rank import Row, sort_rows
from sealane.engine.embedded.search.scope import Compiled, Scope, both
from sealane.engine.embedded.search.scored import (
    Docs,
    docs_of,
    docs_of_rows,
    every_doc_of,
    scores_of,
)
from sealane.engine.embedded.search.sorting import SortKey, sort_keys
from sealane.engine.embedded.search.state import ViewState
from sealane.engine.embedded.search.table import column_values
from sealane.engine.embedded.view import OFFSET, PARENT, ROOT, SEQ_NO, STORED
from sealane.errors import UnsupportedOperation
from sealane.model import dsl
from sealane.model.visible_fields import visible_fields
from sealane.query.any_json import dumps, loads
from sealane.query.source import filter_source
from sealane.query.visible_source import visible_members
from sealane.reduce.partial import Hit, InnerHits, NestedPlace, TotalHits


@dataclass(frozen=True, slots=True)
class _Object:
    """A nested object: where it is in its document, by path and offset from the root on."""

    key: int
    steps: tuple[tuple[str, int], ...]


def attach(
    hits: list[Hit],
    documents: list[Document],
    inner: list[InnerQuery],
    request: ShardSearch,
) -> None:
    """Puts into each hit the inner hits of each nested query that wants them. `documents` are the hits' own."""
    owners = [each.seq_no for each in documents]
    for each in inner:
        _attach(hits, owners, documents, each, request)


class _Readers:
    """What reads the values that hits show beside their source. They see a document with one nested object alone."""

    def __init__(self, body: dsl.SearchBody, query: dsl.Query, scope: Scope) -> None:
        """Raises IllegalArgument for what cannot be read so."""
        wants_fields = bool(body.fields or body.docvalue_fields)
        self.fields = FieldReader(body, scope) if wants_fields else None
        self.highlighter = (
            None if body.highlight is None else Highlighter(body.highlight, query, scope)
        )
        self.any = self.fields is not None or self.highlighter is not None


def fetch_objects(
    rows: list[Row], keys: list[SortKey], scope: Scope, request: ShardSearch
) -> list[Hit]:
    """The hits of nested objects by themselves, as an aggregation finds them. `keys` are what they are sorted by."""
    if not rows:
        return []
    assert scope.documents is not None
    body, searcher = request.body, scope.state.view.searcher
    numbers = searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
    for row, number in zip(rows, numbers, strict=True):
        row.seq_no = int(number or 0)
    ordered = sorted(rows, key=lambda row: row.seq_no)
    places = _places(docs_of_rows(ordered), scope.nested, scope)
    holders = _holders([row.seq_no >> NUMBER_BITS for row in ordered], scope.documents)
    readers = _Readers(body, body.query, scope)
    hits: list[Hit] = []
    for row in rows:
        document = holders[row.seq_no >> NUMBER_BITS]
        hit = _hit(row, places[row.seq_no], document, body, request, readers, scope)
        hit.score = row.score
        if keys:
            hit.sort = [k.shown(v) for k, v in zip(keys, row.values, strict=True)]
        hits.append(hit)
    return hits


def _holders(roots: list[int], documents: ViewState) -> dict[int, Document]:
    """The documents with these sequence numbers, by them."""
    view = documents.view
    chosen = tantivy.Query.term_set_query(view.schema, SEQ_NO, sorted(set(roots)))
    found = view.searcher.search(chosen, len(roots), False, SEQ_NO, 0, tantivy.Order.Asc).hits
    return {
        int(root or 0): decoded(view.searcher.doc(address)[STORED][0]) for root, address in found
    }


def _attach(
    hits: list[Hit],
    owners: list[int],
    documents: list[Document],
    inner: InnerQuery,
    request: ShardSearch,
) -> None:
    wanted, scope = inner.query.inner_hits, inner.scope
    assert wanted is not None
    body = wanted.body
    roots = sorted({document.seq_no for document in documents})
    held = tantivy.Query.term_set_query(scope.schema, ROOT, roots)
    docs = docs_of(both(inner.compiled.query, held), scope)
    rows = _rows(docs, inner.compiled, body, scope)
    places = _places(docs, inner.query.path, scope)
    matched = _matched(docs, scope)
    by_owner: dict[int, list[int]] = {}
    for at, owner in enumerate(owners_of(docs, inner.query.path, inner.outer, scope).tolist()):
        by_owner.setdefault(owner, []).append(at)
    keys = sort_keys(body.sort, scope)
    readers = _Readers(body, inner.query.query, scope)
    name = wanted.name or inner.query.path
    for hit, owner, document in zip(hits, owners, documents, strict=True):
        found = [rows[at] for at in by_owner.get(owner, ())]
        if body.sort:
            ordered = sort_rows(found, keys)
        else:
            ordered = sorted(found, key=lambda row: (-(row.score or 0.0), row.seq_no))
        page = ordered[body.from_ : body.from_ + body.size]
        if page and body.seq_no_primary_term:
            raise UnsupportedOperation("nested documents are not assigned sequence numbers")
        best = max((row.score or 0.0 for row in found), default=None)
        objects = [
            _hit(row, places[row.seq_no], document, body, request, readers, scope) for row in page
        ]
        for row, each in zip(page, objects, strict=True):
            if body.sort:
                each.sort = [k.shown(v) for k, v in zip(keys, row.values, strict=True)]
            each.matched = matched.get(row.seq_no)
        if page and scope.inner:
            keyed = [row.seq_no for row in page]
            for deeper in scope.inner:
                _attach(objects, keyed, [document] * len(page), deeper, request)
        hit.inner = {
            **(hit.inner or {}),
            name: InnerHits(
                hits=objects,
                total=TotalHits(len(found)),
                max_score=best if page and (not body.sort) else None,
                sort_types=[key.type for key in keys] if body.sort else None,
                sort_formats=[each.format for each in body.sort] if body.sort else None,
            ),
        }


def _rows(docs: Docs, query: Compiled, body: dsl.SearchBody, scope: Scope) -> list[Row]:
    scores = scores_of(query, docs, scope).tolist()
    rows = [
        Row([], address, key, score)
        for address, key, score in zip(docs.addresses, docs.keys.tolist(), scores, strict=True)
    ]
    if rows:
        chosen = Compiled(docs.query(scope), query.constant, scorer=query.scorer)
        if query.constant is None and query.scorer is None:
            chosen = Compiled(both(query.query, docs.query(scope)), None)
        for key in sort_keys(body.sort, scope):
            for row, value in zip(rows, column_values(chosen, key, rows, scope), strict=True):
                row.values.append(value)
    return rows


def _places(docs: Docs, path: str, scope: Scope) -> dict[int, _Object]:
    """Where each object is, by its key."""
    searcher, mapping = scope.state.view.searcher, scope.state.view.mapping
    known: dict[int, tuple[int, int]] = {}
    missing = docs
    levels = [path]
    while len(missing):
        offsets = searcher.fast_field_values(OFFSET, missing.addresses)
        parents = searcher.fast_field_values(PARENT, missing.addresses)
        for key, offset, parent in zip(missing.keys.tolist(), offsets, parents, strict=True):
            known[key] = (int(offset or 0), int(parent if parent is not None else -1))
        above = mapping.nested_at(levels[-1].rpartition(".")[0])
        if not above:
            break
        levels.append(above)
        wanted = sorted({known[key][1] for key in missing.keys.tolist()})
        missing = every_doc_of(tantivy.Query.term_set_query(scope.schema, SEQ_NO, wanted), scope)
    found: dict[int, _Object] = {}
    for key in docs.keys.tolist():
        steps: list[tuple[str, int]] = []
        at = key
        for level in levels:
            offset, parent = known[at]
            steps.insert(0, (level, offset))
            at = parent
        found[key] = _Object(key, tuple(steps))
    return found


def _matched(docs: Docs, scope: Scope) -> dict[int, list[str]]:
    """The names of the named queries inside, by the key of the object that they match."""
    found: dict[int, list[str]] = {}
    for name, query in scope.named:
        for key in docs_of(both(query, docs.query(scope)), scope).keys.tolist():
            found.setdefault(key, []).append(name)
    return found


def _hit(
    row: Row,
    place: _Object,
    document: Document,
    body: dsl.SearchBody,
    request: ShardSearch,
    readers: "_Readers",
    scope: Scope,
) -> Hit:
    wrapped = _wrapped(loads(document.source), place.steps)
    whole = replace_source(document, dumps(wrapped)) if readers.any else document
    alone, view = whole, scope.state.view
    if view.limits is not None:
        wrapped = visible_members(wrapped, visible_fields(view.limits))
        alone = replace_source(document, dumps(wrapped))
    fields, ignored = None, None
    if readers.fields is not None:
        fields, ignored = readers.fields.read(alone, whole)
    highlighter = readers.highlighter
    by_score = not body.sort
    return Hit(
        index=request.index_name,
        id=document.id,
        score=row.score if by_score else None,
        source=_source(wrapped, place, body) if body.source.enabled else None,
        shard=view.shard,
        index_uuid=view.index_uuid,
        version=document.version if body.version else None,
        fields=fields or None,
        ignored_values=ignored or None,
        highlight=None if highlighter is None else highlighter.highlight(alone),
        nested=_shown_place(place.steps),
    )


def replace_source(document: Document, source: bytes) -> Document:
    return Document(
        document.seq_no,
        document.term,
        document.version,
        document.id,
        document.routing,
        (),
        source,
    )


def _shown_place(steps: tuple[tuple[str, int], ...]) -> NestedPlace:
    place: NestedPlace | None = None
    for at in range(len(steps) - 1, -1, -1):
        path, offset = steps[at]
        name = path if at == 0 else path[len(steps[at - 1][0]) + 1 :]
        place = NestedPlace(name, offset, place)
    assert place is not None
    return place


def _wrapped(source: dict[str, Any], steps: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """A document that holds nothing but one nested object, in its place."""
    found: Any = source
    above = ""
    for path, offset in steps:
        objects = _objects(found, path[len(above) + 1 :] if above else path)
        found, above = objects[offset], path
    for part in reversed(steps[-1][0].split(".")):
        found = {part: found}
    whole: dict[str, Any] = found
    return whole


def _objects(value: Any, path: str) -> list[Any]:
    """The objects at a dotted path, through arrays and names with dots, in their order."""
    if isinstance(value, list):
        return [each for item in value for each in _objects(item, path)]
    if not isinstance(value, dict):
        return []
    if not path:
        return [value]
    found: list[Any] = []
    for name, item in value.items():
        if name == path:
            found += _objects(item, "")
        elif path.startswith(name + "."):
            found += _objects(item, path[len(name) + 1 :])
    return found


def _source(wrapped: dict[str, Any], place: _Object, body: dsl.SearchBody) -> bytes:
    kept: Any = wrapped
    if not body.source.passes_whole:
        kept = loads(filter_source(dumps(wrapped), [body.source]))
    for part in place.steps[-1][0].split("."):
        kept = kept.get(part, {}) if isinstance(kept, dict) else {}
    return dumps(kept)
