"""What Sealane nodes of different clusters say to each other: one msgpack array a message, both
directions here.

Fields are told by their place, so one may only be appended, with a default. A search body crosses
as the JSON it was parsed from; hits cross with their sources untouched.
"""

import struct
from functools import lru_cache
from typing import TypeVar

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.query import parse_search_body
from sealane.reduce import ClusterAnswer, IdentityMemo
from sealane.reduce.partial import Partial

SEARCH = "indices:data/read/search"


class SearchMessage(msgspec.Struct, frozen=True, array_like=True):
    """A SearchRequest on the wire. `options` are the fields of IndicesOptions in their order."""

    indices: tuple[str, ...]
    body: bytes
    from_: int
    size: int
    final_reduce: bool
    options: tuple[bool, bool, bool, bool, bool]
    preference: str | None = None
    routing: tuple[str, ...] = ()
    allow_partial_results: bool | None = None
    request_cache: bool | None = None
    batched_reduce_size: int = 512
    pre_filter_shard_size: int | None = None


M = TypeVar("M")

# Made once: a decoder is compiled from its type.
_TOOK = struct.Struct(">I")
_NO_HITS = b"\x90"
"""The second byte of a partial without hits: its first field is an empty array."""
_REMEMBERED = 256
_REMEMBERED_BYTES_MAX = 65_536
_encoded: IdentityMemo[bytes] = IdentityMemo(_REMEMBERED)
_encoder = msgspec.msgpack.Encoder()
_search_decoder = msgspec.msgpack.Decoder(SearchMessage)
_partial_decoder = msgspec.msgpack.Decoder(Partial)


def encode_search(request: SearchRequest) -> bytes:
    options = request.options
    return _encoder.encode(
        SearchMessage(
            indices=request.indices,
            body=request.body.raw,
            from_=request.from_,
            size=request.size,
            final_reduce=request.final_reduce,
            options=(
                options.ignore_unavailable,
                options.allow_no_indices,
                options.expand_open,
                options.expand_closed,
                options.expand_hidden,
            ),
            preference=request.preference,
            routing=request.routing,
            allow_partial_results=request.allow_partial_results,
            request_cache=request.request_cache,
            batched_reduce_size=request.batched_reduce_size,
            pre_filter_shard_size=request.pre_filter_shard_size,
        )
    )


def decode_search(payload: bytes) -> SearchRequest:
    """Raises IllegalArgument for bytes that are no search, and what parsing its body raises."""
    message = decode(_search_decoder, payload, SEARCH)
    if message.from_ < 0 or message.size < 0:
        raise IllegalArgument(
            f"[from] and [size] must not be negative, found [{message.from_}] and [{message.size}]"
        )
    return SearchRequest(
        indices=message.indices,
        body=parse_search_body(message.body),
        from_=message.from_,
        size=message.size,
        final_reduce=message.final_reduce,
        options=IndicesOptions(*message.options),
        preference=message.preference,
        routing=message.routing,
        allow_partial_results=message.allow_partial_results,
        request_cache=message.request_cache,
        batched_reduce_size=message.batched_reduce_size,
        pre_filter_shard_size=message.pre_filter_shard_size,
    )


def search_indices(payload: bytes) -> tuple[str, ...]:
    """The expressions of an encoded search, the rest of it unread. Raises IllegalArgument."""
    return decode(_search_decoder, payload, SEARCH).indices


def encode_answer(answer: ClusterAnswer) -> bytes:
    """Milliseconds taken as four bytes, big-endian, then the partial: equal partials are equal bytes."""
    return _TOOK.pack(answer.took_ms) + _encode_partial(answer.partial)


def decode_answer(payload: bytes) -> ClusterAnswer:
    """Equal bytes of an answer without hits give the same partial. Raises IllegalArgument for bytes that are none."""
    if len(payload) < _TOOK.size:
        raise IllegalArgument(f"malformed message for action [{SEARCH}]: {len(payload)} bytes")
    (took_ms,) = _TOOK.unpack_from(payload)
    body = payload[_TOOK.size :]
    if body[1:2] == _NO_HITS and len(body) <= _REMEMBERED_BYTES_MAX:
        return ClusterAnswer(_remembered(body), took_ms)
    return ClusterAnswer(decode(_partial_decoder, body, SEARCH), took_ms)


def _encode_partial(partial: Partial) -> bytes:
    """Encodes an answer without hits once: a shard's cache hands out the same one until its next refresh."""
    if partial.hits:
        return _encoder.encode(partial)
    known = _encoded.get((partial,))
    if known is None:
        known = _encoder.encode(partial)
        if len(known) <= _REMEMBERED_BYTES_MAX:
            _encoded.put((partial,), known)
    return known


@lru_cache(maxsize=_REMEMBERED)
def _remembered(body: bytes) -> Partial:
    return decode(_partial_decoder, body, SEARCH)


def decode(decoder: msgspec.msgpack.Decoder[M], payload: bytes, action: str) -> M:
    """Raises IllegalArgument, naming the action, for bytes that are not what the decoder reads."""
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IllegalArgument(f"malformed message for action [{action}]: {error}") from error
