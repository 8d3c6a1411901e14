"""One shard of this cluster, asked: what of a request the engine is handed, and what becomes of its failure."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from sealane.engine.base import Reader, ShardSearch
from sealane.errors import ApiError, TaskCancelled
from sealane.model.dsl import TRACK_NONE, Bool, Query, SearchBody
from sealane.model.task import Context
from sealane.query import decode, parse_query
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits
from sealane.search.failed_shards import FailedShard, failed_shard

CONCURRENT_SHARDS = 16
"""Shards of one request that are searched at a time; the engine's executor is the real limit."""

_AT_A_STRETCH = 64
"""Shards that are looked at without a pause: each costs some microseconds, and there may be thousands."""

_ON_THE_WAY_MAX_S = 0.5
"""Of the time that another cluster gives, what is kept for merging and the way back."""


async def ask_shard(
    reader: Reader, uuid: str, shard: int, search: ShardSearch, ctx: Context, node_id: str
) -> Partial | FailedShard:
    """The shard's answer; one without hits where the context's deadline came first. Raises TaskCancelled."""
    try:
        if ctx.deadline is None:
            answer = await reader.search(uuid, shard, search, ctx)
        else:
            async with asyncio.timeout_at(ctx.deadline):
                answer = await reader.search(uuid, shard, search, ctx)
        if search.body.explain or search.body.profile:
            name_node(answer.hits, node_id)
            for profiled in answer.profile or ():
                profiled.node = node_id
        return answer
    except TimeoutError:
        # What it found so far is not to be had: the shard counts as asked, its hits as none.
        return Partial(
            hits=[],
            total=no_hits(search.body),
            max_score=None,
            shards=ShardCounts(1, 1),
            timed_out=True,
        )
    except TaskCancelled:
        raise
    except ApiError as error:
        return failed_shard(shard, search.index_name, error, node_id)


async def pause_after(number: int) -> None:
    """Lets the loop go on with others, where shard `number` of those that are looked at ends a stretch."""
    if number % _AT_A_STRETCH == _AT_A_STRETCH - 1:
        await asyncio.sleep(0)


def name_node(hits: Sequence[Hit], node_id: str) -> None:
    """Tells hits that are explained what node they are from: the engine does not know it. They are in no cache."""
    for hit in hits:
        hit.node = node_id


def with_deadline(ctx: Context, limit_ms: int | None, now: float) -> Context:
    """The context with the deadline that a search's `timeout` sets, if that is sooner than its own.

    The context's own is when another cluster gives up: its answer, partial perhaps, must be there before.
    """
    given = ctx.deadline
    if given is not None:
        given -= min(_ON_THE_WAY_MAX_S, max(0.0, given - now) / 10)
    deadline = None if limit_ms is None else now + limit_ms / 1000
    if deadline is None or (given is not None and given < deadline):
        deadline = given
    return ctx if deadline == ctx.deadline else replace(ctx, deadline=deadline)


def shown_index(name: str, ctx: Context) -> str:
    """The name of an index as the asking cluster shows it."""
    return f"{ctx.local_alias}:{name}" if ctx.local_alias else name


@lru_cache(maxsize=256)
def any_of(filters: tuple[bytes, ...] | None) -> Query | None:
    """The alias filters of an index, or-ed; None where it was named without one."""
    if filters is None:
        return None
    parsed = tuple(parse_query(decode(each)) for each in filters)
    return parsed[0] if len(parsed) == 1 else Bool(should=parsed, minimum_should_match="1")


def no_hits(body: SearchBody) -> TotalHits | None:
    return None if body.track_total_hits == TRACK_NONE else TotalHits(0)
