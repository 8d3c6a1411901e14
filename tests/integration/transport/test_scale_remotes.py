"""A thousand remote clusters of one node, in one process: production code of remote and transport over
a network in memory, in virtual time.

Real processes and sockets are measured by `python -m scripts.bench --only remotes`.
"""

import asyncio
from collections.abc import Callable

from sealane.inbound.handlers import register_nodes_handler
from sealane.model.node import Address
from sealane.model.task import TaskRegistry
from sealane.remote import RemoteClusters
from sealane.security.rules import allow_all
from sealane.settings import EMPTY, Settings
from sealane.testing.fixed_nodes import FixedNodes
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import in_virtual_time, settle
from sealane.transport import TransportService
from tests.transport_nodes import FixedClock, TransportNode

_REMOTES = 1000
_CHANNELS = 6


class _Source:
    def __init__(self) -> None:
        self.current: Settings = EMPTY

    def subscribe(self, subscriber: Callable[[Settings, Settings], None]) -> Callable[[], None]:
        return lambda: None


async def _remote(network: MemoryNetwork, number: int) -> TransportNode:
    node = TransportNode(f"played{number}", network)
    register_nodes_handler(
        node.transport, nodes=FixedNodes(lambda: [node.info]), authorize=allow_all
    )
    node.address = await node.transport.listen("127.0.0.1", 0)
    return node


def _registrations(addresses: list[Address]) -> Settings:
    keys: dict[str, str | list[str]] = {}
    for number, address in enumerate(addresses):
        keys[f"cluster.remote.played{number}.seeds"] = [str(address)]
        keys[f"cluster.remote.played{number}.node_connections"] = "1"
        keys[f"cluster.remote.played{number}.transport.ping_schedule"] = "10m"
    return Settings(keys)


def _connected(remotes: RemoteClusters) -> int:
    return sum(bool(each["connected"]) for each in remotes.describe().values())


@in_virtual_time
async def test_a_thousand_remotes_connect_stay_and_close() -> None:
    network = MemoryNetwork()
    played = [await _remote(network, number) for number in range(_REMOTES)]
    local = TransportNode("local", network)
    remotes = _remotes(local.transport)
    try:
        remotes.apply(_registrations([node.address for node in played]))
        await settle(30.0)
        assert _connected(remotes) == _REMOTES
        assert local.transport.statistics().channels_out == _CHANNELS * _REMOTES

        dialled, received = len(network.links), local.transport.statistics().rx_count
        await settle(1300.0)
        assert _connected(remotes) == _REMOTES
        assert len(network.links) == dialled, "nothing was opened anew"
        assert local.transport.statistics().rx_count - received == _CHANNELS * _REMOTES

        network.cut()
        await settle(0.0)
        assert _connected(remotes) < _REMOTES
        await settle(60.0)
        assert _connected(remotes) == _REMOTES
        assert local.transport.statistics().channels_out == _CHANNELS * _REMOTES

        remotes.apply(EMPTY)
        await settle(1.0)
        assert local.transport.statistics().channels_out == 0
        assert sum(node.transport.statistics().channels_in for node in played) == 0
    finally:
        await remotes.close()
        await local.transport.close()
        for node in played:
            await node.transport.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def _remotes(dialer: TransportService) -> RemoteClusters:
    return RemoteClusters(
        _Source(),
        node_name="local",
        roles=("remote_cluster_client",),
        dialer=dialer,
        tasks=TaskRegistry("local"),
        clock=FixedClock(),
        chance=lambda: 0.5,
    )
