"""A REST request on its way to the node that holds the data, and its answer on the way back."""

from typing import Final

import msgspec

from sealane.errors import IllegalArgument

FORWARD: Final = "internal:rest/forward"


class ForwardedRequest(msgspec.Struct, frozen=True, array_like=True):
    """`path` and `query` are raw, as they came; `body` is decompressed. The headers
    that are no part of an answer travel with the task."""

    method: str
    path: bytes
    query: bytes
    content_type: str | None
    accept: str | None
    body: bytes


class ForwardedAnswer(msgspec.Struct, frozen=True, array_like=True):
    """`headers` are those beyond the usual ones. The body is there for HEAD too: its length is told."""

    status: int
    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(ForwardedRequest)
_answer_decoder = msgspec.msgpack.Decoder(ForwardedAnswer)


def encode(message: ForwardedRequest | ForwardedAnswer) -> bytes:
    return _encoder.encode(message)


def read_request(payload: bytes) -> ForwardedRequest:
    """Raises IllegalArgument for bytes that are none."""
    try:
        return _request_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error


def read_answer(payload: bytes) -> ForwardedAnswer:
    """Raises IllegalArgument for bytes that are none."""
    try:
        return _answer_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error


def _malformed(error: Exception) -> IllegalArgument:
    return IllegalArgument(f"malformed message for action [{FORWARD}]: {error}")
