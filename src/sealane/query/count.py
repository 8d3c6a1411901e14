"""The body of a count, and of all that takes a query and nothing else."""

import re
from typing import Any

from sealane.errors import ApiError, ParsingError, XContentParseError
from sealane.query.body import parse_search_body
from sealane.query.json_text import decode
from sealane.query.located import scan, token


def parse_count_body(raw: bytes) -> dict[str, Any]:
    """The body's members: `query` or none. Raises ParsingError for others, and what malformed JSON raises."""
    body = {} if not raw.strip() else decode(raw)
    if not isinstance(body, dict):
        raise ParsingError(f"Expected [START_OBJECT] but found [{token(body)}]", line=1, col=1)
    other = next((name for name in body if name != "query"), None)
    if other is not None:
        line, col = scan(raw).value.keys_at[other]
        raise ParsingError(f"request does not support [{other}]", line=line, col=col)
    return body


_PLACE = re.compile(r"\[(\d+):(\d+)\] ")
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*"[ \t]*:[ \t]*')


def check_query_body(raw: bytes) -> None:
    """Raises what is wrong with the query, with its places in the client's text.

    A query by itself is read by a parser that knows but its own error: others are told as its cause.
    """
    try:
        parse_search_body(raw)
    except XContentParseError as error:
        line, col = _reached(error, raw)
        raise ParsingError("Failed to parse", line=line, col=col, caused_by=error) from None


def _reached(error: ApiError, raw: bytes) -> tuple[int, int]:
    """Where the reference's parser stood: at the mistake, or behind a name that it does not know."""
    inner = error
    while isinstance(inner.caused_by, XContentParseError):
        inner = inner.caused_by
    place = _PLACE.match(inner.reason)
    if place is None:
        return 1, 1
    line, col = int(place[1]), int(place[2])
    if "unknown field [" in inner.reason:
        key = _KEY.match(raw.split(b"\n")[line - 1], col - 1)
        if key is not None:
            col = key.end() + 1
    return line, col
