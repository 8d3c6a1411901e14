"""The error a document gets, in the reference's words and with its place; and the careful reading of JSON."""

import json
import math
import re
from typing import Any

import orjson

from sealane.engine.embedded.coercion import BadField, TooLong
from sealane.engine.embedded.positions import (
    Place,
    find_value,
    last_token_before,
    line_and_column,
    offset_of,
)
from sealane.engine.embedded.special_errors import explain_special
from sealane.engine.mapping import FieldType
from sealane.engine.mapping.infer import TooMuch
from sealane.engine.mapping.parameters import display
from sealane.engine.mapping.values import (
    BadToken,
    BadValue,
    RawFloat,
    UnexpectedObject,
    round_to_float,
)
from sealane.errors import (
    ApiError,
    DocumentParsing,
    IllegalArgument,
    JsonParseError,
    NotXContent,
    StrictDynamicMapping,
    XContentParseError,
)
from sealane.query.json_text import strip_comments
from sealane.query.located import MAX_DEPTH, XContentEnd, scan

_SHOWN_SOURCE = 500
_PLACE = re.compile(r"\[([0-9]+):([0-9]+)\]")


class InputCoercion(ApiError):
    """A number of JSON that does not fit (`input_coercion_exception`)."""

    es_type, status = "input_coercion_exception", 400


# -- reading -----------------------------------------------------------------------------------------------------


class _DuplicateKey(Exception):
    """Two members of one object have the same name."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        raise _DuplicateKey
    return held


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def read_exactly(source: bytes) -> dict[str, Any]:
    """A document with each fraction as it was written. Raises as read_carefully."""
    try:
        document: dict[str, Any] = json.loads(
            source,
            parse_float=RawFloat,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (_DuplicateKey, ValueError):
        return read_carefully(source)
    return _as_text(document, source)


def read_carefully(source: bytes) -> dict[str, Any]:
    """A document that the fast parser refuses: with comments, numbers out of its range, or not JSON at all.

    Raises ApiError with the reference's text where it refuses it too.
    """
    try:
        found = scan(source)
    except (XContentParseError, XContentEnd) as exc:
        raise _invalid_json(source, exc) from exc
    if found.too_deep is not None:
        raise _invalid_json(source, found.too_deep)
    if not isinstance(found.value, dict):
        raise not_an_object()
    if found.trailing is not None:
        raise IllegalArgument(
            f"Malformed content, found extra data after parsing: {found.trailing[0]}"
        )
    document: dict[str, Any] = json.loads(strip_comments(source), parse_float=RawFloat)
    return _as_text(document, source)


def _as_text(document: dict[str, Any], source: bytes) -> dict[str, Any]:
    """The document with lone escaped surrogates, which no text can hold, replaced."""
    if b"\\ud" not in source and b"\\uD" not in source:
        return document
    replaced: dict[str, Any] = _replaced(document)
    return replaced


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_replaced(key): _replaced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    return value


# -- the whole document ------------------------------------------------------------------------------------------


def not_an_object() -> NotXContent:
    """Something else than a JSON object as a document."""
    error = NotXContent(
        "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"
    )
    error.status = 500  # the reference does not see that it is the client's fault
    return error


def _invalid_json(source: bytes, error: ApiError) -> DocumentParsing:
    found = _PLACE.match(error.reason)
    offset = len(source)
    if found is not None:
        offset = offset_of(source, int(found[1]), int(found[2]))
    is_duplicate = "Duplicate field" in error.reason
    before = last_token_before(source, offset, skip_last=is_duplicate)
    return DocumentParsing(
        f"{_at(source, before)} failed to parse: {error.reason}", caused_by=error
    )


def too_deep(source: bytes) -> DocumentParsing:
    """Nested deeper than the plan can follow."""
    text = (
        f"Document nesting depth ({MAX_DEPTH + 1}) exceeds the maximum allowed "
        f"({MAX_DEPTH}, from `StreamReadConstraints.getMaxNestingDepth()`)"
    )
    cause = _json_cause(source, text, 0, JsonParseError)
    return DocumentParsing(f"{_at(source, 0)} failed to parse: {cause.reason}", caused_by=cause)


def explain_too_much(source: bytes, error: TooMuch) -> DocumentParsing:
    """New fields over a limit."""
    place = find_value(source, error.path, lambda each: each.raw != "[")
    return DocumentParsing(
        f"{_at(source, place.start if place else 0)} failed to parse: {error.cause.reason}",
        caused_by=error.cause,
    )


def _at(source: bytes, offset: int) -> str:
    line, column = line_and_column(source, offset)
    return f"[{line}:{column}]"


def _json_cause(source: bytes, text: str, offset: int, kind: type[ApiError]) -> XContentParseError:
    """The two nested errors by which the reference's JSON parser says where it stopped."""
    line, column = line_and_column(source, offset)
    shown = source[:_SHOWN_SOURCE].decode("utf-8", "replace")
    rest = len(source) - _SHOWN_SOURCE
    truncated = f"[truncated {rest} bytes]" if rest > 0 else ""
    full = f'{text}\n at [Source: (byte[])"{shown}"{truncated}; line: {line}, column: {column}]'
    return XContentParseError(f"[{line}:{column}] {full}", caused_by=kind(full))


