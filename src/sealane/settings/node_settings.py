"""The settings of a node and its cluster, remote clusters aside (`remote` registers those).

Names and defaults are Elasticsearch's; those that begin with `sealane.` are ours.
"""

from enum import StrEnum
from typing import Final

from sealane.errors import IllegalArgument
from sealane.model.node import ROLES
from sealane.settings.audit_settings import AUDIT_SETTINGS
from sealane.settings.authentication_settings import AUTHENTICATION_SETTINGS
from sealane.settings.auto_create import AutoCreate, as_auto_create
from sealane.settings.ccr_settings import CCR_SETTINGS
from sealane.settings.ccs_settings import CCS_SETTINGS
from sealane.settings.discovery_settings import DISCOVERY_SETTINGS
from sealane.settings.parse import (
    Parse,
    as_bool,
    as_bytes,
    as_enum,
    as_int,
    as_list,
    as_text,
    as_time,
)
from sealane.settings.registry import AnySetting
from sealane.settings.secure_settings import SECURE_SETTINGS
from sealane.settings.setting import AffixSetting, Setting
from sealane.settings.text import Value
from sealane.settings.units import TimeValue
from sealane.settings.values import Settings

KNOWN_ROLES: Final = frozenset(
    (*ROLES, "data_content", "data_hot", "data_warm", "data_cold", "data_frozen")
)


class Compress(StrEnum):
    TRUE = "true"
    INDEXING_DATA = "indexing_data"
    FALSE = "false"


class CompressionScheme(StrEnum):
    LZ4 = "lz4"
    DEFLATE = "deflate"


class Face(StrEnum):
    """Which product's manners the HTTP interface has."""

    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"


def as_cluster_name(value: Value, key: str) -> str:
    name = as_text(value, key)
    if not name:
        raise IllegalArgument(f"[{key}] must not be empty")
    if ":" in name:
        raise IllegalArgument(f"[{key}] must not contain ':'")
    return name


def as_roles(value: Value, key: str) -> tuple[str, ...]:
    roles = as_list(value, key)
    for role in roles:
        if role not in KNOWN_ROLES:
            raise IllegalArgument(f"unknown role [{role}]")
    return tuple(dict.fromkeys(roles))


as_port: Final = as_int(min=0, max=65535)
as_compress: Final[Parse[Compress]] = as_enum(
    Compress, "org.elasticsearch.transport.Compression.Enabled"
)
as_scheme: Final[Parse[CompressionScheme]] = as_enum(
    CompressionScheme, "org.elasticsearch.transport.Compression.Scheme"
)
_as_face: Final[Parse[Face]] = as_enum(Face, "http.face")


def _transport_host(settings: Settings) -> Value:
    return settings.get(TRANSPORT_HOST.key, ())


