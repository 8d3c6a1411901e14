"""What `_remote/info?verbose=true` tells of a remote beyond the reference's fields: which cluster it is, what went
wrong last and what to do about it, when the next attempt comes, and which nodes are connected.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sealane.model.node import NodeInfo
from sealane.remote.address import hint
from sealane.remote.breaker import BreakerStatistics
from sealane.remote.cluster import RemoteCluster
from sealane.remote.config import Model, NodeConfig, RemoteConfig, SniffConfig
from sealane.remote.diagnosis.advice import Circumstances, Role, advice
from sealane.remote.info_security import security, security_warnings
from sealane.remote.settings import SKIP_UNAVAILABLE
from sealane.remote.upkeep import LastError
from sealane.settings import TimeValue

Entry = dict[str, object]


def additions(
    cluster: RemoteCluster,
    node: NodeConfig,
    origin: Callable[[str], str | None],
    *,
    now_ms: int,
    unused_keys: Mapping[str, str],
) -> Entry:
    """Times are ISO 8601 in UTC; what is not known is null. `last_error` stays after a recovery."""
    config, identity, statistics = cluster.config, cluster.identity, cluster.statistics()
    peer, nodes, pause_s = cluster.last_peer, cluster.nodes, statistics.next_attempt_in_s
    return {
        "cluster_name": identity.name if identity else None,
        "cluster_uuid": identity.uuid or None if identity else None,
        "remote_version": peer.release or None if peer else None,
        "remote_product": peer.family if peer else None,
        **security(cluster, node, now_ms),
        "skip_unavailable_origin": origin(SKIP_UNAVAILABLE.key(config.alias)) or "default",
        "requests_in_flight": cluster.requests_in_flight,
        "breaker": _breaker(cluster.breaker),
        "last_connected_at": _timestamp(statistics.last_connected_at_ms),
        "last_error": _last_error(statistics.last_error, config, unused_keys),
        "next_attempt_in": None if pause_s is None else str(TimeValue.of_ms(int(pause_s * 1000))),
        "rounds": statistics.rounds,
        "warnings": [
            *_hints(config),
            *security_warnings(cluster, now_ms, unused_keys),
            *statistics.warnings,
        ],
        "nodes": _nodes(nodes),
    }


def _breaker(breaker: BreakerStatistics) -> Entry:
    """Whether searches are sent there: `open` refuses them until `retry_in` has passed."""
    last, retry_in_s = breaker.last_failure, breaker.retry_in_s
    return {
        "state": str(breaker.state),
        "failures_in_a_row": breaker.failures_in_a_row,
        "refused": breaker.refused,
        "retry_in": None if retry_in_s is None else str(TimeValue.of_ms(int(retry_in_s * 1000))),
        "last_failure": None if last is None else last.to_cause(),
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


def _last_error(
    last: LastError | None, config: RemoteConfig, unused_keys: Mapping[str, str]
) -> Entry | None:
    """The words of the connection test beside the error's own."""
    if last is None:
        return None
    around = Circumstances(
        address=last.address,
        role=Role.SEED if isinstance(config.reach, SniffConfig) else Role.PROXY,
        timeout_s=config.link.connect_timeout_s,
        alias=config.alias,
        key_hint="; ".join(unused_keys.values()) if config.key_digest is None else "",
        by_key=config.model is Model.API_KEY,
    )
    told = advice(last.error, None, around)
    return {
        "at": _timestamp(last.at_ms),
        "seed": last.address,
        **last.error.to_cause(),
        "cause": str(told.cause),
        "explanation": told.explanation,
        "next_step": told.next_step,
    }


def _timestamp(ms: int | None) -> str | None:
    if ms is None:
        return None
    return (
        datetime.fromtimestamp(ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
