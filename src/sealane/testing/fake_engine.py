"""An engine in memory: the same answers for writes, gets and changes, searches by match_all and term only.

It refuses what the embedded engine refuses, because it parses documents and resolves versions by the same code. What
is durable lies on a `FakeDisk`, which may outlive the engine: a `kill` loses all else, and what was under way has
happened as a whole or not at all. It has no tombstone that expires, and makes searchable what it finds on the disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingABC
from functools import partial
from typing import Any, Final, TypeVar

from sealane.clock import Clock, Ids
from sealane.engine.base import (
    Capability,
    Changes,
    IndexConfig,
    IndexStats,
    LiveDocuments,
    MappingSink,
    RollBack,
    ShardState,
)
from sealane.engine.embedded.conflicts import next_version
from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.mapping import (
    Mapping,
    MappingLimits,
    merge_mapping,
    parse_mapping,
    render_mapping,
)
from sealane.errors import (
    ApiError,
    FollowingEngine,
    IllegalState,
    IndexNotFound,
)
from sealane.model.document import Operation, OpKind, OpType, WriteOp, WriteResult
from sealane.model.replication import Ancestor, HistoryMark, Lease
from sealane.model.task import Context
from sealane.settings.units import parse_time
from sealane.testing.fake_disk import FakeDisk, OpenedFake
from sealane.testing.fake_reader import FakeReader
from sealane.testing.fake_shard import FakeShard

_T = TypeVar("_T")
_FOLLOWING: Final = "index.xpack.ccr.following_index"
_RETAINED: Final = "index.soft_deletes.retention.operations"
_PERIOD: Final = "index.soft_deletes.retention_lease.period"
_RETAINED_OPERATIONS: Final = 100_000
_EVERYTHING: Final = 1 << 62


class FakeMappings:
    """A MappingSink that keeps each index's mapping in memory."""

    def __init__(self) -> None:
        self.by_index: dict[str, Mapping] = {}

    async def extend_mapping(self, index_uuid: str, update: MappingABC[str, Any]) -> Mapping:
        base = self.by_index.get(index_uuid, Mapping())
        self.by_index[index_uuid] = merge_mapping(base, parse_mapping(update))
        return self.by_index[index_uuid]


