"""Scores as the reference computes them, where tantivy computes others: each matching document's by itself.

tantivy takes the average length of a field over all documents, the reference over those that have the field; and it
counts a sloppy phrase like an exact one. What a document's score is made of (frequency, length) is read out of
tantivy's own explanation, and the documents become sets with a constant score. That costs some microseconds for each
match, so it is for few matches: `leaves` and `match` fall back to tantivy's scores.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import tantivy

from sealane.engine.embedded.analyzers import STANDARD
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope, any_of
from sealane.engine.embedded.search.source_values import source_at, values_at
from sealane.engine.embedded.search.values import text_of
from sealane.engine.embedded.view import SEQ_NO

MAX_DOCUMENTS = 512
# How far apart the reference places the last word of a value and the first of the next.
VALUE_GAP = 100
# Longer distances than this are taken for one.
MAX_DISTANCES = 16
_FLOAT = struct.Struct("<f")
_K1, _B = 1.2, 0.75


class _Parts(NamedTuple):
    """What tantivy tells of one document: `freq` occurrences in `length` tokens, where `average` is usual."""

    freq: float
    length: float
    average: float


def exact_term(path: str, text: str, scope: Scope) -> Compiled | None:
    """A term of a text field; None where it is in too many documents."""
    query = tantivy.Query.term_query(scope.schema, path, text, "freq")
    return _scored(path, (text,), [(query, 1.0)], scope)


PlacedWord = str | tuple[int, str]
"""A word of a phrase; with its place, counted from the first, where the words do not just follow each other."""


def exact_phrase(
    path: str, words: Sequence[PlacedWord], slop: int, scope: Scope
) -> Compiled | None:
    """A phrase of a text field; None where it is in too many documents.

    A match whose words would have to be moved by `n` places counts as 1 / (1 + n) of one.
    """
    texts = [each if isinstance(each, str) else each[1] for each in words]
    often = _repeated(words, slop) if slop and len(set(texts)) < len(texts) else {}
    return _scored(path, texts, _steps(path, words, slop, scope), scope, often)


def _steps(
    path: str, words: Sequence[PlacedWord], slop: int, scope: Scope
) -> list[tuple[tantivy.Query, float]]:
    distances = list(range(min(slop, MAX_DISTANCES - 1) + 1))
    if distances[-1] < slop:
        distances.append(slop)
    return [
        (tantivy.Query.phrase_query(scope.schema, path, list(words), each), 1.0 / (1 + each))
        for each in distances
    ]


def exact_phrases(
    path: str,
    phrases: Sequence[Sequence[PlacedWord]],
    words: Sequence[str],
    slop: int,
    scope: Scope,
) -> Compiled | None:
    """Any of several phrases, counted together, as rare as `words`; None where they are in too many documents."""
    searcher = scope.state.view.searcher
    frequencies: dict[int, float] = {}
    shapes: dict[int, _Parts] = {}
    place: tantivy.DocAddress | None = None
    for phrase in phrases:
        steps = _steps(path, phrase, slop, scope)
        widest = steps[-1][0]
        found = searcher.search(widest, MAX_DOCUMENTS + 1, False, SEQ_NO, 0, tantivy.Order.Asc).hits
        for number, address in found:
            parts = _explained(widest, searcher, address)
            if parts is None:
                return None
            place = address
            seq_no = int(number or 0)
            shapes[seq_no] = parts
            counted = _frequency(steps, parts, searcher, address)
            frequencies[seq_no] = frequencies.get(seq_no, 0.0) + counted
        if len(shapes) > MAX_DOCUMENTS:
            return None
    if place is None:
        return NOTHING
    having = max(scope.state.having_tokens(path), 1)
    weight = _single(_single(2.2) * _idf(words, path, having, scope))
    first = phrases[0][0]
    word = first if isinstance(first, str) else first[1]
    stretch = _documents(path, word, scope, place) / having
    sets: dict[float, list[int]] = {}
    for seq_no, parts in shapes.items():
        score = _score(weight, frequencies[seq_no], parts.length, parts.average * stretch)
        sets.setdefault(score, []).append(seq_no)
    return _with_scores(sets, scope)


def _scored(
    path: str,
    words: Sequence[str],
    steps: list[tuple[tantivy.Query, float]],
    scope: Scope,
    often: "Mapping[str, _Repeated] | None" = None,
) -> Compiled | None:
    """Documents of the last step's query. Each step matches what the one before does, and more: by its weight.

    `often` are words that a document must have several times: tantivy takes one for each place of a sloppy phrase.
    """
    searcher = scope.state.view.searcher
    widest = steps[-1][0]
    found = searcher.search(widest, MAX_DOCUMENTS + 1, False, SEQ_NO, 0, tantivy.Order.Asc).hits
    if len(found) > MAX_DOCUMENTS:
        return None
    if not found:
        return NOTHING
    having = max(scope.state.having_tokens(path), 1)
    weight = _single(_single(2.2) * _idf(words, path, having, scope))
    stretch = _documents(path, words[0], scope, found[0][1]) / having
    sets: dict[float, list[int]] = {}
    for seq_no, address in found:
        if often and not _has_all(path, often, address, scope):
            continue
        parts = _explained(widest, searcher, address)
        if parts is None:
            return None
        frequency = _frequency(steps, parts, searcher, address)
        score = _score(weight, frequency, parts.length, parts.average * stretch)
        sets.setdefault(score, []).append(int(seq_no or 0))
    return _with_scores(sets, scope) if sets else NOTHING


class _Repeated(NamedTuple):
    """A word that a phrase has `times` times, within `width` places of a document at most."""

    times: int
    width: int


def _repeated(words: Sequence[PlacedWord], slop: int) -> dict[str, _Repeated]:
    places: dict[str, list[int]] = {}
    for index, each in enumerate(words):
        place, text = (index, each) if isinstance(each, str) else each
        places.setdefault(text, []).append(place)
    return {
        text: _Repeated(len(found), found[-1] - found[0] + slop)
        for text, found in places.items()
        if len(found) > 1
    }


def _has_all(
    path: str, often: Mapping[str, _Repeated], address: tantivy.DocAddress, scope: Scope
) -> bool:
    """Whether a document has each of the words often enough, and near enough to each other."""
    mapped = scope.state.view.mapping.get(path)
    assert mapped is not None
    source = source_at(scope.state.view.searcher, address)
    places: dict[str, list[int]] = {word: [] for word in often}
    start = 0
    for value in values_at(source, mapped.source_path.split(".")):
        terms = STANDARD.terms(text_of(value))
        for position, term in terms:
            if term in places:
                places[term].append(start + position)
        start += len(terms) + VALUE_GAP
    for word, (times, width) in often.items():
        found = places[word]
        near = (
            last - first <= width for first, last in zip(found, found[times - 1 :], strict=False)
        )
        if not any(near):
            return False
    return True


def _with_scores(sets: dict[float, list[int]], scope: Scope) -> Compiled:
    """Documents by their `_seq_no`, each with its score."""
    clauses = [
        tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(scope.schema, SEQ_NO, numbers), score
        )
        for score, numbers in sets.items()
    ]
    if len(clauses) == 1:
        return Compiled(clauses[0], next(iter(sets)))
    return Compiled(any_of(clauses), None)


def _frequency(
    steps: list[tuple[tantivy.Query, float]],
    widest: _Parts,
    searcher: tantivy.Searcher,
    address: tantivy.DocAddress,
) -> float:
    total = counted = 0.0
    for query, share in steps:
        parts = widest if query is steps[-1][0] else _explained(query, searcher, address)
        if parts is not None and parts.freq > counted:
            total += (parts.freq - counted) * share
            counted = parts.freq
        if counted >= widest.freq:
            break
    return total


def _idf(words: Sequence[str], path: str, having: int, scope: Scope) -> float:
    total = 0.0
    for word in words:
        frequency = min(scope.state.view.searcher.doc_freq(path, word), having)
        total += _single(math.log(1 + (having - frequency + 0.5) / (frequency + 0.5)))
    return _single(total)


def plain_score(idf: float, average: float) -> float:
    """Of a term in a field without frequencies and norms; `average` is the usual number of values of a document."""
    return _score(_single(_single(2.2) * _single(idf)), 1.0, 1.0, average)


def _score(weight: float, frequency: float, length: float, average: float) -> float:
    """In single precision throughout, as the reference."""
    norm = _single(1 / _single(_K1 * ((1 - _B) + _B * length / _single(average))))
    return _single(weight - _single(weight / _single(1 + _single(frequency * norm))))


def _single(value: float) -> float:
    rounded: float = _FLOAT.unpack(_FLOAT.pack(value))[0]
    return rounded


def _explained(
    query: tantivy.Query, searcher: tantivy.Searcher, address: tantivy.DocAddress
) -> _Parts | None:
    """None for a document that does not match, or whose explanation is of another form."""
    found = _members(query, searcher, address)
    if not found.keys() >= {"freq", "dl", "avgdl"}:
        return None
    return _Parts(found["freq"], found["dl"], found["avgdl"])


def _documents(path: str, word: str, scope: Scope, address: tantivy.DocAddress) -> float:
    """How many documents tantivy counts, deleted ones among them. `address` is of one with the word."""
    query = tantivy.Query.term_query(scope.schema, path, word, "freq")
    state = scope.state
    return _members(query, state.view.searcher, address).get("N", state.num_docs)


def _members(
    query: tantivy.Query, searcher: tantivy.Searcher, address: tantivy.DocAddress
) -> dict[str, float]:
    """The values of an explanation by the name that begins their description; none for what does not match."""
    found: dict[str, float] = {}
    try:
        _collect(orjson.loads(query.explain(searcher, address).to_json()), found)
    except ValueError:
        pass
    return found


def _collect(node: dict[str, Any], found: dict[str, float]) -> None:
    name, comma, _ = node["description"].partition(",")
    if comma:
        found.setdefault(name, node["value"])
    for each in node.get("details") or ():
        _collect(each, found)
