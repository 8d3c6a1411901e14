"""Lucene's regular expressions: parsed, matched against terms, and spelled for tantivy.

A pattern is a tree of tuples, matched by its derivatives: what remains of a pattern once a character was read is a
pattern again, and those are kept, so that a pattern soon is a table. Complement and intersection cost nothing extra
that way; tantivy's automata have neither, so `spelled` is None for those.

The parser takes what Lucene 9 takes, with its error texts; its positions count characters.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from sealane.errors import ApiError, IllegalArgument
from sealane.model.lucene_nodes import (
    ANY,
    ANY_TEXT,
    EMPTY,
    NEVER,
    Node,
    accepts_empty,
    after,
    alternative,
    alternatives,
    both,
    characters,
    complement,
    interval,
    literal,
    repeat,
    sequence,
    spell,
    written_out,
)

INTERSECTION, COMPLEMENT, EMPTY_LANGUAGE, ANY_STRING, AUTOMATON, INTERVAL = 1, 2, 4, 8, 16, 32
ALL_FLAGS = 0xFF
MAX_LENGTH = 1_000
MAX_REPEAT = 1_000
_DIGIT, _SPACE = ((48, 57),), ((9, 10), (13, 13), (32, 32))
_WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
_CLASSES = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
MAX_EFFORT = 10_000
_MAX_PARTS = 3_000
"""Of how many characters a pattern may be made, its counted repetitions written out."""
_MAX_NUMBER = 2**31 - 1
_MAX_KEPT_LENGTH = 256
# tantivy builds an automaton without letting other threads run, the event loop among them.
_MAX_SPELLED = 128
_MAX_KEPT = 20_000
_MAX_ALTERNATIVES = 20_000
"""How many alternatives all the different derivatives of a pattern may have together."""


class TooComplex(ApiError):
    """An expression that would take more work than it may."""

    es_type, status = "too_complex_to_determinize_exception", 400

    def __init__(self, text: str) -> None:
        super().__init__(f"Determinizing {text} would require more than {MAX_EFFORT} effort.")


class Pattern:
    """A pattern of whole terms. `fullmatch` and `among` raise TooComplex where it turns out to be that."""

    __slots__ = ("_effort", "_kept", "_limit", "_root", "_seen", "_text", "spelled")

    def __init__(self, root: Node, text: str, *, effort: int = _MAX_ALTERNATIVES) -> None:
        """`effort` is how many alternatives all of its different derivatives may have together."""
        self._root = root
        self._limit = effort
        self._text = text
        self._effort = 0
        self._seen: set[Node] = set()
        self._kept: dict[tuple[Node, str], Node] = {}
        self.spelled: str | None = spell(root) if written_out(root) <= _MAX_SPELLED else None
        """For tantivy's `regex_query`; None where it has no such pattern, or one whose automaton may be large."""

    @property
    def matches_nothing(self) -> bool:
        return self._root == NEVER

    def fullmatch(self, term: str) -> bool:
        """Whether the whole term is of this pattern."""
        node = self._root
        for char in term:
            node = self._after(node, char)
            if node is NEVER:
                return False
        return accepts_empty(node)

    def among(self, terms: Iterable[str]) -> Iterator[str]:
        """Those of sorted `terms` that match; what begins like one that cannot match is passed quickly."""
        path: list[Node] = [self._root]
        previous = ""
        for term in terms:
            shared = 0
            limit = min(len(path) - 1, len(term), len(previous))
            while shared < limit and term[shared] == previous[shared]:
                shared += 1
            if path[-1] is NEVER and shared == len(path) - 1:
                continue  # `previous` is kept: it holds the beginning that cannot match
            del path[shared + 1 :]
            previous = term
            for char in term[shared:]:
                path.append(self._after(path[-1], char))
                if path[-1] is NEVER:
                    break
            if len(path) == len(term) + 1 and accepts_empty(path[-1]):
                yield term

    def _after(self, node: Node, char: str) -> Node:
        key = (node, char)
        known = self._kept.get(key)
        if known is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept = {}
            try:
                known = self._kept[key] = after(node, char)
            except RecursionError:
                raise TooComplex(self._text) from None
            self._count(known)
        return known

    def _count(self, node: Node) -> None:
        """Every different remainder costs as much as it has alternatives."""
        if node not in self._seen:
            self._seen.add(node)
            self._effort += alternatives(node)
            if self._effort > self._limit:
                raise TooComplex(self._text)


