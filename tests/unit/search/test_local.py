"""The local cluster: what becomes of its shards' answers and failures."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from sealane.engine.base import ShardSearch
from sealane.errors import (
    ApiError,
    IllegalArgument,
    ParsingError,
    QueryShardError,
    SearchPhaseExecution,
    TaskCancelled,
)
from sealane.model.dsl import Bool, Term
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.security import IndexLimits
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_search_body
from sealane.reduce.partial import ClusterAnswer, Hit, Partial, ShardCounts, TotalHits
from sealane.search.local import LocalCluster


class Index(NamedTuple):
    """As much of a ResolvedIndex as a search reads."""

    name: str
    shards: int
    filters: tuple[bytes, ...] | None = None
    limits: IndexLimits | None = None

    @property
    def uuid(self) -> str:
        return f"uuid-{self.name}"


class Indices:
    def __init__(self, *found: Index) -> None:
        self.found = found
        self.resolved: list[tuple[Sequence[str], IndicesOptions, int]] = []

    def resolve(
        self, expressions: Sequence[str], options: IndicesOptions, now_ms: int
    ) -> Sequence[Any]:
        self.resolved.append((expressions, options, now_ms))
        return self.found

    def limits_of(self, index: str, uuid: str, reached: Sequence[str]) -> IndexLimits | None:
        return None


class Shards:
    """Every shard answers one hit, or the error that is set for it."""

    def __init__(self, **errors: ApiError) -> None:
        self.errors = errors
        self.asked: list[tuple[str, int, ShardSearch]] = []
        self.running = 0
        self.most_at_once = 0

    async def search(
        self, index_uuid: str, shard: int, request: ShardSearch, ctx: Context
    ) -> Partial:
        self.asked.append((index_uuid, shard, request))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        name = request.index_name.replace(":", "_")
        error = self.errors.get(f"{name}_{shard}") or self.errors.get(name)
        if error is not None:
            raise error
        return Partial(
            hits=[Hit(request.index_name, f"{name}-{shard}", 1.0 + shard, b"{}", shard=shard)],
            total=TotalHits(1),
            max_score=1.0 + shard,
            shards=ShardCounts(1, 1, 0, 0),
        )


class Defaults:
    """What the cluster's settings say, as a test wants it."""

    def __init__(self, *, timeout_ms: int | None = None, allow_partial: bool = True) -> None:
        self._timeout_ms = timeout_ms
        self._allow_partial = allow_partial

    def max_buckets(self) -> int:
        return 100

    def timeout_ms(self) -> int | None:
        return self._timeout_ms

    def allow_partial_results(self) -> bool:
        return self._allow_partial

    def max_keep_alive_ms(self) -> int:
        return 86_400_000

    def max_open_scrolls(self) -> int:
        return 500


async def search(
    indices: Indices,
    shards: Shards,
    *,
    alias: str = "",
    from_: int = 0,
    size: int = 10,
    final: bool = True,
    body: bytes = b"{}",
    defaults: Defaults | None = None,
    **members: Any,
) -> ClusterAnswer:
    cluster = LocalCluster(
        indices=indices,
        reader=shards,  # type: ignore[arg-type]  # a search only searches
        node_id="node-1",
        defaults=defaults or Defaults(),
    )
    request = SearchRequest(
        indices=("i",),
        body=parse_search_body(body),
        from_=from_,
        size=size,
        final_reduce=final,
        **members,
    )
    with TaskRegistry("n").start("indices:data/read/search", start_ms=0) as task:
        return await cluster.search(request, Context(task=task, local_alias=alias, start_ms=77))


async def failure(indices: Indices, shards: Shards, **members: Any) -> SearchPhaseExecution:
    with pytest.raises(SearchPhaseExecution) as error:
        await search(indices, shards, **members)
    return error.value


BAD = IllegalArgument("no such thing")


# -- asking ------------------------------------------------------------------------------------------------------


