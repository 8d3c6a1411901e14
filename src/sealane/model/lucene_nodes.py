"""The nodes of a regular expression over characters, and what can be done with them.

A node is a tuple that begins with its kind, so that equal patterns are equal and hash alike:

| node | matches |
|---|---|
| `("never",)` | nothing |
| `("empty",)` | the empty text |
| `("class", ranges)` | one character in one of the sorted, closed ranges of code points |
| `("seq", nodes)` | a tuple of nodes, none of them a "seq", one after the other |
| `("or", nodes)`, `("and", nodes)` | any, all of a frozenset of nodes |
| `("not", node)` | all that the node does not match |
| `("repeat", node, least, most)` | the node so many times; `most` None is without end |

The constructors here keep them in a normal form, without which there would be no end of different derivatives.
"""

from collections.abc import Iterable, Sequence
from typing import Any

Node = tuple[Any, ...]
_LAST = 0x10FFFF
NEVER: Node = ("never",)
EMPTY: Node = ("empty",)
ANY: Node = ("class", ((0, _LAST),))
ANY_TEXT: Node = ("repeat", ANY, 0, None)


def characters(ranges: Sequence[tuple[int, int]], *, negated: bool = False) -> Node:
    """One character in any of `ranges`, or in none of them."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(each for each in ranges if each[0] <= each[1]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    if negated:
        merged = _gaps(merged)
    return ("class", tuple(merged)) if merged else NEVER


def _gaps(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    gaps, start = [], 0
    for first, last in ranges:
        if first > start:
            gaps.append((start, first - 1))
        start = last + 1
    if start <= _LAST:
        gaps.append((start, _LAST))
    return gaps


def literal(char: str, ignore_case: bool = False) -> Node:
    """Only ASCII letters have two cases, as in the reference."""
    if ignore_case and char.isascii():
        return characters([(ord(each), ord(each)) for each in (char.lower(), char.upper())])
    return ("class", ((ord(char), ord(char)),))


def sequence(parts: Iterable[Node]) -> Node:
    """The parts one after the other. Flat, so that a long pattern is not a deep one."""
    flat: list[Node] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        if part != EMPTY:
            flat += part[1] if part[0] == "seq" else (part,)
    return _in_row(tuple(flat))


def _in_row(parts: tuple[Node, ...]) -> Node:
    if not parts:
        return EMPTY
    return parts[0] if len(parts) == 1 else ("seq", parts)


def _then(head: Node, tail: Node) -> Node:
    return sequence((head, tail))


def alternative(choices: Iterable[Node]) -> Node:
    flat: set[Node] = set()
    ranges: list[tuple[int, int]] = []
    for each in choices:
        for one in each[1] if each[0] == "or" else (each,):
            if one[0] == "class":
                ranges += one[1]
            elif one != NEVER:
                flat.add(one)
    if ranges:
        flat.add(characters(ranges))
    if ANY_TEXT in flat:
        return ANY_TEXT
    if not flat:
        return NEVER
    return next(iter(flat)) if len(flat) == 1 else ("or", frozenset(flat))


def both(left: Node, right: Node) -> Node:
    flat: set[Node] = set()
    for each in (left, right):
        flat.update(each[1] if each[0] == "and" else (each,))
    flat.discard(ANY_TEXT)
    if NEVER in flat:
        return NEVER
    if not flat:
        return ANY_TEXT
    return next(iter(flat)) if len(flat) == 1 else ("and", frozenset(flat))


def complement(node: Node) -> Node:
    if node == NEVER:
        return ANY_TEXT
    if node == ANY_TEXT:
        return NEVER
    inner: Node = node[1] if node[0] == "not" else ("not", node)
    return inner


def repeat(node: Node, least: int, most: int | None) -> Node:
    if most == 0 or node == EMPTY:
        return EMPTY
    if node == NEVER:
        return EMPTY if least == 0 else NEVER
    if (least, most) == (1, 1):
        return node
    if node[0] == "repeat" and node[2:] == (0, None):
        return node
    return ("repeat", node, least, most)


def interval(low: int, high: int, digits: int) -> Node:
    """Numbers between two, of this many digits; with 0 of any, and with any leading zeros."""
    if digits:
        return _between(str(low).zfill(digits), str(high).zfill(digits))
    zeros = repeat(literal("0"), 0, None)
    choices = []
    for width in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (width - 1) if width > 1 else 0)
        last = min(high, 10**width - 1)
        if first <= last:
            choices.append(_between(str(first), str(last)))
    return _then(zeros, alternative(choices))


def _between(low: str, high: str) -> Node:
    """Texts of digits, of the same length, from one to another."""
    if not low:
        return EMPTY
    first, last = ord(low[0]), ord(high[0])
    rest = len(low) - 1
    if first == last:
        return _then(characters([(first, first)]), _between(low[1:], high[1:]))
    digit = characters([(48, 57)])
    free = sequence([digit] * rest)
    choices = [
        _then(characters([(first, first)]), _between(low[1:], "9" * rest)),
        _then(characters([(last, last)]), _between("0" * rest, high[1:])),
    ]
    if last - first > 1:
        choices.append(_then(characters([(first + 1, last - 1)]), free))
    return alternative(choices)


def accepts_empty(node: Node) -> bool:
    """Whether the empty text is of this pattern."""
    match node[0]:
        case "empty":
            return True
        case "seq":
            return all(accepts_empty(each) for each in node[1])
        case "or":
            return any(accepts_empty(each) for each in node[1])
        case "and":
            return all(accepts_empty(each) for each in node[1])
        case "not":
            return not accepts_empty(node[1])
        case "repeat":
            return node[2] == 0 or accepts_empty(node[1])
    return False


def after(node: Node, char: str) -> Node:
    """What remains of a pattern once a character was read; the object NEVER where nothing can match any more."""
    left = _after(node, ord(char))
    return NEVER if left == NEVER else left


def _after(node: Node, code: int) -> Node:
    match node[0]:
        case "class":
            return EMPTY if any(first <= code <= last for first, last in node[1]) else NEVER
        case "seq":
            return _after_parts(node[1], code)
        case "or":
            return alternative(_after(each, code) for each in node[1])
        case "and":
            whole = ANY_TEXT
            for each in node[1]:
                whole = both(whole, _after(each, code))
            return whole
        case "not":
            return complement(_after(node[1], code))
        case "repeat":
            _, inner, least, most = node
            rest = repeat(inner, max(0, least - 1), None if most is None else most - 1)
            return _then(_after(inner, code), rest)
    return NEVER


def _after_parts(parts: tuple[Node, ...], code: int) -> Node:
    """The first part reads the character, or the next where that may be empty."""
    choices: list[Node] = []
    for at, part in enumerate(parts, 1):
        choices.append(_then(_after(part, code), _in_row(parts[at:])))
        if not accepts_empty(part):
            break
    return choices[0] if len(choices) == 1 else alternative(choices)


def alternatives(node: Node) -> int:
    """How many patterns a text is tried against at once, one that is complemented included."""
    match node[0]:
        case "or" | "and":
            return sum(alternatives(each) for each in node[1])
        case "not":
            return alternatives(node[1])
    return 1


def written_out(node: Node) -> int:
    """Of how many single characters the pattern would be made, were its counted repetitions written out."""
    match node[0]:
        case "seq" | "or" | "and":
            return sum(written_out(each) for each in node[1])
        case "not":
            return written_out(node[1])
        case "repeat":
            times: int = max(1, node[2], node[3] or 0)
            return written_out(node[1]) * times
    return 1


def spell(node: Node) -> str | None:
    """The pattern in the syntax of tantivy's automata; None where that has no way to say it, or it matches nothing."""
    match node[0]:
        case "empty":
            return ""
        case "class":
            return _spell_class(node[1])
        case "seq":
            parts = [spell(each) for each in node[1]]
            return None if None in parts else "".join(each or "" for each in parts)
        case "or":
            choices = [spell(each) for each in sorted(node[1], key=repr)]
            if any(each is None for each in choices):
                return None
            return f"(?:{'|'.join(each for each in choices if each is not None)})"
        case "repeat":
            inner = spell(node[1])
            if inner is None:
                return None
            if node[1][0] != "class":
                inner = f"(?:{inner})"
            return inner + _count(node[2], node[3])
    return None


def _count(least: int, most: int | None) -> str:
    if most is None:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    return "?" if (least, most) == (0, 1) else f"{{{least},{most}}}"


def _spell_class(ranges: Sequence[tuple[int, int]]) -> str | None:
    if tuple(ranges) == ((0, _LAST),):
        return "(?s:.)"
    # Surrogates are no characters of UTF-8.
    parts = []
    for first, last in ranges:
        first = 0xE000 if 0xD800 <= first <= 0xDFFF else first
        last = 0xD7FF if 0xD800 <= last <= 0xDFFF else last
        if first <= last:
            parts.append(f"\\x{{{first:x}}}-\\x{{{last:x}}}")
    return f"[{''.join(parts)}]" if parts else None
