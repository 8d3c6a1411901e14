"""Which fields a reader may see, decided for dotted paths; the rules are those of 8.19.

A pattern has `*` and `?`, a backslash before what is meant as it stands, or is a regular expression between slashes. A
path is visible where, on every side, one of the grants has it and leaves it in: patterns are for whole paths, so that
neither `user` nor its exception says anything about `user.name`. All of it is one regular expression, matched by its
derivatives (lucene_nodes.py). What cannot be decided with reasonable effort is hidden.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

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
)
from sealane.model.lucene_regexp import parse

if TYPE_CHECKING:
    from sealane.model.security import FieldGrant, FieldLimits

K = TypeVar("K")
V = TypeVar("V")

_MAX_KEPT: Final = 50_000
"""Paths, and steps by a character, that are remembered at a time."""
_MAX_PATH: Final = 2_000
"""Characters of a path. Only what no mapping knows has longer ones, and all of each would be remembered."""
_MAX_LOOKED_AT: Final = 2_000
"""Remainders of a pattern that are looked at to find out whether anything can still be of it."""


class VisibleFields:
    """Made once for equal limits, by `visible_fields`; may be used by several threads."""

    __slots__ = ("_opens", "_root", "_shows", "_states", "_steps")

    def __init__(self, limits: "FieldLimits") -> None:
        root: Node = ANY_TEXT
        for side in limits.sides:
            root = both(root, alternative(_granted(each) for each in side))
        self._root = root
        self._steps: dict[tuple[Node, str], Node] = {}
        self._states: dict[str, Node] = {}
        self._shows: dict[str, bool] = {}
        self._opens: dict[str, bool] = {}

    def shows(self, path: str) -> bool:
        """Whether the field with this path is visible."""
        if len(path) > _MAX_PATH:
            return False
        known = self._shows.get(path)
        if known is None:
            known = accepts_empty(self._state(path))
            self._shows = _kept(self._shows, path, known)
        return known

    def opens(self, path: str) -> bool:
        """Whether there are visible paths below this one."""
        if len(path) > _MAX_PATH:
            return False
        known = self._opens.get(path)
        if known is None:
            known = _is_possible(self._state(path + "."))
            self._opens = _kept(self._opens, path, known)
        return known

    def _state(self, path: str) -> Node:
        """What may still follow `path`."""
        steps: list[str] = []
        above, dot = path, "."
        known = self._states.get(above)
        while known is None and dot:
            above, dot, name = above.rpartition(".")
            steps.append(dot + name)
            known = self._states.get(above) if dot else self._root
        assert known is not None
        for step in reversed(steps):
            above += step
            known = self._after(known, step)
            self._states = _kept(self._states, above, known)
        return known

    def _after(self, node: Node, text: str) -> Node:
        for char in text:
            key = (node, char)
            step = self._steps.get(key)
            if step is None:
                try:
                    step = after(node, char)
                except RecursionError:
                    step = NEVER
                self._steps = _kept(self._steps, key, step)
            node = step
        return node


def _kept(known: dict[K, V], key: K, value: V) -> dict[K, V]:
    if len(known) >= _MAX_KEPT:
        known = {}
    known[key] = value
    return known


@lru_cache(maxsize=1_024)
def visible_fields(limits: "FieldLimits") -> VisibleFields:
    """The same object for equal limits."""
    return VisibleFields(limits)


def _granted(each: "FieldGrant") -> Node:
    granted = alternative(_pattern(text, NEVER) for text in each.grant)
    excepted = alternative(_pattern(text, ANY_TEXT) for text in each.excepted or ())
    return both(granted, complement(excepted))


def _pattern(text: str, otherwise: Node) -> Node:
    """`otherwise` is for a regular expression that is none."""
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        try:
            return parse(text[1:-1])
        except ApiError:
            return otherwise
    return sequence(_wildcards(text))


def _wildcards(text: str) -> Iterator[Node]:
    characters = iter(text)
    for char in characters:
        if char == "*":
            yield ANY_TEXT
        elif char == "?":
            yield ANY
        elif char == "\\":
            yield literal(next(characters, "\\"))
        else:
            yield literal(char)


def _is_possible(node: Node) -> bool:
    """Whether any text at all is of a pattern."""
    seen = {node}
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if accepts_empty(found):
            return True
        for char in _tellers(found):
            try:
                step = after(found, char)
            except RecursionError:
                return False
            if step is not NEVER and step not in seen:
                if len(seen) >= _MAX_LOOKED_AT:
                    return False
                seen.add(step)
                waiting.append(step)
    return False


def _tellers(node: Node) -> list[str]:
    """Characters of which one stands for every character: all of a kind lead to the same remainder."""
    edges = {0}
    for first, last in _ranges(node):
        edges.update((first, last + 1))
    return [chr(each) for each in edges if each <= 0x10FFFF]


def _ranges(node: Node) -> Iterable[tuple[int, int]]:
    match node[0]:
        case "class":
            yield from node[1]
        case "seq" | "or" | "and":
            for each in node[1]:
                yield from _ranges(each)
        case "not" | "repeat":
            yield from _ranges(node[1])
