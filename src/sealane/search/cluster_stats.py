"""How large a cluster is and how it fares: the figures behind `_cluster/stats`, and those that other clusters get."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sealane.cluster.node_reports import NodeReports
from sealane.cluster.views import IndexView
from sealane.errors import ApiError, IndexNotFound, NoShardAvailable, TaskCancelled
from sealane.model.clusters import ClusterStats, RemoteTraits
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.search.fan_out import ask_all
from sealane.search.protocols import AboutCluster, AboutRemotes

_EVERY: Final = IndicesOptions(expand_closed=True, expand_hidden=True)
_AT_A_TIME: Final = 64
REMOTE_TIMEOUT_S: Final = 5.0
"""A remote that takes longer is shown as unavailable."""
_FELLOW_TIMEOUT_S: Final = 2.0
"""For the nodes of a cluster that another one asks: well within what that one waits."""


class IndexSizes(Protocol):
    """`docs` and `deleted` as of the last refresh, `store_bytes` on disk."""

    @property
    def docs(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    @property
    def store_bytes(self) -> int: ...


class Indices(Protocol):
    """The indices of the local cluster."""

    def find(self, expressions: Sequence[str], options: IndicesOptions) -> Sequence[IndexView]: ...

    async def sizes(self, index: IndexView) -> IndexSizes:
        """Raises NoShardAvailable where it could not be opened, IndexNotFound where it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTotals:
    """All indices together. `primaries` are the shards of each; replicas have no second node to be on."""

    primaries: tuple[int, ...]
    docs: int
    deleted: int
    store_bytes: int
    status: str

    @property
    def shards(self) -> int:
        return sum(self.primaries)

    def to_json(self) -> dict[str, Any]:
        """The section `indices` of `_nodes/stats`."""
        return {
            "docs": {
                "count": self.docs,
                "deleted": self.deleted,
                "total_size_in_bytes": self.store_bytes,
            },
            "shard_stats": {"total_count": self.shards},
            "store": {
                "size_in_bytes": self.store_bytes,
                "total_data_set_size_in_bytes": self.store_bytes,
                "reserved_in_bytes": 0,
            },
        }

    def none(self) -> "IndexTotals":
        """As seen from nodes that hold none of them."""
        return replace(NO_INDICES, status=self.status)


NO_INDICES: Final = IndexTotals(primaries=(), docs=0, deleted=0, store_bytes=0, status="green")


class ClusterTotals:
    """The figures of the local cluster, gathered when they are asked for."""

    def __init__(
        self,
        *,
        identity: Callable[[], ClusterIdentity],
        nodes: Callable[[], Sequence[NodeInfo]],
        indices: Indices,
        unopened: Callable[[], Collection[str]],
        reports: NodeReports,
    ) -> None:
        """`unopened` are the uuids of indices that the engine could not open."""
        self._identity = identity
        self._nodes = nodes
        self._indices = indices
        self._unopened = unopened
        self._reports = reports

    async def index_totals(self) -> IndexTotals:
        found = self._indices.find((), _EVERY)
        docs = deleted = store_bytes = 0
        for index in found:
            if not index.open:
                continue
            try:
                sizes = await self._indices.sizes(index)
            except (NoShardAvailable, IndexNotFound):
                continue
            docs, deleted = docs + sizes.docs, deleted + sizes.deleted
            store_bytes += sizes.store_bytes
        return IndexTotals(
            primaries=tuple(index.shards for index in found),
            docs=docs,
            deleted=deleted,
            store_bytes=store_bytes,
            status=_status(found, self._unopened()),
        )

    async def stats(self, ctx: Context) -> ClusterStats:
        """What other clusters are told."""
        nodes = self._nodes()
        totals = await self.index_totals()
        reports = await self._reports.collect(nodes, ("os",), ctx, timeout_s=_FELLOW_TIMEOUT_S)
        return ClusterStats(
            cluster_uuid=self._identity().uuid,
            status=totals.status,
            versions=tuple(sorted({node.version for node in nodes})),
            nodes=len(nodes),
            shards=totals.shards,
            indices=len(totals.primaries),
            indices_bytes=totals.store_bytes,
            memory_bytes=sum(_memory_of(report) for _, report in reports),
        )


@dataclass(frozen=True, slots=True)
class RemoteFigures:
    """`stats` is None for a remote that could not be asked in time; `_remote/info` says why."""

    traits: RemoteTraits
    stats: ClusterStats | None


class RemoteTotals:
    """The figures of the registered remotes."""

    def __init__(self, remotes: AboutRemotes) -> None:
        self._remotes = remotes

    async def collect(self, ctx: Context) -> dict[str, RemoteFigures]:
        """By alias.

        Raises IllegalArgument on a node without the role `remote_cluster_client`, TaskCancelled.
        """
        # All are looked up at once: one may be removed while others are asked.
        remotes = self._remotes
        asked = {each: (remotes.traits(each), remotes.client(each)) for each in remotes.aliases()}

        async def ask(remote: tuple[RemoteTraits, AboutCluster]) -> RemoteFigures:
            traits, client = remote
            try:
                async with asyncio.timeout(REMOTE_TIMEOUT_S):
                    return RemoteFigures(traits, await client.cluster_stats(ctx))
            except TaskCancelled:
                raise
            except (TimeoutError, ApiError):
                return RemoteFigures(traits, None)

        answers = await ask_all(ask, tuple(asked.values()), at_a_time=_AT_A_TIME)
        return dict(zip(asked, answers, strict=True))


def _status(indices: Sequence[IndexView], unopened: Collection[str]) -> str:
    if any(index.uuid in unopened for index in indices):
        return "red"
    return "yellow" if any(index.replicas for index in indices) else "green"


def _memory_of(report: dict[str, Any] | ApiError) -> int:
    if isinstance(report, ApiError):
        return 0
    total = report.get("os", {}).get("mem", {}).get("total_in_bytes", 0)
    return total if isinstance(total, int) else 0
