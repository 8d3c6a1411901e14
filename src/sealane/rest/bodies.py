"""Reading request bodies: JSON with comments, and the reference's errors for what is not JSON."""

import json
from typing import Any

import orjson

from sealane.errors import (
    ApiError,
    JsonEofError,
    JsonParseError,
    NotXContent,
    ParseError,
    XContentEofError,
    XContentParseError,
)
from sealane.query.any_json import loads
from sealane.rest.json_scan import JsonFault, Scanned, bad_utf8, line_and_column, location, scan

SCAN_MAX_BYTES = 1 << 20
"""Above this a fault is reported by its place only: the exact scan of a huge body would hold up the node."""

YAML_MAX_BYTES = 1 << 16
"""Its parser takes a second for some hundreds of kilobytes, and holds up the node meanwhile."""


def require_body(body: bytes) -> bytes:
    """Raises ParseError where there is none."""
    if not body:
        raise ParseError("request body is required")
    return body


def read_json(body: bytes, *, eof_is_own_type: bool = False) -> Any:
    """The first JSON value of `body`. Comments are skipped, a repeated key is refused.

    `eof_is_own_type` picks between the reference's two errors for a text that ends too early: its parsers that walk
    token by token answer `x_content_e_o_f_exception`.
    Raises XContentParseError, XContentEofError.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _read_carefully(body, error, eof_is_own_type)
    if len(body) <= SCAN_MAX_BYTES and body.count(b'"') != orjson.dumps(value).count(b'"'):
        # A repeated key has vanished, or an escape was written another way; the scan tells which.
        _scanned(body, eof_is_own_type)
    return value


def read_exact_json(body: bytes) -> Any:
    """As `read_json`, with whole numbers of any length as they are: a setting keeps a number as its text."""
    read_json(body)
    kept = body
    if len(body) <= SCAN_MAX_BYTES:
        kept = _without_comments(body, _scanned(body, False))
    return loads(kept)


def read_object(body: bytes, *, exact: bool = False) -> dict[str, Any]:
    """The body as an object; `exact` as in `read_exact_json`. Raises NotXContent for another value, as the reference
    does where it guesses the type.
    """
    value = read_exact_json(body) if exact else read_json(body)
    if not isinstance(value, dict):
        raise not_xcontent()
    return value


def not_xcontent() -> NotXContent:
    error = NotXContent(
        "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"
    )
    error.status = 500
    return error


def to_utf8(body: bytes) -> bytes:
    """JSON in UTF-16 or UTF-32, or behind a byte order mark, as plain UTF-8; its first bytes tell which it is.

    What cannot be decoded stays as it is, for the reader to refuse.
    """
    encoding = json.detect_encoding(body[:4])
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        return body


def yaml_to_json(body: bytes) -> bytes:
    """A YAML body as JSON. Raises XContentParseError."""
    import yaml  # few clients send it

    if len(body) > YAML_MAX_BYTES:
        raise XContentParseError(
            f"The incoming YAML document exceeds the limit: {YAML_MAX_BYTES} code points."
        )
    try:
        value = yaml.safe_load(body)
        _refuse_aliases(value)
        return orjson.dumps(value, default=str)
    except (yaml.YAMLError, orjson.JSONEncodeError, ValueError, OverflowError) as error:
        raise XContentParseError(f"malformed YAML: {error}") from error
    except RecursionError as error:
        raise XContentParseError("malformed YAML: nested too deeply") from error


def _refuse_aliases(value: Any) -> None:
    """A part that stands in several places is written as often: a few lines could unfold to gigabytes."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list | set | tuple):
            if id(part) in seen:
                raise XContentParseError("malformed YAML: aliases are not taken")
            seen.add(id(part))
            waiting.extend(part.values() if isinstance(part, dict) else part)


def _read_carefully(body: bytes, error: orjson.JSONDecodeError, eof_is_own_type: bool) -> Any:
    if len(body) > SCAN_MAX_BYTES:
        raise _wrapped(body, JsonFault(error.msg, error.pos), eof_is_own_type) from error
    kept = _without_comments(body, _scanned(body, eof_is_own_type))
    try:
        return orjson.loads(kept)
    except orjson.JSONDecodeError as still:
        # What the scan lets pass and orjson does not: numbers beyond a double, which the reference reads as well;
        # invalid UTF-8, lone surrogates, deep nesting.
        value = _beyond_doubles(kept)
        if value is not None:
            return value
        fault = _not_utf8(kept) or JsonFault(still.msg, min(still.pos, len(body)))
        raise _wrapped(body, fault, eof_is_own_type) from still


def _beyond_doubles(body: bytes) -> Any:
    """A value in which only numbers are out of the ordinary; None for any other."""
    try:
        value = loads(body)
        orjson.dumps(value)
    except (ValueError, RecursionError, orjson.JSONEncodeError):
        return None
    return value


def _not_utf8(body: bytes) -> JsonFault | None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return bad_utf8(body, error.start)
    return None


def _without_comments(body: bytes, scanned: Scanned) -> bytes:
    """The first value, comments blanked, so that places stay what they were."""
    kept = bytearray(body[: scanned.end])
    for begin, end in scanned.comments:
        if end <= scanned.end:
            kept[begin:end] = b" " * (end - begin)
    return bytes(kept)


def _scanned(body: bytes, eof_is_own_type: bool) -> Scanned:
    try:
        return scan(body)
    except JsonFault as fault:
        raise _wrapped(body, fault, eof_is_own_type) from fault


def json_error(body: bytes, fault: JsonFault) -> ApiError:
    """The innermost error: the JSON library's own in the reference."""
    kind = JsonEofError if fault.eof else JsonParseError
    return kind(f"{fault.message}\n at {location(body, fault.at)}")


def _wrapped(body: bytes, fault: JsonFault, eof_is_own_type: bool) -> ApiError:
    line, column = line_and_column(body, fault.at)
    inner = json_error(body, fault)
    if fault.eof and eof_is_own_type:
        return XContentEofError(f"[{line}:{column}] Unexpected end of file", caused_by=inner)
    return XContentParseError(f"[{line}:{column}] {inner.reason}", caused_by=inner)


def clean_source(body: bytes) -> bytes:
    """A document's source without comments, so that it can stand in any answer.

    One that is malformed stays as it is: the engine tells what is wrong with a document.
    """
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # the scan decides
    else:
        return body
    if len(body) > SCAN_MAX_BYTES:
        return body
    try:
        scanned = scan(body)
    except JsonFault:
        return body
    rest = body[scanned.end :].strip()
    if rest and not rest.startswith((b"//", b"/*")):
        return body
    return _without_comments(body, scanned)
