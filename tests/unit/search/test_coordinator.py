"""One search over several clusters, each played by a scripted client."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from sealane.errors import (
    ConnectTransport,
    IndexClosed,
    IndexNotFound,
    NoSuchRemoteCluster,
    SecurityError,
    TaskCancelled,
)
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_search_body
from sealane.reduce.partial import ClusterAnswer, Hit, Partial, ShardCounts, TotalHits
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.expression import ClusterTarget
from sealane.search.outcome import ClusterOutcome, ClusterStatus, SearchOutcome
from sealane.search.progress import Progress
from sealane.search.protocols import ClusterClient, LocalClient


def partial(*scores: float, index: str = "i", shards: int = 1, failed: int = 0) -> Partial:
    return Partial(
        hits=[Hit(index, str(n), score, b"{}") for n, score in enumerate(scores)],
        total=TotalHits(len(scores)),
        max_score=max(scores, default=None),
        shards=ShardCounts(shards, shards - failed, 0, failed),
    )


class Scripted:
    """A cluster that answers what it is given, and keeps what it was asked. Its names are wrong where `names` says
    how; `asks` makes that known only to another node.
    """

    def __init__(
        self,
        answer: Partial | Exception,
        *,
        names: Exception | None = None,
        asks: bool = False,
        waits: bool = False,
    ) -> None:
        self._waits = waits
        self.answer = answer
        self.asked: list[SearchRequest] = []
        self._names = names
        self._asks = asks

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        if self._names is not None and (may_ask or not self._asks):
            raise self._names

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        self.asked.append(request)
        for _ in range(5 if self._waits else 1):
            await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return ClusterAnswer(self.answer, 7)


class Hanging:
    """A cluster that never answers; it notices when it is given up."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()

    async def judge_names(self, request: SearchRequest, ctx: Context, *, may_ask: bool) -> None:
        if may_ask:
            raise IndexNotFound("hanging")

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError("unreachable")


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.targets: Sequence[ClusterTarget] = ()
        self.ended: dict[str, tuple[ClusterStatus, Partial | None]] = {}

    def begun(self, targets: Sequence[ClusterTarget]) -> None:
        self.targets = targets

    def cluster_ended(self, outcome: ClusterOutcome, answer: Partial | None) -> None:
        self.ended[outcome.alias] = (outcome.status, answer)

    def shards_counted(self, outcome: ClusterOutcome) -> None:
        raise AssertionError("shards are not told in this mode")

    def reduced(self, answer: Callable[[], Partial]) -> None:
        raise AssertionError("answers are not reduced in this mode")


class Registered:
    def __init__(self, clients: dict[str, ClusterClient], skippable: Sequence[str]) -> None:
        self._clients = clients
        self._skippable = skippable

    def aliases(self) -> Sequence[str]:
        return tuple(self._clients)

    def client(self, alias: str) -> ClusterClient:
        if alias not in self._clients:
            raise NoSuchRemoteCluster(alias)
        return self._clients[alias]

    def skip_unavailable(self, alias: str) -> bool:
        return alias in self._skippable


async def search(
    expressions: str,
    *,
    local: LocalClient | None = None,
    skippable: Sequence[str] = (),
    body: bytes = b"{}",
    fail_fast: bool = False,
    progress: Progress | None = None,
    **remotes: ClusterClient,
) -> SearchOutcome:
    service = SearchService(
        local=local or Scripted(partial()),
        remotes=Registered(remotes, skippable),
        max_buckets=lambda: 65_536,
        fail_fast=lambda: fail_fast,
    )
    with TaskRegistry("n").start("indices:data/read/search", start_ms=0) as task:
        return await service.search(
            ClientSearch(expressions=tuple(expressions.split(",")), body=parse_search_body(body)),
            Context(task=task),
            progress,
        )


async def test_a_local_search_is_asked_whole_and_has_no_clusters_block() -> None:
    """S-76."""
    local = Scripted(partial(1.0))
    outcome = await search("i", local=local, body=b'{"from":3,"size":4}')
    (asked,) = local.asked
    assert (asked.from_, asked.size, asked.final_reduce) == (3, 4, True)
    assert outcome.clusters is None


async def test_one_remote_alone_is_asked_whole_and_its_answer_passed_on() -> None:
    """S-46, S-45: one request, reduced to the end over there."""
    answer = partial(1.0, index="eu:i")
    eu = Scripted(answer)
    outcome = await search("eu:i", eu=eu, body=b'{"from":3,"size":4}')
    (asked,) = eu.asked
    assert (asked.indices, asked.from_, asked.size, asked.final_reduce) == (("i",), 3, 4, True)
    assert outcome.answer is answer
    assert outcome.clusters is not None
    assert outcome.clusters.total == 1


