"""Connections that are lost or missing come back without a request."""

import asyncio
from itertools import pairwise

from sealane.errors import (
    Rejected,
)
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    FakeDialer,
    FakeNode,
    cluster_of,
    refused,
)
from tests.unit.remote.registries import A, B, C, connected, failure, remotes, sniff


@in_virtual_time
async def test_remote_comes_back_without_a_request() -> None:
    """C-57: within the backoff, which doubles from one second to sixty."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    nodes[0].error = refused(A.address)
    async with remotes(dialer, sniff()) as made:
        await settle(300)
        gaps = [round(after - before, 6) for before, after in pairwise(dialer.dialled_at)]
        assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        nodes[0].error = None
        await settle(60)
        assert made.describe()["eu"]["connected"] is True


@in_virtual_time
async def test_nothing_is_dialled_once_full() -> None:
    dialer = FakeDialer(*cluster_of(A, B, C))
    async with remotes(dialer, sniff()) as made:
        await settle()
        dialled = len(dialer.dialled)
        await settle(3600)
        assert len(dialer.dialled) == dialled
        assert made.statistics()["eu"].next_attempt_in_s is None


@in_virtual_time
async def test_connection_that_keeps_breaking_is_paused() -> None:
    """Accepted and cut at once, again and again, is not dialled without a pause."""
    nodes = cluster_of(A)
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, sniff(node_connections="1")):
        for _ in range(200):
            await asyncio.sleep(0.01)
            for connection in dialer.open_connections:
                connection.break_off()
        assert len(dialer.dialled) < 20


@in_virtual_time
async def test_fault_in_a_round() -> None:
    """What nobody foresaw is shown, fails those who wait, and is tried again."""

    class Broken(FakeDialer):
        faulty = True

        async def connect(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            if self.faulty:
                raise ZeroDivisionError("odd")
            return await super().connect(*args, **kwargs)

    dialer = Broken(*cluster_of(A))
    async with remotes(dialer, sniff(skip_unavailable="false")) as made:
        error = await failure(made)
        assert error.reason == (
            "connect round of remote cluster [eu] broke: ZeroDivisionError('odd')"
        )
        dialer.faulty = False
        await settle(5)
        assert connected(made) == ["a"]


@in_virtual_time
async def test_round_without_end() -> None:
    """P25: whatever hangs, a round has a deadline, and leaves nothing open."""

    seed = cluster_of(A)[0]
    seed.list_hangs = True
    dialer = FakeDialer(seed)
    async with remotes(dialer, sniff()) as made:
        await settle(3600)
        assert made.describe()["eu"]["connected"] is False
        assert len(dialer.open_connections) <= 1
        entry = made.describe(verbose=True)["eu"]["last_error"]
        assert isinstance(entry, dict)
        assert entry["reason"].endswith("connect round of remote cluster [eu] gave up after [300s]")


@in_virtual_time
async def test_concurrent_requests_share_one_round() -> None:
    """C-58."""
    dialer = FakeDialer()
    async with remotes(dialer, sniff(skip_unavailable="false")) as made:
        await settle(0.5)
        before = len(dialer.dialled)
        async with asyncio.TaskGroup() as group:
            failed = [group.create_task(failure(made)) for _ in range(50)]
        assert len(dialer.dialled) == before + 1
        assert {each.result().reason for each in failed} == {refused(A.address).reason}


@in_virtual_time
async def test_too_many_waiters() -> None:
    """C-59: the 1001st is rejected with 429, the others get the round's result."""
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        async with asyncio.TaskGroup() as group:
            failed = [group.create_task(failure(made)) for _ in range(1001)]
        errors = [each.result() for each in failed]
        rejected = [each for each in errors if isinstance(each, Rejected)]
        assert [(each.status, each.reason) for each in rejected] == [
            (429, "connect listener queue is full")
        ]
        assert made.statistics()["eu"].waiting == 0
