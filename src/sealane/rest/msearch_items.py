"""The lines of `_msearch` and `_msearch/template`: a header and a body for each search."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    ParseError,
    ParsingError,
    XContentParseError,
)
from sealane.query import decode
from sealane.rest.params import INDICES_OPTIONS, Parser, option, string
from sealane.rest.request import Request
from sealane.rest.search_params import SEARCH_PARAMS

_HEADER: dict[str, tuple[str, Parser]] = {
    "allow_no_indices": ("allow_no_indices", option),
    "allow_partial_search_results": ("allow_partial_search_results", option),
    "allowPartialSearchResults": ("allow_partial_search_results", option),
    "ccs_minimize_roundtrips": ("ccs_minimize_roundtrips", option),
    "ignore_throttled": ("ignore_throttled", option),
    "ignore_unavailable": ("ignore_unavailable", option),
    "preference": ("preference", string),
    "request_cache": ("request_cache", option),
    "requestCache": ("request_cache", option),
    "search_type": ("search_type", SEARCH_PARAMS["search_type"]),
    "searchType": ("search_type", SEARCH_PARAMS["search_type"]),
}
"""What a header may say beside names: the parameter of a search that it means, and how it is read."""

_FROM_URL = (
    *INDICES_OPTIONS,
    "ccs_minimize_roundtrips",
    "pre_filter_shard_size",
    "rest_total_hits_as_int",
    "search_type",
)
"""Parameters of the whole request that hold for each search, unless its header says otherwise."""


@dataclass(frozen=True, slots=True)
class Item:
    """One search of a request: the names it goes to, the parameters in force for it, its body."""

    indices: tuple[str, ...]
    params: Mapping[str, Any]
    body: bytes


def read_items(request: Request) -> Iterator[Item]:
    """The searches. A header that cannot be read fails the whole request, as in the reference.

    Raises ParseError, IllegalArgument, ActionRequestValidation, XContentParseError.
    """
    if not request.body:
        raise ParseError("request body or source parameter is required")
    if not request.body.endswith(b"\n"):
        raise IllegalArgument("The msearch request must be terminated by a newline [\n]")
    lines = request.body.split(b"\n")[:-1]
    if len(lines) < 2:
        raise ActionRequestValidation(["no requests added"])
    for header, body in zip(lines[::2], lines[1::2], strict=False):
        if not body.strip():
            raise ParsingError("Expected [START_OBJECT] but found [null]", line=1, col=0)
        yield _item(header, body, request)


def _item(header: bytes, body: bytes, request: Request) -> Item:
    given = decode(header) if header.strip() else {}
    if not isinstance(given, dict):
        raise XContentParseError("[1:2] Unexpected token after end of object")
    params = {name: request.params[name] for name in _FROM_URL if name in request.params}
    indices: tuple[str, ...] = request.indices
    for name, value in given.items():
        if name in ("index", "indices"):
            indices = tuple(each for each in _names(value) if each)
        elif name in ("expand_wildcards", "routing"):
            params[name] = _names(value)
        elif name in _HEADER:
            target, read = _HEADER[name]
            said = read(name, _text(value))
            # Of the two places for this one the URL decides, in the reference.
            if name != "ccs_minimize_roundtrips" or name not in request.params:
                params[target] = said
        else:
            raise IllegalArgument(f"key [{name}] is not supported in the metadata section")
    return Item(indices, params, body)


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        raise ParseError("Expected a list of strings but got null")
    listed = value if isinstance(value, list) else _text(value).split(",")
    return tuple(_text(each) for each in listed)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
