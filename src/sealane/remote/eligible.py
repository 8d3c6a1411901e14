"""Which nodes of a remote cluster may be gateways. Plain decisions over plain data."""

from sealane.model.node import NodeInfo

_MASTER = "master"
_INGEST = "ingest"


def is_gateway(node: NodeInfo, attribute: str | None) -> bool:
    """Not a dedicated master, and carrying `attribute` with the value true where one is asked for."""
    if _MASTER in node.roles and not (_holds_data(node) or _INGEST in node.roles):
        return False
    # Anything but the exact text is no: the reference raises inside its response handler for other
    # values.
    return attribute is None or node.attributes.get(attribute) == "true"


def attribute_warning(node: NodeInfo, attribute: str | None) -> str | None:
    """What to tell about a node whose attribute is neither true nor false."""
    if attribute is None:
        return None
    value = node.attributes.get(attribute)
    if value is None or value in ("true", "false"):
        return None
    return f"node [{node.name}] has [{value}] as attribute [{attribute}], which is not a boolean"


def _holds_data(node: NodeInfo) -> bool:
    return any(role == "data" or role.startswith("data_") for role in node.roles)