# -- who we are, and where our files lie
CLUSTER_NAME: Final = Setting[str](
    key="cluster.name",
    default="sealane",
    parse=as_cluster_name,
    help="The name of the cluster this node is of.",
)
NODE_NAME: Final = Setting[str](
    key="node.name",
    default=None,
    parse=as_text,
    help="The node's name, for people. Made from the host's name where it is not set.",
)
NODE_ROLES: Final = Setting[tuple[str, ...]](
    key="node.roles",
    default=ROLES,
    parse=as_roles,
    help="What the node does. Without remote_cluster_client it opens no remote connections.",
)
NODE_ATTR: Final = AffixSetting[str](
    prefix="node.attr.",
    suffix="",
    default=None,
    parse=as_text,
    help="An attribute of the node, which others may select it by.",
)
PATH_DATA: Final = Setting[str](
    key="path.data", default="data", parse=as_text, help="The folder of everything kept."
)
PATH_CONF: Final = Setting[str](
    key="path.conf",
    default=None,
    parse=as_text,
    help="The folder of the configuration file, the keystore and the certificates.",
)
# -- networks
NETWORK_HOST: Final = Setting[tuple[str, ...]](
    key="network.host",
    default=(),
    parse=as_list,
    help="Addresses or names to listen on and to publish; _local_, the loopback addresses, where none is named.",
)
HTTP_HOST: Final = Setting[tuple[str, ...]](
    key="http.host",
    default=(),
    parse=as_list,
    help="Addresses the HTTP interface listens on; those of network.host where none is named.",
)
HTTP_PORT: Final = Setting[int](
    key="http.port", default="9200", parse=as_port, help="Port of HTTP; 0 picks a free one."
)
HTTP_MAX_CONTENT_LENGTH: Final = Setting[int](
    key="http.max_content_length",
    default="100mb",
    parse=as_bytes(min=0, max=2**31 - 1),
    help="The longest request body.",
)
HTTP_MAX_CONNECTIONS: Final = Setting[int](
    key="sealane.http.max_connections",
    default="8192",
    parse=as_int(min=1),
    help="HTTP connections that may be open; a further one is closed at once.",
)
HTTP_HEAD_TIMEOUT: Final = Setting[TimeValue](
    key="sealane.http.head_timeout",
    default="10s",
    parse=as_time(min="1ms"),
    help="How long the line and the headers of a request may take to come; for the first, from the opening.",
)
HTTP_BODY_TIMEOUT: Final = Setting[TimeValue](
    key="sealane.http.body_timeout",
    default="30s",
    parse=as_time(min="1ms"),
    help="How long the next kilobyte of a request's body may take to come.",
)
HTTP_FACE: Final = Setting[Face](
    key="http.face",
    default="elasticsearch",
    parse=_as_face,
    help="The product whose manners HTTP has: elasticsearch or opensearch.",
)
TRANSPORT_HOST: Final = Setting[tuple[str, ...]](
    key="transport.host",
    default=(),
    parse=as_list,
    help="Addresses the transport listens on; those of network.host where none is named.",
)
TRANSPORT_PORT: Final = Setting[int](
    key="transport.port",
    default="9300",
    parse=as_port,
    help="Port of node-to-node traffic; 0 picks a free one.",
)
TRANSPORT_CONNECT_TIMEOUT: Final = Setting[TimeValue](
    key="transport.connect_timeout",
    default="30s",
    parse=as_time(min="0ms"),
    help="How long opening a connection, and each of its handshakes, may take.",
)
TRANSPORT_PING_SCHEDULE: Final = Setting[TimeValue](
    key="transport.ping_schedule",
    default="-1",
    parse=as_time(),
    help="How often an idle connection is pinged; -1 never.",
)
TRANSPORT_COMPRESS: Final = Setting[Compress](
    key="transport.compress",
    default="INDEXING_DATA",
    parse=as_compress,
    help="What is compressed between nodes: true, indexing_data or false.",
)
TRANSPORT_COMPRESSION_SCHEME: Final = Setting[CompressionScheme](
    key="transport.compression_scheme",
    default="LZ4",
    parse=as_scheme,
    help="How it is compressed: lz4 or deflate.",
)
REMOTE_CLUSTER_SERVER_ENABLED: Final = Setting[bool](
    key="remote_cluster_server.enabled",
    default="false",
    parse=as_bool,
    help="Opens the port for remote clusters that come with an API key.",
)
REMOTE_CLUSTER_HOST: Final = Setting[tuple[str, ...]](
    key="remote_cluster.host",
    default=_transport_host,
    parse=as_list,
    help="Addresses that port listens on.",
)
REMOTE_CLUSTER_PORT: Final = Setting[int](
    key="remote_cluster.port",
    default="9443",
    parse=as_port,
    help="Port for remote clusters that come with an API key.",
)
REMOTE_CLUSTER_ALLOW_PLAINTEXT: Final = Setting[bool](
    key="remote_cluster.allow_plaintext",
    default="false",
    parse=as_bool,
    help="Whether that port may be reached from other machines without TLS. Ours alone.",
)
SECURITY_ENABLED: Final = Setting[bool](
    key="xpack.security.enabled",
    default="false",
    parse=as_bool,
    help="Whether requests must say who they come from. Unless it is set: true on a node that listens on other than "
    "loopback addresses.",
)

