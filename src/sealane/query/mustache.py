"""Search templates: the mustache that the reference offers, as pure functions.

Variables, sections, inverted sections, comments, other delimiters, dotted paths with positions and `size` of lists, and
the functions `toJson`, `join` and `url`. Values are escaped as in a JSON string; nothing is escaped for HTML. Partials
are not offered. What a template means as a request is left to `search.templates`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote_plus

from sealane.errors import ParseError, ScriptError

NAME: Final = "query-template"
"""The file that the reference's errors name."""
OUTPUT_MAX: Final = 1 << 20
"""Characters of a rendered template: `mustache.max_output_size_bytes`."""
PIECES_MAX: Final = 100_000
"""How many pieces of text, and turns of sections, may make a result."""
_DEPTH_MAX: Final = 100
_JOIN: Final = re.compile(r"join(?:\s+delimiter='(.*)')?", re.DOTALL)
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f]')
_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}

Escape = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Variable:
    path: str
    escaped: bool


@dataclass(frozen=True, slots=True)
class _Section:
    path: str
    inverted: bool
    inner: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Function:
    """`toJson` or `join` of one variable; `delimiter` None is toJson."""

    path: str
    delimiter: str | None


@dataclass(frozen=True, slots=True)
class _Url:
    inner: "tuple[_Node, ...]"


_Node = str | _Variable | _Section | _Function | _Url


def escape_json(text: str) -> str:
    """As in a JSON string."""
    return _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", text)


def as_is(text: str) -> str:
    return text


ESCAPES: Final[Mapping[str, Escape]] = {
    "application/json": escape_json,
    "application/json;charset=utf-8": escape_json,
    "text/plain": as_is,
    "application/x-www-form-urlencoded": quote_plus,
}
"""By the `content_type` of a script's options."""


def render(template: str, params: Mapping[str, Any], escape: Escape = escape_json) -> str:
    """The template with its parameters filled in; one that is missing is nothing.

    Raises ScriptError for a template that is malformed, ParseError for a result that is too long.
    """
    nodes = compile_template(template)
    out: list[str] = []
    try:
        out.extend(_limited(_rendered(nodes, (params,), escape)))
    except RecursionError:
        raise ParseError("the parameters of the template are nested too deeply") from None
    return "".join(out)


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    """Raises ParseError for too much text, and for sections in sections that turn on and on and write nothing."""
    size = 0
    for count, piece in enumerate(pieces, 1):
        size += len(piece)
        if size > OUTPUT_MAX:
            raise ParseError(f"Mustache script result size limit exceeded [{OUTPUT_MAX}]")
        if count > PIECES_MAX:
            raise ParseError(f"Mustache script step limit exceeded [{PIECES_MAX}]")
        yield piece


@lru_cache(maxsize=256)
def compile_template(template: str) -> tuple[_Node, ...]:
    """The template's parts. Raises ScriptError with the text as its script."""
    return _Parser(template).parse()


# -- reading -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A section whose end is yet to come."""

    kind: str
    tag: str
    line: int
    nodes: list[_Node]


