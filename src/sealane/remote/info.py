"""One entry of `GET /_remote/info`: the reference's fields in its order, and ours where they are
asked for.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sealane.model.security import REDACTED
from sealane.remote.cluster import RemoteCluster
from sealane.remote.config import Model, NodeConfig, SniffConfig
from sealane.remote.info_additions import Entry, additions

NO_KEYS: Final[Mapping[str, str]] = {}


def remote_info(
    cluster: RemoteCluster,
    node: NodeConfig,
    origin: Callable[[str], str | None],
    *,
    verbose: bool,
    now_ms: int = 0,
    unused_keys: Mapping[str, str] = NO_KEYS,
) -> Entry:
    """The state of one remote as this node has it now. `origin` is asked with `verbose` only; `unused_keys` are
    warnings about keys of the keystore that no remote uses.
    """
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
    if config.key_digest is not None and config.model is Model.API_KEY:
        entry["cluster_credentials"] = REDACTED
    if not verbose:
        return entry
    return entry | additions(cluster, node, origin, now_ms=now_ms, unused_keys=unused_keys)
