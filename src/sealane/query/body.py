"""A whole search body: bytes to an immutable `SearchBody`.

The bytes are read fast; a body in which anything is wrong is read again with places, so that the error can say where.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument, ParsingError
from sealane.model import dsl
from sealane.query.aggregations import read_aggs
from sealane.query.collapse import read_collapse
from sealane.query.cursor import Cursor, as_bool, as_float, as_int, float_from, text_of
from sealane.query.fields import apply_stored_fields, read_field_list, read_stored_fields
from sealane.query.highlight import read_highlight
from sealane.query.json_text import decode_fast, decode_long, refuse_rest
from sealane.query.knn import knn_section_reader, sized
from sealane.query.located import SCAN_MAX_BYTES, Place, scan, token
from sealane.query.names import BODY_MEMBERS
from sealane.query.pipeline_order import ordered_pipelines
from sealane.query.point_in_time import in_point_in_time, read_point_in_time, read_slice
from sealane.query.queries import parse_inner
from sealane.query.rescore import read_rescore
from sealane.query.retriever import check_retriever, read_retriever
from sealane.query.sorting import read_search_after, read_sort
from sealane.query.source_filter import read_source_filter
from sealane.query.suggest_body import read_suggest
from sealane.settings.units import parse_time

_CACHED_BODIES = 1024
_CACHED_BYTES = 16_384
"""Longer bodies are rare and would make the cache's memory unbounded."""


def parse_search_body(raw: bytes) -> dsl.SearchBody:
    """The body of a search. Equal bytes give the same object. Empty bytes are an empty body.

    Raises ParsingError, XContentParseError, XContentEnd, IllegalArgument, NumberFormatError and
    ActionRequestValidation with the reference's texts and places.
    """
    body = parse_unvalidated(raw)
    if body.problems:
        raise ActionRequestValidation(body.problems)
    return body


def parse_unvalidated(raw: bytes) -> dsl.SearchBody:
    """As `parse_search_body`, but what a request is refused for only after all of it was read stands in `problems`."""
    return _cached(raw) if len(raw) <= _CACHED_BYTES else _parse(raw)


def _parse(raw: bytes) -> dsl.SearchBody:
    try:
        value = decode_fast(raw)
        return read_body(value, raw)
    except (ValueError, RecursionError, ApiError) as error:
        if len(raw) > SCAN_MAX_BYTES:
            if isinstance(error, ApiError):
                raise
            value = decode_long(raw)
            return read_body(value, json.dumps(value, ensure_ascii=False).encode())
    found = scan(raw)
    read_body({} if _nothing(raw) else found.value, raw, found.begin)
    refuse_rest(found)
    # Comments and broken escapes do not travel.
    plain = b"{}" if _nothing(raw) else json.dumps(found.value, ensure_ascii=False).encode()
    return read_body(json.loads(plain), plain)


_cached = lru_cache(maxsize=_CACHED_BODIES)(_parse)


def _nothing(raw: bytes) -> bool:
    return not raw.strip()


def parse_query(obj: Any) -> dsl.Query:
    """A query by itself, `{"term": {...}}`. Raises as parse_search_body does; places are known if `obj` knows them."""
    return parse_inner(Cursor(), {"query": obj}, "query")


def parse_aggs(obj: Any) -> tuple[dsl.Agg, ...]:
    """Aggregations by themselves, `{"name": {"avg": {...}}}`."""
    return read_aggs(Cursor(), obj)


def read_body(value: Any, raw: bytes, begin: Place | None = None) -> dsl.SearchBody:
    """The body from its decoded JSON."""
    if not isinstance(value, dict):
        line, col = begin or (1, 1)
        found = "null" if col == 0 else token(value)
        raise ParsingError(f"Expected [START_OBJECT] but found [{found}]", line=line, col=col)
    cursor = Cursor()
    arguments: dict[str, Any] = {}
    for name, member in value.items():
        reader = _READERS.get((name, _kind(member)))
        if reader is not None:
            cursor.depth = 0
            reader(cursor, value, name, arguments)
        else:
            cursor.value(value, name)
            if name in BODY_MEMBERS and (name, _kind(member)) in _NOT_HERE:
                raise cursor.error(f"[{name}] is not supported by this version")
            raise cursor.error(f"Unknown key for a {token(member)} in [{name}].")
    apply_stored_fields(arguments)
    problems = []
    if "search_after" in arguments and arguments.get("from_", 0) > 0:
        problems.append("[from] parameter must be set to 0 when [search_after] is used")
    if "aggs" in arguments:
        arguments["aggs"], faults = ordered_pipelines(arguments["aggs"])
        problems += faults
    if problems:
        arguments["problems"] = tuple(problems)
    if "pit" in arguments and "sort" in arguments:
        after = arguments.get("search_after")
        arguments["sort"] = in_point_in_time(
            arguments["sort"], None if after is None else len(after)
        )
    if "suggest" in value and not ("query" in value or arguments.get("aggs") or "knn" in value):
        arguments["suggest_only"] = True
    if cursor.lookups:
        arguments["lookups"] = True
    if "knn" in arguments:
        arguments["knn"] = sized(arguments["knn"], arguments.get("size", 10))
    if "retriever" in arguments:
        check_retriever(value, arguments.get("size"), arguments["retriever"])
    return dsl.SearchBody(raw=raw, **arguments)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    return "null" if value is None else "value"