async def test_several_clusters_are_asked_from_zero_for_the_whole_window() -> None:
    """S-48: from=20,size=10 asks each cluster from 0 size 30."""
    local, eu = Scripted(partial(1.0)), Scripted(partial(2.0))
    await search("i,eu:i", local=local, eu=eu, body=b'{"from":20,"size":10}')
    for client in (local, eu):
        (asked,) = client.asked
        assert (asked.from_, asked.size, asked.final_reduce) == (0, 30, False)


async def test_answers_are_merged_and_phases_counted() -> None:
    """S-50, S-51, S-54."""
    outcome = await search(
        "i,eu:i,us:i",
        local=Scripted(partial(1.0, 0.5)),
        eu=Scripted(partial(3.0, index="eu:i", shards=2)),
        us=Scripted(partial(2.0, index="us:i")),
    )
    answer = outcome.answer
    assert [hit.score for hit in answer.hits] == [3.0, 2.0, 1.0, 0.5]
    assert answer.max_score == 3.0
    assert outcome.reduce_phases == 4
    assert answer.shards.total == 4
    assert answer.total == TotalHits(4)


async def test_an_unreachable_remote_is_skipped_when_it_may_be() -> None:
    """S-66, C-73: 200 with status skipped and a failure reason."""
    down = Scripted(ConnectTransport("Unable to connect to [eu]"))
    outcome = await search("i,eu:i", local=Scripted(partial(1.0)), eu=down, skippable=["eu"])
    assert outcome.clusters is not None
    local, eu = outcome.clusters.details
    assert local.status is ClusterStatus.SUCCESSFUL
    assert eu.status is ClusterStatus.SKIPPED
    assert eu.took_ms is None
    assert eu.shards is None
    (failure,) = eu.failures
    assert (failure.shard, failure.index) == (-1, None)
    assert failure.error["type"] == "connect_transport_exception"
    assert outcome.reduce_phases == 2


async def test_an_unreachable_remote_fails_the_search_when_it_may_not_be_skipped() -> None:
    """S-67: the error names the alias."""
    down = Scripted(ConnectTransport("[][127.0.0.1:1] connect_exception"))
    with pytest.raises(ConnectTransport) as caught:
        await search("i,eu:i", eu=down)
    assert caught.value.status == 502
    assert caught.value.metadata["cluster"] == "eu"


async def test_a_missing_index_on_a_remote_follows_skip_unavailable() -> None:
    """S-16, S-17."""
    outcome = await search("eu:missing", eu=Scripted(IndexNotFound("missing")), skippable=["eu"])
    assert outcome.clusters is not None
    assert outcome.clusters.details[0].status is ClusterStatus.SKIPPED
    with pytest.raises(IndexNotFound):
        await search("eu:missing", eu=Scripted(IndexNotFound("missing")))


async def test_a_denial_is_never_an_empty_success() -> None:
    """S-79: the cluster is skipped with the reason, or the search is a 403."""
    denied = Scripted(SecurityError("action [indices:data/read/search] is unauthorized"))
    outcome = await search("i,eu:i", local=Scripted(partial(1.0)), eu=denied, skippable=["eu"])
    assert outcome.clusters is not None
    eu = outcome.clusters.details[1]
    assert (eu.status, eu.shards) == (ClusterStatus.SKIPPED, None)
    assert eu.failures[0].error["type"] == "security_exception"
    with pytest.raises(SecurityError) as caught:
        await search("i,eu:i", local=Scripted(partial(1.0)), eu=denied)
    assert (caught.value.status, caught.value.metadata["cluster"]) == (403, "eu")


async def test_the_local_cluster_is_never_skipped() -> None:
    """S-21."""
    with pytest.raises(IndexNotFound):
        await search(
            "missing,eu:i",
            local=Scripted(IndexNotFound("missing")),
            eu=Scripted(partial(1.0)),
            skippable=["eu"],
        )


async def test_when_every_remote_is_skipped_the_answer_is_empty() -> None:
    """S-68: 200, total 0, num_reduce_phases 0."""
    down = Scripted(ConnectTransport("Unable to connect to [eu]"))
    outcome = await search("eu:i", eu=down, skippable=["eu"])
    assert outcome.answer.hits == []
    assert outcome.answer.total == TotalHits(0)
    assert outcome.answer.max_score is None
    assert outcome.reduce_phases == 0


async def test_a_pattern_that_matches_no_remote_searches_nothing() -> None:
    """S-6: no local data, and a clusters block of none."""
    local = Scripted(partial(1.0))
    outcome = await search("nomatch*:i", local=local)
    assert local.asked == []
    assert outcome.clusters is not None
    assert outcome.clusters.total == 0
    assert outcome.answer.hits == []


