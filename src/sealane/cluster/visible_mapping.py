"""A mapping as somebody sees it from whom fields are hidden. Pure; the shape is that of 8.19.

An object is shown where one of its fields is, or it might hold one that is; what stands below a hidden field, and is
not hidden itself, is shown as if it were below an object.
"""

from collections.abc import Mapping
from typing import Any

from sealane.model.security import FieldLimits
from sealane.model.visible_fields import VisibleFields, visible_fields


def visible_mapping(mapping: Mapping[str, Any], limits: FieldLimits) -> dict[str, Any]:
    """What of the JSON below `mappings` may be seen."""
    if not mapping:
        return {}
    shown = dict(mapping)
    shown["properties"] = _properties(mapping.get("properties", {}), "", visible_fields(limits))
    return shown


def _properties(members: Mapping[str, Any], at: str, fields: VisibleFields) -> dict[str, Any]:
    shown = {}
    for name, member in members.items():
        left = _member(member, at + name, fields)
        if left is not None:
            shown[name] = left
    return shown


def _member(member: Mapping[str, Any], path: str, fields: VisibleFields) -> dict[str, Any] | None:
    if "properties" in member:
        inner = _properties(member["properties"], path + ".", fields)
        if inner or fields.shows(path):
            return {**member, "properties": inner}
        return None
    below = _properties(member.get("fields", {}), path + ".", fields)
    if not fields.shows(path):
        return {"properties": below} if below else None
    shown = {key: value for key, value in member.items() if key != "fields"}
    if below:
        shown["fields"] = below
    return shown
