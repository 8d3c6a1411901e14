"""A world with one cluster of several nodes, another cluster that both sides search, and the truth about them.

The cluster `home` is one data node and its gateways. The cluster `away` has nodes that only echo; its first one has
`home` as a remote cluster, and the gateways have `away` as theirs when the settings of `home` say so.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sealane.model.node import Address, NodeInfo
from sealane.remote import RemoteClusters
from sealane.settings import Settings, Value
from sealane.testing.simulation.disturbances import Disturbances, Heal, Program
from sealane.testing.simulation.loop import SimulatedLoop
from sealane.testing.simulation.members.data_node import DataNode
from sealane.testing.simulation.members.gateway import Gateway
from sealane.testing.simulation.members.program import Node, Place
from sealane.testing.simulation.nodes import PORT, SimulatedCluster, SimulatedNode
from sealane.testing.simulation.path import State
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Source, World
from sealane.transport.tasks import TaskScope

HOME, AWAY = "home", "away"
_PATH_FAULTS = frozenset(("dark", "half_open", "down", "partition", "slow", "corked"))
_ATTRIBUTE = "gateway"


@dataclass
class Outside:
    """The node of `away` that searches `home`."""

    node: SimulatedNode
    remotes: RemoteClusters
    source: Source
    node_connections: int


@dataclass
class Truth:
    """What is judged by: `paths_calm_at` is when the last fault of a path was over, infinite while one lasts."""

    paths_calm_at: float = 0.0
    path_faults: int = 0


class MembersWorld(World):
    def __init__(self, loop: SimulatedLoop, seed: int, trace: Trace) -> None:
        super().__init__(loop, seed, trace)
        self.truth = Truth()
        self.home: SimulatedCluster
        self.data: DataNode
        self.gateways: list[Gateway] = []
        """Those that may join, whether they run or not."""
        self.intruders: list[Gateway] = []
        """Of another cluster name, or with a copy of a gateway's data folder."""
        self.away: SimulatedCluster
        self._outside: Outside | None = None

    async def build(self) -> None:
        chance = self.chance
        self.home = self.add_cluster(HOME, "uuid-home")
        self.away = self.add_cluster(AWAY, "uuid-away")
        self.data = DataNode(
            self._place("m", "10.0.1.1", ("data", "master", "remote_cluster_client")), self.home
        )
        for number in range(1, chance.choice((0, 1, 1, 2, 2, 3, 4, 6)) + 1):
            place = self._place(f"g{number}", f"10.0.1.{number + 1}", ("remote_cluster_client",))
            self.gateways.append(Gateway(place, HOME, self._seeds()))
        for _ in range(chance.choice((1, 2))):
            await self.add_node(self.away, ("data", "master"), {})
        others: list[Node] = [self.data, *self.gateways]
        if chance.random() < 0.2:
            chance.shuffle(others)  # gateways may be up before the data node
        for node in others:
            await node.start()
        if chance.random() < 0.25:
            place = self._place("x1", "10.0.1.30", ("remote_cluster_client",))
            self.intruders.append(Gateway(place, "other", self._seeds(), stays_out=True))
        if self.gateways and chance.random() < 0.25:
            original = chance.choice(self.gateways).place
            place = Place(
                world=self,
                host=self.network.host("10.0.1.31"),
                name="copy",
                node_id=original.node_id,
                roles=original.roles,
            )
            self.intruders.append(Gateway(place, HOME, self._seeds()))
        self._begin_outside()

    def _place(self, name: str, ip: str, roles: tuple[str, ...]) -> Place:
        gateway = {_ATTRIBUTE: "true"} if name.startswith("g") else {}
        return Place(
            world=self,
            host=self.network.host(ip),
            name=name,
            node_id=f"id-{name}",
            roles=roles,
            attributes=gateway,
        )

    def _seeds(self) -> list[Address]:
        """The data node's address is among them: gateways alone may all be gone."""
        seeds = [Address("10.0.1.1", PORT)]
        if self.chance.random() < 0.3:
            seeds.insert(0, Address("10.0.1.2", PORT))
        if self.chance.random() < 0.15:
            seeds.append(Address("10.0.2.1", PORT))
        return seeds

    def _begin_outside(self) -> None:
        chance, node = self.chance, self.away.nodes[0]
        count = chance.choice((1, 2, 3))
        seeds = ["10.0.1.1:9300", "10.0.1.2:9300", "10.0.1.3:9300"]
        chance.shuffle(seeds)
        values: dict[str, Value] = {
            "transport.connect_timeout": "3s",
            f"cluster.remote.{HOME}.seeds": tuple(seeds),
            f"cluster.remote.{HOME}.node_connections": str(count),
        }
        if chance.random() < 0.5:
            values["cluster.remote.node.attr"] = _ATTRIBUTE
        source = Source(Settings(values))
        remotes = RemoteClusters(
            source,
            node_name=node.name,
            roles=("data", "master", "remote_cluster_client"),
            dialer=node.transport,
            tasks=node.tasks,
            clock=self.clock,
            chance=chance.random,
        )
        self._outside = Outside(node, remotes, source, count)

    @property
    def is_built(self) -> bool:
        return self._outside is not None

    @property
    def outside(self) -> Outside:
        assert self._outside is not None, "the world is not built"
        return self._outside

    # -- the truth ---------------------------------------------------------------------------------

    @property
    def by_attribute(self) -> bool:
        """Whether only gateways are used from outside."""
        return "cluster.remote.node.attr" in self.outside.source.current

    def eligible(self) -> list[NodeInfo]:
        """Whom the outside may use now."""
        gateways = [each.info for each in self.gateways if each.is_running]
        return gateways if self.by_attribute else [self.data.info, *gateways]

    def programs(self) -> list[Node]:
        return [self.data, *self.gateways, *self.intruders]

    def disturbed_here(self, ip: str) -> float:
        """When something happened to a host last; infinite while it lasts."""
        return self.disturbed_at.get(ip, 0.0)

    def disturbed_since(self, at: float) -> bool:
        """Whether anything has happened anywhere since then but programs that were asked to stop."""
        return any(when > at for when in (*self.disturbed_at.values(), self.truth.paths_calm_at))

    def copied_at(self, gateway: Gateway) -> float:
        """When a copy of its data folder was started or stopped last; infinite while one runs."""
        copies = [each for each in self.intruders if each.place.node_id == gateway.place.node_id]
        return max(
            (float("inf") if each.is_running else each.changed_at for each in copies), default=0.0
        )

    def gone_since(self, node: Node) -> float | None:
        """Since when it can say nothing; None while it can."""
        if not node.is_running:
            return node.changed_at
        if node.host.is_frozen:
            return node.host.frozen_since
        return None


