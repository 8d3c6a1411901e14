"""The templates of this cluster: kept, found, removed, and tried out.

What they mean is in `index_templates`, whether they may be kept in `template_rules`. Rights are judged by the action
alone: a template is of no index.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from sealane.cluster.aliases import FilterCheck
from sealane.cluster.catalog import Catalog, ComponentTemplate, Entries, IndexTemplate
from sealane.cluster.index_store import IndexStore
from sealane.cluster.index_templates import (
    Composed,
    composed,
    over,
    overlapping,
    template_for,
)
from sealane.cluster.serial import Serial
from sealane.cluster.template_rules import (
    TemplateMissing,
    check_component,
    check_components_unused,
    check_template,
    check_templates_unused,
)
from sealane.engine.mapping import parse_mapping, render_mapping
from sealane.errors import IllegalArgument, ResourceNotFound
from sealane.model.patterns import matches
from sealane.settings.index_settings import TIER_PREFERENCE

T = TypeVar("T")


class Simulated(NamedTuple):
    """What an index would get, and the other templates that its template meets, with their patterns."""

    part: Composed
    overlapping: Mapping[str, tuple[str, ...]]


class Templates:
    """Shares the store and the line of changes with `indices`."""

    def __init__(self, *, indices: IndexStore, serial: Serial, check_filter: FilterCheck) -> None:
        self._indices = indices
        self._serial = serial
        self._check_filter = check_filter

    @property
    def catalog(self) -> Catalog:
        return self._indices.metadata.catalog

    # -- looking -----------------------------------------------------------------------------------

    def find(self, name: str | None) -> dict[str, IndexTemplate]:
        """By name; `*` in it stands for any characters. Raises ResourceNotFound, IllegalArgument for several names."""
        return _found(self.catalog.templates, name, "index")

    def find_components(self, name: str | None) -> dict[str, ComponentTemplate]:
        """As `find`."""
        return _found(self.catalog.components, name, "component")

    # -- changing ----------------------------------------------------------------------------------

    async def put(self, name: str, template: IndexTemplate, *, create: bool = False) -> None:
        """Raises what `template_rules.check_template` does; IllegalArgument where it is there and was to be new."""

        def change(catalog: Catalog) -> Entries:
            if create and name in catalog.templates:
                raise IllegalArgument(f"index template [{name}] already exists")
            check_template(catalog, name, template, self._check_filter)
            return {IndexTemplate.KEY + name: template}

        await self._change(change)

    async def put_component(
        self, name: str, component: ComponentTemplate, *, create: bool = False
    ) -> None:
        """As `put`."""

        def change(catalog: Catalog) -> Entries:
            if create and name in catalog.components:
                raise IllegalArgument(f"component template [{name}] already exists")
            check_component(catalog, name, component, self._check_filter)
            return {ComponentTemplate.KEY + name: component}

        await self._change(change)

    async def delete(self, expression: str) -> None:
        """Names and patterns, with commas between. Raises TemplateMissing; IllegalArgument where a data stream needs
        one of them.
        """

        def change(catalog: Catalog) -> Entries:
            names, missing = _named(expression, catalog.templates)
            if missing:
                raise TemplateMissing(",".join(missing))
            check_templates_unused(catalog, names)
            return {IndexTemplate.KEY + name: None for name in names}

        await self._change(change)

    async def delete_component(self, expression: str) -> None:
        """As `delete`. Raises ResourceNotFound; IllegalArgument where an index template needs one of them."""

        def change(catalog: Catalog) -> Entries:
            names, missing = _named(expression, catalog.components)
            if missing:
                raise ResourceNotFound(",".join(missing))
            check_components_unused(catalog, names)
            return {ComponentTemplate.KEY + name: None for name in names}

        await self._change(change)

    async def _change(self, decide: Callable[[Catalog], Entries]) -> None:
        async def store() -> None:
            await self._indices.commit((), (), decide(self.catalog))

        await self._serial.run(store)

    # -- tried out ---------------------------------------------------------------------------------

    def simulate_index(self, name: str, added: IndexTemplate | None) -> Simulated | None:
        """What an index of that name would get, `added` being a template as well; None where no template matches.

        Raises as `put`.
        """
        catalog = self.catalog
        if added is not None:
            check_template(catalog, _ADDED, added, self._check_filter)
            catalog = catalog.changed({IndexTemplate.KEY + _ADDED: added})
        found = template_for(catalog, name)
        return None if found is None else _simulated(catalog, *found, index=name)

    def simulate(self, name: str | None, body: IndexTemplate | None) -> Simulated:
        """What an index of a template would get: one that is there, or `body`. Raises IllegalArgument, as `put`."""
        catalog = self.catalog
        if body is None:
            assert name is not None
            template = catalog.templates.get(name)
            if template is None:
                raise IllegalArgument(f"unable to simulate template [{name}] that does not exist")
        else:
            template = body
            check_template(catalog, name or _ADDED, template, self._check_filter)
        return _simulated(catalog, name or _ADDED, template, index=name or _ADDED)


_ADDED = "simulate_template"


def _simulated(catalog: Catalog, name: str, template: IndexTemplate, *, index: str) -> Simulated:
    part = composed(catalog, template)
    mapping = render_mapping(parse_mapping(part.mappings))
    settings = {TIER_PREFERENCE.key: "data_content", **part.settings}
    aliases: dict[str, Any] = over(part, {}, index)["aliases"]
    met = overlapping(catalog, name, template, same_priority=False)
    return Simulated(
        part._replace(settings=settings, mappings=mapping, aliases=aliases),
        {each: patterns for each, patterns in met.items() if each != _ADDED},
    )


def _found(known: Mapping[str, T], name: str | None, kind: str) -> dict[str, T]:
    if name is None or name in ("*", "_all"):
        return dict(known)
    if kind == "index" and "," in name:
        raise IllegalArgument("template name may not contain ','")
    if "*" in name:
        return {each: template for each, template in known.items() if matches(name, each)}
    if name not in known:
        raise ResourceNotFound(f"{kind} template matching [{name}] not found")
    return {name: known[name]}


def _named(expression: str, known: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """The names that are meant, and what means none. `*` alone may mean none."""
    names: dict[str, None] = {}
    missing: list[str] = []
    for each in expression.split(","):
        found = [name for name in known if matches(each, name)]
        if not found and each != "*":
            missing.append(each)
        names.update(dict.fromkeys(found))
    return list(names), missing
