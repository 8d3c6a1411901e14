"""Handshakes with Elasticsearch 8.19 and 9.x, in the first wire version of 8.19.

Sealane's own first request is this family's, with its mark inside the payload: a real node skips
it.
"""

from sealane.model.node import NodeInfo
from sealane.wire.families import sealane
from sealane.wire.families.discovery import (
    NodeHello,
    TcpHello,
    open_tcp_request,
    read_node,
    write_node,
    write_tcp_request,
)
from sealane.wire.primitives import StreamInput, StreamOutput
from sealane.wire.versions import (
    ELASTICSEARCH_RELEASE,
    ELASTICSEARCH_WIRE,
    HANDSHAKE_ELASTICSEARCH_8,
    HANDSHAKE_ELASTICSEARCH_9,
    release_of,
)

HANDSHAKE_VERSION = HANDSHAKE_ELASTICSEARCH_8
_BUILD_HASH = "sealane"
_MIN_INDEX, _MAX_INDEX = 7_000_099, 8_536_000
"""Index versions that 8.19 reads and writes."""


def tcp_request_body(
    version: int = ELASTICSEARCH_WIRE,
    *,
    frame_version: int = HANDSHAKE_VERSION,
    release: str = "",
    sealane_format: int | None = None,
) -> bytes:
    payload = StreamOutput().vint(version)
    if frame_version >= HANDSHAKE_ELASTICSEARCH_9:
        payload.string(release)
    if sealane_format is not None:
        sealane.write_mark(payload, sealane_format)
    return write_tcp_request(payload)


def read_tcp_request(body: bytes | memoryview, frame_version: int) -> TcpHello:
    """Reads an OpenSearch node's too: both begin with the version."""
    payload = open_tcp_request(body)
    if not payload.left:
        return TcpHello(version=None)
    version = payload.vint()
    release = None
    if frame_version == HANDSHAKE_ELASTICSEARCH_9 and payload.left:
        release = payload.string()
    return TcpHello(version=version, release=release, sealane_format=sealane.read_mark(payload))


def tcp_response_body(
    version: int,
    *,
    frame_version: int = HANDSHAKE_VERSION,
    release: str = "",
    sealane_format: int | None = None,
) -> bytes:
    """`sealane_format` only where the request carried a mark: a real node accepts no byte after the
    version."""
    out = StreamOutput().vint(version)
    if frame_version == HANDSHAKE_ELASTICSEARCH_9:
        out.string(release)
    if sealane_format is not None:
        sealane.write_mark(out, sealane_format)
    return out.getvalue()


def read_tcp_response(body: bytes | memoryview, frame_version: int) -> TcpHello:
    source = StreamInput(body)
    version = source.vint()
    release = source.string() if frame_version == HANDSHAKE_ELASTICSEARCH_9 else None
    mark = sealane.read_mark(source)
    source.finish("handshake response")
    return TcpHello(version=version, release=release, sealane_format=mark)


def node_response_body(node: NodeInfo, cluster_name: str) -> bytes:
    out = StreamOutput().vint(ELASTICSEARCH_RELEASE).string(_BUILD_HASH)
    write_node(out, node)
    out.vint(ELASTICSEARCH_RELEASE).vint(_MIN_INDEX).vint(_MIN_INDEX).vint(_MAX_INDEX)
    out.string(node.name).string(cluster_name)
    return out.getvalue()


def read_node_response(body: bytes | memoryview) -> NodeHello:
    source = StreamInput(body)
    release = release_of(source.vint())
    source.string()
    node = read_node(source, lambda: _read_versions(source))
    cluster_name = source.string()
    source.finish("handshake response")
    return NodeHello(node=node, cluster_name=cluster_name, cluster_uuid="", release=release)


def _read_versions(source: StreamInput) -> str:
    release = release_of(source.vint())
    for _ in ("min index", "min read-only index", "max index"):
        source.vint()
    source.string()
    return release
