"""What the cluster knows of its indices: plain data, and its form in the store.

An index is one entry, `index/<uuid>`; a change of one index rewrites that entry alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import msgspec

from sealane.cluster.catalog import EMPTY, NO_ENTRIES, Catalog, DataStream, Entries
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping import MappingLimits
from sealane.model.replication import Following
from sealane.settings import Settings, Value
from sealane.settings.index_settings import BLOCKS, HIDDEN, NUMBER_OF_REPLICAS

KEY_PREFIX: Final = "index/"

NO_LIMITS: Final = MappingLimits(total_fields=2**31 - 1, depth=2**31 - 1)
"""For a mapping that was judged before: here at its time, or at its leader."""


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alias of one index. `filter` is the text of a query's JSON."""

    filter: str | None = None
    index_routing: str | None = None
    search_routing: str | None = None
    is_write_index: bool | None = None
    is_hidden: bool | None = None

    def filter_bytes(self) -> bytes | None:
        return None if self.filter is None else self.filter.encode()

    def to_json(self) -> dict[str, Any]:
        """As `GET _alias` shows it."""
        shown = {
            "filter": None if self.filter is None else msgspec.json.decode(self.filter),
            "index_routing": self.index_routing,
            "search_routing": self.search_routing,
            "is_write_index": self.is_write_index,
            "is_hidden": self.is_hidden,
        }
        return {key: value for key, value in shown.items() if value is not None}


class StoredIndex(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disk format 1 of an index's entry."""

    name: str
    uuid: str
    shards: int
    creation_date: int
    settings: dict[str, str | tuple[str, ...]]
    mapping: msgspec.Raw
    aliases: dict[str, Alias]
    mapping_version: int
    settings_version: int
    aliases_version: int
    open: bool
    following: Following | None = None


@dataclass(frozen=True, kw_only=True)
class IndexMetadata:
    """One index. Immutable; `changed` makes the next one.

    `settings` are those set, with `index.` before them, ours (uuid, ...) included. `mapping_json`
    is the mapping as shown, `mapping` what the engine uses. The versions count changes, from 1.
    """

    name: str
    uuid: str
    shards: int
    creation_date: int
    settings: Settings
    mapping_json: bytes
    mapping: FieldMapping
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    mapping_version: int = 1
    settings_version: int = 1
    aliases_version: int = 1
    open: bool = True
    following: Following | None = None
    """Of a follower: whom, and how."""

    @cached_property
    def hidden(self) -> bool:
        return HIDDEN.get(self.settings)

    @cached_property
    def replicas(self) -> int:
        return NUMBER_OF_REPLICAS.get(self.settings)

    @cached_property
    def blocks(self) -> frozenset[str]:
        """The names of the blocks that are on."""
        return frozenset(name for name, block in BLOCKS.items() if block.get(self.settings))

    def changed(self, **members: Any) -> "IndexMetadata":
        return replace(self, **members)

    def to_stored(self) -> bytes:
        return msgspec.json.encode(
            StoredIndex(
                name=self.name,
                uuid=self.uuid,
                shards=self.shards,
                creation_date=self.creation_date,
                settings=dict(self.settings),
                mapping=msgspec.Raw(self.mapping_json),
                aliases=dict(self.aliases),
                mapping_version=self.mapping_version,
                settings_version=self.settings_version,
                aliases_version=self.aliases_version,
                open=self.open,
                following=self.following,
            )
        )

    @classmethod
    def from_stored(cls, stored: StoredIndex, mapping: FieldMapping) -> "IndexMetadata":
        settings: dict[str, Value] = dict(stored.settings)
        return cls(
            name=stored.name,
            uuid=stored.uuid,
            shards=stored.shards,
            creation_date=stored.creation_date,
            settings=Settings(settings),
            mapping_json=bytes(stored.mapping),
            mapping=mapping,
            aliases=stored.aliases,
            mapping_version=stored.mapping_version,
            settings_version=stored.settings_version,
            aliases_version=stored.aliases_version,
            open=stored.open,
            following=stored.following,
        )


class ClusterMetadata:
    """All indices as of one change. Immutable; finding one by name or alias costs a lookup.

    `catalog` has the data streams and templates as of the same change.
    """

    __slots__ = ("_by_alias", "_by_name", "_by_uuid", "catalog", "version")

    def __init__(
        self, indices: Iterable[IndexMetadata] = (), version: int = 0, catalog: Catalog = EMPTY
    ) -> None:
        self.version = version
        self.catalog = catalog
        self._by_name = {index.name: index for index in sorted(indices, key=lambda i: i.name)}
        self._by_uuid = {index.uuid: index for index in self._by_name.values()}
        self._by_alias: dict[str, list[IndexMetadata]] = {}
        for index in self._by_name.values():
            for alias in index.aliases:
                self._by_alias.setdefault(alias, []).append(index)

    def __iter__(self) -> Iterator[IndexMetadata]:
        """By name."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def index(self, name: str) -> IndexMetadata | None:
        """The index of this very name; aliases are not followed."""
        return self._by_name.get(name)

    def by_uuid(self, uuid: str) -> IndexMetadata | None:
        return self._by_uuid.get(uuid)

    def alias(self, name: str) -> list[IndexMetadata] | None:
        """The indices that have this alias, by name; None where none has."""
        return self._by_alias.get(name)

    def aliases(self) -> Iterable[str]:
        return self._by_alias

    def alias_hidden(self, name: str) -> bool:
        """Whether wildcards leave the alias out. It is so on all its indices or on none."""
        return any(index.aliases[name].is_hidden for index in self._by_alias.get(name, ()))

    def stream(self, name: str) -> DataStream | None:
        """The data stream of this name."""
        return self.catalog.streams.get(name)

    def stream_of(self, index: IndexMetadata) -> DataStream | None:
        """The data stream that the index is a backing index of."""
        return self.catalog.stream_of(index.uuid)

    def backing(self, stream: DataStream) -> list[IndexMetadata]:
        """The indices of a data stream, the oldest first; the last is written to."""
        return [found for uuid in stream.indices if (found := self._by_uuid.get(uuid)) is not None]

    def members(self, name: str) -> Sequence[IndexMetadata] | None:
        """The indices that an alias or a data stream stands for; None where there is neither."""
        stream = self.catalog.streams.get(name)
        return self._by_alias.get(name) if stream is None else self.backing(stream)

    def not_for_aliases(self) -> set[str]:
        """The names of indices and data streams."""
        return {*self._by_name, *self.catalog.streams}

    def with_indices(
        self,
        put: Iterable[IndexMetadata],
        removed: Iterable[str],
        version: int,
        entries: Entries = NO_ENTRIES,
    ) -> "ClusterMetadata":
        """This with indices put and others (by uuid) removed, and streams and templates changed. A stream loses the
        indices that are removed.
        """
        gone = set(removed)
        kept = {uuid: index for uuid, index in self._by_uuid.items() if uuid not in gone}
        kept.update({index.uuid: index for index in put})
        catalog = self.catalog.changed({**self.catalog.without_indices(gone), **entries})
        return ClusterMetadata(kept.values(), version, catalog)
