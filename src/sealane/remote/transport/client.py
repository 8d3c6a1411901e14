"""One remote cluster as `search` sees it: a request goes to the gateway whose turn it is, one frame
there, one back.
"""

from dataclasses import replace
from typing import TypeVar

from sealane.errors import ActionNotFound, CircuitBreaking, IllegalArgument, NodeClosed
from sealane.model.clusters import ClusterMatch, ClusterStats, ProductVersion, ResolveClusterRequest
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.remote.cluster import RemoteCluster
from sealane.remote.protocols import NATIVE_FAMILY, NodeConnection
from sealane.remote.transport.believed import check_search, check_step
from sealane.remote.transport.messages import SEARCH, decode_answer, encode_search
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_match,
    decode_cluster_stats,
    encode_resolve_cluster,
)
from sealane.remote.transport.messages_phases import FREE, Phase

Q = TypeVar("Q")
A = TypeVar("A")

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
        protocol; CircuitBreaking where its answer is larger than `max_answer_size`.
        """
        with self._cluster.request():
            connection = await self._cluster.connection(ctx)
            if connection.family != NATIVE_FAMILY:
                raise IllegalArgument(self._unsupported("searching", connection))
            # By its members: `replace` looks them up one by one, at each search.
            there = Context(
                task=ctx.task,
                subject=ctx.subject,
                deadline=self._cluster.search_deadline(ctx),
                local_alias=self._alias,
                start_ms=ctx.start_ms,
                headers=ctx.headers,
            )
            answer = await self._ask(connection, SEARCH, encode_search(request), there)
            self._check_size(answer)
            decoded = decode_answer(answer)
            check_search(decoded.partial, request.body, self._alias)
            return decoded

    async def run(self, phase: Phase[Q, A], request: Q, ctx: Context) -> A:
        """One step of a search in phases. Raises as `search` does.

        Contexts are freed beside what may be under way, and no connection is waited for to do so: they end by
        themselves.
        """
        if phase is FREE:
            connection = await self._cluster.connection(ctx, may_wait=False)
            return await self._step(connection, phase, request, ctx)
        with self._cluster.request():
            connection = await self._cluster.connection(ctx)
            if connection.family != NATIVE_FAMILY:
                raise IllegalArgument(self._unsupported("searching", connection))
            return await self._step(connection, phase, request, ctx)

    async def _step(
        self, connection: NodeConnection, phase: Phase[Q, A], request: Q, ctx: Context
    ) -> A:
        deadline = self._cluster.search_deadline(ctx)
        there = replace(ctx, local_alias=self._alias, deadline=deadline)
        payload = phase.encode(request)
        answer = await self._ask(connection, phase.action, payload, there)
        self._check_size(answer)
        decoded = phase.read_answer(answer)
        check_step(phase, request, decoded, self._alias)
        return decoded

    def _check_size(self, answer: bytes) -> None:
        limit = self._cluster.config.max_answer_bytes
        if len(answer) > limit:
            raise CircuitBreaking(
                f"the answer of remote cluster [{self._alias}] has [{len(answer)}] bytes, more than "
                f"the [{limit}] that [cluster.remote.{self._alias}.max_answer_size] allows",
                metadata={"bytes_wanted": len(answer), "bytes_limit": limit},
            )

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Whether the expressions lead to an index there. A cluster that is not connected is not
        waited for.

        Raises as `search` does, but for a remote of another product: that is in the answer.
        """
        with self._cluster.request(guarded=False):
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
        with self._cluster.request(guarded=False):
            connection = await self._cluster.connection(ctx, may_wait=False)
            if connection.family != NATIVE_FAMILY:
                raise IllegalArgument(self._unsupported("asking for the statistics of", connection))
            there = replace(ctx, local_alias=self._alias)
            return decode_cluster_stats(await self._ask(connection, CLUSTER_STATS, b"", there))

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The remote's answer to any action, as it came.

        Raises as `search` does, and IllegalArgument where the remote is too old to know the action.
        """
        with self._cluster.request():
            return await self._ask_any(action, payload, ctx)

    async def ask_in_background(self, action: str, payload: bytes, ctx: Context) -> bytes:
        """The same for what may wait at the remote for long: see `RemoteCluster.replicating`."""
        with self._cluster.replicating():
            return await self._ask_any(action, payload, ctx)

    async def _ask_any(self, action: str, payload: bytes, ctx: Context) -> bytes:
        connection = await self._cluster.connection(ctx)
        if connection.family != NATIVE_FAMILY:
            raise IllegalArgument(self._unsupported(f"asking [{action}] of", connection))
        there = replace(ctx, local_alias=self._alias)
        try:
            return await self._ask(connection, action, payload, there)
        except ActionNotFound as error:
            raise IllegalArgument(
                f"remote cluster [{self._alias}] of version [{connection.node.version}] does not support "
                f"[{action}]"
            ) from error

    async def _ask(
        self, connection: NodeConnection, action: str, payload: bytes, ctx: Context
    ) -> bytes:
        """The answer of this gateway, or of the next where it is about to stop: then it has not
        begun the request."""
        traffic = self._cluster.traffic
        traffic.sent_bytes += len(payload)
        answer = await self._ask_open(connection, action, payload, ctx)
        traffic.received_bytes += len(answer)
        return answer

    async def _ask_open(
        self, connection: NodeConnection, action: str, payload: bytes, ctx: Context
    ) -> bytes:
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
