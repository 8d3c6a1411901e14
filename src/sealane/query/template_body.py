"""The bodies of search templates and of stored scripts: bytes to plain data, with the reference's errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    ParseError,
    ParsingError,
)
from sealane.query.any_json import dumps
from sealane.query.cursor import (
    BOOLEAN,
    OBJECT,
    STRING,
    Cursor,
    Member,
    as_bool,
    plain,
    read_members,
)
from sealane.query.index_requests import read_body
from sealane.query.located import LocatedDict, scan, token

JSON_OPTIONS: Final = {"content_type": "application/json;charset=utf-8"}
"""What a template that is written as an object is stored with."""
MUSTACHE: Final = "mustache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One use of a template: by its text, or by the id it is stored under."""

    source: str | None = None
    id: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    explain: bool = False
    profile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script that is to be stored."""

    lang: str
    source: str
    options: Mapping[str, str] = field(default_factory=dict)


def _source(cursor: Cursor, members: Mapping[str, Any], name: str) -> str:
    value = members[name]
    return value if isinstance(value, str) else dumps(value).decode()


_TEMPLATE: Final = {
    "params": Member(OBJECT, plain),
    "explain": Member(BOOLEAN, as_bool),
    "profile": Member(BOOLEAN, as_bool),
    "id": Member(STRING, plain),
    "source": Member((*STRING, *OBJECT), _source),
}


def read_template(raw: bytes, stored: str | None = None) -> Template:
    """A template's use. `stored` is an id from the path, which wins over the body's.

    Raises ParseError without a body, XContentParseError, ActionRequestValidation where no template is named.
    """
    if not raw.strip():
        raise ParseError("request body or source parameter is required")
    body = read_body(raw, "search_template", _TEMPLATE)
    id_ = body.get("id") if stored is None else stored
    source = body.get("source") if id_ is None else None
    if id_ is None and source is None:
        raise ActionRequestValidation(["template is missing", "template's script type is missing"])
    if not (source or id_):
        raise ActionRequestValidation(["template is missing"])
    return Template(
        source=source,
        id=id_,
        params=body.get("params", {}),
        explain=body.get("explain", False),
        profile=body.get("profile", False),
    )


_STORED: Final = {
    "lang": Member(STRING, plain),
    "source": Member((*STRING, *OBJECT), plain),
    "options": Member(OBJECT, plain),
}


def read_script(raw: bytes) -> Script:
    """The body of `PUT _scripts/{id}`.

    Raises ParseError without a body, ParsingError, XContentParseError, IllegalArgument.
    """
    if not raw.strip():
        raise ParseError("request body is required")
    found = scan(raw)
    body = found.value
    if not isinstance(body, LocatedDict):
        raise _unexpected(f"unexpected token [{token(body)}], expected [{{]", found.begin)
    if not body:
        raise _unexpected("unexpected token [END_OBJECT, expected [script]", body.end)
    name = next(iter(body))
    if name != "script":
        raise _unexpected(f"unexpected field [{name}], expected [script]", body.keys_at[name])
    script = body["script"]
    if not isinstance(script, LocatedDict):
        raise _unexpected(
            f"unexpected token [{token(script)}], expected [{{, <source>]", body.values_at[name]
        )
    known = LocatedDict(script.begin)  # of others the reference takes no notice
    known.update({key: value for key, value in script.items() if key in _STORED})
    known.keys_at, known.values_at = script.keys_at, script.values_at
    return _checked(read_members(Cursor(), "stored script source", known, _STORED))


def _checked(members: Mapping[str, Any]) -> Script:
    lang, source = members.get("lang"), members.get("source")
    options = dict(members.get("options", {}))
    if lang is None:
        raise IllegalArgument("must specify lang for stored script")
    if not lang:
        raise IllegalArgument("lang cannot be empty")
    if source is None:
        raise IllegalArgument("must specify source for stored script")
    if not source:
        raise IllegalArgument("source cannot be empty")
    if not isinstance(source, str):
        source = dumps(source).decode()
        options.update(JSON_OPTIONS)
    if options.keys() - {"content_type"}:
        shown = ", ".join(f"{key}={value}" for key, value in options.items())
        raise IllegalArgument(f"illegal compiler options [{{{shown}}}] specified")
    return Script(lang=lang, source=source, options=options)


def _unexpected(reason: str, place: tuple[int, int]) -> ParsingError:
    return ParsingError(reason, line=place[0], col=place[1])
