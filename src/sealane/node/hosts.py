"""Which addresses a node listens on, and which of them others are told.

Several are allowed, as `[a, b]`, as a name with several addresses, and as `_local_`, which is the machine's loopback
addresses.
"""

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from sealane.model.node import Address
from sealane.node.start_error import StartError
from sealane.settings import Setting, Settings
from sealane.settings import node_settings as keys

_LOOPBACK: Final = ("::1", "127.0.0.1")
"""In the reference's order, which shows in `bound_address`."""
_KEYWORDS: Final = {
    "_local_": _LOOPBACK,
    "_local:ipv4_": ("127.0.0.1",),
    "_local:ipv6_": ("::1",),
}

Hosts = Setting[tuple[str, ...]]


def given_hosts(settings: Settings, setting: Hosts) -> Sequence[str]:
    """What `setting`, or `network.host` where it is not set, says; without both the loopback addresses."""
    return setting.get(settings) or keys.NETWORK_HOST.get(settings) or ("_local_",)


def bind_hosts(settings: Settings, setting: Hosts) -> list[str]:
    """The IP addresses to listen on, each once. Raises StartError for a name that does not resolve."""
    found = [
        each for host in given_hosts(settings, setting) for each in _addresses(setting.key, host)
    ]
    return list(dict.fromkeys(found))


def resolved(setting: Hosts, host: str) -> list[str]:
    """The IP addresses of one of its hosts. Raises StartError for a name that does not resolve."""
    return _addresses(setting.key, host)


def ports_to_try(configured: int, bound: Sequence[Address]) -> Sequence[int]:
    """The ports for the next address, in this order. With 0 it is that of the first address, where it is free on
    this one too.
    """
    return (bound[0].port, 0) if bound and not configured else (configured,)


def preferred(bound: Sequence[Address]) -> Address:
    """The one that is published unless a setting says another: IPv4 before IPv6, as the reference."""
    return min(bound, key=lambda address: ":" in address.host)


def publish_host(host: str) -> str:
    """A host as others are told it, where a keyword stands for several the preferred one."""
    known = _KEYWORDS.get(host)
    return preferred([Address(each, 0) for each in known]).host if known else host


def _addresses(key: str, host: str) -> list[str]:
    """Of a name or keyword those that this machine has; an address stands for itself."""
    known = _KEYWORDS.get(host)
    if known is None:
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        known = _lookup(key, host)
    return [each for each in known if each != "::1" or _has_ipv6_loopback()] or list(known)


def _lookup(key: str, host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StartError(f"[{key}]: cannot resolve [{host}]: {why}") from error
    return tuple(str(entry[4][0]) for entry in found)


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
