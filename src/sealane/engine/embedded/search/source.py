"""`_source` as the request wants it: whole bytes untouched, or decoded, filtered and written again."""

from functools import lru_cache
from typing import Any

from sealane.engine.base import FieldMask
from sealane.engine.embedded.search.masks import pattern
from sealane.model.dsl import SourceFilter
from sealane.query import strip_comments
from sealane.query.any_json import dumps, loads

Patterns = tuple[tuple[str, ...], tuple[str, ...]]


@lru_cache(maxsize=256)
def rules_of(source: SourceFilter, mask: FieldMask | None) -> "tuple[Patterns, ...] | None":
    """The include/exclude pairs that a document passes one after the other; None when it passes whole."""
    rules: list[Patterns] = []
    if mask is not None and (mask.includes != ("*",) or mask.excludes):
        rules.append((mask.includes, mask.excludes))
    if source.includes or source.excludes:
        rules.append((source.includes, source.excludes))
    return tuple(rules) or None


def filtered(source: bytes, rules: "tuple[Patterns, ...] | None") -> bytes:
    """Raises ValueError for a source that is not JSON; comments in it are allowed, as they were when it was stored."""
    if rules is None:
        return source
    try:
        document = loads(source)
    except ValueError:
        document = loads(strip_comments(source))
    for includes, excludes in rules:
        document = _filter_object(document, "", includes, excludes, not includes)
    return dumps(document)


def _filter_object(
    value: dict[str, Any],
    prefix: str,
    includes: tuple[str, ...],
    excludes: tuple[str, ...],
    included: bool,
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, member in value.items():
        path = prefix + name
        if _matches(path, excludes):
            continue
        inside = included or _matches(path, includes)
        found = _filter_value(member, path, includes, excludes, inside)
        if found is not _NOTHING:
            kept[name] = found
    return kept


_NOTHING: Any = object()


def _filter_value(
    member: Any, path: str, includes: tuple[str, ...], excludes: tuple[str, ...], inside: bool
) -> Any:
    if isinstance(member, dict):
        if not inside and not _may_match_below(path, includes):
            return _NOTHING
        found = _filter_object(member, path + ".", includes, excludes, inside)
        return found if found or inside else _NOTHING
    if isinstance(member, list):
        if not inside and not _may_match_below(path, includes):
            return _NOTHING
        kept = [_filter_value(each, path, includes, excludes, inside) for each in member]
        kept = [each for each in kept if each is not _NOTHING]
        return kept if kept or inside else _NOTHING
    return member if inside else _NOTHING


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(
        each == path or ("*" in each and pattern(each).fullmatch(path) is not None)
        for each in patterns
    )


def _may_match_below(path: str, patterns: tuple[str, ...]) -> bool:
    inside = path + "."
    return any("*" in each or each.startswith(inside) for each in patterns)
