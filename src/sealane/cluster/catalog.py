"""The data streams and the templates of a cluster: plain data, and its form in the store.

A data stream is one entry, `data_stream/<name>`, a template one of `index_template/<name>` or
`component_template/<name>`; an entry goes into the store in one change with the indices it is about.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import msgspec

TIMESTAMP: Final = "@timestamp"


class DataStream(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`indices` are the uuids of its backing indices, the oldest first; the last is written to."""

    KEY: ClassVar[str] = "data_stream/"

    name: str
    indices: tuple[str, ...]
    generation: int
    hidden: bool = False
    replicated: bool = False
    """Whether it is written to by replication alone. It cannot be rolled over then."""
    allow_custom_routing: bool = False
    rollover_on_write: bool = False
    meta: dict[str, Any] | None = None


class TemplateBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an index gets. `settings` are flat, with `index.` before them; None is what was not said."""

    settings: dict[str, str | tuple[str, ...] | None] | None = None
    mappings: dict[str, Any] | None = None
    aliases: dict[str, dict[str, Any]] | None = None
    lifecycle: dict[str, Any] | None = None


class StreamTemplate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That an index template makes data streams, and how."""

    hidden: bool = False
    allow_custom_routing: bool = False


class IndexTemplate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A composable template. Of several that match a name the one of the highest priority is used."""

    KEY: ClassVar[str] = "index_template/"

    index_patterns: tuple[str, ...]
    template: TemplateBody | None = None
    composed_of: tuple[str, ...] = ()
    priority: int | None = None
    version: int | None = None
    meta: dict[str, Any] | None = None
    data_stream: StreamTemplate | None = None
    allow_auto_create: bool | None = None
    ignore_missing_component_templates: tuple[str, ...] | None = None
    deprecated: bool | None = None

    @property
    def rank(self) -> int:
        return self.priority or 0


class ComponentTemplate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part that index templates are composed of."""

    KEY: ClassVar[str] = "component_template/"

    template: TemplateBody
    version: int | None = None
    meta: dict[str, Any] | None = None
    deprecated: bool | None = None


Entry = DataStream | IndexTemplate | ComponentTemplate
Entries = Mapping[str, Entry | None]
"""Changes, by whole key; None removes."""

KINDS: Final[tuple[type[Entry], ...]] = (DataStream, IndexTemplate, ComponentTemplate)


class Catalog:
    """All of them as of one change. Immutable."""

    __slots__ = ("_by_index", "components", "streams", "templates")

    def __init__(
        self,
        streams: Mapping[str, DataStream],
        templates: Mapping[str, IndexTemplate],
        components: Mapping[str, ComponentTemplate],
    ) -> None:
        self.streams = dict(sorted(streams.items()))
        self.templates = dict(sorted(templates.items()))
        self.components = dict(sorted(components.items()))
        self._by_index = {
            uuid: stream for stream in self.streams.values() for uuid in stream.indices
        }

    def stream_of(self, index_uuid: str) -> DataStream | None:
        """The stream that an index is a backing index of."""
        return self._by_index.get(index_uuid)

    def changed(self, entries: Entries) -> "Catalog":
        if not entries:
            return self
        kinds: tuple[dict[str, Any], ...] = (
            dict(self.streams),
            dict(self.templates),
            dict(self.components),
        )
        for key, entry in entries.items():
            for kind, known in zip(KINDS, kinds, strict=True):
                if key.startswith(kind.KEY):
                    known.pop(key.removeprefix(kind.KEY), None)
                    if entry is not None:
                        known[key.removeprefix(kind.KEY)] = entry
        return Catalog(*kinds)

    def without_indices(self, uuids: Iterable[str]) -> dict[str, Entry | None]:
        """How the streams change where indices are removed."""
        gone = set(uuids)
        if self._by_index.keys().isdisjoint(gone):
            return {}
        return {
            key_of(stream): msgspec.structs.replace(
                stream,
                indices=tuple(each for each in stream.indices if each not in gone),
                generation=stream.generation + 1,
            )
            for stream in self.streams.values()
            if not gone.isdisjoint(stream.indices)
        }


EMPTY: Final = Catalog({}, {}, {})
NO_ENTRIES: Final[Entries] = {}


def key_of(stream: DataStream) -> str:
    return DataStream.KEY + stream.name
