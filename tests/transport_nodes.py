"""A transport service with an identity, for tests of the transport."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sealane.model.node import ROLES, Address, ClusterIdentity, NodeInfo
from sealane.model.task import Context, Task, TaskRegistry
from sealane.transport import AsyncioNetwork, Network, TransportLimits, TransportService


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000


class TransportNode:
    """`transport` with `tasks`, named `name`; `address` is set by whoever listens."""

    def __init__(
        self,
        name: str,
        network: Network,
        limits: TransportLimits | None = None,
        probe_after_s: float = 1.0,
    ) -> None:
        self.name = name
        self.address = Address("127.0.0.1", 9300)
        self.tasks = TaskRegistry(f"{name}-id")
        self.transport = TransportService(
            local=self._local,
            network=network,
            tasks=self.tasks,
            clock=FixedClock(),
            limits=limits or TransportLimits(),
            probe_after_s=probe_after_s,
        )

    @property
    def info(self) -> NodeInfo:
        return NodeInfo(
            id=f"{self.name}-id",
            ephemeral_id=f"{self.name}-eph",
            name=self.name,
            address=self.address,
            roles=ROLES,
            version="0.1.0",
        )

    def _local(self) -> tuple[NodeInfo, ClusterIdentity]:
        identity = ClusterIdentity(name=f"{self.name}-cluster", uuid=f"{self.name}-uuid")
        return self.info, identity

    @contextmanager
    def context(self, **members: object) -> Iterator[Context]:
        with self.tasks.start("test", start_ms=1) as task:
            yield Context(task=task, **members)  # type: ignore[arg-type]

    def task(self, action: str) -> Task | None:
        return next((task for task in self.tasks if task.action == action), None)


@asynccontextmanager
async def two_nodes(
    network: Network | None = None, **options: object
) -> AsyncIterator[tuple[TransportNode, TransportNode]]:
    """`client`, and `server` which listens on a free port."""
    network = network or AsyncioNetwork()
    client = TransportNode("client", network, **options)  # type: ignore[arg-type]
    server = TransportNode("server", network, **options)  # type: ignore[arg-type]
    server.address = await server.transport.listen("127.0.0.1", 0)
    try:
        yield client, server
    finally:
        await client.transport.close()
        await server.transport.close()


async def until(condition: object) -> None:
    """Lets the loop run until `condition()` holds; the test's own timeout ends a wait in vain."""
    while not condition():  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.001)
