"""A node of a simulated cluster that joins the data node: production code, joined together as a real one does."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from sealane.cluster.fellow_nodes import FELLOW_CHANNELS, FellowNodes
from sealane.cluster.followed_settings import FollowedSettings
from sealane.cluster.joined import Joined
from sealane.cluster.nodes import ClusterNodes
from sealane.cluster.published import JOIN, PublishedState
from sealane.inbound.cluster import register_relay_handlers
from sealane.inbound.handlers import register_nodes_handler
from sealane.inbound.passed_on import register_passed_on
from sealane.model.node import Address, ClusterIdentity
from sealane.remote import RemoteClusters
from sealane.remote.pins import MemoryPins
from sealane.remote.transport.data_node import DataNodeClient
from sealane.security.rules import allow_all
from sealane.settings import Settings
from sealane.testing.simulation.members.program import CONNECT_TIMEOUT_S, Node, Place, profile
from sealane.testing.simulation.members.program import REGISTRY as SETTINGS
from sealane.transport import TaskScope

WAIT_S = 1.0
"""`cluster.fault_detection.leader_check.interval`."""
PATIENCE_S = 10.0
"""`cluster.fault_detection.leader_check.timeout`."""
FILE = Settings({"transport.connect_timeout": f"{int(CONNECT_TIMEOUT_S)}s"})


class Gateway(Node):
    """`taken` are the terms and versions that its present start has taken, in order."""

    def __init__(
        self, place: Place, name: str, seeds: Sequence[Address], *, stays_out: bool = False
    ) -> None:
        """`name` is its `cluster.name`; one that `stays_out` is never let in."""
        super().__init__(place, ClusterIdentity(name=name, uuid=""))
        self.stays_out = stays_out
        self.joined: Joined
        self.settings: FollowedSettings
        self.remotes: RemoteClusters
        self.local: DataNodeClient
        self.taken: list[PublishedState] = []
        self.left_at = float("inf")
        """When its goodbye of the last start was over; infinite where it had nobody to say it to."""
        self._seeds = tuple(seeds)
        self._pins = MemoryPins()

    async def begin(self, stack: AsyncExitStack) -> None:
        self.taken = []
        self.left_at = float("inf")
        self.settings = FollowedSettings(FILE, SETTINGS)
        joined = self.joined = self._joined()
        cluster = ClusterNodes(
            identity=lambda: self.identity,
            local=self.member,
            state=lambda: joined.state,
            has_master=lambda: joined.has_master,
        )
        fellows = self._fellows = FellowNodes(
            local=lambda: self.info,
            nodes=cluster.nodes,
            dialer=self.transport,
            handler=self.transport.handler,
            profile=profile(FELLOW_CHANNELS),
        )
        stack.push_async_callback(fellows.close)
        self.local = DataNodeClient(fellows, lambda: joined.master, lambda: joined.has_master)
        register_passed_on(self.transport, ask=self.local.ask, authorize=allow_all)
        register_nodes_handler(self.transport, nodes=cluster, authorize=allow_all)
        register_relay_handlers(self.transport, fellows=fellows, authorize=allow_all)
        await self.listen(stack)
        background = await stack.enter_async_context(TaskScope("node"))
        remotes = self.remotes = RemoteClusters(
            self.settings,
            node_name=self.name,
            roles=self.place.roles,
            dialer=self.transport,
            tasks=self.tasks,
            clock=self.world.clock,
            chance=self.world.chance.random,
            pins=self._pins,
        )
        stack.push_async_callback(remotes.close)
        background.start(joined.run(), name=f"join {self.name}")
        stack.push_async_callback(self._leave)

    def _joined(self) -> Joined:
        return Joined(
            seeds=self._seeds,
            me=self.member,
            identity=lambda: self.identity,
            take=self._take,
            on_silence=self._drop_master,
            dialer=self.transport,
            profile=profile(1),
            tasks=self.tasks,
            clock=self.world.clock,
            chance=self.world.chance.random,
            wait_s=WAIT_S,
            patience_s=PATIENCE_S,
        )

    def _take(self, state: PublishedState) -> None:
        self.taken.append(state)
        self.world.trace.note("taken", self.name, state.term, state.version)
        self.identity = ClusterIdentity(name=state.cluster_name, uuid=state.cluster_uuid)
        self.settings.take(state)
        self._fellows.members_changed()

    def _drop_master(self) -> None:
        master = self.joined.master
        if master is not None:
            self._fellows.drop(master)

    async def _leave(self) -> None:
        if not self.in_order:
            return
        joining = any(task.action == JOIN for task in self.tasks)
        heard = self.joined.has_master or joining
        await self.joined.leave()
        if heard:
            self.left_at = self.world.loop.time()
            self.world.trace.note("left", self.name)
