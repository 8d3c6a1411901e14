"""What Sealane nodes of different clusters say to each other: one msgpack array a message, both
directions here.

Fields are told by their place, so one may only be appended, with a default. A search body crosses
as the JSON it was parsed from; hits cross with their sources untouched.
"""

from typing import TypeVar

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.node import NodeInfo
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.query import parse_search_body
from sealane.reduce.partial import Partial

SEARCH = "indices:data/read/search"
NODES = "cluster:internal/remote_cluster/nodes"


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
    allow_partial_results: bool = True
    request_cache: bool | None = None
    batched_reduce_size: int = 512


class NodesMessage(msgspec.Struct, frozen=True, array_like=True):
    """The nodes of a cluster that may be connected to, in any order."""

    nodes: list[NodeInfo]


M = TypeVar("M")

# Made once: a decoder is compiled from its type.
_encoder = msgspec.msgpack.Encoder()
_search_decoder = msgspec.msgpack.Decoder(SearchMessage)
_partial_decoder = msgspec.msgpack.Decoder(Partial)
_nodes_decoder = msgspec.msgpack.Decoder(NodesMessage)


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
        )
    )


def decode_search(payload: bytes) -> SearchRequest:
    """Raises IllegalArgument for bytes that are no search, and what parsing its body raises."""
    message = _decode(_search_decoder, payload, SEARCH)
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
    )


def encode_partial(partial: Partial) -> bytes:
    return _encoder.encode(partial)


def decode_partial(payload: bytes) -> Partial:
    """Raises IllegalArgument for bytes that are no partial answer."""
    return _decode(_partial_decoder, payload, SEARCH)


def encode_nodes(nodes: list[NodeInfo]) -> bytes:
    return _encoder.encode(NodesMessage(nodes))


def decode_nodes(payload: bytes) -> list[NodeInfo]:
    """Raises IllegalArgument for bytes that are no list of nodes."""
    return _decode(_nodes_decoder, payload, NODES).nodes


def _decode(decoder: msgspec.msgpack.Decoder[M], payload: bytes, action: str) -> M:
    try:
        return decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise IllegalArgument(f"malformed message for action [{action}]: {error}") from error
