"""Reaching other clusters: registered in the settings, connected by sniff or proxy mode, kept
connected, searched.
"""

from sealane.model.backoff import Backoff
from sealane.remote.address import parse_address
from sealane.remote.cluster import Change, RemoteCluster
from sealane.remote.config import Mode, ProxyConfig, RemoteConfig, SniffConfig
from sealane.remote.pins import MemoryPins, Pins, StoredPins
from sealane.remote.protocols import Dialer, NodeConnection, SettingsSource
from sealane.remote.registry import RemoteClusters
from sealane.remote.settings import REMOTE_ADVICE, REMOTE_SETTINGS, check_alias
from sealane.remote.snapshot import REMOTE_RULES, remote_configs
from sealane.remote.transport.client import RemoteClusterClient
from sealane.remote.upkeep import UpkeepStatistics

__all__ = [
    "REMOTE_ADVICE",
    "REMOTE_RULES",
    "REMOTE_SETTINGS",
    "Backoff",
    "Change",
    "Dialer",
    "MemoryPins",
    "Mode",
    "NodeConnection",
    "Pins",
    "ProxyConfig",
    "RemoteCluster",
    "RemoteClusterClient",
    "RemoteClusters",
    "RemoteConfig",
    "SettingsSource",
    "SniffConfig",
    "StoredPins",
    "UpkeepStatistics",
    "check_alias",
    "parse_address",
    "remote_configs",
]
