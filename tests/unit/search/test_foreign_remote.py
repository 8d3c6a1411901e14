"""A remote of another product among the clusters of a search: what is told of it, and by whom."""

from collections.abc import Sequence

from sealane.errors import IllegalArgument
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_search_body
from sealane.reduce.partial import ClusterAnswer, Partial, ShardCounts, TotalHits
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.outcome import ClusterStatus


class Foreign:
    """As the client of a remote answers that it cannot ask."""

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        raise IllegalArgument(
            "searching remote cluster [os] of product [OpenSearch] over the transport protocol "
            "is not supported yet by this version"
        )


class Local:
    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        return ClusterAnswer(Partial([], TotalHits(3), None, ShardCounts(1, 1)), 1)

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        pass


class Remotes:
    def aliases(self) -> Sequence[str]:
        return ["os"]

    def client(self, alias: str) -> Foreign:
        return Foreign()

    def skip_unavailable(self, alias: str) -> bool:
        return True


async def test_the_details_are_told_here_though_the_remote_has_none() -> None:
    """S-133: with a remote of OpenSearch, `_clusters.details` is still produced by the local node."""
    service = SearchService(
        local=Local(),  # type: ignore[arg-type]
        remotes=Remotes(),  # type: ignore[arg-type]
        max_buckets=lambda: 10,
    )
    request = ClientSearch(expressions=("i", "os:i"), body=parse_search_body(b'{"size":0}'))
    with TaskRegistry("n").start("search", start_ms=0) as task:
        outcome = await service.search(request, Context(task=task))
    assert outcome.clusters is not None
    here, there = outcome.clusters.details
    assert (here.alias, here.status) == ("", ClusterStatus.SUCCESSFUL)
    assert (there.alias, there.status, there.indices) == ("os", ClusterStatus.SKIPPED, "i")
    assert "of product [OpenSearch]" in there.failures[0].error["reason"]
    await service.close()
