from collections.abc import AsyncIterator

import pytest

from tests.unit.rest.fakes import Client, World


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The app over an empty world, called in-process."""
    async with World().serve() as client:
        yield client
