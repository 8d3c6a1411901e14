"""What clusters ask each other about themselves: one msgpack array a message, both directions here.

As in `messages`, a field may only be appended, with a default.
"""

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.clusters import ClusterMatch, ClusterStats, ResolveClusterRequest
from sealane.model.search import IndicesOptions
from sealane.remote.transport.messages import decode

RESOLVE_CLUSTER = "indices:admin/resolve/cluster"
CLUSTER_STATS = "cluster:monitor/stats/remote"


class ResolveClusterMessage(msgspec.Struct, frozen=True, array_like=True):
    """A ResolveClusterRequest on the wire. `options` are the fields of IndicesOptions in their order."""

    expressions: tuple[str, ...] | None
    options: tuple[bool, bool, bool, bool, bool]


_encoder = msgspec.msgpack.Encoder()
_resolve_decoder = msgspec.msgpack.Decoder(ResolveClusterMessage)
_stats_decoder = msgspec.msgpack.Decoder(ClusterStats)
_match_decoder = msgspec.msgpack.Decoder(ClusterMatch)


def encode_resolve_cluster(request: ResolveClusterRequest) -> bytes:
    options = request.options
    return _encoder.encode(
        ResolveClusterMessage(
            expressions=request.expressions,
            options=(
                options.ignore_unavailable,
                options.allow_no_indices,
                options.expand_open,
                options.expand_closed,
                options.expand_hidden,
            ),
        )
    )


def decode_resolve_cluster(payload: bytes) -> ResolveClusterRequest:
    """Raises IllegalArgument for bytes that are no such request."""
    message = decode(_resolve_decoder, payload, RESOLVE_CLUSTER)
    return ResolveClusterRequest(
        expressions=message.expressions, options=IndicesOptions(*message.options)
    )


def encode_cluster_match(match: ClusterMatch) -> bytes:
    return _encoder.encode(match)


def decode_cluster_match(payload: bytes) -> ClusterMatch:
    """Raises IllegalArgument for bytes that are no such answer."""
    return decode(_match_decoder, payload, RESOLVE_CLUSTER)


def decode_cluster_stats_request(payload: bytes) -> None:
    """There is nothing to say yet; what a later version says is not understood. Raises IllegalArgument."""
    if payload:
        raise IllegalArgument(f"malformed message for action [{CLUSTER_STATS}]: expected no bytes")


def encode_cluster_stats(stats: ClusterStats) -> bytes:
    return _encoder.encode(stats)


def decode_cluster_stats(payload: bytes) -> ClusterStats:
    """Raises IllegalArgument for bytes that are no such answer."""
    return decode(_stats_decoder, payload, CLUSTER_STATS)
