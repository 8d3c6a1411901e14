"""An engine in memory: the same answers for writes, gets and changes, searches by match_all and term only.

It refuses what the embedded engine refuses, because it parses documents and resolves versions by the same code. It
forgets everything when it is closed, has no tombstone that expires, and its log is never trimmed.
"""

import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import Any

from sealane.clock import Clock, Ids
from sealane.engine.base import (
    Capability,
    Changes,
    FoundDoc,
    IndexConfig,
    IndexStats,
    MappingSink,
    ShardSearch,
    ShardState,
    TermsWanted,
)
from sealane.engine.embedded.conflicts import next_version
from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.embedded.routing import routing_shards, shard_of
from sealane.engine.mapping import (
    Mapping,
    MappingLimits,
    merge_mapping,
    parse_mapping,
    render_mapping,
)
from sealane.errors import ApiError, IllegalArgument, IndexNotFound, SearchContextMissing
from sealane.model.document import Document, Operation, OpKind, OpType, WriteOp, WriteResult
from sealane.model.dsl import MatchAll, Query, Term
from sealane.model.task import Context
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits


class FakeMappings:
    """A MappingSink that keeps each index's mapping in memory."""

    def __init__(self) -> None:
        self.by_index: dict[str, Mapping] = {}

    async def extend_mapping(self, index_uuid: str, update: MappingABC[str, Any]) -> Mapping:
        base = self.by_index.get(index_uuid, Mapping())
        self.by_index[index_uuid] = merge_mapping(base, parse_mapping(update))
        return self.by_index[index_uuid]


class _FakeShard:
    def __init__(self, history_uuid: str) -> None:
        self.history_uuid = history_uuid
        self.log: dict[int, Operation] = {}
        self.newest: dict[str, Operation] = {}
        self.visible: dict[str, Operation] = {}

    def state(self) -> ShardState:
        checkpoint = -1
        while checkpoint + 1 in self.log:
            checkpoint += 1
        return ShardState(
            history_uuid=self.history_uuid,
            primary_term=1,
            max_seq_no=max(self.log, default=-1),
            checkpoint=checkpoint,
        )

    def take(self, op: Operation) -> None:
        self.log[op.seq_no] = op
        newest = self.newest.get(op.id)
        if op.kind is not OpKind.NO_OP and (newest is None or newest.seq_no < op.seq_no):
            self.newest[op.id] = op

    def refresh(self) -> None:
        self.visible = {i: op for i, op in self.newest.items() if op.kind is OpKind.INDEX}


