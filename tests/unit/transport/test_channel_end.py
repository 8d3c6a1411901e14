"""How a channel ends: when its peer says no more, and when sockets are lost while connecting."""

import asyncio
import random
from typing import Any

import pytest

from sealane.errors import ConnectTransport, NodeDisconnected
from sealane.model.node import Address
from sealane.testing.simulation import SimulatedLoop, SimulatedNetwork, Trace, settle, simulate
from sealane.transport import ConnectionProfile, TransportLimits
from sealane.transport.channel import OutboundChannel
from tests.transport_nodes import TransportNode

FAR = Address("10.0.0.2", 9300)


class SaysNoMore(asyncio.BufferedProtocol):
    """Reads nothing, and after a while has nothing to say either."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        asyncio.get_running_loop().call_later(1, transport.write_eof)


def test_requests_fail_at_once_when_the_peer_will_say_no_more() -> None:
    """Not when it has taken what was written to it, which may be never."""
    loop = SimulatedLoop()
    network = SimulatedNetwork(loop, random.Random(1), Trace(loop.time))

    async def main() -> None:
        await network.host(FAR.host).listen(FAR.host, FAR.port, SaysNoMore)
        ended: list[OutboundChannel] = []
        channel = await network.host("10.0.0.1").dial(
            FAR, lambda: OutboundChannel(TransportLimits(), ended.append)
        )
        answer: asyncio.Future[Any] = loop.create_future()
        channel.pending[1] = answer
        channel.send(b"x" * 1_000_000)
        await settle(2)
        assert isinstance(answer.exception(), NodeDisconnected)
        assert ended == [channel]
        assert not channel.is_open

    simulate(main(), loop=loop)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sockets_lost_at_any_moment_of_connecting(channels: int) -> None:
    """The connect fails with its own error, and no other error goes astray."""
    for moment in range(60):
        loop = SimulatedLoop()
        stray: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: stray.append(context))  # noqa: B023
        network = SimulatedNetwork(loop, random.Random(moment), Trace(loop.time))
        simulate(_connect_and_lose(network, channels, moment), loop=loop)
        assert not stray, f"moment {moment}: {stray}"


async def _connect_and_lose(network: SimulatedNetwork, channels: int, moment: int) -> None:
    """Cuts a few links once so many things have happened on the network."""
    far = TransportNode("far", network.host(FAR.host))
    near = TransportNode("near", network.host("10.0.0.1"))
    far.address = await far.transport.listen(FAR.host, FAR.port)
    chance, note = network.chance, network.trace.note
    left = moment

    def count(kind: str, *details: object) -> None:
        nonlocal left
        left -= 1
        note(kind, *details)
        if left == 0:
            links = list(network.links.values())
            for link in chance.sample(links, min(len(links), chance.choice((1, 3, 12)))):
                link.reset()
                link.out.dst.reset()

    network.trace.note = count  # type: ignore[method-assign]
    try:
        connection = await near.transport.connect(FAR, ConnectionProfile(channels))
    except ConnectTransport:
        pass
    else:
        assert connection.family == "sealane", "though another form was tried"
        connection.close()
    await near.transport.close()
    await far.transport.close()
    await settle(1)
    assert not network.links