# -- one value ---------------------------------------------------------------------------------------------------


def explain_misplaced(source: bytes, kind: str, path: str, name: str, doc_id: str) -> ApiError:
    """A value in a place that its mapping does not allow; `kind` is documents.Misplaced's."""
    full = f"{path}.{name}" if path and kind == "strict" else path or name
    in_array = kind == "object in array"
    place = find_value(
        source,
        full,
        lambda each: (
            not kind.startswith("object")
            or (each.raw not in ("{", "[", "null") and each.in_array == in_array)
        ),
    )
    at = _at(source, place.start if place else 0)
    if kind == "strict":
        return StrictDynamicMapping(
            f"{at} mapping set to strict, dynamic introduction of [{name}] within "
            f"[{path or '_doc'}] is not allowed"
        )
    if kind.startswith("object"):
        return DocumentParsing(
            f"{at} object mapping for [{path}] tried to parse field [{name}] as object, "
            "but found a concrete value"
        )
    if kind == "metadata":
        return _metadata_field(at, name, _preview(place, source), doc_id)
    return _bad_name(source, kind, path, name)


def _metadata_field(at: str, name: str, preview: str, doc_id: str) -> DocumentParsing:
    cause = DocumentParsing(
        f"{at} Field [{name}] is a metadata field and cannot be added inside a document. "
        "Use the index API request parameters."
    )
    return DocumentParsing(
        f"{at} failed to parse field [{name}] of type [{name}] in document with id '{doc_id}'. "
        f"Preview of field's value: '{preview}'",
        caused_by=cause,
        root_causes=[cause],
    )


def _bad_name(source: bytes, kind: str, path: str, name: str) -> DocumentParsing:
    at = _at(source, max(source.find(orjson.dumps(name)), 0))
    if kind == "blank name":
        full = f"{path}.{name}" if path else name
        return DocumentParsing(f"{at} Field name cannot contain only whitespace: [{full}]")
    texts = {
        "empty name": "field name cannot be an empty string",
        "only dots": "field name cannot contain only dots",
        "blank part": f"field name cannot contain only whitespace: ['{name}']",
    }
    cause = IllegalArgument(texts[kind])
    return DocumentParsing(f"{at} failed to parse: {cause.reason}", caused_by=cause)


def explain_bad_field(source: bytes, error: BadField, doc_id: str) -> DocumentParsing:
    """`failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'abc'`."""
    special = explain_special(source, error, doc_id)
    if special is not None:
        return special
    place = find_value(source, error.leaf.source_path, lambda each: _fails(each, source, error))
    at = _at(source, place.closing if place else 0)
    return DocumentParsing(
        f"{at} failed to parse field [{error.leaf.path}] of type [{error.leaf.type}] in document "
        f"with id '{doc_id}'. Preview of field's value: '{_preview(place, source, error)}'",
        caused_by=_cause(source, error, place),
    )


def _fails(place: Place, source: bytes, error: BadField) -> bool:
    if place.raw == "[":
        return False
    try:
        value = _read(place, source)
        if value is not None:
            error.retry(value)
    except BadValue:
        return True
    except TooLong:
        return False
    return False


def _read(place: Place, source: bytes) -> Any:
    return json.loads(source[place.start : place.end], parse_float=RawFloat)


def _preview(place: Place | None, source: bytes, error: BadField | None = None) -> str:
    if place is None:
        return "" if error is None else display(error.value)
    value = _read(place, source)
    is_float = error is not None and error.leaf.type is FieldType.FLOAT
    if is_float and isinstance(value, float) and math.isinf(round_to_float(value)):
        # The reference's parser keeps the number as the 32-bit float it was asked for.
        value = round_to_float(value)
    return display(value)


def _cause(source: bytes, error: BadField, place: Place | None) -> ApiError:
    bad = error.bad
    start, end, raw = (place.start, place.end, place.raw) if place else (0, 0, "")
    if raw == "{":
        end = start + 1
    if isinstance(bad, BadToken):
        kind = JsonParseError if bad.json_type == "json_parse_exception" else InputCoercion
        return _json_cause(source, bad.text.replace("{raw}", raw), end, kind)
    if isinstance(bad, UnexpectedObject):
        line, column = line_and_column(source, start)
        return IllegalArgument(f"Expected text at {line}:{column} but found START_OBJECT")
    return bad.cause
