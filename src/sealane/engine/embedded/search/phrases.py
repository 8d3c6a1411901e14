"""Phrase suggestions: whole phrases, likely as the words of a field follow each other, near what was written.

Each word gets candidates out of the field's dictionary; every way through the candidates with few enough changes is
scored by a language model and by how near its words are. The models and their numbers are the reference's.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sealane.engine.embedded.search.spelling import Dictionary, near_words
from sealane.engine.embedded.search.term_counts import TermCounts
from sealane.model import dsl

_LOG_BASE = 5
_TINY = 0.00000000001
_LEAST_CUTOFF = 4.9e-324
_MAX_PATHS = 200_000
"""Ways through the candidates that one phrase may cost; its token limit keeps it far below."""
_MAX_TOKENS = 200
"""Whatever token limit is asked for: every word is a level of the search, and its candidates are looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word at one place of the phrase. `distance` is how near it is to what was written there."""

    text: str
    occurrences: int
    distance: float
    score: float
    is_own: bool = False


@dataclass(slots=True)
class Place:
    """What was written at one place, and what could stand there instead, the best first."""

    own: Candidate
    others: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Phrase:
    score: float
    words: tuple[Candidate, ...]

    def text(self, tags: tuple[str, str] | None = None) -> str:
        """The words with spaces between; with `tags` around runs of those that were changed."""
        if tags is None:
            return " ".join(word.text for word in self.words)
        shown = []
        for at, word in enumerate(self.words):
            text = word.text
            if not word.is_own:
                if at == 0 or self.words[at - 1].is_own:
                    text = tags[0] + text
                if at + 1 == len(self.words) or self.words[at + 1].is_own:
                    text += tags[1]
            shown.append(text)
        return " ".join(shown)


class Model:
    """How likely a word is after those before it."""

    def __init__(self, counts: TermCounts, suggestion: dsl.PhraseSuggestion) -> None:
        self._counts = counts
        self._suggestion = suggestion
        self._total = counts.total
        self._words = counts.words

    def score(self, path: Sequence[Candidate], places: Sequence[Place], at: int) -> float:
        """The logarithm of the word's likelihood times how near it is to what was written."""
        gram = min(self._suggestion.gram_size, at + 1)
        if gram == 1:
            likelihood = self._one(path[at])
        elif gram == 2:
            likelihood = self._two(path[at], path[at - 1])
        else:
            likelihood = self._three(path[at], path[at - 1], path[at - 2])
        nearness = path[at].distance
        if nearness == 1.0:
            nearness = self._suggestion.real_word_error_likelihood
        value = nearness * likelihood
        if value > 0:
            return math.log10(value)
        return -math.inf if value == 0 else math.nan

    def _one(self, word: Candidate) -> float:
        # Of the field that the phrase is of, which a candidate need not come from.
        count = self._counts.of(word.text)
        if self._suggestion.smoothing is dsl.Smoothing.LAPLACE:
            alpha = self._suggestion.weights[0]
            return (alpha + count) / (self._total + alpha * self._words)
        return (1.0 + count) / (self._total + self._words)

    def _together(self, *words: Candidate) -> int:
        return self._counts.of(self._suggestion.separator.join(word.text for word in words))

    def _two(self, word: Candidate, before: Candidate) -> float:
        weights = self._suggestion.weights
        count = self._together(before, word)
        match self._suggestion.smoothing:
            case dsl.Smoothing.LAPLACE:
                return (weights[0] + count) / (before.occurrences + weights[0] * self._words)
            case dsl.Smoothing.LINEAR_INTERPOLATION:
                if count < 1:
                    return weights[2] * self._one(word)
                pair = count / (0.5 + before.occurrences)
                return weights[1] * pair + weights[2] * self._one(word)
            case _:
                if count < 1:
                    return weights[0] * self._one(word)
                return count / (before.occurrences + _TINY)

    def _three(self, word: Candidate, before: Candidate, first: Candidate) -> float:
        weights = self._suggestion.weights
        match self._suggestion.smoothing:
            case dsl.Smoothing.LAPLACE:
                count, pair = self._together(first, before, word), self._together(first, before)
                return (weights[0] + count) / (pair + weights[0] * self._words)
            case dsl.Smoothing.LINEAR_INTERPOLATION:
                pair, count = self._together(before, word), self._together(first, before, word)
                if count < 1:
                    return self._two(word, before)
                return weights[0] * (count / (1.0 + pair)) + self._two(word, before)
            case _:
                pair = self._together(before, word)
                if pair < 1:
                    return weights[0] * self._one(word)
                count = self._together(first, before, word)
                if count < 1:
                    return weights[0] * (pair / (before.occurrences + _TINY))
                return count / (pair + _TINY)


