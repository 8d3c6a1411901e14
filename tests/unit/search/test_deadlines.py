"""Until when a shard is searched: the sooner of the search's own timeout and what another cluster waits."""

from typing import cast

import pytest

from sealane.engine.base import Reader, ShardSearch
from sealane.model.task import Context, Task, TaskId
from sealane.query import parse_search_body
from sealane.reduce.partial import Partial, ShardCounts
from sealane.search.one_shard import ask_shard, with_deadline

NOW = 1_000.0


def context(deadline: float | None) -> Context:
    return Context(task=Task(TaskId("n", 1), "a", None, 0, ""), deadline=deadline)


def test_without_any_nothing_changes() -> None:
    ctx = context(None)
    assert with_deadline(ctx, None, NOW) is ctx


def test_the_timeout_of_the_search() -> None:
    assert with_deadline(context(None), 250, NOW).deadline == pytest.approx(NOW + 0.25)


@pytest.mark.parametrize(("left_s", "kept_s"), [(1.0, 0.1), (100.0, 0.5), (-1.0, 0.0)])
def test_what_another_cluster_waits_less_the_way_back(left_s: float, kept_s: float) -> None:
    """Its answer, partial perhaps, is there before it is given up."""
    found = with_deadline(context(NOW + left_s), None, NOW)
    assert found.deadline == pytest.approx(NOW + left_s - kept_s)


def test_the_sooner_of_both() -> None:
    assert with_deadline(context(NOW + 1), 5_000, NOW).deadline == pytest.approx(NOW + 0.9)
    assert with_deadline(context(NOW + 10), 1_000, NOW).deadline == pytest.approx(NOW + 1)


class Overdue:
    """A reader that notices by itself that the time is over."""

    async def search(self, uuid: str, shard: int, search: ShardSearch, ctx: Context) -> Partial:
        raise TimeoutError("the deadline has passed")


async def test_a_shard_that_runs_out_of_time_is_no_cancelled_task() -> None:
    """S-73, S-80: it counts as asked, and the search as timed out."""
    search = ShardSearch(index_name="i", body=parse_search_body(b"{}"), size=10, now_ms=0)
    reader = cast(Reader, Overdue())
    answer = await ask_shard(reader, "uuid", 0, search, context(None), "node")
    assert isinstance(answer, Partial)
    assert (answer.timed_out, answer.hits, answer.shards) == (True, [], ShardCounts(1, 1))
