"""A mapping as GET _mapping shows it."""

from collections.abc import Mapping as MappingABC
from typing import Any

from sealane.engine.mapping.parameters import DEFAULTS, PARAMETERS
from sealane.engine.mapping.types import Field, FieldType, Mapping


def render_mapping(mapping: Mapping) -> dict[str, Any]:
    """The JSON object below `mappings`. Parsing it again gives an equal mapping."""
    body: dict[str, Any] = {}
    root = mapping.object_options.get("")
    if root is not None and root.dynamic is not None:
        body["dynamic"] = root.dynamic.value
    if not mapping.is_enabled(""):
        body["enabled"] = False
    if mapping.meta is not None:
        body["_meta"] = mapping.meta
    if mapping.data_stream_timestamp:
        body["_data_stream_timestamp"] = {"enabled": True}
    if mapping.routing_required:
        body["_routing"] = {"required": True}
    if mapping.dynamic_date_formats is not None:
        body["dynamic_date_formats"] = list(mapping.dynamic_date_formats)
    if mapping.dynamic_templates is not None:
        body["dynamic_templates"] = []
    if mapping.date_detection is not None:
        body["date_detection"] = mapping.date_detection
    if mapping.numeric_detection is not None:
        body["numeric_detection"] = mapping.numeric_detection
    properties = _render_properties(mapping)
    if properties:
        body["properties"] = properties
    return body


def _render_properties(mapping: Mapping) -> dict[str, Any]:
    holders: dict[str, dict[str, Any]] = {"": {}}
    for path in sorted(
        mapping.objects | {path for path, leaf in mapping.fields.items() if not leaf.is_multi_field}
    ):
        parent, _, name = path.rpartition(".")
        leaf = mapping.fields.get(path)
        if leaf is None:
            holders[path] = {}
            holders[parent][name] = holders[path]
        else:
            holders[parent][name] = _render_field(leaf, mapping)
    return _finish_objects(mapping, "", holders[""], holders)


def _finish_objects(
    mapping: Mapping, path: str, children: dict[str, Any], holders: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for name, child in sorted(children.items()):
        child_path = f"{path}.{name}" if path else name
        if child_path not in mapping.objects:
            done[name] = child
            continue
        options = mapping.object_options.get(child_path)
        body: dict[str, Any] = {}
        properties = _finish_objects(mapping, child_path, child, holders)
        if options is not None and options.nested:
            body["type"] = "nested"
            for option in ("include_in_parent", "include_in_root"):
                if getattr(options, option):
                    body[option] = True
        elif not properties:
            body["type"] = "object"
        if options is not None and options.dynamic is not None:
            body["dynamic"] = options.dynamic.value
        if options is not None and options.enabled is False:
            body["enabled"] = False
        if properties:
            body["properties"] = properties
        done[name] = body
    return done


def _render_field(leaf: Field, mapping: Mapping) -> dict[str, Any]:
    body: dict[str, Any] = {"type": leaf.type.value}
    if leaf.target is not None:
        body["path"] = leaf.target
    for parameter in PARAMETERS[leaf.type]:
        value = getattr(leaf, parameter.name)
        if leaf.type is FieldType.BINARY and value is False:
            continue
        if value != DEFAULTS[parameter.name] or parameter.name in leaf.explicit:
            if isinstance(value, MappingABC):
                value = dict(value)
            body[parameter.name] = list(value) if isinstance(value, tuple) else value
    if not leaf.is_multi_field:
        subs = {
            sub.path[len(leaf.path) + 1 :]: _render_field(sub, mapping)
            for sub in mapping.multi_fields(leaf.path)
        }
        if subs:
            body["fields"] = dict(sorted(subs.items()))
    return body
