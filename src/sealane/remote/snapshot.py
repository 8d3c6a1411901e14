"""What a settings snapshot says about remote clusters: which rules it breaks, and the remotes it
describes.

Everything is derived from the snapshot at hand, all scopes merged; nothing is remembered from an
earlier one.
"""

from collections.abc import Iterator
from typing import Any

from sealane.errors import ApiError, IllegalArgument
from sealane.remote.config import (
    LinkConfig,
    Mode,
    NodeConfig,
    ProxyConfig,
    RemoteConfig,
    SniffConfig,
)
from sealane.remote.settings import (
    BREAKER_FAILURES,
    BREAKER_PAUSE,
    CLUSTER_NAME,
    COMPRESS,
    COMPRESSION_SCHEME,
    INITIAL_CONNECT_TIMEOUT,
    MAX_ANSWER_SIZE,
    MAX_IN_FLIGHT_REQUESTS,
    MODE,
    NODE_ATTRIBUTE,
    NODE_CONNECTIONS,
    PING_SCHEDULE,
    PROXY_ADDRESS,
    PROXY_SOCKET_CONNECTIONS,
    SEARCH_TIMEOUT,
    SECURITY_MODEL,
    SEEDS,
    SERVER_NAME,
    SKIP_UNAVAILABLE,
    SNIFF_PROXY,
    check_alias,
)
from sealane.settings import AffixSetting, Rule, Settings
from sealane.settings.node_settings import TRANSPORT_CONNECT_TIMEOUT
from sealane.settings.tls_settings import TRANSPORT_TLS

_OF_MODE: dict[Mode, tuple[AffixSetting[Any], ...]] = {
    Mode.SNIFF: (SEEDS, SNIFF_PROXY, NODE_CONNECTIONS),
    Mode.PROXY: (PROXY_ADDRESS, PROXY_SOCKET_CONNECTIONS, SERVER_NAME),
}
_OF_ENABLED: tuple[AffixSetting[Any], ...] = (
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
)


def misleading_aliases(settings: Settings) -> Iterator[ApiError]:
    """Names that the pattern allows but that could not be used."""
    families = (MODE, *_OF_MODE[Mode.SNIFF], *_OF_MODE[Mode.PROXY], *_OF_ENABLED)
    for alias in sorted({name for family in families for name in family.namespaces(settings)}):
        try:
            check_alias(alias)
        except IllegalArgument as error:
            yield error


def keys_of_other_mode(settings: Settings) -> Iterator[ApiError]:
    """Keys that only the mode not in force understands."""
    for required, families in _OF_MODE.items():
        for family in families:
            for alias in family.namespaces(settings):
                configured = MODE.get(settings, alias)
                if family is SNIFF_PROXY and not SEEDS.is_set(settings, alias):
                    continue  # `proxies_without_seeds` tells about this one
                if configured is not required:
                    yield IllegalArgument(
                        f'Setting "{family.key(alias)}" cannot be used with the configured '
                        f'"{MODE.key(alias)}" [required={required.name}, configured={configured.name}]'
                    )


def proxies_without_seeds(settings: Settings) -> Iterator[ApiError]:
    """A dial address for seeds that are not there."""
    for alias in SNIFF_PROXY.namespaces(settings):
        if not SEEDS.is_set(settings, alias):
            yield IllegalArgument(
                f"missing required setting [{SEEDS.key(alias)}] "
                f"for setting [{SNIFF_PROXY.key(alias)}]"
            )


def options_of_disabled_remotes(settings: Settings) -> Iterator[ApiError]:
    """Options of a remote that has neither seeds nor a proxy address."""
    for family in _OF_ENABLED:
        for alias in family.namespaces(settings):
            if not _is_enabled(settings, alias):
                yield IllegalArgument(
                    f"Cannot configure setting [{family.key(alias)}] "
                    "if remote cluster is not enabled."
                )


REMOTE_RULES: tuple[Rule, ...] = (
    misleading_aliases,
    keys_of_other_mode,
    proxies_without_seeds,
    options_of_disabled_remotes,
)


def remote_configs(settings: Settings) -> dict[str, RemoteConfig]:
    """The enabled remotes by alias, in the order of their names. `settings` have passed validation."""
    aliases = {*SEEDS.namespaces(settings), *PROXY_ADDRESS.namespaces(settings)}
    return {
        alias: _config(settings, alias) for alias in sorted(aliases) if _is_enabled(settings, alias)
    }


def node_config(settings: Settings) -> NodeConfig:
    return NodeConfig(
        initial_connect_timeout=INITIAL_CONNECT_TIMEOUT.get(settings),
        gateway_attribute=NODE_ATTRIBUTE.get(settings) or None,
        security_model="certificate" if TRANSPORT_TLS.enabled.get(settings) else "none",
    )


def _is_enabled(settings: Settings, alias: str) -> bool:
    if MODE.get(settings, alias) is Mode.PROXY:
        return PROXY_ADDRESS.get(settings, alias) is not None
    return bool(SEEDS.get(settings, alias))


def _config(settings: Settings, alias: str) -> RemoteConfig:
    timeout = SEARCH_TIMEOUT.get(settings, alias)
    return RemoteConfig(
        alias=alias,
        reach=_reach(settings, alias),
        link=_link(settings, alias),
        skip_unavailable=SKIP_UNAVAILABLE.get(settings, alias),
        cluster_name=CLUSTER_NAME.get(settings, alias),
        max_in_flight_requests=MAX_IN_FLIGHT_REQUESTS.get(settings, alias),
        search_timeout_s=None if timeout.is_off else timeout.seconds,
        max_answer_bytes=MAX_ANSWER_SIZE.get(settings, alias),
        breaker_failures=BREAKER_FAILURES.get(settings, alias),
        breaker_pause_s=BREAKER_PAUSE.get(settings, alias).seconds,
        wanted_model=SECURITY_MODEL.get(settings, alias),
    )


def _reach(settings: Settings, alias: str) -> SniffConfig | ProxyConfig:
    if MODE.get(settings, alias) is Mode.SNIFF:
        return SniffConfig(
            seeds=SEEDS.get(settings, alias),
            node_connections=NODE_CONNECTIONS.get(settings, alias),
            proxy=SNIFF_PROXY.get(settings, alias),
        )
    address = PROXY_ADDRESS.get(settings, alias)
    assert address is not None, "a remote without an address is not enabled"
    return ProxyConfig(
        address=address,
        socket_connections=PROXY_SOCKET_CONNECTIONS.get(settings, alias),
        server_name=SERVER_NAME.get(settings, alias),
    )


PROBE_EVERY_S = 10.0
"""How often an idle connection is probed where no ping schedule is set. A peer that has gone silent (a stopped process,
a firewall that drops) is noticed after three probes; without them its requests would hang until TCP gives up."""


def _link(settings: Settings, alias: str) -> LinkConfig:
    ping = PING_SCHEDULE.get(settings, alias)
    return LinkConfig(
        ping_interval_s=ping.seconds if ping.seconds > 0 else PROBE_EVERY_S,
        compress=COMPRESS.get(settings, alias),
        compression_scheme=COMPRESSION_SCHEME.get(settings, alias),
        connect_timeout_s=TRANSPORT_CONNECT_TIMEOUT.get(settings).seconds,
    )
