"""A node of a simulated cluster as a program on a host: it starts, stops in order or is killed, and starts again as
another with the same id and the same disk.
"""

import asyncio
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sealane.cluster.published import Member
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.remote import REMOTE_ADVICE, REMOTE_RULES, REMOTE_SETTINGS
from sealane.settings import Registry
from sealane.settings.node_settings import NODE_SETTINGS
from sealane.testing.simulation.network import Host
from sealane.testing.simulation.nodes import PORT
from sealane.testing.simulation.world import World
from sealane.transport import ConnectionProfile, TaskScope, TransportService

CONNECT_TIMEOUT_S = 3.0
REGISTRY = Registry((*NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES, REMOTE_ADVICE)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a program runs, and who it is each time. `node_id` is what its data folder keeps."""

    world: World
    host: Host
    name: str
    node_id: str
    roles: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)


def profile(channels: int) -> ConnectionProfile:
    return ConnectionProfile(channels=channels, connect_timeout_s=CONNECT_TIMEOUT_S)


class Node(ABC):
    """What every such program has. `is_running` from its open port on until it is told to end."""

    def __init__(self, place: Place, identity: ClusterIdentity) -> None:
        self.place = place
        self.world = place.world
        self.host = place.host
        self.name = place.name
        self.identity = identity
        """As it knows it: without the cluster's uuid before it has joined."""
        self.is_running = False
        self.changed_at = 0.0
        """When it started or began to end."""
        self.starts = 0
        self.info = self._describe()
        self.tasks = TaskRegistry(place.node_id)
        self.transport: TransportService
        self._scope = TaskScope(f"program {self.name}")
        self._ended: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self.in_order = False
        """Whether it ends as a node that is asked to."""

    def _describe(self) -> NodeInfo:
        return NodeInfo(
            id=self.place.node_id,
            ephemeral_id=f"{self.name}-{self.starts}",
            name=self.name,
            address=Address(self.host.ip, PORT),
            roles=self.place.roles,
            attributes=self.place.attributes,
            version="8.19.0",
        )

    def member(self) -> Member:
        return Member(node=self.info, bound_transport=(str(self.info.address),))

    async def start(self) -> None:
        """Returns when its port is open."""
        assert self._ended is None, "it runs already"
        self.starts += 1
        self.info = self._describe()
        self.tasks = TaskRegistry(self.place.node_id)
        self.transport = TransportService(
            local=lambda: (self.info, self.identity),
            network=self.host,
            tasks=self.tasks,
            clock=self.world.clock,
        )
        self._end = asyncio.Event()
        up = asyncio.Event()
        self._ended = self._scope.start(self._live(up))
        await up.wait()

    async def stop(self) -> None:
        """In order, or without a word where its host has killed it. Returns when it has ended."""
        ended = self._ended
        if ended is None:
            return
        self.in_order = PORT in self.host.listeners
        self.is_running = False
        self.changed_at = self.world.loop.time()
        self.world.trace.note("stop", self.name)
        self._end.set()
        await asyncio.wait({ended})
        self._ended = None

    async def _live(self, up: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            await self.begin(stack)
            self.is_running = True
            self.changed_at = self.world.loop.time()
            self.world.trace.note("start", self.name, self.starts)
            up.set()
            await self._end.wait()
            if self.in_order:
                self.transport.begin_drain()

    async def listen(self, stack: AsyncExitStack) -> None:
        """Opens the port. What is pushed after this ends before its connections do."""
        stack.push_async_callback(self.transport.close)
        await self.transport.listen(self.host.ip, PORT)

    @abstractmethod
    async def begin(self, stack: AsyncExitStack) -> None:
        """Brings its parts up to the open port; `stack` ends them."""
