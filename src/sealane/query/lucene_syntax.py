"""Lucene's query syntax: text to a tree of clauses. Pure; what the leaves mean is for the mapping to say.

The grammar is that of Lucene's classic parser, ambiguities included: `a AND b OR c` is no precedence but marks on the
clauses, and words in a row are one text. A wrong text raises SyntaxProblem with the message that the reference gives:
what stood there, and all that could have.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from sealane.errors import TooManyBooleanClauses
from sealane.query.lucene_tokens import (
    AND,
    BARE,
    CARAT,
    CLOSE,
    COLON,
    END,
    EX_END,
    FUZZY,
    GOOP,
    IN_END,
    MINUS,
    NOT,
    NUMBER,
    OPEN,
    OR,
    PLUS,
    PREFIX,
    QUOTED,
    RANGE_EX,
    RANGE_IN,
    RANGE_QUOTED,
    REGEXP,
    STAR,
    TERM,
    TO,
    WILD,
    SyntaxProblem,
    Token,
    TokenProblem,
    escaped,
    next_token,
)

MAX_DEPTH = 150
MAX_CLAUSES = 8192
_CLAUSE = (BARE, OPEN, STAR, QUOTED, TERM, PREFIX, WILD, REGEXP, RANGE_IN, RANGE_EX, NUMBER)
_MODIFIERS = (NOT, PLUS, MINUS)
_CONJUNCTIONS = (AND, OR)
# The order in which a message names what it expected.
_ORDER = (
    *(END, AND, OR, NOT, PLUS, MINUS, BARE, OPEN, CLOSE, COLON, STAR, CARAT, QUOTED, TERM, FUZZY),
    *(PREFIX, WILD, REGEXP, RANGE_IN, RANGE_EX, NUMBER, TO, IN_END, EX_END, RANGE_QUOTED, GOOP),
)
_ENDS_WORDS = (COLON, STAR, FUZZY, CARAT, AND, OR)

Occurs = Literal["must", "should", "must_not"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One thing to look for. `text` is as written, escapes included, without quotes or slashes.

    `field` is None where the text names none. `fuzzy` is what follows the `~`, None without one.
    """

    kind: Literal["words", "term", "quoted", "prefix", "wildcard", "regexp"]
    field: str | None
    text: str
    fuzzy: str | None = None
    boost: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A range; an end is None where it is open."""

    field: str | None
    low: str | None
    high: str | None
    with_low: bool
    with_high: bool
    boost: float | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """`joined` says how it was joined to the one before, `mark` what stood in front of it."""

    node: "Node"
    joined: Literal["", "and", "or"] = ""
    mark: Literal["", "+", "-"] = ""
    words: bool = False
    """Several words in a row, which are looked for as one text and become clauses of their own."""


@dataclass(frozen=True, slots=True)
class Group:
    clauses: tuple[Clause, ...]
    boost: float | None = None


Node = Leaf | Span | Group


@lru_cache(maxsize=512)
def parse_syntax(text: str) -> Node:
    """Raises SyntaxProblem, with the cause that the reference shows."""
    try:
        parser = _Parser(text)
        node = parser.query(None, 0)
        parser.expect(END, parser.after_clause(END))
        return node
    except (SyntaxProblem, TokenProblem) as error:
        raise SyntaxProblem(f"Cannot parse '{text}': {error.reason}", caused_by=error) from None


def unescaped(text: str) -> str:
    """Without the backslashes that make characters ordinary. Raises SyntaxProblem for a broken `\\uXXXX`."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\":
            out.append(char)
            continue
        if at >= len(text):
            raise SyntaxProblem("Term can not end with escape character.")
        char = text[at]
        at += 1
        if char != "u":
            out.append(char)
            continue
        digits = text[at : at + 4]
        for digit in digits:
            if digit not in "0123456789abcdefABCDEF":
                raise SyntaxProblem(f"Non-hex character in Unicode escape sequence: {digit}")
        if len(digits) < 4:
            raise SyntaxProblem("Truncated unicode escape sequence.")
        out.append(chr(int(digits, 16)))
        at += 4
    return "".join(out)