def regexp(
    text: str,
    flags: int = ALL_FLAGS,
    *,
    ignore_case: bool = False,
    used_in: str = "Regexp Query ",
) -> Pattern:
    """Raises IllegalArgument for an expression that is too long or malformed, TooComplex for one of too many parts."""
    if len(text) > MAX_LENGTH:
        raise IllegalArgument(
            f"The length of regex [{len(text)}] used in the {used_in}request has exceeded the "
            f"allowed maximum of [{MAX_LENGTH}]. This maximum can be set by changing the "
            "[index.max_regex_length] index level setting."
        )
    if len(text) > _MAX_KEPT_LENGTH:
        return _pattern(text, flags, ignore_case)
    return _kept(text, flags, ignore_case)


@lru_cache(maxsize=64)
def _kept(text: str, flags: int, ignore_case: bool) -> Pattern:
    return _pattern(text, flags, ignore_case)


def _pattern(text: str, flags: int, ignore_case: bool) -> Pattern:
    return Pattern(parse(text, flags, ignore_case), text)


def parse(text: str, flags: int = ALL_FLAGS, ignore_case: bool = False) -> Node:
    """The expression as a tree. Raises IllegalArgument for a malformed one, TooComplex for one of too many parts."""
    try:
        root = _Parser(text, flags, ignore_case).whole() if text else EMPTY
        if written_out(root) > _MAX_PARTS:
            raise TooComplex(text)
        return root
    except RecursionError:
        # Groups within groups, some hundreds of them.
        raise TooComplex(text) from None


