"""The fetch phase: from rows to hits."""

from typing import cast

import tantivy

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.search.collect import Plan
from sealane.engine.embedded.search.document_cache import Document, DocumentCache
from sealane.engine.embedded.search.field_values import FieldReader
from sealane.engine.embedded.search.highlight import Highlighter
from sealane.engine.embedded.search.limited import shown_document
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.sorting import SortKey
from sealane.engine.embedded.search.state import count_of
from sealane.engine.embedded.view import SEQ_NO, STORED, ShardView
from sealane.query.source import filter_source
from sealane.reduce.partial import Hit

IN_DISK_ORDER_FROM = 32

document_cache = DocumentCache()
"""The cache of the process, shared by all shards."""


def fetch(rows: list[Row], plan: Plan, request: ShardSearch) -> list[Hit]:
    """One hit for each row, in their order."""
    view, body = plan.scope.state.view, request.body
    if plan.scope.nested:
        from sealane.engine.embedded.search.inner_hits import fetch_objects

        return fetch_objects(rows, plan.keys if not plan.by_score else [], plan.scope, request)
    reader = None
    if body.fields or body.docvalue_fields:
        reader = FieldReader(body, plan.scope)
    highlighter = None
    if body.highlight is not None:
        highlighter = Highlighter(body.highlight, body.query, plan.scope)
    documents = _load(rows, plan)
    whole = documents
    if view.limits is not None:
        documents = [shown_document(each, view) for each in whole]
    sorted_by = plan.keys if not plan.by_score else None
    if _is_plain(plan, request):
        return _plain_hits(rows, documents, sorted_by, request, view)
    wanted = [body.source]
    matched = _matched(rows, plan)
    hits: list[Hit] = []
    for place, row in enumerate(rows):
        stored = documents[place]
        fields, ignored = (None, None) if reader is None else reader.read(stored, whole[place])
        if row.group is not None and body.collapse is not None:
            fields = {**(fields or {}), body.collapse.field: [row.group]}
        hits.append(
            Hit(
                index=request.index_name,
                id=stored.id if body.ids else "",
                score=row.score,
                source=filter_source(stored.source, wanted) if body.source.enabled else None,
                sort=None
                if sorted_by is None
                else [k.shown(v) for k, v in zip(sorted_by, row.values, strict=True)],
                shard=view.shard,
                index_uuid=view.index_uuid,
                routing=stored.routing,
                version=stored.version if body.version else None,
                seq_no=stored.seq_no if body.seq_no_primary_term else None,
                primary_term=stored.term if body.seq_no_primary_term else None,
                ignored=list(stored.ignored) or None,
                matched=matched[place] if matched is not None else None,
                fields=fields or None,
                ignored_values=ignored or None,
                highlight=None if highlighter is None else highlighter.highlight(stored),
                group=row.group,
            )
        )
    if body.explain:
        from sealane.engine.embedded.search.explain import explain

        for hit, row in zip(hits, rows, strict=True):
            hit.explanation = explain(body, row, plan.rescorers, plan.scope)
    if plan.scope.inner and rows:
        from sealane.engine.embedded.search.inner_hits import attach

        attach(hits, whole, plan.scope.inner, request)
    return hits


def _is_plain(plan: Plan, request: ShardSearch) -> bool:
    """Whether hits hold their document, score and sort values, and nothing else: most searches' do."""
    body = request.body
    return not (
        body.version
        or body.seq_no_primary_term
        or body.fields
        or body.docvalue_fields
        or body.highlight is not None
        or body.explain
        or plan.named
        or plan.group is not None
        or plan.scope.inner
    )


def _plain_hits(
    rows: list[Row],
    documents: list[Document],
    keys: list[SortKey] | None,
    request: ShardSearch,
    view: ShardView,
) -> list[Hit]:
    """As `fetch`. By position: naming the members of a hit takes longer than all else that is done for it."""
    body = request.body
    name, shard, uuid = request.index_name, view.shard, view.index_uuid
    wanted = [each for each in (body.source,) if each.includes or each.excludes]
    shows_source, shows_id = body.source.enabled, body.ids
    hits: list[Hit] = []
    for row, stored in zip(rows, documents, strict=True):
        source = None
        if shows_source:
            source = filter_source(stored.source, wanted) if wanted else stored.source
        values = None
        if keys is not None:
            values = [key.shown(value) for key, value in zip(keys, row.values, strict=True)]
        doc_id = stored.id if shows_id else ""
        hit = Hit(name, doc_id, row.score, source, values, shard, uuid, stored.routing)
        if stored.ignored:
            hit.ignored = list(stored.ignored)
        hits.append(hit)
    return hits


def _load(rows: list[Row], plan: Plan) -> list[Document]:
    """The stored document of each row, read in the order of the disk: neighbours share a compressed block."""
    state = plan.scope.state
    serial, read = state.serial, state.view.searcher.doc
    addresses = [row.address for row in rows]
    keys = [serial | at.segment_ord << 32 | at.doc for at in addresses]
    documents = document_cache.find(keys)
    absent = [at for at, document in enumerate(documents) if document is None]
    if len(absent) >= IN_DISK_ORDER_FROM:
        absent.sort(key=keys.__getitem__)
    for at in absent:
        documents[at] = document_cache.keep(keys[at], read(addresses[at])[STORED][0])
    return cast(list[Document], documents)


def _matched(rows: list[Row], plan: Plan) -> list[list[str] | None] | None:
    """The names of the named queries that each row matches; None when the request names none."""
    if not plan.named or not rows:
        return None
    searcher = plan.scope.state.view.searcher
    numbers = searcher.fast_field_values(SEQ_NO, [row.address for row in rows])
    chosen = tantivy.Query.term_set_query(plan.scope.schema, SEQ_NO, numbers)
    names: dict[int | float | bool | None, list[str]] = {}
    for name, query in plan.named:
        both = tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, chosen)]
        )
        result = searcher.search(both, len(rows), True, SEQ_NO)
        assert count_of(result) <= len(rows)
        for number, _ in result.hits:
            names.setdefault(number, []).append(name)
    return [names.get(number) for number in numbers]
