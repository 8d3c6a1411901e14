from collections.abc import AsyncIterator

import pytest

from sealane.rest.handlers import ccr
from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import Client, World


@pytest.fixture
def replication() -> FakeReplication:
    return FakeReplication()


@pytest.fixture
async def client(replication: FakeReplication) -> AsyncIterator[Client]:
    """The app with `_ccr` over followers in memory."""
    world = World()
    async with world.serve(ccr.routes(world.services(), replication.parts())) as client:
        yield client
