"""The settings `cluster.remote.*`, one by one: key, meaning, default, and which aliases they may
name.

The rules across them, and the remotes that a set of them describes, are in `snapshot`. What is
stored, merged and announced belongs to the cluster's settings.
"""

from collections.abc import Callable
from typing import Any

from sealane.errors import IllegalArgument
from sealane.remote.address import parse_address
from sealane.remote.config import ConfiguredAddress, Mode, Model
from sealane.remote.server_settings import SERVER_SETTINGS
from sealane.remote.signing_settings import SIGNING_SETTINGS
from sealane.settings import (
    AffixSetting,
    AnySetting,
    Setting,
    Settings,
    TimeValue,
    Value,
    as_bool,
    as_bytes,
    as_enum,
    as_int,
    as_list_of,
    as_text,
    as_time,
    value_text,
)
from sealane.settings.node_settings import (
    HTTP_FACE,
    TRANSPORT_COMPRESS,
    TRANSPORT_COMPRESSION_SCHEME,
    TRANSPORT_PING_SCHEDULE,
    Compress,
    CompressionScheme,
    Face,
    as_compress,
    as_scheme,
)

_PREFIX = "cluster.remote."
_ALIAS_MAX_LENGTH = 255
_SIGNING = "signing"
# The reference's own documentation tells users to write `cluster.remote.node.attr.gateway: true`.
_GATEWAY_ATTRIBUTE = _PREFIX + "node.attr."
_SERVER_PROFILE = "transport.profiles._remote_cluster."


def check_alias(alias: str) -> None:
    """Raises IllegalArgument for a name that the pattern allows but that could not be used or would
    mislead.

    `-` at the front means exclusion in index expressions, `_` marks the API's own words, and
    `signing` is the name of a settings group.
    """
    if alias.startswith(("-", "_")):
        raise IllegalArgument(f"cluster alias [{alias}] must not start with [-] or [_]")
    if alias == _SIGNING:
        raise IllegalArgument(f"cluster alias [{alias}] is reserved")
    if len(alias) > _ALIAS_MAX_LENGTH:
        raise IllegalArgument(
            f"cluster alias [{alias[:40]}...] is [{len(alias)}] characters long, "
            f"the limit is [{_ALIAS_MAX_LENGTH}]"
        )


def instead_of(key: str) -> str | None:
    """What to set instead of a key that the reference's documentation names, or that another
    interface has.
    """
    attribute = key.removeprefix(_GATEWAY_ATTRIBUTE)
    if attribute not in (key, ""):
        return (
            f"set [{_GATEWAY_ATTRIBUTE[:-1]}: {attribute}] here and [node.attr.{attribute}: true] "
            "on the remote's nodes"
        )
    option = key.removeprefix(_SERVER_PROFILE)
    if option not in (key, ""):
        return f"that profile is reserved, use [remote_cluster.{option}]"
    return None


def _address(value: Value, key: str) -> ConfiguredAddress:
    text = value_text(value)
    return ConfiguredAddress(text.strip(), parse_address(text))


def _optional_address(value: Value, key: str) -> ConfiguredAddress | None:
    return _address(value, key) if value else None


def _optional_model(value: Value, key: str) -> Model | None:
    text = value_text(value)
    if not text:
        return None
    try:
        return Model(text.lower())
    except ValueError:
        known = ", ".join(Model)
        raise IllegalArgument(
            f"Failed to parse value [{text}] for setting [{key}], must be one of [{known}]"
        ) from None


def _as_the_node(setting: Setting[Any]) -> Callable[[Settings, str], Value]:
    """A default that is the node's own setting."""

    def default(settings: Settings, alias: str) -> Value:
        value = setting.raw(settings)
        assert value is not None, f"[{setting.key}] has a default"
        return value

    return default


def _skips_by_default(settings: Settings, alias: str) -> Value:
    return "false" if HTTP_FACE.get(settings) is Face.OPENSEARCH else "true"


