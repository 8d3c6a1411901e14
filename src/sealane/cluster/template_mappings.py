"""The mapping of an index out of those of its templates, and of the request that makes it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sealane.cluster.catalog import TIMESTAMP

_STREAM_ROOT: Final = "_data_stream_timestamp"


def stream_mapping(allow_custom_routing: bool) -> dict[str, Any]:
    """What every backing index has, below what its template says."""
    routing = {"_routing": {"required": True}} if allow_custom_routing else {}
    return {
        _STREAM_ROOT: {"enabled": True},
        **routing,
        "properties": {TIMESTAMP: {"type": "date"}},
    }


def merge_mappings(mappings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One mapping of several. A field that comes again is the later one; an object has the fields of both, and else is
    as the later says.
    """
    merged: dict[str, Any] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            old = merged.get(key)
            if key == "properties" and isinstance(old, Mapping) and isinstance(value, Mapping):
                merged[key] = _merge_properties(old, value)
            elif key == "_meta" and isinstance(old, Mapping) and isinstance(value, Mapping):
                merged[key] = _merge_meta(old, value)
            elif key == "dynamic_templates" and isinstance(old, list) and isinstance(value, list):
                merged[key] = _merge_dynamic_templates(old, value)
            else:
                merged[key] = value
    return merged


def _merge_meta(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge_meta(before, value)
        else:
            merged[key] = value
    return merged


def _merge_properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = _undotted(old)
    for name, field in _undotted(new).items():
        merged[name] = _merge_field(merged.get(name), field)
    return merged


def _merge_field(old: Any, new: Any) -> Any:
    if not (_is_object(old) and _is_object(new)):
        return new
    properties = [each.get("properties") or {} for each in (old, new)]
    if not all(isinstance(each, Mapping) for each in properties):
        return new
    return {**new, "properties": _merge_properties(*properties)}


def _undotted(properties: Mapping[str, Any]) -> dict[str, Any]:
    """`a.b` as the field `b` of the object `a`, which may be there as well."""
    plain: dict[str, Any] = {}
    for name, field in properties.items():
        first, dot, rest = name.partition(".")
        if dot and first and rest:
            name, field = first, {"properties": _undotted({rest: field})}
            before = plain.get(name)
            if isinstance(before, Mapping) and _is_object(before):
                # What the object says of itself stays.
                field = {**before, **_merge_field(before, field)}
        elif _is_object(plain.get(name)):
            field = _merge_field(plain[name], field)
        plain[name] = field
    return plain


def _is_object(field: Any) -> bool:
    return isinstance(field, Mapping) and (
        field.get("type") in ("object", "nested") or ("type" not in field and "properties" in field)
    )


def _merge_dynamic_templates(old: list[Any], new: list[Any]) -> list[Any]:
    """Each is an object of one name; one that comes again takes the place of the earlier."""
    named = {next(iter(each), ""): each for each in old if isinstance(each, Mapping)}
    named.update({next(iter(each), ""): each for each in new if isinstance(each, Mapping)})
    return list(named.values())
