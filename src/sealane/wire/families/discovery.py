"""What Elasticsearch and OpenSearch share: the action names, the first handshake's envelope, nodes
and addresses.

A node is: five strings (name, id, ephemeral id, host name, host address), an address (length, raw
bytes, host, port), attributes, roles (name, abbreviation, whether it holds data) and what each
family adds.
"""

from collections.abc import Callable
from ipaddress import ip_address

from sealane.model.node import ROLE_LETTERS, Address, NodeInfo
from sealane.wire.errors import LocalProtocolError, RemoteProtocolError
from sealane.wire.primitives import StreamInput, StreamOutput

TCP_HANDSHAKE = "internal:tcp/handshake"
"""First request on the first channel of a connection: settles the version."""
NODE_HANDSHAKE = "internal:transport/handshake"
"""Second request, on the next channel: who is there."""
KEY_HANDSHAKE = "cluster:internal/remote_cluster/handshake"
"""The same under the API-key model."""

_LETTERS = {**ROLE_LETTERS, "cluster_manager": "m"}


def write_tcp_request(payload: StreamOutput) -> bytes:
    """Body of a TCP handshake request: no parent task, then the payload as one block."""
    return StreamOutput().task_id(None).block(payload.getvalue()).getvalue()


def open_tcp_request(body: bytes | memoryview) -> StreamInput:
    """The payload of a TCP handshake request. What follows the block is an error, what is inside
    may grow."""
    source = StreamInput(body)
    source.task_id()
    payload = source.block() if source.left else b""
    source.finish("handshake request")
    return StreamInput(payload)


def node_request_body() -> bytes:
    """Body of the second handshake's request: no parent task."""
    return StreamOutput().task_id(None).getvalue()


def read_address(source: StreamInput) -> Address:
    size = source.byte()
    if size not in (4, 16):
        raise RemoteProtocolError(f"address of [{size}] bytes", source.pos - 1)
    ip = str(ip_address(source.raw(size)))
    source.string()
    port = source.int32()
    if not 0 <= port <= 65535:
        raise RemoteProtocolError(f"port out of range:[{port}]", source.pos - 4)
    return Address(ip, port)


def write_address(out: StreamOutput, address: Address) -> None:
    packed = _packed(address.host)
    out.byte(len(packed)).raw(packed).string(address.host).int32(address.port)


def _packed(host: str) -> bytes:
    try:
        return ip_address(host).packed
    except ValueError:
        raise LocalProtocolError(
            f"publish address [{host}] is a name, this peer needs an IP address"
        ) from None


def read_node(source: StreamInput, read_versions: Callable[[], str]) -> NodeInfo:
    """`read_versions` reads what its family adds and returns the node's release."""
    name, node_id, ephemeral_id = source.string(), source.string(), source.string()
    source.string()
    source.string()
    address = read_address(source)
    attributes = source.mapping(source.string, source.string)
    roles = source.array(lambda: (source.string(), source.string(), source.boolean()))
    return NodeInfo(
        id=node_id,
        ephemeral_id=ephemeral_id,
        name=name,
        address=address,
        roles=tuple(role for role, _, _ in roles),
        attributes=attributes,
        version=read_versions(),
    )


def write_node(out: StreamOutput, node: NodeInfo) -> None:
    """Everything of a node but what its family adds."""
    host = node.address.host
    out.string(node.name).string(node.id).string(node.ephemeral_id).string(host).string(host)
    write_address(out, node.address)
    out.mapping(node.attributes, out.string, out.string)
    out.array(node.roles, lambda role: _write_role(out, role))


def _write_role(out: StreamOutput, role: str) -> None:
    # Sorted by name on both sides; an unknown role shows its first letter.
    out.string(role).string(_LETTERS.get(role, role[:1])).boolean(role.startswith("data"))
