"""Index templates and component templates as their APIs show them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sealane.cluster.catalog import ComponentTemplate, IndexTemplate, TemplateBody
from sealane.cluster.template_service import Simulated
from sealane.rest.index_json import shaped


def shown_template(template: IndexTemplate, *, flat: bool = False) -> dict[str, Any]:
    """As `GET _index_template` shows it."""
    shown: dict[str, Any] = {"index_patterns": list(template.index_patterns)}
    if template.template is not None:
        shown["template"] = shown_body(template.template, flat=flat)
    shown["composed_of"] = list(template.composed_of)
    stream = template.data_stream
    optional = {
        "priority": template.priority,
        "version": template.version,
        "_meta": template.meta,
        "data_stream": stream
        and {"hidden": stream.hidden, "allow_custom_routing": stream.allow_custom_routing},
        "allow_auto_create": template.allow_auto_create,
        "ignore_missing_component_templates": template.ignore_missing_component_templates,
        "deprecated": template.deprecated,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def shown_body(body: TemplateBody, *, flat: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(body)
    if body.settings is not None:
        shown["settings"] = shaped(body.settings, flat=flat)
    if body.aliases is not None:
        shown["aliases"] = {name: _shown_alias(each) for name, each in body.aliases.items()}
    if body.lifecycle is not None:
        shown["lifecycle"] = {"enabled": True, **body.lifecycle}
    return shown


def _shown_alias(alias: Mapping[str, Any]) -> dict[str, Any]:
    """`routing` stands for both of its kinds."""
    shown = {key: value for key, value in alias.items() if key != "routing"}
    if alias.get("routing") is not None:
        shown.setdefault("index_routing", str(alias["routing"]))
        shown.setdefault("search_routing", str(alias["routing"]))
    return shown


def shown_component(component: ComponentTemplate, *, flat: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"template": shown_body(component.template, flat=flat)}
    optional = {
        "version": component.version,
        "_meta": component.meta,
        "deprecated": component.deprecated,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def shown_simulation(found: Simulated) -> dict[str, Any]:
    part = found.part
    template: dict[str, Any] = {"settings": shaped(part.settings, flat=False)}
    if part.mappings:
        template["mappings"] = part.mappings
    template["aliases"] = shown_body(TemplateBody(aliases=part.aliases))["aliases"]
    if part.lifecycle is not None:
        template["lifecycle"] = {"enabled": True, **part.lifecycle}
    return {
        "template": msgspec.to_builtins(template),
        "overlapping": [
            {"name": name, "index_patterns": list(patterns)}
            for name, patterns in found.overlapping.items()
        ],
    }
