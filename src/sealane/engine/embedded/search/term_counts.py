"""How often words occur in a field of a view, every occurrence counted.

tantivy tells how many documents have a word, and of one document how often it has it: occurrences are summed from
there. Of very frequent words only the first documents are looked at, and the rest is taken to be like them.
"""

from typing import Any, NamedTuple

import orjson
import tantivy
from tantivy import Order

from sealane.engine.embedded.search.state import ViewState
from sealane.engine.embedded.view import SEQ_NO
from sealane.engine.mapping import FieldType

# Documents whose occurrences are counted one by one; each costs some ten microseconds.
COUNTED_DOCS = 2_000


class TermCounts:
    """Of one field of a view. What was counted is kept as long as this object."""

    def __init__(self, state: ViewState, path: str) -> None:
        self._state = state
        self._path = path
        mapped = state.view.mapping.get(path)
        self._has_freqs = mapped is not None and mapped.type is FieldType.TEXT
        self._known: dict[str, int] = {}

    def of(self, word: str) -> int:
        """Occurrences of a word in all documents."""
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._count(word)
        return known

    def _count(self, word: str) -> int:
        docs = int(self._state.view.searcher.doc_freq(self._path, word))
        if not docs or not self._has_freqs:
            return docs
        query = self._query(word)
        searcher = self._state.view.searcher
        hits = searcher.search(query, min(docs, COUNTED_DOCS), False, SEQ_NO, 0, Order.Asc).hits
        if not hits:
            return docs
        counted = 0
        for _, address in hits:
            counted += int(told_of(query, searcher, address).get("freq", 1))
        return counted if len(hits) < COUNTED_DOCS else int(counted * docs / len(hits))

    def _query(self, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._state.view.schema, self._path, word, "freq")

    @property
    def words(self) -> int:
        """How many different words there are; in several segments, the documents stand for it as in the reference."""
        searcher = self._state.view.searcher
        if searcher.num_segments > 1:
            return int(searcher.num_docs)
        return self._summary().words

    @property
    def total(self) -> int:
        """Occurrences of all words in all documents."""
        return self._summary().occurrences

    def _summary(self) -> "_Summary":
        return self._state.remember(("occurrences", self._path), self._summarize)

    def _summarize(self) -> "_Summary":
        searcher = self._state.view.searcher
        words = list(searcher.terms_with_prefix(self._path, ""))
        by_documents = sum(int(freq) for _, freq in words)
        if not words or not self._has_freqs:
            return _Summary(len(words), by_documents)
        query = self._query(words[-1][0])
        hits = searcher.search(query, 1, False).hits
        average = told_of(query, searcher, hits[0][1]).get("avgdl") if hits else None
        if average is None:
            return _Summary(len(words), by_documents)
        return _Summary(len(words), max(by_documents, round(average * self._state.num_docs)))


class _Summary(NamedTuple):
    words: int
    occurrences: int


def told_of(
    query: tantivy.Query, searcher: tantivy.Searcher, address: tantivy.DocAddress
) -> dict[str, float]:
    """What tantivy tells of a document that a query of words matches: `freq`, `dl`, `avgdl`, `n` and `N`."""
    found: dict[str, float] = {}
    _collect(orjson.loads(query.explain(searcher, address).to_json()), found)
    return found


def _collect(explained: dict[str, Any], found: dict[str, float]) -> None:
    name, comma, _ = explained["description"].partition(",")
    if comma:
        found.setdefault(name, float(explained["value"]))
    for detail in explained.get("details") or ():
        _collect(detail, found)
