"""The tokens of Lucene's query syntax. The grammar over them is in `lucene_syntax`.

The longest token wins; of equally long ones the first kind of the table. There are three states: ordinary, inside the
brackets of a range, and behind a `^`, where only a number may follow. Columns are counted as Lucene counts them: from 0
for tokens, from 1 for what is no token.
"""

import re
from typing import NamedTuple

from sealane.errors import ApiError


class SyntaxProblem(ApiError):
    """A query text that is not of the syntax."""

    es_type, status = "parse_exception", 400


class TokenProblem(ApiError):
    """A place in a query text where no token begins."""

    es_type, status = "token_mgr_error", 400


class Token(NamedTuple):
    """`image` is the text as written; `at` where it begins."""

    kind: str
    image: str
    at: int


END = "<EOF>"
AND, OR, NOT, PLUS, MINUS, BARE = "<AND>", "<OR>", "<NOT>", '"+"', '"-"', "<BAREOPER>"
OPEN, CLOSE, COLON, STAR, CARAT = '"("', '")"', '":"', '"*"', '"^"'
QUOTED, TERM, FUZZY, PREFIX, WILD = (
    "<QUOTED>",
    "<TERM>",
    "<FUZZY_SLOP>",
    "<PREFIXTERM>",
    "<WILDTERM>",
)
REGEXP, RANGE_IN, RANGE_EX, NUMBER = "<REGEXPTERM>", '"["', '"{"', "<NUMBER>"
TO, IN_END, EX_END, RANGE_QUOTED, GOOP = (
    '"TO"',
    '"]"',
    '"}"',
    "<RANGE_QUOTED>",
    "<RANGE_GOOP>",
)

_SPACE = " \t\n\r\u3000"
_ESCAPED = r"\\(?s:.)"
_START = rf'(?:[^{_SPACE}+\-!():^\[\]"{{}}~*?\\/]|{_ESCAPED})'
_CHAR = rf'(?:[^{_SPACE}!():^\[\]"{{}}~*?\\/]|{_ESCAPED})'
_ORDINARY = (
    (AND, r"AND|&&"),
    (OR, r"OR|\|\|"),
    (NOT, r"NOT|!"),
    (PLUS, r"\+"),
    (MINUS, "-"),
    (BARE, rf"[+\-!][{_SPACE}]"),
    (OPEN, r"\("),
    (CLOSE, r"\)"),
    (COLON, ":"),
    (STAR, r"\*"),
    (CARAT, r"\^"),
    (QUOTED, rf'"(?:[^"\\]|{_ESCAPED})*"'),
    (TERM, rf"{_START}{_CHAR}*"),
    (FUZZY, rf"~(?:[0-9]+(?:\.[0-9]+)?{_CHAR}*|{_CHAR}*)"),
    (PREFIX, rf"\*|{_START}{_CHAR}*\*"),
    (WILD, rf"(?:{_START}|[*?])(?:{_CHAR}|[*?])*"),
    (REGEXP, r"/(?:[^/\\]|\\/|\\(?!/))*/"),
    (RANGE_IN, r"\["),
    (RANGE_EX, r"\{"),
)
_RANGE = (
    (TO, "TO"),
    (IN_END, r"\]"),
    (EX_END, r"\}"),
    (RANGE_QUOTED, r'"(?:\\"|[^"])+"'),
    (GOOP, r"[^ \]}]+"),
)
_BOOST = ((NUMBER, r"[0-9]+(?:\.[0-9]+)?"),)
_STATES = {
    name: tuple((kind, re.compile(text)) for kind, text in table)
    for name, table in (("boost", _BOOST), ("range", _RANGE), ("ordinary", _ORDINARY))
}
_STATE_NUMBERS = {"boost": 0, "range": 1, "ordinary": 2}
_AFTER = {CARAT: "boost", RANGE_IN: "range", RANGE_EX: "range"}


def next_token(text: str, at: int, state: str) -> tuple[Token, int, str]:
    """The token at or behind `at`, where it ends, and the state behind it. Raises TokenProblem."""
    if state != "boost":
        while at < len(text) and text[at] in _SPACE:
            at += 1
    if at >= len(text):
        return Token(END, "", len(text)), at, state
    best: tuple[str, int] | None = None
    for kind, pattern in _STATES[state]:
        found = pattern.match(text, at)
        if found is not None and found.end() > at and (best is None or found.end() > best[1]):
            best = (kind, found.end())
    if best is None:
        raise _no_token(text, at, state)
    kind, end = best
    after = _AFTER.get(kind, "range" if state == "range" else "ordinary")
    if kind in (IN_END, EX_END):
        after = "ordinary"
    return Token(kind, text[at:end], at), end, after


def _no_token(text: str, at: int, state: str) -> TokenProblem:
    """Lucene reads on as long as a token might still come of it, and complains about where that ended."""
    read = len(text) if text[at] in '"/\\' else at + 1
    at_end = read >= len(text)
    prefix = text[at:read] if read - at > 1 else ""
    shown = "<EOF>" if at_end else f"'{ord(text[read - 1])}' ({ord(text[read - 1])}),"
    behind = f' after prefix "{escaped(prefix)}"' if prefix else ""
    number = _STATE_NUMBERS[state]
    where = f" (in lexical state {number})" if number else ""
    column = read + 1 if at_end else read
    return TokenProblem(
        f"Lexical error at line 1, column {column}.  Encountered: {shown}{behind}{where}"
    )


_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
}


def escaped(text: str) -> str:
    """As Lucene writes a piece of the query into a message."""
    return "".join(
        _ESCAPES.get(char) or (char if " " <= char <= "~" else f"\\u{ord(char):04x}")
        for char in text
    )
