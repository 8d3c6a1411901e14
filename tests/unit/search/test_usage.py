"""Which searches count, and as what: as 8.19.0 counted the same searches."""

import asyncio

import pytest

from sealane.errors import (
    ApiError,
    ConnectTransport,
    IllegalArgument,
    IndexClosed,
    IndexNotFound,
    InvalidIndexName,
    ReceiveTimeout,
    SearchPhaseExecution,
    SecurityError,
    TaskCancelled,
)
from sealane.model.task import Context, Task, TaskId
from sealane.reduce.partial import Partial, ShardCounts
from sealane.search import usage
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.outcome import ClusterOutcome, Clusters, ClusterStatus, SearchOutcome
from sealane.search.usage import UsageCounter, usage_json

EMPTY = Partial(hits=[], total=None, max_score=None, shards=ShardCounts(1, 1))
BOTH = (ClusterTarget(LOCAL, ("a",)), ClusterTarget("eu", ("b",)))


def context(**headers: str) -> Context:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Context(task=Task(TaskId("n", 1), "test", None, 0, ""), headers=named)


def outcome(took_ms: int = 5, **clusters: ClusterStatus) -> SearchOutcome:
    details = tuple(
        ClusterOutcome(
            alias=alias.replace("local", ""),
            status=status,
            indices="i",
            took_ms=None if status is ClusterStatus.SKIPPED else 3,
        )
        for alias, status in clusters.items()
    )
    return SearchOutcome(answer=EMPTY, took_ms=took_ms, clusters=Clusters(details))


OK, SKIPPED, PARTIAL = ClusterStatus.SUCCESSFUL, ClusterStatus.SKIPPED, ClusterStatus.PARTIAL


def succeed(
    counter: UsageCounter,
    targets: tuple[ClusterTarget, ...] = BOTH,
    result: SearchOutcome | None = None,
    ctx: Context | None = None,
    *,
    trips: bool = True,
) -> None:
    result = result or outcome(local=OK, eu=OK)
    counter.succeeded(targets, result, ctx or context(), minimize_roundtrips=trips)


def test_before_the_first_search_all_is_zero() -> None:
    """S-128: the shape of 6.4."""
    nothing = {"max": 0, "avg": 0, "p90": 0}
    assert usage_json(UsageCounter().counts) == {
        "total": 0,
        "success": 0,
        "skipped": 0,
        "took": nothing,
        "took_mrt_true": nothing,
        "took_mrt_false": nothing,
        "remotes_per_search_max": 0,
        "remotes_per_search_avg": 0.0,
        "failure_reasons": {},
        "features": {},
        "clients": {},
        "clusters": {},
    }


def test_a_success_counts_for_each_cluster() -> None:
    counter = UsageCounter()
    succeed(counter)
    shown = usage_json(counter.counts)
    took = {"max": 3, "avg": 3, "p90": 3}
    assert shown["clusters"] == {
        "(local)": {"total": 1, "skipped": 0, "took": took},
        "eu": {"total": 1, "skipped": 0, "took": took},
    }
    assert (shown["total"], shown["success"], shown["skipped"]) == (1, 1, 0)
    assert shown["took"] == shown["took_mrt_true"] == {"max": 5, "avg": 5, "p90": 5}
    assert shown["took_mrt_false"]["max"] == 0
    assert shown["features"] == {"mrt_on": 1}


def test_two_round_trips_are_told_apart() -> None:
    counter = UsageCounter()
    succeed(counter, trips=False)
    shown = usage_json(counter.counts)
    assert shown["features"] == {}
    assert (shown["took_mrt_false"]["max"], shown["took_mrt_true"]["max"]) == (5, 0)


def test_a_skipped_cluster_is_no_answer_of_it_and_a_partial_one_is() -> None:
    counter = UsageCounter()
    succeed(counter, result=outcome(local=OK, eu=SKIPPED))
    succeed(counter, result=outcome(local=OK, eu=PARTIAL))
    shown = usage_json(counter.counts)
    assert (shown["success"], shown["skipped"]) == (2, 1)
    assert (shown["clusters"]["eu"]["total"], shown["clusters"]["eu"]["skipped"]) == (1, 1)


