"""What a seed draws: the clusters and local nodes of its world, their remotes, and single requests."""

from sealane.settings import Value
from sealane.testing.simulation.nodes import SimulatedCluster
from sealane.testing.simulation.requests import Plan
from sealane.testing.simulation.world import PROXY_PORT, LocalNode, Remote, World

_DATA = ("data", "ingest", "master")
_ROLES = (_DATA, _DATA, ("data",), ("ingest", "master"), (), ("master",))
_STRANGER = "10.8.0.1"
"""A host whose port 9300 is no node's."""


class Drawing:
    """Draws for one world, and builds it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = world.chance

    async def build(self) -> None:
        world, chance = self.world, self.chance
        attribute = "gateway" if chance.random() < 0.25 else None
        for number in range(1, chance.choice((1, 1, 2, 2, 3)) + 1):
            # Two clusters may have the same name: only the uuid tells them apart.
            name = chance.choice(("eu", f"c{number}"))
            cluster = world.add_cluster(name, f"uuid-{number}")
            for _ in range(chance.choice((1, 1, 2, 3, 3, 4, 7))):
                await world.add_node(cluster, chance.choice(_ROLES), self._attributes(attribute))
            world.add_name(f"seed.c{number}", cluster.nodes[0].host.ip)
            world.add_name(f"twin.c{number}", _STRANGER, cluster.nodes[0].host.ip)
            if chance.random() < 0.5:
                await world.add_proxy(cluster)
        await world.add_stranger(_STRANGER, chance.choice(("silent", "http", "closes", "garbage")))
        remotes = list(world.clusters)
        for number in range(1, chance.choice((1, 1, 1, 2)) + 1):
            await self._build_local(number, attribute, remotes)

    def _attributes(self, attribute: str | None) -> dict[str, str]:
        if attribute is None:
            return {}
        return {attribute: self.chance.choice(("true", "true", "false", "nope"))}

    async def _build_local(
        self, number: int, attribute: str | None, remotes: list[SimulatedCluster]
    ) -> None:
        world, chance = self.world, self.chance
        cluster = world.add_cluster("home", f"uuid-home-{number}")
        node = await world.add_node(cluster, (*_DATA, "remote_cluster_client"), {})
        timeout_s = chance.choice((1, 3, 10))
        base: dict[str, Value] = {"transport.connect_timeout": f"{timeout_s}s"}
        if attribute is not None:
            base["cluster.remote.node.attr"] = attribute
        local = LocalNode(node, base, float(timeout_s), attribute)
        world.locals.append(local)
        for each in range(chance.choice((1, 1, 1, 2, 3))):
            remote = self.draw_remote(f"l{number}-{each}", remotes)
            local.remotes[remote.alias] = remote
        world.begin_remotes(local)

    def draw_remote(self, alias: str, clusters: list[SimulatedCluster]) -> Remote:
        chance, world = self.chance, self.world
        home = world.locals[-1].node.cluster if world.locals else clusters[0]
        cluster = home if chance.random() < 0.04 else chance.choice(clusters)
        proxies = [ip for ip in world.proxies if ip.startswith(f"10.9.{self._number(cluster)}.")]
        mode = "proxy" if chance.random() < 0.35 else "sniff"
        direct = f"{cluster.nodes[0].host.ip}:9300"
        return Remote(
            alias=alias,
            mode=mode,
            cluster=cluster,
            seeds=self._draw_seeds(cluster),
            sniff_proxy=f"{proxies[0]}:{PROXY_PORT}" if proxies and chance.random() < 0.15 else "",
            proxy_address=f"{proxies[0]}:{PROXY_PORT}" if proxies else direct,
            node_connections=chance.choice((1, 1, 2, 2, 3, 5)),
            sockets=chance.choice((1, 2, 4, 6)),
            skip_unavailable=chance.random() < 0.5,
            ping_schedule=chance.choice(("-1", "-1", "5s", "30s"))
            if chance.random() < 0.9
            else "1s",
            compress=chance.choice(("true", "false", "indexing_data")),
            scheme=chance.choice(("lz4", "deflate")),
        )

    def _number(self, cluster: SimulatedCluster) -> int:
        return self.world.clusters.index(cluster) + 1

    def _draw_seeds(self, cluster: SimulatedCluster) -> list[str]:
        """At least one leads to the cluster; others may lead nowhere, or elsewhere."""
        chance = self.chance
        good = [f"{node.host.ip}:9300" for node in cluster.nodes]
        good += [f"{name}:9300" for name in self.world.names_of(cluster)]
        seeds = chance.sample(good, min(len(good), chance.choice((1, 1, 2))))
        for bad in (f"{_STRANGER}:9300", "10.7.0.1:9300", "nowhere:9300", f"{good[0][:-4]}1"):
            if chance.random() < 0.08:
                seeds.insert(chance.randint(0, len(seeds)), bad)
        return seeds

    def draw_plan(self) -> Plan:
        chance = self.chance
        return Plan(
            body_bytes=chance.choice((40, 40, 500, 70_000)) if chance.random() < 0.9 else 400_000,
            answer_bytes=chance.choice((10, 10, 900, 80_000)) if chance.random() < 0.9 else 600_000,
            takes_s=chance.choice((0.0, 0.0, 0.05, 2.0)) if chance.random() < 0.95 else 40.0,
            fails=chance.random() < 0.1,
            deadline_s=chance.choice((None, 0.01, 1.0, 30.0, 60.0)),
            cancel_s=10 ** chance.uniform(-4, 1) if chance.random() < 0.15 else None,
            abandon_s=10 ** chance.uniform(-4, 1) if chance.random() < 0.15 else None,
        )

    def change_one(self, remote: Remote, drawn: Remote) -> None:
        """One or two keys become those of another drawing."""
        for _ in range(self.chance.choice((1, 1, 2))):
            kind = self.chance.choice(
                ("mode", "seeds", "order", "count", "skip", "ping", "compress", "cluster")
            )
            if kind == "mode":
                remote.mode = drawn.mode
            elif kind == "seeds":
                remote.seeds = self._draw_seeds(remote.cluster)
            elif kind == "order":
                self.chance.shuffle(remote.seeds)
            elif kind == "count":
                remote.node_connections, remote.sockets = drawn.node_connections, drawn.sockets
            elif kind == "skip":
                remote.skip_unavailable = drawn.skip_unavailable
            elif kind == "ping":
                remote.ping_schedule = drawn.ping_schedule
            elif kind == "compress":
                remote.compress, remote.scheme = drawn.compress, drawn.scheme
            else:
                remote.cluster, remote.seeds = drawn.cluster, drawn.seeds
                remote.proxy_address, remote.sniff_proxy = drawn.proxy_address, drawn.sniff_proxy
