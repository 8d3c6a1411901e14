"""Words of a field that are near another: the search behind term and phrase suggestions.

It goes by the reference's rules: first the words one edit away, then those two away if the first were too few; of each
round the nearest are kept, as many as are to be inspected.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from sealane.engine.embedded.search.distances import DISTANCES, by_edits, single
from sealane.engine.embedded.search.edits import near_terms
from sealane.engine.embedded.search.state import ViewState
from sealane.model import dsl


@dataclass(frozen=True, slots=True)
class Near:
    """A word, how near it is, and how many documents have it."""

    text: str
    score: float
    freq: int


class Dictionary:
    """The words of one field of a view."""

    def __init__(self, state: ViewState, path: str) -> None:
        self._state = state
        self._path = path

    @property
    def docs(self) -> int:
        return self._state.num_docs

    def freq(self, word: str) -> int:
        """How many documents have a word."""
        return int(self._state.view.searcher.doc_freq(self._path, word))

    def beginning(self, prefix: str) -> list[tuple[str, int]]:
        """Words with their frequencies, in the order of their bytes."""
        found = self._state.view.searcher.terms_with_prefix(self._path, prefix)
        return sorted(((str(word), int(freq)) for word, freq in found), key=_by_bytes)


def _by_bytes(entry: tuple[str, int]) -> bytes:
    return entry[0].encode()


def near_words(
    word: str,
    wanted: int,
    spelling: dsl.Spelling,
    words: Dictionary,
    *,
    threshold: float | None = None,
) -> list[Near]:
    """The best `wanted` words near another; none where it needs no correction. `threshold` replaces min_doc_freq."""
    if spelling.min_word_length > 0 and len(word) < spelling.min_word_length:
        return []
    freq = words.freq(word)
    if spelling.mode is dsl.SuggestMode.MISSING and freq > 0:
        return []
    most = spelling.max_term_freq
    if most >= 1 and freq > most:
        return []
    if most < 1 and freq > math.ceil(single(single(most) * words.docs)):
        return []
    least = freq if spelling.mode is dsl.SuggestMode.POPULAR else 0
    rare = spelling.min_doc_freq if threshold is None else threshold
    if rare >= 1:
        least = max(least, int(rare))
    elif rare > 0:
        least = max(least, int(rare * words.docs) - 1)
    inspections = wanted * spelling.max_inspections
    found = _inspect(word, inspections, spelling, words, least, 1)
    if spelling.max_edits > 1 and len(found) < inspections:
        for each in _inspect(
            word, inspections, spelling, words, least, spelling.max_edits
        ).values():
            found.setdefault(each.text, each)
    return sorted(found.values(), key=_order(spelling))[:wanted]


def _order(spelling: dsl.Spelling) -> Callable[[Near], tuple[float, float, str]]:
    if spelling.order is dsl.SuggestOrder.FREQUENCY:
        return lambda near: (-near.freq, -near.score, near.text)
    return lambda near: (-near.score, -near.freq, near.text)


def _inspect(
    word: str, limit: int, spelling: dsl.Spelling, words: Dictionary, least: int, most_edits: int
) -> dict[str, Near]:
    """The nearest `limit` words within some edits that more than `least` documents have."""
    prefix = word[: max(spelling.prefix_length, most_edits - 1)]
    distance = DISTANCES.get(spelling.distance)
    accuracy = single(spelling.accuracy)
    kept: list[tuple[float, int, Near]] = []
    freqs = dict(words.beginning(prefix))
    near = near_terms(list(freqs), word, most_edits, prefix_length=len(prefix))
    for number, (candidate, count) in enumerate(near):
        freq = freqs[candidate]
        if candidate == word or freq <= least:
            continue
        boost = by_edits(count, word, candidate)
        if len(kept) >= limit and (not kept or boost <= kept[0][0]):
            continue
        score = boost if distance is None else distance(word, candidate)
        if score < accuracy:
            continue
        heapq.heappush(kept, (boost, -number, Near(candidate, score, freq)))
        if len(kept) > limit:
            heapq.heappop(kept)
    return {each.text: each for _, _, each in kept}
