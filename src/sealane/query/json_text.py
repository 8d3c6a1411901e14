"""Request bodies from bytes to plain data: comments, duplicate keys, errors.

Two readings: the first is fast and knows no places; only a body that turns out to be wrong, here or later, is read
again by `located.scan`.
"""

import json
import re
from typing import Any, NoReturn

from sealane.errors import ParsingError, XContentParseError
from sealane.query.located import SCAN_MAX_BYTES, Scan, scan

_COMMENT_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


class _Refused(ValueError):
    """What the fast reading leaves to the careful one."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused
    return members


def _refuse(_: str) -> NoReturn:
    raise _Refused


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse)


def strip_comments(raw: bytes) -> bytes:
    """The body without `//` and `/* */` comments outside of strings. Places of what remains are kept."""

    def blank(found: "re.Match[bytes]") -> bytes:
        text = found[0]
        return text if text.startswith(b'"') else re.sub(rb"[^\n]", b" ", text)

    return _COMMENT_OR_STRING.sub(blank, raw)


def decode_fast(raw: bytes) -> Any:
    """The value of plain, well-formed JSON. Raises ValueError or RecursionError for all that needs a careful look."""
    text = raw.decode("utf-8")
    # A lone escaped surrogate is no text; the careful reading replaces it.
    if "\\ud" in text or "\\uD" in text:
        raise _Refused
    return _DECODER.decode(text)


def decode(raw: bytes) -> Any:
    """The JSON value of a body; comments are allowed. An empty body is None.

    Raises XContentParseError (malformed, duplicate keys, too deep), XContentEnd, ParsingError (text behind the value),
    with the reference's texts.
    """
    try:
        return decode_fast(raw)
    except (ValueError, RecursionError):
        if len(raw) > SCAN_MAX_BYTES:
            return decode_long(raw)
        found = scan(raw)
    refuse_rest(found)
    return found.value


def decode_long(raw: bytes) -> Any:
    """The value of a body that is too long for the careful reading: without comments, and its errors know little.

    Raises XContentParseError.
    """
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise XContentParseError(f"[{error.lineno}:{error.colno}] {error.msg}") from None
    except RecursionError:
        raise XContentParseError("[1:1] the body is nested too deeply") from None
    except ValueError:
        raise XContentParseError("[1:1] a field is there twice, or a text is no UTF-8") from None
    if "\\ud" in text or "\\uD" in text:
        plain = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        value = json.loads(plain.decode("utf-16", "replace"))
    return value


def refuse_rest(found: Scan) -> None:
    """Raises for what is wrong with a body apart from the meaning of its value."""
    if found.too_deep is not None:
        raise found.too_deep
    if found.trailing is not None:
        token, (line, col) = found.trailing
        raise ParsingError(
            f"Unexpected token [{token}] found after the main object.", line=line, col=col
        )