class MembersFaults(Disturbances):
    """The faults of `Disturbances`, where the nodes of one cluster are."""

    def __init__(self, world: MembersWorld, scope: TaskScope) -> None:
        super().__init__(world, scope)
        self._members = world

    def is_free(self, program: Program) -> bool:
        """Whether nothing is happening to it already."""
        return program.host.ip not in self._busy

    def cut(self) -> None:
        """Some connections are reset."""
        self._cut()

    def take(self, program: Program) -> Callable[[], None]:
        """Keeps faults of programs away from it until the returned is called."""
        self._busy[program.host.ip] = None

        def give_back() -> None:
            del self._busy[program.host.ip]

        return give_back

    def _pair(self) -> tuple[str, str]:
        """Mostly a gateway and the data node."""
        world = self._members
        chance = world.chance
        gateways = [gateway.host.ip for gateway in world.gateways]
        outside = world.outside.node.host.ip
        near = world.data.host.ip
        if not gateways:
            return near, outside
        far = chance.choice(gateways)
        return (far, outside) if chance.random() < 0.25 else (near, far)

    def _partition(self) -> None:
        """The data node, or the outside, from all gateways."""
        world = self._members
        near = world.chance.choice((world.data.host.ip, world.outside.node.host.ip))
        far = [gateway.host.ip for gateway in world.gateways]
        ways = [way for ip in far for way in ((near, ip), (ip, near))]
        if ways:
            self._turned("partition", ways, world.chance.choice((State.DARK, State.DOWN)))

    def _node(self) -> Program | None:
        world = self._members
        programs = [node for node in world.programs() if node.is_running and self.is_free(node)]
        if not programs:
            return None
        if world.data in programs and world.chance.random() < 0.3:
            return world.data
        return world.chance.choice(programs)

    def _last(self, name: str, hosts: tuple[str, ...], heal: Heal) -> None:
        if name not in _PATH_FAULTS:
            super()._last(name, hosts, heal)
            return
        truth, loop = self._members.truth, self._members.loop
        truth.path_faults += 1
        truth.paths_calm_at = float("inf")

        async def end() -> None:
            await heal()
            truth.path_faults -= 1
            if not truth.path_faults:
                truth.paths_calm_at = loop.time()

        super()._last(name, hosts, end)
