"""Which parts of a document's source an answer shows: `_source` as parameters, as a body's member, and applied."""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.errors import ParseError
from sealane.model.dsl import WHOLE_SOURCE, SourceFilter
from sealane.query.any_json import dumps, loads
from sealane.rest.patterns import matches
from sealane.rest.tokens import token

NO_SOURCE = SourceFilter(enabled=False)


def source_filter_of_params(params: Mapping[str, Any]) -> SourceFilter | None:
    """From `_source`, `_source_includes`, `_source_excludes`; None when none is given."""
    flag: str | None = params.get("_source")
    includes: tuple[str, ...] = params.get("_source_includes", ())
    excludes: tuple[str, ...] = params.get("_source_excludes", ())
    if flag is None and not includes and not excludes:
        return None
    if flag == "false":
        return NO_SOURCE
    if flag not in (None, "true", ""):
        includes = tuple(each for each in flag.split(",") if each)
    return SourceFilter(includes=includes, excludes=excludes)


def source_filter_of_body(value: Any) -> SourceFilter | None:
    """From a `_source` member: a flag, a pattern, a list of them, or includes and excludes. None for None."""
    if value is None:
        return None
    if isinstance(value, bool) or value in ("true", "false"):
        return WHOLE_SOURCE if value in (True, "true") else NO_SOURCE
    if isinstance(value, dict):
        return SourceFilter(
            includes=_patterns(value.get("includes", value.get("include", ()))),
            excludes=_patterns(value.get("excludes", value.get("exclude", ()))),
        )
    return SourceFilter(includes=_patterns(value))


def _patterns(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ParseError(f"illegal type for _source: [{token(value)}]")


def filter_source(source: bytes, wanted: SourceFilter) -> bytes:
    """The JSON of what `wanted` leaves; the same bytes where that is all of it."""
    if wanted.passes_whole:
        return source
    kept = _filtered(loads(source), "", wanted)
    return dumps(kept)


def _filtered(value: dict[str, Any], prefix: str, wanted: SourceFilter) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, each in value.items():
        path = prefix + name
        if any(_covers(pattern, path) for pattern in wanted.excludes):
            continue
        included = not wanted.includes or any(_covers(p, path) for p in wanted.includes)
        narrowed = (
            SourceFilter(excludes=wanted.excludes) if included and wanted.includes else wanted
        )
        part = _part(each, path + ".", narrowed, included)
        if part is not None or (included and each is None):
            out[name] = part
    return out


def _part(value: Any, prefix: str, wanted: SourceFilter, included: bool) -> Any:
    """What is left of a member; None when nothing is."""
    if isinstance(value, dict):
        inner = _filtered(value, prefix, wanted)
        return inner if inner or included else None
    if isinstance(value, list):
        parts = [
            _part(each, prefix, wanted, included) if isinstance(each, dict | list) else each
            for each in value
            if included or isinstance(each, dict | list)
        ]
        parts = [each for each in parts if each is not None or included]
        return parts if parts or included else None
    return value if included else None


def _covers(pattern: str, path: str) -> bool:
    """Whether `path` is what the pattern names, or lies below it."""
    if matches(pattern, path):
        return True
    at = path.rfind(".")
    while at > 0:
        if matches(pattern, path[:at]):
            return True
        at = path.rfind(".", 0, at)
    return False
