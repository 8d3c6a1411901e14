"""What is written one by one is told together, and nobody waits for it who did not mean to wait."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealane.model.replication import ChangesAnswer, ChangesRequest, ShardRef
from sealane.replication.leader import service
from sealane.testing.in_process import InProcessCluster, clusters
from sealane.transport import TaskScope
from tests.conformance.conftest import Noon
from tests.unit.replication.leader.test_service import context

_POLL_MS = 600_000


@pytest.fixture
async def eu(tmp_path: Path) -> AsyncIterator[InProcessCluster]:
    async with clusters(tmp_path, "eu", clock=Noon()) as (eu,):
        await eu.fill("logs", {"0": {"n": 0}, "1": {"n": 1}})
        yield eu


@pytest.fixture
async def tasks() -> AsyncIterator[TaskScope]:
    async with TaskScope("test") as scope:
        yield scope


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but four operations ends the gathering."""
    monkeypatch.setattr(service, "_GATHER_S", 500.0)
    monkeypatch.setattr(service, "_GATHER_MAX", 4)


async def request(
    eu: InProcessCluster, from_seq_no: int, *, poll_timeout_ms: int = _POLL_MS, max_count: int = 100
) -> ChangesRequest:
    found = await eu.leader.index("logs", context())
    return ChangesRequest(
        shard=ShardRef(index="logs", index_uuid=found.uuid, shard=0),
        from_seq_no=from_seq_no,
        max_count=max_count,
        max_bytes=1 << 20,
        poll_timeout_ms=poll_timeout_ms,
        history_uuid=found.history[0].history_uuid,
    )


def numbers(answer: ChangesAnswer) -> list[int]:
    return [each.seq_no for each in answer.operations]


async def write(eu: InProcessCluster, count: int) -> None:
    for _ in range(count):
        await eu.call("POST", "/logs/_doc", {"n": 1})


async def until_it_waits(eu: InProcessCluster) -> None:
    while not eu.leader.polls:  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("from_seq_no", [2, 1])
async def test_a_wait_that_has_little_goes_on_for_a_moment(
    eu: InProcessCluster, tasks: TaskScope, from_seq_no: int
) -> None:
    """R-46: whether the first one comes during the wait or was there at its beginning."""
    waiting = tasks.start(eu.leader.changes(await request(eu, from_seq_no), context()))
    await until_it_waits(eu)
    await write(eu, 1)
    assert eu.leader.polls == 1
    await write(eu, 3)
    found = numbers(await waiting)
    assert len(found) >= 4
    assert found == list(range(from_seq_no, from_seq_no + len(found)))


@pytest.mark.usefixtures("patient")
async def test_who_does_not_wait_is_told_little(eu: InProcessCluster) -> None:
    answer = await eu.leader.changes(await request(eu, 1, poll_timeout_ms=1), context())
    assert numbers(answer) == [1]


@pytest.mark.usefixtures("patient")
async def test_as_many_as_were_asked_for_are_told_at_once(eu: InProcessCluster) -> None:
    answer = await eu.leader.changes(await request(eu, 0, max_count=2), context())
    assert numbers(answer) == [0, 1]


async def test_a_wait_that_has_been_long_ends_with_the_first_operation(
    eu: InProcessCluster, tasks: TaskScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-46: a write for itself is told at once."""
    monkeypatch.setattr(service, "_GATHER_S", 0.0)
    waiting = tasks.start(eu.leader.changes(await request(eu, 2), context()))
    await until_it_waits(eu)
    await write(eu, 1)
    assert numbers(await waiting) == [2]


@pytest.mark.usefixtures("patient")
async def test_a_change_of_the_mapping_ends_the_moment(
    eu: InProcessCluster, tasks: TaskScope
) -> None:
    """R-36: with what has come until then."""
    waiting = tasks.start(eu.leader.changes(await request(eu, 1), context()))
    await until_it_waits(eu)
    await eu.call("PUT", "/logs/_mapping", {"properties": {"x": {"type": "keyword"}}})
    assert numbers(await waiting) == [1]
