"""What the parts of a node say of themselves in `_nodes/stats`, as JSON."""

from typing import Any

from sealane.remote import RemoteCluster, RemoteClusters
from sealane.transport.statistics import TransportStatistics


def transport_section(stats: TransportStatistics) -> dict[str, Any]:
    """A channel is a socket, as the reference counts them."""
    return {
        "server_open": stats.channels_in,
        "total_outbound_connections": stats.channels_out,
        "rx_count": stats.rx_count,
        "rx_size_in_bytes": stats.rx_bytes,
        "tx_count": stats.tx_count,
        "tx_size_in_bytes": stats.tx_bytes,
    }


def remote_clusters_section(remotes: RemoteClusters) -> dict[str, Any]:
    """The connect loop of each remote, by alias. Empty on a node that connects to none."""
    return {alias: _loop_json(remotes.cluster(alias)) for alias in sorted(remotes.statistics())}


def _loop_json(cluster: RemoteCluster) -> dict[str, Any]:
    stats = cluster.statistics()
    pause_s, last = stats.next_attempt_in_s, stats.last_error
    return {
        "connected": bool(cluster.nodes),
        "connections": len(cluster.nodes),
        "requests_in_flight": cluster.requests_in_flight,
        "requests": cluster.traffic.requests,
        "failures": cluster.traffic.failures,
        "breaker": str(cluster.breaker.state),
        "rounds": stats.rounds,
        "consecutive_misses": stats.misses,
        "running": stats.running,
        "waiting": stats.waiting,
        "next_attempt_in_millis": None if pause_s is None else int(pause_s * 1000),
        "last_connected_at_millis": stats.last_connected_at_ms,
        "last_error": None
        if last is None
        else {"at_millis": last.at_ms, "address": last.address, **last.error.to_cause()},
    }
