"""When an alias or a data stream is rolled over, and to what name. Pure.

All `min_` conditions must hold, and one of the `max_` conditions; without any it is done at once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from sealane.cluster.catalog import Catalog
from sealane.cluster.index_templates import parts_of, template_for
from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.cluster.targets import write_index
from sealane.errors import IllegalArgument, ResourceNotFound
from sealane.settings.index_settings import PROVIDED_NAME
from sealane.settings.text import value_text

_COUNTED: Final = re.compile(r"(.*-)(\d+)", re.DOTALL)


class Condition(NamedTuple):
    """`name` as in the request; `value` in documents, bytes or milliseconds, and as it was written."""

    name: str
    value: int
    text: str

    @property
    def is_least(self) -> bool:
        return self.name.startswith("min_")

    @property
    def shown(self) -> str:
        return f"[{self.name}: {self.text}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollover:
    """What is asked. `body` is what the new index gets beside what its templates say."""

    target: str
    new_name: str | None = None
    conditions: tuple[Condition, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    lazy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledOver:
    """What became of it."""

    old_index: str
    new_index: str
    rolled_over: bool
    acknowledged: bool
    conditions: Mapping[str, bool]


class Figures(NamedTuple):
    """Of the index that is written to now; sizes in bytes."""

    age_ms: int
    docs: int
    size: int
    shard_docs: int
    shard_size: int


def conditions_met(
    conditions: Sequence[Condition], figures: Figures
) -> tuple[Mapping[str, bool], bool]:
    """Each condition as it is shown with whether it holds, and whether that is enough."""
    held = {each: _value(each.name, figures) >= each.value for each in conditions}
    least = all(holds for each, holds in held.items() if each.is_least)
    most = [holds for each, holds in held.items() if not each.is_least]
    return {each.shown: holds for each, holds in held.items()}, least and (any(most) or not most)


def _value(name: str, figures: Figures) -> int:
    match name[4:]:
        case "age":
            return figures.age_ms
        case "docs":
            return figures.docs
        case "size":
            return figures.size
        case "primary_shard_docs":
            return figures.shard_docs
        case _:
            return figures.shard_size


def written_index(meta: ClusterMetadata, alias: str) -> IndexMetadata:
    """The index that an alias is rolled over from. Raises ResourceNotFound, IllegalArgument."""
    members = meta.alias(alias)
    if members is None:
        if meta.index(alias) is None:
            raise ResourceNotFound(f"rollover target [{alias}] does not exist")
        raise IllegalArgument(
            "rollover target is a [concrete index] but one of [alias,data_stream] was expected"
        )
    found = write_index(alias, members)
    if found is None:
        raise IllegalArgument(f"rollover target [{alias}] does not point to a write index")
    return found


def check_alias_is_not_given(catalog: Catalog, new: str, alias: str) -> None:
    """Raises IllegalArgument where the template of the new index has the alias that is rolled over: it would be on both
    indices.
    """
    found = template_for(catalog, new)
    if found is None:
        return
    name, template = found
    for part in reversed(parts_of(catalog, template)):
        if alias in (part.aliases or {}):
            raise IllegalArgument(
                f"Rollover alias [{alias}] can point to multiple indices, found duplicated alias "
                f"[[{', '.join(part.aliases or {})}]] in index template [{name}]"
            )


def next_name(index: IndexMetadata) -> str:
    """The name of the next index, dates in it as they were given. Raises IllegalArgument where there is no number to
    count on.
    """
    provided = value_text(index.settings.get(PROVIDED_NAME.key) or index.name)
    dated = provided.startswith("<") and provided.endswith(">")
    counted = _COUNTED.fullmatch(provided[1:-1] if dated else provided)
    if counted is None:
        raise IllegalArgument(f"index name [{index.name}] does not match pattern '^.*-\\d+$'")
    following = f"{counted[1]}{int(counted[2]) + 1:06d}"
    return f"<{following}>" if dated else following


def moved_alias(index: IndexMetadata, alias: str) -> tuple[IndexMetadata, Alias]:
    """The old index without the alias, or without writes by it, and the alias as the new index gets it.

    Only where the alias names its write index does it stay on the old one.
    """
    held = index.aliases[alias]
    aliases = dict(index.aliases)
    if held.is_write_index:
        aliases[alias] = msgspec.structs.replace(held, is_write_index=False)
        given = held
    else:
        del aliases[alias]
        given = msgspec.structs.replace(held, is_write_index=None)
    return index.changed(aliases=aliases, aliases_version=index.aliases_version + 1), given
