"""One entry of `GET /_remote/info`: the reference's fields in its order, and ours where they are
asked for.
"""

from collections.abc import Callable

from sealane.remote.cluster import RemoteCluster
from sealane.remote.config import NodeConfig, SniffConfig
from sealane.remote.info_additions import Entry, additions


def remote_info(
    cluster: RemoteCluster,
    node: NodeConfig,
    origin: Callable[[str], str | None],
    *,
    verbose: bool,
) -> Entry:
    """The state of one remote as this node has it now. `origin` is asked with `verbose` only."""
    config, connected = cluster.config, len(cluster.nodes)
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
    return entry | additions(cluster, node, origin) if verbose else entry
