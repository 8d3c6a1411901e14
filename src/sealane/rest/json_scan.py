"""Where and why a text is not JSON, told as the reference tells it.

orjson reads every body; this scanner runs only on those that orjson refused or that may repeat a key. It accepts
`//` and `/* */` comments, and stops after the first value: the reference reads no further either.
"""

import re
from dataclasses import dataclass, field

from sealane.query.any_json import loads

_SPACE = re.compile(rb"[ \t\r\n]+")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_WORD = re.compile(rb"[A-Za-z0-9_$\x80-\xff]+")
_DIGITS = re.compile(rb"[0-9]*")
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SOURCE_SHOWN_MAX_BYTES = 500


class JsonFault(Exception):
    """`at` is the byte offset that line and column are counted from. `eof` when the text ends too early."""

    def __init__(self, message: str, at: int, *, eof: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.eof = eof


@dataclass(slots=True)
class Scanned:
    """Where the first value ends, and the comments before that."""

    end: int
    comments: list[tuple[int, int]] = field(default_factory=list)


def describe_source(data: bytes) -> str:
    shown = data[:_SOURCE_SHOWN_MAX_BYTES].decode("utf-8", "replace")
    cut = len(data) - _SOURCE_SHOWN_MAX_BYTES
    return f'(byte[])"{shown}"' + (f"[truncated {cut} bytes]" if cut > 0 else "")


def line_and_column(data: bytes, at: int) -> tuple[int, int]:
    """Both from 1; columns count bytes."""
    start = data.rfind(b"\n", 0, at) + 1
    return data.count(b"\n", 0, at) + 1, at - start + 1


def location(data: bytes, at: int) -> str:
    line, column = line_and_column(data, at)
    return f"[Source: {describe_source(data)}; line: {line}, column: {column}]"


def scan(data: bytes) -> Scanned:
    """Raises JsonFault."""
    return _Scanner(data).run()


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._comments: list[tuple[int, int]] = []
        self._open: list[tuple[int, set[str] | None]] = []
        """Start of each open object or array, with an object's keys so far."""

    def run(self) -> Scanned:
        self._skip_space()
        if self._at == len(self._data):
            raise JsonFault("No content to map due to end-of-input", self._at, eof=True)
        self._value()
        while self._open:
            self._next_entry()
        return Scanned(self._at, self._comments)

    # -- structure ---------------------------------------------------------------------------------------------

    def _next_entry(self) -> None:
        """One more entry of the innermost object or array, or its end."""
        start, keys = self._open[-1]
        self._skip_space()
        char = self._need_close_marker(start, keys)
        first = self._is_first(start)
        if char in b"}]":
            self._close(char, start, keys)
            return
        if not first:
            if char != ord(","):
                kind = "Array" if keys is None else "Object"
                raise self._unexpected(char, f"was expecting comma to separate {kind} entries")
            self._at += 1
            self._skip_space()
            char = self._need_close_marker(start, keys)
        if keys is not None:
            self._name(char, keys)
        self._value()

    def _is_first(self, start: int) -> bool:
        """Whether nothing but space and comments lies between the opening marker and here."""
        return self._last_open_end == start + 1

    @property
    def _last_open_end(self) -> int:
        at = self._at
        while True:
            before = at
            while at and self._data[at - 1] in b" \t\r\n":
                at -= 1
            if self._comments and self._comments[-1][1] == at:
                for begin, end in reversed(self._comments):
                    if end == at:
                        at = begin
                        break
            if at == before:
                return at

    def _need_close_marker(self, start: int, keys: set[str] | None) -> int:
        if self._at < len(self._data):
            return self._data[self._at]
        kind = "Array" if keys is None else "Object"
        raise JsonFault(
            f"Unexpected end-of-input: expected close marker for {kind} "
            f"(start marker at {location(self._data, start)})",
            self._at,
            eof=True,
        )

    def _close(self, char: int, start: int, keys: set[str] | None) -> None:
        wanted = ord("]") if keys is None else ord("}")
        if char != wanted:
            kind = "Array" if keys is None else "Object"
            raise JsonFault(
                f"Unexpected close marker '{chr(char)}': expected '{chr(wanted)}' "
                f"(for {kind} starting at {location(self._data, start)})",
                self._at,
            )
        self._at += 1
        self._open.pop()

    def _name(self, char: int, keys: set[str]) -> None:
        if char != ord('"'):
            raise self._unexpected(char, "was expecting double-quote to start field name")
        begin = self._at
        self._string("in field name")
        try:
            name = str(loads(self._data[begin : self._at]))
        except UnicodeDecodeError as error:
            raise bad_utf8(self._data, begin + error.start) from error
        if name in keys:
            raise JsonFault(f"Duplicate field '{name}'", self._at)
        keys.add(name)
        self._skip_space()
        self._need_entry()
        if self._data[self._at] != ord(":"):
            raise self._unexpected(
                self._data[self._at], "was expecting a colon to separate field name and value"
            )
        self._at += 1
        self._skip_space()
        self._need_entry()

    def _need_entry(self) -> None:
        if self._at == len(self._data):
            raise JsonFault(
                "Unexpected end-of-input within/between Object entries", self._at, eof=True
            )

    # -- values ------------------------------------------------------------------------------------------------

    def _value(self) -> None:
        char = self._data[self._at]
        if char == ord("{"):
            self._open.append((self._at, set()))
            self._at += 1
        elif char == ord("["):
            self._open.append((self._at, None))
            self._at += 1
        elif char == ord('"'):
            self._string(": was expecting closing quote for a string value")
        elif char == ord("-") or ord("0") <= char <= ord("9"):
            self._number()
        else:
            self._word(char)

    def _string(self, when_cut: str) -> None:
        """`when_cut` ends the message about a string that the end of the text cuts off."""
        data, at = self._data, self._at + 1
        while True:
            match = _PLAIN.match(data, at)
            assert match is not None
            at = match.end()
            if at == len(data):
                joint = "" if when_cut.startswith(":") else " "
                raise JsonFault(f"Unexpected end-of-input{joint}{when_cut}", at, eof=True)
            char = data[at]
            if char == ord('"'):
                self._at = at + 1
                return
            if char < 0x20:
                raise JsonFault(
                    f"Illegal unquoted character ((CTRL-CHAR, code {char})): has to be escaped using backslash "
                    f"to be included in {'name' if not when_cut.startswith(':') else 'string value'}",
                    at,
                )
            at = self._escape(at)

    def _escape(self, at: int) -> int:
        data = self._data
        if at + 1 >= len(data):
            raise JsonFault(
                "Unexpected end-of-input in character escape sequence", at + 1, eof=True
            )
        char = data[at + 1]
        if char != ord("u"):
            if char not in b'"\\/bfnrt':
                raise JsonFault(f"Unrecognized character escape {_shown(char)}", at + 1)
            return at + 2
        for offset in range(at + 2, at + 6):
            if offset >= len(data):
                raise JsonFault(
                    "Unexpected end-of-input in character escape sequence", offset, eof=True
                )
            if data[offset] not in b"0123456789abcdefABCDEF":
                self._at = offset
                raise self._unexpected(
                    data[offset], "expected a hex-digit for character escape sequence"
                )
        return at + 6

    def _number(self) -> None:
        data = self._data
        match = _NUMBER.match(data, self._at)
        end = match.end() if match is not None else self._at + 1
        if match is None:
            self._numeric_fault(
                end, "expected digit (0-9) to follow minus sign, for valid numeric value"
            )
        following = data[end : end + 1]
        if data[end - 1 : end] == b"0" and following.isdigit() and _leads(data, self._at, end):
            raise JsonFault("Invalid numeric value: Leading zeroes not allowed", end)
        if following == b".":
            self._numeric_fault(end + 1, "Decimal point not followed by a digit")
        if following in (b"e", b"E"):
            signed = end + 1 + (data[end + 1 : end + 2] in (b"+", b"-"))
            self._numeric_fault(signed, "Exponent indicator not followed by a digit")
        self._at = end

    def _numeric_fault(self, at: int, problem: str) -> None:
        if at >= len(self._data):
            raise JsonFault("Unexpected end-of-input in numeric value", at, eof=True)
        raise JsonFault(
            f"Unexpected character ({_shown(self._data[at])}) in numeric value: {problem}", at
        )

    def _word(self, char: int) -> None:
        data = self._data
        match = _WORD.match(data, self._at)
        if match is not None and match.group() in (b"true", b"false", b"null"):
            self._at = match.end()
            return
        if char in b",}" or (char == ord("]") and self._open and self._open[-1][1] is None):
            raise self._unexpected(char, "expected a value")
        if char == ord("+"):
            raise JsonFault(
                "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have "
                "plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
                self._at + 1,
            )
        if match is None:
            raise self._unexpected(char, f"expected a valid value {_VALUES}")
        word = match.group().decode("utf-8", "replace")
        if word in ("NaN", "Infinity"):
            raise JsonFault(
                f"Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                match.end(),
            )
        past = match.end() + (match.end() < len(data))
        raise JsonFault(f"Unrecognized token '{word}': was expecting {_VALUES}", past)

    # -- space -------------------------------------------------------------------------------------------------

    def _skip_space(self) -> None:
        data = self._data
        while True:
            match = _SPACE.match(data, self._at)
            if match is not None:
                self._at = match.end()
            begin = self._at
            marker = data[begin : begin + 2]
            if marker == b"//":
                end = data.find(b"\n", begin)
                self._at = len(data) if end < 0 else end
            elif marker == b"/*":
                end = data.find(b"*/", begin + 2)
                if end < 0:
                    raise JsonFault("Unexpected end-of-input in a comment", len(data), eof=True)
                self._at = end + 2
            else:
                return
            self._comments.append((begin, self._at))

    def _unexpected(self, char: int, problem: str) -> JsonFault:
        return JsonFault(f"Unexpected character ({_shown(char)}): {problem}", self._at)


def bad_utf8(data: bytes, at: int) -> JsonFault:
    """What is wrong with the bytes from `at` on, where UTF-8 cannot be read."""
    byte = data[at]
    length = (
        4 if 0xF0 <= byte < 0xF8 else 3 if 0xE0 <= byte < 0xF0 else 2 if 0xC0 <= byte < 0xE0 else 1
    )
    for offset in range(1, length):
        following = data[at + offset : at + offset + 1]
        if following and following[0] & 0xC0 != 0x80:
            return JsonFault(f"Invalid UTF-8 middle byte 0x{following[0]:x}", at + offset)
    return JsonFault(f"Invalid UTF-8 start byte 0x{byte:x}", at)


def _leads(data: bytes, start: int, end: int) -> bool:
    """Whether the number read so far is a single zero, with or without a sign."""
    return data[start:end].lstrip(b"-") == b"0"


def _shown(char: int) -> str:
    if char < 0x20:
        return f"(CTRL-CHAR, code {char})"
    return f"'{chr(char)}' (code {char})"
