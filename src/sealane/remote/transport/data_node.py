"""The local cluster as a node without data searches it: the same messages as to another cluster, sent to the node that
holds the data.
"""

from collections.abc import Callable
from typing import TypeVar

from sealane.cluster.fellows import ANSWER_TIMEOUT_S, Fellows
from sealane.errors import ClusterBlock, NodeNotConnected
from sealane.model.clusters import ClusterMatch, ClusterStats, ResolveClusterRequest
from sealane.model.node import NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_match,
    decode_cluster_stats,
    encode_resolve_cluster,
)
from sealane.remote.transport.messages_phases import Phase

Q = TypeVar("Q")
A = TypeVar("A")


class DataNodeClient:
    """Sends requests to the data node. `data_node` says which it is, None before there has been one; `is_there` whether
    it can be reached now.
    """

    def __init__(
        self,
        fellows: Fellows,
        data_node: Callable[[], NodeInfo | None],
        is_there: Callable[[], bool],
    ) -> None:
        self._fellows = fellows
        self._data_node = data_node
        self._is_there = is_there

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        """Implements LocalClient. Raises what the data node raised; ClusterBlock before there has been one,
        NodeNotConnected while it is gone.
        """
        return decode_answer(await self.ask(SEARCH, encode_search(request), ctx))

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """Implements LocalClient. Raises as `search` does."""
        return phase.read_answer(await self.ask(phase.action, phase.encode(request), ctx))

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        """Implements LocalClient: the names are known to the data node only. Raises as `search` does for them."""
        if may_ask:
            await self.resolve_cluster(
                ResolveClusterRequest(expressions=request.indices, options=request.options), ctx
            )

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Implements AboutCluster. Raises as `search` does."""
        payload = encode_resolve_cluster(request)
        return decode_cluster_match(await self.ask(RESOLVE_CLUSTER, payload, ctx))

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        """Implements AboutCluster. Raises as `search` does."""
        return decode_cluster_stats(await self.ask(CLUSTER_STATS, b"", ctx))

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The data node's answer, as it came. Raises as `search` does."""
        node = self._data_node()
        if node is None:
            error = ClusterBlock(
                "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"
            )
            error.status = 503
            raise error
        if not self._is_there():
            raise NodeNotConnected(f"[{node.name}][{node.address}] Node not connected")
        return await self._fellows.ask(node, action, payload, ctx, timeout_s=ANSWER_TIMEOUT_S)
