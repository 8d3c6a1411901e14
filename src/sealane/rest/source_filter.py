"""Which parts of a document's source an answer shows: `_source` as parameters and as a body's member."""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.errors import ParseError
from sealane.model.dsl import WHOLE_SOURCE, SourceFilter
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
