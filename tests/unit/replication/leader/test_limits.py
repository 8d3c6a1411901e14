"""How many wait, how many are read at a time, and how quickly copies leave."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.engine.mapping import Mapping
from sealane.errors import NodeClosed, Rejected
from sealane.replication.leader.polls import Polls
from sealane.replication.leader.reads import Reads
from sealane.replication.throttle import Throttle
from sealane.settings import EMPTY
from sealane.testing.simulation import in_virtual_time
from sealane.transport import TaskScope


@pytest.fixture
async def tasks() -> AsyncIterator[TaskScope]:
    async with TaskScope("test") as scope:
        yield scope


def new_index(uuid: str) -> IndexMetadata:
    return IndexMetadata(
        name="logs",
        uuid=uuid,
        shards=1,
        creation_date=0,
        settings=EMPTY,
        mapping_json=b"{}",
        mapping=Mapping(),
    )


async def forever(timeout_s: float) -> None:
    await asyncio.Event().wait()


async def test_more_than_may_wait_are_refused(tasks: TaskScope) -> None:
    polls = Polls(polls_max=2)
    for _ in range(2):
        tasks.start(polls.until("u", forever, 60))
    await asyncio.sleep(0)
    for another in (polls.until("u", forever, 60), polls.metadata(lambda: False, 60)):
        with pytest.raises(Rejected) as raised:
            await another
        assert raised.value.status == 429
    assert len(polls) == 2


async def test_who_is_refused_leaves_nothing_behind(tasks: TaskScope) -> None:
    polls = Polls(polls_max=1)
    tasks.start(polls.until("u", forever, 60))
    await asyncio.sleep(0)
    for number in range(3):
        with pytest.raises(Rejected):
            await polls.until(f"other-{number}", forever, 60)
    assert list(polls._by_index) == ["u"]


async def test_what_runs_out_of_time_by_itself_was_not_woken() -> None:
    polls = Polls()

    async def late(timeout_s: float) -> None:
        raise TimeoutError("of what is waited for")

    with pytest.raises(TimeoutError, match="of what is waited for"):
        await polls.until("u", late, 60)
    assert len(polls) == 0


async def test_who_leaves_makes_room(tasks: TaskScope) -> None:
    polls = Polls(polls_max=1)
    waiting = tasks.start(polls.until("u", forever, 60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert len(polls) == 0
    tasks.start(polls.until("u", forever, 60))
    await asyncio.sleep(0)
    assert len(polls) == 1


async def test_a_change_of_the_metadata_wakes_who_waits_for_it_alone(tasks: TaskScope) -> None:
    polls = Polls()
    version = 1
    operations = tasks.start(polls.until("u", forever, 60))
    news = tasks.start(polls.metadata(lambda: version > 1, 60))
    await asyncio.sleep(0)
    polls.changed(ClusterMetadata(), ClusterMetadata())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not news.done()
    version = 2
    polls.changed(ClusterMetadata(), ClusterMetadata())
    assert await news
    assert not operations.done()


async def test_two_changes_in_one_step_wake_once(tasks: TaskScope) -> None:
    polls = Polls()
    index = new_index("u")
    waiting = tasks.start(polls.until("u", forever, 60))
    await asyncio.sleep(0)
    before, gone = ClusterMetadata([index]), ClusterMetadata()
    polls.changed(before, gone)
    polls.changed(gone, before)
    await asyncio.sleep(0)
    polls.changed(before, gone)
    await waiting
    assert len(polls) == 0


async def test_nobody_waits_once_it_is_closed(tasks: TaskScope) -> None:
    polls = Polls()
    waiting = [
        tasks.start(polls.until("u", forever, 60)),
        tasks.start(polls.metadata(lambda: False, 60)),
    ]
    await asyncio.sleep(0)
    polls.close()
    for each in (*waiting, polls.until("u", forever, 60), polls.metadata(lambda: True, 60)):
        with pytest.raises(NodeClosed):
            await each


@in_virtual_time
async def test_a_wait_has_an_end_whatever_is_asked() -> None:
    polls = Polls()
    began = asyncio.get_running_loop().time()
    assert not await polls.metadata(lambda: False, 1e9)
    assert asyncio.get_running_loop().time() - began == 600


async def test_reads_wait_for_their_turn_and_too_many_are_refused(tasks: TaskScope) -> None:
    reads = Reads(at_once=1, waiting_max=1)
    gate = asyncio.Event()

    async def read() -> None:
        async with reads:
            await gate.wait()

    running = [tasks.start(read()), tasks.start(read())]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Rejected):
        await read()
    gate.set()
    await asyncio.wait(running)
    await read()


@in_virtual_time
async def test_copies_together_leave_at_the_rate_that_is_set() -> None:
    rate = 1000
    throttle = Throttle(lambda: rate)
    began = asyncio.get_running_loop().time()
    for _ in range(5):
        await throttle.take(500)
    assert asyncio.get_running_loop().time() - began == 2.0, "the first leaves at once"
    rate = 0
    now = asyncio.get_running_loop().time()
    for _ in range(100):
        await throttle.take(1 << 20)
    assert asyncio.get_running_loop().time() == now


@in_virtual_time
async def test_who_leaves_before_its_turn_gives_it_to_those_behind() -> None:
    """R-98: else answers that come too late for those who asked keep all the room, and no copy ever gets on."""
    throttle = Throttle(lambda: 1000)
    async with TaskScope("test") as scope:
        await throttle.take(60_000)
        waiting = [scope.start(throttle.take(60_000)) for _ in range(3)]
        await asyncio.sleep(1)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
    await throttle.take(1)
    assert asyncio.get_running_loop().time() == 60
