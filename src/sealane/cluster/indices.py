"""The indices of this cluster: made, changed, removed. Finding them is `found_indices`'.

Every change is durable in the state store first, then published, then carried out by the engine.
What the engine does for an existing index happens outside the line of changes: a bulk that holds a
shard may be waiting in that line for its new fields, so a change must not wait for the shard. A
crash in between is repaired at start: the store decides, and the engine is told of every index it
should have (`known_uuids`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from sealane.clock import Clock, Ids
from sealane.cluster.aliases import (
    MANAGE_ALIASES,
    AliasChange,
    FilterCheck,
    changed_by,
    check_allowed,
    check_consistent,
)
from sealane.cluster.blocks import LIFTING, Level, check_blocks
from sealane.cluster.data_stream_service import DataStreams, demand_name
from sealane.cluster.data_streams import check_makes_stream, check_not_write_indices
from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.following import FollowedIndices
from sealane.cluster.found_indices import ADMIN_OPTIONS, FoundIndices, Guard
from sealane.cluster.growing_mappings import GrowingMappings
from sealane.cluster.index_changes import new_index, with_mapping, with_settings
from sealane.cluster.index_store import IndexStore
from sealane.cluster.index_templates import body_of_new_index, template_for
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.names import check_index_name
from sealane.cluster.opened import IndexEngine, OpenedIndices, ShardReport
from sealane.cluster.resolve import names_wildcard
from sealane.cluster.rollover_service import Rollovers
from sealane.cluster.self_replicated import check_mapping_is_own, check_settings_are_own
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import StateStore
from sealane.cluster.targets import WriteTarget, resolve_write_target
from sealane.cluster.template_service import Templates
from sealane.cluster.views import IndexView
from sealane.engine.base import IndexStats
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping import MappingLimits, parse_mapping
from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    IndexNotFound,
    ResourceAlreadyExists,
)
from sealane.model.access import Access, no_access_needed
from sealane.model.search import IndicesOptions
from sealane.settings import Value
from sealane.settings.index_settings import normalized, validate_changes
from sealane.settings.node_settings import AUTO_CREATE_INDEX, DESTRUCTIVE_REQUIRES_NAME

log = logging.getLogger("sealane.cluster")

AUTO_CREATE: Final = "indices:admin/auto_create"


class HasUuid(Protocol):
    @property
    def uuid(self) -> str: ...


class IndexService(FoundIndices):
    """Made by the composition root; `start` before the first use. Implements the engine's
    MappingSink. Finding, and by whose rights, is the base's.
    """

    def __init__(
        self,
        *,
        store: StateStore,
        settings: ClusterSettings,
        serial: Serial,
        clock: Clock,
        ids: Ids,
        check_filter: FilterCheck,
        guard: Guard = no_access_needed,
    ) -> None:
        super().__init__(IndexStore(store), clock, guard)
        self._settings = settings
        self._serial = serial
        self._ids = ids
        self._check_filter = check_filter
        self.opened = OpenedIndices(self._indices, serial)
        self.templates = Templates(indices=self._indices, serial=serial, check_filter=check_filter)
        self.streams = DataStreams(
            indices=self._indices,
            opened=self.opened,
            serial=serial,
            clock=clock,
            ids=ids,
            check_filter=check_filter,
            guard=guard,
        )
        self.rollovers = Rollovers(
            streams=self.streams, opened=self.opened, serial=serial, clock=clock, guard=guard
        )
        self.followed = FollowedIndices(
            indices=self._indices,
            opened=self.opened,
            serial=serial,
            clock=clock,
            ids=ids,
            check_filter=check_filter,
        )
        self._growing = GrowingMappings(self._indices, serial)

    # -- start ---------------------------------------------------------------------------------

    async def load(self) -> None:
        """Reads what is stored. Raises IllegalState where an entry cannot be read, IOFailure."""
        await self._indices.load()

    async def start(self, engine: IndexEngine) -> None:
        """Opens every open index in `engine`, after `load`. See `OpenedIndices.start`."""
        await self.opened.start(engine)

    def known_uuids(self) -> frozenset[str]:
        """Every index there is. What else lies in the engine's folder is left from a crash."""
        return frozenset(index.uuid for index in self._indices.metadata)

    # -- writing -------------------------------------------------------------------------------

    async def write_target(
        self,
        name: str,
        *,
        require_alias: bool = False,
        auto_create: bool = True,
        require_data_stream: bool = False,
    ) -> WriteTarget:
        """The index a document is written to, made where that is allowed.

        Raises IndexNotFound, InvalidIndexName, IllegalArgument, IndexClosed, ClusterBlock.
        """
        now_ms = self._clock.now_ms()
        access = self._guard()
        meta = self._indices.metadata
        wanted = resolve_date_name(name, now_ms)
        # Who may not write to an index that is not there hears, as in the reference, that it may not make it.
        if auto_create and meta.index(wanted) is None and meta.members(wanted) is None:
            check_index_name(wanted)
            target = None
        else:
            target = resolve_write_target(meta, name, now_ms, access)
        if require_alias and meta.alias(wanted) is None:
            raise _not_made(
                name, f"and [require_alias] request flag is [true] and [{name}] is not an alias"
            )
        if require_data_stream and meta.stream(wanted) is None:
            check_makes_stream(meta, wanted, is_there=target is not None)
        if target is None:
            if not auto_create:
                raise IndexNotFound(wanted)
            await self.ensure(name)
            target = resolve_write_target(
                self._indices.metadata, name, self._clock.now_ms(), access
            )
            if target is None:
                # Removed again between its making and now.
                raise IndexNotFound(name)
        elif target.rolls_over_first:
            await self.streams.roll_before_write(target.asked)
            return await self.write_target(name, auto_create=False)
        check_blocks((target.metadata,), Level.WRITE)
        return target

    # -- making and removing -------------------------------------------------------------------

    async def ensure(self, name: str) -> None:
        """Makes the index or the data stream of a write, where its template or `action.auto_create_index` allows.
        There already is fine.
        """
        wanted = resolve_date_name(name, self._clock.now_ms())
        found = template_for(self.metadata.catalog, wanted)
        template = None if found is None else found[1]
        if template is not None and template.allow_auto_create is False:
            patterns = ", ".join(template.index_patterns)
            raise _not_auto_created(f"composable template [{patterns}] forbids index auto creation")
        refusal = self._settings.get(AUTO_CREATE_INDEX).refusal(wanted)
        if refusal is not None and not (template is not None and template.allow_auto_create):
            raise _not_made(wanted, refusal)
        access = self._guard()
        if access is not None:
            access = access.acting(AUTO_CREATE)
        if template is not None and template.data_stream is not None:
            demand_name(access, wanted)
            await self.streams.ensure(wanted)
            return
        try:
            await self._make(name, {}, access)
        except ResourceAlreadyExists:
            pass  # another write was first, and its index serves

    async def create(self, name: str, body: Mapping[str, Any]) -> str:
        """Makes an index of `settings`, `mappings`, `aliases` in `body`; returns its name.

        Raises ParseError, InvalidIndexName, ResourceAlreadyExists, IllegalArgument, MapperParsing,
        IOFailure.
        """
        return await self._make(name, body, self._guard())

    async def _make(self, name: str, body: Mapping[str, Any], access: Access | None) -> str:
        if access is not None:
            wanted = resolve_date_name(name, self._clock.now_ms())
            demand_name(access, wanted)
            aliases = tuple(body.get("aliases") or ())
            if aliases:
                check_allowed(access.acting(MANAGE_ALIASES), (wanted,), aliases)
        return await self._serial.run(lambda: self._create(name, body))

    async def delete(
        self, expressions: Sequence[str], options: IndicesOptions = ADMIN_OPTIONS
    ) -> None:
        """Raises IndexNotFound, IllegalArgument for wildcards that are not allowed and for
        aliases.
        """
        self.check_destructive(expressions, "index / indices is missing")

        access = self._guard()

        async def remove() -> list[IndexMetadata]:
            found = self._targets(expressions, options, access, ignore_aliases=True, streams=False)
            check_blocks(found, Level.DELETE)
            check_not_write_indices(self.metadata, found)
            await self._indices.commit((), found)
            return found

        async def change() -> None:
            for index in await self._serial.run(remove):
                await self.opened.delete(index)

        await self._serial.run(change, alone=False)

    async def set_open(
        self, expressions: Sequence[str], open: bool, options: IndicesOptions = ADMIN_OPTIONS
    ) -> list[str]:
        """Opens or closes indices; returns the names of those that were not so already. Raises as
        `delete`.
        """
        self.check_destructive(expressions, "index is missing")

        access = self._guard()

        async def store() -> tuple[list[IndexMetadata], list[IndexMetadata]]:
            found = self._targets(expressions, options, access, streams=open)
            changed = [index.changed(open=open) for index in found if index.open != open]
            await self._indices.commit(changed)
            return found, changed

        async def change() -> list[str]:
            found, changed = await self._serial.run(store)
            for index in found:
                await self.opened.follow(index.uuid)
            return [index.name for index in changed]

        return await self._serial.run(change, alone=False)

    # -- changing ------------------------------------------------------------------------------

    async def put_mapping(
        self,
        expressions: Sequence[str],
        mapping: Mapping[str, Any],
        options: IndicesOptions = ADMIN_OPTIONS,
    ) -> None:
        """Merges `mapping` (`{"properties": ...}`) into each index, or into none.

        Raises IndexNotFound, MapperParsing, IllegalArgument for a conflict or too many fields,
        ClusterBlock.
        """
        if "_doc" in mapping:
            raise IllegalArgument("Types cannot be provided in put mapping requests")

        access = self._guard()

        def changes() -> list[IndexMetadata]:
            found = self._targets(expressions, options, access)
            check_blocks(found, Level.METADATA_WRITE)
            check_mapping_is_own(found)
            changed: list[IndexMetadata] = []
            for index in found:
                limits = MappingLimits.from_settings(index.settings)
                merged = with_mapping(index, parse_mapping(mapping, limits))
                if merged is not index:
                    changed.append(merged)
            return changed

        await self._change(changes)

    async def put_settings(
        self,
        expressions: Sequence[str],
        changes: Mapping[str, Value | None],
        options: IndicesOptions = ADMIN_OPTIONS,
        *,
        preserve_existing: bool = False,
    ) -> None:
        """Changes settings of each index, or of none. Keys are flat, `index.` before them or not;
        None removes.

        Raises ActionRequestValidation, IndexNotFound, IllegalArgument, ClusterBlock.
        """
        if not changes:
            raise ActionRequestValidation(["no settings to update"])
        full = normalized(changes)

        access = self._guard()

        def decide() -> list[IndexMetadata]:
            found = self._targets(expressions, options, access)
            validate_changes(full)
            if LIFTING.isdisjoint(full):
                check_blocks(found, Level.METADATA_WRITE)
            changed = with_settings(found, full, preserve_existing=preserve_existing)
            check_settings_are_own(found, changed)
            return changed

        await self._change(decide)

    async def update_aliases(self, actions: Sequence[AliasChange]) -> None:
        """All of `actions`, or none. Raises as `aliases.changed_by`, and ClusterBlock."""

        access = self._guard()

        async def store() -> list[IndexMetadata]:
            changed, removed = changed_by(
                self._indices.metadata, actions, self._check_filter, access
            )
            check_blocks(changed, Level.METADATA_WRITE)
            check_blocks(removed, Level.DELETE)
            check_not_write_indices(self.metadata, removed)
            await self._indices.commit(changed, removed)
            return removed

        async def change() -> None:
            for index in await self._serial.run(store):
                await self.opened.delete(index)

        await self._serial.run(change, alone=False)

    async def extend_mapping(self, index_uuid: str, update: Mapping[str, Any]) -> FieldMapping:
        """See MappingSink."""
        return await self._growing.extend_mapping(index_uuid, update)

    # -- the engine's part ---------------------------------------------------------------------

    async def refresh(self, index: HasUuid) -> None:
        """Makes what was written to the index searchable."""
        await self.opened.engine.refresh(index.uuid)

    async def sizes(self, index: HasUuid) -> IndexStats:
        return await self.opened.engine.stats(index.uuid)

    async def shard_reports(self, index: HasUuid) -> list[ShardReport]:
        return await self.opened.shard_reports(index.uuid)

    def default_settings(self, index: IndexView) -> Mapping[str, Value]:
        """What is in force without having been set."""
        return index.default_settings()

    async def _create(self, name: str, body: Mapping[str, Any]) -> str:
        now_ms = self._clock.now_ms()
        wanted = resolve_date_name(name, now_ms)
        index = new_index(
            self._indices.metadata,
            wanted,
            body_of_new_index(self.metadata.catalog, wanted, body),
            provided_name=name,
            uuid=self._ids.new(),
            now_ms=now_ms,
            check_filter=self._check_filter,
        )
        new = self._indices.metadata.with_indices([index], (), self._indices.metadata.version)
        check_consistent(new, [index])
        await self.opened.make(index)
        return index.name

    async def _change(self, changes: Callable[[], list[IndexMetadata]]) -> None:
        async def store() -> list[IndexMetadata]:
            changed = changes()
            await self._indices.commit(changed)
            return changed

        async def change() -> None:
            for index in await self._serial.run(store):
                await self.opened.follow(index.uuid)

        await self._serial.run(change, alone=False)

    def check_destructive(self, expressions: Sequence[str], none: str) -> None:
        """What is wrong with names of indices that are to be deleted, opened or closed, whoever asks. Raises
        ActionRequestValidation, in the words `none`, without any; IllegalArgument for wildcards.
        """
        if not expressions:
            raise ActionRequestValidation([none])
        if names_wildcard(expressions) and self._settings.get(DESTRUCTIVE_REQUIRES_NAME):
            raise IllegalArgument("Wildcard expressions or all indices are not allowed")


def _not_auto_created(why: str) -> IndexNotFound:
    error = IndexNotFound(why)
    error.metadata = {"index_uuid": "_na_", "index": why}
    return error


def _not_made(name: str, why: str) -> IndexNotFound:
    error = IndexNotFound(name)
    error.reason = f"no such index [{name}] {why}"
    error.metadata = {"index_uuid": "_na_", "index": name}
    return error
