"""Reads JSON the slow way, to say where something is: the second reading of a body that turned out to be wrong.

`scan` returns the same data as any JSON parser, in dictionaries and lists that know the place of their parts. Its
errors carry the reference's texts, which are Jackson's. Comments are white space here.
"""

import re
from typing import Any, NamedTuple, NoReturn

from sealane.errors import ApiError, XContentParseError

SCAN_MAX_BYTES = 1 << 20
"""What is longer is not read here: it would hold up the node for seconds."""
MAX_DEPTH = 1000
"""How deep a body may nest."""
_READ_DEPTH = 150
"""How deep it is read: what is below is jumped over, so that the reader of the value can say what is wrong with it."""
_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BRACKET = re.compile(rb'[{}\[\]]|"(?:[^"\\]|\\.)*"', re.DOTALL)
_WORD = re.compile(rb"[A-Za-z0-9_$\x80-\xff]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SHOWN_BYTES = 500
_EXPECTED_VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"


class Place(NamedTuple):
    line: int
    col: int

    def __str__(self) -> str:
        return f"{self.line}:{self.col}"


START = Place(1, 1)


class LocatedDict(dict[str, Any]):
    """An object; `keys_at` and `values_at` by name, `begin` and `end` are its braces."""

    __slots__ = ("begin", "end", "keys_at", "values_at")

    def __init__(self, begin: Place) -> None:
        super().__init__()
        self.begin = self.end = begin
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}


class LocatedList(list[Any]):
    """An array; `values_at` by position, `begin` and `end` are its brackets."""

    __slots__ = ("begin", "end", "values_at")

    def __init__(self, begin: Place) -> None:
        super().__init__()
        self.begin = self.end = begin
        self.values_at: list[Place] = []


class _JsonError(ApiError):
    es_type, status = "json_parse_exception", 400


class _JsonEnd(ApiError):
    es_type, status = "json_e_o_f_exception", 400


class XContentEnd(ApiError):
    """A body that ends too early."""

    es_type, status = "x_content_e_o_f_exception", 400


def scan(raw: bytes) -> "Scan":
    """The value of a body. Raises XContentParseError or XContentEnd. An empty body is None at 1:0."""
    if len(raw) > SCAN_MAX_BYTES:
        raise XContentParseError(
            f"[1:1] a body of [{len(raw)}] bytes is too long to be taken apart"
        )
    scanner = _Scanner(raw)
    scanner.skip()
    if scanner.at >= len(raw):
        return Scan(None, Place(1, 0))
    begin = scanner.place(scanner.at)
    value = scanner.value(1)
    scanner.skip()
    if scanner.at >= len(raw):
        return Scan(value, begin, None, scanner.too_deep)
    if raw[scanner.at : scanner.at + 1] in (b"}", b"]"):
        marker = chr(raw[scanner.at])
        scanner.fail(
            f"Unexpected close marker '{marker}': expected '{']' if marker == '}' else '}'}' "
            f"(for root starting at {scanner.source(0, Place(1, 0))})",
            scanner.at,
        )
    after = scanner.place(scanner.at)
    return Scan(value, begin, (token(scanner.value(1)), after), scanner.too_deep)


class Scan(NamedTuple):
    """`trailing` is the token that stands behind the value, with its place; `too_deep` what was not read."""

    value: Any
    begin: Place
    trailing: tuple[str, Place] | None = None
    too_deep: XContentParseError | None = None


def token(value: Any) -> str:
    """The name of the token a value begins with."""
    match value:
        case dict():
            return "START_OBJECT"
        case list():
            return "START_ARRAY"
        case str():
            return "VALUE_STRING"
        case bool():
            return "VALUE_BOOLEAN"
        case None:
            return "VALUE_NULL"
    return "VALUE_NUMBER"


