"""The full text queries: match and its kin, multi_match. Those with a syntax of their own are in `query_strings`."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.cursor import (
    Convert,
    Cursor,
    as_bool,
    as_float,
    as_int,
    float_from,
    text_of,
)
from sealane.query.fuzziness import fuzziness_of, fuzzing_of
from sealane.query.located import token
from sealane.query.members import (
    common,
    read_common,
    single_field,
    text_or_none,
    unsupported_member,
)

_ZERO_TERMS = ("none", "all")


def operator_of(value: Any) -> Literal["or", "and"]:
    name = text_of(value)
    if name.lower() not in ("or", "and"):
        raise IllegalArgument(
            f"No enum constant org.elasticsearch.index.query.Operator.{name.upper()}"
        )
    return cast(Literal["or", "and"], name.lower())


def _slop(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    slop = as_int(cursor, members, name)
    if slop < 0:
        raise IllegalArgument("No negative slop allowed.")
    return slop


def _zero_terms(cursor: Cursor, members: Mapping[str, Any], name: str) -> str:
    value = text_of(members[name])
    if value.lower() not in _ZERO_TERMS:
        cursor.value(members, name)
        raise cursor.error(f"Unsupported zero_terms_query value [{value}]")
    return value.lower()


def _least(query: str, name: str, value: int) -> int:
    """A number of the fuzzy options, as far down as each query lets it go."""
    wrong = value < 0 if name == "prefix_length" else value <= 0
    if query == "match_phrase_prefix":
        wrong = value < 0
    if wrong:
        raise IllegalArgument(_TOO_SMALL[query, name])
    return value


_TOO_SMALL = {
    ("match", "prefix_length"): "[match] requires prefix length to be non-negative.",
    ("match", "max_expansions"): "[match] requires maxExpansions to be positive.",
    ("match_bool_prefix", "prefix_length"): "No negative prefix length allowed.",
    ("match_bool_prefix", "max_expansions"): "Max expansions must be strictly great than zero.",
    ("match_phrase_prefix", "max_expansions"): "No negative maxExpansions allowed.",
    ("multi_match", "prefix_length"): "No negative prefix length allowed.",
    ("multi_match", "max_expansions"): "Max expansions must be strictly great than zero.",
}


def _member(
    cursor: Cursor,
    query: str,
    members: Mapping[str, Any],
    name: str,
    found: dict[str, Any],
) -> None:
    """One member that full text queries have in common."""
    value = members[name]
    if not isinstance(value, str | int | float):
        cursor.value(members, name)
        raise cursor.error(f"[{query}] unknown token [{token(value)}] after [{name}]")
    read = _READERS.get(name) if name in _MEMBERS[query] else None
    if read is not None:
        found[name] = read(cursor, members, name)
    elif name in ("max_expansions", "prefix_length") and name in _MEMBERS[query]:
        found[name] = _least(query, name, as_int(cursor, members, name))
    elif not read_common(cursor, members, name, found):
        raise unsupported_member(cursor, query, members, name)


def _as_text(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    return text_of(members[name])


_READERS: Mapping[str, Convert] = {
    "query": lambda _, members, name: members[name],
    "operator": lambda _, members, name: operator_of(members[name]),
    "minimum_should_match": _as_text,
    "zero_terms_query": _zero_terms,
    "lenient": as_bool,
    "slop": _slop,
    "tie_breaker": as_float,
    "analyzer": _as_text,
    "fuzziness": lambda _, members, name: fuzziness_of(members[name]),
    "fuzzy_rewrite": _as_text,
    "fuzzy_transpositions": as_bool,
    "auto_generate_synonyms_phrase_query": as_bool,
}
_ANY = {"query", "analyzer"}
_FUZZY = {
    "fuzziness",
    "fuzzy_rewrite",
    "fuzzy_transpositions",
    "max_expansions",
    "prefix_length",
}
_WORDS = {"operator", "minimum_should_match"}
_MATCH = {
    *_ANY,
    *_FUZZY,
    *_WORDS,
    "lenient",
    "zero_terms_query",
    "auto_generate_synonyms_phrase_query",
}
_MEMBERS = {
    "match": _MATCH,
    "match_phrase": _ANY | {"slop", "zero_terms_query"},
    "match_phrase_prefix": _ANY | {"slop", "zero_terms_query", "max_expansions"},
    "match_bool_prefix": _ANY | _FUZZY | _WORDS,
    "multi_match": _MATCH | {"slop", "tie_breaker"},
}


def _fuzzy_arguments(found: Mapping[str, Any]) -> dict[str, Any]:
    """`fuzzing` only where fuzziness was asked for: the other options do nothing by themselves."""
    rewrite = found.get("fuzzy_rewrite")
    wanted = "fuzziness" in found
    return {"fuzzing": fuzzing_of(found, rewrite=rewrite) if wanted else None}


def match(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "text"}` or `{"field": {"query": "text", ...}}`."""
    field = single_field(cursor, "match", members)
    found: dict[str, Any] = {}
    if field is not None:
        body = members[field]
        if isinstance(body, dict):
            for name in body:
                _member(cursor, "match", body, name, found)
        else:
            text_or_none(cursor, members, field)
            found["query"] = body
    if field is None or found.get("query") is None:
        cursor.end(members)
        raise cursor.error("No text specified for text query")
    return dsl.Match(
        field=field,
        query=found["query"],
        operator=found.get("operator", "or"),
        minimum_should_match=found.get("minimum_should_match"),
        zero_terms_query=found.get("zero_terms_query", "none"),
        lenient=found.get("lenient", False),
        analyzer=found.get("analyzer"),
        fuzzy_rewrite=found.get("fuzzy_rewrite"),
        **_fuzzy_arguments(found),
        **common(found),
    )


