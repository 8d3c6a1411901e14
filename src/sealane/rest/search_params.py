"""The query parameters of a search: what the routes know, and how they and the body become one ClientSearch."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sealane.errors import ActionRequestValidation, IllegalArgument, NumberFormatError
from sealane.model.search import IndicesOptions
from sealane.query import parse_unvalidated, strip_comments
from sealane.rest.params import (
    INDICES_OPTIONS,
    Parser,
    boolean,
    ignored,
    integer,
    names,
    refused,
    string,
    time_ms,
)
from sealane.rest.search_rules import problems_of
from sealane.rest.url_query import URL_QUERY_PARAMS, url_query
from sealane.search.client_search import ClientSearch

_TRACK_NONE, _TRACK_ALL = -1, 2**31 - 1
_SUGGEST_FIELD = "suggest_field"
_OF_SUGGESTION = ("suggest_text", "suggest_mode", "suggest_size")

NOT_YET = refused("parameter [{name}] is not supported by this version")


def _track_total_hits(name: str, text: str) -> bool | int:
    if text in ("true", "false", ""):
        return text != "false"
    limit: int = integer(name, text)
    if limit < _TRACK_NONE:
        raise IllegalArgument(
            f"[track_total_hits] parameter must be positive or equals to -1, got {limit}"
        )
    return limit


def at_least(least: int, reason: str) -> Parser:
    """Whole numbers of a least size; `reason` may name the `{value}`."""

    def parse(name: str, text: str) -> int:
        value: int = integer(name, text)
        if value < least:
            raise IllegalArgument(reason.format(value=value))
        return value

    return parse


def _float(name: str, text: str) -> float:
    try:
        if "_" in text:
            raise ValueError(text)
        return float(text)
    except ValueError as error:
        raise IllegalArgument(
            f"Failed to parse float parameter [{name}] with value [{text}]",
            caused_by=NumberFormatError(f'For input string: "{text}"'),
        ) from error


def _search_type(name: str, text: str) -> None:
    if text == "dfs_query_then_fetch":
        raise IllegalArgument(f"search type [{text}] is not supported by this version")
    if text != "query_then_fetch":
        raise IllegalArgument(f"No search type for [{text}]")


def _time(name: str, text: str) -> str:
    time_ms(name, text)
    return text


# Handled by a function of its own, each with the member of the body that it overrides.
_OVER_BODY: dict[str, Parser] = {
    "from": at_least(0, "[from] parameter cannot be negative but was [{value}]"),
    "size": at_least(0, "[size] parameter cannot be negative, found [{value}]"),
    "explain": boolean,
    "version": boolean,
    "seq_no_primary_term": boolean,
    "timeout": _time,
    "terminate_after": at_least(0, "terminateAfter must be > 0"),
    "track_total_hits": _track_total_hits,
    "track_scores": boolean,
    "sort": names,
    "_source": string,
    "_source_includes": names,
    "_source_excludes": names,
    "_source_exclude_vectors": ignored,
}

_SHARED: dict[str, Parser] = {
    **INDICES_OPTIONS,
    "preference": string,
    "routing": names,
    **URL_QUERY_PARAMS,
}

SEARCH_PARAMS: dict[str, Parser] = {
    **_OVER_BODY,
    **_SHARED,
    "allow_partial_search_results": boolean,
    "batched_reduce_size": at_least(2, "batchedReduceSize must be >= 2"),
    "ccs_minimize_roundtrips": boolean,
    "ccs_refine_terms": boolean,
    "docvalue_fields": NOT_YET,
    "force_synthetic_source": NOT_YET,
    "include_named_queries_score": NOT_YET,
    "max_concurrent_shard_requests": at_least(1, "maxConcurrentShardRequests must be >= 1"),
    "pre_filter_shard_size": at_least(1, "preFilterShardSize must be >= 1"),
    "request_cache": boolean,
    "rest_total_hits_as_int": boolean,
    "scroll": time_ms,
    "search_type": _search_type,
    "stats": ignored,
    "stored_fields": NOT_YET,
    "suggest_field": string,
    "suggest_mode": string,
    "suggest_size": integer,
    "suggest_text": string,
    "typed_keys": boolean,
}

UNSUGGESTED = frozenset(
    {
        "allow_partial_search_results",
        "ccs_refine_terms",
        "explain",
        "from",
        "max_concurrent_shard_requests",
        "pre_filter_shard_size",
        "seq_no_primary_term",
        "size",
        "terminate_after",
        "timeout",
        "track_scores",
        "track_total_hits",
        "version",
    }
)
"""Parameters that the reference only looks for when they are given, and so never suggests; and one of ours."""

COUNT_PARAMS: dict[str, Parser] = {
    **_SHARED,
    "min_score": _float,
    "terminate_after": _OVER_BODY["terminate_after"],
}


def client_search(
    expressions: tuple[str, ...], raw: bytes, params: Mapping[str, Any]
) -> ClientSearch:
    """One search from its body and its parameters. Raises what the body's parser raises."""
    search = unvalidated_search(expressions, raw, params)
    if problems := problems_of(search, params):
        raise ActionRequestValidation(problems)
    return search