class _Scanner:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0
        self.too_deep: XContentParseError | None = None
        self._counted, self._line, self._line_start = 0, 1, 0
        """The last place that was asked for, and its line: nearly all that are asked for lie behind it."""

    def place(self, at: int) -> Place:
        if at < self._counted:
            self._counted, self._line, self._line_start = 0, 1, 0
        newline = self._raw.rfind(b"\n", self._counted, at)
        if newline >= 0:
            self._line += self._raw.count(b"\n", self._counted, at)
            self._line_start = newline + 1
        self._counted = at
        return Place(self._line, at - self._line_start + 1)

    def source(self, at: int, place: Place | None = None) -> str:
        shown = self._raw[:_SHOWN_BYTES].decode("utf-8", "replace")
        shown = "".join(
            f"\\u{ord(c):04X}" if ord(c) < 32 and c not in "\r\n\t" else c for c in shown
        )
        cut = len(self._raw) - _SHOWN_BYTES
        tail = f"[truncated {cut} bytes]" if cut > 0 else ""
        line, col = place or self.place(at)
        return f'[Source: (byte[])"{shown}"{tail}; line: {line}, column: {col}]'

    def fail(self, problem: str, at: int) -> NoReturn:
        raise self._error(problem, at)

    def _error(self, problem: str, at: int) -> XContentParseError:
        text = f"{problem}\n at {self.source(at)}"
        return XContentParseError(f"[{self.place(at)}] {text}", caused_by=_JsonError(text))

    def end(self, problem: str) -> NoReturn:
        at = len(self._raw)
        cause = _JsonEnd(f"{problem}\n at {self.source(at)}")
        raise XContentEnd(f"[{self.place(at)}] Unexpected end of file", caused_by=cause)

    def skip(self) -> None:
        raw = self._raw
        while True:
            found = _SPACE.match(raw, self.at)
            assert found is not None
            self.at = found.end()
            if raw.startswith(b"//", self.at):
                newline = raw.find(b"\n", self.at)
                self.at = len(raw) if newline < 0 else newline
            elif raw.startswith(b"/*", self.at):
                close = raw.find(b"*/", self.at + 2)
                if close < 0:
                    self.end("Unexpected end-of-input in a comment")
                self.at = close + 2
            else:
                return

    def value(self, depth: int) -> Any:
        raw, at = self._raw, self.at
        head = raw[at : at + 1]
        if depth > _READ_DEPTH and head in (b"{", b"["):
            return self._jump()
        if head == b"{":
            return self._object(depth)
        if head == b"[":
            return self._array(depth)
        if head == b'"':
            return self._string()
        if head in b"-0123456789" and head:
            return self._number()
        return self._word(at)

    def _jump(self) -> LocatedDict | LocatedList:
        """Passes a value by its brackets."""
        if self.too_deep is None:
            self.too_deep = self._error(
                f"Document nesting depth ({MAX_DEPTH + 1}) exceeds the maximum allowed "
                f"({MAX_DEPTH}, from `StreamReadConstraints.getMaxNestingDepth()`)",
                self.at,
            )
        kind = LocatedDict if self._raw[self.at : self.at + 1] == b"{" else LocatedList
        passed = kind(self.place(self.at))
        depth = 0
        for found in _BRACKET.finditer(self._raw, self.at):
            if found[0] in (b"{", b"["):
                depth += 1
            elif found[0] in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    self.at = found.end()
                    return passed
        self.end("Unexpected end-of-input within/between Object entries")

    def _object(self, depth: int) -> LocatedDict:
        start = self.at
        result = LocatedDict(self.place(start))
        self.at += 1
        while True:
            self.skip()
            head = self._head("Object", start)
            if head == b"}" and not result:
                break
            if head != b'"':
                self._unexpected("was expecting double-quote to start field name")
            key_at = self.at
            name = self._string()
            if name in result:
                self.fail(f"Duplicate field '{name}'", self.at)
            self.skip()
            if self.at >= len(self._raw):
                self.end("Unexpected end-of-input within/between Object entries")
            if self._raw[self.at : self.at + 1] != b":":
                self._unexpected("was expecting a colon to separate field name and value")
            self.at += 1
            self.skip()
            self._head("Object", start, between=True)
            result.keys_at[name] = self.place(key_at)
            result.values_at[name] = self.place(self.at)
            result[name] = self.value(depth + 1)
            self.skip()
            head = self._head("Object", start)
            if head == b"}":
                break
            self._comma(head, "Object", start)
        result.end = self.place(self.at)
        self.at += 1
        return result

    def _array(self, depth: int) -> LocatedList:
        start = self.at
        result = LocatedList(self.place(start))
        self.at += 1
        while True:
            self.skip()
            head = self._head("Array", start)
            if head == b"]" and not result:
                break
            result.values_at.append(self.place(self.at))
            result.append(self.value(depth + 1))
            self.skip()
            head = self._head("Array", start)
            if head == b"]":
                break
            self._comma(head, "Array", start)
        result.end = self.place(self.at)
        self.at += 1
        return result

    def _head(self, kind: str, start: int, *, between: bool = False) -> bytes:
        if self.at >= len(self._raw):
            if between:
                self.end("Unexpected end-of-input within/between Object entries")
            self.end(
                f"Unexpected end-of-input: expected close marker for {kind} "
                f"(start marker at {self.source(start)})"
            )
        return self._raw[self.at : self.at + 1]

    def _comma(self, head: bytes, kind: str, start: int) -> None:
        if head in (b"}", b"]"):
            wanted = "}" if kind == "Object" else "]"
            self.fail(
                f"Unexpected close marker '{head.decode()}': expected '{wanted}' "
                f"(for {kind} starting at {self.source(start)})",
                self.at,
            )
        if head != b",":
            entries = "Object" if kind == "Object" else "Array"
            self._unexpected(f"was expecting comma to separate {entries} entries")
        self.at += 1

    def _unexpected(self, wanted: str) -> NoReturn:
        char = self._raw[self.at :].decode("utf-8", "replace")[0]
        self.fail(f"Unexpected character ('{char}' (code {ord(char)})): {wanted}", self.at)

    def _string(self) -> str:
        found = _STRING.match(self._raw, self.at)
        if found is None:
            self._bad_string()
        self.at = found.end()
        try:
            text = found[1].decode("utf-8")
        except UnicodeDecodeError as error:
            bad = found[1][error.start]
            self.fail(f"Invalid UTF-8 start byte 0x{bad:x}", found.start(1) + error.start)
        if "\\" not in text:
            return text
        text = _ESCAPE.sub(
            lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 5 else _PLAIN.get(m[1], m[1]), text
        )
        # Escaped surrogate pairs become one character, lone ones the replacement character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _bad_string(self) -> NoReturn:
        at = self.at + 1
        while at < len(self._raw) and self._raw[at] not in b'"':
            byte = self._raw[at]
            if byte < 32:
                self.fail(
                    f"Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped "
                    "using backslash to be included in string value",
                    at,
                )
            if byte == 0x5C:
                escaped = self._raw[at + 1 : at + 2]
                if escaped == b"u":
                    digits = self._raw[at + 2 : at + 6]
                    for offset, digit in enumerate(digits):
                        if digit not in b"0123456789abcdefABCDEF":
                            self.fail(
                                f"Unexpected character ('{chr(digit)}' (code {digit})): expected a "
                                "hex-digit for character escape sequence",
                                at + 2 + offset,
                            )
                    at += 4
                elif escaped and escaped not in b'"\\/bfnrt':
                    char = chr(escaped[0])
                    self.fail(f"Unrecognized character escape '{char}' (code {ord(char)})", at + 1)
                at += 1
            at += 1
        text = f"Unexpected end-of-input in VALUE_STRING\n at {self.source(len(self._raw))}"
        place = self.place(len(self._raw))
        raise XContentParseError(f"[{place}] {text}", caused_by=_JsonEnd(text))

    def _number(self) -> int | float:
        raw, at = self._raw, self.at
        found = _NUMBER.match(raw, at)
        if found is None:
            self._bad_number(
                at + 1, "expected digit (0-9) to follow minus sign, for valid numeric value"
            )
        end = found.end()
        following = raw[end : end + 1]
        if found[0] in (b"0", b"-0") and following.isdigit():
            self.fail("Invalid numeric value: Leading zeroes not allowed", end)
        if following == b"." and found[1] is None:
            self._bad_number(end + 1, "Decimal point not followed by a digit")
        if following in (b"e", b"E") and found[2] is None:
            self._bad_number(end + 1, "Exponent indicator not followed by a digit")
        self.at = end
        if found[1] is None and found[2] is None:
            if len(found[0]) > 1000:
                self.fail(
                    f"Number value length ({len(found[0])}) exceeds the maximum allowed (1000, from "
                    "`StreamReadConstraints.getMaxNumberLength()`)",
                    end,
                )
            return int(found[0])
        return float(found[0])

    def _bad_number(self, at: int, problem: str) -> NoReturn:
        if at >= len(self._raw):
            self.end("Unexpected end-of-input in a Number value")
        char = chr(self._raw[at])
        self.fail(
            f"Unexpected character ('{char}' (code {ord(char)})) in numeric value: {problem}", at
        )

    def _word(self, at: int) -> Any:
        found = _WORD.match(self._raw, at)
        assert found is not None
        word = found[0].decode("utf-8", "replace")
        known = {"true": True, "false": False, "null": None}
        if word in known:
            self.at = found.end()
            return known[word]
        if word in ("NaN", "Infinity"):
            self.fail(
                f"Non-standard token '{word}': enable "
                "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                found.end(),
            )
        if word:
            self.fail(
                f"Unrecognized token '{word}': was expecting ({_EXPECTED_VALUE})", found.end()
            )
        if self._raw[at : at + 1] == b"+":
            self.fail(
                "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow "
                "numbers to have plus signs: enable "
                "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
                at + 1,
            )
        if self._raw[at : at + 1] in (b"}", b"]"):
            self._unexpected("expected a value")
        self._unexpected(f"expected a valid value ({_EXPECTED_VALUE})")
