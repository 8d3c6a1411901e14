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
    """The message format of a peer that marked itself; None without a mark. Takes all that is left:
    later releases may say more there."""
    tail = source.rest()
    if len(tail) <= len(_MARK) or not tail.startswith(_MARK):
        return None
    return StreamInput(tail, len(_MARK)).vint()
