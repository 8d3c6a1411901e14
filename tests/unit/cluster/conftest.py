"""What tests of the cluster ask for by name."""

from collections.abc import AsyncIterator

import pytest

from sealane.cluster.serial import Serial
from sealane.cluster.store import MemoryStateStore
from tests.unit.cluster.fakes import CountingIds
from tests.unit.cluster.index_node import Node


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with Serial() as serial:
        yield await Node(serial, MemoryStateStore(), CountingIds()).start()
