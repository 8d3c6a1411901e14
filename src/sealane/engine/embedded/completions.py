"""How completions are kept: one text of a column for each way to write a value.

An entry begins with what its text is looked up by, so that the column's dictionary finds all entries of a prefix; the
weight and the text as it is shown follow.
"""

from typing import Any, NamedTuple

from sealane.engine.embedded.analyzers import STANDARD, analyzer_named
from sealane.engine.mapping import Field
from sealane.engine.mapping.values import illegal

SEPARATOR, HOLE = "\x1f", "\x1e"
"""Between words, and where an analyzer left a word out: as in the reference's automata."""
MAX_WEIGHT = 2**31 - 1
_END = "\0"
_MEMBERS = ("input", "weight", "contexts")


class Completion(NamedTuple):
    """`key` is what is looked up, `shown` the text as it was written."""

    key: str
    weight: int
    shown: str


def key_of(leaf: Field, text: str, analyzer: str | None = None) -> str:
    """The words of a text, joined; empty where it has none."""
    chosen = analyzer_named(analyzer or leaf.analyzer) or STANDARD
    joint = SEPARATOR if leaf.preserve_separators else ""
    key: list[str] = []
    expected = 0
    for position, word in chosen.terms(text):
        if leaf.preserve_position_increments:
            key += [HOLE] * (position - expected)
        key.append(word)
        expected = position + 1
    return joint.join(key)


def encode(entry: Completion) -> str:
    return f"{entry.key}{_END}{entry.weight}{_END}{entry.shown}"


def decode(text: str) -> Completion:
    key, weight, shown = text.split(_END, 2)
    return Completion(key, int(weight), shown)


def entries_of(leaf: Field, value: Any) -> list[str]:
    """The encoded entries of a JSON value. Raises BadValue for what is no completion."""
    if isinstance(value, str):
        return _entries(leaf, [value], 1)
    if not isinstance(value, dict):
        raise illegal(
            f"failed to parse [{leaf.path}]: expected text or object, but got {_token(value)}"
        )
    inputs: list[str] = []
    weight = 1
    for name, member in value.items():
        if name == "input":
            inputs = _inputs(member)
        elif name == "weight":
            weight = _weight(member)
        elif name == "contexts":
            raise illegal(f"contexts field is not supported for field: [{leaf.path}]")
        else:
            raise illegal(f"unknown field name [{name}], must be one of [{', '.join(_MEMBERS)}]")
    return _entries(leaf, inputs, weight)


def _entries(leaf: Field, inputs: list[str], weight: int) -> list[str]:
    found = []
    for text in inputs:
        shown = text[: leaf.max_input_length].replace(_END, " ")
        key = key_of(leaf, shown)
        if key:
            found.append(encode(Completion(key, weight, shown)))
    return found


def _inputs(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise illegal(f"input must be a string or array, but was [{_token(value)}]")
    for each in value:
        if not isinstance(each, str):
            raise illegal(f"input array must have string values, but was [{_token(each)}]")
    return list(value)


def _weight(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool | float) or not text.lstrip("+-").isdigit():
        raise illegal(f"weight must be an integer, but was [{text}]")
    weight = int(text)
    if not 0 <= weight <= MAX_WEIGHT:
        raise illegal(f"weight must be in the interval [0..{MAX_WEIGHT}], but was [{weight}]")
    return weight


def _token(value: Any) -> str:
    match value:
        case dict():
            return "START_OBJECT"
        case list():
            return "START_ARRAY"
        case bool():
            return "VALUE_BOOLEAN"
        case None:
            return "VALUE_NULL"
        case str():
            return "VALUE_STRING"
    return "VALUE_NUMBER"