async def test_shard_failures_make_a_cluster_partial() -> None:
    """S-69."""
    eu = Scripted(partial(1.0, shards=3, failed=1))
    outcome = await search("i,eu:i", eu=eu, skippable=["eu"])
    assert outcome.clusters is not None
    assert outcome.clusters.details[1].status is ClusterStatus.PARTIAL


async def test_a_cluster_that_timed_out_is_partial() -> None:
    """S-73."""
    slow = partial(1.0)
    slow.timed_out = True
    outcome = await search("i,eu:i", eu=Scripted(slow))
    assert outcome.clusters is not None
    assert outcome.clusters.details[1].status is ClusterStatus.PARTIAL
    assert outcome.answer.timed_out


async def test_counters_add_up_to_the_total() -> None:
    """S-75."""
    outcome = await search(
        "i,eu:i,us:i",
        eu=Scripted(ConnectTransport("x")),
        us=Scripted(partial(1.0, shards=2, failed=1)),
        skippable=["eu"],
    )
    assert outcome.clusters is not None
    assert sum(outcome.clusters.count().values()) == outcome.clusters.total == 3


async def test_a_fatal_failure_is_told_when_all_clusters_have_ended() -> None:
    """Of several the last one to come, as 8.19 answers for two remotes that are down."""
    eu, us = Scripted(ConnectTransport("no")), Scripted(IndexNotFound("i"), waits=True)
    ap = Scripted(partial(1.0))
    with pytest.raises(IndexNotFound):
        await search("us:i,eu:i,ap:i", eu=eu, us=us, ap=ap)
    assert len(ap.asked) == 1


async def test_a_failure_of_another_cluster_is_told_before_one_of_this() -> None:
    """The reference tells the last to come, which is the other cluster's as a rule."""
    for waits in (False, True):
        local = Scripted(IndexClosed("i", "u"), waits=waits)
        with pytest.raises(IndexNotFound) as caught:
            await search("i,eu:i", local=local, eu=Scripted(IndexNotFound("i")))
        assert caught.value.metadata["cluster"] == "eu"


async def test_a_fatal_failure_gives_up_the_others_where_the_setting_says_so() -> None:
    hanging = Hanging()
    with pytest.raises(IndexNotFound):
        await search("eu:i,us:i", eu=hanging, us=Scripted(IndexNotFound("i")), fail_fast=True)
    assert hanging.cancelled.is_set()


async def test_a_listener_hears_of_each_cluster() -> None:
    """A cluster that is skipped or fails, too; what it answered comes with it."""
    heard = Heard()
    answer = partial(1.0, index="us:i")
    with pytest.raises(ConnectTransport):
        await search(
            "i,eu:i,us:i,ap:i",
            eu=Scripted(ConnectTransport("no")),
            us=Scripted(answer),
            ap=Scripted(ConnectTransport("no")),
            skippable=["ap"],
            progress=heard,
        )
    assert [target.alias for target in heard.targets] == ["", "eu", "us", "ap"]
    assert heard.ended.keys() == {"", "eu", "us", "ap"}
    assert heard.ended["us"] == (ClusterStatus.SUCCESSFUL, answer)
    assert heard.ended["eu"] == (ClusterStatus.FAILED, None)
    assert heard.ended["ap"] == (ClusterStatus.SKIPPED, None)


async def test_wrong_local_names_end_a_search_before_a_remote_is_asked() -> None:
    eu = Scripted(ConnectTransport("no"))
    local = Scripted(partial(), names=IndexNotFound("missing"))
    with pytest.raises(IndexNotFound):
        await search("eu:i,missing", local=local, eu=eu)
    assert (local.asked, eu.asked) == ([], [])


async def test_wrong_names_that_only_another_node_knows_win_over_a_remote_that_fails() -> None:
    eu = Scripted(ConnectTransport("no"))
    local = Scripted(partial(), names=IndexNotFound("missing"), asks=True)
    with pytest.raises(IndexNotFound):
        await search("missing,eu:i", local=local, eu=eu)


async def test_an_error_of_the_local_cluster_is_not_looked_into_once_more() -> None:
    local = Scripted(IndexClosed("i", "u"), names=IndexNotFound("missing"), asks=True)
    with pytest.raises(IndexClosed):
        await search("i,eu:i", local=local, eu=Scripted(partial(1.0)))


async def test_a_cancelled_remote_is_never_reported_as_skipped() -> None:
    """S-80."""
    with pytest.raises(TaskCancelled):
        await search("i,eu:i", eu=Scripted(TaskCancelled("by user")), skippable=["eu"])


async def test_cancelling_the_search_reaches_every_cluster() -> None:
    eu, us = Hanging(), Hanging()
    running = asyncio.create_task(search("eu:i,us:i", eu=eu, us=us, skippable=["eu", "us"]))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert eu.cancelled.is_set()
    assert us.cancelled.is_set()
