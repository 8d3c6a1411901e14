"""Which nodes of a remote cluster may be gateways. Plain decisions over plain data."""

import re
from ipaddress import IPv6Address, ip_address

from sealane.model.node import Address, NodeInfo, is_data_role
from sealane.wire.versions import RELEASES

_RELEASE = re.compile(r"(\d+)\.(\d+)\b")
_MASTER = "master"
_INGEST = "ingest"


def is_gateway(node: NodeInfo, attribute: str | None) -> bool:
    """Not a dedicated master, and carrying `attribute` with the value true where one is asked for."""
    if _MASTER in node.roles and not any(
        role == _INGEST or is_data_role(role) for role in node.roles
    ):
        return False
    # Anything but the exact text is no: the reference raises inside its response handler for other
    # values.
    return attribute is None or node.attributes.get(attribute) == "true"


def version_warning(node: NodeInfo, family: str) -> str | None:
    """What to tell about a node of a cluster of `family` whose release is not spoken with; None for
    one that may be tried. A cluster is of several releases while it is upgraded.
    """
    spoken, release = RELEASES.get(family), _RELEASE.match(node.version)
    if spoken is None or release is None:
        return None
    first, end = spoken
    if first <= (int(release[1]), int(release[2])) < end:
        return None
    return (
        f"node [{node.name}] has version [{node.version}], this node speaks with "
        f"[{first[0]}.{first[1]}] to [{end[0] - 1}.x]"
    )


def address_warning(node: NodeInfo, teller: Address) -> str | None:
    """What to tell about a node that is not dialled with a key where the one at `teller` says it is: at an address
    of this machine or of its link, of which another machine has no say. None for one that may be dialled.
    """
    kind = _narrow_kind(node.address.host)
    if kind is None or kind == _narrow_kind(teller.host):
        return None
    return (
        f"node [{node.name}] is said to be at the {kind} address [{node.address}] by the one at [{teller}], and is "
        "not shown the API key there"
    )


def _narrow_kind(host: str) -> str | None:
    """Of an address that means another place on each machine; None of any other, and of names."""
    try:
        ip = ip_address(host)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return _narrow_kind(str(ip.ipv4_mapped))
    kinds = {
        "unspecified": ip.is_unspecified,
        "loopback": ip.is_loopback,
        "link-local": ip.is_link_local,
        "multicast": ip.is_multicast,
    }
    return next((kind for kind, fits in kinds.items() if fits), None)


def attribute_warning(node: NodeInfo, attribute: str | None) -> str | None:
    """What to tell about a node whose attribute is neither true nor false."""
    if attribute is None:
        return None
    value = node.attributes.get(attribute)
    if value is None or value in ("true", "false"):
        return None
    return f"node [{node.name}] has [{value}] as attribute [{attribute}], which is not a boolean"
