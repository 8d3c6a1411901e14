"""`nested`: the query with its inner hits, sorting by nested objects, and the two aggregations."""

from collections.abc import Callable, Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dsl.joined import (
    Nested,
    NestedAgg,
    NestedHits,
    NestedSort,
    ReverseNestedAgg,
)
from sealane.query.cursor import Cursor, as_bool, as_int, text_of
from sealane.query.inner_hits import read_inner_hits
from sealane.query.located import token
from sealane.query.members import common, read_common, unsupported_member

InnerParser = Callable[[Cursor, Any, "str | int"], dsl.Query]
_MODES = ("avg", "max", "min", "sum", "none")
_DEFAULT_HITS = 3


def nested_parser(parse_inner: InnerParser) -> Callable[..., dsl.Query]:
    """The parser of the query; `parse_inner` reads the query inside."""

    def parse(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
        found: dict[str, Any] = {}
        for name, value in members.items():
            if isinstance(value, dict):
                if name == "query":
                    found[name] = parse_inner(cursor, members, name)
                elif name == "inner_hits":
                    cursor.value(members, name)
                    found[name] = _nested_hits(cursor, value)
                else:
                    raise unsupported_member(cursor, "nested", members, name)
            elif isinstance(value, str | int | float):
                _read_option(cursor, members, name, found)
        for name in ("path", "query"):
            if found.get(name) is None:
                raise IllegalArgument(f"[nested] requires '{name}' field")
        return Nested(
            path=found["path"],
            query=found["query"],
            score_mode=found.get("score_mode", "avg"),
            ignore_unmapped=found.get("ignore_unmapped", False),
            inner_hits=found.get("inner_hits"),
            **common(found),
        )

    return parse


def _read_option(
    cursor: Cursor, members: Mapping[str, Any], name: str, found: dict[str, Any]
) -> None:
    value = members[name]
    if name == "path":
        found[name] = text_of(value)
    elif name == "ignore_unmapped":
        found[name] = as_bool(cursor, members, name)
    elif name == "score_mode":
        found[name] = text_of(value)
        if found[name] not in _MODES:
            raise IllegalArgument(f"No score mode for child query [{found[name]}] found")
    elif not read_common(cursor, members, name, found):
        raise unsupported_member(cursor, "nested", members, name)


def _nested_hits(cursor: Cursor, value: Mapping[str, Any]) -> NestedHits:
    # Highlighting has queries of its own: the two modules need each other.
    from sealane.query.highlight import read_highlight

    found = read_inner_hits(cursor, value)
    for name in ("script_fields", "explain"):
        if found.get(name):
            cursor.key(value, name)
            raise cursor.error(f"[{name}] is not supported in the [inner_hits] of [nested] queries")
    body: dict[str, Any] = {
        "from_": found.get("from", 0),
        "size": found.get("size", _DEFAULT_HITS),
        "sort": found.get("sort", ()),
        "version": found.get("version", False),
        "seq_no_primary_term": found.get("seq_no_primary_term", False),
        "track_scores": found.get("track_scores", False),
        "fields": found.get("fields", ()),
        "docvalue_fields": found.get("docvalue_fields", ()),
    }
    if "highlight" in found:
        body["highlight"] = read_highlight(cursor, value, "highlight")
    if "_source" in found:
        body["source"] = found["_source"]
    elif "_none_" in found.get("stored_fields", ()):
        body["source"] = dsl.SourceFilter(enabled=False)
    return NestedHits(
        name=found.get("name"),
        ignore_unmapped=found.get("ignore_unmapped", False),
        body=dsl.SearchBody(raw=b"", **body),
    )


def read_nested_sort(
    cursor: Cursor, members: Mapping[str, Any], parse_inner: InnerParser
) -> NestedSort:
    """The `nested` of a sort."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        cursor.value(members, name)
        if isinstance(value, dict) and name == "filter":
            found[name] = parse_inner(cursor, members, name)
        elif isinstance(value, dict) and name == "nested":
            found[name] = read_nested_sort(cursor, value, parse_inner)
        elif isinstance(value, str | int | float) and name == "path":
            found[name] = text_of(value)
        elif isinstance(value, str | int | float) and name == "max_children":
            found[name] = as_int(cursor, members, name)
        else:
            raise IllegalArgument(f"malformed nested sort format, unknown field name [{name}]")
    return NestedSort(**found)


def read_nested_agg(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    path = _path(cursor, agg, container[kind], kind)
    if path is None:
        cursor.end(container[kind])
        raise cursor.error(f"Missing [path] field for nested aggregation [{agg}]")
    return {"build": NestedAgg, "path": path}


def read_reverse_nested_agg(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    return {"build": ReverseNestedAgg, "path": _path(cursor, agg, container[kind], kind)}


def _path(cursor: Cursor, agg: str, body: Mapping[str, Any], kind: str) -> str | None:
    path: str | None = None
    for name, value in body.items():
        cursor.value(body, name)
        if isinstance(value, str):
            if name != "path":
                raise cursor.error(f"Unknown key for a VALUE_STRING in [{agg}]: [{name}].")
            path = value
        else:
            raise cursor.error(f"Unexpected token {token(value)} in [{agg}].")
    return path
