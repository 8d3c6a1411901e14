"""One document of a view, by its id."""

import tantivy

from sealane.engine.embedded.index_files import mapped_error, mapped_errors
from sealane.engine.embedded.stored import decode_stored
from sealane.engine.embedded.view import ID, STORED, ShardView
from sealane.model.document import Document


def has_document(view: ShardView, doc_id: str) -> bool:
    """False where there surely is none; one that was deleted a while ago may still count."""
    try:
        return bool(view.searcher.doc_freq(ID, doc_id))
    except BaseException as exc:
        mapped = mapped_error(exc)
        if mapped is None:
            raise
        raise mapped from exc


def find_document(view: ShardView, doc_id: str) -> Document | None:
    if not has_document(view, doc_id):
        return None
    with mapped_errors():
        query = tantivy.Query.term_query(view.schema, ID, doc_id)
        hits = view.searcher.search(query, 1, count=False).hits
        if not hits:
            return None
        stored = decode_stored(view.searcher.doc(hits[0][1])[STORED][0])
    return Document(
        id=stored.id,
        version=stored.version,
        seq_no=stored.seq_no,
        primary_term=stored.term,
        source=stored.source,
        routing=stored.routing,
    )
