"""Clusters of real transport services on loopback, each node behind a forwarder."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from sealane.clock import SystemClock
from sealane.inbound import LocalCluster, register_handlers
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits
from sealane.remote import Backoff, RemoteClusters
from sealane.security.rules import allow_all
from sealane.settings import Settings, Value
from sealane.testing.fixed_nodes import FixedNodes
from sealane.transport import AsyncioNetwork, TransportService
from tests.integration.remote.forwarder import Forwarder
from tests.unit.remote.fakes import FakeSettings

QUICK = Backoff(first_s=0.02, max_s=0.1)


async def until(condition: Callable[[], bool]) -> None:
    """Returns when `condition()` is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is a socket's, without an event
            await asyncio.sleep(0.005)


class NamingSearch:
    """Answers one hit that tells the node, the caller's alias and the asked indices."""

    def __init__(self, node: str) -> None:
        self._node = node

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        hit = Hit(f"{ctx.local_alias}:{request.indices[0]}", self._node, 1.0, request.body.raw)
        partial = Partial(hits=[hit], total=TotalHits(1), max_score=1.0, shards=ShardCounts(1, 1))
        return ClusterAnswer(partial, 1)


class RunningNode:
    """One node of a remote cluster. `info.address` is its forwarder's."""

    def __init__(self, name: str, cluster: ClusterIdentity, peers: list[NodeInfo]) -> None:
        self.name = name
        self._cluster = cluster
        self._peers = peers
        self.service = TransportService(
            local=lambda: (self.info, cluster),
            network=AsyncioNetwork(),
            tasks=TaskRegistry(name),
            clock=SystemClock(),
        )
        self._local: LocalCluster = NamingSearch(name)
        register_handlers(
            self.service, local=self, nodes=FixedNodes(lambda: self._peers), authorize=allow_all
        )
        self.info: NodeInfo
        self.door: Forwarder

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        return await self._local.search(request, ctx)

    def answer_with(self, local: LocalCluster) -> None:
        """Searches are answered by `local` from now on."""
        self._local = local

    def restart_as(self, ephemeral_id: str) -> None:
        """The same node after a restart that its peers have not noticed."""
        self.info = msgspec.structs.replace(self.info, ephemeral_id=ephemeral_id)

    async def start(self) -> None:
        bound = await self.service.listen("127.0.0.1", 0)
        self.door = Forwarder(bound)
        await self.door.start()
        self.info = NodeInfo(
            id=f"id-{self.name}",
            ephemeral_id=f"eph-{self.name}",
            name=self.name,
            address=self.door.address,
            roles=("data", "master"),
        )
        self._peers.append(self.info)

    async def stop(self) -> None:
        await self.door.stop()
        await self.service.close()


@asynccontextmanager
async def cluster(*names: str) -> AsyncIterator[list[RunningNode]]:
    identity = ClusterIdentity(name="far", uuid="uuid-far")
    peers: list[NodeInfo] = []
    async with AsyncExitStack() as stack:
        nodes = [RunningNode(name, identity, peers) for name in names]
        for node in nodes:
            await node.start()
            stack.push_async_callback(node.stop)
        yield nodes


@asynccontextmanager
async def remotes(
    *, through: TransportService | None = None, **keys: Value
) -> AsyncIterator[RemoteClusters]:
    """The remote `far` with these keys, as another node has it, or the one of `through`."""
    settings = Settings({f"cluster.remote.far.{key}": value for key, value in keys.items()})
    near = NodeInfo(
        id="id-near", ephemeral_id="eph-near", name="near", address=Address("127.0.0.1", 1)
    )
    tasks = TaskRegistry("near")
    service = TransportService(
        local=lambda: (near, ClusterIdentity(name="near", uuid="uuid-near")),
        network=AsyncioNetwork(),
        tasks=tasks,
        clock=SystemClock(),
    )
    made = RemoteClusters(
        FakeSettings(settings),
        node_name="near",
        roles=("remote_cluster_client",),
        dialer=through or service,
        tasks=tasks,
        clock=SystemClock(),
        chance=lambda: 1.0,
        backoff=QUICK,
    )
    try:
        yield made
    finally:
        await made.close()
        await service.close()
