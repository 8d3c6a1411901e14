"""The settings of a cluster of several nodes: how they find each other, what they publish, and when one is given up.

Names and defaults are Elasticsearch's.
"""

from typing import Final

from sealane.errors import IllegalArgument
from sealane.settings.parse import as_int, as_list, as_text, as_time
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.text import Value
from sealane.settings.units import TimeValue

DISCOVERY_TYPES: Final = ("multi-node", "single-node")


def as_discovery_type(value: Value, key: str) -> str:
    kind = as_text(value, key)
    if kind not in DISCOVERY_TYPES:
        raise IllegalArgument(f"Unknown discovery type [{kind}]")
    return kind


SEED_HOSTS: Final = Setting[tuple[str, ...]](
    key="discovery.seed_hosts",
    default=(),
    parse=as_list,
    help="Transport addresses, host:port, of nodes of the cluster: a node without the role data joins it by them.",
)
DISCOVERY_TYPE: Final = Setting[str](
    key="discovery.type",
    default="multi-node",
    parse=as_discovery_type,
    help="multi-node or single-node; a single node joins nobody.",
)
INITIAL_STATE_TIMEOUT: Final = Setting[TimeValue](
    key="discovery.initial_state_timeout",
    default="30s",
    parse=as_time(),
    help="How long a starting node waits for its cluster before it goes on without.",
)
INITIAL_MASTER_NODES: Final = Setting[tuple[str, ...]](
    key="cluster.initial_master_nodes",
    default=(),
    parse=as_list,
    help="Accepted and without effect: the node that holds the data is the master.",
)
LEADER_CHECK_INTERVAL: Final = Setting[TimeValue](
    key="cluster.fault_detection.leader_check.interval",
    default="1000ms",
    parse=as_time(min="100ms"),
    help="How long a member's question for a newer cluster state stays open before it asks again.",
)
LEADER_CHECK_TIMEOUT: Final = Setting[TimeValue](
    key="cluster.fault_detection.leader_check.timeout",
    default="10000ms",
    parse=as_time(min="1ms"),
    help="How much longer the master may take to answer before it is given up.",
)
FOLLOWER_CHECK_TIMEOUT: Final = Setting[TimeValue](
    key="cluster.fault_detection.follower_check.timeout",
    default="10000ms",
    parse=as_time(min="1ms"),
    help="How long the master keeps a member that has stopped asking for the cluster state.",
)
NETWORK_PUBLISH_HOST: Final = Setting[str](
    key="network.publish_host",
    default=None,
    parse=as_text,
    help="The address that others are told, where it is not the one listened on.",
)
TRANSPORT_PUBLISH_HOST: Final = Setting[str](
    key="transport.publish_host",
    default=NETWORK_PUBLISH_HOST.raw,
    parse=as_text,
    help="The same for the transport alone.",
)
TRANSPORT_PUBLISH_PORT: Final = Setting[int](
    key="transport.publish_port",
    default="-1",
    parse=as_int(min=-1, max=65535),
    help="The transport port that others are told; -1 for the one listened on.",
)
HTTP_PUBLISH_HOST: Final = Setting[str](
    key="http.publish_host",
    default=NETWORK_PUBLISH_HOST.raw,
    parse=as_text,
    help="The same for HTTP alone.",
)
HTTP_PUBLISH_PORT: Final = Setting[int](
    key="http.publish_port",
    default="-1",
    parse=as_int(min=-1, max=65535),
    help="The HTTP port that others are told; -1 for the one listened on.",
)

DISCOVERY_SETTINGS: Final[tuple[AnySetting, ...]] = (
    SEED_HOSTS,
    DISCOVERY_TYPE,
    INITIAL_STATE_TIMEOUT,
    INITIAL_MASTER_NODES,
    LEADER_CHECK_INTERVAL,
    LEADER_CHECK_TIMEOUT,
    FOLLOWER_CHECK_TIMEOUT,
    NETWORK_PUBLISH_HOST,
    TRANSPORT_PUBLISH_HOST,
    TRANSPORT_PUBLISH_PORT,
    HTTP_PUBLISH_HOST,
    HTTP_PUBLISH_PORT,
)
