"""The body that opens a point in time: an `index_filter`, or nothing."""

from collections.abc import Mapping
from typing import Any

import orjson

from sealane.model import dsl
from sealane.query.cursor import OBJECT, Cursor, Member, read_members
from sealane.query.json_text import decode
from sealane.query.located import scan, token
from sealane.query.queries import parse_inner

_KIND = "open_point_in_time_request"


def parse_open_body(raw: bytes) -> bytes:
    """The search body whose query is the filter, as JSON. Raises XContentParseError and what malformed JSON raises."""
    if not raw.strip():
        return b"{}"
    body = scan(raw)
    cursor = Cursor()
    if not isinstance(body.value, dict):
        cursor.place = body.begin
        raise cursor.content_error(f"[{_KIND}] Expected START_OBJECT but was: {token(body.value)}")
    found = read_members(cursor, _KIND, body.value, {"index_filter": Member(OBJECT, _filter)})
    if "index_filter" not in found:
        return b"{}"
    return orjson.dumps({"query": decode(raw)["index_filter"]})


def _filter(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Query:
    return parse_inner(cursor, members, name)