class _Parser:
    def __init__(self, text: str, flags: int, ignore_case: bool) -> None:
        self.text = text
        self.flags = flags
        self.ignore_case = ignore_case
        self.at = 0

    def whole(self) -> Node:
        node = self._union()
        if self.at < len(self.text):
            raise IllegalArgument(f"end-of-string expected at position {self.at}")
        return node

    def _peek(self, members: str) -> bool:
        return self.at < len(self.text) and self.text[self.at] in members

    def _match(self, char: str) -> bool:
        if self._peek(char):
            self.at += 1
            return True
        return False

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise IllegalArgument("unexpected end-of-string")
        self.at += 1
        return self.text[self.at - 1]

    def _has(self, flag: int) -> bool:
        return bool(self.flags & flag)

    def _union(self) -> Node:
        choices = [self._inter()]
        while self._match("|"):
            choices.append(self._inter())
        return alternative(choices)

    def _inter(self) -> Node:
        node = self._concatenation()
        if self._has(INTERSECTION) and self._match("&"):
            node = both(node, self._inter())
        return node

    def _concatenation(self) -> Node:
        parts = [self._repeated()]
        ends = ")|&" if self._has(INTERSECTION) else ")|"
        while self.at < len(self.text) and not self._peek(ends):
            parts.append(self._repeated())
        return sequence(parts)

    def _repeated(self) -> Node:
        node = self._complemented()
        while self._peek("?*+{"):
            mark = self._next()
            if mark == "?":
                node = repeat(node, 0, 1)
            elif mark == "*":
                node = repeat(node, 0, None)
            elif mark == "+":
                node = repeat(node, 1, None)
            else:
                node = self._counted(node)
        return node

    def _counted(self, node: Node) -> Node:
        least = self._number()
        if least is None:
            raise IllegalArgument(f"integer expected at position {self.at}")
        most: int | None = least
        if self._match(","):
            most = self._number()
        if not self._match("}"):
            raise IllegalArgument(f"expected '}}' at position {self.at}")
        if max(least, most or 0) > MAX_REPEAT:
            raise IllegalArgument(f"a pattern may be repeated at most [{MAX_REPEAT}] times")
        if most is not None and least > most:
            return NEVER
        return repeat(node, least, most)

    def _number(self) -> int | None:
        start = self.at
        while self._peek("0123456789"):
            self.at += 1
        return int(self.text[start : self.at]) if self.at > start else None

    def _complemented(self) -> Node:
        if self._has(COMPLEMENT) and self._match("~"):
            return complement(self._complemented())
        if self._match("["):
            negated = self._match("^")
            ranges = self._ranges()
            if not self._match("]"):
                raise IllegalArgument(f"expected ']' at position {self.at}")
            return characters(ranges, negated=negated)
        return self._simple()

    def _ranges(self) -> list[tuple[int, int]]:
        ranges: list[tuple[int, int]] = []
        while True:
            predefined = self._predefined()
            if predefined is not None:
                ranges += predefined
            else:
                first = self._char()
                if self._match("-"):
                    last = self._char()
                    ranges.append((ord(first), ord(last)))
                else:
                    ranges += _cases(first) if self.ignore_case else [(ord(first), ord(first))]
            if self.at >= len(self.text) or self._peek("]"):
                return ranges

    def _predefined(self) -> list[tuple[int, int]] | None:
        following = self.text[self.at + 1 : self.at + 2]
        if not self._peek("\\") or not following or following.lower() not in _CLASSES:
            return None
        self.at += 2
        ranges = _CLASSES[following.lower()]
        return list(ranges) if following.islower() else list(_outside(ranges))

    def _char(self) -> str:
        self._match("\\")
        return self._next()

    def _simple(self) -> Node:
        if self._match("."):
            return ANY
        if self._has(EMPTY_LANGUAGE) and self._match("#"):
            return NEVER
        if self._has(ANY_STRING) and self._match("@"):
            return ANY_TEXT
        if self._match('"'):
            end = self.text.find('"', self.at)
            if end < 0:
                raise IllegalArgument(f"expected '\"' at position {len(self.text)}")
            quoted, self.at = self.text[self.at : end], end + 1
            return sequence([literal(char, self.ignore_case) for char in quoted])
        if self._match("("):
            if self._match(")"):
                return EMPTY
            node = self._union()
            if not self._match(")"):
                raise IllegalArgument(f"expected ')' at position {self.at}")
            return node
        if self.flags & (AUTOMATON | INTERVAL) and self._match("<"):
            return self._numbers()
        predefined = self._predefined()
        if predefined is not None:
            return characters(predefined)
        return literal(self._char(), self.ignore_case)

    def _numbers(self) -> Node:
        end = self.text.find(">", self.at)
        if end < 0:
            raise IllegalArgument(f"expected '>' at position {len(self.text)}")
        inside, self.at = self.text[self.at : end], end + 1
        first, dash, last = inside.partition("-")
        if not dash:
            if not self._has(AUTOMATON):
                raise IllegalArgument(f"interval syntax error at position {self.at - 1}")
            raise IllegalArgument(f"'{inside}' not found")
        if not self._has(INTERVAL):
            raise IllegalArgument(f"illegal identifier at position {self.at - 1}")
        if not (first.isdecimal() and last.isdecimal() and first.isascii() and last.isascii()):
            raise IllegalArgument(f"interval syntax error at position {self.at - 1}")
        low, high = sorted((int(first), int(last)))
        if high > _MAX_NUMBER:
            raise IllegalArgument(f"interval syntax error at position {self.at - 1}")
        return interval(low, high, len(first) if len(first) == len(last) else 0)


def _cases(char: str) -> list[tuple[int, int]]:
    both_cases = {char.lower(), char.upper()} if char.isascii() else {char}
    return [(ord(each), ord(each)) for each in sorted(both_cases)]


def _outside(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    node: Any = characters(list(ranges), negated=True)
    return list(node[1])
