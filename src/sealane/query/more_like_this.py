"""more_like_this: texts and documents that others should be like, or unlike."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.any_json import dumps
from sealane.query.cursor import Convert, Cursor, as_bool, as_float, as_int, text_of
from sealane.query.located import token
from sealane.query.members import common, read_common, unsupported_member


def _most_terms(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
    value = as_int(cursor, members, name)
    if value <= 0:
        raise IllegalArgument("requires 'maxQueryTerms' to be greater than 0")
    return value


def _spec(_: Cursor, members: Mapping[str, Any], name: str) -> str:
    return text_of(members[name])


_VALUES: dict[str, Convert] = {
    "analyzer": _spec,
    "boost_terms": as_float,
    "fail_on_unsupported_field": as_bool,
    "include": as_bool,
    "max_doc_freq": as_int,
    "max_query_terms": _most_terms,
    "max_word_length": as_int,
    "min_doc_freq": as_int,
    "min_term_freq": as_int,
    "min_word_length": as_int,
    "minimum_should_match": _spec,
}


def more_like_this(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"fields": [...], "like": "text", ...}`; `like` may name documents, too."""
    found: dict[str, Any] = {"like": ([], []), "unlike": ([], [])}
    for name, value in members.items():
        _member(cursor, members, name, value, found)
    cursor.end(members)
    texts, documents = found["like"]
    if not texts and not documents:
        raise cursor.error("more_like_this requires 'like' to be specified")
    if found.get("fields") == ():
        raise cursor.error("more_like_this requires 'fields' to be non-empty")
    if any(each.id is not None for each in (*documents, *found["unlike"][1])):
        cursor.lookups = True
    options = {name: found[name] for name in (*_VALUES, "stop_words", "fields") if name in found}
    return dsl.MoreLikeThis(
        texts=tuple(texts),
        documents=tuple(documents),
        unlike_texts=tuple(found["unlike"][0]),
        unlike_documents=tuple(found["unlike"][1]),
        **options,
        **common(found),
    )


def _member(
    cursor: Cursor, members: Mapping[str, Any], name: str, value: Any, found: dict[str, Any]
) -> None:
    if name in ("like", "unlike"):
        if value is not None:
            for item in value if isinstance(value, list) else [value]:
                _like(cursor, item, *found[name])
    elif isinstance(value, list):
        if name not in ("fields", "stop_words"):
            raise unsupported_member(cursor, "mlt", members, name)
        found[name] = _texts(cursor, value)
    elif value is None:
        if name not in _VALUES:
            raise unsupported_member(cursor, "mlt", members, name)
    elif isinstance(value, str | int | float) and name in _VALUES:
        found[name] = _VALUES[name](cursor, members, name)
    elif not read_common(cursor, members, name, found):
        raise unsupported_member(cursor, "mlt", members, name)


def _texts(cursor: Cursor, values: list[Any]) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if not isinstance(value, str | int | float):
            place = cursor.value(values, index)
            raise IllegalArgument(f"Expected text at {place} but found {token(value)}")
    return tuple(text_of(each) for each in values)


def _like(cursor: Cursor, item: Any, texts: list[str], documents: list[dsl.LikeDocument]) -> None:
    if isinstance(item, dict):
        documents.append(_document(item))
    elif isinstance(item, list) or item is None:
        raise IllegalArgument("Content of 'like' parameter should either be a string or an object")
    else:
        texts.append(text_of(item))


_IGNORED = ("version", "version_type", "_version", "_version_type", "per_field_analyzer")


def _document(item: Mapping[str, Any]) -> dsl.LikeDocument:
    found: dict[str, Any] = {}
    for name, value in item.items():
        if name in ("_index", "_id", "routing", "_routing"):
            found[name.lstrip("_")] = None if value is None else text_of(value)
        elif name == "doc" and isinstance(value, dict):
            found["source"] = dumps(value)
        elif name == "fields" and isinstance(value, list):
            found["fields"] = tuple(map(str, value))
        elif name not in _IGNORED:
            raise ParseError(f"failed to parse More Like This item. unknown field [{name}]")
    if found.get("id") is not None and "source" in found:
        raise ParseError(
            "failed to parse More Like This item. either [id] or [doc] can be specified, "
            "but not both!"
        )
    if found.get("id") is None and "source" not in found:
        raise ParseError(
            "failed to parse More Like This item. neither [id] nor [doc] is specified!"
        )
    return dsl.LikeDocument(**found)
