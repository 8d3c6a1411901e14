"""Whether a template may be stored, changed or removed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sealane.cluster.aliases import FilterCheck, aliases_of_body
from sealane.cluster.catalog import (
    TIMESTAMP,
    Catalog,
    ComponentTemplate,
    IndexTemplate,
    TemplateBody,
)
from sealane.cluster.index_templates import composed, overlapping, template_for
from sealane.engine.mapping import MappingLimits, check_references, parse_mapping
from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument
from sealane.settings import Settings
from sealane.settings.index_settings import HIDDEN, validate_new

_MAX_DEPTH: Final = 200
_FORBIDDEN: Final = frozenset(' "*,/<>?\\|')
_FORBIDDEN_SHOWN: Final = "[' ','\"','*',',','/','<','>','?','\\','|']"


class InvalidTemplate(ApiError):
    es_type, status = "invalid_index_template_exception", 400

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"index_template [{name}] invalid, cause [{why}]")


class TemplateMissing(ApiError):
    es_type, status = "index_template_missing_exception", 404

    def __init__(self, names: str) -> None:
        super().__init__(f"index_template [{names}] missing")


def check_template(
    catalog: Catalog, name: str, template: IndexTemplate, check_filter: FilterCheck
) -> None:
    """Raises ActionRequestValidation, InvalidTemplate, IllegalArgument and what its aliases raise."""
    _check_depth(template.meta, template.template)
    if template.priority is not None and template.priority < 0:
        raise ActionRequestValidation(["index template priority must be >= 0"])
    if "*" in template.index_patterns and HIDDEN.key in _settings_of(template):
        raise ActionRequestValidation(
            ["global composable templates may not specify the setting index.hidden"]
        )
    _check_components(catalog, name, template)
    _check_overlaps(catalog, name, template)
    problems = [*_name_problems(name), *_pattern_problems(template.index_patterns)]
    problems += _settings_problems(_settings_of(template))
    if problems:
        listed = "".join(f"{at}: {problem};" for at, problem in enumerate(problems, 1))
        raise InvalidTemplate(name, f"Validation Failed: {listed}")
    changed = catalog.changed({IndexTemplate.KEY + name: template})
    _check_streams_keep_theirs(catalog, changed, name, template)
    if template.data_stream is None and composed(catalog, template).lifecycle is not None:
        raise IllegalArgument(
            f"index template [{name}] specifies lifecycle configuration that can only be used in combination with a "
            "data stream"
        )
    _check_names_of_aliases(template)
    check_composition(changed, name, template, check_filter)


def check_composition(
    catalog: Catalog, name: str, template: IndexTemplate, check_filter: FilterCheck
) -> None:
    """That an index can be made of it. Raises IllegalArgument with the reason as its cause."""
    part = composed(catalog, template)
    try:
        settings = Settings({k: v for k, v in part.settings.items() if v is not None})
        validate_new(settings)
        try:
            mapping = parse_mapping(part.mappings, MappingLimits.from_settings(settings))
            check_references(mapping)
            if template.data_stream is not None:
                field = mapping.get(TIMESTAMP)
                kind = None if field is None else field.type
                if kind not in ("date", "date_nanos"):
                    raise IllegalArgument(
                        f"data stream timestamp field [{TIMESTAMP}] is of type [{kind}], but [date,date_nanos] is "
                        "expected"
                    )
        except ApiError as error:
            raise IllegalArgument(
                f"invalid composite mappings for [{name}]", caused_by=error
            ) from error
        aliases_of_body(part.aliases, "", set(), check_filter)
    except ApiError as error:
        raise IllegalArgument(
            f"composable template [{name}] template after composition is invalid", caused_by=error
        ) from error


def check_component(
    catalog: Catalog, name: str, component: ComponentTemplate, check_filter: FilterCheck
) -> None:
    """Raises what is wrong with its settings, mappings and aliases; IllegalArgument where a template that is composed
    of it would no longer make an index.
    """
    _check_depth(component.meta, component.template)
    problems = _name_problems(name)
    if problems:
        listed = "".join(f"{at}: {problem};" for at, problem in enumerate(problems, 1))
        raise InvalidTemplate(name, f"Validation Failed: {listed}")
    part = component.template
    settings = Settings({k: v for k, v in (part.settings or {}).items() if v is not None})
    validate_new(settings)
    parse_mapping(part.mappings or {}, MappingLimits.from_settings(settings))
    aliases_of_body(part.aliases or {}, "", set(), check_filter)
    changed = catalog.changed({ComponentTemplate.KEY + name: component})
    for user, template in catalog.templates.items():
        if name not in template.composed_of:
            continue
        try:
            check_composition(changed, user, template, check_filter)
        except ApiError as error:
            raise IllegalArgument(
                f"updating component template [{name}] results in invalid composable template [{user}] after "
                "templates are merged",
                caused_by=error,
            ) from error


def _check_depth(meta: Mapping[str, Any] | None, body: TemplateBody | None) -> None:
    """What was stored must be read at the next start, however little of the stack is left there."""
    parts = () if body is None else (body.mappings, body.aliases, body.lifecycle)
    level: list[Any] = [part for part in (meta, *parts) if part is not None]
    for _ in range(_MAX_DEPTH):
        values = (each.values() if isinstance(each, Mapping) else each for each in level)
        level = [inner for each in values for inner in each if isinstance(inner, Mapping | list)]
        if not level:
            return
    raise IllegalArgument(f"a template must not be nested deeper than [{_MAX_DEPTH}] levels")


def check_templates_unused(catalog: Catalog, names: Iterable[str]) -> None:
    """Raises IllegalArgument where a data stream would be left without a template."""
    removed = list(names)
    left = catalog.changed({IndexTemplate.KEY + name: None for name in removed})
    streams = sorted(_without_template(left) - _without_template(catalog))
    if streams:
        raise IllegalArgument(
            f"unable to remove composable templates [{', '.join(removed)}] as they are in use by a data streams "
            f"[{', '.join(streams)}]"
        )


def check_components_unused(catalog: Catalog, names: Sequence[str]) -> None:
    """Raises IllegalArgument where an index template needs one of them."""
    users: list[str] = []
    needed: dict[str, None] = {}
    for user, template in catalog.templates.items():
        dispensable = template.ignore_missing_component_templates or ()
        found = [each for each in names if each in template.composed_of and each not in dispensable]
        if found:
            users.append(user)
            needed.update(dict.fromkeys(found))
    if users:
        raise IllegalArgument(
            f"component templates [{', '.join(needed)}] cannot be removed as they are still in use by index templates "
            f"[{', '.join(users)}]"
        )


def _check_components(catalog: Catalog, name: str, template: IndexTemplate) -> None:
    missing = [each for each in template.composed_of if each not in catalog.components]
    if template.ignore_missing_component_templates is None:
        if missing:
            raise InvalidTemplate(
                name,
                f"index template [{name}] specifies component templates [{', '.join(missing)}] that do not exist",
            )
        return
    left = [each for each in missing if each not in template.ignore_missing_component_templates]
    if left:
        raise InvalidTemplate(
            name,
            f"index template [{name}] specifies a missing component templates [{', '.join(left)}] that does not exist "
            "and is not part of 'ignore_missing_component_templates'",
        )


def _check_overlaps(catalog: Catalog, name: str, template: IndexTemplate) -> None:
    found = overlapping(catalog, name, template)
    if found:
        shown = ",".join(f"{each} => [{', '.join(theirs)}]" for each, theirs in found.items())
        raise IllegalArgument(
            f"index template [{name}] has index patterns [{', '.join(template.index_patterns)}] matching patterns from "
            f"existing templates [{','.join(found)}] with patterns ({shown}) that have the same priority "
            f"[{template.rank}], multiple index templates may not match during index creation, please use a different "
            "priority"
        )


def _check_streams_keep_theirs(
    catalog: Catalog, changed: Catalog, name: str, template: IndexTemplate
) -> None:
    streams = sorted(_without_template(changed) - _without_template(catalog))
    if streams:
        priority = "null" if template.priority is None else template.priority
        without = " and no data stream configuration" if template.data_stream is None else ""
        raise IllegalArgument(
            f"composable template [{name}] with index patterns [{', '.join(template.index_patterns)}], priority "
            f"[{priority}]{without} would cause data streams [{', '.join(streams)}] to no longer match a data stream "
            "template"
        )


def _without_template(catalog: Catalog) -> set[str]:
    """Data streams of which no next index could be made. Those that are replicated need none."""
    found = ((each, template_for(catalog, each.name)) for each in catalog.streams.values())
    return {
        stream.name
        for stream, template in found
        if not stream.replicated and (template is None or template[1].data_stream is None)
    }


def _check_names_of_aliases(template: IndexTemplate) -> None:
    """Before the composition is judged. Filters are left for that."""
    body = template.template or TemplateBody()
    named = {
        name: {key: value for key, value in alias.items() if key != "filter"}
        for name, alias in (body.aliases or {}).items()
    }
    aliases_of_body(named, "", set(), lambda raw: None)


def _name_problems(name: str) -> list[str]:
    problems = []
    if " " in name:
        problems.append("name must not contain a space")
    problems += [f"name must not contain a '{each}'" for each in ",#*" if each in name]
    if name.startswith("_"):
        problems.append("name must not start with '_'")
    if name != name.lower():
        problems.append("name must be lower cased")
    return problems


def _pattern_problems(patterns: Iterable[str]) -> list[str]:
    problems = []
    for pattern in patterns:
        if " " in pattern:
            problems.append(f"index_patterns [{pattern}] must not contain a space")
        problems += [
            f"index_pattern [{pattern}] must not contain a '{each}'"
            for each in ",#:"
            if each in pattern
        ]
        if pattern.startswith("_"):
            problems.append(f"index_pattern [{pattern}] must not start with '_'")
        if not _FORBIDDEN.isdisjoint(pattern.replace("*", "")):
            problems.append(
                f"index_pattern [{pattern}] must not contain the following characters {_FORBIDDEN_SHOWN}"
            )
    return problems


def _settings_of(template: IndexTemplate) -> Mapping[str, Any]:
    return {} if template.template is None else template.template.settings or {}


def _settings_problems(settings: Mapping[str, Any]) -> list[str]:
    try:
        validate_new(Settings({k: v for k, v in settings.items() if v is not None}))
    except ApiError as error:
        return [error.reason]
    return []
