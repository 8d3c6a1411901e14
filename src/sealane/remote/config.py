"""One registered remote cluster as the settings in force describe it. Plain data, derived anew from
each snapshot.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from sealane.model.node import Address
from sealane.settings import TimeValue
from sealane.settings.node_settings import Compress, CompressionScheme


class Mode(StrEnum):
    SNIFF = "sniff"
    PROXY = "proxy"


class Model(StrEnum):
    """How this node shows a remote cluster who it is."""

    API_KEY = "api_key"
    CERTIFICATE = "certificate"
    """By that of its transport, or not at all where that speaks no TLS."""


@dataclass(frozen=True, slots=True)
class ConfiguredAddress:
    """An address with the text it was configured as, which is what `_remote/info` shows."""

    text: str
    address: Address

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class SniffConfig:
    seeds: tuple[ConfiguredAddress, ...]
    node_connections: int
    proxy: ConfiguredAddress | None = None
    """Every connection is dialled here instead; the node it reaches is still checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    address: ConfiguredAddress
    socket_connections: int
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkConfig:
    """How each connection of a remote behaves."""

    ping_interval_s: float | None
    compress: Compress
    compression_scheme: CompressionScheme
    connect_timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteConfig:
    """An enabled remote cluster."""

    alias: str
    reach: SniffConfig | ProxyConfig
    link: LinkConfig
    skip_unavailable: bool
    cluster_name: str = ""
    """The name that the cluster must have; empty for any."""
    max_in_flight_requests: int = 1000
    search_timeout_s: float | None = None
    """How long a search may take there; None as long as it takes."""
    max_answer_bytes: int = 100 * 1024 * 1024
    """The largest answer to a search that is taken from there."""
    breaker_failures: int = 5
    """Failures in a row after which the remote is not asked for `breaker_pause_s`; 0 asks on."""
    breaker_pause_s: float = 10.0
    wanted_model: Model | None = None
    """How this node shows who it is, where the settings say so; else it depends on the keystore."""
    model: Model = Model.CERTIFICATE
    """How it does."""
    key_digest: str | None = None
    """Of the key in force; another one needs other connections."""

    @property
    def mode(self) -> Mode:
        return Mode.SNIFF if isinstance(self.reach, SniffConfig) else Mode.PROXY

    def connection_key(self) -> Hashable:
        """Equal for two configurations that the same open connections serve.

        The order of seeds, `skip_unavailable` and what limits requests are not part of it, so changing
        them leaves the connections alone.
        """
        security = (self.model, self.key_digest)
        if isinstance(self.reach, ProxyConfig):
            return (self.reach, self.link, self.cluster_name, security)
        seeds = frozenset(Counter(seed.address for seed in self.reach.seeds).items())
        return (
            seeds,
            self.reach.node_connections,
            self.reach.proxy,
            self.link,
            self.cluster_name,
            security,
        )

    @property
    def addresses(self) -> str:
        """Where the remote is reached, as one text whose order says nothing."""
        if isinstance(self.reach, ProxyConfig):
            return f"{self.reach.address.address} {self.reach.server_name}".strip()
        seeds = sorted({str(seed.address) for seed in self.reach.seeds})
        through = f" by {self.reach.proxy.address}" if self.reach.proxy else ""
        return ",".join(seeds) + through


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """What this node's own settings say about all remotes."""

    initial_connect_timeout: TimeValue
    gateway_attribute: str | None
    security_model: str = "none"
    """What stands between this node and remotes without an API key: `none` or `certificate`."""
