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

_WAYS_OUT: Final = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)
"""Addresses that are nobody's, for examples: whatever lies outside is reached the same way."""

Hosts = Setting[tuple[str, ...]]


def given_hosts(settings: Settings, setting: Hosts) -> Sequence[str]:
    """What `setting`, or `network.host` where it is not set, says; without both the loopback addresses."""
    return setting.get(settings) or keys.NETWORK_HOST.get(settings) or ("_local_",)


def said_by(settings: Settings, setting: Hosts) -> str:
    """The key of the setting that they come from, for those who are told that something is wrong with them."""
    return keys.NETWORK_HOST.key if not setting.get(settings) else setting.key


def bind_hosts(settings: Settings, setting: Hosts) -> list[str]:
    """The IP addresses to listen on, each once. Raises StartError for a name that does not resolve."""
    key = said_by(settings, setting)
    found = [each for host in given_hosts(settings, setting) for each in _addresses(key, host)]
    return list(dict.fromkeys(found))


def resolved(key: str, host: str) -> list[str]:
    """The IP addresses of a host that the setting of that key names. Raises StartError for a name that does not
    resolve.
    """
    return _addresses(key, host)


def ports_to_try(configured: int, bound: Sequence[Address]) -> Sequence[int]:
    """The ports for the next address, in this order. With 0 it is that of the first address, where it is free on
    this one too.
    """
    return (bound[0].port, 0) if bound and not configured else (configured,)


def preferred(bound: Sequence[Address]) -> Address:
    """The one that is published unless a setting says another: IPv4 before IPv6, as the reference."""
    return min(bound, key=lambda address: ":" in address.host)


def publish_host(host: str) -> str:
    """A host as others are told it: where a keyword stands for several addresses the preferred one, and for all
    addresses of the machine the one by which it reaches others.
    """
    known = _KEYWORDS.get(host)
    if known:
        return preferred([Address(each, 0) for each in known]).host
    if not is_wildcard(host):
        return host
    found = own_addresses()
    return found[0] if found else "127.0.0.1"


def is_wildcard(host: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def own_addresses() -> list[str]:
    """The addresses that this machine has on its way to others, IPv4 first; none where it is on its own."""
    return [found for way in _WAYS_OUT if (found := _address_towards(*way)) is not None]


def _address_towards(family: socket.AddressFamily, there: str) -> str | None:
    """Nothing is sent: the system only chooses the way."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


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