def best_phrases(
    tokens: Sequence[str],
    suggestion: dsl.PhraseSuggestion,
    counts: TermCounts,
    generators: Sequence[tuple[dsl.Generator, Dictionary, TermCounts]],
) -> tuple[list[Phrase], float]:
    """The likeliest phrases, the best first, and the score that each had to exceed."""
    if not tokens or len(tokens) >= min(suggestion.token_limit, _MAX_TOKENS):
        return [], _LEAST_CUTOFF
    limit = suggestion.per_shard()
    places = [_place(token, suggestion, generators, limit) for token in tokens]
    model = Model(counts, suggestion)
    cutoff = _LEAST_CUTOFF
    if suggestion.confidence > 0:
        own = [place.own for place in places]
        score = math.exp(sum(model.score(own, places, at) for at in range(len(own))))
        cutoff = score * suggestion.confidence
    if suggestion.max_errors >= 1:
        changes = int(suggestion.max_errors)
    else:
        changes = int(suggestion.max_errors * len(places) + 0.5)
    search = _Search(places, model, limit, cutoff)
    search.follow([], 0.0, max(1, changes))
    return search.best(), cutoff


def _place(
    token: str,
    suggestion: dsl.PhraseSuggestion,
    generators: Sequence[tuple[dsl.Generator, Dictionary, TermCounts]],
    limit: int,
) -> Place:
    likelihood = suggestion.real_word_error_likelihood
    _, _, first = generators[0]
    place = Place(_candidate(token, likelihood, first, own=True))
    for generator, words, counts in generators:
        threshold = None
        if generator.spelling.mode is not dsl.SuggestMode.ALWAYS:
            plateau = _plateau(generator.spelling.min_doc_freq, counts)
            threshold = _threshold(words.freq(token), plateau)
        near = near_words(token, generator.size, generator.spelling, words, threshold=threshold)
        fresh = [_candidate(each.text, each.score, counts) for each in near]
        known = {each.text for each in fresh}
        place.others = fresh + [each for each in place.others if each.text not in known]
        place.others.sort(key=lambda candidate: (-candidate.score, candidate.text))
    del place.others[limit:]
    return place


def _plateau(min_doc_freq: float, counts: TermCounts) -> int:
    return int(min_doc_freq if min_doc_freq >= 1 else counts.total * min_doc_freq)


def _threshold(freq: int, plateau: int) -> float:
    """How many documents a correction of a word must have that itself is in some."""
    if freq <= plateau:
        return 0.0
    share = math.log10(freq - plateau) / math.log10(_LOG_BASE)
    return float(max(0, round(freq * share + 1)))


def _candidate(text: str, distance: float, counts: TermCounts, *, own: bool = False) -> Candidate:
    occurrences = counts.of(text)
    score = distance * ((occurrences + 1) / (counts.total + 1))
    return Candidate(text, occurrences, distance, score, own)


class _Search:
    """All ways through the places with a limited number of changes; the best are kept."""

    def __init__(self, places: list[Place], model: Model, limit: int, cutoff: float) -> None:
        self._places = places
        self._model = model
        self._limit = limit
        self._cutoff = cutoff
        self._paths = 0
        self._kept: list[tuple[float, _Later, Phrase]] = []

    def follow(self, path: list[Candidate], score: float, changes: int) -> None:
        at = len(path)
        if at == len(self._places):
            self._keep(path, score)
            return
        place = self._places[at]
        choices = [place.own, *place.others] if changes > 0 else [place.own]
        for candidate in choices:
            if self._paths >= _MAX_PATHS:
                return
            path.append(candidate)
            step = self._model.score(path, self._places, at)
            self.follow(path, score + step, changes - (candidate is not place.own))
            path.pop()

    def _keep(self, path: list[Candidate], score: float) -> None:
        self._paths += 1
        likelihood = math.exp(score)
        if not likelihood > self._cutoff:
            return
        phrase = Phrase(likelihood, tuple(path))
        entry = (likelihood, _Later(tuple(word.text for word in path)), phrase)
        if len(self._kept) < self._limit:
            heapq.heappush(self._kept, entry)
        elif self._kept[0][:2] < entry[:2]:
            heapq.heapreplace(self._kept, entry)

    def best(self) -> list[Phrase]:
        return [phrase for _, _, phrase in sorted(self._kept, key=lambda e: e[:2], reverse=True)]


class _Later:
    """Of phrases of equal score, those later in the alphabet are the weaker."""

    __slots__ = ("texts",)

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.texts = texts

    def __lt__(self, other: "_Later") -> bool:
        return self.texts > other.texts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Later) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)