def match_phrase(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "text"}` or `{"field": {"query": "text", "slop": 1}}`."""
    field, found = _on_one_field(cursor, "match_phrase", members)
    return dsl.MatchPhrase(
        field=field,
        query=found["query"],
        slop=found.get("slop", 0),
        zero_terms_query=found.get("zero_terms_query", "none"),
        analyzer=found.get("analyzer"),
        **common(found),
    )


def _on_one_field(
    cursor: Cursor, query: str, members: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The field of a query like match_phrase, and its members. Raises IllegalArgument where one is missing."""
    field = single_field(cursor, query, members)
    if field is None:
        raise IllegalArgument(f"[{query}] requires fieldName")
    found: dict[str, Any] = {}
    body = members[field]
    if isinstance(body, dict):
        for name in body:
            _member(cursor, query, body, name, found)
    else:
        text_or_none(cursor, members, field)
        found["query"] = body
    if found.get("query") is None:
        raise IllegalArgument(f"[{query}] requires query value")
    return field, found


def match_phrase_prefix(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """As match_phrase; the last word is a prefix."""
    field, found = _on_one_field(cursor, "match_phrase_prefix", members)
    return dsl.MatchPhrasePrefix(
        field=field,
        query=found["query"],
        slop=found.get("slop", 0),
        max_expansions=found.get("max_expansions", 50),
        zero_terms_query=found.get("zero_terms_query", "none"),
        analyzer=found.get("analyzer"),
        **common(found),
    )


def match_bool_prefix(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """As match; the last word is a prefix."""
    field, found = _on_one_field(cursor, "match_bool_prefix", members)
    return dsl.MatchBoolPrefix(
        field=field,
        query=found["query"],
        operator=found.get("operator", "or"),
        minimum_should_match=found.get("minimum_should_match"),
        analyzer=found.get("analyzer"),
        **_fuzzy_arguments(found),
        **common(found),
    )


def multi_match(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"query": "text", "fields": ["title^2", "body"]}`."""
    found: dict[str, Any] = {}
    fields: list[tuple[str, float]] = []
    kind = dsl.MultiMatchType.BEST_FIELDS
    for name, value in members.items():
        if name == "fields":
            fields = _fields(cursor, members, name)
        elif name == "type" and isinstance(value, str):
            kind = type_of(value)
        else:
            _member(cursor, "multi_match", members, name, found)
    cursor.end(members)
    if "query" not in found:
        raise cursor.error("No text specified for multi_match query")
    if "fuzziness" in found and kind in _NEVER_FUZZY:
        raise cursor.error(f"Fuzziness not allowed for type [{kind.value}]")
    if found.get("slop") and kind is dsl.MultiMatchType.BOOL_PREFIX:
        raise cursor.error(f"[slop] not allowed for type [{kind.value}]")
    return dsl.MultiMatch(
        fields=tuple(fields),
        query=found["query"],
        type=kind,
        operator=found.get("operator", "or"),
        minimum_should_match=found.get("minimum_should_match"),
        tie_breaker=found.get("tie_breaker"),
        zero_terms_query=found.get("zero_terms_query", "none"),
        lenient=found.get("lenient"),
        slop=found.get("slop", 0),
        analyzer=found.get("analyzer"),
        fuzzy_rewrite=found.get("fuzzy_rewrite"),
        max_expansions=found.get("max_expansions", 50),
        **_fuzzy_arguments(found),
        **common(found),
    )


_NEVER_FUZZY = (
    dsl.MultiMatchType.CROSS_FIELDS,
    dsl.MultiMatchType.PHRASE,
    dsl.MultiMatchType.PHRASE_PREFIX,
)


def type_of(value: str) -> dsl.MultiMatchType:
    """Raises ParseError for a type that does not exist."""
    if value not in list(dsl.MultiMatchType):
        raise ParseError(f"failed to parse [multi_match] query type [{value}]. unknown type.")
    return dsl.MultiMatchType(value)


def _fields(cursor: Cursor, members: Mapping[str, Any], name: str) -> list[tuple[str, float]]:
    value = members[name]
    if isinstance(value, list):
        return [_field(cursor, value, index) for index in range(len(value))]
    if not isinstance(value, str | int | float):
        raise unsupported_member(cursor, "multi_match", members, name)
    return [_field(cursor, members, name)]


def _field(cursor: Cursor, container: Any, key: str | int) -> tuple[str, float]:
    if not isinstance(container[key], str | int | float):
        cursor.value(container, key)
        raise cursor.error(f"[multi_match] unknown token [{token(container[key])}] after [fields]")
    return with_boost(text_of(container[key]))


def with_boost(text: str) -> tuple[str, float]:
    """`title^2` as name and boost. Raises NumberFormatError."""
    name, caret, boost = text.partition("^")
    return name, float_from(boost) if caret else 1.0
