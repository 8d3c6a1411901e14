"""Who watches a connect attempt hears of each step when it begins, over a network in memory."""

import pytest

from sealane.errors import ConnectTransport
from sealane.model.node import Address
from sealane.testing.network import MemoryNetwork
from sealane.transport import ConnectionProfile
from tests.transport_nodes import two_nodes

ONE = ConnectionProfile(1)


class Heard:
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.details: list[str] = []

    def begin(self, step: str) -> None:
        self.steps.append(str(step))

    def learn(self, detail: str) -> None:
        self.details.append(detail)


async def test_the_steps_of_an_attempt_that_succeeds() -> None:
    watch = Heard()
    async with two_nodes(MemoryNetwork()) as (client, server):
        await client.transport.connect(server.address, ONE, watch=watch)
    assert watch.steps == ["tcp", "handshake", "name"]


async def test_the_last_step_that_began_is_the_one_that_failed() -> None:
    watch = Heard()
    async with two_nodes(MemoryNetwork()) as (client, _):
        with pytest.raises(ConnectTransport):
            await client.transport.connect(Address("10.0.0.9", 1), ONE, watch=watch)
    assert watch.steps == ["tcp"]


async def test_addresses_are_resolved_as_connect_tries_them() -> None:
    """IPv4 first, as the reference's runtime prefers it."""
    network = MemoryNetwork()
    network.names["db"] = ["::1", "10.0.0.2", "10.0.0.1"]
    async with two_nodes(network) as (client, _):
        found = await client.transport.resolve(Address("db", 9300), timeout_s=5)
    assert [each.host for each in found] == ["10.0.0.2", "10.0.0.1", "::1"]


async def test_what_the_system_said_stays_with_the_error() -> None:
    async with two_nodes(MemoryNetwork()) as (client, _):
        with pytest.raises(ConnectTransport) as raised:
            await client.transport.connect(Address("10.0.0.9", 1), ONE)
    assert isinstance(raised.value.__cause__, ConnectionRefusedError)
