"""Asynchronous searches in virtual time: how long they are kept, and how they end."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from sealane.errors import ApiError, IllegalArgument, IndexNotFound, ResourceNotFound, TaskCancelled
from sealane.model.security import ANONYMOUS, Realm, Subject
from sealane.model.task import Context, TaskId, TaskRegistry
from sealane.query import parse_search_body
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import Partial, ShardCounts, TotalHits
from sealane.search.async_id import AsyncId
from sealane.search.async_progress import SearchSoFar
from sealane.search.async_search import AsyncSearches, AsyncView
from sealane.search.client_search import ClientSearch
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.outcome import SearchOutcome, outcome_of
from sealane.search.progress import Progress
from sealane.testing.simulation import in_virtual_time

HOUR_MS = 3_600_000
FOUND = Partial(hits=[], total=TotalHits(3), max_score=None, shards=ShardCounts(1, 1))
REQUEST = ClientSearch(expressions=("i",), body=parse_search_body(b"{}"))


class LoopClock:
    """Wall time that goes with the loop's."""

    def now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)


class Ids:
    def __init__(self) -> None:
        self._made = 0

    def new(self) -> str:
        self._made += 1
        return f"{self._made:022}"

    def document(self) -> str:
        raise AssertionError("no documents here")


class Limits:
    def response_bytes_max(self) -> int:
        return 1_000

    def searches_max(self) -> int:
        return 3

    def total_bytes_max(self) -> int:
        return 50


class Searches:
    """A search that takes so long, and ends as it is told."""

    def __init__(self, takes_s: float, error: Exception | None = None) -> None:
        self.takes_s = takes_s
        self.error = error
        self.cancelled = 0

    async def search(
        self, request: ClientSearch, ctx: Context, progress: Progress | None = None
    ) -> SearchOutcome:
        assert progress is not None
        progress.begun([ClusterTarget(LOCAL, request.expressions)])
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return SearchOutcome(answer=FOUND, took_ms=int(self.takes_s * 1000))

    def merge(self, request: ClientSearch, answers: Sequence[Partial], *, now_ms: int) -> Partial:
        raise AssertionError("nothing to merge")


class World:
    def __init__(self, takes_s: float, error: Exception | None = None) -> None:
        self.tasks = TaskRegistry("n")
        self.searches = Searches(takes_s, error)
        self.kept = AsyncSearches(
            self.searches,  # type: ignore[arg-type]  # of the service only this is used
            tasks=self.tasks,
            clock=LoopClock(),
            ids=Ids(),
            limits=Limits(),
        )

    def context(self, subject: Subject = ANONYMOUS) -> Context:
        running = self.tasks.start("rest", start_ms=0)
        with running as task:
            return Context(task=task, subject=subject)

    async def submit(
        self, *, wait_ms: int = 0, keep_ms: int = HOUR_MS, keep_on_completion: bool = True
    ) -> AsyncView:
        return await self.kept.submit(
            REQUEST,
            self.context(),
            wait_ms=wait_ms,
            keep_ms=keep_ms,
            keep_on_completion=keep_on_completion,
        )

    async def get(self, id: str | None, **asked: Any) -> AsyncView:
        assert id is not None
        view, _ = await self.kept.get(id, self.context(), **asked)
        return view


@in_virtual_time
async def test_a_search_is_waited_for_as_long_as_it_is_asked_for() -> None:
    world = World(takes_s=5)
    view = await world.submit(wait_ms=1_000)
    assert (view.is_running, view.is_partial) == (True, True)
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)
    assert (await world.get(view.id, wait_ms=1_000)).is_running
    ended = await world.get(view.id, wait_ms=60_000)
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)
    assert (ended.is_running, ended.is_partial) == (False, False)
    assert ended.completed_ms == ended.started_ms + 5_000
    await world.kept.close()


@in_virtual_time
async def test_an_expired_search_is_ended_and_forgotten() -> None:
    """S-90: also one that nobody looks at."""
    world = World(takes_s=100)
    view = await world.submit(keep_ms=2_000)
    assert view.expires_ms == view.started_ms + 2_000
    await asyncio.sleep(1.9)
    assert (await world.get(view.id)).is_running
    await asyncio.sleep(0.2)
    assert world.searches.cancelled == 1
    with pytest.raises(ResourceNotFound):
        await world.get(view.id)
    assert len(world.tasks) == 0
    assert world.kept.statistics()["expired"] == 1


