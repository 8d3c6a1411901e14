"""The bodies of alias requests."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.rest.bodies import read_json, require_body
from sealane.rest.json_scan import line_and_column, scan
from sealane.rest.services import AliasAction
from sealane.rest.tokens import token

_KINDS = ("add", "remove", "remove_index")
_FIELDS = {
    "add": (
        "index",
        "indices",
        "alias",
        "aliases",
        "filter",
        "routing",
        "index_routing",
        "indexRouting",
        "index-routing",
        "search_routing",
        "searchRouting",
        "search-routing",
        "is_write_index",
        "is_hidden",
        "must_exist",
    ),
    "remove": ("index", "indices", "alias", "aliases", "must_exist"),
    "remove_index": ("index", "indices", "must_exist"),
}


def read_alias_actions(body: bytes) -> list[AliasAction]:
    """The actions of `_aliases`, in order. Raises XContentParseError, IllegalArgument."""
    parsed = read_json(require_body(body))
    if not isinstance(parsed, dict):
        raise _fault(body, 0, f"[aliases] Expected START_OBJECT but was: {token(parsed)}")
    actions = []
    for name, value in parsed.items():
        at = body.find(orjson.dumps(name))
        if name != "actions":
            raise _fault(body, at, f"[aliases] unknown field [{name}]")
        if not isinstance(value, list):
            value = [value]
        actions += [_action(body, each) for each in value]
    if not actions:
        raise IllegalArgument("No action specified")
    return actions


def _action(body: bytes, value: Any) -> AliasAction:
    if not isinstance(value, dict) or not value:
        raise _in_actions(
            body,
            0,
            _fault(body, 0, f"[alias_action] Expected START_OBJECT but was: {token(value)}"),
        )
    kind, spec = next(iter(value.items()))
    at = max(0, body.find(orjson.dumps(kind)))
    if kind not in _KINDS:
        inner = _fault(body, at, f"[alias_action] unknown field [{kind}]")
        raise _in_actions(body, _value_at(body, at, kind), inner)
    start = max(0, body.find(b"{", at))
    outer = max(0, body.rfind(b"{", 0, at))
    end = outer + scan(body[outer:]).end
    if not isinstance(spec, dict):
        value_at = _value_at(body, at, kind)
        problem = f"[alias_action] {kind} doesn't support values of type: {token(spec)}"
        raise _in_actions(body, value_at, _fault(body, value_at, problem))
    for name in spec:
        if name not in _FIELDS[kind]:
            place = body.find(orjson.dumps(name), start)
            unknown = _fault(body, place, f"[{kind}] unknown field [{name}]")
            after = _value_at(body, place, name)
            wrapped = _fault(body, after, f"[alias_action] failed to parse field [{kind}]", unknown)
            raise _in_actions(body, after, wrapped)
    for name, given in spec.items():
        _check_type(body, kind, name, given, start)
    missing = _missing(kind, spec)
    if missing is not None:
        raise _in_actions(body, end, IllegalArgument(missing))
    return _built(kind, spec)


def _value_at(body: bytes, name_at: int, name: str) -> int:
    """Where the value of the member that begins at `name_at` begins."""
    match = _TO_VALUE.match(body, name_at + len(orjson.dumps(name)))
    return name_at if match is None else match.end()


_TO_VALUE = re.compile(rb"\s*:\s*")
_FLAGS = ("is_write_index", "is_hidden", "must_exist")


def _check_type(body: bytes, kind: str, name: str, given: Any, start: int) -> None:
    """Raises XContentParseError for a member of the wrong type."""
    if name in _FLAGS:
        fits = isinstance(given, bool)
    elif name in ("indices", "aliases", "index", "alias"):
        fits = isinstance(given, str) or (
            isinstance(given, list) and all(isinstance(each, str) for each in given)
        )
    elif name == "filter":
        fits = given is None or isinstance(given, dict | str)
    else:
        fits = given is None or isinstance(given, str | int)
    if fits:
        return
    at = _value_at(body, body.find(orjson.dumps(name), start), name)
    problem = f"[{kind}] {name} doesn't support values of type: {token(given)}"
    cause: ApiError = _fault(body, at, problem)
    if name in _FLAGS and isinstance(given, str):
        text = f"Failed to parse value [{given}] as only [true] or [false] are allowed."
        failed = f"[{kind}] failed to parse field [{name}]"
        cause = _fault(body, at, failed, IllegalArgument(text))
    wrapped = _fault(body, at, f"[alias_action] failed to parse field [{kind}]", cause)
    raise _in_actions(body, at, wrapped)


def _missing(kind: str, spec: Mapping[str, Any]) -> str | None:
    if "index" not in spec and "indices" not in spec:
        return "One of [index] or [indices] is required"
    if kind != "remove_index" and "alias" not in spec and "aliases" not in spec:
        return "One of [alias] or [aliases] is required"
    return None


def _built(kind: str, spec: Mapping[str, Any]) -> AliasAction:
    routing = spec.get("routing")
    index_routing = spec.get(
        "index_routing", spec.get("indexRouting", spec.get("index-routing", routing))
    )
    search_routing = spec.get(
        "search_routing", spec.get("searchRouting", spec.get("search-routing", routing))
    )
    return AliasAction(
        kind=kind,
        indices=_names(spec.get("index", spec.get("indices"))),
        aliases=_names(spec.get("alias", spec.get("aliases"))),
        filter=_filter(spec.get("filter")),
        index_routing=_text(index_routing),
        search_routing=_text(search_routing),
        is_write_index=spec.get("is_write_index"),
        is_hidden=spec.get("is_hidden"),
        must_exist=spec.get("must_exist"),
    )


def read_alias(body: bytes, indices: tuple[str, ...], name: str) -> AliasAction:
    """The one alias of `PUT {index}/_alias/{name}`; the body may be missing."""
    spec = read_json(body) if body else {}
    if not isinstance(spec, dict):
        raise IllegalArgument("an alias is an object")
    named = {**spec}
    named.pop("index", None)
    named.pop("alias", None)
    return _built("add", {**named, "indices": list(indices), "aliases": [name]})


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(each.strip() for each in value.split(","))
    return tuple(str(each) for each in value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _filter(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, str):
        value = read_json(value.encode())
    if value is None or isinstance(value, dict):
        return value or None
    raise IllegalArgument("an alias's filter is a query")


def _fault(body: bytes, at: int, problem: str, cause: ApiError | None = None) -> XContentParseError:
    line, column = line_and_column(body, max(0, at))
    roots = None if cause is None else [_innermost(cause)]
    return XContentParseError(f"[{line}:{column}] {problem}", caused_by=cause, root_causes=roots)


def _in_actions(body: bytes, at: int, cause: ApiError) -> XContentParseError:
    """The error around one in an action. A cause that is no parse error leaves this one as the root."""
    error = _fault(body, at, "[aliases] failed to parse field [actions]", cause)
    if not isinstance(cause, XContentParseError):
        error.root_causes = None
    return error


def _innermost(error: ApiError) -> ApiError:
    while isinstance(error.caused_by, XContentParseError):
        error = error.caused_by
    return error
