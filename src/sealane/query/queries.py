"""The query DSL: JSON objects to `model.dsl` queries, by name of the query.

Full text queries are in `text_queries`, those on the form of terms in `term_queries`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument, IllegalState, ParsingError, TooManyBooleanClauses
from sealane.model import dsl
from sealane.model.dates import check_format, zone
from sealane.query.compound_queries import boosting, wrapper
from sealane.query.cursor import (
    BOOLEAN,
    OBJECT_ARRAY,
    VALUE,
    Cursor,
    Member,
    as_bool,
    float_from,
    read_members,
    text_of,
)
from sealane.query.function_score import distance_feature, function_score_parser
from sealane.query.geo import geo_bounding_box, geo_distance, geo_polygon
from sealane.query.instead import refusal
from sealane.query.knn import SCORED_DOCS, knn_parser, scored_docs
from sealane.query.located import token
from sealane.query.members import (
    COMMON,
    NamedObjectNotFound,
    common,
    declared,
    read_common,
    required_field,
    single_field,
    text_or_none,
    unsupported_member,
)
from sealane.query.more_like_this import more_like_this
from sealane.query.names import QUERIES
from sealane.query.nested import nested_parser
from sealane.query.query_strings import query_string, simple_query_string
from sealane.query.suggest import did_you_mean
from sealane.query.term_queries import fuzzy, regexp, terms_set, wildcard
from sealane.query.terms_lookup import check_lookup
from sealane.query.text_queries import (
    match,
    match_bool_prefix,
    match_phrase,
    match_phrase_prefix,
    multi_match,
)

MAX_NESTED_DEPTH = 30
"""`indices.query.bool.max_nested_depth`."""
MAX_CLAUSES = 8192
"""Clauses of one bool query."""

QueryParser = Callable[[Cursor, Mapping[str, Any]], dsl.Query]


def parse_inner(cursor: Cursor, container: Any, key: str | int) -> dsl.Query:
    """The query that is `container[key]`. Raises ParsingError, IllegalArgument or XContentParseError."""
    body = container[key]
    if not isinstance(body, dict):
        cursor.value(container, key)
        raise cursor.error("[_na] query malformed, must start with start_object")
    if not body:
        raise IllegalArgument(f"query malformed, empty clause found at [{cursor.end(body)}]")
    names = iter(body)
    name = next(names)
    members = body[name]
    cursor.value(body, name)
    if not isinstance(members, dict):
        raise cursor.error(f"[{name}] query malformed, no start_object after query name")
    parser = _PARSERS.get(name)
    if parser is None:
        raise _unknown(cursor, name)
    cursor.depth += 1
    if cursor.depth > MAX_NESTED_DEPTH:
        raise IllegalArgument(
            "The nested depth of the query exceeds the maximum nested depth for queries set in "
            "[indices.query.bool.max_nested_depth]"
        )
    query = parser(cursor, members)
    cursor.depth -= 1
    second = next(names, None)
    if second is not None:
        cursor.key(body, second)
        raise cursor.error(
            f"[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )
    cursor.end(body)
    return query


def _unknown(cursor: Cursor, name: str) -> ParsingError:
    if name in QUERIES:
        return cursor.error(refusal(name))
    missing = NamedObjectNotFound(f"[{cursor.place}] unknown field [{name}]")
    return cursor.error(f"unknown query [{name}]{did_you_mean(name, QUERIES)}", caused_by=missing)


_read_match_all = declared("match_all", {})


def _match_all(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    return dsl.MatchAll(**common(_read_match_all(cursor, members)))


def _match_none(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    for name in members:
        if not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "match_none", members, name)
    return dsl.MatchNone(**common(found))


def _term(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    field = single_field(cursor, "term", members)
    if field is None or members[field] is None:
        raise IllegalArgument("field name is null or empty")
    body = members[field]
    if isinstance(body, list):
        cursor.value(members, field)
        raise cursor.error("[term] query does not support array of values")
    if not isinstance(body, dict):
        return dsl.Term(field=required_field(field), value=body)
    found: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, list):
            cursor.value(body, name)
            raise cursor.error(
                "[term] query does not support arrays for value - use a bool query with multiple term clauses in the "
                "should section or use a Terms query if scoring is not required"
            )
        if isinstance(value, dict):
            inner = next(iter(value), None)
            raise unsupported_member(cursor, "term", value if inner else body, inner or name)
        if name in ("value", "term"):
            found["value"] = value
        elif name == "case_insensitive":
            found[name] = as_bool(cursor, body, name)
        elif not read_common(cursor, body, name, found):
            raise unsupported_member(cursor, "term", body, name)
    if found.get("value") is None:
        raise IllegalArgument("value cannot be null")
    return dsl.Term(
        field=required_field(field),
        value=found["value"],
        case_insensitive=found.get("case_insensitive", False),
        **common(found),
    )


def _terms(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    field: str | None = None
    values: list[dsl.Scalar] = []
    found: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, list):
            if field is not None:
                cursor.value(members, name)
                raise cursor.error("[terms] query does not support multiple fields")
            field, values = name, _term_values(cursor, name, value)
        elif isinstance(value, dict):
            if field is not None:
                cursor.value(members, name)
                raise cursor.error("[terms] query does not support multiple fields")
            check_lookup(cursor, value)
            cursor.lookups = True
            field = name
        elif not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "terms", members, name)
    if field is None:
        cursor.end(members)
        raise cursor.error(
            "[terms] query requires a field name, followed by array of terms or a document lookup specification"
        )
    return dsl.Terms(field=required_field(field), values=tuple(values), **common(found))


def _term_values(cursor: Cursor, field: str, values: list[Any]) -> list[dsl.Scalar]:
    for index, value in enumerate(values):
        if value is None:
            cursor.value(values, index)
            raise cursor.error("No value specified for terms query")
        if isinstance(value, list | dict):
            cursor.value(values, index)
            raise cursor.error(f"[terms] unknown token [{token(value)}] after [{field}]")
    return values


def _range(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    outer: dict[str, Any] = {}
    fields = {}
    for name, value in members.items():
        if isinstance(value, dict):
            fields[name] = value
            if len(fields) > 1:
                single_field(cursor, "range", members, ignored=("_name",))
        elif isinstance(value, str | int | float):
            if name != "_name":
                raise unsupported_member(cursor, "range", members, name)
            outer["_name"] = text_of(value)
    field = required_field(next(iter(fields), None))
    bounds = _Bounds()
    found: dict[str, Any] = dict(outer)
    body = fields[field]
    for name, value in body.items():
        if isinstance(value, list | dict):
            raise unsupported_member(cursor, "range", body, name)
        if name in _BOUNDS:
            bounds.take(name, value)
        elif name in ("include_lower", "include_upper"):
            bounds.includes[name] = as_bool(cursor, body, name)
        elif name == "time_zone":
            found[name] = text_of(value)
            zone(found[name])
        elif name == "format":
            found[name] = text_of(value)
            check_format(found[name])
        elif name == "relation":
            if str(value).lower() not in ("intersects", "contains", "within", "disjoint"):
                raise IllegalArgument(f"{value} is not a valid relation")
        elif not read_common(cursor, body, name, found):
            raise unsupported_member(cursor, "range", body, name)
    return dsl.Range(
        field=field,
        format=found.get("format"),
        time_zone=found.get("time_zone"),
        **bounds.arguments(),
        **common(found),
    )


_BOUNDS = ("from", "to", "gt", "gte", "lt", "lte")


class _Bounds:
    """The two ends of a range, in all the ways they are written; what is written last counts."""

    def __init__(self) -> None:
        self.ends: dict[str, dsl.Scalar | None] = {}
        self.includes = {"include_lower": True, "include_upper": True}

    def take(self, name: str, value: dsl.Scalar | None) -> None:
        lower = name in ("from", "gt", "gte")
        self.ends["lower" if lower else "upper"] = value
        if name not in ("from", "to"):
            self.includes["include_lower" if lower else "include_upper"] = name in ("gte", "lte")

    def arguments(self) -> dict[str, Any]:
        lower = "gte" if self.includes["include_lower"] else "gt"
        upper = "lte" if self.includes["include_upper"] else "lt"
        return {lower: self.ends.get("lower"), upper: self.ends.get("upper")}


def _exists(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    for name, value in members.items():
        if not isinstance(value, str | int | float):
            cursor.value(members, name)
            raise cursor.error(f"[exists] unknown token [{token(value)}] after [{name}]")
        if name == "field":
            found[name] = text_of(value)
        elif not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "exists", members, name)
    if "field" not in found:
        cursor.end(members)
        raise cursor.error("[exists] must be provided with a [field]")
    return dsl.Exists(field=required_field(found["field"]), **common(found))


def _prefix(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    field = required_field(single_field(cursor, "prefix", members))
    body = members[field]
    found: dict[str, Any] = {}
    if not isinstance(body, dict):
        found["value"] = text_or_none(cursor, members, field)
    else:
        for name in body:
            if name == "value":
                found[name] = text_or_none(cursor, body, name)
            elif name == "case_insensitive":
                found[name] = as_bool(cursor, body, name)
            elif name == "rewrite":
                found[name] = text_or_none(cursor, body, name)
            elif not read_common(cursor, body, name, found):
                raise unsupported_member(cursor, "prefix", body, name)
    if found.get("value") is None:
        raise IllegalArgument("value cannot be null")
    return dsl.Prefix(
        field=field,
        value=found["value"],
        case_insensitive=found.get("case_insensitive", False),
        rewrite=found.get("rewrite"),
        **common(found),
    )


def _id_values(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = members[name]
    if not isinstance(values, list):
        return (text_of(values),)
    ids = []
    for index, value in enumerate(values):
        text = text_or_none(cursor, values, index)
        if text is None:
            place = cursor.value(values, index)
            raise IllegalArgument(f"Expected text at {place} but found {token(value)}")
        ids.append(text)
    return tuple(ids)


_read_ids = declared(
    "ids", {"values": Member(("VALUE_STRING", "VALUE_NUMBER", "START_ARRAY"), _id_values)}
)


def _ids(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found = _read_ids(cursor, members)
    return dsl.Ids(values=found.get("values", ()), **common(found))


# -- compound queries --------------------------------------------------------------------------------------------


def _clauses(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.Query, ...]:
    value = members[name]
    if value is None:
        return ()
    if isinstance(value, dict):
        return (parse_inner(cursor, members, name),)
    clauses = []
    for index, item in enumerate(value):
        if isinstance(item, list):
            cursor.value(value, index)
            raise IllegalState("expected value but got [START_ARRAY]")
        clauses.append(parse_inner(cursor, value, index))
    return tuple(clauses)


_CLAUSES = Member((*OBJECT_ARRAY, "VALUE_NULL"), _clauses)
_BOOL = {
    **COMMON,
    "must": _CLAUSES,
    "filter": _CLAUSES,
    "should": _CLAUSES,
    "must_not": _CLAUSES,
    "mustNot": _CLAUSES,
    "minimum_should_match": Member(VALUE, lambda _, m, n: None if m[n] is None else text_of(m[n])),
    "adjust_pure_negative": Member(BOOLEAN, as_bool),
}


def _bool(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found = read_members(cursor, "bool", members, _BOOL)
    groups = {name: found.get(name, ()) for name in ("must", "filter", "should", "must_not")}
    groups["must_not"] += found.get("mustNot", ())
    if sum(map(len, groups.values())) > MAX_CLAUSES:
        raise TooManyBooleanClauses(MAX_CLAUSES)
    return dsl.Bool(
        **groups, minimum_should_match=found.get("minimum_should_match"), **common(found)
    )


def _constant_score(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """Every match scores `boost`: a filter beside a query that matches all."""
    found: dict[str, Any] = {}
    inner: dsl.Query | None = None
    for name, value in members.items():
        if name == "filter" and isinstance(value, dict):
            if inner is not None:
                cursor.value(members, name)
                raise cursor.error("[constant_score] accepts only one [filter] element.")
            inner = parse_inner(cursor, members, name)
        elif isinstance(value, list):
            cursor.value(members, name)
            raise cursor.error("unexpected token [START_ARRAY]")
        elif not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "constant_score", members, name)
    if inner is None:
        cursor.end(members)
        raise cursor.error("[constant_score] requires a 'filter' element")
    return dsl.Bool(must=(dsl.MatchAll(),), filter=(inner,), **common(found))


def _dis_max(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found: dict[str, Any] = {}
    queries: list[dsl.Query] = []
    for name, value in members.items():
        if name == "queries" and isinstance(value, dict):
            queries.append(parse_inner(cursor, members, name))
        elif name == "queries" and isinstance(value, list):
            if not value:
                cursor.end(value)
                raise cursor.error("[_na] query malformed, must start with start_object")
            queries += [parse_inner(cursor, value, index) for index in range(len(value))]
        elif name == "tie_breaker" and isinstance(value, str | int | float):
            cursor.value(members, name)
            found[name] = float_from(value) if isinstance(value, str) else float(value)
        elif not read_common(cursor, members, name, found):
            raise unsupported_member(cursor, "dis_max", members, name)
    if not queries:
        cursor.end(members)
        raise cursor.error("[dis_max] requires 'queries' field with at least one clause")
    return dsl.DisMax(
        queries=tuple(queries), tie_breaker=found.get("tie_breaker", 0.0), **common(found)
    )


_PARSERS: dict[str, QueryParser] = {
    "match_all": _match_all,
    "match_none": _match_none,
    "term": _term,
    "terms": _terms,
    "range": _range,
    "exists": _exists,
    "prefix": _prefix,
    "ids": _ids,
    "bool": _bool,
    "constant_score": _constant_score,
    "dis_max": _dis_max,
    "match": match,
    "match_phrase": match_phrase,
    "match_phrase_prefix": match_phrase_prefix,
    "match_bool_prefix": match_bool_prefix,
    "multi_match": multi_match,
    "wildcard": wildcard,
    "regexp": regexp,
    "fuzzy": fuzzy,
    "terms_set": terms_set,
    "more_like_this": more_like_this,
    "query_string": query_string,
    "simple_query_string": simple_query_string,
    "boosting": lambda cursor, members: boosting(cursor, members, parse_inner),
    "wrapper": lambda cursor, members: wrapper(cursor, members, parse_inner),
    "function_score": function_score_parser(parse_inner),
    "distance_feature": distance_feature,
    "nested": nested_parser(parse_inner),
    "geo_bounding_box": geo_bounding_box,
    "geo_distance": geo_distance,
    "geo_polygon": geo_polygon,
    "knn": knn_parser(parse_inner),
    SCORED_DOCS: scored_docs,
}
