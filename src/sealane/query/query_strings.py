"""query_string and simple_query_string: their members. What their texts mean is found out where they run."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dates import zone
from sealane.query.cursor import Convert, Cursor, as_bool, as_float, as_int, text_of
from sealane.query.fuzziness import fuzziness_of, fuzzing_of
from sealane.query.located import token
from sealane.query.members import common, read_common, unsupported_member
from sealane.query.text_queries import operator_of, type_of, with_boost

SIMPLE_FLAGS = {
    "ALL": -1,
    "NONE": 0,
    "AND": 1 << 0,
    "NOT": 1 << 1,
    "OR": 1 << 2,
    "PREFIX": 1 << 3,
    "PHRASE": 1 << 4,
    "PRECEDENCE": 1 << 5,
    "ESCAPE": 1 << 6,
    "WHITESPACE": 1 << 7,
    "FUZZY": 1 << 8,
    "NEAR": 1 << 9,
    "SLOP": 1 << 9,
}


def _text(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    return text_of(members[name])


def _zone(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    text = text_of(members[name])
    try:
        zone(text)
    except IllegalArgument as error:
        # The reference lets this one through as it is.
        cause = error.caused_by or error
        cause.status = 500
        raise cause from None
    return text


def _flags(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = members[name]
    if isinstance(value, int | float) and not isinstance(value, bool):
        flags = as_int(cursor, members, name)
        return -1 if flags < 0 else flags
    flags = 0
    text = text_of(value)
    if not text:
        return -1
    for each in text.split("|"):
        if not each:
            continue
        if each.upper() not in SIMPLE_FLAGS:
            raise IllegalArgument(f"Unknown simple_query_string flag [{each}]")
        flag = SIMPLE_FLAGS[each.upper()]
        if flag <= 0:
            return flag
        flags |= flag
    return flags


_SHARED: dict[str, Convert] = {
    "query": _text,
    "analyzer": _text,
    "analyze_wildcard": as_bool,
    "auto_generate_synonyms_phrase_query": as_bool,
    "default_operator": lambda _, members, name: operator_of(members[name]),
    "fuzzy_max_expansions": as_int,
    "fuzzy_prefix_length": as_int,
    "fuzzy_transpositions": as_bool,
    "lenient": as_bool,
    "minimum_should_match": _text,
    "quote_field_suffix": _text,
}
_QUERY_STRING: dict[str, Convert] = {
    **_SHARED,
    "allow_leading_wildcard": as_bool,
    "default_field": _text,
    "enable_position_increments": as_bool,
    "escape": as_bool,
    "fuzziness": lambda _, members, name: fuzziness_of(members[name]),
    "fuzzy_rewrite": _text,
    "max_determinized_states": as_int,
    "phrase_slop": as_int,
    "quote_analyzer": _text,
    "rewrite": _text,
    "tie_breaker": as_float,
    "time_zone": _zone,
    "type": lambda _, members, name: type_of(text_of(members[name])),
}
_SIMPLE: dict[str, Convert] = {**_SHARED, "flags": _flags}


def _fields(
    cursor: Cursor, query: str, members: Mapping[str, Any], name: str
) -> tuple[tuple[str, float], ...]:
    fields: dict[str, float] = {}
    for index, value in enumerate(members[name]):
        if not isinstance(value, str | int | float):
            cursor.value(members[name], index)
            raise cursor.error(f"[{query}] unknown token [{token(value)}] after [{name}]")
        text = text_of(value)
        field, boost = with_boost(text)
        # The reference looks for a repeated field by the whole text: `a^2, a` multiply, of `a^2, a^3` the last counts.
        fields[field] = boost * fields.get(text, 1.0)
    return tuple(fields.items())


def query_string(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"query": "title:quick AND (brown OR fox)", ...}`."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        _member(cursor, "query_string", members, name, value, found)
    if "query" not in found:
        cursor.end(members)
        raise cursor.error("[query_string] must be provided with a [query]")
    return dsl.QueryString(
        query=found["query"],
        default_field=found.get("default_field"),
        fields=found.get("fields", ()),
        default_operator=found.get("default_operator", "or"),
        type=found.get("type", dsl.MultiMatchType.BEST_FIELDS),
        analyzer=found.get("analyzer"),
        quote_analyzer=found.get("quote_analyzer"),
        quote_field_suffix=found.get("quote_field_suffix"),
        minimum_should_match=found.get("minimum_should_match"),
        tie_breaker=found.get("tie_breaker"),
        lenient=found.get("lenient"),
        analyze_wildcard=found.get("analyze_wildcard", False),
        allow_leading_wildcard=found.get("allow_leading_wildcard", True),
        escape=found.get("escape", False),
        phrase_slop=found.get("phrase_slop", 0),
        time_zone=found.get("time_zone"),
        rewrite=found.get("rewrite"),
        fuzzing=_fuzzing(found),
        **common(found),
    )


def _fuzzing(found: Mapping[str, Any]) -> dsl.Fuzzing:
    names = {
        "fuzziness": "fuzziness",
        "fuzzy_prefix_length": "prefix_length",
        "fuzzy_max_expansions": "max_expansions",
        "fuzzy_transpositions": "fuzzy_transpositions",
    }
    given = {ours: found[theirs] for theirs, ours in names.items() if theirs in found}
    return fuzzing_of(given, rewrite=found.get("fuzzy_rewrite"))


def _member(
    cursor: Cursor,
    query: str,
    members: Mapping[str, Any],
    name: str,
    value: Any,
    found: dict[str, Any],
) -> None:
    known = _SIMPLE if query == "simple_query_string" else _QUERY_STRING
    if isinstance(value, list):
        if name != "fields":
            raise unsupported_member(cursor, query, members, name)
        found[name] = _fields(cursor, query, members, name)
    elif not isinstance(value, str | int | float):
        cursor.value(members, name)
        raise cursor.error(f"[{query}] unknown token [{token(value)}] after [{name}]")
    elif name in known:
        found[name] = known[name](cursor, members, name)
    elif not read_common(cursor, members, name, found):
        if query == "simple_query_string":
            cursor.value(members, name)
            raise cursor.error(f"[{query}] unsupported field [{name}]")
        raise unsupported_member(cursor, query, members, name)


def simple_query_string(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"query": "quick + (brown | fox) -dog", ...}`."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        _member(cursor, "simple_query_string", members, name, value, found)
    if "query" not in found:
        cursor.end(members)
        raise cursor.error("[simple_query_string] query text missing")
    return dsl.SimpleQueryString(
        query=found["query"],
        fields=found.get("fields", ()),
        default_operator=found.get("default_operator", "or"),
        analyzer=found.get("analyzer"),
        quote_field_suffix=found.get("quote_field_suffix"),
        minimum_should_match=found.get("minimum_should_match"),
        lenient=found.get("lenient"),
        analyze_wildcard=found.get("analyze_wildcard", False),
        flags=found.get("flags", -1),
        fuzzing=_fuzzing(found),
        **common(found),
    )