def test_searches_without_a_remote_do_not_count() -> None:
    """S-129."""
    counter = UsageCounter()
    succeed(counter, (ClusterTarget(LOCAL, ("a",)),))
    succeed(counter, ())
    counter.failed((), IllegalArgument("x"), context(), minimize_roundtrips=True)
    assert counter.counts == UsageCounter().counts


@pytest.mark.parametrize(
    ("local", "remote", "counted"),
    [
        (("a",), ("b",), False),
        (("a*",), ("b",), True),
        (("a",), ("b", "-x*"), True),
        (("_all",), ("_all",), False),
    ],
)
def test_wildcards_are_those_of_index_names(
    local: tuple[str, ...], remote: tuple[str, ...], counted: bool
) -> None:
    counter = UsageCounter()
    succeed(counter, (ClusterTarget(LOCAL, local), ClusterTarget("eu", remote)))
    assert ("wildcards" in counter.counts.features) is counted


@pytest.mark.parametrize(
    ("client", "counted"),
    [("kibana", True), ("connectors-cli", True), ("Kibana", False), ("x", False)],
)
def test_only_known_clients_are_counted_by_name(client: str, counted: bool) -> None:
    counter = UsageCounter()
    succeed(counter, ctx=context(X_elastic_product_origin=client))
    assert counter.counts.clients == ({client: 1} if counted else {})


def test_remotes_per_search_are_rounded_up() -> None:
    counter = UsageCounter()
    for _ in range(3):
        succeed(counter)
    assert usage_json(counter.counts)["remotes_per_search_avg"] == 1.0
    succeed(counter, (ClusterTarget("eu", ("a",)), ClusterTarget("us", ("a",))))
    shown = usage_json(counter.counts)
    assert (shown["remotes_per_search_max"], shown["remotes_per_search_avg"]) == (2, 2.0)


def from_remote(error: ApiError) -> ApiError:
    return error.with_metadata(cluster="eu")


ALL_FAILED = SearchPhaseExecution("all shards failed", phase="query", failed_shards=[], causes=[])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (from_remote(ConnectTransport("x")), "remotes_unavailable"),
        (from_remote(IndexNotFound("x")), "not_found"),
        (from_remote(IndexClosed("x", "u")), "other"),
        (from_remote(InvalidIndexName("_x", "y")), "other"),
        (from_remote(SecurityError("x")), "security"),
        (from_remote(ReceiveTimeout("x")), "timeout"),
        (
            from_remote(SearchPhaseExecution("x", phase="query", failed_shards=[], causes=[])),
            "remotes_unavailable",
        ),
        (ALL_FAILED, "other"),
        (TaskCancelled("x"), "canceled"),
        (asyncio.CancelledError(), "canceled"),
    ],
)
def test_failures_have_a_reason(error: ApiError | asyncio.CancelledError, reason: str) -> None:
    counter = UsageCounter()
    counter.failed(BOTH, error, context(), minimize_roundtrips=True)
    assert counter.counts.failure_reasons == {reason: 1}
    assert (counter.counts.total, counter.counts.success) == (1, 0)
    assert counter.counts.clusters == {}


@pytest.mark.parametrize(
    "error", [IndexNotFound("x"), IndexClosed("x", "u"), InvalidIndexName("_x", "y")]
)
def test_a_search_whose_local_names_are_wrong_has_not_begun(error: ApiError) -> None:
    counter = UsageCounter()
    counter.failed(BOTH, error, context(), minimize_roundtrips=True)
    assert counter.counts == UsageCounter().counts


def test_aliases_that_come_and_go_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "CLUSTERS_MAX", 3)
    counter = UsageCounter()
    for number in range(10):
        succeed(counter, result=outcome(**{f"c{number}": OK}))
    assert len(counter.counts.clusters) == 3
    assert counter.counts.total == 10
