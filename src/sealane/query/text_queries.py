"""The full text queries: match, match_phrase, multi_match."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from sealane.errors import IllegalArgument, ParseError, ParsingError
from sealane.model import dsl
from sealane.query.cursor import Cursor, as_bool, as_float, as_int, float_from, text_of
from sealane.query.located import token
from sealane.query.members import (
    common,
    read_common,
    single_field,
    text_or_none,
    unsupported_member,
)

_WITHOUT_EFFECT = (
    # They tune fuzzy matching and synonyms, which do not exist here.
    "auto_generate_synonyms_phrase_query",
    "fuzzy_rewrite",
    "fuzzy_transpositions",
    "max_expansions",
    "prefix_length",
)
_ZERO_TERMS = ("none", "all")


def _operator(value: Any) -> Literal["or", "and"]:
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


def _not_here(cursor: Cursor, query: str, members: Mapping[str, Any], name: str) -> ParsingError:
    cursor.value(members, name)
    return cursor.error(f"[{query}] [{name}] is not supported by this version")


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
    allowed = _MEMBERS[query]
    if name == "query":
        found[name] = value
    elif name == "operator" and name in allowed:
        found[name] = _operator(value)
    elif name == "minimum_should_match" and name in allowed:
        found[name] = text_of(value)
    elif name == "zero_terms_query":
        found[name] = _zero_terms(cursor, members, name)
    elif name == "lenient" and name in allowed:
        found[name] = as_bool(cursor, members, name)
    elif name == "slop" and name in allowed:
        found[name] = _slop(cursor, members, name)
    elif name == "tie_breaker" and name in allowed:
        found[name] = as_float(cursor, members, name)
    elif name == "analyzer":
        if value != "standard":
            raise _not_here(cursor, query, members, name)
    elif name == "fuzziness" and name in allowed:
        if text_of(value) != "0":
            raise _not_here(cursor, query, members, name)
    elif name in _WITHOUT_EFFECT and name in allowed:
        pass
    elif not read_common(cursor, members, name, found):
        raise unsupported_member(cursor, query, members, name)


_MATCH = {"operator", "minimum_should_match", "lenient", "fuzziness", *_WITHOUT_EFFECT}
_MEMBERS = {
    "match": _MATCH,
    "match_phrase": {"slop"},
    "multi_match": _MATCH | {"slop", "tie_breaker"},
}


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
        **common(found),
    )


def match_phrase(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "text"}` or `{"field": {"query": "text", "slop": 1}}`."""
    field = single_field(cursor, "match_phrase", members)
    if field is None:
        raise IllegalArgument("[match_phrase] requires fieldName")
    found: dict[str, Any] = {}
    body = members[field]
    if isinstance(body, dict):
        for name in body:
            _member(cursor, "match_phrase", body, name, found)
    else:
        text_or_none(cursor, members, field)
        found["query"] = body
    if found.get("query") is None:
        raise IllegalArgument("[match_phrase] requires query value")
    return dsl.MatchPhrase(
        field=field,
        query=found["query"],
        slop=found.get("slop", 0),
        zero_terms_query=found.get("zero_terms_query", "none"),
        **common(found),
    )


_TYPES_NOT_HERE = ("phrase_prefix", "bool_prefix")


def multi_match(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"query": "text", "fields": ["title^2", "body"]}`."""
    found: dict[str, Any] = {}
    fields: list[tuple[str, float]] = []
    kind = dsl.MultiMatchType.BEST_FIELDS
    for name, value in members.items():
        if name == "fields":
            fields = _fields(cursor, members, name)
        elif name == "type" and isinstance(value, str):
            kind = _type(cursor, members, name)
        else:
            _member(cursor, "multi_match", members, name, found)
    cursor.end(members)
    if "query" not in found:
        raise cursor.error("No text specified for multi_match query")
    return dsl.MultiMatch(
        fields=tuple(fields),
        query=found["query"],
        type=kind,
        operator=found.get("operator", "or"),
        minimum_should_match=found.get("minimum_should_match"),
        tie_breaker=found.get("tie_breaker"),
        zero_terms_query=found.get("zero_terms_query", "none"),
        lenient=found.get("lenient", False),
        slop=found.get("slop", 0),
        **common(found),
    )


def _type(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.MultiMatchType:
    value = members[name]
    if value in _TYPES_NOT_HERE:
        cursor.value(members, name)
        raise cursor.error(f"[multi_match] type [{value}] is not supported by this version")
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
    name, caret, boost = text_of(container[key]).partition("^")
    return name, float_from(boost) if caret else 1.0
