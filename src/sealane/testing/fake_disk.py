"""What the fake engine keeps: durably on a `FakeDisk`, and beside it of an index that is open."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sealane.engine.base import IndexConfig
from sealane.engine.embedded.documents import DocumentParser
from sealane.errors import ApiError
from sealane.testing.fake_shard import FakeShard, copied_shards

_T = TypeVar("_T")


class FakeDisk:
    """What is durable of a node's indices. Subclasses may delay changes, or let them fail."""

    def __init__(self) -> None:
        self.indices: dict[str, list[FakeShard]] = {}

    async def commit(self, what: str, change: Callable[[], _T]) -> _T:
        """Makes one change durable, as a whole or not at all, whatever happens to the caller."""
        return change()

    def make(self, history_uuid: str) -> FakeShard:
        """A new, empty shard."""
        return FakeShard(history_uuid)

    def copied(self, index_uuid: str) -> list[FakeShard]:
        """A copy of an index's files."""
        return copied_shards(self.indices[index_uuid])


class OpenedFake:
    """An open index: what is not durable of it."""

    def __init__(self, config: IndexConfig, shards: list[FakeShard]) -> None:
        self.config = config
        self.shards = shards
        self.lock = asyncio.Lock()
        self.held: ApiError | None = None
        self.parser: DocumentParser | None = None
        """Of the present configuration; another mapping makes another one."""
        self.is_closed = False
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []

    def wait(self, shard: int, seq_no: int) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((shard, seq_no, future))
        return future

    def wake(self) -> None:
        """Ends the waits that are over."""
        waiting = []
        for shard, seq_no, future in self._waiters:
            if future.done():
                continue
            if self.is_closed or self.shards[shard].checkpoint >= seq_no:
                future.set_result(None)
            else:
                waiting.append((shard, seq_no, future))
        self._waiters = waiting

    def close(self) -> None:
        self.is_closed = True
        self.wake()
