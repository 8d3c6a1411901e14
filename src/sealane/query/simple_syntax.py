"""The syntax of simple_query_string: every text has a meaning, an operator where none can stand is passed over.

`+` all of it, `|` any of it, `-` not, `"..."` phrase, `*` prefix at the end of a word, `(...)` precedence, `~n` near
spellings or slop, and a backslash before any of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from sealane.errors import TooManyBooleanClauses
from sealane.query.query_strings import SIMPLE_FLAGS

MAX_DEPTH = 150
MAX_CLAUSES = 8192
MAX_LEVELS = 300
"""How often the operator may change in one group: each change wraps what there is in one more query."""
MOST_EDITS = 2
Kind = Literal["words", "near", "prefix", "phrase"]
Occurs = Literal["must", "should"]
_SPACE = " \t\n\r"

Found = TypeVar("Found")
Make = Callable[[Kind, str, int], "Found | None"]
"""What a piece of text becomes; the number is the edits or the slop. None where the analyzer left nothing of it."""


@dataclass(frozen=True, slots=True)
class All(Generic[Found]):
    """Several parts, of which each must match or may."""

    parts: "tuple[tuple[Occurs, Tree[Found]], ...]"


@dataclass(frozen=True, slots=True)
class Not(Generic[Found]):
    """All documents, those that the part matches excepted."""

    part: "Tree[Found]"


Tree: TypeAlias = "All[Found] | Not[Found] | Found"


def parse_simple(
    text: str, flags: int, default: Occurs, make: "Make[Found]"
) -> "Tree[Found] | None":
    """The tree of a text; None where it asks for nothing."""
    parser = _Parser(text, flags, default, make)
    return parser.parse(0, len(text), 0)


class _Parser(Generic[Found]):
    def __init__(self, text: str, flags: int, default: Occurs, make: "Make[Found]") -> None:
        self.text = text
        self.flags = flags
        self.default = default
        self.make = make
        self.at = self.end = 0
        self._closings: dict[int, int] | None = None

    def _has(self, name: str) -> bool:
        return bool(self.flags & SIMPLE_FLAGS[name])

    def parse(self, start: int, end: int, depth: int) -> "Tree[Found] | None":
        self.at, self.end = start, end
        tree: _Building[Found] = _Building(self.default)
        negations = 0
        while self.at < self.end:
            char = self.text[self.at]
            if char == "(" and self._has("PRECEDENCE"):
                self._group(tree, negations, depth)
            elif char == ")" and self._has("PRECEDENCE"):
                self.at += 1
            elif char == '"' and self._has("PHRASE"):
                self._phrase(tree, negations)
            elif char == "+" and self._has("AND"):
                tree.operator("must")
                self.at += 1
            elif char == "|" and self._has("OR"):
                tree.operator("should")
                self.at += 1
            elif char == "-" and self._has("NOT"):
                negations += 1
                self.at += 1
                continue
            elif char in _SPACE and self._has("WHITESPACE"):
                self.at += 1
            else:
                self._word(tree, negations)
            negations = 0
        return tree.top

    def _group(self, tree: "_Building[Found]", negations: int, depth: int) -> None:
        self.at += 1
        start = self.at
        close = None if depth >= MAX_DEPTH else self._closing(start)
        if close is None:
            return  # never closed: the opening one is passed over
        if close == start:
            tree.current = None
        else:
            end = self.end
            inner = self.parse(start, close, depth + 1)
            self.end = end
            tree.add(inner, negations)
        self.at = close + 1

    def _closing(self, start: int) -> int | None:
        """Where the group ends whose inside begins at `start`. All are found at once: texts may hold very many."""
        if self._closings is None:
            self._closings = {}
            escapes = self._has("ESCAPE")
            open_: list[int] = []
            at = 0
            while at < len(self.text):
                char = self.text[at]
                at += 1
                if char == "\\" and escapes:
                    at += 1
                elif char == "(":
                    open_.append(at)
                elif char == ")" and open_:
                    self._closings[open_.pop()] = at - 1
        return self._closings.get(start)

    def _phrase(self, tree: "_Building[Found]", negations: int) -> None:
        self.at += 1
        start = self.at
        out: list[str] = []
        at = start
        while at < self.end and self.text[at] != '"':
            if self.text[at] == "\\" and self._has("ESCAPE"):
                at += 1
                if at >= self.end:
                    break
            out.append(self.text[at])
            at += 1
        if at >= self.end:
            return  # never closed: the quote is passed over
        self.at = at
        if at == start:
            tree.current = None
            self.at += 1
            return
        slop = 0
        if self.text[at + 1 : min(at + 2, self.end)] == "~" and self._has("NEAR"):
            self.at += 1
            slop = self._number() if self.at + 1 < self.end else 0
        tree.add(self.make("phrase", "".join(out), slop), negations)
        self.at += 1

    def _number(self) -> int:
        """What follows a `~`; 2 where nothing does."""
        start = self.at = self.at + 1
        while self.at < self.end and not self._finished():
            self.at += 1
        digits = self.text[start : self.at]
        if not digits:
            return MOST_EDITS
        plain = digits.removeprefix("-").removeprefix("+")
        if not plain.isdecimal() or not plain.isascii() or len(plain) > 9:
            return 0
        return max(0, int(digits))

    def _finished(self) -> bool:
        char = self.text[self.at]
        return (
            (char == '"' and self._has("PHRASE"))
            or (char == "|" and self._has("OR"))
            or (char == "+" and self._has("AND"))
            or (char in "()" and self._has("PRECEDENCE"))
            or (char in _SPACE and self._has("WHITESPACE"))
        )

    def _word(self, tree: "_Building[Found]", negations: int) -> None:
        out: list[str] = []
        is_prefix = is_near = False
        while self.at < self.end:
            char = self.text[self.at]
            if char == "\\" and self._has("ESCAPE"):
                is_prefix = False
                self.at += 1
                if self.at >= self.end:
                    break
                char = self.text[self.at]
            elif self._finished():
                break
            elif out and char == "~" and self._has("FUZZY"):
                is_near = True
                break
            else:
                is_prefix = bool(out) and char == "*" and self._has("PREFIX")
            out.append(char)
            self.at += 1
        if not out:
            return
        word = "".join(out)
        if is_near:
            edits = min(self._number(), MOST_EDITS)
            tree.add(self.make("near" if edits else "words", word, edits), negations)
        elif is_prefix:
            tree.add(self.make("prefix", word[:-1], 0), negations)
        else:
            tree.add(self.make("words", word, 0), negations)


class _Building(Generic[Found]):
    """A tree that grows to the right: where the operator changes, what there is becomes the first part of a new one."""

    def __init__(self, default: Occurs) -> None:
        self.default = default
        self.top: Tree[Found] | None = None
        self.current: Occurs | None = None
        self.previous: Occurs | None = None
        self._levels = 0

    def operator(self, occurs: Occurs) -> None:
        if self.current is None and self.top is not None:
            self.current = occurs

    def add(self, branch: "Tree[Found] | None", negations: int) -> None:
        if branch is not None:
            if negations % 2:
                branch = Not(branch)
            if self.top is None:
                self.top = branch
            else:
                current = self.current or self.default
                parts: Sequence[tuple[Occurs, Tree[Found]]] = [(current, self.top)]
                if self.previous == current and isinstance(self.top, All):
                    parts = self.top.parts
                else:
                    self._levels += 1
                if len(parts) >= MAX_CLAUSES or self._levels > MAX_LEVELS:
                    raise TooManyBooleanClauses(MAX_CLAUSES)
                self.top = All((*parts, (current, branch)))
                self.previous = current
        self.current = None
