"""`knn`, as a query and as a section of a search body, and the documents that a search found in an earlier phase."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sealane.errors import IllegalArgument, XContentParseError
from sealane.model import dsl
from sealane.query.cursor import (
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    Cursor,
    Member,
    as_float,
    as_int,
    float_from,
    plain,
    read_members,
)
from sealane.query.located import token
from sealane.query.members import COMMON

SCORED_DOCS = "_scored_docs"
"""A query of our own, between the phases of one search: no client writes it."""
_CANDIDATES = 1.5
_Inner = Callable[[Cursor, Any, Any], dsl.Query]
QueryParser = Callable[[Cursor, Mapping[str, Any]], dsl.Query]


def knn_parser(parse_inner: _Inner) -> QueryParser:
    """The parser of the `knn` query. It raises XContentParseError and IllegalArgument."""
    known = {**_members(parse_inner), **COMMON}

    def parse(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
        found = read_members(cursor, "knn", members, known)
        k, candidates = found.get("k"), found.get("num_candidates")
        if "field" not in found:
            raise IllegalArgument("Required [field]")
        try:
            _check_sizes(k, candidates)
            return _knn(found, k, candidates)
        except IllegalArgument as error:
            raise XContentParseError(
                "Failed to build [knn] after last required field arrived", caused_by=error
            ) from None

    return parse


def knn_section_reader(parse_inner: _Inner) -> Callable[..., tuple[dsl.Knn, ...]]:
    """The reader of the section `knn` of a search body: one clause, or several."""
    known = {**_members(parse_inner), **COMMON, "inner_hits": Member(OBJECT, plain)}

    def clause(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Knn:
        found = read_members(cursor, "knn", members, known)
        if "field" not in found:
            raise IllegalArgument("Required [field]")
        return _knn(found, found.get("k"), found.get("num_candidates"))

    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.Knn, ...]:
        value = members[name]
        if isinstance(value, dict):
            return (clause(cursor, value),)
        for at, item in enumerate(value):
            if not isinstance(item, dict):
                cursor.value(value, at)
                raise cursor.content_error(
                    "malformed knn format, within the knn search array only objects are allowed; "
                    f"found {token(item)}"
                )
        return tuple(clause(cursor, item) for item in value)

    return read


def sized(clauses: tuple[dsl.Knn, ...], size: int) -> tuple[dsl.Knn, ...]:
    """The clauses of a section, with what they leave to the size of the search. Raises IllegalArgument."""
    found = []
    for clause in clauses:
        k = size if clause.k is None else clause.k
        candidates = clause.num_candidates
        if candidates is None:
            candidates = min(round(_CANDIDATES * k), dsl.MAX_CANDIDATES)
        _check_sizes(k, candidates)
        found.append(replace(clause, k=k, num_candidates=candidates))
    return tuple(found)


def _check_sizes(k: int | None, candidates: int | None) -> None:
    if k is not None and k < 1:
        raise IllegalArgument("[k] must be greater than 0")
    if candidates is None:
        return
    if k is not None and candidates < k:
        raise IllegalArgument("[num_candidates] cannot be less than [k]")
    if candidates > dsl.MAX_CANDIDATES:
        raise IllegalArgument(f"[num_candidates] cannot exceed [{dsl.MAX_CANDIDATES}]")
    if candidates < 1:
        raise IllegalArgument("[num_candidates] must be greater than 0")


def _knn(found: Mapping[str, Any], k: int | None, candidates: int | None) -> dsl.Knn:
    if "query_vector" not in found:
        raise IllegalArgument("either [query_vector_builder] or [query_vector] must be provided")
    return dsl.Knn(
        field=found["field"],
        vector=found["query_vector"],
        k=k,
        num_candidates=candidates,
        similarity=found.get("similarity"),
        filters=found.get("filter", ()),
        boost=found.get("boost", 1.0),
        name=found.get("_name"),
    )


def _vector(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[float, ...]:
    """Numbers, one number, or bytes as hex digits."""
    value = members[name]
    if isinstance(value, str):
        try:
            data = bytes.fromhex(value)
        except ValueError:
            raise IllegalArgument(f"failed to parse query vector as hex: [{value}]") from None
        return tuple(float(each - 256 if each > 127 else each) for each in data)
    if not isinstance(value, list):
        value = [value]
    numbers: list[float] = []
    for at, item in enumerate(value):
        cursor.value(value, at)
        if isinstance(item, str):
            numbers.append(float_from(item))
        elif isinstance(item, bool) or not isinstance(item, int | float):
            raise IllegalArgument(f"Type [{token(item)}] not supported for query vector")
        else:
            numbers.append(float(item))
    return tuple(numbers)


def _members(parse_inner: _Inner) -> dict[str, Member]:
    def filters(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.Query, ...]:
        value = members[name]
        if isinstance(value, dict):
            return (parse_inner(cursor, members, name),)
        return tuple(parse_inner(cursor, value, at) for at in range(len(value)))

    def builder(_: Cursor, members: Mapping[str, Any], name: str) -> None:
        raise IllegalArgument(f"[{name}] is not supported by this version: give a [query_vector]")

    def rescore(cursor: Cursor, members: Mapping[str, Any], name: str) -> None:
        """Every vector is compared exactly: there is nothing to look at again."""
        read_members(cursor, "rescore_vector", members[name], _RESCORE)

    return {
        "field": Member(STRING, plain),
        "query_vector": Member((*STRING, "START_ARRAY", "VALUE_NUMBER"), _vector),
        "query_vector_builder": Member(OBJECT, builder),
        "k": Member(NUMBER, as_int),
        "num_candidates": Member(NUMBER, as_int),
        "similarity": Member(NUMBER, as_float),
        "filter": Member(OBJECT_ARRAY, filters),
        "rescore_vector": Member(OBJECT, rescore),
    }


_RESCORE = {"oversample": Member(NUMBER, as_float)}


# -- between phases ----------------------------------------------------------------------------------------------


def scored_docs(_: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """Raises IllegalArgument for what no phase of a search writes."""
    try:
        docs = tuple(
            dsl.ScoredDoc(str(index), int(shard), str(doc_id), float(score))
            for index, shard, doc_id, score in members["docs"]
        )
    except (KeyError, TypeError, ValueError):
        raise IllegalArgument(f"malformed [{SCORED_DOCS}]") from None
    return dsl.ScoredDocs(docs=docs, name=members.get("_name"))


def scored_docs_json(docs: Any, name: str | None = None) -> dict[str, Any]:
    """The query that finds exactly these ScoredDocs."""
    shown: dict[str, Any] = {"docs": [[d.index, d.shard, d.id, d.score] for d in docs]}
    if name is not None:
        shown["_name"] = name
    return {SCORED_DOCS: shown}
