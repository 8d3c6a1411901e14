"""A node that passes for a real server: it answers first handshakes as one family does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sealane.testing.network import MemoryNetwork
from sealane.wire import Frame, HandshakeResponder
from sealane.wire.families.protocol import ForeignWire
from sealane.wire.frame import HANDSHAKE, RESPONSE, encode_response_head
from tests.transport_nodes import TransportNode, two_nodes


class ForeignResponder(HandshakeResponder):
    """Does not know the mark of Sealane nodes."""

    def __init__(self, wire: ForeignWire) -> None:
        super().__init__("")
        self._wire = wire

    def answer_tcp(self, frame: Frame) -> bytes:
        body = self._wire.tcp_response_body(frame.version, None)
        status = RESPONSE | HANDSHAKE
        return encode_response_head(frame.request_id, status, frame.version, len(body)) + body


@asynccontextmanager
async def a_foreign_server(
    wire: ForeignWire, network: MemoryNetwork | None = None, **options: object
) -> AsyncIterator[tuple[TransportNode, TransportNode]]:
    """`client`, and `server` which takes it for a node of its own product."""
    async with two_nodes(network or MemoryNetwork(), **options) as (client, server):
        server.transport._dispatcher.responder = ForeignResponder(wire)
        yield client, server
