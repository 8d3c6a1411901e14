"""`retriever` of a search body."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.model import dsl
from sealane.query.collapse import read_collapse
from sealane.query.cursor import (
    NUMBER,
    OBJECT,
    OBJECT_ARRAY,
    STRING,
    Cursor,
    Member,
    as_float,
    as_int,
    plain,
    read_members,
)
from sealane.query.knn import knn_section_reader
from sealane.query.located import token
from sealane.query.members import NamedObjectNotFound
from sealane.query.queries import parse_inner
from sealane.query.rescore import read_rescore
from sealane.query.sorting import read_search_after, read_sort

_NOT_HERE = ("pinned", "random_reranker", "rule", "text_similarity_reranker")
_INSTEAD = (
    "query",
    "knn",
    "search_after",
    "terminate_after",
    "sort",
    "rescore",
)
"""Members of a body that a retriever stands for."""
_MAX_DEPTH = 10
_SEARCHED = ("query", "search_after", "terminate_after", "sort", "min_score", "collapse")
_knn_section = knn_section_reader(parse_inner)


def read_retriever(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.Retriever:
    """Raises ParsingError, XContentParseError and IllegalArgument."""
    return _retriever(cursor, members[name], 0)


def check_retriever(body: Mapping[str, Any], size: int | None, retriever: dsl.Retriever) -> None:
    """Raises ActionRequestValidation where a body says beside a retriever what that is to say."""
    wrong = [name for name in _INSTEAD if name in body]
    problems = [f"cannot specify [retriever] and [{', '.join(wrong)}]"] if wrong else []
    match retriever:
        case dsl.RrfRetriever(window=window):
            needs = f"[rrf] requires [rank_window_size: {window}]"
        case dsl.LinearRetriever(window=window):
            needs = f"[linear] requires [rank_window_size: {window}]"
        case dsl.RescorerRetriever(window=window):
            needs = f"[rescorer] requires [window_size: {window}]"
        case _:
            window, needs = 0, ""
    if needs and size is not None and window < size:
        problems.append(f"{needs} be greater than or equal to [size: {size}]")
    if problems:
        raise ActionRequestValidation(problems)


def _retriever(cursor: Cursor, value: Mapping[str, Any], depth: int) -> dsl.Retriever:
    if not value:
        cursor.end(value)
        raise cursor.error("retriever malformed, empty clause found")
    if depth >= _MAX_DEPTH:
        raise IllegalArgument(
            f"The nested depth of retrievers exceeds the maximum allowed depth of [{_MAX_DEPTH}]"
        )
    names = iter(value)
    kind = next(names)
    members = value[kind]
    cursor.value(value, kind)
    if not isinstance(members, dict):
        raise cursor.error(f"[{kind}] retriever malformed, no start_object after retriever name")
    parser = _PARSERS.get(kind)
    if parser is None:
        if kind in _NOT_HERE:
            raise cursor.error(f"[{kind}] retriever is not supported by this version")
        missing = NamedObjectNotFound(f"[{cursor.place}] unknown field [{kind}]")
        raise cursor.error(f"unknown retriever [{kind}]", caused_by=missing)
    found = parser(cursor, members, depth)
    second = next(names, None)
    if second is not None:
        cursor.key(value, second)
        raise cursor.error(
            f"[{kind}] malformed retriever, expected [END_OBJECT] but found [FIELD_NAME]"
        )
    return found


def _filters(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[bytes, ...]:
    value = members[name]
    if isinstance(value, dict):
        parse_inner(cursor, members, name)
        return (orjson.dumps(value),)
    for at in range(len(value)):
        parse_inner(cursor, value, at)
    return tuple(orjson.dumps(each) for each in value)


def _standard(cursor: Cursor, members: Mapping[str, Any], depth: int) -> dsl.Retriever:
    found = read_members(cursor, "standard", members, _STANDARD)
    search = {name: members[name] for name in _SEARCHED if name in members}
    return dsl.PlainRetriever(search=orjson.dumps(search), filters=found.get("filter", ()))


def _knn(cursor: Cursor, members: Mapping[str, Any], depth: int) -> dsl.Retriever:
    found = read_members(cursor, "knn", members, _KNN)
    for name in ("field", "k", "num_candidates"):
        if name not in found:
            raise IllegalArgument(f"Required [{name}]")
    clause = {name: members[name] for name in _CLAUSE if name in members}
    _knn_section(cursor, {"knn": clause}, "knn")
    search: dict[str, Any] = {"knn": clause}
    if "min_score" in members:
        search["min_score"] = members["min_score"]
    return dsl.PlainRetriever(search=orjson.dumps(search), filters=found.get("filter", ()))


def _rescorer(cursor: Cursor, members: Mapping[str, Any], depth: int) -> dsl.Retriever:
    found = read_members(cursor, "rescorer", members, _RESCORER)
    if "retriever" not in found or "rescore" not in found:
        missing = "retriever" if "retriever" not in found else "rescore"
        raise IllegalArgument(f"Required [{missing}]")
    return dsl.RescorerRetriever(
        inner=_retriever(cursor, members["retriever"], depth + 1),
        rescore=orjson.dumps(members["rescore"]),
        window=max((each.window_size for each in found["rescore"]), default=0),
        filters=found.get("filter", ()),
        min_score=found.get("min_score"),
    )


def _rrf(cursor: Cursor, members: Mapping[str, Any], depth: int) -> dsl.Retriever:
    found = read_members(cursor, "rrf", members, _RRF)
    if "retrievers" not in found:
        raise IllegalArgument("Required [retrievers]")
    children = []
    for at, item in enumerate(members["retrievers"]):
        if not isinstance(item, dict):
            cursor.value(members["retrievers"], at)
            raise cursor.error(f"expected a retriever but found [{token(item)}]")
        children.append(_retriever(cursor, item, depth + 1))
    _check_children(children)
    return dsl.RrfRetriever(
        children=tuple(children),
        window=found.get("rank_window_size", dsl.DEFAULT_RANK_WINDOW),
        constant=found.get("rank_constant", dsl.DEFAULT_RANK_CONSTANT),
        filters=found.get("filter", ()),
        min_score=found.get("min_score"),
    )


def _linear(cursor: Cursor, members: Mapping[str, Any], depth: int) -> dsl.Retriever:
    found = read_members(cursor, "linear", members, _LINEAR)
    if "retrievers" not in found:
        raise IllegalArgument("Required [retrievers]")
    parts = []
    for at, item in enumerate(members["retrievers"]):
        if not isinstance(item, dict):
            cursor.value(members["retrievers"], at)
            raise cursor.error(f"expected a retriever but found [{token(item)}]")
        part = read_members(cursor, "linear", item, _WEIGHTED)
        if "retriever" not in part:
            raise IllegalArgument("Required [retriever]")
        child = _retriever(cursor, item["retriever"], depth + 1)
        parts.append((child, part.get("weight", 1.0), part.get("normalizer", dsl.Normalizer.NONE)))
    _check_children([child for child, _, _ in parts])
    return dsl.LinearRetriever(
        children=tuple(child for child, _, _ in parts),
        weights=tuple(weight for _, weight, _ in parts),
        normalizers=tuple(normalizer for _, _, normalizer in parts),
        window=found.get("rank_window_size", dsl.DEFAULT_RANK_WINDOW),
        filters=found.get("filter", ()),
        min_score=found.get("min_score"),
    )


def _check_children(children: list[dsl.Retriever]) -> None:
    for child in children:
        if isinstance(child, dsl.PlainRetriever):
            search = orjson.loads(child.search)
            for name in ("search_after", "terminate_after"):
                if name in search:
                    raise ActionRequestValidation(
                        [f"[{name}] cannot be used in children of compound retrievers"]
                    )


def _weight(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    value = as_float(cursor, members, name)
    if value < 0:
        raise IllegalArgument("[weight] must be non-negative")
    return value


def _normalizer(_: Cursor, members: Mapping[str, Any], name: str) -> dsl.Normalizer:
    try:
        return dsl.Normalizer(members[name])
    except ValueError:
        raise IllegalArgument(f"Unknown normalizer [{members[name]}]") from None


def _positive(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value < 1:
        raise IllegalArgument(f"[{name}] must be greater than [0] for [rrf]")
    return value


_FILTER = Member(OBJECT_ARRAY, _filters)
_NAMED = {"_name": Member(STRING, plain), "min_score": Member(NUMBER, as_float), "filter": _FILTER}
_STANDARD = {
    **_NAMED,
    "query": Member(OBJECT, parse_inner),
    "search_after": Member(("START_ARRAY",), read_search_after),
    "terminate_after": Member(NUMBER, as_int),
    "sort": Member(("START_OBJECT", "START_ARRAY", "VALUE_STRING"), read_sort),
    "collapse": Member(OBJECT, read_collapse),
}
_CLAUSE = (
    "field",
    "query_vector",
    "query_vector_builder",
    "k",
    "num_candidates",
    "similarity",
    "rescore_vector",
)
_KNN = {
    **_NAMED,
    **{
        name: Member(("START_OBJECT", "START_ARRAY", "VALUE_NUMBER", "VALUE_STRING"), plain)
        for name in _CLAUSE
    },
}
_RESCORER = {
    **_NAMED,
    "retriever": Member(OBJECT, plain),
    "rescore": Member(OBJECT_ARRAY, read_rescore),
}
_FUSED = {**_NAMED, "rank_window_size": Member(NUMBER, _positive)}
_RRF = {
    **_FUSED,
    "retrievers": Member(("START_ARRAY",), plain),
    "rank_constant": Member(NUMBER, _positive),
}
_LINEAR = {**_FUSED, "retrievers": Member(("START_ARRAY",), plain)}
_WEIGHTED = {
    "retriever": Member(OBJECT, plain),
    "weight": Member(NUMBER, _weight),
    "normalizer": Member(STRING, _normalizer),
}
_PARSERS: dict[str, Callable[[Cursor, Mapping[str, Any], int], dsl.Retriever]] = {
    "standard": _standard,
    "knn": _knn,
    "rescorer": _rescorer,
    "rrf": _rrf,
    "linear": _linear,
}
