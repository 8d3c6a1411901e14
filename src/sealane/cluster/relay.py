"""A request that one node passes on to another node of its cluster, for a cluster that cannot reach that one itself.

The reference's proxied actions: `internal:transport/proxy/` before the action's name, and the node beside the request.
"""

from typing import Final

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.node import NodeInfo

PREFIX: Final = "internal:transport/proxy/"


class Relayed(msgspec.Struct, frozen=True, array_like=True):
    """`payload` is the request for `node` as that one reads it."""

    node: NodeInfo
    payload: bytes


def relay_action(action: str) -> str:
    """The action under which a request for `action` is sent to the node that passes it on."""
    return PREFIX + action


def encode_relayed(node: NodeInfo, payload: bytes) -> bytes:
    return msgspec.msgpack.encode(Relayed(node, payload))


def read_relayed(payload: bytes) -> Relayed:
    """Raises IllegalArgument for bytes that are no such request."""
    try:
        return msgspec.msgpack.decode(payload, type=Relayed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IllegalArgument(f"malformed message for a request to pass on: {error}") from error
