"""The data streams of this cluster: made, found, changed, removed, rolled over.

What comes of a change is decided in `data_streams` and `rollover`; a stream and the indices it is about go into the
store in one change. Rights are judged here, by name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from sealane.clock import Clock, Ids
from sealane.cluster import data_streams as streams
from sealane.cluster.aliases import FilterCheck, check_consistent
from sealane.cluster.blocks import Level, check_blocks
from sealane.cluster.catalog import DataStream, Entry, key_of
from sealane.cluster.found_indices import Guard
from sealane.cluster.index_changes import new_index
from sealane.cluster.index_store import IndexStore
from sealane.cluster.index_templates import (
    composed,
    over,
    stream_template_for,
    template_for,
)
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.opened import OpenedIndices
from sealane.cluster.serial import Serial
from sealane.cluster.stream_names import allows_name
from sealane.errors import IllegalArgument
from sealane.model.access import Access
from sealane.model.search import IndicesOptions
from sealane.settings import Settings
from sealane.settings.index_settings import HIDDEN


class StreamView(NamedTuple):
    """A data stream with its backing indices, and the template that its next one is made of."""

    stream: DataStream
    indices: Sequence[IndexMetadata]
    template: str | None


class StreamChange(NamedTuple):
    """One action of `_data_stream/_modify`: an index becomes a backing index of a stream, or none any more."""

    adds: bool
    stream: str
    backing: str


class DataStreams:
    """Shares the store, the line of changes and the engine with `indices`."""

    def __init__(
        self,
        *,
        indices: IndexStore,
        opened: OpenedIndices,
        serial: Serial,
        clock: Clock,
        ids: Ids,
        check_filter: FilterCheck,
        guard: Guard,
    ) -> None:
        self._indices = indices
        self._opened = opened
        self._serial = serial
        self._clock = clock
        self._ids = ids
        self._check_filter = check_filter
        self._guard = guard

    @property
    def metadata(self) -> ClusterMetadata:
        return self._indices.metadata

    # -- looking -----------------------------------------------------------------------------------

    def find(self, expressions: Sequence[str], options: IndicesOptions) -> list[StreamView]:
        """By name. Raises IndexNotFound for one that is named and not there, SecurityError."""
        meta = self.metadata
        found = streams.named_streams(meta, expressions, options, self._guard())
        return [
            StreamView(each, meta.backing(each), template and template[0])
            for each in found
            for template in (template_for(meta.catalog, each.name),)
        ]

    # -- made and removed --------------------------------------------------------------------------

    async def create(self, name: str) -> None:
        """Raises StreamAlreadyExists, IllegalArgument, IllegalState, SecurityError, IOFailure."""
        demand_name(self._guard(), name)

        async def make() -> None:
            streams.check_new_stream(self.metadata, name)
            await self._make(name)

        await self._serial.run(make)

    async def ensure(self, name: str) -> None:
        """Makes the data stream of a write, as `create`; there already is fine. Rights have been judged."""

        async def make() -> None:
            if self.metadata.stream(name) is None:
                streams.check_new_stream(self.metadata, name)
                await self._make(name)

        await self._serial.run(make)

    async def _make(self, name: str) -> None:
        _, template = stream_template_for(self.metadata.catalog, name)
        kind = template.data_stream
        assert kind is not None
        stream = DataStream(
            name=name,
            indices=(),
            generation=0,
            hidden=kind.hidden,
            allow_custom_routing=kind.allow_custom_routing,
            meta=template.meta,
        )
        await self.add_backing(stream)

    async def add_backing(self, stream: DataStream) -> IndexMetadata:
        """Makes the next backing index, which is written to from then on. Runs in the line of changes."""
        meta = self.metadata
        _, template = stream_template_for(meta.catalog, stream.name)
        name, generation = streams.next_backing_name(meta, stream, self._clock.now_ms())
        part = composed(meta.catalog, template)
        index = self.new_index(name, over(part, {"settings": {HIDDEN.key: "true"}}, name), name)
        streams.check_timestamp(index)
        longer = msgspec.structs.replace(
            stream,
            indices=(*stream.indices, index.uuid),
            generation=generation,
            rollover_on_write=False,
        )
        await self._opened.make(index, entries={key_of(stream): longer})
        return index

    def new_index(self, name: str, body: Mapping[str, Any], provided_name: str) -> IndexMetadata:
        index = new_index(
            self.metadata,
            name,
            body,
            provided_name=provided_name,
            uuid=self._ids.new(),
            now_ms=self._clock.now_ms(),
            check_filter=self._check_filter,
        )
        check_consistent(self.metadata.with_indices([index], (), self.metadata.version), [index])
        return index

    async def delete(self, expressions: Sequence[str], options: IndicesOptions) -> None:
        """Removes streams with their backing indices. Raises as `find`, and ClusterBlock."""
        access = self._guard()

        async def remove() -> list[IndexMetadata]:
            meta = self.metadata
            found = streams.named_streams(meta, expressions, options, access)
            gone = [index for stream in found for index in meta.backing(stream)]
            check_blocks(gone, Level.DELETE)
            await self._indices.commit((), gone, {key_of(stream): None for stream in found})
            return gone

        async def change() -> None:
            for index in await self._serial.run(remove):
                await self._opened.delete(index)

        await self._serial.run(change, alone=False)

    # -- changed -----------------------------------------------------------------------------------

    async def promote(self, name: str) -> None:
        """A replicated stream becomes an ordinary one. Raises ResourceNotFound, SecurityError."""
        demand_name(self._guard(), name)
        await self.change(
            lambda meta: msgspec.structs.replace(
                streams.present_stream(meta, name), replicated=False
            )
        )

    async def change(self, decide: Callable[[ClusterMetadata], DataStream]) -> None:
        """Stores the stream that `decide` gives."""

        async def store() -> None:
            stream = decide(self.metadata)
            await self._indices.commit((), (), {key_of(stream): stream})

        await self._serial.run(store)

    async def modify(self, actions: Sequence[StreamChange]) -> None:
        """All of `actions`, or none. Raises IllegalArgument, SecurityError."""
        access = self._guard()

        async def store() -> None:
            meta, entries, changed = self.metadata, dict[str, Entry | None](), []
            for action in actions:
                demand_name(access, action.stream)
                if access is not None and not allows_name(meta, action.backing, access):
                    raise access.denial((action.backing,))
                stream, index = meta.stream(action.stream), meta.index(action.backing)
                if stream is None:
                    raise IllegalArgument(f"data stream [{action.stream}] not found")
                if index is None:
                    raise IllegalArgument(f"index [{action.backing}] not found")
                if action.adds:
                    entry = streams.with_backing(meta, stream, index)
                    changed.append(_hidden(index))
                else:
                    entry = streams.without_backing(stream, index)
                entries[key_of(stream)] = entry
                meta = meta.with_indices((), (), meta.version, entries)
            await self._indices.commit(changed, (), entries)

        await self._serial.run(store)

    # -- rolled over -------------------------------------------------------------------------------

    async def roll_before_write(self, name: str) -> None:
        """A stream that was to be rolled over when it is next written to. Another write may have been first."""

        async def roll() -> None:
            stream = self.metadata.stream(name)
            if stream is not None and stream.rollover_on_write and not stream.replicated:
                await self.add_backing(stream)

        await self._serial.run(roll)


def demand_name(access: Access | None, name: str) -> None:
    """Raises SecurityError unless the action may be done on what has, or is to have, that name."""
    if access is not None and not access.allows(name):
        raise access.denial((name,))


def _hidden(index: IndexMetadata) -> IndexMetadata:
    if index.hidden:
        return index
    settings = Settings({**index.settings, HIDDEN.key: "true"})
    return index.changed(settings=settings, settings_version=index.settings_version + 1)
