"""Whether a node asks who its callers are, and what must hold where it does not, or not well enough.

On loopback addresses a node may run without security, which is what it does unless told otherwise. A node that other
machines can reach never does: there security is on by default, and what would send secrets in clear is refused.
"""

import ipaddress
import logging
from typing import Final

from sealane.node.hosts import given_hosts, resolved, said_by
from sealane.node.start_error import StartError
from sealane.remote.server_settings import BIND_HOST as REMOTE_BIND_HOST
from sealane.settings import Setting, Settings
from sealane.settings import node_settings as keys
from sealane.settings.tls_settings import (
    HTTP_TLS,
    REMOTE_SERVER_TLS,
    TRANSPORT_TLS,
    ClientAuthentication,
)

_log = logging.getLogger("sealane.security")

_HOSTS: Final = (keys.HTTP_HOST, keys.TRANSPORT_HOST)


def has_security(settings: Settings) -> bool:
    """Raises StartError for a host that does not resolve."""
    if keys.SECURITY_ENABLED.is_set(settings):
        return keys.SECURITY_ENABLED.get(settings)
    return is_exposed(settings)


def is_exposed(settings: Settings) -> bool:
    """Whether other machines can reach the node's ports. Raises StartError for a host that does not resolve."""
    return any(_exposed(settings, each) for each in _HOSTS)


def check_remote_server(settings: Settings) -> None:
    """Raises StartError for a node that is to let remote clusters in by a key, and has no security: to be said before
    anybody makes certificates for that port.
    """
    if keys.REMOTE_CLUSTER_SERVER_ENABLED.get(settings) and not has_security(settings):
        raise StartError(
            f"[{keys.REMOTE_CLUSTER_SERVER_ENABLED.key}] is [true], but this node has no security: its port for remote "
            "clusters admits callers by their API keys, which only a node with security has; set "
            f"[{keys.SECURITY_ENABLED.key}] to [true]"
        )


def check_security(settings: Settings) -> None:
    """Raises StartError for settings that would leave the node, or secrets on their way, open to others."""
    if not has_security(settings):
        for each in _HOSTS:
            _require_loopback(settings, each)
        return
    if _exposed(settings, keys.TRANSPORT_HOST) and not TRANSPORT_TLS.enabled.get(settings):
        raise StartError(
            f"[{keys.TRANSPORT_HOST.key}] is reachable from other machines, and nodes are known by their certificates "
            f"alone: set [{TRANSPORT_TLS.enabled.key}] to [true], with a key and certificate (where neither this nor "
            f"[{keys.SECURITY_ENABLED.key}] is set, the first start makes them)"
        )
    if _exposed(settings, keys.TRANSPORT_HOST):
        _check_nodes_show_certificates(settings)
    serves_remotes = keys.REMOTE_CLUSTER_SERVER_ENABLED.get(settings)
    if serves_remotes and not REMOTE_SERVER_TLS.enabled.get(settings):
        _check_plain_keys(settings)
    if _exposed(settings, keys.HTTP_HOST) and not HTTP_TLS.enabled.get(settings):
        _log.warning(
            "passwords and keys reach this node in clear: [%s] is [false] and [%s] is no loopback address",
            HTTP_TLS.enabled.key,
            keys.HTTP_HOST.key,
        )


def _check_nodes_show_certificates(settings: Settings) -> None:
    """Raises StartError where whoever reaches the transport's port would be taken for a node."""
    asked = TRANSPORT_TLS.client_authentication
    if asked.get(settings) is not ClientAuthentication.REQUIRED:
        raise StartError(
            f"[{asked.key}] is [{asked.get(settings)}], but [{keys.TRANSPORT_HOST.key}] is reachable from other "
            "machines, and nodes are known by their certificates alone: set it to [required]"
        )


def _check_plain_keys(settings: Settings) -> None:
    """Raises StartError where keys would cross a network in clear without anybody having allowed it."""
    exposed = _exposed(settings, REMOTE_BIND_HOST)
    if exposed and not keys.REMOTE_CLUSTER_ALLOW_PLAINTEXT.get(settings):
        raise StartError(
            f"[{REMOTE_SERVER_TLS.enabled.key}] is [false], and [{_said(settings).key}] is reachable from "
            f"other machines: API keys would cross the network in clear. Set it to [true], or "
            f"[{keys.REMOTE_CLUSTER_ALLOW_PLAINTEXT.key}] to [true] where something else encrypts the way"
        )


def _said(settings: Settings) -> Setting[tuple[str, ...]]:
    """The setting that says where the port for remote clusters listens."""
    return REMOTE_BIND_HOST if REMOTE_BIND_HOST.is_set(settings) else keys.REMOTE_CLUSTER_HOST


def _exposed(settings: Settings, setting: Setting[tuple[str, ...]]) -> bool:
    key = said_by(settings, setting)
    return any(_is_exposed(key, host) for host in given_hosts(settings, setting))


def _is_exposed(key: str, host: str) -> bool:
    found = resolved(key, host)
    return not all(ipaddress.ip_address(each).is_loopback for each in found)


def _require_loopback(settings: Settings, setting: Setting[tuple[str, ...]]) -> None:
    key = said_by(settings, setting)
    for host in given_hosts(settings, setting):
        if _is_exposed(key, host):
            raise StartError(
                f"[{key}]: [{host}] is not a loopback address, and without security a node listens on those "
                f"only: set [{keys.SECURITY_ENABLED.key}] to [true]"
            )
