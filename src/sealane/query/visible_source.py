"""What of a document's source may be seen, by the rules of 8.19.

A value is left where its path is visible. Of an object its visible members are left, and nothing of one that has none,
unless it stands in an array: there the others keep their places. An array that is left without anything goes too. What
lies too deep to be decided is left out.
"""

from typing import Any, Final

from sealane.model.security import FieldLimits
from sealane.model.visible_fields import VisibleFields, visible_fields
from sealane.query.any_json import dumps, loads
from sealane.query.json_text import strip_comments

_NOTHING: Final[Any] = object()
_MAX_DEPTH: Final = 100
"""Objects and arrays around a value. Fields have far fewer; what no mapping reads may have as many as JSON can."""


def visible_source(source: bytes, limits: FieldLimits) -> bytes:
    """The JSON of what is visible of an object. Raises ValueError for a source that is not JSON."""
    try:
        document = loads(source)
    except ValueError:
        document = loads(strip_comments(source))
    return dumps(visible_members(document, visible_fields(limits)))


def visible_members(
    document: dict[str, Any], fields: VisibleFields, at: str = "", depth: int = 0
) -> dict[str, Any]:
    """The visible members of an object; `at` is its path with a dot behind it, `depth` how much is around it."""
    kept: dict[str, Any] = {}
    for name, member in document.items():
        left = _member(member, at + name, fields, depth + 1)
        if left is not _NOTHING:
            kept[name] = left
    return kept


def _member(value: Any, path: str, fields: VisibleFields, depth: int) -> Any:
    """What is left of a member; _NOTHING where that is nothing."""
    if depth > _MAX_DEPTH:
        return _NOTHING
    if isinstance(value, dict):
        if not fields.opens(path):
            return _NOTHING
        return visible_members(value, fields, path + ".", depth) or _NOTHING
    if isinstance(value, list):
        return _items(value, path, fields, depth) or _NOTHING
    return value if fields.shows(path) else _NOTHING


def _items(values: list[Any], path: str, fields: VisibleFields, depth: int) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            if fields.opens(path):
                kept.append(visible_members(value, fields, path + ".", depth + 1))
            continue
        left = _member(value, path, fields, depth + 1)
        if left is not _NOTHING:
            kept.append(left)
    return kept
