"""Handshakes with OpenSearch 2.19 and 3.x, in the wire version of 2.19.0."""

import msgspec

from sealane.model.node import NodeInfo
from sealane.wire.families.discovery import (
    NodeHello,
    TcpHello,
    read_node,
    write_node,
    write_tcp_request,
)
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import HANDSHAKE_OPENSEARCH_2, OPENSEARCH_WIRE, release_of

HANDSHAKE_VERSION = HANDSHAKE_OPENSEARCH_2
_MANAGER, _MASTER = "cluster_manager", "master"
"""Its word for the role, and the one that the rest of the program uses."""


def tcp_request_body(version: int = OPENSEARCH_WIRE) -> bytes:
    return write_tcp_request(StreamOutput().vint(version))


def tcp_response_body(version: int = OPENSEARCH_WIRE) -> bytes:
    return StreamOutput().vint(version).getvalue()


def read_tcp_response(body: bytes | memoryview) -> TcpHello:
    source = StreamInput(body)
    version = source.vint()
    source.finish("handshake response")
    return TcpHello(version=version)


def node_response_body(node: NodeInfo, cluster_name: str) -> bytes:
    out = StreamOutput().boolean(True)
    write_node(out, msgspec.structs.replace(node, roles=_renamed(node.roles, _MASTER, _MANAGER)))
    return out.vint(OPENSEARCH_WIRE).string(cluster_name).vint(OPENSEARCH_WIRE).getvalue()


def read_node_response(body: bytes | memoryview) -> NodeHello | None:
    """None when the peer does not say which node it is."""
    source = StreamInput(body)
    node = source.optional(lambda: read_node(source, lambda: release_of(source.vint())))
    cluster_name, version = source.string(), source.vint()
    source.finish("handshake response")
    if node is None:
        return None
    release = release_of(version)
    node = msgspec.structs.replace(node, roles=_renamed(node.roles, _MANAGER, _MASTER))
    return NodeHello(node=node, cluster_name=cluster_name, cluster_uuid="", release=release)


def _renamed(roles: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if role == old else role for role in roles)