def unvalidated_search(
    expressions: tuple[str, ...], raw: bytes, params: Mapping[str, Any]
) -> ClientSearch:
    """As `client_search`, for who asks `problems_of` after having read more searches."""
    if _SUGGEST_FIELD not in params:
        _refuse_lone_suggestion(expressions, params)
    folded = fold(raw, params)
    if folded is not raw:
        parse_unvalidated(raw)  # what is wrong with the client's own text is told with its places
    body = parse_unvalidated(folded)
    if params.get("rest_total_hits_as_int") and body.track_total_hits not in (
        _TRACK_NONE,
        _TRACK_ALL,
    ):
        raise IllegalArgument(
            "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, "
            f"got {body.track_total_hits}"
        )
    return ClientSearch(
        expressions=expressions,
        body=body,
        options=indices_options(params),
        preference=params.get("preference"),
        routing=params.get("routing", ()),
        allow_partial_results=params.get("allow_partial_search_results"),
        request_cache=params.get("request_cache"),
        batched_reduce_size=params.get("batched_reduce_size", 512),
        minimize_roundtrips=params.get("ccs_minimize_roundtrips", True),
        pre_filter_shard_size=params.get("pre_filter_shard_size"),
        refine_terms=params.get("ccs_refine_terms", False),
        scroll_ms=params.get("scroll"),
    )


def fold(raw: bytes, params: Mapping[str, Any]) -> bytes:
    """The body with the parameters that override its members folded in.

    A body that is not a JSON object is returned as it is: the parser says what is wrong with it.
    """
    overriding = [name for name in params if name in _OVER_BODY]
    as_int = params.get("rest_total_hits_as_int", False)
    more = _SUGGEST_FIELD in params or "q" in params
    if not overriding and not as_int and not more:
        return raw or b"{}"
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        try:
            body = orjson.loads(strip_comments(raw))
        except orjson.JSONDecodeError:
            return raw
    if not isinstance(body, dict):
        return raw
    if as_int:
        body.setdefault("track_total_hits", True)
    for name in overriding:
        _FOLDS.get(name, _replace)(body, name, params[name])
    if "q" in params:
        body["query"] = url_query(params)
    if _SUGGEST_FIELD in params:
        body["suggest"] = _suggestion(params)
    return orjson.dumps(body)


def _refuse_lone_suggestion(expressions: tuple[str, ...], params: Mapping[str, Any]) -> None:
    """Raises IllegalArgument for parameters of a suggestion that has no field."""
    lone = [name for name in _OF_SUGGESTION if name in params]
    if lone:
        path = f"/{','.join(expressions)}/_search" if expressions else "/_search"
        raise IllegalArgument(
            f"request [{path}] contains parameters [{', '.join(lone)}] but missing "
            "'suggest_field' parameter."
        )


def _suggestion(params: Mapping[str, Any]) -> dict[str, Any]:
    """A term suggestion, named after its field; its text is that of the query, if none is given."""
    field = params[_SUGGEST_FIELD]
    options = {"field": field, "size": params.get("suggest_size", 5)}
    if "suggest_mode" in params:
        options["suggest_mode"] = params["suggest_mode"]
    text = params.get("suggest_text", params.get("q"))
    return {field: {"term": options} if text is None else {"text": text, "term": options}}


def _replace(body: dict[str, Any], name: str, value: Any) -> None:
    body[name] = value


def _fold_sort(body: dict[str, Any], name: str, fields: tuple[str, ...]) -> None:
    """`field`, `field:asc`, `field:desc`. Another direction drops the key, as in the reference."""
    keys: list[Any] = []
    for each in fields:
        field, colon, direction = each.rpartition(":")
        if not colon:
            keys.append(each)
        elif direction in ("asc", "desc"):
            keys.append({field: {"order": direction}})
    if keys:
        body["sort"] = keys


def _fold_source(body: dict[str, Any], name: str, text: str) -> None:
    body["_source"] = text == "true" if text in ("true", "false") else text.split(",")


def _fold_source_part(body: dict[str, Any], name: str, patterns: tuple[str, ...]) -> None:
    part = name.removeprefix("_source_")
    present = body.get("_source")
    filters = dict(present) if isinstance(present, dict) else {}
    if isinstance(present, list | str):
        filters["includes"] = present
    body["_source"] = {**filters, part: list(patterns)}


def _keep(body: dict[str, Any], name: str, value: Any) -> None:
    """A parameter that changes nothing."""


_FOLDS: dict[str, Callable[[dict[str, Any], str, Any], None]] = {
    "sort": _fold_sort,
    "_source": _fold_source,
    "_source_includes": _fold_source_part,
    "_source_excludes": _fold_source_part,
    "_source_exclude_vectors": _keep,
}

_WILDCARD_STATES = ("open", "closed", "hidden", "all", "none")
_DEFAULT_OPTIONS = IndicesOptions()


def indices_options(params: Mapping[str, Any]) -> IndicesOptions:
    """`ignore_unavailable`, `allow_no_indices` and `expand_wildcards`. Raises IllegalArgument for an unknown state."""
    if not any(name in params for name in INDICES_OPTIONS):
        return _DEFAULT_OPTIONS
    states = params.get("expand_wildcards", ("open",))
    for state in states:
        if state not in _WILDCARD_STATES:
            raise IllegalArgument(f"No valid expand wildcard value [{state}]")
    every = "all" in states
    return IndicesOptions(
        ignore_unavailable=params.get("ignore_unavailable", False),
        allow_no_indices=params.get("allow_no_indices", True),
        expand_open=every or "open" in states,
        expand_closed=every or "closed" in states,
        expand_hidden=every or "hidden" in states,
    )
