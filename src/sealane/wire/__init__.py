"""The transport protocol's bytes: frames, handshakes, value types, errors. Pure: no I/O, no clock.

Layout with hex dumps: docs/wire-protocol.md.
"""

from sealane.wire.decoder import Event, FrameDecoder, format_bytes
from sealane.wire.errors import (
    HttpRequestReceived,
    HttpResponseReceived,
    LocalProtocolError,
    RemoteProtocolError,
    TlsReceived,
    UnsupportedVersion,
)
from sealane.wire.frame import Frame, Ping
from sealane.wire.handshake import Handshake, HandshakeResponder
from sealane.wire.primitives import StreamInput, StreamOutput

__all__ = [
    "Event",
    "Frame",
    "FrameDecoder",
    "Handshake",
    "HandshakeResponder",
    "HttpRequestReceived",
    "HttpResponseReceived",
    "LocalProtocolError",
    "Ping",
    "RemoteProtocolError",
    "StreamInput",
    "StreamOutput",
    "TlsReceived",
    "UnsupportedVersion",
    "format_bytes",
]
