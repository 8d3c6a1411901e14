"""What must hold in a simulated world, whatever happens. Each check raises Violation and says what it
found; `checks` counts them.

Counts are judged when everything that could happen at a moment has happened; what must come about
in time is judged by how long nothing was disturbed.
"""

from collections import Counter

from sealane.remote import RemoteCluster
from sealane.testing.simulation.world import LocalNode, Remote, Violation, World

_GONE_AFTER_S = 1.0
"""C-41: an alias that is removed has closed its connections by then."""
_LINGER_S = 12.0
"""What peers that do not read get before they are cut off."""
_BACKOFF_MAX_S = 60.0
_PINGS_MISSED = 5
_HANDSHAKES_S = 25.0
"""What connecting may take, before there are pings."""
_GRACE_S = 10.0


class Invariants:
    """Of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._zero_since: dict[str, float] = {}
        self.checks: Counter[str] = Counter()

    def at_rest(self) -> None:
        """To be called when nothing more can happen at this moment, if a connection has changed."""
        for local in self._world.locals:
            if local.clusters is not None:
                self._judge_connections(local)
        self._judge_handlers()

    def now_and_then(self) -> None:
        """What need not be looked at with every change."""
        for local in self._world.locals:
            self._judge_leftovers(local)
            if local.clusters is not None:
                self._judge_settings(local)
                self._judge_dark(local)
                self._judge_reach(local)
        if self._world.log.wrong:
            raise Violation(self._world.log.wrong[0])
        self.checks["requests arrive as they were sent"] += 1

    def _judge_handlers(self) -> None:
        """A node does not work for somebody whose connections to it have all gone."""
        world = self._world
        for number, name in world.log.running.items():
            asker = world.log.direct.get(number)
            if asker is None:
                continue
            self.checks["handlers end with the link"] += 1
            links = world.node_named[name].host.links.values()
            if not any(link.peer.host == asker or link.local.host == asker for link in links):
                raise Violation(f"request {number} still runs on [{name}], [{asker}] is gone")

    # -- connections -------------------------------------------------------------------------------

    def _judge_connections(self, local: LocalNode) -> None:
        world, clusters = self._world, local.clusters
        assert clusters is not None
        by_family = world.sockets(local)
        for alias, remote in local.remotes.items():
            label = world.family(alias)
            links = by_family.get(label, ())
            live = sum(not link.is_closing() for link in links)
            cluster = clusters.cluster(alias)
            self._judge_counts(remote, cluster, live)
            self._judge_pin(local, cluster, label)
            self._judge_gateways(remote, cluster)
            if cluster.nodes:
                self._zero_since.pop(label, None)
            else:
                self._zero_since.setdefault(label, world.loop.time())

    def _judge_counts(self, remote: Remote, cluster: RemoteCluster, live: int) -> None:
        gateways = len(cluster.nodes)
        counted = gateways * remote.sockets_each
        running = cluster.statistics().running
        self.checks["sockets are within the limit"] += 1
        if live > remote.sockets_max or gateways > remote.gateways_max:
            raise Violation(
                f"[{remote.alias}] has {gateways} gateways and {live} sockets, allowed are "
                f"{remote.gateways_max} and {remote.sockets_max}"
            )
        self.checks["counted connections are open"] += 1
        if counted > live or (counted != live and not running):
            raise Violation(
                f"[{remote.alias}] counts {gateways} gateways, which is {counted} sockets, but "
                f"{live} are open, running={running}"
            )

    def _judge_pin(self, local: LocalNode, cluster: RemoteCluster, label: str) -> None:
        uuid = cluster.expected.uuid
        if not uuid:
            return
        self.checks["a pinned cluster stays pinned"] += 1
        pinned = local.pinned.setdefault(label, uuid)
        if uuid != pinned:
            raise Violation(f"[{label}] was pinned to [{pinned}], is [{uuid}]")
        self.checks["gateways are of the pinned cluster"] += 1
        for node in cluster.nodes:
            if self._world.cluster_of[node.id] != pinned:
                raise Violation(f"[{label}] is pinned to [{pinned}], but has gateway [{node.id}]")

    def _judge_gateways(self, remote: Remote, cluster: RemoteCluster) -> None:
        if remote.mode != "sniff":
            return
        self.checks["no node is a gateway twice"] += 1
        nodes = [node.ephemeral_id for node in cluster.nodes]
        if len(set(nodes)) < len(nodes):
            raise Violation(f"[{remote.alias}] has a node twice among its gateways: {nodes}")

    def _judge_dark(self, local: LocalNode) -> None:
        """A connection into a black hole is noticed by its pings."""
        world = self._world
        now = world.loop.time()
        by_family = world.sockets(local)
        for alias, remote in local.remotes.items():
            patience_s = _PINGS_MISSED * remote.ping_s + _HANDSHAKES_S
            self.checks["black holes are noticed"] += 1
            for link in by_family.get(world.family(alias), ()):
                dark = link.out.dark_since
                if dark is None or link.is_closing():
                    continue
                if now - max(dark, link.opened_at) > patience_s:
                    raise Violation(f"[{alias}] keeps a connection into a black hole since {dark}")

    def _judge_leftovers(self, local: LocalNode) -> None:
        now = self._world.loop.time()
        self.checks["connections end with their alias"] += 1
        for label, links in self._world.sockets(local).items():
            ended = local.ended.get(label)
            if ended is None:
                continue
            if now > ended + _GONE_AFTER_S and not all(link.is_closing() for link in links):
                raise Violation(f"[{label}] ended at {ended:.3f} but has open connections")
            if now > ended + _LINGER_S and links:
                raise Violation(f"[{label}] ended at {ended:.3f} but has sockets")

    # -- settings and reach ------------------------------------------------------------------------

    def _judge_settings(self, local: LocalNode) -> None:
        clusters = local.clusters
        assert clusters is not None
        self.checks["info says what the settings say"] += 1
        if list(clusters.aliases()) != sorted(local.remotes):
            raise Violation(f"aliases are {clusters.aliases()}, not {sorted(local.remotes)}")
        shown = clusters.describe()
        for alias, remote in local.remotes.items():
            entry = shown[alias]
            gateways = len(clusters.cluster(alias).nodes)
            expected: dict[str, object] = {
                "connected": gateways > 0,
                "mode": remote.mode,
                "skip_unavailable": remote.skip_unavailable,
            }
            if remote.mode == "sniff":
                expected |= {
                    "seeds": remote.seeds,
                    "num_nodes_connected": gateways,
                    "max_connections_per_cluster": remote.node_connections,
                }
            else:
                expected |= {
                    "proxy_address": remote.proxy_address,
                    "num_proxy_sockets_connected": gateways,
                    "max_proxy_socket_connections": remote.sockets,
                }
            found = {key: entry.get(key) for key in expected}
            if found != expected or clusters.skip_unavailable(alias) != remote.skip_unavailable:
                raise Violation(f"[{alias}] shows {found}, expected {expected}")

    def _judge_reach(self, local: LocalNode) -> None:
        for alias, remote in local.remotes.items():
            overdue = self.overdue_s(local, remote)
            if overdue > 0:
                assert local.clusters is not None
                raise Violation(
                    f"[{alias}] has {len(local.clusters.cluster(alias).nodes)} gateways, though "
                    f"{self.reachable(local, remote)} could be reached since "
                    f"{self._world.calm_since(local, remote):.3f}: "
                    f"{local.clusters.statistics()[alias]}"
                )

    def overdue_s(self, local: LocalNode, remote: Remote) -> float:
        """By how long an alias is later than its pauses and one round to have a gateway; 0 or less
        where it is not."""
        world, clusters = self._world, local.clusters
        assert clusters is not None
        self.checks["a reachable cluster is reached"] += 1
        cluster = clusters.cluster(remote.alias)
        if cluster.nodes or not self.reachable(local, remote):
            return 0.0
        calm = world.calm_since(local, remote)
        since = max(calm, self._zero_since.get(world.family(remote.alias), world.loop.time()))
        return world.loop.time() - since - self.patience_s(local, remote)

    def patience_s(self, local: LocalNode, remote: Remote) -> float:
        return _BACKOFF_MAX_S + remote.round_s(local.connect_timeout_s) + _GRACE_S

    def reachable(self, local: LocalNode, remote: Remote) -> int:
        """How many gateways an alias should have while nothing is disturbed; 0 where that cannot
        be said."""
        clusters = local.clusters
        assert clusters is not None
        target = remote.cluster
        if clusters.cluster(remote.alias).expected.uuid not in ("", target.identity.uuid):
            return 0
        if remote.mode == "proxy":
            return remote.sockets
        eligible = sum(_eligible(node.roles, node.attributes, local) for node in target.nodes)
        if remote.sniff_proxy and len(target.nodes) > 1:
            return 0  # whom a proxy reaches is chance, and each gateway must be the one meant
        known = {f"{node.host.ip}:9300" for node in target.nodes}
        known |= {f"{name}:9300" for name in self._world.names_of(target)}
        if not known.intersection(remote.seeds):
            return 0
        return min(remote.node_connections, eligible)


def _eligible(roles: tuple[str, ...], attributes: dict[str, str], local: LocalNode) -> bool:
    if set(roles) == {"master"}:
        return False
    return local.attribute is None or attributes.get(local.attribute) == "true"
