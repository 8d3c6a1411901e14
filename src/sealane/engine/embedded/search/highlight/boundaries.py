"""Where a passage of a text may begin and end: at sentences, at words, at whole values.

The rules for sentences and words are those of Java's BreakIterator for the root locale, as its answers show them.
"""

import re
from bisect import bisect_left, bisect_right
from typing import Final, Protocol

SEPARATOR: Final = "\u0000"
"""Stands between the values of a field where they are looked at as one text."""

_SENTENCE_END: Final = re.compile(
    r"""[.]+["')\]}»”’]*\s+(?=["'(\[{«“‘]*[^\W\d_a-z])|[?!。！？]+["')\]}»”’]*\s*|\u2029|\u0000"""
)
_WORD: Final = re.compile(
    r"""[^\W_]+(?:["'.\-\u00ad\u2010-\u2015\u2027][^\W_]+|[_,](?<=\d[_,])(?=\d)[^\W_]+)*|\r\n|(?s:.)"""
)


class Boundaries(Protocol):
    """The edges of the passage around a match. Asked for matches from left to right."""

    def around(self, at: int) -> tuple[int, int]:
        """(begin, end) of the passage that a match around `at`, which is behind its first character, is shown in."""


class _Edges:
    """Sorted places of a text, its both ends among them."""

    def __init__(self, edges: list[int]) -> None:
        self._edges = edges

    def before(self, at: int) -> int:
        """The last one strictly before; 0 at the beginning."""
        place = bisect_left(self._edges, at)
        return self._edges[place - 1] if place else 0

    def after(self, at: int) -> int:
        """The first one strictly after; the last at the end."""
        place = bisect_right(self._edges, at)
        return self._edges[min(place, len(self._edges) - 1)]


def words(text: str) -> _Edges:
    return _Edges([0, *(each.end() for each in _WORD.finditer(text))])


def sentences(text: str) -> _Edges:
    ends = [
        each.end()
        for each in _SENTENCE_END.finditer(text)
        if not _goes_on_small(text, each.end(), each[0])
    ]
    return _Edges(sorted({0, *ends, len(text)}))


def _goes_on_small(text: str, at: int, end: str) -> bool:
    """Whether a full stop is followed by a small letter: then the sentence goes on."""
    return end[0] == "." and text[at : at + 1].islower()


class Plain:
    """Passages are the pieces between edges."""

    def __init__(self, edges: _Edges) -> None:
        self._edges = edges

    def around(self, at: int) -> tuple[int, int]:
        return self._edges.before(at), self._edges.after(at - 1)


class Values(Plain):
    """Passages are whole values."""

    def __init__(self, text: str) -> None:
        ends = [at + 1 for at, char in enumerate(text) if char == SEPARATOR]
        super().__init__(_Edges([0, *ends, len(text)]))


class Bounded:
    """Sentences as many as fit in `size`; one that is longer is cut at words, with the match inside."""

    def __init__(self, text: str, size: int) -> None:
        self._sentences = sentences(text)
        self._words = words(text)
        self._values = {at + 1 for at, char in enumerate(text) if char == SEPARATOR}
        self._size = size
        self._length = len(text)
        self._window = (-1, -1)
        self._end = -1

    def around(self, at: int) -> tuple[int, int]:
        first, last = self._window
        if first < at < last:
            begin, end = self._end, last
        else:
            begin = self._sentences.before(at)
            end = self._sentences.after(at - 1)
            end = self._extended(begin, end)
            self._window = (begin, end)
        if end - begin > self._size:
            if at - self._size > begin:
                begin = max(begin, self._words.before(at - self._size))
            left = max(0, self._size - (at - begin))
            if at + left < self._window[1]:
                end = min(self._window[1], self._words.after(at + left))
        self._end = end
        return begin, end

    def _extended(self, begin: int, end: int) -> int:
        """With the sentences that follow, as long as they fit and are of the same value."""
        while end - begin < self._size and end < self._length and end not in self._values:
            further = self._sentences.after(end)
            if further - begin > self._size:
                break
            end = further
        return end
