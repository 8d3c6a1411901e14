"""OpenSearch 2.19 and 3.x, in the wire version of 2.19.0: handshakes and the list of nodes."""

import msgspec

from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.compression import Scheme
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families import marks
from sealane.wire.families.discovery import read_node, write_node
from sealane.wire.families.foreign import ForeignFamily, ban_request, lift_ban_request
from sealane.wire.families.protocol import NodeHello, TcpHello
from sealane.wire.families.states import StateAction
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import (
    HANDSHAKE_OPENSEARCH_2,
    OPENSEARCH_WIRE,
    FamilyName,
    release_of,
)

_MANAGER, _MASTER = "cluster_manager", "master"
"""Its word for the role, and the one that the rest of the program uses."""
_STATE_OPTIONS = (0, 2)
"""Of indices, as real nodes send them: unavailable and empty wildcards are allowed."""


class OpenSearchWire(ForeignFamily):
    """A ForeignWire."""

    name: FamilyName = "opensearch"
    product = "OpenSearch"
    version = OPENSEARCH_WIRE
    handshake_version = HANDSHAKE_OPENSEARCH_2

    def __init__(self) -> None:
        state = StateAction(
            later=False,
            options=_STATE_OPTIONS,
            read_node=read_full_node,
            write_node=write_full_node,
        )
        super().__init__(state=state)

    def scheme(self, wanted: Scheme | None) -> Scheme | None:
        """Deflate is all it reads."""
        return None if wanted is None else "deflate"

    def read_tcp_response(self, body: bytes | memoryview, frame_version: int) -> TcpHello:
        source = StreamInput(body)
        version = source.vint()
        return TcpHello(version=version, sealane_format=marks.read(source))

    def tcp_response_body(self, frame_version: int, sealane_format: int | None) -> bytes:
        out = StreamOutput().vint(self.version)
        if sealane_format is not None:
            marks.write(out, sealane_format)
        return out.getvalue()

    def node_response_body(
        self,
        node: NodeInfo,
        cluster: ClusterIdentity,
        release: str,
        key_expires_ms: int | None = None,
    ) -> bytes:
        out = StreamOutput().boolean(True)
        write_full_node(out, node)
        return out.string(cluster.name).vint(self.version).getvalue()

    def read_node_response(self, body: bytes | memoryview) -> NodeHello:
        source = StreamInput(body)
        node = source.optional(lambda: read_full_node(source))
        cluster_name, version = source.string(), source.vint()
        source.finish("handshake response")
        if node is None:
            raise RemoteProtocolError("the peer does not say which node it is")
        return NodeHello(
            node=node, cluster_name=cluster_name, cluster_uuid="", release=release_of(version)
        )

    def cancel_requests(
        self, parent: tuple[str, int], request_id: int, *, banned: str | None = None
    ) -> list[tuple[str, bytes]]:
        # It knows no request by its id: whatever else runs there for the same task stops too. The
        # ban is lifted at once, for what it is to stop runs already.
        return [ban_request(parent), lift_ban_request(parent)]


def write_full_node(out: StreamOutput, node: NodeInfo) -> StreamOutput:
    """A node of ours as one of OpenSearch."""
    write_node(out, msgspec.structs.replace(node, roles=_renamed(node.roles, _MASTER, _MANAGER)))
    return out.vint(OPENSEARCH_WIRE)


def read_full_node(source: StreamInput) -> NodeInfo:
    node = read_node(source, lambda: release_of(source.vint()))
    return msgspec.structs.replace(node, roles=_renamed(node.roles, _MANAGER, _MASTER))


def _renamed(roles: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if role == old else role for role in roles)


OPENSEARCH = OpenSearchWire()
