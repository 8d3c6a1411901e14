"""more_like_this: the terms that tell a text from others, and the documents that have several of them.

A term is worth its frequency in what is to be liked times its rarity in this shard. Documents that are named are looked
for in the shard itself; those of other shards and indices come with the query (`search.lookups`).
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import tantivy

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, Analyzer, analyzer_named
from sealane.engine.embedded.search.dictionary import doc_freq
from sealane.engine.embedded.search.leaves import text_term
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.scope import (
    NOTHING,
    Compiled,
    Scope,
    all_of,
    any_of,
    without,
)
from sealane.engine.embedded.search.source_values import source_at, values_at
from sealane.engine.embedded.view import ID
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.model.java_hash import text_hash
from sealane.model.visible_fields import visible_fields
from sealane.query.any_json import loads
from sealane.query.visible_source import visible_members

_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)


class _Worth(NamedTuple):
    """A term of a field, and how well it tells."""

    value: float
    field: Field
    text: str


def compile_more_like_this(query: dsl.MoreLikeThis, scope: Scope) -> Compiled:
    """Raises QueryShardError for a field that is neither text nor keyword, and for text without a field."""
    try:
        return _compile(query, scope)
    except ApiError as error:
        if isinstance(error, _NoAnalyzer):
            raise
        raise scope.failed(error) from None


class _NoAnalyzer(IllegalArgument):
    pass


def _compile(query: dsl.MoreLikeThis, scope: Scope) -> Compiled:
    fields = _fields(query, scope)
    if not fields:
        return NOTHING
    likeness = _Likeness(query, fields, scope)
    found = []
    if query.documents:
        found.append(likeness.of_documents())
    if query.texts:
        found.append(likeness.of_texts())
    alive = [each for each in found if each is not NOTHING]
    if not alive:
        return NOTHING
    whole = alive[0] if len(alive) == 1 else Compiled(any_of([e.query for e in alive]), None)
    ids = [each.id for each in query.documents if each.id is not None]
    if ids and not query.include:
        liked = tantivy.Query.term_set_query(scope.schema, ID, ids)
        return Compiled(without(whole.query, liked), whole.constant)
    return whole


def _fields(query: dsl.MoreLikeThis, scope: Scope) -> list[Field]:
    if not query.fields:
        if query.texts:
            raise IllegalArgument(
                "[more_like_this] query cannot infer the field to analyze the free text, you should "
                "update the [index.query.default_field] index setting to a field that exists in the "
                "mapping or set the [fields] option in the query."
            )
        everything = (scope.mapped(path) for path in scope.state.view.mapping.fields)
        return [each for each in everything if each is not None and each.type in _TEXTUAL]
    fields = []
    for path in query.fields:
        mapped = scope.mapped(path)
        if mapped is None:
            if query.texts:
                raise _NoAnalyzer(f"No analyzer configured for field {path}")
            continue
        if mapped.type in _TEXTUAL:
            fields.append(mapped)
        elif query.fail_on_unsupported_field:
            raise IllegalArgument(f"more_like_this only supports text/keyword fields: [{path}]")
    return fields


class _Likeness:
    def __init__(self, query: dsl.MoreLikeThis, fields: list[Field], scope: Scope) -> None:
        self._query = query
        self._fields = fields
        self._scope = scope
        self._avoided: set[tuple[str, str]] = set()
        for text in query.unlike_texts:
            first = fields[0]
            self._avoided |= {(first.path, term) for term in self._terms(first, text)}
        if query.documents:
            for document in query.unlike_documents:
                source = self._source(document)
                for field in fields:
                    terms = self._document_terms(field, source)
                    self._avoided |= {(field.path, term) for term in terms}

    def of_texts(self) -> Compiled:
        """All texts together; each of their terms in the field where it is most frequent."""
        first = self._fields[0]
        counts: Counter[str] = Counter()
        for text in self._query.texts:
            counts.update(self._telling(first, self._terms(first, text)))
        return self._any([self._best(counts, self._fields)])

    def of_documents(self) -> Compiled:
        """The best terms of each field by itself."""
        sources = [(each, self._source(each)) for each in self._query.documents]
        best = []
        for field in self._fields:
            counts: Counter[str] = Counter()
            for document, source in sources:
                if document.fields is None or field.path in document.fields:
                    counts.update(self._telling(field, self._document_terms(field, source)))
            best.append(self._best(counts, [field]))
        return self._any(best)

    def _analyzer(self, field: Field) -> Analyzer:
        if field.type is not FieldType.TEXT:
            return KEYWORD
        named = None if self._query.analyzer is None else analyzer_named(self._query.analyzer)
        return named or STANDARD

    def _terms(self, field: Field, text: str) -> list[str]:
        return [term for _, term in self._analyzer(field).terms(text)]

    def _document_terms(self, field: Field, source: Any) -> Iterator[str]:
        for value in values_at(source, field.source_path.split(".")):
            yield from self._terms(field, value if isinstance(value, str) else _text(value))

    def _telling(self, field: Field, terms: Iterable[str]) -> Iterator[str]:
        """Without the words that are too short, too long, not wanted."""
        query = self._query
        for term in terms:
            if query.min_word_length and len(term) < query.min_word_length:
                continue
            if query.max_word_length and len(term) > query.max_word_length:
                continue
            if term not in query.stop_words and (field.path, term) not in self._avoided:
                yield term

    def _best(self, counts: Counter[str], fields: list[Field]) -> list[_Worth]:
        query = self._query
        docs = self._scope.state.num_docs
        found = []
        for term in _as_java_has_them(counts):
            count = counts[term]
            if query.min_term_freq > 0 and count < query.min_term_freq:
                continue
            field = max(fields, key=lambda each: doc_freq(each.path, term, self._scope))
            frequency = doc_freq(field.path, term, self._scope)
            if not max(1, query.min_doc_freq) <= frequency <= query.max_doc_freq:
                continue
            rarity = math.log((docs + 1) / (frequency + 1)) + 1
            found.append(_Worth(count * rarity, field, term))
        found.sort(key=lambda each: -each.value)
        return found[: query.max_query_terms]

    def _any(self, groups: list[list[_Worth]]) -> Compiled:
        """As many of all terms as must match. A boost is in proportion to the least of its group, as there."""
        scope, factor = self._scope, self._query.boost_terms
        clauses = []
        for group in groups:
            for each in group:
                term = text_term(each.field, each.text, scope)
                if factor > 0:
                    term = term.boosted(factor * each.value / group[-1].value)
                clauses.append((tantivy.Occur.Should, term.query))
        if not clauses:
            return NOTHING
        required = max(1, minimum_should_match(self._query.minimum_should_match, len(clauses)))
        if required > len(clauses):
            return NOTHING
        return Compiled(tantivy.Query.boolean_query(clauses, required), None)

    def _source(self, document: dsl.LikeDocument) -> Any:
        """The JSON of a liked document; None where this shard does not have it."""
        if document.source is not None:
            return loads(document.source)
        local = self._scope.index_name.rpartition(":")[2]
        if document.id is None or document.index not in (None, local):
            return None
        searcher = self._scope.state.view.searcher
        wanted = tantivy.Query.term_set_query(self._scope.schema, ID, [document.id])
        if self._scope.visible is not None:
            wanted = all_of(wanted, self._scope.visible)
        hits = searcher.search(wanted, 1, False).hits
        if not hits:
            return None
        source, limits = source_at(searcher, hits[0][1]), self._scope.state.view.limits
        return source if limits is None else visible_members(source, visible_fields(limits))


def _as_java_has_them(terms: Collection[str]) -> list[str]:
    """In the order of the reference's hash table, which decides between terms of the same worth."""
    size = 16
    while len(terms) > size * 0.75:
        size *= 2

    def bucket(term: str) -> int:
        code = text_hash(term)
        return (code ^ code >> 16) & (size - 1)

    return sorted(terms, key=bucket)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