class FakeEngine(FakeReader):
    """Implements `engine.base.Engine`."""

    capabilities = frozenset(Capability)

    def __init__(
        self, *, clock: Clock, ids: Ids, mappings: MappingSink, disk: FakeDisk | None = None
    ) -> None:
        self._clock = clock
        super().__init__(ids)
        self._mappings = mappings
        self.disk = FakeDisk() if disk is None else disk
        self._is_dead = False

    # -- life ----------------------------------------------------------------------------------------------------

    async def open_index(self, config: IndexConfig, *, new: bool = False) -> None:
        if config.uuid in self._opened:
            return
        if config.uuid not in self.disk.indices:
            if not new:
                error = IllegalState(f"the files of index [{config.uuid}] are missing")
                self._failed[config.uuid] = error
                raise error
            await self._commit("open", lambda: self._make(config))
        self._failed.pop(config.uuid, None)
        shards = self.disk.indices[config.uuid]
        for shard in shards:
            shard.term += not shard.is_clean
            shard.is_clean = False
            shard.refresh()
        self._opened[config.uuid] = OpenedFake(config, shards)

    def _make(self, config: IndexConfig) -> None:
        shards = [self.disk.make(self._ids.new()) for _ in range(config.shards)]
        self.disk.indices.setdefault(config.uuid, shards)

    async def update_config(self, config: IndexConfig) -> None:
        opened = self._index(config.uuid)
        opened.config, opened.parser = config, None

    async def close_index(self, index_uuid: str) -> None:
        opened = self._opened.pop(index_uuid, None)
        if opened is not None:
            async with opened.lock:
                opened.close()
                for shard in () if self._is_dead else opened.shards:
                    self._settle(opened.config, shard)
                    shard.is_clean = True

    async def delete_index(self, index_uuid: str) -> None:
        await self.close_index(index_uuid)
        self._failed.pop(index_uuid, None)
        await self._commit("delete", lambda: self.disk.indices.pop(index_uuid, None))

    async def close(self) -> None:
        for index_uuid in list(self._opened):
            await self.close_index(index_uuid)

    def opened(self, index_uuid: str) -> OpenedFake | None:
        """What is open of an index, for a test to look at."""
        return self._opened.get(index_uuid)

    def kill(self) -> None:
        """The process ends: nothing more becomes durable, and whoever waits finds that out."""
        self._is_dead = True
        opened, self._opened = self._opened, {}
        for index in opened.values():
            index.close()

    async def _commit(self, what: str, change: Callable[[], _T]) -> _T:
        def whole() -> _T:
            if self._is_dead:
                raise IllegalState("the engine is closed")
            return change()

        return await self.disk.commit(what, whole)

    async def _write(self, what: str, index_uuid: str, change: Callable[[], _T]) -> _T:
        """One change of an open index, after those that were begun before."""
        opened = self._index(index_uuid)
        async with opened.lock:
            self._index(index_uuid)
            changed = await self._commit(what, change)
            opened.wake()
            return changed

    # -- writing -------------------------------------------------------------------------------------------------

    async def refresh(self, index_uuid: str) -> None:
        shards = self._index(index_uuid).shards
        if any(shard.committed < shard.checkpoint for shard in shards):
            await self._write("refresh", index_uuid, lambda: self._refresh(index_uuid))

    def _refresh(self, index_uuid: str) -> None:
        opened = self._index(index_uuid)
        for shard in opened.shards:
            self._settle(opened.config, shard)

    def _settle(self, config: IndexConfig, shard: FakeShard) -> None:
        retained = int(config.settings.get(_RETAINED) or _RETAINED_OPERATIONS)
        shard.refresh()
        shard.trim(retained, self._clock.now_ms(), _period_ms(config))

    async def wait_for_refresh(self, index_uuid: str) -> None:
        """There is no interval here: whoever waits gets a refresh."""
        await self.refresh(index_uuid)

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        ctx.task.check()
        opened = self._index(index_uuid)
        if str(opened.config.settings.get(_FOLLOWING)) == "true":
            return [FollowingEngine() for _ in operations]
        outcomes: list[WriteResult | ApiError | None] = [None] * len(operations)
        async with opened.lock:
            places: dict[int, list[tuple[int, str]]] = {}
            for place, op in enumerate(operations):
                doc_id = op.id or self._ids.document()
                try:
                    await self._parse(opened, op)
                except ApiError as exc:
                    outcomes[place] = exc
                    continue
                number = self._number(opened.config, op.routing or doc_id)
                places.setdefault(number, []).append((place, doc_id))
            for number, here in places.items():
                self._index(index_uuid)
                ops = [(operations[place], doc_id) for place, doc_id in here]
                results = await self._commit("bulk", partial(self._apply, opened, number, ops))
                opened.wake()
                for (place, _), result in zip(here, results, strict=True):
                    outcomes[place] = result
        return [outcome for outcome in outcomes if outcome is not None]

    async def _parse(self, opened: OpenedFake, op: WriteOp) -> None:
        """Raises what is wrong with the document."""
        if op.source is None:
            return
        config = opened.config
        parser = opened.parser
        if parser is None or parser.mapping is not config.mapping:
            limits = MappingLimits.from_settings(config.settings)
            parser = opened.parser = DocumentParser(config.mapping, limits)
        parser.parse(op.source, op.id or "")
        if parser.mapping is not config.mapping:
            update = render_mapping(parser.mapping)
            mapping = await self._mappings.extend_mapping(config.uuid, update)
            opened.config = IndexConfig(
                uuid=config.uuid,
                shards=config.shards,
                mapping=mapping,
                settings=opened.config.settings,
            )

    def _apply(
        self, opened: OpenedFake, number: int, operations: Sequence[tuple[WriteOp, str]]
    ) -> list[WriteResult | ApiError]:
        outcomes: list[WriteResult | ApiError] = []
        for op, doc_id in operations:
            try:
                outcomes.append(self._apply_one(opened.shards[number], number, op, doc_id))
            except ApiError as exc:
                outcomes.append(exc)
        return outcomes

    def _apply_one(self, shard: FakeShard, number: int, op: WriteOp, doc_id: str) -> WriteResult:
        known = shard.newest.get(doc_id)
        is_deleted = known is not None and known.kind is OpKind.DELETE
        current = None
        if known is not None:
            current = (known.seq_no, known.term, known.version, is_deleted)
        version = next_version(op, doc_id, current)
        is_live = known is not None and not is_deleted
        is_delete = op.op is OpType.DELETE
        seq_no, term = shard.max_seq_no + 1, shard.term
        kind = OpKind.DELETE if is_delete else OpKind.INDEX
        now_ms = self._clock.now_ms()
        shard.append(Operation(seq_no, term, version, kind, doc_id, op.routing, op.source, now_ms))
        results = ("deleted", "not_found") if is_delete else ("updated", "created")
        return WriteResult(
            id=doc_id,
            result=results[0] if is_live else results[1],
            version=version,
            seq_no=seq_no,
            primary_term=term,
            shard=number,
        )

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> ShardState:
        def change() -> ShardState:
            target = self._shard(index_uuid, shard)
            for op in operations:
                target.take(op)
            return target.state()

        return await self._write("replica", index_uuid, change)

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState:
        def change() -> ShardState:
            target = self._shard(index_uuid, shard)
            target.take_copied(operations, up_to, mark)
            return target.state()

        return await self._write("copied", index_uuid, change)

    async def adopt_history(
        self,
        index_uuid: str,
        shard: int,
        history_uuid: str,
        *,
        ancestors: Sequence[Ancestor] = (),
    ) -> None:
        adopt = self._shard(index_uuid, shard).adopt
        await self._write("adopt", index_uuid, partial(adopt, history_uuid, tuple(ancestors)))

    async def begin_history(self, index_uuid: str) -> tuple[ShardState, ...]:
        """Shard by shard: a crash may leave some as they were."""
        shards = self._index(index_uuid).shards
        for shard in shards:
            shard.require_whole()
        for shard in shards:
            history = self._ids.new()
            await self._write("begin", index_uuid, lambda s=shard, h=history: s.begin_history(h))  # type: ignore[misc]
        return tuple(shard.state() for shard in shards)

    async def roll_back(self, index_uuid: str, shard: int, back: RollBack) -> ShardState:
        def change() -> ShardState:
            target = self._shard(index_uuid, shard)
            target.roll_back(back)
            return target.state()

        return await self._write("roll_back", index_uuid, change)

    async def hold_reads(self, index_uuid: str, reason: ApiError | None) -> None:
        self._index(index_uuid).held = reason

    async def stats(self, index_uuid: str) -> IndexStats:
        shards = self._index(index_uuid).shards
        return IndexStats(
            docs=sum(len(shard.visible) for shard in shards),
            deleted=0,
            store_bytes=0,
            shards=tuple(shard.state() for shard in shards),
        )

    # -- the log -------------------------------------------------------------------------------------------------

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState:
        return self._shard(index_uuid, shard).state()

    async def changes(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
        previous: HistoryMark | None = None,
    ) -> Changes:
        held = self._shard(index_uuid, shard)
        found = held.read(from_seq_no, max_count, max_bytes, previous)
        return Changes(operations=found, state=held.state())

    async def wait_for_checkpoint(
        self, index_uuid: str, shard: int, seq_no: int, *, timeout_s: float
    ) -> ShardState:
        opened = self._index(index_uuid)
        held = self._shard(index_uuid, shard)
        if held.checkpoint < seq_no:
            await asyncio.wait([opened.wait(shard, seq_no)], timeout=timeout_s)
        if opened.is_closed:
            raise IndexNotFound(index_uuid)
        return held.state()

    async def live_documents(
        self,
        index_uuid: str,
        shard: int,
        from_seq_no: int,
        to_seq_no: int,
        *,
        max_count: int,
        max_bytes: int,
    ) -> LiveDocuments:
        held = self._shard(index_uuid, shard)
        if held.committed < to_seq_no:
            await self.refresh(index_uuid)
        found, up_to = held.live(from_seq_no, to_seq_no, max_count, max_bytes)
        total = len(held.visible)
        return LiveDocuments(operations=found, up_to=up_to, total_docs=total, state=held.state())

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None:
        return self._shard(index_uuid, shard).mark(seq_no)

    async def touched_since(self, index_uuid: str, shard: int, seq_no: int) -> list[str]:
        return self._shard(index_uuid, shard).touched_since(seq_no)

    async def log_floor(self, index_uuid: str, shard: int) -> int:
        return self._shard(index_uuid, shard).floor

    # -- leases --------------------------------------------------------------------------------------------------

    async def add_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        def change() -> Lease:
            held = self._current_leases(index_uuid, shard)
            return held.add_lease(self._lease(lease_id, retaining_seq_no, source))

        return await self._write("lease", index_uuid, change)

    async def renew_lease(
        self, index_uuid: str, shard: int, lease_id: str, retaining_seq_no: int, source: str
    ) -> Lease:
        def change() -> Lease:
            held = self._current_leases(index_uuid, shard)
            return held.renew_lease(self._lease(lease_id, retaining_seq_no, source))

        return await self._write("lease", index_uuid, change)

    async def remove_lease(self, index_uuid: str, shard: int, lease_id: str) -> None:
        def change() -> None:
            self._current_leases(index_uuid, shard).remove_lease(lease_id)

        await self._write("lease", index_uuid, change)

    async def leases(self, index_uuid: str, shard: int) -> tuple[Lease, ...]:
        held = self._shard(index_uuid, shard).held_leases.values()
        since = self._clock.now_ms() - _period_ms(self._index(index_uuid).config)
        unexpired = [lease for lease in held if lease.timestamp_ms >= since]
        return tuple(sorted(unexpired, key=lambda lease: lease.id))

    def _current_leases(self, index_uuid: str, shard: int) -> FakeShard:
        held = self._shard(index_uuid, shard)
        held.drop_expired(self._clock.now_ms(), _period_ms(self._index(index_uuid).config))
        return held

    def _lease(self, lease_id: str, retaining_seq_no: int, source: str) -> Lease:
        return Lease(
            id=lease_id,
            retaining_seq_no=retaining_seq_no,
            timestamp_ms=self._clock.now_ms(),
            source=source,
        )

    # -- finding -------------------------------------------------------------------------------------------------

    def _shard(self, index_uuid: str, shard: int) -> FakeShard:
        return self._index(index_uuid).shards[shard]


def _period_ms(config: IndexConfig) -> int:
    text = str(config.settings.get(_PERIOD) or "12h")
    return int(parse_time(text, _PERIOD).ms)
