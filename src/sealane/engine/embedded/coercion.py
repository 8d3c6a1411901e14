"""One field's values of one document, the long way: arrays, nulls, coercion, what is ignored and what is refused."""

from collections.abc import Callable
from typing import Any

from sealane.engine.embedded.analysis import prepare
from sealane.engine.embedded.view import FIELD_NAMES
from sealane.engine.mapping import DEFAULT_DATE_FORMAT, Field, FieldType
from sealane.engine.mapping.more_values import half_float_from, scaled_float_from
from sealane.engine.mapping.values import (
    BadValue,
    boolean_from,
    date_from,
    floating_from,
    illegal,
    integral_from,
    ip_from,
    text_from,
)
from sealane.errors import IllegalArgument

MAX_TERM_BYTES = 32_766
MAX_ID_BYTES = 512
MAX_ROUTING_BYTES = 65_534


class Flat(dict[str, Any]):
    """What has been gathered of one document: values keyed by tantivy field, without the engine's own ones.

    `ignored` are the paths that were left out; `key_count` counts the JSON keys seen. One object instead of
    three: a bulk makes thousands, and the garbage collector walks each.
    """

    __slots__ = ("ignored", "key_count")

    def __init__(self) -> None:
        self.ignored: tuple[str, ...] = ()
        self.key_count = 0

    def note_text(self, path: str) -> None:
        """Lists `path` among the text fields that have a value."""
        held = self.get(FIELD_NAMES)
        if held is None:
            self[FIELD_NAMES] = path
        elif type(held) is list:
            held.append(path)
        else:
            self[FIELD_NAMES] = [held, path]


Put = Callable[[Any, Flat], None]


class BadField(Exception):
    """A value its field refuses. `retry` coerces a value the same way, to find the place of the bad one."""

    def __init__(self, leaf: Field, value: Any, bad: BadValue, retry: Callable[[Any], Any]) -> None:
        super().__init__(leaf.path)
        self.leaf = leaf
        self.value = value
        self.bad = bad
        self.retry = retry


class TooLong(Exception):
    """A keyword over its `ignore_above`."""


def coercer(leaf: Field) -> Callable[[Any], Any]:
    """One JSON value to what tantivy takes; None where it has none. Raises BadValue, or TooLong."""
    kind = leaf.type
    if kind.is_integral:
        return lambda value: integral_from(value, kind.value, leaf.coerce)
    if kind is FieldType.HALF_FLOAT:
        return lambda value: half_float_from(value, leaf.coerce)
    if kind is FieldType.SCALED_FLOAT:
        return lambda value: scaled_float_from(value, leaf.scaling_factor, leaf.coerce)
    if kind.is_floating:
        return lambda value: floating_from(value, kind.value, leaf.coerce)
    if kind is FieldType.BOOLEAN:
        return lambda value: int(boolean_from(value))
    if kind is FieldType.DATE:
        date_format = leaf.format or DEFAULT_DATE_FORMAT
        return lambda value: date_from(value, date_format)
    if kind is FieldType.IP:
        return lambda value: ip_from(text_from(value))
    if kind is FieldType.TEXT:
        return lambda value: prepare(text_from(value))
    return _keyword_coercer(leaf)


def _keyword_coercer(leaf: Field) -> Callable[[Any], str]:
    limit = leaf.ignore_above
    path = leaf.path

    def coerce(value: Any) -> str:
        text = text_from(value)
        if limit is not None and len(text) > limit:
            raise TooLong
        if len(text) * 4 > MAX_TERM_BYTES and leaf.is_indexed:
            encoded = text.encode()
            if len(encoded) > MAX_TERM_BYTES:
                raise illegal(_immense(path, encoded))
        return text

    return coerce


def _immense(path: str, encoded: bytes) -> str:
    shown = ", ".join(str(byte - 256 if byte > 127 else byte) for byte in encoded[:30])
    return (
        f'Document contains at least one immense term in field="{path}" (whose UTF8 encoding is longer than the '
        f"max length {MAX_TERM_BYTES}), all of which were skipped. Please correct the analyzer to not produce such "
        f"terms. The prefix of the first immense term is: '[{shown}]...'"
    )


def put_all(leaf: Field, coerce: Callable[[Any], Any], value: Any, flat: Flat) -> None:
    """Adds what `value` (a scalar, null, or arrays of them) means for `leaf`. Raises BadField."""
    if type(value) is list:
        for each in value:
            put_all(leaf, coerce, each, flat)
        return
    if value is None:
        if leaf.null_value is None:
            return
        value = leaf.null_value
    try:
        coerced = coerce(value)
    except TooLong:
        ignore(leaf, flat)
        return
    except BadValue as exc:
        if not leaf.ignore_malformed or type(value) is dict:
            raise BadField(leaf, value, exc, coerce) from exc
        ignore(leaf, flat)
        return
    if coerced is None or not leaf.is_indexed:
        return
    if leaf.type is FieldType.TEXT and leaf.path not in flat:
        flat.note_text(leaf.path)
    add_value(flat, leaf.path, coerced)


def add_value(flat: Flat, path: str, value: Any) -> None:
    held = flat.get(path)
    if held is None:
        flat[path] = value
    elif type(held) is list:
        held.append(value)
    else:
        flat[path] = [held, value]


def count_keys(value: Any, flat: Flat) -> None:
    """Counts the JSON keys of a value that is not looked into otherwise."""
    if type(value) is dict:
        flat.key_count += len(value)
        for each in value.values():
            count_keys(each, flat)
    elif type(value) is list:
        for each in value:
            count_keys(each, flat)


def ignore(leaf: Field, flat: Flat) -> None:
    """Notes that the field has a value that was left out."""
    if leaf.path not in flat.ignored:
        flat.ignored += (leaf.path,)


def refused_routing(text: str) -> IllegalArgument | None:
    """Why `text` cannot be a routing, None where it can: a stored document has two bytes for its length."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return IllegalArgument(f"routing [{text!a}] is not valid unicode")
    if size <= MAX_ROUTING_BYTES:
        return None
    return IllegalArgument(
        f"routing [{text[:32]}...] is too long, must be no longer than {MAX_ROUTING_BYTES} bytes but was: {size}"
    )


def refused_id(text: str) -> IllegalArgument | None:
    """Why `text` cannot be an id, None where it can."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return IllegalArgument(f"id [{text!a}] is not valid unicode")
    if size <= MAX_ID_BYTES:
        return None
    return IllegalArgument(
        f"id [{text}] is too long, must be no longer than {MAX_ID_BYTES} bytes but was: {size}"
    )
