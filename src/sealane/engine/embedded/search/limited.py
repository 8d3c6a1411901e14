"""A view as somebody sees it who may see only some of its fields, or some of its documents.

Fields that are hidden keep their mapping and lose their columns: whatever asks for values finds none, as in an index
where no document ever had one. Sources lose what is hidden before anything reads them. Documents that are hidden are
left out by a query of their own, which sees all fields. So 8.19 has it too: a hidden field is mapped, but empty.
"""

from collections.abc import Sequence
from dataclasses import replace

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.document_cache import Document
from sealane.engine.embedded.search.scope import EVERYTHING, Scope, all_of
from sealane.engine.embedded.search.state import state_of
from sealane.engine.embedded.view import (
    FIELD_NAMES,
    ID,
    NESTED_PATH,
    OFFSET,
    PARENT,
    ROOT,
    SEQ_NO,
    STORED,
    ShardView,
)
from sealane.engine.mapping.types import METADATA_FIELDS
from sealane.errors import RefusedUnderLimits
from sealane.model import dsl
from sealane.model.security import FieldLimits
from sealane.model.visible_fields import VisibleFields, visible_fields
from sealane.query.role_query import refuse_with_hidden_documents
from sealane.query.visible_source import visible_source

_OF_EVERY_DOCUMENT = frozenset((ID, SEQ_NO, STORED, FIELD_NAMES, NESTED_PATH, ROOT, PARENT, OFFSET))


def limited(view: ShardView, limits: FieldLimits | None) -> ShardView:
    """The view without the fields that are hidden; the same object for the same view."""
    if limits is None:
        return view
    return state_of(view).remember(("limited", limits), lambda: _limited(view, limits))


def _limited(view: ShardView, limits: FieldLimits) -> ShardView:
    fields = visible_fields(limits)
    return replace(
        view,
        columns=frozenset(each for each in view.columns if _shows(fields, each, view)),
        nested=None if view.nested is None else _limited(view.nested, limits),
        limits=limits,
        whole=view,
    )


def _shows(fields: VisibleFields, column: str, view: ShardView) -> bool:
    if column in _OF_EVERY_DOCUMENT:
        return True
    if column in view.mapping.fields:
        return fields.shows(column)
    return fields.shows(column.rpartition("#")[0] or column)


def shows(view: ShardView, path: str) -> bool:
    """Whether a field may be seen. Those that every document has always may."""
    if view.limits is None or path in METADATA_FIELDS:
        return True
    return visible_fields(view.limits).shows(path)


def shown_document(document: Document, view: ShardView) -> Document:
    """A stored document with what is visible of it."""
    if view.limits is None:
        return document
    return Document(
        document.seq_no,
        document.term,
        document.version,
        document.id,
        document.routing,
        tuple(each for each in document.ignored if shows(view, each)),
        visible_source(document.source, view.limits),
    )


def visible_documents(request: ShardSearch, scope: Scope) -> tantivy.Query | None:
    """The documents that may be found, as a query of the scope's view; None where that is all of them.

    Raises as `compile_query` does: then nothing is found.
    """
    if request.documents is None:
        return None
    return compile_visible(request.documents, scope)


def compile_visible(query: dsl.Query, scope: Scope) -> tantivy.Query | None:
    """The same of a query that says which documents are visible. It looks at fields that are hidden too."""
    view = scope.state.view
    whole = Scope(state_of(view.whole or view), scope.index_name, None)
    compiled = compile_query(query, whole)
    return None if compiled is EVERYTHING else compiled.query


def check_visible(seq_nos: Sequence[int], scope: Scope) -> None:
    """Whoever asks for documents by their place need not have found them. Raises RefusedUnderLimits for one that is
    hidden.
    """
    if scope.visible is None or not seq_nos:
        return
    asked = sorted(set(seq_nos))
    chosen = tantivy.Query.term_set_query(scope.schema, SEQ_NO, asked)
    if scope.state.count(all_of(chosen, scope.visible)) < len(asked):
        raise RefusedUnderLimits("a document that was asked for may not be seen")


def check_supported(request: ShardSearch) -> None:
    """Raises RefusedUnderLimits for what would tell of hidden documents."""
    if request.documents is not None:
        refuse_with_hidden_documents(request.body)
