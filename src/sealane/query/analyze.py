"""The body of `_analyze`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ParseError,
    ParsingError,
)
from sealane.query.cursor import (
    BOOLEAN,
    STRING,
    Cursor,
    Member,
    as_bool,
    plain,
    read_members,
)
from sealane.query.json_text import decode
from sealane.query.located import scan, token


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeRequest:
    texts: tuple[str, ...]
    analyzer: str | None = None
    tokenizer: str | None = None
    filters: tuple[str, ...] = ()
    field: str | None = None
    explain: bool = False


def _names(_: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, str):
            raise IllegalArgument(f"[{name}] of its own definition is not supported: name one")
    return tuple(items)


_TEXTS = ("VALUE_STRING", "START_ARRAY")
_NAMED = (*_TEXTS, "START_OBJECT")
_MEMBERS = {
    "text": Member(_TEXTS, _names),
    "analyzer": Member(STRING, plain),
    "field": Member(STRING, plain),
    "tokenizer": Member(_NAMED, _names),
    "filter": Member(_NAMED, _names),
    "char_filter": Member(_NAMED, _names),
    "explain": Member(BOOLEAN, as_bool),
    "attributes": Member(("START_ARRAY",), plain),
    "normalizer": Member(STRING, plain),
}


def parse_analyze(raw: bytes, *, has_index: bool) -> AnalyzeRequest:
    """Raises XContentParseError for another member, ActionRequestValidation for what does not go together."""
    if not raw:
        raise ParseError("request body or source parameter is required")
    body = {} if not raw.strip() else decode(raw)
    if not isinstance(body, dict):
        raise ParsingError(f"Expected [START_OBJECT] but found [{token(body)}]", line=1, col=1)
    try:
        found = read_members(Cursor(), "analyze_request", body, _MEMBERS)
    except ApiError:
        read_members(Cursor(), "analyze_request", scan(raw).value, _MEMBERS)
        raise
    _validate(found, has_index=has_index)
    tokenizer = found.get("tokenizer", (None,))[0]
    if found.get("char_filter"):
        raise IllegalArgument(
            f"failed to find global char_filter under [{found['char_filter'][0]}]"
        )
    return AnalyzeRequest(
        texts=found["text"],
        analyzer=found.get("analyzer"),
        tokenizer=tokenizer,
        filters=found.get("filter", ()),
        field=found.get("field"),
        explain=found.get("explain", False),
    )


def _validate(found: Mapping[str, Any], *, has_index: bool) -> None:
    problems = []
    if not found.get("text"):
        problems.append("text is missing")
    if "normalizer" in found and not has_index:
        problems.append("index is required if normalizer is specified")
    if "analyzer" in found and ("tokenizer" in found or "filter" in found):
        problems.append("cannot define extra components on a named analyzer")
    if problems:
        raise ActionRequestValidation(problems)
    if "normalizer" in found:
        raise IllegalArgument(f"failed to find normalizer under [{found['normalizer']}]")
