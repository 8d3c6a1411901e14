"""One remote cluster as `search` sees it: a request goes to the gateway whose turn it is, one frame
there, one back.
"""

from dataclasses import replace

from sealane.errors import IllegalArgument, NodeClosed
from sealane.model.clusters import ClusterMatch, ClusterStats, ProductVersion, ResolveClusterRequest
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.cluster import RemoteCluster
from sealane.remote.protocols import NATIVE_FAMILY, NodeConnection
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_match,
    decode_cluster_stats,
    encode_resolve_cluster,
)

_CLOSING_MAX = 2
"""Gateways that may be about to stop before a request gives up: a cluster restarts node by node."""


class RemoteClusterClient:
    """Sends requests to the cluster registered under one alias."""

    def __init__(self, alias: str, cluster: RemoteCluster) -> None:
        self._alias = alias
        self._cluster = cluster

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """The remote's answer, final or as partials as the request says.

        Raises the error that the remote raised; ConnectTransport, NoSeedNodeLeft, IllegalState or
        Rejected when no connection could be had; NodeDisconnected when it broke on the way;
        IllegalArgument where the remote is of a product that cannot be searched over the transport
        protocol.
        """
        with self._cluster.request():
            connection = await self._cluster.connection(ctx)
            if connection.family != NATIVE_FAMILY:
                raise IllegalArgument(self._unsupported("searching", connection))
            there = replace(ctx, local_alias=self._alias)
            return decode_answer(await self._ask(connection, SEARCH, encode_search(request), there))

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Whether the expressions lead to an index there. A cluster that is not connected is not
        waited for.

        Raises as `search` does, but for a remote of another product: that is in the answer.
        """
        with self._cluster.request():
            connection = await self._cluster.connection(ctx, may_wait=False)
            if connection.family != NATIVE_FAMILY:
                asked = request.expressions is not None
                return ClusterMatch(
                    matches=None,
                    version=ProductVersion(connection.node.version),
                    unasked=self._unsupported("resolving indices of", connection)
                    if asked
                    else None,
                )
            there = replace(ctx, local_alias=self._alias)
            payload = encode_resolve_cluster(request)
            return decode_cluster_match(
                await self._ask(connection, RESOLVE_CLUSTER, payload, there)
            )

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        """How large the cluster is and how it fares. One that is not connected is not waited for.
        Raises as `search` does.
        """
        with self._cluster.request():
            connection = await self._cluster.connection(ctx, may_wait=False)
            if connection.family != NATIVE_FAMILY:
                raise IllegalArgument(self._unsupported("asking for the statistics of", connection))
            there = replace(ctx, local_alias=self._alias)
            return decode_cluster_stats(await self._ask(connection, CLUSTER_STATS, b"", there))

    async def _ask(
        self, connection: NodeConnection, action: str, payload: bytes, ctx: Context
    ) -> bytes:
        """The answer of this gateway, or of the next where it is about to stop: then it has not
        begun the request."""
        for _ in range(_CLOSING_MAX):
            try:
                return await connection.request(action, payload, ctx)
            except NodeClosed:
                connection = await self._cluster.connection(ctx, may_wait=False)
        return await connection.request(action, payload, ctx)

    def _unsupported(self, what: str, connection: NodeConnection) -> str:
        product = connection.wire.product
        return (
            f"{what} remote cluster [{self._alias}] of product [{product}] over the transport protocol "
            "is not supported yet by this version"
        )
