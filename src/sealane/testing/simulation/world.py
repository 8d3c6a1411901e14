"""A simulated world: local nodes with remote clusters in production code, the clusters they reach,
and what disturbs them.

The world knows the truth that the invariants are judged by: who is up, what the settings say, when
something was disturbed last. What happens when is scenario.py's.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sealane.model.node import Address, ClusterIdentity
from sealane.remote import Backoff, RemoteClusters
from sealane.remote.pins import MemoryPins
from sealane.settings import Settings, Value
from sealane.testing.simulation.link import Link
from sealane.testing.simulation.loop import SimulatedLoop
from sealane.testing.simulation.network import Host, Name, SimulatedNetwork
from sealane.testing.simulation.nodes import PORT, Log, SimulatedCluster, SimulatedNode
from sealane.testing.simulation.strangers import Layer4Proxy, Stranger
from sealane.testing.simulation.trace import Trace
from sealane.transport import TransportLimits

PROXY_PORT = 9400
_REMEMBERED = 10
"""Former gateways that are tried after the seeds."""
_EPOCH_MS = 1_700_000_000_000


class Violation(AssertionError):
    """An invariant does not hold."""


class _LoopClock:
    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now_ms(self) -> int:
        return _EPOCH_MS + int(self._loop.time() * 1000)


@dataclass
class Remote:
    """What the settings say of one alias, in a form that is easy to change."""

    alias: str
    mode: str
    cluster: SimulatedCluster
    """The cluster that it is meant to reach."""
    seeds: list[str]
    sniff_proxy: str
    """Where every connection is dialled instead; empty for nowhere."""
    proxy_address: str
    node_connections: int
    sockets: int
    skip_unavailable: bool
    ping_schedule: str
    compress: str
    scheme: str

    def settings(self) -> dict[str, Value]:
        prefix = f"cluster.remote.{self.alias}."
        keys: dict[str, Value] = {
            "mode": self.mode,
            "skip_unavailable": str(self.skip_unavailable).lower(),
            "transport.ping_schedule": self.ping_schedule,
            "transport.compress": self.compress,
            "transport.compression_scheme": self.scheme,
        }
        if self.mode == "sniff":
            keys["seeds"] = tuple(self.seeds)
            keys["node_connections"] = str(self.node_connections)
            if self.sniff_proxy:
                keys["proxy"] = self.sniff_proxy
        else:
            keys["proxy_address"] = self.proxy_address
            keys["proxy_socket_connections"] = str(self.sockets)
        return {prefix + key: value for key, value in keys.items()}

    @property
    def sockets_each(self) -> int:
        return 6 if self.mode == "sniff" else 1

    @property
    def gateways_max(self) -> int:
        return self.node_connections if self.mode == "sniff" else self.sockets

    @property
    def sockets_max(self) -> int:
        """All gateways, each with a probe for an HTTP server beside it; and one seed with its own."""
        seed = 2 if self.mode == "sniff" else 0
        return self.gateways_max * (self.sockets_each + 1) + seed

    @property
    def is_direct(self) -> bool:
        """Whether nodes see the asking host itself."""
        if self.mode == "proxy":
            return not self.proxy_address.endswith(f":{PROXY_PORT}")
        return not self.sniff_proxy

    @property
    def ping_s(self) -> float:
        return 10.0 if self.ping_schedule == "-1" else float(self.ping_schedule.removesuffix("s"))

    def round_s(self, connect_timeout_s: float) -> float:
        """The longest that one connect round may take."""
        dials = len(self.seeds) + _REMEMBERED + 2 if self.mode == "sniff" else 3
        return connect_timeout_s * 3 * dials + 30


class Source:
    """Settings in force, and who follows them."""

    def __init__(self, current: Settings) -> None:
        self.current = current
        self.subscribers: list[Callable[[Settings, Settings], None]] = []

    def subscribe(self, subscriber: Callable[[Settings, Settings], None]) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def change(self, new: Settings) -> None:
        old, self.current = self.current, new
        for subscriber in list(self.subscribers):
            subscriber(old, new)


@dataclass
class LocalNode:
    """A node under test: the node itself, its remotes, and what its settings should make of them."""

    node: SimulatedNode
    base: dict[str, Value]
    connect_timeout_s: float
    attribute: str | None
    remotes: dict[str, Remote] = field(default_factory=dict)
    clusters: RemoteClusters | None = None
    source: Source | None = None
    pins: MemoryPins = field(default_factory=MemoryPins)
    """As a node keeps them across its starts."""
    changed_at: dict[str, float] = field(default_factory=dict)
    """When the settings of an alias changed last."""
    pinned: dict[str, str] = field(default_factory=dict)
    """The first cluster uuid seen by a family of connections."""
    ended: dict[str, float] = field(default_factory=dict)
    """When a family of connections lost its alias or configuration."""

    def settings(self) -> Settings:
        values = dict(self.base)
        for remote in self.remotes.values():
            values |= remote.settings()
        return Settings(values)


class World:
    """Everything in one run. `chance` is the only source of what is drawn."""

    def __init__(self, loop: SimulatedLoop, seed: int, trace: Trace) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.trace = trace
        self.network = SimulatedNetwork(loop, random.Random(seed ^ 0x5EA1), trace)
        self.clock = _LoopClock(loop)
        self.log = Log()
        self.clusters: list[SimulatedCluster] = []
        self.node_named: dict[str, SimulatedNode] = {}
        self.cluster_of: dict[str, str] = {}
        """The cluster's uuid by a node's id."""
        self.proxies: dict[str, Layer4Proxy] = {}
        self.locals: list[LocalNode] = []
        self.disturbed_at: dict[str, float] = {}
        """By host: when something that concerns it happened last; infinite while it lasts."""
        self._lasting: dict[str, int] = {}

    # -- building ----------------------------------------------------------------------------------

    def add_cluster(self, name: str, uuid: str) -> SimulatedCluster:
        cluster = SimulatedCluster(ClusterIdentity(name=name, uuid=uuid))
        self.clusters.append(cluster)
        return cluster

    async def add_node(
        self, cluster: SimulatedCluster, roles: tuple[str, ...], attributes: dict[str, str]
    ) -> SimulatedNode:
        number = self.clusters.index(cluster) + 1
        name = f"{chr(96 + number)}{len(cluster.nodes) + 1}"
        node = SimulatedNode(
            cluster,
            name,
            self.network.host(f"10.0.{number}.{len(cluster.nodes) + 1}"),
            clock=self.clock,
            log=self.log,
            chance=self.chance,
            roles=roles,
            attributes=attributes,
            limits=TransportLimits(
                write_buffer_max_bytes=self.chance.choice((16 * 1024, 256 * 1024, 1 << 20))
            ),
        )
        self.cluster_of[node.info.id] = cluster.identity.uuid
        self.node_named[name] = node
        await node.start()
        return node

    async def add_proxy(self, cluster: SimulatedCluster) -> Layer4Proxy:
        ip = f"10.9.{self.clusters.index(cluster) + 1}.1"
        targets = [Address(node.host.ip, PORT) for node in cluster.nodes]
        proxy = Layer4Proxy(self.network.host(ip), targets, self.chance)
        self.proxies[ip] = proxy
        await proxy.start(PROXY_PORT)
        return proxy

    async def add_stranger(self, ip: str, kind: str) -> Host:
        host = self.network.host(ip)
        await host.listen(ip, PORT, lambda: Stranger(kind))
        return host

    def add_name(self, name: str, *addresses: str) -> None:
        self.network.names[name] = Name(*addresses)

    # -- local nodes -------------------------------------------------------------------------------

    def begin_remotes(self, local: LocalNode) -> None:
        local.source = Source(local.settings())
        local.clusters = RemoteClusters(
            local.source,
            node_name=local.node.name,
            roles=local.node.roles,
            dialer=local.node.transport,
            tasks=local.node.tasks,
            clock=self.clock,
            chance=self.chance.random,
            backoff=Backoff(),
            pins=local.pins,
        )
        self._note_families(local, {})

    async def end_remotes(self, local: LocalNode) -> None:
        clusters, local.clusters = local.clusters, None
        if clusters is None:
            return
        now = self.loop.time()
        for alias in local.remotes:
            local.ended[self.family(alias)] = now
            local.changed_at[alias] = now
        await clusters.close()
        assert local.source is not None
        if local.source.subscribers:
            raise Violation("closed remote clusters still follow the settings")

    def change_settings(self, local: LocalNode) -> None:
        """Puts in force what `local.remotes` say now."""
        if local.clusters is None or local.source is None:
            return
        before = {alias: self.family(alias) for alias in local.clusters.aliases()}
        local.source.change(local.settings())
        self._note_families(local, before)

    def _note_families(self, local: LocalNode, before: dict[str, str]) -> None:
        now = self.loop.time()
        for alias, label in before.items():
            if alias not in local.remotes or self.family(alias) != label:
                local.ended[label] = now
                local.changed_at[alias] = now
        for alias in local.remotes:
            if alias not in before:
                local.changed_at[alias] = now

    def family(self, alias: str) -> str:
        """What the connections of an alias have in common, under its present configuration."""
        return self.loop.latest.get(f"remote [{alias}]", "")

    def sockets(self, local: LocalNode) -> dict[str, list[Link]]:
        """The open ends on a local node that it has dialled, by family."""
        found: dict[str, list[Link]] = {}
        for link in local.node.host.links.values():
            if link.owner:
                found.setdefault(link.owner, []).append(link)
        return found

    # -- what is disturbed -------------------------------------------------------------------------

    def disturb(self, *hosts: str) -> None:
        """Something happened to them, and is over."""
        for ip in hosts:
            if not self._lasting.get(ip):
                self.disturbed_at[ip] = self.loop.time()

    def begin_disturbing(self, *hosts: str) -> Callable[[], None]:
        """Something happens to them. Returns how to say that it is over."""
        for ip in hosts:
            self._lasting[ip] = self._lasting.get(ip, 0) + 1
            self.disturbed_at[ip] = float("inf")

        def end() -> None:
            for ip in hosts:
                self._lasting[ip] -= 1
                self.disturb(ip)

        return end

    def calm_since(self, local: LocalNode, remote: Remote) -> float:
        """Since when nothing has happened to anything that an alias may need."""
        cluster = remote.cluster
        hosts = [local.node.host.ip, *(node.host.ip for node in cluster.nodes)]
        hosts += [ip for ip in self.proxies if ip.split(".")[2] == hosts[1].split(".")[2]]
        times = [self.disturbed_at.get(ip, 0.0) for ip in hosts]
        times.append(self.disturbed_at.get(f"names of {cluster.identity.uuid}", 0.0))
        times.append(local.changed_at.get(remote.alias, 0.0))
        return max(times)

    def names_of(self, cluster: SimulatedCluster) -> list[str]:
        """Names that lead to a cluster while nothing is disturbed."""
        number = self.clusters.index(cluster) + 1
        return [name for name in self.network.names if name.endswith(f".c{number}")]