# -- what may change while the node runs
CLUSTER_METADATA: Final = AffixSetting[str](
    prefix="cluster.metadata.",
    suffix="",
    default=None,
    parse=as_text,
    dynamic=True,
    help="Anything that users keep with the cluster.",
)
AUTO_CREATE_INDEX: Final = Setting[AutoCreate](
    key="action.auto_create_index",
    default="true",
    parse=as_auto_create,
    dynamic=True,
    help="Whether writing to a missing index makes it: true, false, or patterns with + and -.",
)
DESTRUCTIVE_REQUIRES_NAME: Final = Setting[bool](
    key="action.destructive_requires_name",
    default="true",
    parse=as_bool,
    dynamic=True,
    help="Whether deleting or closing indices by wildcard is refused.",
)
SEARCH_MAX_BUCKETS: Final = Setting[int](
    key="search.max_buckets",
    default="65536",
    parse=as_int(min=0),
    dynamic=True,
    help="The most buckets one answer may hold.",
)
SEARCH_DEFAULT_TIMEOUT: Final = Setting[TimeValue](
    key="search.default_search_timeout",
    default="-1",
    parse=as_time(),
    dynamic=True,
    help="How long a search that sets no timeout may collect; -1 without limit.",
)
SEARCH_DEFAULT_ALLOW_PARTIAL: Final = Setting[bool](
    key="search.default_allow_partial_results",
    default="true",
    parse=as_bool,
    dynamic=True,
    help="Whether a search that does not say takes an answer with failed shards.",
)

SEARCH_MAX_KEEP_ALIVE: Final = Setting[TimeValue](
    key="search.max_keep_alive",
    default="24h",
    parse=as_time(min="0ms"),
    dynamic=True,
    help="The longest that a scroll or a point in time may be kept open at a time.",
)
SEARCH_MAX_OPEN_SCROLLS: Final = Setting[int](
    key="search.max_open_scroll_context",
    default="500",
    parse=as_int(min=0),
    dynamic=True,
    help="How many shards of scrolls may be open on a node.",
)

# -- ours
VERSION_NUMBER: Final = Setting[str](
    key="sealane.version.number",
    default="8.19.0",
    parse=as_text,
    help="The version number that clients are shown.",
)
ENGINE_THREADS: Final = Setting[int](
    key="sealane.engine.threads",
    default="3",
    parse=as_int(min=1, max=64),
    help="Threads for the blocking work of the embedded engine.",
)

NODE_SETTINGS: Final[tuple[AnySetting, ...]] = (
    SEARCH_MAX_KEEP_ALIVE,
    SEARCH_MAX_OPEN_SCROLLS,
    CLUSTER_NAME,
    NODE_NAME,
    NODE_ROLES,
    NODE_ATTR,
    PATH_DATA,
    PATH_CONF,
    NETWORK_HOST,
    HTTP_HOST,
    HTTP_PORT,
    HTTP_MAX_CONTENT_LENGTH,
    HTTP_FACE,
    HTTP_MAX_CONNECTIONS,
    HTTP_HEAD_TIMEOUT,
    HTTP_BODY_TIMEOUT,
    *DISCOVERY_SETTINGS,
    TRANSPORT_HOST,
    TRANSPORT_PORT,
    TRANSPORT_CONNECT_TIMEOUT,
    TRANSPORT_PING_SCHEDULE,
    TRANSPORT_COMPRESS,
    TRANSPORT_COMPRESSION_SCHEME,
    REMOTE_CLUSTER_SERVER_ENABLED,
    REMOTE_CLUSTER_HOST,
    REMOTE_CLUSTER_PORT,
    REMOTE_CLUSTER_ALLOW_PLAINTEXT,
    SECURITY_ENABLED,
    *AUTHENTICATION_SETTINGS,
    *AUDIT_SETTINGS,
    *SECURE_SETTINGS,
    CLUSTER_METADATA,
    AUTO_CREATE_INDEX,
    DESTRUCTIVE_REQUIRES_NAME,
    SEARCH_MAX_BUCKETS,
    SEARCH_DEFAULT_TIMEOUT,
    SEARCH_DEFAULT_ALLOW_PARTIAL,
    *CCS_SETTINGS,
    *CCR_SETTINGS,
    VERSION_NUMBER,
    ENGINE_THREADS,
)
