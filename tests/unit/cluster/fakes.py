"""Small stand-ins: a clock, ids, and an engine that only remembers its configuration."""

import asyncio
from collections.abc import Sequence

from sealane.engine.base import IndexConfig, IndexStats
from sealane.errors import ApiError, IndexNotFound, IOFailure
from sealane.model.document import Operation, WriteOp, WriteResult
from sealane.model.task import Context

NOW_MS = 1_795_316_396_253  # 2026-11-22


class FixedClock:
    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


class CountingIds:
    def __init__(self) -> None:
        self._count = 0

    def new(self) -> str:
        self._count += 1
        return f"id{self._count}"

    def document(self) -> str:
        return self.new()


class ConfigEngine:
    """Holds configurations. `shard` is held by a test as a bulk would hold it; changes wait for it."""

    def __init__(self) -> None:
        self.configs: dict[str, IndexConfig] = {}
        self.history: list[str] = []
        self.shard = asyncio.Lock()
        self.fail_open: ApiError | None = None
        self.held: dict[str, str] = {}

    async def open_index(self, config: IndexConfig, *, new: bool = False) -> None:
        self.history.append(f"open {config.uuid}")
        if self.fail_open is not None:
            raise self.fail_open
        self.configs.setdefault(config.uuid, config)

    async def update_config(self, config: IndexConfig) -> None:
        async with self.shard:
            self.history.append(f"update {config.uuid}")
            self.configs[config.uuid] = config

    async def hold_reads(self, index_uuid: str, reason: ApiError | None) -> None:
        if index_uuid not in self.configs:
            raise IndexNotFound(index_uuid)
        self.history.append(f"{'let go' if reason is None else 'hold'} {index_uuid}")
        self.held.pop(index_uuid, None)
        if reason is not None:
            self.held[index_uuid] = reason.reason

    async def close_index(self, index_uuid: str) -> None:
        self.history.append(f"close {index_uuid}")
        self.held.pop(index_uuid, None)
        self.configs.pop(index_uuid, None)

    async def delete_index(self, index_uuid: str) -> None:
        async with self.shard:
            self.history.append(f"delete {index_uuid}")
            self.configs.pop(index_uuid, None)

    async def refresh(self, index_uuid: str) -> None:
        self.history.append(f"refresh {index_uuid}")

    async def stats(self, index_uuid: str) -> IndexStats:
        if index_uuid not in self.configs:
            raise IOFailure("closed")
        return IndexStats(docs=0, deleted=0, store_bytes=0, shards=())

    async def bulk(
        self, index_uuid: str, operations: Sequence[WriteOp], ctx: Context
    ) -> list[WriteResult | ApiError]:
        raise NotImplementedError

    async def apply_replica(
        self, index_uuid: str, shard: int, operations: Sequence[Operation]
    ) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        self.configs.clear()