class _Parser:
    def __init__(self, template: str) -> None:
        self._text = template
        self._at = 0
        self._start, self._end = "{{", "}}"
        self._open = [_Open("", "", 1, [])]

    def parse(self) -> tuple[_Node, ...]:
        text = self._text
        while (begin := text.find(self._start, self._at)) >= 0:
            self._literal(text[self._at : begin])
            self._at = begin + len(self._start)
            self._tag(begin)
        self._literal(text[self._at :])
        if len(self._open) > 1:
            last = self._open[-1]
            raise self._error(f"Failed to close '{last.tag}' tag", last.line, named=False)
        return tuple(self._open[0].nodes)

    def _tag(self, begin: int) -> None:
        raw = self._text[self._at : self._at + 1] == "{" and self._end == "}}"
        closing = "}" + self._end if raw else self._end
        stop = self._text.find(closing, self._at)
        if stop < 0:
            raise self._error("Improperly closed variable", self._line(begin))
        command = self._text[self._at : stop].strip()
        self._at = stop + len(closing)
        if not command:
            raise self._error("Empty mustache", self._line(begin))
        kind, variable = command[0], command[1:].strip()
        if kind in "#^/!=>":
            self._skip_own_line(begin)
        match kind:
            case "#" | "^" | "$" | "<":
                if len(self._open) > _DEPTH_MAX:
                    raise self._error("Too many sections within each other", self._line(begin))
                self._open.append(_Open(kind, variable, self._line(begin), []))
            case "/":
                self._close(variable, begin)
            case "!" | "%":
                pass
            case "=":
                self._delimiters(variable, begin)
            case ">":
                raise self._error(f"Template {variable} not found", self._line(begin), named=False)
            case "{" | "&":
                self._add(_Variable(variable, escaped=False))
            case _:
                self._add(_Variable(command, escaped=True))

    def _close(self, tag: str, begin: int) -> None:
        section = self._open[-1]
        if len(self._open) == 1 or section.tag != tag:
            opened = section.tag if len(self._open) > 1 else "null"
            raise self._error(f"Mismatched start/end tags: {opened} != {tag}", self._line(begin))
        self._open.pop()
        inner = tuple(section.nodes)
        if section.kind == "^":
            self._add(_Section(tag, True, inner))
        elif tag == "url":
            self._add(_Url(inner))
        elif tag == "toJson":
            self._add(_Function(self._identifier("toJson", inner), None))
        elif (join := _JOIN.fullmatch(tag)) is not None:
            delimiter = "," if join[1] is None else join[1]
            self._add(_Function(self._identifier("join", inner), delimiter))
        elif section.kind == "#":
            self._add(_Section(tag, False, inner))
        else:
            for node in inner:
                self._add(node)

    def _identifier(self, function: str, inner: Sequence[_Node]) -> str:
        if len(inner) != 1 or not isinstance(inner[0], str | _Variable):
            raise ScriptError(
                f"Mustache function [{function}] must contain one and only one identifier",
                script=self._text,
            )
        node = inner[0]
        return node if isinstance(node, str) else "{{" + node.path + "}}"

    def _delimiters(self, variable: str, begin: int) -> None:
        marks = variable.removesuffix("=").split()
        if len(marks) != 2:
            raise self._error(f"Invalid delimiter string: {variable}", self._line(begin))
        self._start, self._end = marks

    def _literal(self, text: str) -> None:
        if text:
            self._add(text)

    def _add(self, node: _Node) -> None:
        nodes = self._open[-1].nodes
        if isinstance(node, str) and nodes and isinstance(nodes[-1], str):
            nodes[-1] += node
        else:
            nodes.append(node)

    def _skip_own_line(self, begin: int) -> None:
        """A tag that has a line for itself takes the whole line with it."""
        line = self._text.rfind("\n", 0, begin) + 1
        before = self._text[line:begin]
        end = self._text.find("\n", self._at)
        after = self._text[self._at : end if end >= 0 else len(self._text)]
        alone = not before.strip() and not after.strip() and (line > 0 or end >= 0)
        if not alone:
            return
        nodes = self._open[-1].nodes
        if before and nodes and isinstance(nodes[-1], str):
            nodes[-1] = nodes[-1].removesuffix(before)
            if not nodes[-1]:
                nodes.pop()
        self._at = end + 1 if end >= 0 else len(self._text)

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def _error(self, problem: str, line: int, *, named: bool = True) -> ScriptError:
        place = f"{NAME}:{line}"
        text = f"{problem} in {place} @[{place}]" if named else f"{problem} @[{place}]"
        return ScriptError(text, script=self._text)


# -- rendering -----------------------------------------------------------------------------------------------------

_Scopes = tuple[Any, ...]


def _rendered(nodes: Sequence[_Node], scopes: _Scopes, escape: Escape) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, _Variable):
            text = _text(_find(node.path, scopes))
            yield escape(text) if node.escaped else text
        elif isinstance(node, _Section):
            yield from _section(node, scopes, escape)
        elif isinstance(node, _Url):
            inner: list[str] = []
            for piece in _limited(_rendered(node.inner, scopes, escape)):
                inner.append(piece)
                yield ""
            yield quote_plus("".join(inner), safe="*-._")
        else:
            yield _applied(node, scopes)


def _section(section: _Section, scopes: _Scopes, escape: Escape) -> Iterator[str]:
    value = _find(section.path, scopes)
    if value is None or value is False or value == "" or value == []:
        if section.inverted:
            yield from _rendered(section.inner, scopes, escape)
    elif not section.inverted:
        for each in value if isinstance(value, list) else (value,):
            yield ""  # a turn counts, also where nothing is written
            yield from _rendered(section.inner, (*scopes, each), escape)


def _applied(function: _Function, scopes: _Scopes) -> str:
    value = _find(function.path, scopes)
    if function.delimiter is None:
        if isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _text(value)
    if value is None:
        return ""
    if isinstance(value, list):
        return function.delimiter.join(_text(each) for each in value)
    return function.path


def _find(path: str, scopes: _Scopes) -> Any:
    """The value of a dotted path, by the innermost scope that has its beginning. None where there is none."""
    if path == ".":
        return scopes[-1]
    for scope in reversed(scopes):
        if isinstance(scope, dict) and path in scope:
            return scope[path]
    first, *rest = path.split(".")
    for scope in reversed(scopes):
        found, value = _member(scope, first)
        if found:
            for name in rest:
                _, value = _member(value, name)
            return value
    return None


def _member(value: Any, name: str) -> tuple[bool, Any]:
    if isinstance(value, Mapping):
        return name in value, value.get(name)
    if isinstance(value, list):
        if name == "size":
            return True, len(value)
        if name.isdecimal() and int(name) < len(value):
            return True, value[int(name)]
    return False, None


def _text(value: Any) -> str:
    """A value as Java prints it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float():
            return _float_text(value)
        case dict():
            return "{" + ", ".join(f"{k}={_inner_text(v)}" for k, v in value.items()) + "}"
        case list():
            members = [f"{at}={_inner_text(each)}" for at, each in enumerate(value)]
            return "{" + ", ".join([*members, f"size={len(value)}"]) + "}"
    return str(value)


def _inner_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(_inner_text(each) for each in value) + "]"
    return _text(value)


def _float_text(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits, _, exponent = f"{value:e}".partition("e")
    exact = repr(value)
    if "e" in exact:
        digits, _, exponent = exact.partition("e")
    else:
        digits = f"{value / 10 ** int(exponent):.15g}"
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"
