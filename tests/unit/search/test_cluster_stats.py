"""The figures behind `_cluster/stats`: of this cluster's indices, and of remotes that may not answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sealane.cluster.node_reports import NodeReport, NodeReports, encode_report, read_request
from sealane.cluster.views import IndexView
from sealane.engine.base import IndexStats
from sealane.errors import (
    ApiError,
    ConnectTransport,
    IndexNotFound,
    Internal,
    NoShardAvailable,
    TaskCancelled,
)
from sealane.model.clusters import ClusterMatch, ClusterStats, RemoteTraits, ResolveClusterRequest
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.search import IndicesOptions
from sealane.model.task import Context, Task, TaskId
from sealane.search import cluster_stats
from sealane.search.cluster_stats import ClusterTotals, RemoteFigures, RemoteTotals
from tests.unit.cluster.test_resolve import index

CONTEXT = Context(task=Task(TaskId("n", 1), "test", None, 0, ""))
STATS = ClusterStats(
    cluster_uuid="u",
    status="green",
    versions=("8.19.0",),
    nodes=1,
    shards=1,
    indices=1,
    indices_bytes=1,
    memory_bytes=1,
)


def node(name: str, version: str = "8.19.0") -> NodeInfo:
    return NodeInfo(id=name, ephemeral_id=name, name=name, address=Address("h", 1), version=version)


@dataclass
class Indices:
    views: list[IndexView]
    failing: dict[str, ApiError]

    def find(self, expressions: Sequence[str], options: IndicesOptions) -> Sequence[IndexView]:
        assert (tuple(expressions), options.expand_closed, options.expand_hidden) == (
            (),
            True,
            True,
        )
        return self.views

    async def sizes(self, index: IndexView) -> IndexStats:
        if index.name in self.failing:
            raise self.failing[index.name]
        return IndexStats(docs=2, deleted=1, store_bytes=100, shards=())


class Fellows:
    """Two nodes, of which `b` does not answer."""

    local = node("a")

    def __init__(self) -> None:
        self.report = NodeReport()
        self.report.add("os", lambda: {"mem": {"total_in_bytes": 7}})

    def nodes(self) -> Sequence[NodeInfo]:
        return (node("a"), node("b", "8.19.1"))

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        if node.name == "b":
            raise ConnectTransport("gone")
        return encode_report(await self.report.make(read_request(payload).sections))


def totals(
    *views: IndexView, unopened: Sequence[str] = (), failing: dict[str, ApiError] | None = None
) -> ClusterTotals:
    fellows = Fellows()
    return ClusterTotals(
        identity=lambda: ClusterIdentity(name="c", uuid="cluster-uuid"),
        nodes=fellows.nodes,
        indices=Indices(list(views), failing or {}),
        unopened=lambda: unopened,
        reports=NodeReports(lambda: fellows),
    )


async def test_open_indices_are_summed_up_and_all_are_counted() -> None:
    found = await totals(
        IndexView(index("a", 2)), IndexView(index("b", 1)), IndexView(index("c", 3, open=False))
    ).index_totals()
    assert (found.primaries, found.shards) == ((2, 1, 3), 6)
    assert (found.docs, found.deleted, found.store_bytes) == (4, 2, 200)
    assert found.to_json()["shard_stats"] == {"total_count": 6}


async def test_an_index_that_cannot_be_read_counts_without_its_documents() -> None:
    lost = {"a": NoShardAvailable(Internal("a")), "b": IndexNotFound("b")}
    views = [IndexView(index(name, 1)) for name in "abc"]
    found = await totals(*views, failing=lost, unopened=["u_a"]).index_totals()
    assert (found.docs, len(found.primaries), found.status) == (2, 3, "red")


async def test_an_empty_cluster_is_green() -> None:
    found = await totals().index_totals()
    assert (found.status, found.shards, found.docs) == ("green", 0, 0)


async def test_other_clusters_are_told_of_all_nodes() -> None:
    """A node that does not answer is one of them; its memory is not known."""
    stats = await totals(IndexView(index("a", 2))).stats(CONTEXT)
    assert stats == ClusterStats(
        cluster_uuid="cluster-uuid",
        status=stats.status,
        versions=("8.19.0", "8.19.1"),
        nodes=2,
        shards=2,
        indices=1,
        indices_bytes=100,
        memory_bytes=7,
    )


class Remote:
    def __init__(self, answer: ClusterStats | Exception | None) -> None:
        self.answer = answer

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        raise NotImplementedError


class Remotes:
    def __init__(self, **remotes: Remote) -> None:
        self.remotes = remotes

    def aliases(self) -> Sequence[str]:
        return sorted(self.remotes)

    def client(self, alias: str) -> Any:
        return self.remotes[alias]

    def traits(self, alias: str) -> RemoteTraits:
        return RemoteTraits(mode=alias, skip_unavailable=True, compress="true")


async def test_a_remote_that_does_not_answer_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C-87."""
    monkeypatch.setattr(cluster_stats, "REMOTE_TIMEOUT_S", 0)
    remotes = Remotes(dead=Remote(ConnectTransport("x")), eu=Remote(STATS), hung=Remote(None))
    found = await RemoteTotals(remotes).collect(CONTEXT)
    assert found == {
        alias: RemoteFigures(remotes.traits(alias), STATS if alias == "eu" else None)
        for alias in ("dead", "eu", "hung")
    }
    assert await RemoteTotals(Remotes()).collect(CONTEXT) == {}


async def test_a_remote_that_is_removed_meanwhile_fails_nothing() -> None:
    """More remotes than are asked at a time: the last is not asked before others have answered."""
    remotes = Remotes(**{f"r{number:03}": Remote(STATS) for number in range(100)})

    class Removing(Remote):
        async def cluster_stats(self, ctx: Context) -> ClusterStats:
            del remotes.remotes["r099"]
            return STATS

    remotes.remotes["r001"] = Removing(None)
    found = await RemoteTotals(remotes).collect(CONTEXT)
    assert (len(found), found["r099"].stats) == (100, STATS)


async def test_a_cancelled_request_ends() -> None:
    with pytest.raises(TaskCancelled):
        await RemoteTotals(Remotes(eu=Remote(TaskCancelled("x")))).collect(CONTEXT)