read_knn = knn_section_reader(parse_inner)

Reader = Callable[[Cursor, Mapping[str, Any], str, dict[str, Any]], None]


def _into(argument: str, convert: Callable[[Cursor, Mapping[str, Any], str], Any]) -> Reader:
    def read(
        cursor: Cursor, members: Mapping[str, Any], name: str, arguments: dict[str, Any]
    ) -> None:
        arguments[argument] = convert(cursor, members, name)

    return read


def _from(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 0:
        raise IllegalArgument(f"[from] parameter cannot be negative but was [{value}]")
    return value


def _size(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 0:
        raise IllegalArgument(f"[size] parameter cannot be negative, found [{value}]")
    return value


def _terminate_after(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 0:
        raise IllegalArgument("terminateAfter must be > 0")
    return value


def _timeout(_: Cursor, members: Mapping[str, Any], name: str) -> int | None:
    ms = parse_time(text_of(members[name]), "timeout").ms
    return None if ms < 0 else ms


def _track_total_hits(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = members[name]
    if isinstance(value, bool) or value in ("true", "false"):
        return dsl.TRACK_ALL if value in (True, "true") else dsl.TRACK_NONE
    limit = as_int(cursor, members, name)
    if limit < -1:
        raise IllegalArgument(
            f"[track_total_hits] parameter must be positive or equals to -1, got {limit}"
        )
    return limit


def _min_score(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    value = members[name]
    return float_from(value) if isinstance(value, str) else as_float(cursor, members, name)


def _aggs(cursor: Cursor, members: Mapping[str, Any], name: str, arguments: dict[str, Any]) -> None:
    arguments["aggs"] = arguments.get("aggs", ()) + read_aggs(cursor, members[name])


def _empty_only(
    cursor: Cursor, members: Mapping[str, Any], name: str, arguments: dict[str, Any]
) -> None:
    if members[name]:
        cursor.value(members, name)
        raise cursor.error(f"[{name}] is not supported by this version")


def _stats_groups(
    cursor: Cursor, members: Mapping[str, Any], name: str, arguments: dict[str, Any]
) -> None:
    """Names under which the reference counts; nothing counts them here."""
    for index, item in enumerate(members[name]):
        if not isinstance(item, str):
            cursor.value(members[name], index)
            raise cursor.error(f"Expected [VALUE_STRING] in [{name}] but found [{token(item)}]")


_READERS: dict[tuple[str, str], Reader] = {
    ("query", "object"): _into("query", parse_inner),
    ("post_filter", "object"): _into("post_filter", parse_inner),
    ("aggs", "object"): _aggs,
    ("aggregations", "object"): _aggs,
    ("sort", "value"): _into("sort", read_sort),
    ("sort", "object"): _into("sort", read_sort),
    ("sort", "array"): _into("sort", read_sort),
    ("search_after", "array"): _into("search_after", read_search_after),
    ("from", "value"): _into("from_", _from),
    ("size", "value"): _into("size", _size),
    ("timeout", "value"): _into("timeout_ms", _timeout),
    ("terminate_after", "value"): _into("terminate_after", _terminate_after),
    ("track_total_hits", "value"): _into("track_total_hits", _track_total_hits),
    ("track_scores", "value"): _into("track_scores", as_bool),
    ("min_score", "value"): _into("min_score", _min_score),
    ("version", "value"): _into("version", as_bool),
    ("seq_no_primary_term", "value"): _into("seq_no_primary_term", as_bool),
    ("_source", "value"): _into("source", read_source_filter),
    ("_source", "array"): _into("source", read_source_filter),
    ("_source", "object"): _into("source", read_source_filter),
    ("fields", "array"): _into("fields", read_field_list),
    ("docvalue_fields", "array"): _into("docvalue_fields", read_field_list),
    ("stored_fields", "value"): _into("stored_fields", read_stored_fields),
    ("stored_fields", "array"): _into("stored_fields", read_stored_fields),
    ("collapse", "object"): _into("collapse", read_collapse),
    ("retriever", "object"): _into("retriever", read_retriever),
    ("knn", "object"): _into("knn", read_knn),
    ("knn", "array"): _into("knn", read_knn),
    ("suggest", "object"): _into("suggest", read_suggest),
    ("rescore", "object"): _into("rescore", read_rescore),
    ("rescore", "array"): _into("rescore", read_rescore),
    ("explain", "value"): _into("explain", as_bool),
    ("profile", "value"): _into("profile", as_bool),
    ("stats", "array"): _stats_groups,
    ("ext", "object"): _empty_only,
    ("highlight", "object"): _into("highlight", read_highlight),
    ("runtime_mappings", "object"): _empty_only,
    ("script_fields", "object"): _empty_only,
    ("indices_boost", "array"): _empty_only,
    ("indices_boost", "object"): _empty_only,
    ("sub_searches", "array"): _empty_only,
    ("pit", "object"): _into("pit", read_point_in_time),
    ("slice", "object"): _into("slice", read_slice),
}

_NOT_HERE = {
    ("rank", "object"),
}
"""Members of the reference that are known here, and refused."""
