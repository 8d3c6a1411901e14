"""The queries of roles that say which documents may be seen: read once, and kept.

One may be a template, `{"template": {"source": ..., "params": ...}}`, that is filled in for each user: `_user` has
`username`, `full_name`, `email`, `roles` and `metadata`. What needs another document to be read is refused: who may see
what cannot depend on it.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sealane.errors import (
    ApiError,
    IllegalArgument,
    ParsingError,
    RefusedUnderLimits,
    ResourceNotFound,
    XContentParseError,
)
from sealane.model.dsl import Bool, MatchNone, Query, SearchBody
from sealane.model.security import Subject
from sealane.query.any_json import dumps
from sealane.query.cursor import Cursor
from sealane.query.json_text import decode
from sealane.query.located import LocatedDict, scan, token
from sealane.query.mustache import render
from sealane.query.queries import parse_inner
from sealane.query.template_body import Template

Sides = tuple[tuple[bytes, ...], ...]
"""Queries as JSON: a document must match any of each side's."""

TEMPLATE: Final = "template"
_LOOKUP: Final = frozenset(("index", "id", "path"))


def check_role_query(text: str) -> None:
    """What can be told of a role's query before anybody uses it; of a template that is nothing.

    Raises the error that the reference gives as the cause: XContentParseError, ParsingError, IllegalArgument.
    """
    _read(text.encode("utf-8", "surrogatepass"))


def refuse_with_hidden_documents(body: SearchBody) -> None:
    """Raises RefusedUnderLimits for what a search may not ask for: it would tell of documents that are hidden."""
    if body.suggest:
        raise RefusedUnderLimits("Suggest isn't supported if document level security is enabled")
    if body.profile:
        raise RefusedUnderLimits(
            "A search request cannot be profiled if document level security is enabled"
        )


def visible_query(sides: Sides, subject: Subject) -> Query:
    """The documents that the queries of all sides let the subject see. A side without any lets it see none.

    Raises ApiError for a query that cannot be read, or a template that is malformed: then nothing may be seen.
    """
    known = _of_everybody(sides)
    if known is not None:
        return known
    return _joined(tuple(_texts(side, subject) for side in sides))


@lru_cache(maxsize=1_024)
def _of_everybody(sides: Sides) -> Query | None:
    """None where the subject matters."""
    if any(isinstance(_read(each), Template) for side in sides for each in side):
        return None
    return _joined(sides)


def _texts(side: tuple[bytes, ...], subject: Subject) -> tuple[bytes, ...]:
    found = []
    for each in side:
        read = _read(each)
        found.append(_rendered(read, subject) if isinstance(read, Template) else each)
    return tuple(found)


@lru_cache(maxsize=4_096)
def _joined(sides: Sides) -> Query:
    found: list[Query] = []
    for side in sides:
        queries = tuple(_parsed(each) for each in side)
        if not queries:
            return MatchNone()
        several = Bool(should=queries, minimum_should_match="1")
        found.append(queries[0] if len(queries) == 1 else several)
    return found[0] if len(found) == 1 else Bool(filter=tuple(found))


def _rendered(template: Template, subject: Subject) -> bytes:
    if template.id is not None:
        raise ResourceNotFound(f"unable to find script [{template.id}] in cluster state")
    user = {
        "username": subject.name,
        "full_name": subject.full_name,
        "email": subject.email,
        "roles": list(subject.roles),
        "metadata": subject.metadata,
    }
    text = render(template.source or "", {**template.params, "_user": user})
    return text.encode("utf-8", "surrogatepass")


def _parsed(text: bytes) -> Query:
    read = _read(text)
    if isinstance(read, Template):
        raise ParsingError(
            "unknown query [template]", line=1, col=2
        )  # from a template: no second turn
    return read


@lru_cache(maxsize=4_096)
def _read(text: bytes) -> "Query | Template":
    """What stands behind the query's end is not looked at, as in the reference."""
    value = scan(text).value
    if not isinstance(value, LocatedDict):
        found = "null" if value is None else token(value)
        raise XContentParseError(f"[1:1] expected [START_OBJECT] but found [{found}] instead")
    if not value:
        line, col = value.end
        raise XContentParseError(
            f"[{line}:{col}] expected [FIELD_NAME] with value a query name or 'template' but found "
            "[END_OBJECT] instead"
        )
    if next(iter(value)) == TEMPLATE:
        return _template(value[TEMPLATE])
    query = parse_inner(Cursor(), {"query": value}, "query")
    if any(_lookups(value)):
        raise IllegalArgument(
            "terms query with terms lookup isn't supported as part of a role query"
        )
    return query


def _template(value: Any) -> Template:
    """Raises nothing: what is wrong with it is told where it is used."""
    members = value if isinstance(value, Mapping) else {}
    source = members.get("source", "")
    text = source if isinstance(source, str) else dumps(source).decode()
    params, id = members.get("params"), members.get("id")
    return Template(
        source=text,
        id=id if isinstance(id, str) else None,
        params=params if isinstance(params, Mapping) else {},
    )


def _lookups(value: Any) -> Iterator[bool]:
    """Terms queries that take their terms from a document."""
    if isinstance(value, list):
        for item in value:
            yield from _lookups(item)
    elif isinstance(value, dict):
        members = value.get("terms")
        if isinstance(members, dict):
            for lookup in members.values():
                if isinstance(lookup, dict) and lookup.keys() >= _LOOKUP:
                    yield True
        wrapped = value.get("wrapper")
        if isinstance(wrapped, dict) and isinstance(wrapped.get("query"), str):
            yield from _lookups(_unwrapped(wrapped["query"]))
        for item in value.values():
            yield from _lookups(item)


def _unwrapped(text: str) -> Any:
    """The query that a `wrapper` holds; None for what is none, such as the text for a field of that name."""
    try:
        return decode(b64decode(text, validate=True))
    except (ApiError, ValueError):
        return None
