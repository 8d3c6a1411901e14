"""What clients ask, and how each kind of request is judged. Every function returns what kind of answer came."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from scripts.chaos.http import Answer, ask
from scripts.chaos.judge import (
    check,
    expected_numbers,
    judge_clusters,
    judge_count,
    judge_error,
    judge_search,
)
from scripts.chaos.world import World

Request = Callable[[World, random.Random], Awaitable[str]]

AGGREGATIONS = {"kinds": {"terms": {"field": "kind"}}, "sum": {"sum": {"field": "n"}}}
SORTED: dict[str, Any] = {"sort": [{"n": "asc"}], "track_total_hits": True}
WHOLE = {**SORTED, "aggs": AGGREGATIONS}
KEEP = "5s"
_LEAVE_WITHIN_S = 0.05


async def search(world: World, chance: random.Random) -> str:
    """A page of hits and aggregations, in either mode."""
    from_, size = chance.choice((0, 0, 5, 100)), chance.choice((0, 10, 10, 50))
    target = f"/{world.expression}/_search?ccs_minimize_roundtrips={_mode(chance)}"
    answer = await world.ask("POST", target, {**WHOLE, "from": from_, "size": size})
    if answer.status != 200:
        return judge_error(world, answer)
    return judge_search(world, answer, answer.body, from_=from_, size=size)


async def count(world: World, chance: random.Random) -> str:
    answer = await world.ask("POST", f"/{world.expression}/_count")
    if answer.status != 200:
        return judge_error(world, answer)
    return judge_count(world, answer)


async def leave(world: World, chance: random.Random) -> str:
    """A client that does not wait for its answer."""
    target = f"/{world.expression}/_search?ccs_minimize_roundtrips={_mode(chance)}"
    try:
        await ask(
            world.local.http,
            "POST",
            target,
            WHOLE,
            leave_after_s=chance.uniform(0, _LEAVE_WITHIN_S),
        )
    except TimeoutError:
        return "left"
    return "stayed"


async def asynchronous(world: World, chance: random.Random) -> str:
    """Submit, look until it has ended, delete; or delete before that."""
    mode, gives_up = _mode(chance), chance.random() < 0.3
    parameters = f"wait_for_completion_timeout=0&keep_alive=1m&ccs_minimize_roundtrips={mode}"
    target = f"/{world.expression}/_async_search?{parameters}&keep_on_completion=true"
    answer = await world.ask("POST", target, {**WHOLE, "size": 10})
    check(isinstance(answer.body, dict) and "id" in answer.body, "no id", answer)
    path = f"/_async_search/{answer.body['id']}"
    while answer.body["is_running"] and not gives_up:
        judge_clusters(world, answer.body["response"])
        answer = await world.ask("GET", f"{path}?wait_for_completion_timeout=1s")
    deleted = await world.ask("DELETE", path)
    check(deleted.status == 200, "not deleted", deleted)
    gone = await world.ask("GET", path)
    check(gone.status == 404, "deleted and there", gone)
    if answer.body["is_running"]:
        return "deleted"
    error = answer.body.get("error")
    if error is not None:
        check(error["reason"] == "error while executing search", "an odd error", answer)
        return judge_error(world, Answer(answer.status, {"error": error["caused_by"]}))
    kind = judge_search(world, answer, answer.body["response"], from_=0, size=10)
    check(answer.body["is_partial"] == (kind != "whole"), "is_partial is wrong", answer)
    return kind


async def scroll(world: World, chance: random.Random) -> str:
    """All pages, which together are what the first one found."""
    target = f"/{world.expression}/_search?scroll={KEEP}"
    answer = await world.ask("POST", target, {**WHOLE, "size": 150})
    if answer.status != 200:
        return judge_error(world, answer)
    kind = judge_search(world, answer, answer.body, from_=0, size=150)
    clusters = judge_clusters(world, answer.body).get("successful", [])
    seen = _numbers(answer)
    try:
        while answer.body["hits"]["hits"]:
            page = {"scroll": KEEP, "scroll_id": answer.body["_scroll_id"]}
            answer = await world.ask("POST", "/_search/scroll", page)
            if answer.status != 200:
                return judge_error(world, answer, later_page=True)
            seen += _numbers(answer)
            if answer.body["_shards"]["failed"]:
                return "page:partial"
    finally:
        last = answer.body.get("_scroll_id") if isinstance(answer.body, dict) else None
        if last is not None:
            await world.ask("DELETE", "/_search/scroll", {"scroll_id": last})
    if kind != "partial":
        check(seen == expected_numbers(world, clusters), "pages lost or doubled hits", len(seen))
    return kind


async def point_in_time(world: World, chance: random.Random) -> str:
    """Pages by `search_after` over one view of all clusters."""
    opened = await world.ask("POST", f"/{world.expression}/_pit?keep_alive={KEEP}")
    if opened.status != 200:
        return judge_error(world, opened)
    id, seen, kinds = opened.body["id"], list[int](), set[str]()
    clusters: list[str] | None = None
    try:
        while True:
            body: dict[str, Any] = {**SORTED, "size": 150, "pit": {"id": id, "keep_alive": KEEP}}
            if seen:
                body["search_after"] = [seen[-1]]
            answer = await world.ask("POST", "/_search", body)
            if answer.status != 200:
                return judge_error(world, answer, later_page=True)
            id = answer.body.get("pit_id", id)
            block = answer.body.get("_clusters")
            details = list(block["details"]) if block is not None else world.names[:1]
            by_status = (
                {"successful": list(details)}
                if block is None
                else judge_clusters(world, answer.body, details)
            )
            kinds |= set(by_status)
            clusters = by_status.get("successful", [])
            page = _numbers(answer)
            if not page:
                break
            seen += page
    finally:
        await world.ask("DELETE", "/_pit", {"id": id})
    if kinds != {"successful"}:
        return "page:partial"
    check(seen == expected_numbers(world, clusters), "pages lost or doubled hits", len(seen))
    return "whole" if len(clusters) == len(world.names) else "skipped"


REQUESTS: tuple[tuple[Request, int], ...] = (
    (search, 8),
    (count, 2),
    (leave, 2),
    (asynchronous, 3),
    (scroll, 2),
    (point_in_time, 2),
)
"""With how often each is asked."""


def _mode(chance: random.Random) -> str:
    return chance.choice(("true", "false"))


def _numbers(answer: Answer) -> list[int]:
    return [hit["_source"]["n"] for hit in answer.body["hits"]["hits"]]
