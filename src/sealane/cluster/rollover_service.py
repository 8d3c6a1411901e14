"""Rolls aliases and data streams over: a new index to write to, once what is asked of the present one holds.

When that is, and what the next index is called, is decided in `rollover` and `data_streams`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sealane.clock import Clock
from sealane.cluster import data_streams as streams
from sealane.cluster.aliases import MANAGE_ALIASES, check_allowed
from sealane.cluster.blocks import Level, check_blocks
from sealane.cluster.catalog import DataStream
from sealane.cluster.data_stream_service import DataStreams, demand_name
from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.found_indices import Guard
from sealane.cluster.index_changes import check_new_name
from sealane.cluster.index_templates import body_of_new_index, stream_template_for
from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.cluster.opened import OpenedIndices
from sealane.cluster.rollover import (
    Figures,
    RolledOver,
    Rollover,
    check_alias_is_not_given,
    conditions_met,
    moved_alias,
    next_name,
    written_index,
)
from sealane.cluster.serial import Serial
from sealane.errors import IllegalArgument, IndexNotFound
from sealane.model.access import Access

CREATE_INDEX: Final = "indices:admin/create"
_NO_FIGURES: Final = Figures(0, 0, 0, 0, 0)


class Rollovers:
    """Shares the line of changes and the engine with `indices`."""

    def __init__(
        self,
        *,
        streams: DataStreams,
        opened: OpenedIndices,
        serial: Serial,
        clock: Clock,
        guard: Guard,
    ) -> None:
        self._streams = streams
        self._opened = opened
        self._serial = serial
        self._clock = clock
        self._guard = guard

    @property
    def metadata(self) -> ClusterMetadata:
        return self._streams.metadata

    async def rollover(self, asked: Rollover) -> RolledOver:
        """Raises ResourceNotFound, IllegalArgument, SecurityError, ClusterBlock, and what a new index raises."""
        demand_name(self._guard(), asked.target)
        self._check_blocks(asked)
        if self.metadata.stream(asked.target) is None:
            return await self._roll_alias(asked)
        return await self._roll_stream(asked)

    async def _roll_stream(self, asked: Rollover) -> RolledOver:
        stream = self._rolling(asked)
        old = self._written(stream)
        new, _ = streams.next_backing_name(self.metadata, stream, self._clock.now_ms())
        held, enough = conditions_met(asked.conditions, await self._figures(old, asked))
        if asked.dry_run or not enough:
            return _not_rolled(old.name, new, held)
        if asked.lazy:
            await self._streams.change(
                lambda meta: msgspec.structs.replace(self._rolling(asked), rollover_on_write=True)
            )
            return _not_rolled(old.name, new, held, acknowledged=True)

        async def roll() -> RolledOver:
            self._check_blocks(asked)
            stream = self._rolling(asked)
            before = self._written(stream)
            if before.uuid != old.uuid:
                # Another was first: what was asked of the old index has happened.
                return _not_rolled(before.name, new, held)
            made = await self._streams.add_backing(stream)
            return _rolled(before.name, made.name, held)

        return await self._serial.run(roll)

    def _rolling(self, asked: Rollover) -> DataStream:
        stream = self.metadata.stream(asked.target)
        if stream is None:
            raise IndexNotFound(asked.target)
        if asked.new_name is not None:
            raise IllegalArgument(
                "new index name may not be specified when rolling over a data stream"
            )
        if any(asked.body.values()):
            raise IllegalArgument(
                "aliases, mappings, and index settings may not be specified when rolling over a data stream"
            )
        streams.check_rollover(stream)
        stream_template_for(self.metadata.catalog, stream.name)
        return stream

    def _written(self, stream: DataStream) -> IndexMetadata:
        backing = self.metadata.backing(stream)
        if not backing:
            raise IndexNotFound(stream.name)
        return backing[-1]

    async def _roll_alias(self, asked: Rollover) -> RolledOver:
        old = written_index(self.metadata, asked.target)
        if asked.lazy:
            raise IllegalArgument(
                "Lazy rollover can be applied only on a data stream. Please remove the query parameter 'lazy'."
            )
        given = asked.new_name or next_name(old)
        new = resolve_date_name(given, self._clock.now_ms())
        _demand_given(self._guard(), asked, new)
        check_new_name(self.metadata, new)
        held, enough = conditions_met(asked.conditions, await self._figures(old, asked))
        if asked.dry_run or not enough:
            return _not_rolled(old.name, new, held)

        async def roll() -> RolledOver:
            self._check_blocks(asked)
            before = written_index(self.metadata, asked.target)
            if before.uuid != old.uuid:
                return _not_rolled(before.name, new, held)
            parted, alias = moved_alias(before, asked.target)
            check_alias_is_not_given(self.metadata.catalog, new, asked.target)
            body = body_of_new_index(self.metadata.catalog, new, asked.body)
            index = _with_alias(
                self._streams.new_index(new, _without(body, asked.target), given),
                asked.target,
                alias,
            )
            await self._opened.make(index, changed=[parted])
            return _rolled(before.name, new, held)

        return await self._serial.run(roll)

    def _check_blocks(self, asked: Rollover) -> None:
        """Raises ClusterBlock where one of the indices of the alias or the stream may not be changed."""
        check_blocks(self.metadata.members(asked.target) or (), Level.METADATA_WRITE)

    async def _figures(self, index: IndexMetadata, asked: Rollover) -> Figures:
        """The engine is asked only where a condition depends on it. A closed index has no documents to count."""
        age_ms = self._clock.now_ms() - index.creation_date
        if not index.open or all(each.name.endswith("_age") for each in asked.conditions):
            return _NO_FIGURES._replace(age_ms=age_ms)
        stats = await self._opened.engine.stats(index.uuid)
        sizes = stats.sizes or ((stats.docs, stats.deleted, stats.store_bytes),)
        return Figures(
            age_ms=age_ms,
            docs=stats.docs,
            size=stats.store_bytes,
            shard_docs=max(each[0] for each in sizes),
            shard_size=max(each[2] for each in sizes),
        )


def _demand_given(access: Access | None, asked: Rollover, new: str) -> None:
    """What others write to the new index is seen by the alias that is rolled over. So names that the request chooses,
    the new index's and those of its aliases, are judged as where an index is made. Raises SecurityError.
    """
    if access is None:
        return
    if asked.new_name is not None:
        demand_name(access.acting(CREATE_INDEX), new)
    aliases = [name for name in asked.body.get("aliases") or () if name != asked.target]
    if aliases:
        check_allowed(access.acting(MANAGE_ALIASES), (), aliases)


def _without(body: Mapping[str, Any], alias: str) -> dict[str, Any]:
    """The body without the alias that is rolled over: the new index gets that as the old one had it."""
    aliases = {name: each for name, each in (body.get("aliases") or {}).items() if name != alias}
    return {**body, "aliases": aliases}


def _with_alias(index: IndexMetadata, name: str, alias: Alias) -> IndexMetadata:
    return index.changed(aliases={**index.aliases, name: alias})


def _rolled(old: str, new: str, conditions: Mapping[str, bool]) -> RolledOver:
    return RolledOver(
        old_index=old, new_index=new, rolled_over=True, acknowledged=True, conditions=conditions
    )


def _not_rolled(
    old: str, new: str, conditions: Mapping[str, bool], *, acknowledged: bool = False
) -> RolledOver:
    return RolledOver(
        old_index=old,
        new_index=new,
        rolled_over=False,
        acknowledged=acknowledged,
        conditions=conditions,
    )
