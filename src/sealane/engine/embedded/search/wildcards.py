"""Wildcards: `*` is any text, `?` any character, a backslash takes the next character literally.

A wildcard is cut at its stars, and the pieces are looked for one behind the other, each as early as it can be: that
takes no memory, and time by the length of pattern and term alone, however many stars there are. What it is as an
expression of tantivy is said only where its automaton is sure to be small.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sealane.engine.embedded.search.patterns import escape, fold

_MAX_TERM_LENGTH = 32_766
"""In bytes, and so in characters too: the reference's limit of a term. What needs more characters matches none."""
_MAX_KEPT_LENGTH = 256
# An automaton must remember each place at which a piece may have begun. With every `?` behind a star these become
# more, and it is built without letting other threads run.
_MAX_SPELLED = 64
_MAX_STARS = 8
_MAX_FREE = 4
_ANY = "(?s:.)"

_Piece = list[str | None]
"""What stands between two stars: characters, None for any."""


class Wildcard:
    """A pattern of whole terms."""

    __slots__ = ("_match", "matches_nothing", "spelled")

    def __init__(self, text: str, *, ignore_case: bool) -> None:
        least = len(text) - text.count("*") - text.count("\\")
        pieces = _pieces(text) if least <= _MAX_TERM_LENGTH else []
        length = max(least, sum(map(len, pieces)))
        surrogates = any("\ud800" <= char <= "\udfff" for char in text)
        self.matches_nothing = length > _MAX_TERM_LENGTH or surrogates
        self.spelled: str | None = None
        """For tantivy's `regex_query`; None where its automaton may be large."""
        if self.matches_nothing:
            self._match = re.compile("(?!)").fullmatch
            return
        spelled = [_spelled(piece, ignore_case) for piece in pieces]
        self._match = re.compile(_in_turn(spelled)).fullmatch
        free = sum(piece.count(None) for piece in pieces)
        if length <= _MAX_SPELLED and len(pieces) <= _MAX_STARS + 1 and free <= _MAX_FREE:
            self.spelled = f"{_ANY}*".join(spelled)

    def fullmatch(self, term: str) -> bool:
        """Whether the whole term is of this pattern."""
        return self._match(term) is not None

    def among(self, terms: Iterable[str]) -> Iterator[str]:
        """Those of `terms` that match."""
        return filter(self._match, terms)


def wildcard(text: str, *, ignore_case: bool = False) -> Wildcard:
    """Only ASCII letters have two cases, as in the reference."""
    if len(text) > _MAX_KEPT_LENGTH:
        return Wildcard(text, ignore_case=ignore_case)
    return _kept(text, ignore_case)


@lru_cache(maxsize=512)
def _kept(text: str, ignore_case: bool) -> Wildcard:
    return Wildcard(text, ignore_case=ignore_case)


def _pieces(text: str) -> list[_Piece]:
    """What is between the stars; several stars in a row are one."""
    pieces: list[_Piece] = [[]]
    chars = iter(text)
    for char in chars:
        if char == "*":
            if len(pieces) == 1 or pieces[-1]:
                pieces.append([])
        elif char == "?":
            pieces[-1].append(None)
        else:
            pieces[-1].append(next(chars, char) if char == "\\" else char)
    return pieces


def _spelled(piece: _Piece, ignore_case: bool) -> str:
    spell = fold if ignore_case else escape
    return "".join(_ANY if char is None else spell(char) for char in piece)


def _in_turn(pieces: list[str]) -> str:
    """For Python. A piece that was found is not given up again: a later place would help none behind it."""
    if len(pieces) == 1:
        return pieces[0]
    first, *between, last = pieces
    found = "".join(f"(?>(?s:.*?){piece})" for piece in between)
    return f"{first}{found}(?s:.*){last}"
