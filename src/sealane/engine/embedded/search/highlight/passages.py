"""The best passages of a text around its matches, chosen as Lucene's unified highlighter does.

Passages score by BM25 over the text itself: it is taken for a collection of documents of the usual length of a
passage, and early passages count a little more.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import log
from typing import Final

from sealane.engine.embedded.search.highlight.boundaries import Boundaries

_K1: Final = 1.2
_B: Final = 0.75
_PIVOT: Final = 87.0
"""The usual length of a passage."""


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """`term` tells matches of the same word, or phrase, from others; `frequency` is how often it is in the text."""

    start: int
    end: int
    term: str
    frequency: int = 1


@dataclass(slots=True)
class Passage:
    start: int
    end: int
    matches: list[Match] = field(default_factory=list)
    score: float = 0.0


def best_passages(
    matches: Iterable[Match], boundaries: Boundaries, length: int, limit: int
) -> list[Passage]:
    """At most `limit` passages, in the order of the text. `matches` by their start."""
    heap: list[tuple[float, int, int, Passage]] = []
    passage: Passage | None = None
    seen_to = 0

    def finish(done: Passage | None) -> None:
        if done is None:
            return
        done.score = _score(done, length)
        if len(heap) == limit and done.score < heap[0][0]:
            return
        heappush(heap, (done.score, done.start, len(heap), done))
        if len(heap) > limit:
            heappop(heap)

    for match in matches:
        if passage is None or match.start >= passage.end:
            finish(passage)
            if passage is not None:
                seen_to = max(seen_to, passage.end)
            middle = (match.start + match.end) // 2
            begin, end = boundaries.around(max(match.start + 1, middle))
            passage = Passage(max(begin, seen_to), max(match.end, min(end, length)))
        passage.matches.append(match)
    finish(passage)
    return sorted((each[-1] for each in heap), key=lambda found: found.start)


def _score(passage: Passage, length: int) -> float:
    counts = Counter((match.term, match.frequency) for match in passage.matches)
    size = passage.end - passage.start
    documents = 1 + length / _PIVOT
    total = 0.0
    for (_, frequency), count in counts.items():
        rarity = (_K1 + 1) * log(1 + (documents + 0.5) / (frequency + 0.5))
        total += rarity * count / (count + _K1 * ((1 - _B) + _B * (size / _PIVOT)))
    return total * (1 + 1 / log(_PIVOT + passage.start))


def marked(text: str, passage: Passage, tags: tuple[str, str], escape: bool) -> str:
    """The passage with its matches between tags; what overlaps is marked once."""
    shown: list[str] = []
    at = passage.start
    spans = sorted((match.start, match.end) for match in passage.matches)
    position = 0
    while position < len(spans):
        start, end = spans[position]
        while position + 1 < len(spans) and spans[position + 1][0] < end:
            position += 1
            end = max(end, spans[position][1])
        end = min(end, passage.end)
        shown += [_plain(text[at:start], escape), tags[0], _plain(text[start:end], escape), tags[1]]
        at = end
        position += 1
    shown.append(_plain(text[at : max(at, passage.end)], escape))
    return "".join(shown)


_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "/": "&#x2F;"}
)


def _plain(text: str, escape: bool) -> str:
    return text.translate(_ESCAPES) if escape else text
