"""Regular expressions over the term dictionary: prefixes, case, and ranges of text.

tantivy has no range over text terms. Terms are compared by their UTF-8 bytes, which is the order of their code points,
so a range is a finite choice of prefixes that ends in "one character above this one, then anything".
"""

from dataclasses import dataclass

_META = frozenset("\\.+*?()|[]{}^$#&-~")
_LAST = "\U0010ffff"
_ANY = "(?s:.)"


def escape(text: str) -> str:
    return "".join("\\" + char if char in _META else char for char in text)


def prefix_pattern(text: str, *, ignore_case: bool = False) -> str:
    return (fold(text) if ignore_case else escape(text)) + _ANY + "*"


def fold(text: str) -> str:
    """A pattern of `text` in any case; only ASCII letters have two, as in the reference."""
    return "".join(
        f"[{char.lower()}{char.upper()}]" if char.isascii() and char.isalpha() else escape(char)
        for char in text
    )


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What a term may consist of; a small one makes a small automaton."""

    first: str
    last: str
    any: str


ALL = Alphabet("\0", _LAST, _ANY)
HEX = Alphabet("0", "f", "[0-9a-f]")


def range_pattern(
    low: str | None,
    high: str | None,
    *,
    include_low: bool,
    include_high: bool,
    alphabet: Alphabet = ALL,
) -> str | None:
    """A pattern of all texts between two others; None when there is none. An absent bound is open."""
    if low is not None and high is not None:
        if low > high or (low == high and not (include_low and include_high)):
            return None
        return _between(low, high, include_low, include_high, alphabet)
    if low is not None:
        return _above(low, include_low, alphabet)
    if high is not None:
        return _below(high, include_high, alphabet)
    return alphabet.any + "*"


def _between(
    low: str, high: str, include_low: bool, include_high: bool, of: Alphabet
) -> str | None:
    if low == high:
        return escape(low)
    shared = 0
    while shared < len(low) and low[shared] == high[shared]:
        shared += 1
    head, low, high = escape(low[:shared]), low[shared:], high[shared:]
    if not low:
        # `high` goes on where `low` ends: what starts with `low` and is not above `high`.
        below = _below(high, include_high, of, with_empty=include_low)
        return None if below is None else head + below
    choices = [escape(low[0]) + _above(low[1:], include_low, of)]
    middle = _class(_next(low[0]), _previous(high[0]))
    if middle:
        choices.append(f"{middle}{of.any}*")
    below = _below(high[1:], include_high, of)
    if below is not None:
        choices.append(escape(high[0]) + below)
    return f"{head}(?:{'|'.join(choices)})"


def _above(low: str, inclusive: bool, of: Alphabet) -> str:
    pattern = of.any + ("*" if inclusive else "+")
    for char in reversed(low):
        above = _class(_next(char), of.last)
        pattern = escape(char) + pattern
        if above:
            pattern = f"(?:{pattern}|{above}{of.any}*)"
    return pattern


def _below(high: str, inclusive: bool, of: Alphabet, *, with_empty: bool = True) -> str | None:
    """None when nothing is below."""
    if not high:
        return "" if inclusive and with_empty else None
    pattern = "" if inclusive else None
    for at in range(len(high) - 1, -1, -1):
        char = high[at]
        choices = [] if pattern is None else [escape(char) + pattern]
        below = _class(of.first, _previous(char))
        if below:
            choices.append(f"{below}{of.any}*")
        if at or with_empty:
            choices.append("")
        pattern = f"(?:{'|'.join(choices)})" if choices else None
    return pattern


def _next(char: str) -> str:
    code = ord(char) + 1
    return chr(0xE000) if 0xD800 <= code <= 0xDFFF else chr(min(code, 0x110000 - 1))


def _previous(char: str) -> str:
    code = ord(char) - 1
    if code < 0:
        return ""
    return chr(0xD7FF) if 0xD800 <= code <= 0xDFFF else chr(code)


def _class(first: str, last: str) -> str:
    if not first or not last or first > last:
        return ""
    return f"[\\x{{{ord(first):x}}}-\\x{{{ord(last):x}}}]"
