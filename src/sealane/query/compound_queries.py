"""Queries made of other queries, beside those that `queries` has: boosting and wrapper."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import ApiError, IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import Cursor, float_from
from sealane.query.json_text import decode
from sealane.query.located import scan, token
from sealane.query.members import common, read_common, unsupported_member

ParseInner = Callable[[Cursor, Any, "str | int"], dsl.Query]
"""Reads the query that a container has under a key: `queries.parse_inner`, which knows all of them."""
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


def boosting(cursor: Cursor, members: Mapping[str, Any], inner: ParseInner) -> dsl.Query:
    """`{"positive": {...}, "negative": {...}, "negative_boost": 0.5}`."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        if name in ("positive", "negative") and isinstance(value, dict):
            found[name] = inner(cursor, members, name)
        elif isinstance(value, list):
            # The reference looks at the tokens alone: what is in an array counts as if it were not.
            for index, item in enumerate(value):
                if name in ("positive", "negative") and isinstance(item, dict):
                    found[name] = inner(cursor, value, index)
        elif name == "negative_boost" and isinstance(value, str | int | float):
            found[name] = float_from(value) if isinstance(value, str) else float(value)
        elif not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "boosting", members, name)
    cursor.end(members)
    for name in ("positive", "negative"):
        if name not in found:
            raise cursor.error(f"[boosting] query requires '{name}' query to be set'")
    if found.get("negative_boost", -1.0) < 0:
        raise cursor.error(
            "[boosting] query requires 'negative_boost' to be set to be a positive value'"
        )
    return dsl.Boosting(
        positive=found["positive"],
        negative=found["negative"],
        negative_boost=found["negative_boost"],
        **common(found),
    )


def wrapper(cursor: Cursor, members: Mapping[str, Any], inner: ParseInner) -> dsl.Query:
    """`{"query": "base64"}`: a query in JSON, encoded. Each node that parses the request reads it by itself."""
    name = next(iter(members), None)
    if name is None:
        cursor.end(members)
        raise cursor.error("[wrapper] query malformed")
    if name != "query":
        cursor.key(members, name)
        raise cursor.error(f"[wrapper] query malformed, expected `query` but was {name}")
    text = members[name]
    if not isinstance(text, str):
        cursor.value(members, name)
        raise cursor.content_error(
            f"Current token ({token(text)}) not VALUE_STRING or VALUE_EMBEDDED_OBJECT, can not "
            "access as binary"
        )
    source = _decoded(cursor, members, name, text)
    others = list(members)[1:]
    if others:
        cursor.key(members, others[0])
        raise cursor.error(
            "[wrapper] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )
    return _inner(source, cursor.depth, inner)


def _decoded(cursor: Cursor, members: Mapping[str, Any], name: str, text: str) -> bytes:
    if not text:
        raise IllegalArgument("query source text cannot be null or empty")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        cursor.value(members, name)
        wrong = _NOT_BASE64.search(text)
        reason = "Unexpected end of base64-encoded String"
        if wrong:
            # The reference decodes bytes, and shows the first one that is wrong.
            code = wrong[0].encode("utf-8", "surrogatepass")[0]
            reason = f"Illegal character '{chr(code)}' (code 0x{code:x}) in base64 content"
        raise cursor.content_error(
            f"Failed to decode VALUE_STRING as base64 (MIME-NO-LINEFEEDS): {reason}"
        ) from None


def _inner(source: bytes, depth: int, inner: ParseInner) -> dsl.Query:
    """The query of these bytes, whose places are its own."""
    cursor = Cursor()
    cursor.depth = depth
    try:
        return inner(cursor, {"query": decode(source)}, "query")
    except ApiError:
        located = Cursor()
        located.depth = depth
        inner(located, {"query": scan(source).value}, "query")
        raise
