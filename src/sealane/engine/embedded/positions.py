"""Where in a document's bytes a value stands. Used only to explain an error: the hot path keeps no places."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_TOKEN = re.compile(
    rb'[ \t\r\n]*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\]:,])|(?P<scalar>[^\s{}\[\],:"]+))',
    re.S,
)

_SCALAR = re.compile(rb"-?[0-9][0-9.eE+-]*|true|false|null")


class Place(NamedTuple):
    """One value in document order. `end` is exclusive; `in_array` says that it has no name of its own."""

    path: str
    start: int
    end: int
    closing: int
    """Where its last token starts: itself for scalars, the bracket for objects."""
    raw: str
    in_array: bool


def line_and_column(source: bytes, offset: int) -> tuple[int, int]:
    """Both from 1; columns count bytes."""
    line = source.count(b"\n", 0, offset) + 1
    return line, offset - (source.rfind(b"\n", 0, offset) + 1) + 1


def places_of(source: bytes) -> Iterator[Place]:
    """Every value, parents after what they hold."""
    return _Scanner(source).places()


def find_value(source: bytes, path: str, matches: Callable[[Place], bool]) -> Place | None:
    """The first value at `path` (dotted) that `matches`."""
    for place in _Scanner(source).places():
        if place.path == path and matches(place):
            return place
    return None


def last_token_before(source: bytes, offset: int, *, skip_last: bool = False) -> int:
    """Where the last token begins that a JSON parser returned before it stopped at `offset`.

    With `skip_last` a token that ends at `offset` was the one it stopped at.
    """
    found = 0
    for token in _TOKEN.finditer(source):
        if token.end() > offset or (skip_last and token.end() == offset):
            break
        group = token.lastgroup
        if group is None or token[group] in (b",", b":"):
            continue
        if group == "scalar" and _SCALAR.fullmatch(token[group]) is None:
            break
        found = token.start(group)
    return found


def offset_of(source: bytes, line: int, column: int) -> int:
    """The reverse of `line_and_column`."""
    start = 0
    for _ in range(line - 1):
        start = source.index(b"\n", start) + 1
    return start + column - 1


class _Scanner:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.at = 0

    def places(self) -> Iterator[Place]:
        """Every value, parents after what they hold. Ends early where the bytes are not JSON."""
        _kind, start, _end, raw = self.next_token()
        if raw == "{":
            yield from self.object("", start, False)

    def next_token(self) -> tuple[str, int, int, str]:
        found = _TOKEN.match(self.source, self.at)
        if found is None or found.lastgroup is None:
            return "", len(self.source), len(self.source), ""
        self.at = found.end()
        group = found.lastgroup
        return group, found.start(group), found.end(), found[group].decode("utf-8", "replace")

    def object(self, path: str, start: int, in_array: bool) -> Iterator[Place]:
        while True:
            kind, at, end, raw = self.next_token()
            if raw == "}" or not kind:
                yield Place(path, start, end, at, "{", in_array)
                return
            if raw == "," or kind != "text":
                continue
            name = _unquoted(raw)
            self.next_token()  # the colon
            yield from self.value(f"{path}.{name}" if path else name, False)

    def value(self, path: str, in_array: bool) -> Iterator[Place]:
        kind, start, end, raw = self.next_token()
        if raw == "{" and kind == "mark":
            yield from self.object(path, start, in_array)
        elif raw == "[" and kind == "mark":
            yield from self.array(path, start, in_array)
        elif kind in ("text", "scalar"):
            yield Place(path, start, end, start, raw, in_array)

    def array(self, path: str, start: int, in_array: bool) -> Iterator[Place]:
        while True:
            before = self.at
            kind, at, end, raw = self.next_token()
            if not kind or (kind == "mark" and raw == "]"):
                yield Place(path, start, end, at, "[", in_array)
                return
            if kind == "mark" and raw == ",":
                continue
            self.at = before
            yield from self.value(path, True)


def _unquoted(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw[1:-1]