async def test_every_shard_of_every_index_is_asked_for_the_whole_window() -> None:
    shards = Shards()
    answer = await search(Indices(Index("a", 2), Index("b", 1)), shards, from_=5, size=3)
    assert sorted((uuid, shard) for uuid, shard, _ in shards.asked) == [
        ("uuid-a", 0),
        ("uuid-a", 1),
        ("uuid-b", 0),
    ]
    assert {request.size for _, _, request in shards.asked} == {8}
    assert answer.partial.shards == ShardCounts(3, 3, 0, 0)
    assert answer.partial.total == TotalHits(3)


async def test_now_is_what_the_coordinator_says() -> None:
    """S-61."""
    indices, shards = Indices(Index("a", 1)), Shards()
    await search(indices, shards)
    assert [request.now_ms for _, _, request in shards.asked] == [77]
    assert [now_ms for _, _, now_ms in indices.resolved] == [77]


async def test_a_shard_knows_its_index_by_the_callers_alias() -> None:
    """S-1, S-51."""
    shards = Shards()
    answer = await search(Indices(Index("a", 1)), shards, alias="eu")
    assert [hit.index for hit in answer.partial.hits] == ["eu:a"]


async def test_the_filters_of_aliases_are_joined_by_or() -> None:
    """S-22."""
    shards = Shards()
    one, two = b'{"term":{"k":"1"}}', b'{"term":{"k":"2"}}'
    await search(Indices(Index("a", 1, (one,)), Index("b", 1, (one, two)), Index("c", 1)), shards)
    first, second = Term(field="k", value="1"), Term(field="k", value="2")
    assert {uuid: request.filter for uuid, _, request in shards.asked} == {
        "uuid-a": first,
        "uuid-b": Bool(should=(first, second), minimum_should_match="1"),
        "uuid-c": None,
    }


async def test_at_most_sixteen_shards_are_searched_at_a_time() -> None:
    shards = Shards()
    answer = await search(Indices(Index("a", 50)), shards)
    assert shards.most_at_once == 16
    assert answer.partial.shards.successful == 50


async def test_no_index_answers_nothing() -> None:
    """S-18, S-20: no shards, and a max_score of 0.0 as the reference says there."""
    answer = await search(Indices(), Shards())
    assert (answer.partial.hits, answer.partial.total) == ([], TotalHits(0))
    assert answer.partial.shards == ShardCounts(0, 0, 0, 0)
    assert answer.partial.max_score == 0.0


async def test_no_index_and_no_count() -> None:
    answer = await search(Indices(), Shards(), body=b'{"track_total_hits":false}')
    assert answer.partial.total is None


async def test_hits_are_cut_to_the_page() -> None:
    answer = await search(Indices(Index("a", 4)), Shards(), from_=1, size=2)
    assert [hit.id for hit in answer.partial.hits] == ["a-2", "a-1"]
    assert answer.partial.max_score == 4.0


async def test_a_lone_shard_leaves_out_what_is_before_the_page() -> None:
    """Its hits come as the page; those of several shards have to be merged first."""
    shards = Shards()
    answer = await search(Indices(Index("a", 1)), shards, from_=5, size=2)
    assert [(each.skip, each.size) for _, _, each in shards.asked] == [(5, 7)]
    assert [hit.id for hit in answer.partial.hits] == ["a-0"]
    several = Shards()
    await search(Indices(Index("a", 2)), several, from_=5, size=2)
    assert {each.skip for _, _, each in several.asked} == {0}


# -- failing -----------------------------------------------------------------------------------------------------


async def test_a_failed_shard_leaves_a_partial_answer() -> None:
    """S-51, S-69: its failure names shard, index (with the caller's alias) and node."""
    answer = await search(Indices(Index("a", 2)), Shards(eu_a_1=BAD), alias="eu")
    partial = answer.partial
    assert partial.shards == ShardCounts(2, 1, 0, 1)
    assert [hit.id for hit in partial.hits] == ["eu_a-0"]
    (failed,) = partial.failures
    assert (failed.shard, failed.index, failed.node) == (1, "eu:a", "node-1")
    assert ApiError.from_wire(failed.error).to_cause() == BAD.to_cause()


