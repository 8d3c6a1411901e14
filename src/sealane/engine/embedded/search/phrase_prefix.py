"""Phrases whose last word is only begun: each term that begins so makes a phrase, and they score as one."""

import tantivy

from sealane.engine.embedded.search.dictionary import doc_freq, terms_of_field
from sealane.engine.embedded.search.exact import exact_phrases
from sealane.engine.embedded.search.leaves import sparse_correction, text_term
from sealane.engine.embedded.search.rewrites import documents_with, idf
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, any_of
from sealane.engine.mapping import Field


def phrase_prefix(
    mapped: Field,
    terms: list[tuple[int, str]],
    slop: int,
    scope: Scope,
    *,
    max_expansions: int,
) -> Compiled:
    """`terms` are words with their positions, the last of them begun; it stands for its first `max_expansions` terms.

    With one word alone each of its terms scores by itself; with several, the phrase counts as often as any of the
    endings follows, and as rare as all of its words together.
    """
    path = mapped.path
    endings = terms_of_field(path, terms[-1][1], scope)[: max(0, max_expansions)]
    if not endings:
        return NOTHING
    if len(terms) == 1:
        found = [text_term(mapped, each, scope) for each in endings]
        return found[0] if len(found) == 1 else Compiled(any_of([f.query for f in found]), None)
    head = [word for _, word in terms[:-1]]
    if any(doc_freq(path, word, scope) == 0 for word in head):
        return NOTHING
    first = terms[0][0]
    places = [position - first for position, _ in terms]
    phrases = [list(zip(places, [*head, ending], strict=True)) for ending in endings]
    exact = exact_phrases(path, phrases, [*head, *endings], slop, scope)
    return _rough(mapped, phrases, slop, scope) if exact is None else exact


def _rough(
    mapped: Field, phrases: list[list[tuple[int, str]]], slop: int, scope: Scope
) -> Compiled:
    """For more documents than can be looked at one by one: right where a document has one of the phrases."""
    docs = documents_with(mapped, scope)

    def rarity(words: set[str]) -> float:
        return sum(idf(doc_freq(mapped.path, word, scope), docs) for word in words)

    whole = rarity({word for phrase in phrases for _, word in phrase})
    queries = []
    for phrase in phrases:
        query = tantivy.Query.phrase_query(scope.schema, mapped.path, list(phrase), slop)
        own = rarity({word for _, word in phrase})
        words = [word for _, word in phrase]
        boost = whole / own * sparse_correction(mapped.path, words, scope)
        queries.append(tantivy.Query.boost_query(query, boost))
    return Compiled(any_of(queries), None)
