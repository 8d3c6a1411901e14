"""The analyzers a request may name: how a text becomes tokens, with their places in it.

Text fields are always indexed by `standard` (analysis.py); the others are for queries and `_analyze`. Offsets count
UTF-16 units, as the reference's do.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sealane.engine.embedded import analysis

_STOP = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this",
    "to was will with",
)
STOP_WORDS = frozenset(word for line in _STOP for word in line.split())
_WORD = re.compile(r"[^\W\d_]+")
_SOLID = re.compile(r"\S+")
_KINDS = (
    ("<EMOJI>", re.compile(r"[\u2600-\u27bf\U0001f000-\U0001faff]")),
    ("<IDEOGRAPHIC>", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("<HIRAGANA>", re.compile(r"[\u3041-\u309f]")),
    ("<KATAKANA>", re.compile(r"[\u30a0-\u30ff]")),
    ("<HANGUL>", re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")),
    ("<SOUTHEAST_ASIAN>", re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")),
)


class Token(NamedTuple):
    """One token; `start` and `end` are characters of the text, `end` exclusive."""

    text: str
    start: int
    end: int
    position: int
    kind: str = "word"


class Analyzer:
    """A named analyzer. `terms` is what a query needs, `tokens` has everything."""

    def __init__(self, name: str, cut: Callable[[str], Iterator[Token]]) -> None:
        self.name = name
        self._cut = cut

    def tokens(self, text: str) -> list[Token]:
        return list(self._cut(text))

    def terms(self, text: str) -> list[tuple[int, str]]:
        """Each term with its position; a word that was left out leaves a gap."""
        return [(each.position, each.text) for each in self._cut(text)]


class _Standard(Analyzer):
    def terms(self, text: str) -> list[tuple[int, str]]:
        return list(enumerate(analysis.tokens(text)))


def _standard(text: str) -> Iterator[Token]:
    at = 0
    for position, (word, term) in enumerate(
        zip(analysis.prepare(text).split(), analysis.tokens(text), strict=True)
    ):
        found = text.find(word, at)
        start = at if found < 0 else found  # the one letter that is replaced before words are found
        at = start + len(word)
        yield Token(term, start, at, position, _kind(term))


def _kind(term: str) -> str:
    if term.isascii():
        return "<NUM>" if term[0].isdigit() and not any(map(str.isalpha, term)) else "<ALPHANUM>"
    for name, members in _KINDS:
        if members.match(term):
            return name
    return "<NUM>" if term[0].isdecimal() else "<ALPHANUM>"


def _lower(text: str) -> str:
    return text.replace("\u0130", "i").lower()


def _simple(text: str) -> Iterator[Token]:
    for position, found in enumerate(_WORD.finditer(text)):
        yield Token(_lower(found[0]), found.start(), found.end(), position)


def _stop(text: str) -> Iterator[Token]:
    return (each for each in _simple(text) if each.text not in STOP_WORDS)


def _whitespace(text: str) -> Iterator[Token]:
    for position, found in enumerate(_SOLID.finditer(text)):
        yield Token(found[0], found.start(), found.end(), position)


def _keyword(text: str) -> Iterator[Token]:
    yield Token(text, 0, len(text), 0)


STANDARD = _Standard("standard", _standard)
KEYWORD = Analyzer("keyword", _keyword)
_ANALYZERS = {
    "standard": STANDARD,
    "default": _Standard("default", _standard),
    "simple": Analyzer("simple", _simple),
    "stop": Analyzer("stop", _stop),
    "whitespace": Analyzer("whitespace", _whitespace),
    "keyword": KEYWORD,
}


def analyzer_named(name: str) -> Analyzer | None:
    return _ANALYZERS.get(name)


def keeps_case(analyzer: Analyzer) -> bool:
    """Whether it leaves letters as they are."""
    return analyzer.name in ("keyword", "whitespace")


def units(text: str, at: int) -> int:
    """A character's place as an offset in UTF-16 units."""
    return at if text.isascii() else len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