async def test_all_shards_failed() -> None:
    """S-70: one error for all, its status that of the first cause."""
    error = await failure(Indices(Index("a", 3)), Shards(a=BAD))
    assert error.to_body() == {
        "error": {
            "root_cause": [BAD.to_cause()],
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
            "phase": "query",
            "grouped": True,
            "failed_shards": [
                {"shard": 0, "index": "a", "node": "node-1", "reason": BAD.to_cause()}
            ],
            "caused_by": {**BAD.to_cause(), "caused_by": BAD.to_cause()},
        },
        "status": 400,
    }


async def test_failures_are_grouped_by_index_type_and_reason() -> None:
    other = IllegalArgument("another thing")
    error = await failure(
        Indices(Index("a", 3), Index("b", 1)), Shards(a_0=BAD, a_1=BAD, a_2=other, b=BAD)
    )
    shown = error.to_body()["error"]
    assert [(each["index"], each["shard"]) for each in shown["failed_shards"]] == [
        ("a", 0),
        ("a", 2),
        ("b", 0),
    ]
    assert [each["reason"] for each in shown["root_cause"]] == [
        "no such thing",
        "another thing",
        "no such thing",
    ]


@pytest.mark.parametrize(
    ("cause", "shown_again"),
    [
        (BAD, True),
        (QueryShardError("failed to create query: x"), False),
        (ParsingError("x"), False),
    ],
)
async def test_only_a_plain_error_is_shown_again_as_the_cause(
    cause: ApiError, shown_again: bool
) -> None:
    error = await failure(Indices(Index("a", 1)), Shards(a=cause))
    assert ("caused_by" in error.to_body()["error"]) is shown_again


async def test_partial_answers_may_be_refused() -> None:
    """S-74: allow_partial_search_results=false."""
    indices = Indices(Index("a", 2))
    error = await failure(indices, Shards(a_1=BAD), allow_partial_results=False)
    assert error.reason == "Partial shards failure"
    assert error.status == 400
    assert [each["shard"] for each in error.to_body()["error"]["failed_shards"]] == [1]
    answer = await search(indices, Shards(), allow_partial_results=False)
    assert answer.partial.shards.failed == 0


async def test_all_shards_failed_is_said_even_where_partial_answers_are_refused() -> None:
    error = await failure(Indices(Index("a", 2)), Shards(a=BAD), allow_partial_results=False)
    assert error.reason == "all shards failed"


async def test_a_cancel_is_no_shard_failure() -> None:
    """S-80."""
    with pytest.raises(TaskCancelled):
        await search(Indices(Index("a", 2)), Shards(a_1=TaskCancelled("by user")))


class Stuck(Shards):
    """The shards of the index `slow` never answer."""

    async def search(
        self, index_uuid: str, shard: int, request: ShardSearch, ctx: Context
    ) -> Partial:
        if request.index_name == "slow":
            await asyncio.Event().wait()
        return await super().search(index_uuid, shard, request, ctx)


async def test_shards_that_take_longer_than_the_timeout_answer_nothing_in_time() -> None:
    """S-73: timed_out, with what the others found."""
    answer = await search(
        Indices(Index("slow", 1), Index("quick", 1)), Stuck(), body=b'{"timeout":"1ms"}'
    )
    assert answer.partial.timed_out
    assert answer.partial.shards == ShardCounts(2, 2, 0, 0)
    assert [hit.index for hit in answer.partial.hits] == ["quick"]


async def test_the_clusters_own_timeout_holds_where_the_search_has_none() -> None:
    answer = await search(Indices(Index("slow", 1)), Stuck(), defaults=Defaults(timeout_ms=1))
    assert answer.partial.timed_out


async def test_whether_partial_answers_do_is_the_clusters_to_say_where_the_search_does_not() -> (
    None
):
    shards = Shards(a=IllegalArgument("no"))
    with pytest.raises(SearchPhaseExecution):
        await search(
            Indices(Index("a", 1), Index("b", 1)), shards, defaults=Defaults(allow_partial=False)
        )
    answer = await search(
        Indices(Index("a", 1), Index("b", 1)),
        shards,
        defaults=Defaults(allow_partial=False),
        allow_partial_results=True,
    )
    assert answer.partial.shards.failed == 1
