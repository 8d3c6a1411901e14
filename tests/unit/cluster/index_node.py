"""The parts of a node that keep its indices, over a store in memory."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sealane.cluster.found_indices import Guard
from sealane.cluster.indices import IndexService
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import MemoryStateStore
from sealane.errors import (
    ApiError,
    ParsingError,
)
from sealane.model.access import no_access_needed
from sealane.model.search import IndicesOptions
from sealane.settings import Registry, Settings
from sealane.settings.node_settings import NODE_SETTINGS
from tests.unit.cluster.fakes import ConfigEngine, CountingIds, FixedClock

ALL = IndicesOptions(expand_closed=True, expand_hidden=True)


@dataclass(frozen=True, kw_only=True)
class Action:
    kind: str
    indices: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    filter: Mapping[str, Any] | None = None
    index_routing: str | None = None
    search_routing: str | None = None
    is_write_index: bool | None = None
    is_hidden: bool | None = None
    must_exist: bool | None = None


def check_filter(query: bytes) -> None:
    if b"unknown" in query:
        raise ParsingError("unknown query [unknown]")


class Node:
    """The parts of a node that indices need. `restart` makes it anew over the same store."""

    def __init__(
        self,
        serial: Serial,
        store: MemoryStateStore,
        ids: CountingIds,
        guard: Guard = no_access_needed,
    ) -> None:
        self.serial, self.store, self.ids = serial, store, ids
        self.engine = ConfigEngine()
        self.settings = ClusterSettings(
            store=store, registry=Registry(NODE_SETTINGS), node=Settings(), serial=serial
        )
        self.indices = IndexService(
            store=store,
            settings=self.settings,
            serial=serial,
            clock=FixedClock(),
            ids=ids,
            check_filter=check_filter,
            guard=guard,
        )

    async def start(self) -> "Node":
        await self.indices.load()
        await self.indices.start(self.engine)
        return self

    async def restart(self) -> "Node":
        return await Node(self.serial, self.store, self.ids).start()

    def fields(self, name: str) -> list[str]:
        index = self.indices.metadata.index(name)
        assert index is not None
        return sorted(index.mapping.fields)

    async def until(self, what: Callable[[], bool]) -> None:
        """Lets other tasks run until `what` holds."""
        for _ in range(1000):
            if what():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came about")

    def uuid(self, name: str) -> str:
        index = self.indices.metadata.index(name)
        assert index is not None
        return index.uuid


async def refused(awaitable: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        await awaitable
    return raised.value


def properties(**types: str) -> dict[str, Any]:
    return {"properties": {name: {"type": kind} for name, kind in types.items()}}
