"""What of a document's source may be seen, by the rules of 8.19.

A value is left where its path is visible. Of an object its visible members are left, and nothing of one that has none,
unless it stands in an array: there the others keep their places. An array that is left without anything goes too.
"""

from typing import Any, Final

from sealane.model.security import FieldLimits
from sealane.model.visible_fields import VisibleFields, visible_fields
from sealane.query.any_json import dumps, loads
from sealane.query.json_text import strip_comments

_NOTHING: Final[Any] = object()


def visible_source(source: bytes, limits: FieldLimits) -> bytes:
    """The JSON of what is visible of an object. Raises ValueError for a source that is not JSON."""
    try:
        document = loads(source)
    except ValueError:
        document = loads(strip_comments(source))
    return dumps(visible_members(document, visible_fields(limits)))


def visible_members(
    document: dict[str, Any], fields: VisibleFields, at: str = ""
) -> dict[str, Any]:
    """The visible members of an object; `at` is its path with a dot behind it."""
    kept: dict[str, Any] = {}
    for name, member in document.items():
        left = _member(member, at + name, fields)
        if left is not _NOTHING:
            kept[name] = left
    return kept


def _member(value: Any, path: str, fields: VisibleFields) -> Any:
    """What is left of a member; _NOTHING where that is nothing."""
    if isinstance(value, dict):
        if not fields.opens(path):
            return _NOTHING
        return visible_members(value, fields, path + ".") or _NOTHING
    if isinstance(value, list):
        return _items(value, path, fields) or _NOTHING
    return value if fields.shows(path) else _NOTHING


def _items(values: list[Any], path: str, fields: VisibleFields) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            if fields.opens(path):
                kept.append(visible_members(value, fields, path + "."))
            continue
        left = _member(value, path, fields)
        if left is not _NOTHING:
            kept.append(left)
    return kept
