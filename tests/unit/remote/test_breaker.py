"""When a remote is not asked any more, and when it is again."""

import asyncio

import pytest

from sealane.errors import (
    ConnectTransport,
    IndexNotFound,
    NodeDisconnected,
    NodeNotConnected,
    ReceiveTimeout,
    Rejected,
    RemoteUnavailable,
)
from sealane.remote import RemoteCluster
from sealane.remote.breaker import Breaker, BreakerState, is_failure
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import FakeDialer, cluster_of
from tests.unit.remote.registries import A, remotes, sniff

LIMIT, PAUSE_S = 3, 10.0
GONE = NodeDisconnected("gone")


def failing(breaker: Breaker, times: int, *, since: float = 0.0) -> None:
    """So many requests, one after the other, a second each."""
    for number in range(times):
        began = since + number
        breaker.check(began)
        breaker.failed(GONE, began, began + 0.5, limit=LIMIT, pause_s=PAUSE_S)


def state(breaker: Breaker, now: float) -> BreakerState:
    return breaker.statistics(now).state


def test_it_opens_after_enough_failures_in_a_row() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT - 1)
    assert state(breaker, 2.0) is BreakerState.CLOSED
    failing(breaker, 1, since=2.0)
    assert state(breaker, 3.0) is BreakerState.OPEN
    with pytest.raises(RemoteUnavailable) as caught:
        breaker.check(3.0)
    assert caught.value.reason == (
        "remote cluster [eu] is not asked: it has failed [3] times in a row, the next attempt is in [9.5s]"
    )
    assert (caught.value.status, caught.value.es_type) == (502, "connect_transport_exception")
    assert caught.value.caused_by is GONE
    assert breaker.statistics(3.0).refused == 1


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT - 1)
    breaker.answered()
    failing(breaker, LIMIT - 1, since=5.0)
    breaker.check(9.0)


def test_requests_that_fail_together_count_once() -> None:
    """One lost connection takes all its requests along."""
    breaker = Breaker("eu")
    for _ in range(32):
        breaker.failed(GONE, 0.0, 0.5, limit=LIMIT, pause_s=PAUSE_S)
    assert breaker.statistics(1.0).failures_in_a_row == 1
    breaker.check(1.0)


def test_after_the_pause_one_request_decides() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT)
    again = 2.5 + PAUSE_S
    assert state(breaker, again) is BreakerState.HALF_OPEN
    breaker.check(again)
    with pytest.raises(RemoteUnavailable):
        breaker.check(again)
    breaker.failed(GONE, again, again + 1, limit=LIMIT, pause_s=PAUSE_S)
    assert state(breaker, again + 1) is BreakerState.OPEN
    later = again + 1 + PAUSE_S
    breaker.check(later)
    breaker.answered()
    assert state(breaker, later) is BreakerState.CLOSED
    breaker.check(later)


def test_a_request_that_takes_long_holds_up_the_others_for_one_pause() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT)
    again = 2.5 + PAUSE_S
    breaker.check(again)
    with pytest.raises(RemoteUnavailable):
        breaker.check(again + PAUSE_S - 1)
    breaker.check(again + PAUSE_S)


def test_a_request_that_was_cancelled_decides_nothing() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT)
    again = 2.5 + PAUSE_S
    breaker.check(again)
    breaker.given_up(again)
    breaker.check(again)


def test_a_new_connection_ends_the_pause() -> None:
    breaker = Breaker("eu")
    failing(breaker, LIMIT)
    breaker.reconnected(3.0)
    assert state(breaker, 3.0) is BreakerState.HALF_OPEN
    breaker.check(3.0)


def test_a_limit_of_zero_never_opens_it() -> None:
    breaker = Breaker("eu")
    for number in range(100):
        breaker.failed(GONE, number, number + 0.5, limit=0, pause_s=PAUSE_S)
    breaker.check(200.0)