@in_virtual_time
async def test_a_search_that_expires_is_not_there_for_who_waits() -> None:
    world = World(takes_s=100)
    view = await world.submit(keep_ms=2_000)
    with pytest.raises(ResourceNotFound):
        await world.get(view.id, wait_ms=60_000)
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


@in_virtual_time
async def test_a_later_keep_alive_counts_from_then() -> None:
    world = World(takes_s=1)
    view = await world.submit(keep_ms=2_000)
    await asyncio.sleep(1.5)
    longer = await world.get(view.id, keep_ms=10_000)
    assert longer.expires_ms == 11_500
    await asyncio.sleep(9)
    shorter = await world.get(view.id, keep_ms=1_000)
    assert shorter.expires_ms == 11_500
    await asyncio.sleep(1.1)
    with pytest.raises(ResourceNotFound):
        await world.get(view.id)


@in_virtual_time
async def test_whoever_cancels_the_submit_cancels_the_search() -> None:
    """S-89."""
    world = World(takes_s=100)
    submit = asyncio.create_task(world.submit(wait_ms=60_000))
    await asyncio.sleep(1)
    submit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submit
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.searches.cancelled == 1
    assert world.kept.statistics()["running"] == 0


@in_virtual_time
async def test_a_cancelled_task_is_a_failure_of_its_search() -> None:
    """S-80, S-91."""
    world = World(takes_s=100)
    view = await world.submit()
    (task,) = world.tasks
    assert task.description == "async_search{indices[i]}"
    task.cancel("by user request")
    ended = await world.get(view.id, wait_ms=1_000)
    assert ended.error is not None
    assert ended.error.status == 400
    assert isinstance(ended.error.caused_by, TaskCancelled)


@pytest.mark.parametrize(
    ("error", "status"), [(IndexNotFound("i"), 404), (ValueError("a fault of ours"), 500)]
)
@in_virtual_time
async def test_a_failure_is_kept_with_its_status(error: Exception, status: int) -> None:
    """Also one that nobody foresaw: nobody waits for ever."""
    world = World(takes_s=1, error=error)
    view = await world.submit()
    ended = await world.get(view.id, wait_ms=5_000)
    assert isinstance(ended.error, ApiError)
    assert (ended.error.es_type, ended.error.status) == ("status_exception", status)
    assert (ended.is_running, ended.is_partial) == (False, True)


@in_virtual_time
async def test_all_answers_together_have_a_limit() -> None:
    world = World(takes_s=1)
    views = [await world.submit(wait_ms=5_000) for _ in range(3)]
    kept = [await world.get(view.id) for view in views]
    assert kept[0].outcome is not None
    assert kept[-1].outcome is None
    assert isinstance(kept[-1].error, IllegalArgument)
    assert "search.async_search.max_total_size" in kept[-1].error.reason
    assert world.kept.statistics()["kept_in_bytes"] <= 50


@in_virtual_time
async def test_a_search_is_its_owners_alone() -> None:
    world = World(takes_s=1)
    view = await world.submit(wait_ms=5_000)
    other = world.context(Subject(name="other", realm=Realm(name="r", type="r")))
    assert view.id is not None
    with pytest.raises(ResourceNotFound):
        await world.kept.get(view.id, other)
    with pytest.raises(ResourceNotFound):
        world.kept.delete(view.id, other)


@in_virtual_time
async def test_closing_ends_what_runs() -> None:
    world = World(takes_s=100)
    await world.submit()
    await world.kept.close()
    assert world.searches.cancelled == 1
    assert len(world.tasks) == 0


def test_ids_are_read_as_they_are_written() -> None:
    id = AsyncId("x" * 22, TaskId("Ra3mNJ_gRKmGiTqcYYBI2g", 1_234))
    assert AsyncId.read(str(id)) == id
    assert str(id).startswith("Fn")
    for text in (str(id)[:-4], str(id) + "AAAA", "", "é"):
        with pytest.raises(IllegalArgument):
            AsyncId.read(text)


def test_what_clusters_answered_is_kept_only_until_the_search_has_ended() -> None:
    part = Partial(hits=[], total=TotalHits(1), max_score=None, shards=ShardCounts(1, 1))
    so_far = SearchSoFar(REQUEST, lambda answers: answers[0])
    target = ClusterTarget("eu", ("i",))
    so_far.begun([target])
    before = sys.getrefcount(part)
    so_far.cluster_ended(outcome_of("eu", ("i",), ClusterAnswer(part, 1)), part)
    so_far.reduced(lambda: part)
    assert so_far.outcome(1) is not None
    assert sys.getrefcount(part) > before
    so_far.forget()
    assert sys.getrefcount(part) == before
