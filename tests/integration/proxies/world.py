"""Clusters to stand behind a proxy, and the node that reaches them through it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from sealane.clock import SystemClock
from sealane.errors import ApiError
from sealane.inbound import LocalCluster, register_handlers
from sealane.model.dsl import SearchBody
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce import ClusterAnswer
from sealane.remote import RemoteClusters
from sealane.security.rules import allow_all
from sealane.settings import Settings, Value
from sealane.testing.fixed_nodes import FixedNodes
from sealane.transport import AsyncioNetwork, Network, TransportService
from tests.integration.remote.clusters import QUICK, NamingSearch
from tests.unit.remote.fakes import FakeSettings

REQUEST = SearchRequest(
    indices=("logs",), body=SearchBody(raw=b"{}"), from_=0, size=10, final_reduce=False
)


class BackNode:
    """A node that answers a search with its name. `info.address` is the port it listens on."""

    def __init__(self, name: str, identity: ClusterIdentity, tls: ssl.SSLContext | None) -> None:
        self._name = name
        self._identity = identity
        self._tls = tls
        self._local: LocalCluster = NamingSearch(name)
        self._service = self._new_service()
        self.info: NodeInfo

    def _new_service(self) -> TransportService:
        service = TransportService(
            local=lambda: (self.info, self._identity),
            network=AsyncioNetwork(),
            tasks=TaskRegistry(self._name),
            clock=SystemClock(),
        )
        register_handlers(
            service, local=self, nodes=FixedNodes(lambda: [self.info]), authorize=allow_all
        )
        return service

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        return await self._local.search(request, ctx)

    async def start(self, host: str) -> None:
        bound = await self._service.listen(host, 0, tls=self._tls)
        self.info = NodeInfo(
            id=f"id-{self._name}", ephemeral_id=f"eph-{self._name}", name=self._name, address=bound
        )

    async def go_down(self) -> None:
        """Nothing listens there any more."""
        await self._service.close()

    async def come_back(self) -> None:
        """On the port it had."""
        address = self.info.address
        self._service = self._new_service()
        await self._service.listen(address.host, address.port, tls=self._tls)

    def publish(self, address: Address) -> None:
        """It says from now on that it listens there."""
        self.info = msgspec.structs.replace(self.info, address=address)

    def never_answers(self) -> asyncio.Event:
        """Searches wait for ever from now on. The event tells that one has come."""
        reached = asyncio.Event()

        class Waits:
            async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
                reached.set()
                await asyncio.Event().wait()
                raise AssertionError("unreachable")

        self._local = Waits()
        return reached

    @property
    def sockets(self) -> int:
        return self._service.statistics().channels_in


@asynccontextmanager
async def back_nodes(
    cluster: str, *names: str, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[list[BackNode]]:
    """The nodes of a cluster."""
    identity = ClusterIdentity(name=cluster, uuid=f"uuid-{cluster}")
    nodes = [BackNode(name, identity, tls) for name in names]
    async with AsyncExitStack() as stack:
        for node in nodes:
            await node.start(host)
            stack.push_async_callback(node.go_down)
        yield nodes


class FrontNode:
    """A node with remotes."""

    def __init__(
        self, remotes: Mapping[str, Mapping[str, Value]], tls: ssl.SSLContext | None, net: Network
    ) -> None:
        info = NodeInfo(
            id="id-near", ephemeral_id="eph-near", name="near", address=Address("127.0.0.1", 1)
        )
        self._tasks = TaskRegistry("near")
        self._service = TransportService(
            local=lambda: (info, ClusterIdentity(name="near", uuid="uuid-near")),
            network=net,
            tasks=self._tasks,
            clock=SystemClock(),
            client_tls=None if tls is None else lambda: tls,
            probe_after_s=0.2,
        )
        flat = {
            f"cluster.remote.{alias}.{key}": value
            for alias, keys in remotes.items()
            for key, value in keys.items()
        }
        self.remotes = RemoteClusters(
            FakeSettings(Settings(flat)),
            node_name="near",
            roles=("remote_cluster_client",),
            dialer=self._service,
            tasks=self._tasks,
            clock=SystemClock(),
            chance=lambda: 1.0,
            backoff=QUICK,
        )

    def open(self, alias: str) -> object:
        """How many proxy sockets are connected."""
        return self.remotes.describe()[alias]["num_proxy_sockets_connected"]

    async def ask(self, alias: str) -> str:
        """The name of the node that answers a search."""
        with self._tasks.start("test", start_ms=0) as task:
            answer = await self.remotes.client(alias).search(REQUEST, Context(task=task))
        (hit,) = answer.partial.hits
        return str(hit.id)

    async def error(self, alias: str) -> ApiError:
        """What a search fails with."""
        try:
            answered_by = await self.ask(alias)
        except ApiError as error:
            return error
        raise AssertionError(f"[{answered_by}] answered")

    async def close(self) -> None:
        await self.remotes.close()
        await self._service.close()


@asynccontextmanager
async def front_node(
    remotes: Mapping[str, Mapping[str, Value]],
    *,
    tls: ssl.SSLContext | None = None,
    network: Network | None = None,
) -> AsyncIterator[FrontNode]:
    node = FrontNode(remotes, tls, network or AsyncioNetwork())
    try:
        yield node
    finally:
        await node.close()


def by_proxy(address: object, **keys: Value) -> dict[str, Value]:
    """The settings of a remote in proxy mode."""
    return {"mode": "proxy", "proxy_address": str(address), **keys}


def causes(error: ApiError) -> list[ApiError]:
    """The error, what caused it, and what it suppressed, all the way down."""
    below = [*error.suppressed, *([error.caused_by] if error.caused_by else [])]
    return [error, *(each for cause in below for each in causes(cause))]