class FakeEngine:
    """Implements `engine.base.Engine`."""

    capabilities = frozenset(Capability)

    def __init__(self, *, clock: Clock, ids: Ids, mappings: MappingSink) -> None:
        self._clock = clock
        self._ids = ids
        self._mappings = mappings
        self._configs: dict[str, IndexConfig] = {}
        self._shards: dict[str, list[_FakeShard]] = {}
        self._readers: dict[str, _FakeReader] = {}

    async def open_index(self, config: IndexConfig, *, new: bool = False) -> None:
        self._configs[config.uuid] = config
        self._shards.setdefault(
            config.uuid, [_FakeShard(self._ids.new()) for _ in range(config.shards)]
        )

    async def update_config(self, config: IndexConfig) -> None:
        self._config(config.uuid)
        self._configs[config.uuid] = config

    async def close_index(self, index_uuid: str) -> None:
        self._configs.pop(index_uuid, None)

    async def delete_index(self, index_uuid: str) -> None:
        self._configs.pop(index_uuid, None)
        self._shards.pop(index_uuid, None)

    async def close(self) -> None:
        self._configs.clear()

    async def refresh(self, index_uuid: str) -> None:
        self._config(index_uuid)
        for shard in self._shards[index_uuid]:
            shard.refresh()

    async def wait_for_refresh(self, index_uuid: str) -> None:
        """There is no interval here: whoever waits gets a refresh."""
        await self.refresh(index_uuid)

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        ctx.task.check()
        outcomes: list[WriteResult | ApiError] = []
        for op in operations:
            try:
                outcomes.append(await self._write(index_uuid, op))
            except ApiError as exc:
                outcomes.append(exc)
        return outcomes

    async def _write(self, index_uuid: str, op: WriteOp) -> WriteResult:
        config = self._config(index_uuid)
        if op.source is not None:
            limits = MappingLimits.from_settings(config.settings)
            parser = DocumentParser(config.mapping, limits)
            parser.parse(op.source, op.id or "")
            if parser.mapping is not config.mapping:
                await self._mappings.extend_mapping(index_uuid, render_mapping(parser.mapping))
                self._configs[index_uuid] = IndexConfig(
                    uuid=config.uuid,
                    shards=config.shards,
                    mapping=parser.mapping,
                    settings=config.settings,
                )
        doc_id = op.id or self._ids.document()
        number = self._number(config, op.routing or doc_id)
        shard = self._shards[index_uuid][number]
        known = shard.newest.get(doc_id)
        is_deleted = known is not None and known.kind is OpKind.DELETE
        current = None
        if known is not None:
            current = (known.seq_no, known.term, known.version, is_deleted)
        version = next_version(op, doc_id, current)
        is_live = known is not None and not is_deleted
        is_delete = op.op is OpType.DELETE
        seq_no = shard.state().max_seq_no + 1
        kind = OpKind.DELETE if is_delete else OpKind.INDEX
        shard.take(
            Operation(seq_no, 1, version, kind, doc_id, op.routing, op.source, self._clock.now_ms())
        )
        results = ("deleted", "not_found") if is_delete else ("updated", "created")
        result = results[0] if is_live else results[1]
        return WriteResult(
            id=doc_id,
            result=result,
            version=version,
            seq_no=seq_no,
            primary_term=1,
            shard=number,
        )

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> None:
        self._config(index_uuid)
        target = self._shards[index_uuid][shard]
        for op in operations:
            if op.seq_no not in target.log:
                target.take(op)

    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None:
        config = self._config(index_uuid)
        shard = self._shards[index_uuid][self._number(config, routing or doc_id)]
        op = (shard.newest if realtime else shard.visible).get(doc_id)
        if op is None or op.source is None:
            return None
        return Document(
            id=doc_id,
            version=op.version,
            seq_no=op.seq_no,
            primary_term=op.term,
            source=op.source,
            routing=op.routing,
        )

    async def search(
        self, index_uuid: str, shard: int, request: ShardSearch, ctx: Context
    ) -> Partial:
        ctx.task.check()
        visible = self._visible(index_uuid, shard, request)
        found = [op for op in visible.values() if _matches(request.body.query, op)]
        hits = [
            Hit(index="", id="", score=1.0, doc=op.seq_no)
            if request.query_only
            else _hit(op, index_uuid, shard, request)
            for op in sorted(found, key=lambda op: op.seq_no)[request.skip : request.size]
        ]
        return Partial(
            hits=hits,
            total=TotalHits(len(found)),
            max_score=1.0 if hits else None,
            shards=ShardCounts(1, 1, 0, 0),
        )

    def _visible(self, index_uuid: str, shard: int, request: ShardSearch) -> dict[str, Operation]:
        if request.reader is None:
            self._config(index_uuid)
            return self._shards[index_uuid][shard].visible
        held = self._readers.get(request.reader)
        if held is None or (held.index_uuid, held.shard) != (index_uuid, shard):
            raise SearchContextMissing(f"No search context found for id [{request.reader}]")
        return held.visible

    async def fetch(
        self,
        index_uuid: str,
        shard: int,
        request: ShardSearch,
        docs: Sequence[FoundDoc],
        ctx: Context,
    ) -> list[Hit]:
        ctx.task.check()
        visible = self._visible(index_uuid, shard, request)
        by_number = {op.seq_no: op for op in visible.values()}
        return [_hit(by_number[each.doc], index_uuid, shard, request) for each in docs]

    async def can_match(self, index_uuid: str, shard: int, request: ShardSearch) -> bool:
        """All searches may match: nothing is cheap to tell here."""
        self._visible(index_uuid, shard, request)
        return True

    async def terms(self, index_uuid: str, shard: int, wanted: TermsWanted) -> list[str]:
        self._config(index_uuid)
        found: set[str] = set()
        for document in self._shards[index_uuid][shard].visible.values():
            value = json.loads(document.source or b"{}").get(wanted.field)
            found.update(value if isinstance(value, list) else [value] if value else [])
        return sorted(
            term
            for term in found
            if term.startswith(wanted.prefix) and (wanted.after is None or term > wanted.after)
        )[: wanted.size]

    async def open_reader(
        self,
        index_uuid: str,
        shard: int,
        *,
        keep_alive_s: float = 300.0,
        on_close: Callable[[str], None] | None = None,
    ) -> str:
        """Readers do not expire here: there is no clock that a test could wait for."""
        self._config(index_uuid)
        reader = self._ids.new()
        visible = dict(self._shards[index_uuid][shard].visible)
        self._readers[reader] = _FakeReader(index_uuid, shard, visible, on_close)
        return reader

    async def keep_reader(self, reader: str, keep_alive_s: float) -> None:
        if reader not in self._readers:
            raise SearchContextMissing(f"No search context found for id [{reader}]")

    async def close_reader(self, reader: str) -> bool:
        held = self._readers.pop(reader, None)
        if held is None:
            return False
        if held.on_close is not None:
            held.on_close(reader)
        return True

    @property
    def open_readers(self) -> int:
        return len(self._readers)

    async def stats(self, index_uuid: str) -> IndexStats:
        self._config(index_uuid)
        shards = self._shards[index_uuid]
        return IndexStats(
            docs=sum(len(shard.visible) for shard in shards),
            deleted=0,
            store_bytes=0,
            shards=tuple(shard.state() for shard in shards),
        )

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState:
        self._config(index_uuid)
        return self._shards[index_uuid][shard].state()

    async def changes(
        self, index_uuid: str, shard: int, from_seq_no: int, *, max_count: int, max_bytes: int
    ) -> Changes:
        self._config(index_uuid)
        held = self._shards[index_uuid][shard]
        found: list[Operation] = []
        size = 0
        for seq_no in sorted(held.log):
            op = held.log[seq_no]
            size += len(op.source or b"") + len(op.id) if seq_no >= from_seq_no else 0
            if len(found) == max_count or (found and size > max_bytes):
                break
            if seq_no >= from_seq_no:
                found.append(op)
        return Changes(operations=found, state=held.state())

    def _config(self, index_uuid: str) -> IndexConfig:
        if index_uuid not in self._configs:
            raise IndexNotFound(index_uuid)
        return self._configs[index_uuid]

    def _number(self, config: IndexConfig, routing: str) -> int:
        return shard_of(routing, config.shards, routing_shards(config.shards, config.settings))


@dataclass(frozen=True, slots=True)
class _FakeReader:
    index_uuid: str
    shard: int
    visible: dict[str, Operation]
    on_close: Callable[[str], None] | None


def _hit(op: Operation, index_uuid: str, shard: int, request: ShardSearch) -> Hit:
    return Hit(
        index=request.index_name,
        id=op.id,
        score=1.0,
        source=op.source,
        shard=shard,
        index_uuid=index_uuid,
    )


def _matches(query: Query, op: Operation) -> bool:
    if isinstance(query, MatchAll):
        return True
    if not isinstance(query, Term):
        raise IllegalArgument("the fake engine searches by match_all and term only")
    assert op.source is not None
    value: Any = json.loads(op.source)
    for part in query.field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return query.value in value if isinstance(value, list) else bool(query.value == value)
