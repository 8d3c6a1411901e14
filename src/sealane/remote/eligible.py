"""Which nodes of a remote cluster may be gateways. Plain decisions over plain data."""

import re

from sealane.model.node import NodeInfo, is_data_role
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


def attribute_warning(node: NodeInfo, attribute: str | None) -> str | None:
    """What to tell about a node whose attribute is neither true nor false."""
    if attribute is None:
        return None
    value = node.attributes.get(attribute)
    if value is None or value in ("true", "false"):
        return None
    return f"node [{node.name}] has [{value}] as attribute [{attribute}], which is not a boolean"