@pytest.mark.parametrize(
    ("error", "waited_s", "counts"),
    [
        (NodeDisconnected("x"), 0.0, True),
        (ReceiveTimeout("x"), 0.0, True),
        (ConnectTransport("x"), 0.1, False),
        (ConnectTransport("x"), 10.0, True),
        (RemoteUnavailable("eu", failures=3, retry_in_s=1.0, cause=None), 10.0, False),
        (IndexNotFound("i"), 10.0, False),
    ],
)
def test_what_counts_as_a_failure(error: Exception, waited_s: float, counts: bool) -> None:
    """What the remote answered does not, nor being away where that cost no time."""
    assert is_failure(error, waited_s) is counts


async def time_out(cluster: RemoteCluster) -> None:
    with cluster.request():
        await asyncio.sleep(1)
        raise ReceiveTimeout("too slow")


@in_virtual_time
async def test_a_remote_that_keeps_failing_is_shown_and_refused() -> None:
    """`_remote/info?verbose` has the state; what must not wait for searches is not held back."""
    settings = sniff(**{"breaker.failures": "2", "breaker.pause": "30s"})
    async with remotes(FakeDialer(*cluster_of(A)), settings) as made:
        await settle()
        cluster = made.cluster("eu")
        for _ in range(2):
            with pytest.raises(ReceiveTimeout):
                await time_out(cluster)
        shown = made.describe(verbose=True)["eu"]["breaker"]
        assert isinstance(shown, dict)
        assert (shown["state"], shown["failures_in_a_row"]) == ("open", 2)
        assert shown["retry_in"] == "30s"
        assert shown["last_failure"]["type"] == "receive_timeout_transport_exception"
        with pytest.raises(RemoteUnavailable):
            cluster.request()
        with cluster.request(guarded=False):
            pass
        cluster.request().__exit__(None, None, None)
        assert cluster.traffic.requests == 4
        assert cluster.traffic.failures == {"receive_timeout_transport_exception": 2}


@in_virtual_time
async def test_requests_are_counted_with_their_times() -> None:
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        await settle()
        cluster = made.cluster("eu")
        with cluster.request():
            await asyncio.sleep(0.03)
        with pytest.raises(asyncio.CancelledError), cluster.request():
            raise asyncio.CancelledError
        traffic = cluster.traffic
        assert (traffic.requests, traffic.failures) == (2, {"task_cancelled_exception": 1})
        assert traffic.latencies.count == 2
        assert traffic.latencies.total_s == pytest.approx(0.03)
        assert traffic.latencies.cumulative()[4:6] == [1, 2]


@in_virtual_time
async def test_finding_no_connection_is_neither_a_failure_nor_an_answer() -> None:
    """A remote that breaks every connection is found out, though it is away between them; and while it is away, an
    open breaker is not closed by it.
    """
    settings = sniff(**{"breaker.failures": "2", "breaker.pause": "30s"})
    async with remotes(FakeDialer(*cluster_of(A)), settings) as made:
        await settle()
        cluster = made.cluster("eu")
        for error in (NodeDisconnected("gone"), NodeNotConnected("away"), NodeDisconnected("gone")):
            await asyncio.sleep(0.1)
            with pytest.raises(type(error)), cluster.request():
                raise error
        assert str(cluster.breaker.state) == "open"
        await asyncio.sleep(31)
        for _ in range(2):
            with pytest.raises(NodeNotConnected), cluster.request():
                raise NodeNotConnected("away")
        assert str(cluster.breaker.state) == "half_open"
        with cluster.request():
            pass
        assert str(cluster.breaker.state) == "closed"


@in_virtual_time
async def test_a_probe_that_finds_no_place_leaves_it_to_the_next() -> None:
    settings = sniff(
        max_in_flight_requests="1", **{"breaker.failures": "1", "breaker.pause": "30s"}
    )
    async with remotes(FakeDialer(*cluster_of(A)), settings) as made:
        await settle()
        cluster = made.cluster("eu")
        with pytest.raises(NodeDisconnected), cluster.request():
            raise NodeDisconnected("gone")
        with cluster.request(guarded=False):
            await asyncio.sleep(31)
            with pytest.raises(Rejected):
                cluster.request()
            assert cluster.breaker.state is BreakerState.HALF_OPEN
            with pytest.raises(Rejected):
                cluster.request()
