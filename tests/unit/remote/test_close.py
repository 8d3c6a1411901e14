"""Closing remote clusters at any moment: it always ends, also when their nodes go at that moment."""

import asyncio
import random

import pytest

from sealane.inbound import register_handlers
from sealane.model.node import Address
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.remote import RemoteClusters
from sealane.security.rules import allow_all
from sealane.settings import Settings
from sealane.testing.network import MemoryNetwork
from sealane.testing.simulation import SimulatedLoop, settle
from tests.transport_nodes import TransportNode
from tests.unit.remote.fakes import FakeSettings

SEED = Address("10.0.0.2", 9300)


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000


class NoSearch:
    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        raise AssertionError("nobody searches")


async def _dies_and_closes(chance: random.Random) -> None:
    """Two aliases lead to one node. It goes, comes back or stays away, and some steps of the loop
    later the remotes are closed."""
    network = MemoryNetwork()
    near, far = TransportNode("near", network), TransportNode("far", network)
    register_handlers(
        far.transport, local=NoSearch(), nodes=lambda: [far.info], authorize=allow_all
    )
    far.address = await far.transport.listen(SEED.host, SEED.port)
    mode = chance.choice(["sniff", "proxy"])
    keys = (
        {"seeds": (str(SEED),)} if mode == "sniff" else {"mode": mode, "proxy_address": str(SEED)}
    )
    remotes = RemoteClusters(
        FakeSettings(
            Settings({f"cluster.remote.{a}.{k}": v for a in ("a", "b") for k, v in keys.items()})
        ),
        node_name="near",
        roles=("remote_cluster_client",),
        dialer=near.transport,
        tasks=TaskRegistry("near"),
        clock=FixedClock(),
        chance=chance.random,
    )
    if chance.random() < 0.7:
        await settle(1)
    if chance.random() < 0.7:
        accept = network.listening.pop(SEED)
        network.cut()
        if chance.random() < 0.3:
            await _steps(chance.randrange(20))
            network.listening[SEED] = accept
    await _steps(chance.randrange(40))
    await remotes.close()
    assert remotes.statistics() == {}
    await near.transport.close()
    await far.transport.close()
    assert near.transport.statistics().channels_out == 0
    assert far.transport.statistics().channels_in == 0


async def _steps(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("block", range(10))
def test_closing_ends_whatever_happens_at_the_moment(
    block: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A cancel that meets a refused connect is not lost; the loop of virtual time would complain
    about a wait without end, the log about a task that ignored its cancel."""
    for seed in range(40 * block, 40 * block + 40):
        caplog.clear()
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(_dies_and_closes(random.Random(seed)))
        assert "ignores its cancel" not in caplog.text, f"seed {seed}"
        assert "never retrieved" not in caplog.text, f"seed {seed}"
