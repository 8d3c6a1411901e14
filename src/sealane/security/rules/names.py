"""Patterns of names: of indices, of clusters, of users that may be acted for.

A pattern is a name, a name with `*` (any text) and `?` (any character) in which a backslash takes away the meaning of
what follows, or, between slashes, a Lucene regular expression. Matching takes time in proportion to the name: there is
no going back. An expression that is malformed, or too complex, matches nothing: it grants nothing then.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from sealane.errors import ApiError
from sealane.model.lucene_nodes import (
    ANY,
    ANY_TEXT,
    NEVER,
    Node,
    accepts_empty,
    after,
    alternative,
    both,
    complement,
    literal,
    sequence,
    written_out,
)
from sealane.model.lucene_regexp import Pattern, parse

MAX_PATTERN: Final = 1_000
"""Characters of one pattern that is a regular expression or has wildcards; the reference has a limit of states."""
MAX_NAME: Final = 4_096
"""Characters of a name that a regular expression is asked about. Longer ones do not exist."""
_EFFORT: Final = 500
"""How many alternatives the different remainders of a pattern may have together, until it is given up."""
_COMPARED: Final = 200_000
"""Characters that all the remainders may have together that are looked at to compare patterns: a tenth of a second."""
_MAX_KEPT: Final = 2_048
"""Characters of all the patterns that are kept compiled for whoever asks for the same."""
_SPECIAL: Final = frozenset("*?\\")
_MAX_SINGLE: Final = 32
"""Wildcards of a pattern in which there is a `?` or a backslash; with `*` alone there may be any number."""

Matcher = Callable[[str], bool]


def _always(_: str) -> bool:
    return True


def matcher(patterns: tuple[str, ...]) -> Matcher:
    """Whether a name fits any of the patterns, byte by byte and with its case."""
    if sum(map(len, patterns)) > _MAX_KEPT:
        return _matcher(patterns)
    return _kept_matcher(patterns)


def _matcher(patterns: tuple[str, ...]) -> Matcher:
    exact: set[str] = set()
    prefixes: list[str] = []
    starred: list[_Starred] = []
    nodes: list[Pattern] = []
    for pattern in patterns:
        if pattern == "*":
            return _always
        if not is_regexp(pattern) and _SPECIAL.isdisjoint(pattern):
            exact.add(pattern)
        elif _is_prefix(pattern):
            prefixes.append(pattern[:-1])
        elif not is_regexp(pattern) and "?" not in pattern and "\\" not in pattern:
            starred.append(_Starred(pattern))
        else:
            node = node_of(pattern)
            if node != NEVER:
                nodes.append(Pattern(node, pattern, effort=_EFFORT))
    return _Any(frozenset(exact), tuple(prefixes), tuple(starred), tuple(nodes))


_kept_matcher: Final = lru_cache(maxsize=1_024)(_matcher)


class _Any:
    __slots__ = ("_exact", "_patterns", "_prefixes", "_starred")

    def __init__(
        self,
        exact: frozenset[str],
        prefixes: tuple[str, ...],
        starred: "tuple[_Starred, ...]",
        patterns: tuple[Pattern, ...],
    ) -> None:
        self._exact = exact
        self._prefixes = prefixes
        self._starred = starred
        self._patterns = patterns

    def __call__(self, name: str) -> bool:
        if name in self._exact or (self._prefixes and name.startswith(self._prefixes)):
            return True
        if len(name) > MAX_NAME:
            return False
        if any(each(name) for each in self._starred):
            return True
        return any(_fits(pattern, name) for pattern in self._patterns)


class _Starred:
    """A name with `*` in it. The parts between are looked for in turn: the first place is as good as any."""

    __slots__ = ("_first", "_last", "_least", "_parts")

    def __init__(self, pattern: str) -> None:
        self._first, *parts, self._last = pattern.split("*")
        self._parts = [part for part in parts if part]
        self._least = len(self._first) + len(self._last)

    def __call__(self, name: str) -> bool:
        if len(name) < self._least:
            return False
        if not name.startswith(self._first) or not name.endswith(self._last):
            return False
        at, end = len(self._first), len(name) - len(self._last)
        for part in self._parts:
            at = name.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


def _fits(pattern: Pattern, name: str) -> bool:
    try:
        return pattern.fullmatch(name)
    except ApiError:
        return False


def _is_prefix(pattern: str) -> bool:
    return pattern.endswith("*") and not is_regexp(pattern) and _SPECIAL.isdisjoint(pattern[:-1])


def is_regexp(pattern: str) -> bool:
    """Whether it is written between slashes."""
    return len(pattern) > 1 and pattern[0] == "/" and pattern[-1] == "/"


def is_pattern(text: str) -> bool:
    """Whether it may stand for more than one name."""
    return is_regexp(text) or "*" in text or "?" in text


@lru_cache(maxsize=256)
def node_of(pattern: str) -> Node:
    """The pattern as `model.lucene_nodes` has it; NEVER for one that is malformed or too long."""
    if len(pattern) > MAX_PATTERN:
        return literal_text(pattern) if not is_pattern(pattern) else NEVER
    if not is_regexp(pattern):
        wild = pattern.count("*") + pattern.count("?")
        return _wildcards(pattern) if wild <= _MAX_SINGLE else NEVER
    try:
        return parse(pattern[1:-1])
    except ApiError:
        return NEVER


def literal_text(text: str) -> Node:
    return sequence([literal(char) for char in text])


def _wildcards(pattern: str) -> Node:
    parts: list[Node] = []
    escaped = False
    for char in pattern:
        if escaped:
            parts.append(literal(char))
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "*":
            if not parts or parts[-1] != ANY_TEXT:
                parts.append(ANY_TEXT)
        elif char == "?":
            parts.append(ANY)
        else:
            parts.append(literal(char))
    if escaped:
        parts.append(literal("\\"))
    return sequence(parts)


def union(patterns: Sequence[str]) -> Node:
    """All the names that fit any of the patterns."""
    return alternative(node_of(pattern) for pattern in patterns)


def without(node: Node, other: Node) -> Node:
    return both(node, complement(other))


def all_within(inner: Sequence[str], outer: Sequence[str], effort: "Effort") -> bool:
    """Whether every name that fits any of some patterns fits one of others, too. What is plain to see is no effort."""
    fits = matcher(tuple(outer))
    prefixes = tuple(each[:-1] for each in outer if _is_prefix(each))
    hard: list[str] = []
    for pattern in inner:
        if not is_pattern(pattern) and "\\" not in pattern:
            if not fits(pattern):
                return False
        elif not (_is_prefix(pattern) and pattern.startswith(prefixes)):
            hard.append(pattern)
    return not hard or within(union(hard), union(outer), effort)


class Effort:
    """How much may be done to compare patterns, for all that one request asks. What is left of it only shrinks."""

    __slots__ = ("left",)

    def __init__(self, left: int = _COMPARED) -> None:
        self.left = left


def within(inner: Node, outer: Node, effort: Effort | None = None) -> bool:
    """Whether every name of one pattern is also one of another. False where that is too hard to say."""
    budget = effort or Effort()
    if inner == outer or outer == ANY_TEXT:
        return True
    if budget.left < 0:
        return False
    start = without(inner, outer)
    budget.left -= written_out(start)
    seen = {start}
    todo = [start]
    try:
        while todo:
            node = todo.pop()
            if accepts_empty(node):
                return False
            for code in _representatives(node):
                following = after(node, chr(code))
                budget.left -= written_out(following)
                if budget.left < 0:
                    return False
                if following != NEVER and following not in seen:
                    seen.add(following)
                    todo.append(following)
    except RecursionError:
        return False
    return True


def _representatives(node: Node) -> list[int]:
    """One character of each kind that the pattern tells apart where it begins."""
    edges = {0}
    _collect(node, edges)
    return sorted(edges)


def _collect(node: Node, edges: set[int]) -> None:
    match node[0]:
        case "class":
            for first, last in node[1]:
                edges.add(first)
                if last < 0x10FFFF:
                    edges.add(last + 1)
        case "seq":
            for each in node[1]:
                _collect(each, edges)
                if not accepts_empty(each):
                    break
        case "or" | "and":
            for each in node[1]:
                _collect(each, edges)
        case "not" | "repeat":
            _collect(node[1], edges)


RESTRICTED: Final = (
    ".security",
    "/\\.security-[0-9]+.*/",
    ".security-tokens",
    "/\\.security-tokens-[0-9]+.*/",
    ".security-profile",
    "/\\.security-profile-[0-9]+.*/",
    ".apm-agent-configuration*",
    ".apm-custom-link*",
    ".async-search*",
    ".connector-secrets*",
    ".data-frame-internal-*",
    ".enrich-*",
    ".fleet-*",
    ".geoip_databases*",
    ".inference*",
    ".kibana_*",
    ".logstash*",
    ".ml-config*",
    ".ml-inference-*",
    ".ml-meta*",
    ".query-rules*",
    ".reporting-*",
    ".search-app*",
    ".secrets-inference*",
    ".snapshot-blob-cache*",
    ".synonyms*",
    ".tasks*",
    ".transform-internal-*",
    ".triggered_watches*",
    ".watches*",
)
"""What only grants with `allow_restricted_indices` reach: names of indices, and aliases, that hold a cluster's own."""

RESTRICTED_NODE: Final = union(RESTRICTED)
_restricted: Final = matcher(RESTRICTED)


def is_restricted(name: str) -> bool:
    """Whether the index, or the alias, of that name is a cluster's own."""
    return name[:1] == "." and _restricted(name)


def may_be_restricted(pattern: str) -> bool:
    """Whether some name of a pattern may be a cluster's own, by how it begins."""
    return pattern[:1] in (".", "*", "?", "\\", "/")
