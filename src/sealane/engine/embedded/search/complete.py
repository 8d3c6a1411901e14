"""Completion suggestions of one shard: entries of a column that begin like the text, by weight."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import tantivy
from tantivy import Order

from sealane.engine.base import ShardSearch
from sealane.engine.embedded.completions import Completion, decode, encode, key_of
from sealane.engine.embedded.search.collect import Plan
from sealane.engine.embedded.search.distances import accepted_prefix
from sealane.engine.embedded.search.fetch import fetch
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.scope import EVERYTHING, Scope
from sealane.engine.embedded.search.spelling import Dictionary
from sealane.engine.embedded.view import SEQ_NO
from sealane.engine.mapping import Field
from sealane.model import dsl
from sealane.model.lucene_regexp import regexp
from sealane.reduce.partial import SuggestOption

_DEFAULT_EDITS = 1


def complete(
    suggestion: dsl.CompletionSuggestion,
    text: str,
    mapped: Field,
    scope: Scope,
    request: ShardSearch,
) -> list[SuggestOption]:
    """The best completions, each of another document. Raises IllegalArgument for an expression that is none."""
    if not scope.has_column(mapped.path):
        return []
    words = Dictionary(scope.state, mapped.path)
    ranked = sorted(
        _matching(suggestion, text, mapped, words), key=lambda each: (-each[0], each[1].shown)
    )
    # The engine reserves room for as many as are asked for: never for more than there are.
    limit = min(suggestion.per_shard(), scope.state.num_docs)
    rows: list[Row] = []
    texts: list[str] = []
    seen: set[int] = set()
    shown: set[str] = set()
    for score, entry in ranked:
        if len(rows) >= limit:
            break
        if suggestion.skip_duplicates and entry.shown in shown:
            continue
        for number, address in _documents(mapped, entry, limit, scope):
            if number not in seen and len(rows) < limit:
                seen.add(number)
                shown.add(entry.shown)
                rows.append(Row([], address, number, score))
                texts.append(entry.shown)
                if suggestion.skip_duplicates:
                    break
    plan = Plan(EVERYTHING, EVERYTHING.query, [], None, scope)
    if request.body.explain:
        # Their scores are weights: there is nothing to explain.
        request = replace(request, body=replace(request.body, explain=False))
    hits = fetch(rows, plan, request)
    return [
        SuggestOption(text, hit.score or 0.0, hit=hit)
        for text, hit in zip(texts, hits, strict=True)
    ]


def _documents(
    mapped: Field, entry: Completion, limit: int, scope: Scope
) -> Iterator[tuple[int, tantivy.DocAddress]]:
    query = tantivy.Query.term_query(scope.schema, mapped.path, encode(entry), "basic")
    found = scope.state.view.searcher.search(query, limit, False, SEQ_NO, 0, Order.Asc).hits
    for number, address in found:
        yield int(number or 0), address


def _matching(
    suggestion: dsl.CompletionSuggestion, text: str, mapped: Field, words: Dictionary
) -> Iterator[tuple[float, Completion]]:
    """Entries with their scores, in no order."""
    if suggestion.is_regex:
        yield from _by_expression(text, words)
        return
    key = key_of(mapped, text, suggestion.analyzer)
    if not key:
        return
    if suggestion.fuzziness is not None:
        yield from _nearly(key, suggestion.fuzziness, words)
        return
    for entry in _entries(words.beginning(key)):
        yield float(entry.weight), entry


def _entries(found: Iterable[tuple[str, int]]) -> Iterator[Completion]:
    return (decode(text) for text, _ in found)


def _by_expression(text: str, words: Dictionary) -> Iterator[tuple[float, Completion]]:
    """Entries of which some beginning is of the expression."""
    regexp(text)  # its errors are about the text as it was written
    pattern = regexp(f"({text}).*" if text else "")
    for entry in _entries(words.beginning("")):
        if pattern.fullmatch(entry.key):
            yield float(entry.weight), entry


def _nearly(
    key: str, fuzziness: dsl.CompletionFuzziness, words: Dictionary
) -> Iterator[tuple[float, Completion]]:
    """Entries that begin nearly so: the longer they agree, the more their weight counts."""
    exact = len(key) <= fuzziness.prefix_length or len(key) < fuzziness.min_length
    prefix = key if exact else key[: fuzziness.prefix_length]
    most = _DEFAULT_EDITS if fuzziness.edits is None else fuzziness.edits
    for entry in _entries(words.beginning(prefix)):
        length: int | None = len(key)
        if not exact:
            length = accepted_prefix(entry.key, key, most, transpositions=fuzziness.transpositions)
        if length is None:
            continue
        boost = _shared(entry.key[:length], key)
        score = entry.weight * boost if entry.weight and boost else entry.weight or boost
        yield float(score), entry


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