CONNECTIONS_PER_CLUSTER: Setting[int] = Setting(
    key=_PREFIX + "connections_per_cluster",
    default="3",
    parse=as_int(min=1),
    help="Gateway nodes to connect to per remote cluster in sniff mode.",
)
INITIAL_CONNECT_TIMEOUT: Setting[TimeValue] = Setting(
    key=_PREFIX + "initial_connect_timeout",
    default="30s",
    parse=as_time(min="0ms"),
    help="How long a starting node waits for its remote clusters.",
)
NODE_ATTRIBUTE: Setting[str] = Setting(
    key=_PREFIX + "node.attr",
    default="",
    parse=as_text,
    help="Only remote nodes that carry this attribute with the value true become gateways.",
)

MODE: AffixSetting[Mode] = AffixSetting(
    prefix=_PREFIX,
    suffix="mode",
    default="sniff",
    parse=as_enum(Mode, "org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy"),
    help="sniff: find gateway nodes through seeds. proxy: open sockets to one address.",
    dynamic=True,
)
SEEDS: AffixSetting[tuple[ConfiguredAddress, ...]] = AffixSetting(
    prefix=_PREFIX,
    suffix="seeds",
    default=(),
    parse=as_list_of(_address),
    help="Addresses (host:port) of remote nodes to ask for the others, tried in order.",
    dynamic=True,
)
SNIFF_PROXY: AffixSetting[ConfiguredAddress | None] = AffixSetting(
    prefix=_PREFIX,
    suffix="proxy",
    default="",
    parse=_optional_address,
    help="Address that every sniff connection is dialled to instead.",
    dynamic=True,
)
NODE_CONNECTIONS: AffixSetting[int] = AffixSetting(
    prefix=_PREFIX,
    suffix="node_connections",
    default=_as_the_node(CONNECTIONS_PER_CLUSTER),
    parse=as_int(min=1),
    help="Gateway nodes to connect to in sniff mode.",
    dynamic=True,
)
PROXY_ADDRESS: AffixSetting[ConfiguredAddress | None] = AffixSetting(
    prefix=_PREFIX,
    suffix="proxy_address",
    default="",
    parse=_optional_address,
    help="The one address (host:port) of proxy mode.",
    dynamic=True,
)
PROXY_SOCKET_CONNECTIONS: AffixSetting[int] = AffixSetting(
    prefix=_PREFIX,
    suffix="proxy_socket_connections",
    default="18",
    parse=as_int(min=1),
    help="Sockets to open in proxy mode.",
    dynamic=True,
)
SERVER_NAME: AffixSetting[str] = AffixSetting(
    prefix=_PREFIX,
    suffix="server_name",
    default="",
    parse=as_text,
    help="Server name (SNI) sent in proxy mode when TLS is on.",
    dynamic=True,
)
SKIP_UNAVAILABLE: AffixSetting[bool] = AffixSetting(
    prefix=_PREFIX,
    suffix="skip_unavailable",
    default=_skips_by_default,
    parse=as_bool,
    help="Whether a search goes on without this cluster when it fails.",
    dynamic=True,
)
PING_SCHEDULE: AffixSetting[TimeValue] = AffixSetting(
    prefix=_PREFIX,
    suffix="transport.ping_schedule",
    default=_as_the_node(TRANSPORT_PING_SCHEDULE),
    parse=as_time(),
    help="How often an idle connection is pinged; -1 is never.",
    dynamic=True,
)
COMPRESS: AffixSetting[Compress] = AffixSetting(
    prefix=_PREFIX,
    suffix="transport.compress",
    default=_as_the_node(TRANSPORT_COMPRESS),
    parse=as_compress,
    help="What is compressed on the way to this cluster: true, indexing_data, false.",
    dynamic=True,
)
COMPRESSION_SCHEME: AffixSetting[CompressionScheme] = AffixSetting(
    prefix=_PREFIX,
    suffix="transport.compression_scheme",
    default=_as_the_node(TRANSPORT_COMPRESSION_SCHEME),
    parse=as_scheme,
    help="How it is compressed: lz4, deflate.",
    dynamic=True,
)
CLUSTER_NAME: AffixSetting[str] = AffixSetting(
    prefix=_PREFIX,
    suffix="cluster_name",
    default="",
    parse=as_text,
    help="The name that the remote cluster must have; another one is refused.",
    dynamic=True,
)
MAX_IN_FLIGHT_REQUESTS: AffixSetting[int] = AffixSetting(
    prefix=_PREFIX,
    suffix="max_in_flight_requests",
    default="1000",
    parse=as_int(min=1),
    help="Requests to this cluster that may be under way at once; further ones answer 429.",
    dynamic=True,
)
SEARCH_TIMEOUT: AffixSetting[TimeValue] = AffixSetting(
    prefix=_PREFIX,
    suffix="search_timeout",
    default="-1",
    parse=as_time(),
    help="How long a search may take on this cluster; what it has found by then is taken, as with the timeout of a "
    "search. -1 is as long as it takes.",
    dynamic=True,
)
MAX_ANSWER_SIZE: AffixSetting[int] = AffixSetting(
    prefix=_PREFIX,
    suffix="max_answer_size",
    default="100mb",
    parse=as_bytes(min=0, max=2**40),
    help="The largest answer to a search that is taken from this cluster; it fails there where one is larger.",
    dynamic=True,
)
BREAKER_FAILURES: AffixSetting[int] = AffixSetting(
    prefix=_PREFIX,
    suffix="breaker.failures",
    default="5",
    parse=as_int(min=0),
    help="Requests in a row that break or time out before this cluster is not asked for a while; 0 asks on.",
    dynamic=True,
)
BREAKER_PAUSE: AffixSetting[TimeValue] = AffixSetting(
    prefix=_PREFIX,
    suffix="breaker.pause",
    default="10s",
    parse=as_time(min="0ms"),
    help="How long a cluster that keeps failing is not asked. A new connection to it ends the pause.",
    dynamic=True,
)
SECURITY_MODEL: AffixSetting[Model | None] = AffixSetting(
    prefix=_PREFIX,
    suffix="security_model",
    default="",
    parse=_optional_model,
    help="api_key: a key in the keystore is demanded. certificate: one there is not used. Not set: a key is used "
    "where there is one.",
    dynamic=True,
)
CREDENTIALS: AffixSetting[str] = AffixSetting(
    prefix=_PREFIX,
    suffix="credentials",
    default=None,
    parse=as_text,
    help="Cross-cluster API key; in the keystore only.",
    secret=True,
    secure=True,
)

REMOTE_SETTINGS: tuple[AnySetting, ...] = (
    CONNECTIONS_PER_CLUSTER,
    INITIAL_CONNECT_TIMEOUT,
    NODE_ATTRIBUTE,
    MODE,
    SEEDS,
    SNIFF_PROXY,
    NODE_CONNECTIONS,
    PROXY_ADDRESS,
    PROXY_SOCKET_CONNECTIONS,
    SERVER_NAME,
    SKIP_UNAVAILABLE,
    PING_SCHEDULE,
    COMPRESS,
    COMPRESSION_SCHEME,
    CLUSTER_NAME,
    MAX_IN_FLIGHT_REQUESTS,
    SEARCH_TIMEOUT,
    MAX_ANSWER_SIZE,
    BREAKER_FAILURES,
    BREAKER_PAUSE,
    SECURITY_MODEL,
    CREDENTIALS,
    *SERVER_SETTINGS,
    *SIGNING_SETTINGS,
)
"""All of them, for the registry of settings; `snapshot.REMOTE_RULES` and REMOTE_ADVICE go with
them.
"""
REMOTE_ADVICE = (instead_of,)
