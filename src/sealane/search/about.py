"""The local cluster as it tells others, and itself, who it is."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from sealane.errors import NoSuchRemoteCluster
from sealane.model.clusters import ClusterMatch, ClusterStats, ProductVersion, ResolveClusterRequest
from sealane.model.index_names import split_alias
from sealane.model.search import IndicesOptions
from sealane.model.task import Context


class Names(Protocol):
    """The names of the local cluster."""

    def matches(self, expressions: Sequence[str], options: IndicesOptions, now_ms: int) -> bool:
        """Whether an alias or an open index is reached. Raises IndexNotFound, InvalidIndexName, ParseError."""


class AboutLocalCluster:
    """Implements AboutCluster over this cluster's own state."""

    def __init__(
        self,
        *,
        names: Names,
        version: ProductVersion,
        stats: Callable[[Context], Awaitable[ClusterStats]],
    ) -> None:
        self._names = names
        self._version = version
        self._stats = stats

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        """Raises IndexNotFound, InvalidIndexName, ParseError for the names; NoSuchRemoteCluster for one of another
        cluster: nobody is asked on behalf of somebody else.
        """
        expressions, matches = request.expressions, None
        if expressions is not None:
            for expression in expressions:
                other = split_alias(expression)
                if other is not None:
                    raise NoSuchRemoteCluster(other[0])
            matches = self._names.matches(expressions, request.options, ctx.start_ms)
        return ClusterMatch(matches=matches, version=self._version)

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        return await self._stats(ctx)
