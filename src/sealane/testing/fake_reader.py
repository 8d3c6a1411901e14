"""How the fake engine answers gets and searches: by match_all and term only."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sealane.clock import Ids
from sealane.engine.base import FoundDoc, IndexConfig, ShardSearch, TermsWanted
from sealane.engine.embedded.routing import routing_shards, shard_of
from sealane.errors import (
    ApiError,
    IllegalArgument,
    IndexNotFound,
    NoShardAvailable,
    SearchContextMissing,
)
from sealane.model.document import Document, Operation
from sealane.model.dsl import MatchAll, Query, Term
from sealane.model.task import Context
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits
from sealane.testing.fake_disk import OpenedFake


class FakeReader:
    """Implements `engine.base.Reader` but for `stats`, which needs no view."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._opened: dict[str, OpenedFake] = {}
        self._failed: dict[str, ApiError] = {}
        self._readers: dict[str, _Held] = {}

    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None:
        opened = self._readable(index_uuid)
        shard = opened.shards[self._number(opened.config, routing or doc_id)]
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
            return self._readable(index_uuid).shards[shard].visible
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
        found: set[str] = set()
        for document in self._readable(index_uuid).shards[shard].visible.values():
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
        reader = self._ids.new()
        visible = dict(self._readable(index_uuid).shards[shard].visible)
        self._readers[reader] = _Held(index_uuid, shard, visible, on_close)
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

    def _index(self, index_uuid: str) -> OpenedFake:
        opened = self._opened.get(index_uuid)
        if opened is None:
            if index_uuid in self._failed:
                raise NoShardAvailable(self._failed[index_uuid])
            raise IndexNotFound(index_uuid)
        return opened

    def _readable(self, index_uuid: str) -> OpenedFake:
        opened = self._index(index_uuid)
        if opened.held is not None:
            raise NoShardAvailable(opened.held)
        return opened

    def _number(self, config: IndexConfig, routing: str) -> int:
        return shard_of(routing, config.shards, routing_shards(config.shards, config.settings))


@dataclass(frozen=True, slots=True)
class _Held:
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
