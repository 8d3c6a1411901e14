"""One entry of `GET /_remote/info`: the reference's fields in its order, and ours where they are
asked for.
"""

from collections import Counter
from datetime import UTC, datetime

from sealane.model.node import NodeInfo
from sealane.remote.address import hint
from sealane.remote.cluster import RemoteCluster
from sealane.remote.config import NodeConfig, RemoteConfig, SniffConfig
from sealane.remote.upkeep import LastError, UpkeepStatistics
from sealane.settings import TimeValue

Entry = dict[str, object]


def remote_info(cluster: RemoteCluster, node: NodeConfig, *, verbose: bool) -> Entry:
    """The state of one remote as this node has it now."""
    nodes = cluster.nodes
    entry = _entry(cluster.config, node, len(nodes))
    if verbose:
        entry |= _additions(cluster, nodes, cluster.statistics())
    return entry


def _entry(config: RemoteConfig, node: NodeConfig, connected: int) -> Entry:
    reach = config.reach
    entry: Entry = {"connected": connected > 0, "mode": str(config.mode)}
    if isinstance(reach, SniffConfig):
        entry["seeds"] = [seed.text for seed in reach.seeds]
        entry["num_nodes_connected"] = connected
        entry["max_connections_per_cluster"] = reach.node_connections
    else:
        entry["proxy_address"] = reach.address.text
        entry["server_name"] = reach.server_name
        entry["num_proxy_sockets_connected"] = connected
        entry["max_proxy_socket_connections"] = reach.socket_connections
    entry["initial_connect_timeout"] = str(node.initial_connect_timeout)
    entry["skip_unavailable"] = config.skip_unavailable
    return entry


def _additions(
    cluster: RemoteCluster, nodes: list[NodeInfo], statistics: UpkeepStatistics
) -> Entry:
    identity = cluster.identity
    pause_s = statistics.next_attempt_in_s
    return {
        "cluster_name": identity.name if identity else None,
        "cluster_uuid": identity.uuid or None if identity else None,
        "remote_version": next((n.version for n in nodes if n.version), None),
        "last_connected_at": _timestamp(statistics.last_connected_at_ms),
        "last_error": _last_error(statistics.last_error),
        "next_attempt_in": None if pause_s is None else str(TimeValue.of_ms(int(pause_s * 1000))),
        "warnings": [*_hints(cluster.config), *statistics.warnings],
        "nodes": _nodes(nodes),
    }


def _hints(config: RemoteConfig) -> list[str]:
    reach = config.reach
    if isinstance(reach, SniffConfig):
        addresses = (*reach.seeds, reach.proxy) if reach.proxy else reach.seeds
    else:
        addresses = (reach.address,)
    return [text for address in addresses if (text := hint(address.text))]


def _nodes(nodes: list[NodeInfo]) -> list[Entry]:
    """One entry a node, though it may have several connections in proxy mode."""
    connections = Counter(node.ephemeral_id for node in nodes)
    return [
        {
            "id": node.id,
            "name": node.name,
            "transport_address": str(node.address),
            "version": node.version,
            "connections": connections[node.ephemeral_id],
        }
        for node in {node.ephemeral_id: node for node in nodes}.values()
    ]


def _last_error(last: LastError | None) -> Entry | None:
    if last is None:
        return None
    return {
        "at": _timestamp(last.at_ms),
        "seed": last.address,
        **last.error.to_cause(),
    }


def _timestamp(ms: int | None) -> str | None:
    if ms is None:
        return None
    return (
        datetime.fromtimestamp(ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
