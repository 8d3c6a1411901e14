"""Which template a new index gets, and what comes of composing it. Pure.

Of the index templates whose patterns match a name the one of the highest priority counts; it is composed of its
component templates in their order, then of its own part, then of what the request says.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sealane.cluster.catalog import Catalog, IndexTemplate, TemplateBody
from sealane.cluster.names import NAME_MAX_BYTES
from sealane.cluster.template_mappings import merge_mappings, stream_mapping
from sealane.errors import IllegalArgument
from sealane.model.patterns import matches
from sealane.settings import Settings, flatten
from sealane.settings.index_settings import HIDDEN, TIER_PREFERENCE, normalized

_PLACEHOLDER: Final = "{index}"


class Composed(NamedTuple):
    """What an index gets of a template and its components, in the shape of the body that creates one."""

    settings: dict[str, Any]
    mappings: dict[str, Any]
    aliases: dict[str, Any]
    lifecycle: dict[str, Any] | None

    def body(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "mappings": self.mappings,
            "aliases": self.aliases,
        }


def template_for(
    catalog: Catalog, name: str, *, hidden: bool = False
) -> tuple[str, IndexTemplate] | None:
    """The template that a new index or data stream of that name gets. Hidden ones get none that is for all names."""
    found: tuple[str, IndexTemplate] | None = None
    for each, template in catalog.templates.items():
        fits = any(matches(pattern, name) for pattern in template.index_patterns)
        if not fits or (hidden and "*" in template.index_patterns):
            continue
        if found is None or template.rank > found[1].rank:
            found = each, template
    return found


def stream_template_for(catalog: Catalog, name: str) -> tuple[str, IndexTemplate]:
    """Raises IllegalArgument where no template makes a data stream of that name."""
    found = template_for(catalog, name)
    if found is None:
        raise IllegalArgument(f"no matching index template found for data stream [{name}]")
    if found[1].data_stream is None:
        raise IllegalArgument(
            f"matching index template [{found[0]}] for data stream [{name}] has no data stream template"
        )
    return found


def body_of_new_index(catalog: Catalog, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What creates an index: what the request says over what its template does; `body` itself where there is none.

    Raises IllegalArgument where the template makes data streams alone.
    """
    if not catalog.templates:
        return body
    said = body.get("settings")
    given = normalized(flatten(said)) if isinstance(said, Mapping) else {}
    hidden = HIDDEN.get(Settings({k: v for k, v in given.items() if v is not None}))
    found = template_for(catalog, name, hidden=hidden)
    if found is None:
        return body
    if found[1].data_stream is not None:
        raise IllegalArgument(
            f"cannot create index with name [{name}], because it matches with template [{found[0]}] that creates "
            "data streams only, use create data stream api instead"
        )
    part = composed(catalog, found[1])
    return over(part, body, name)


def over(part: Composed, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`body` over what a template says, for an index of that name. What is no object is left for others to refuse."""
    merged = {**part.body(), **{key: value for key, value in body.items() if value is not None}}
    settings, mappings, aliases = (body.get(key) for key in ("settings", "mappings", "aliases"))
    if isinstance(settings, Mapping):
        given = normalized(flatten(settings))
        kept = {key: value for key, value in part.settings.items() if key not in given}
        merged["settings"] = {**kept, **{k: v for k, v in given.items() if v is not None}}
    if isinstance(mappings, Mapping):
        merged["mappings"] = merge_mappings((part.mappings, mappings))
    named = {alias.replace(_PLACEHOLDER, name): each for alias, each in part.aliases.items()}
    merged["aliases"] = {**named, **(aliases if isinstance(aliases, Mapping) else {})}
    return merged


def composed(catalog: Catalog, template: IndexTemplate) -> Composed:
    """The parts of a template, the later over the earlier."""
    parts = parts_of(catalog, template)
    settings: dict[str, Any] = {}
    aliases: dict[str, Any] = {}
    lifecycle: dict[str, Any] | None = None
    for part in parts:
        for key, value in (part.settings or {}).items():
            if value is None:
                settings.pop(key, None)
            else:
                settings[key] = value
        aliases.update(part.aliases or {})
        if part.lifecycle is not None:
            lifecycle = {**(lifecycle or {}), **part.lifecycle}
    mappings = [part.mappings or {} for part in parts]
    if template.data_stream is not None:
        settings.setdefault(TIER_PREFERENCE.key, "data_hot")
        mappings.insert(0, stream_mapping(template.data_stream.allow_custom_routing))
    return Composed(settings, merge_mappings(mappings), aliases, lifecycle)


def parts_of(catalog: Catalog, template: IndexTemplate) -> list[TemplateBody]:
    """Its own comes last. Components that do not exist are left out."""
    parts = [
        component.template
        for name in template.composed_of
        if (component := catalog.components.get(name)) is not None
    ]
    return parts if template.template is None else [*parts, template.template]


def overlapping(
    catalog: Catalog, name: str, template: IndexTemplate, *, same_priority: bool = True
) -> dict[str, tuple[str, ...]]:
    """Other templates, with their patterns, that match a name which this one matches too."""
    return {
        each: other.index_patterns
        for each, other in catalog.templates.items()
        if each != name
        and (other.rank == template.rank or not same_priority)
        and any(_meet(a, b) for a in template.index_patterns for b in other.index_patterns)
    }


def _meet(first: str, second: str) -> bool:
    """Whether a name matches both patterns. Where both have a star it is enough that their beginnings agree, and their
    ends: a star of each takes what the other has in between.
    """
    if "*" not in first:
        return len(first) <= NAME_MAX_BYTES and matches(second, first)
    if "*" not in second:
        return len(second) <= NAME_MAX_BYTES and matches(first, second)
    (begin, _, _), (other_begin, _, _) = first.partition("*"), second.partition("*")
    (_, _, end), (_, _, other_end) = first.rpartition("*"), second.rpartition("*")
    begins_agree = begin.startswith(other_begin) or other_begin.startswith(begin)
    return begins_agree and (end.endswith(other_end) or other_end.endswith(end))


def streams_of(catalog: Catalog, name: str) -> list[str]:
    """The data streams whose next backing index is made of the template of that name."""
    found = ((stream, template_for(catalog, stream)) for stream in catalog.streams)
    return [stream for stream, template in found if template is not None and template[0] == name]
