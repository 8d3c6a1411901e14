"""Errors of what a client wrote: its URL, its body, its settings."""

from collections.abc import Sequence
from typing import Any

from sealane.errors.base import ApiError


class IllegalArgument(ApiError):
    es_type, status = "illegal_argument_exception", 400


class ParseError(ApiError):
    """A value that cannot be read as what it should be (`parse_exception`)."""

    es_type, status = "parse_exception", 400


class ParsingError(ApiError):
    """A malformed part of a request body, with its place."""

    es_type, status = "parsing_exception", 400

    def __init__(self, reason: str, *, line: int = 1, col: int = 1, **rest: Any) -> None:
        super().__init__(reason, metadata={"line": line, "col": col}, **rest)


class XContentParseError(ApiError):
    es_type, status = "x_content_parse_exception", 400


class JsonParseError(ApiError):
    """Bytes that are not JSON (`json_parse_exception`)."""

    es_type, status = "json_parse_exception", 400


class JsonEofError(ApiError):
    """JSON that ends too early (`json_e_o_f_exception`)."""

    es_type, status = "json_e_o_f_exception", 400


class XContentEofError(ApiError):
    es_type, status = "x_content_e_o_f_exception", 400


class NotXContent(ApiError):
    es_type, status = "not_x_content_exception", 400


class NumberFormatError(ApiError):
    es_type, status = "number_format_exception", 400


class SettingsError(ApiError):
    es_type, status = "settings_exception", 400


class ActionRequestValidation(ApiError):
    """Several rules of one request broken: `Validation Failed: 1: ...;2: ...;`."""

    es_type, status = "action_request_validation_exception", 400

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "".join(f"{n}: {text};" for n, text in enumerate(problems, 1))
        super().__init__(f"Validation Failed: {listed}")


class QueryValidation(ActionRequestValidation):
    """Options of one query that exclude each other."""

    es_type = "query_validation_exception"
