"""The mark by which Sealane nodes know each other: bytes after the version in a TCP handshake, which
a real server skips."""

from sealane.wire.primitives import StreamInput, StreamOutput

FORMAT = 1
"""Number of the message format; both sides use the lower one."""

_MARK = b"SEAL"


def write(out: StreamOutput, number: int) -> None:
    """Elasticsearch ignores what follows the version inside the block of a request."""
    out.raw(_MARK).vint(number)


def read(source: StreamInput) -> int | None:
    """The message format of a peer that marked itself; None without a mark. Leaves foreign bytes
    unread."""
    if source.left <= len(_MARK):
        return None
    ahead = StreamInput(source.rest())
    if ahead.raw(len(_MARK)) != _MARK:
        return None
    return ahead.vint()
