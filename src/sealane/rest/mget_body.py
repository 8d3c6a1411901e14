"""The body of a multi-get."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ParseError,
    ParsingError,
)
from sealane.model.dsl import WHOLE_SOURCE, SourceFilter
from sealane.query.any_json import dumps
from sealane.rest.bodies import read_json
from sealane.rest.json_scan import line_and_column
from sealane.rest.source_filter import NO_SOURCE, source_filter_of_body, source_filter_of_params
from sealane.rest.tokens import token

_FIELDS = (
    "_index",
    "_id",
    "routing",
    "stored_fields",
    "version",
    "version_type",
    "_source",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One document to get."""

    index: str
    id: str
    routing: str | None = None
    version: int | None = None
    source: SourceFilter = WHOLE_SOURCE

    def failed(self, error: ApiError) -> bytes:
        """The element of the answer in place of the document."""
        return dumps({"_index": self.index, "_id": self.id, "error": error.to_body()["error"]})


def read_mget(body: bytes, default_index: str, params: Mapping[str, Any]) -> list[Wanted]:
    """Raises ParseError, ParsingError, IllegalArgument, ActionRequestValidation: the reference's texts."""
    if not body:
        raise ParseError("request body or source parameter is required")
    parsed = read_json(body, eof_is_own_type=True)
    if not isinstance(parsed, dict):
        raise ParsingError(f"unexpected token [{token(parsed)}], expected [START_OBJECT]")
    default_source = source_filter_of_params(params)
    if default_source is None:
        default_source = NO_SOURCE if params.get("stored_fields") else WHOLE_SOURCE
    found: list[tuple[str, str | None, dict[str, Any]]] = []
    for name, value in parsed.items():
        if not isinstance(value, list):
            raise _at_value(
                body,
                name,
                f"unexpected token [{token(value)}], expected [FIELD_NAME] or [START_ARRAY]",
            )
        if name == "docs":
            found += [_document(each, default_index) for each in value]
        elif name == "ids":
            found += [(default_index, _simple_id(each), {}) for each in value]
        else:
            raise _at_value(
                body, name, f"unknown key [{name}] for a START_ARRAY, expected [docs] or [ids]"
            )
    problems = [] if found else ["no documents to get"]
    wanted = []
    for at, (index, doc_id, spec) in enumerate(found):
        if not index:
            problems.append(f"index is missing for doc {at}")
        if doc_id is None:
            problems.append(f"id is missing for doc {at}")
        wanted.append(_wanted(index, doc_id or "", spec, params, default_source))
    if problems:
        raise ActionRequestValidation(problems)
    return wanted


def _simple_id(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        raise IllegalArgument("ids array element should only contain ids")
    return _text(value)


def _document(value: Any, default_index: str) -> tuple[str, str | None, dict[str, Any]]:
    if not isinstance(value, dict):
        raise IllegalArgument("docs array element should include an object")
    for name in value:
        if name not in _FIELDS:
            raise ParseError(f"failed to parse multi get request. unknown field [{name}]")
    index, doc_id = _scalar(value.get("_index")), _scalar(value.get("_id"))
    return index or default_index, doc_id, value


def _wanted(
    index: str,
    doc_id: str,
    spec: Mapping[str, Any],
    params: Mapping[str, Any],
    default_source: SourceFilter,
) -> Wanted:
    source = source_filter_of_body(spec.get("_source"))
    if source is None:
        source = NO_SOURCE if spec.get("stored_fields") else default_source
    routing = _scalar(spec.get("routing"))
    return Wanted(
        index=index,
        id=doc_id,
        routing=params.get("routing") if routing is None else routing,
        version=_version(spec.get("version")),
        source=source,
    )


def _scalar(value: Any) -> str | None:
    """A member's value as text. The reference reads on into an array, and takes an object's names for members."""
    while isinstance(value, list):
        if len(value) != 1:
            raise ParseError(f"unexpected token [{token(value)}] in a multi get request")
        (value,) = value
    if isinstance(value, dict):
        for name in value:
            raise ParseError(f"failed to parse multi get request. unknown field [{name}]")
        return None
    return None if value is None else _text(value)


def _version(value: Any) -> int | None:
    """Raises IllegalArgument for what is no whole number."""
    while isinstance(value, list) and len(value) == 1:
        (value,) = value
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise ValueError(value)
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise IllegalArgument(f'For input string: "{_text(value)}"') from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _at_value(body: bytes, name: str, problem: str) -> ParsingError:
    """The error with the place of the member's value."""
    key = orjson.dumps(name)
    at = body.find(key) + len(key)
    while at < len(body) and body[at : at + 1] in b": \t\r\n":
        at += 1
    line, column = line_and_column(body, at)
    return ParsingError(problem, line=line, col=column)