@dataclass
class _Parser:
    text: str
    at: int = 0
    state: str = "ordinary"
    ahead: list[tuple[Token, int, str]] = field(default_factory=list)
    follow: tuple[str, ...] = ()
    """What else could have stood behind the clause that was read last: `^`, `~`."""

    def peek(self, offset: int = 0) -> Token:
        while len(self.ahead) <= offset:
            at, state = (self.at, self.state) if not self.ahead else self.ahead[-1][1:]
            self.ahead.append(next_token(self.text, at, state))
        return self.ahead[offset][0]

    def take(self) -> Token:
        self.peek()
        token, self.at, self.state = self.ahead.pop(0)
        return token

    def expect(self, kind: str | tuple[str, ...], expected: tuple[str, ...] | None = None) -> Token:
        kinds = (kind,) if isinstance(kind, str) else kind
        if self.peek().kind not in kinds:
            raise self.unexpected(expected if expected is not None else kinds)
        return self.take()

    def unexpected(self, expected: tuple[str, ...], extra: tuple[str, ...] = ()) -> SyntaxProblem:
        token = self.peek()
        shown = f'"{END}"' if token.kind == END else f'" {token.kind} "{escaped(token.image)} ""'
        wanted = [kind for kind in _ORDER if kind in expected] + list(extra)
        # A kind is followed by dots unless nothing can follow it.
        lines = "".join(f"    {kind} {'' if kind == END else '...'}\n" for kind in wanted)
        which = "Was expecting one of:" if len(wanted) > 1 else "Was expecting:"
        return SyntaxProblem(
            f"Encountered {shown} at line 1, column {token.at}.\n{which}\n{lines}    "
        )

    def after_clause(self, closing: str) -> tuple[str, ...]:
        return (closing, *_CONJUNCTIONS, *_MODIFIERS, *_CLAUSE, *self.follow)

    def query(self, field_name: str | None, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise SyntaxProblem(f"the query is nested more than [{MAX_DEPTH}] deep")
        clauses: list[Clause] = []
        first = self._words(field_name)
        if first is not None:
            clauses.append(first)
        else:
            clauses.append(self._marked(field_name, depth, "", (TERM,)))
        while self.peek().kind in (*_CONJUNCTIONS, *_MODIFIERS, *_CLAUSE):
            words = self._words(field_name)
            if words is not None:
                clauses.append(words)
                continue
            joined: Literal["", "and", "or"] = ""
            if self.peek().kind in _CONJUNCTIONS:
                joined = "and" if self.take().kind == AND else "or"
            clauses.append(self._marked(field_name, depth, joined, (TERM, STAR)))
            if len(clauses) > MAX_CLAUSES:
                raise TooManyBooleanClauses(MAX_CLAUSES)
        only = clauses[0]
        if len(clauses) == 1 and not only.mark and not only.words:
            return only.node
        return Group(tuple(clauses))

    def _words(self, field_name: str | None) -> Clause | None:
        """Two words or more in a row, none of which has anything attached to it."""
        if self.peek().kind != TERM or not self._another_word(1):
            return None
        images = [self.take().image]
        while self._another_word(0):
            images.append(self.take().image)
        self.follow = ()
        return Clause(Leaf("words", field_name, " ".join(images)), words=True)

    def _another_word(self, offset: int) -> bool:
        if self.peek(offset).kind != TERM:
            return False
        return self.peek(offset + 1).kind not in _ENDS_WORDS

    def _marked(
        self,
        field_name: str | None,
        depth: int,
        joined: Literal["", "and", "or"],
        extra: tuple[str, ...],
    ) -> Clause:
        mark: Literal["", "+", "-"] = ""
        expected: tuple[str, ...] = (*_MODIFIERS, *_CLAUSE)
        if self.peek().kind in _MODIFIERS:
            mark = "+" if self.take().kind == PLUS else "-"
            expected, extra = _CLAUSE, (TERM, STAR)
        if self.peek().kind not in _CLAUSE:
            raise self.unexpected(expected, extra)
        return Clause(self._clause(field_name, depth), joined, mark)

    def _clause(self, field_name: str | None, depth: int) -> Node:
        if self.peek().kind in (TERM, STAR) and self.peek(1).kind == COLON:
            token = self.take()
            field_name = "*" if token.kind == STAR else unescaped(token.image)
            self.take()
            if self.peek().kind not in _CLAUSE:
                raise self.unexpected(_CLAUSE)
        if self.peek().kind != OPEN:
            return self._term(field_name)
        self.take()
        node = self.query(field_name, depth + 1)
        self.expect(CLOSE, self.after_clause(CLOSE))
        self.follow = (CARAT,)
        boost = self._boost()
        if boost is None:
            return node
        self.follow = ()
        clauses = (Clause(node),) if not isinstance(node, Group) else node.clauses
        if isinstance(node, Group) and node.boost is not None:
            return Group((Clause(node),), boost)
        return Group(clauses, boost)

    def _boost(self) -> float | None:
        if self.peek().kind != CARAT:
            return None
        self.take()
        return float(self.expect(NUMBER).image)

    def _term(self, field_name: str | None) -> Node:
        if self.peek().kind in (RANGE_IN, RANGE_EX):
            return self._range(field_name)
        token = self.take()
        fuzzy, boost = self._attached()
        image = token.image
        match token.kind:
            case "<QUOTED>":
                return Leaf("quoted", field_name, image[1:-1], fuzzy, boost)
            case "<REGEXPTERM>":
                return Leaf("regexp", field_name, image[1:-1], fuzzy, boost)
            case "<PREFIXTERM>":
                return Leaf("prefix", field_name, image, fuzzy, boost)
            case "<WILDTERM>" | '"*"':
                return Leaf("wildcard", field_name, image, fuzzy, boost)
            case "<BAREOPER>":
                image = image[:1]
        return Leaf("term", field_name, image, fuzzy, boost)

    def _attached(self) -> tuple[str | None, float | None]:
        """`~1` and `^2` behind a term, in either order."""
        self.follow = (CARAT, FUZZY)
        fuzzy: str | None = None
        boost = self._boost()
        if boost is not None:
            self.follow = (FUZZY,)
            if self.peek().kind == FUZZY:
                fuzzy = self.take().image[1:]
                self.follow = ()
        elif self.peek().kind == FUZZY:
            fuzzy = self.take().image[1:]
            self.follow = (CARAT,)
            boost = self._boost()
            if boost is not None:
                self.follow = ()
        return fuzzy, boost

    def _range(self, field_name: str | None) -> Span:
        with_low = self.take().kind == RANGE_IN
        ends = (TO, RANGE_QUOTED, GOOP)
        low = self.expect(ends)
        self.expect(TO)
        high = self.expect(ends)
        with_high = self.expect((IN_END, EX_END)).kind == IN_END
        self.follow = (CARAT,)
        boost = self._boost()
        if boost is not None:
            self.follow = ()
        return Span(field_name, _end(low), _end(high), with_low, with_high, boost)


def _end(token: Token) -> str | None:
    if token.kind == RANGE_QUOTED:
        return unescaped(token.image[1:-1])
    return None if token.image == "*" else unescaped(token.image)
