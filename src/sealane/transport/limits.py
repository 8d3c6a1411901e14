"""What a connection is made of and how much it may cost. Plain data."""

from dataclasses import dataclass

from sealane.wire.compression import Scheme

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Sizes in bytes. Above a frame limit the connection closes, above an in-flight limit a request
    answers 429."""

    frame_max_bytes: int = 100 * _MEBIBYTE
    header_max_bytes: int = _MEBIBYTE
    in_flight_max_bytes: int = 256 * _MEBIBYTE
    """Bodies of all requests that are being handled on this node."""
    receiving_max_bytes: int = 512 * _MEBIBYTE
    """Of large frames that come on accepted sockets and are not whole yet; the channel that goes beyond
    it closes. A frame that is never finished costs the peer little and this node its memory."""
    in_flight_max_requests: int = 10_000
    """Requests being handled on this node, and, the other way, waiting for an answer on one
    connection."""
    write_buffer_max_bytes: int = _MEBIBYTE
    """Above this a channel waits for its peer to read."""
    accepted_max: int = 8192
    """Sockets accepted and open; a further one is closed at once."""
    strangers_max: int = 1024
    """Those among them that have not said anything yet."""
    handshake_timeout_s: float = 30.0
    """How long an accepted socket may remain a stranger."""
    linger_s: float = 10.0
    """How long a closing channel waits for its peer to take what was written."""
    drain_s: float = 5.0
    """What requests that run get to end in when the node stops; HTTP's get the same."""


@dataclass(frozen=True, slots=True)
class ConnectionProfile:
    """How a node connection is opened: 6 channels in sniff mode, single ones in proxy mode.

    `connect_timeout_s` bounds the opening of all sockets, and again each of the two handshakes.
    """

    channels: int
    connect_timeout_s: float = 30.0
    ping_interval_s: float | None = None
    compress: Scheme | None = None
    """How requests are compressed; their answers follow them. None leaves both plain."""
    compress_only: tuple[Scheme, frozenset[str]] | None = None
    """How requests of these actions are compressed where all others are left plain."""
    first_address: int = 0
    """Which of the addresses behind a name is tried first, counted round; then the ones after it."""

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError("a connection needs at least one channel")
