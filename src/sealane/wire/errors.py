"""What can be wrong with bytes: the other side's fault, or ours. Neither is an answer that an API
user sees."""


class RemoteProtocolError(Exception):
    """The peer sent bytes that are no message of this protocol; the connection is of no further
    use.

    `offset` counts bytes: from the start of the connection when the frame decoder raises it, from
    the start of the body when a message codec does. `reply` is what the caller should be told
    before the connection closes. `received` are the first bytes of what is no frame.
    """

    def __init__(
        self, reason: str, offset: int = 0, *, reply: bytes = b"", received: bytes = b""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.reply = reply
        self.received = received

    def __str__(self) -> str:
        return f"{self.reason} (at byte {self.offset})"


class HttpRequestReceived(RemoteProtocolError):
    """A browser or an HTTP client called the transport port."""


class HttpResponseReceived(RemoteProtocolError):
    """The address that was dialled is an HTTP port."""


class TlsReceived(RemoteProtocolError):
    """The peer speaks TLS where plain frames are expected."""


class UnsupportedVersion(RemoteProtocolError):
    """The peer speaks a version of the protocol that this side does not."""


class LocalProtocolError(Exception):
    """This side asked for something that the protocol cannot carry or that its state does not
    allow."""
