"""The data node of a simulated cluster: production code but for the engine, whose place an echo takes, and the disk,
which is memory that outlives the program.
"""

from contextlib import AsyncExitStack
from typing import Any

from sealane.cluster.fellow_nodes import FELLOW_CHANNELS, FellowNodes
from sealane.cluster.forwarded import FORWARD, ForwardedAnswer, ForwardedRequest
from sealane.cluster.membership import Membership
from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import Member, PublishedState
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import MemoryStateStore
from sealane.errors import ActionNotFound
from sealane.inbound import register_handlers
from sealane.inbound.cluster import register_master_handlers, register_relay_handlers
from sealane.model.node import ClusterIdentity
from sealane.model.task import Context
from sealane.security.rules import allow_all
from sealane.settings import Settings
from sealane.testing.simulation.members.program import REGISTRY, Node, Place, profile
from sealane.testing.simulation.nodes import Echo, SimulatedCluster

LEASE_S = 10.0
"""`cluster.fault_detection.follower_check.timeout`."""
PUBLISH_WAIT_S = 1.0
"""How long a change of settings waits for the members."""


class _Ids:
    def __init__(self, node: Node) -> None:
        self._node = node

    def new(self) -> str:
        return f"{self._node.name}-id{self._node.world.loop.next_serial()}"

    def document(self) -> str:
        return self.new()


class DataNode(Node):
    """`published` are all states that any start of it has made, by term and version."""

    def __init__(self, place: Place, cluster: SimulatedCluster) -> None:
        super().__init__(place, cluster.identity)
        self.cluster = cluster
        self.membership: Membership
        self.settings: ClusterSettings
        self.published: dict[tuple[str, int], PublishedState] = {}
        self._store = MemoryStateStore()

    @property
    def state(self) -> PublishedState:
        """What it has published last."""
        state = self.membership.state
        assert state is not None, "it has not started"
        return state

    @property
    def others(self) -> tuple[Member, ...]:
        """All members but itself, as published last; none while it is down."""
        return self.state.members[1:] if self.is_running else ()

    async def change(self, body: dict[str, Any]) -> PublishedState | None:
        """A change of the cluster's settings, as `SharedSettings` makes it. Returns the state that every member has
        taken, None where that took too long or the node has gone meanwhile. Raises ApiError.
        """
        membership, start = self.membership, self.starts
        await self.settings.update(body)
        version = membership.publish()
        state = membership.state
        taken = await membership.wait_taken(version, PUBLISH_WAIT_S)
        return state if taken and self.is_running and self.starts == start else None

    async def begin(self, stack: AsyncExitStack) -> None:
        serial = await stack.enter_async_context(Serial())
        self.settings = ClusterSettings(
            store=self._store, registry=REGISTRY, node=Settings(), serial=serial
        )
        await self.settings.load()
        membership = self.membership = Membership(
            identity=ClusterIdentity(name=self.identity.name, uuid=self.identity.uuid),
            local=self.member,
            settings=self.settings,
            ids=_Ids(self),
            lease_s=LEASE_S,
        )
        nodes = ClusterNodes(
            identity=lambda: self.identity, local=self.member, state=lambda: membership.state
        )
        fellows = FellowNodes(
            local=lambda: self.info,
            nodes=nodes.nodes,
            dialer=self.transport,
            handler=self.transport.handler,
            profile=profile(FELLOW_CHANNELS),
        )
        stack.push_async_callback(fellows.close)
        membership.on_change(fellows.members_changed)
        membership.on_change(self._note_published)
        register_handlers(
            self.transport,
            local=Echo(self, self.world.log),
            nodes=nodes,
            authorize=allow_all,
        )
        register_relay_handlers(self.transport, fellows=fellows, authorize=allow_all)
        register_master_handlers(
            self.transport, master=membership, forwarded=_no_rest, authorize=allow_all
        )
        await self.listen(stack)
        membership.publish()
        stack.callback(membership.close)

    def _note_published(self) -> None:
        state = self.state
        key = (state.term, state.version)
        assert key not in self.published, "two states of one version"
        self.published[key] = state
        self.world.trace.note("publish", state.term, state.version, len(state.members))


async def _no_rest(request: ForwardedRequest, ctx: Context) -> ForwardedAnswer:
    raise ActionNotFound(FORWARD)
