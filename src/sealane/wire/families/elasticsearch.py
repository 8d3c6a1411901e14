"""Elasticsearch 8.19 and 9.x, in the first wire version of 8.19: handshakes and the list of nodes.

Sealane's own first request is this family's, with its mark inside the payload: a real node skips
it.
"""

from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.families import marks
from sealane.wire.families.discovery import (
    open_tcp_request,
    read_node,
    write_node,
)
from sealane.wire.families.foreign import ForeignFamily, cancel_child_request
from sealane.wire.families.protocol import (
    Membership,
    NodeHello,
    TcpHello,
)
from sealane.wire.families.states import StateAction
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import (
    ELASTICSEARCH_RELEASE,
    ELASTICSEARCH_WIRE,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_ELASTICSEARCH_9,
    FamilyName,
    release_of,
)

REMOTE_NODES = "cluster:internal/remote_cluster/nodes"
_BUILD_HASH = "sealane"
_MIN_INDEX, _MAX_INDEX = 7_000_099, 8_536_000
"""Index versions that 8.19 reads and writes."""
_STATE_OPTIONS = (0, 2, 7)
"""Of indices, as real nodes send them: unavailable, empty wildcards and selectors are allowed."""


class RemoteNodes:
    """The nodes that another cluster may connect to. The request says whether only those count that
    answer callers with a key; who asks so in another way than with one is told of none."""

    action = REMOTE_NODES

    def request(self, *, by_key: bool = False) -> bytes:
        return StreamOutput().boolean(by_key).getvalue()

    def read_request(self, payload: bytes) -> bool:
        source = StreamInput(payload)
        only_key_servers = source.boolean()
        source.finish("request for nodes")
        return not only_key_servers

    def response(self, members: Membership) -> bytes:
        out = StreamOutput()
        return out.array(members.nodes, lambda node: write_full_node(out, node)).getvalue()

    def read_response(self, payload: bytes) -> list[NodeInfo]:
        source = StreamInput(payload)
        nodes = source.array(lambda: read_full_node(source))
        source.finish("list of nodes")
        return nodes


class ElasticsearchWire(ForeignFamily):
    """A ForeignWire."""

    name: FamilyName = "elasticsearch"
    product = "Elasticsearch"
    version = ELASTICSEARCH_WIRE
    handshake_version = HANDSHAKE_ELASTICSEARCH_8

    def __init__(self) -> None:
        state = StateAction(
            later=True,
            options=_STATE_OPTIONS,
            read_node=read_full_node,
            write_node=write_full_node,
        )
        super().__init__(RemoteNodes(), state=state)

    def read_tcp_response(self, body: bytes | memoryview, frame_version: int) -> TcpHello:
        source = StreamInput(body)
        version = source.vint()
        release = source.string() if frame_version == HANDSHAKE_ELASTICSEARCH_9 else None
        return TcpHello(version=version, release=release, sealane_format=marks.read(source))

    def tcp_response_body(self, frame_version: int, sealane_format: int | None) -> bytes:
        """The mark only where the request carried one: a real node accepts no byte after the
        version."""
        out = StreamOutput().vint(self.version)
        if frame_version == HANDSHAKE_ELASTICSEARCH_9:
            out.string(release_of(ELASTICSEARCH_RELEASE))
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
        out = StreamOutput().vint(ELASTICSEARCH_RELEASE).string(_BUILD_HASH)
        write_full_node(out, node)
        return out.string(cluster.name).getvalue()

    def read_node_response(self, body: bytes | memoryview) -> NodeHello:
        source = StreamInput(body)
        release = release_of(source.vint())
        source.string()
        node = read_full_node(source)
        cluster_name = source.string()
        source.finish("handshake response")
        return NodeHello(node=node, cluster_name=cluster_name, cluster_uuid="", release=release)

    def cancel_requests(
        self, parent: tuple[str, int], request_id: int, *, banned: str | None = None
    ) -> list[tuple[str, bytes]]:
        return [cancel_child_request(parent, request_id)]


def read_tcp_request(body: bytes | memoryview, frame_version: int) -> TcpHello:
    """Reads an OpenSearch node's too: both begin with the version."""
    payload = open_tcp_request(body)
    if not payload.left:
        return TcpHello(version=None)
    version = payload.vint()
    release = None
    if frame_version == HANDSHAKE_ELASTICSEARCH_9 and payload.left:
        release = payload.string()
    return TcpHello(version=version, release=release, sealane_format=marks.read(payload))


def write_full_node(out: StreamOutput, node: NodeInfo) -> StreamOutput:
    """A node of ours as one of Elasticsearch: with the release that is claimed, and its name again."""
    write_node(out, node)
    out.vint(ELASTICSEARCH_RELEASE).vint(_MIN_INDEX).vint(_MIN_INDEX).vint(_MAX_INDEX)
    return out.string(node.name)


def read_full_node(source: StreamInput) -> NodeInfo:
    return read_node(source, lambda: _read_versions(source))


def _read_versions(source: StreamInput) -> str:
    release = release_of(source.vint())
    for _ in ("min index", "min read-only index", "max index"):
        source.vint()
    source.string()
    return release


ELASTICSEARCH = ElasticsearchWire()
