"""`_source` as a request wants it: whole bytes untouched, or decoded, filtered and written again."""

from collections.abc import Sequence
from typing import Any

from sealane.model.dsl import SourceFilter
from sealane.model.patterns import matches
from sealane.query.any_json import dumps, loads
from sealane.query.json_text import strip_comments

_NOTHING: Any = object()


def filter_source(source: bytes, wanted: Sequence[SourceFilter]) -> bytes:
    """The JSON of what all of `wanted` leave, one after the other; the same bytes where that is all of it.

    Raises ValueError for a source that is not JSON; comments in it are allowed, as they were when it was stored.
    """
    narrowing = [each for each in wanted if each.includes or each.excludes]
    if not narrowing:
        return source
    try:
        document = loads(source)
    except ValueError:
        document = loads(strip_comments(source))
    for each in narrowing:
        document = _object(document, "", each, not each.includes)
    return dumps(document)


def _object(
    value: dict[str, Any], prefix: str, wanted: SourceFilter, included: bool
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, member in value.items():
        path = prefix + name
        if _any_matches(wanted.excludes, path):
            continue
        found = _value(member, path, wanted, included or _any_matches(wanted.includes, path))
        if found is not _NOTHING:
            kept[name] = found
    return kept


def _value(
    member: Any, path: str, wanted: SourceFilter, included: bool, *, is_item: bool = False
) -> Any:
    """What is left of a member, or of an item of an array; _NOTHING where nothing is."""
    if not isinstance(member, dict | list):
        return member if included else _NOTHING
    if included:
        if not _may_match_below(wanted.excludes, path):
            return member
    elif not _may_match_below(wanted.includes, path):
        return _NOTHING
    kept: Any
    if isinstance(member, dict):
        kept = _object(member, path + ".", wanted, included)
    else:
        parts = [_value(each, path, wanted, included, is_item=True) for each in member]
        kept = [each for each in parts if each is not _NOTHING]
    return kept if kept or _stays(member, wanted, included, is_item) else _NOTHING


def _stays(member: Any, wanted: SourceFilter, included: bool, is_item: bool) -> bool:
    """Whether an object or an array of which nothing is left is shown as an empty one. The reference filters in two
    ways: with wildcards in `excludes`, members that lose everything stay and items go; without, what had something to
    lose goes.
    """
    if any("*" in each for each in wanted.excludes):
        return included and not is_item
    return included and not member


def _any_matches(patterns: tuple[str, ...], path: str) -> bool:
    return any(matches(each, path) for each in patterns)


def _may_match_below(patterns: tuple[str, ...], path: str) -> bool:
    inside = path + "."
    return any(each.startswith(inside) or _begins_like(each, inside) for each in patterns)


def _begins_like(pattern: str, inside: str) -> bool:
    """Whether what stands before the first wildcard is how the path begins: the wildcard takes all between."""
    head, star, _ = pattern.partition("*")
    return bool(star) and inside.startswith(head)
