"""Walks through all that a query matches, by scrolls and in points in time, while documents are written: each shows
what one search of one index shows that holds all documents.
"""

import random
from typing import Any

import pytest

from tests.properties.search import generator
from tests.properties.search.conftest import UNION, Duel, Stage
from tests.properties.search.seeds import seeds

Json = dict[str, Any]
WALKS, MAX_WINDOW = 6, 10_000


@pytest.mark.parametrize("seed", seeds(6))
async def test_every_document_once(seed: int, stage: Stage) -> None:
    """S-40, S-42, S-62."""
    case = generator.case(seed)
    async with stage(case) as duel:
        for number in range(WALKS):
            query, sort = generator.query(case.rng), generator.sort(case.rng)
            body: Json = {"query": query, "sort": sort, "track_total_hits": True}
            one = await duel.union.request(
                "POST", f"/{UNION}/_search", {**body, "size": MAX_WINDOW}
            )
            if one.status != 200:
                continue
            due = [(hit["_id"], hit["sort"]) for hit in one.body["hits"]["hits"]]
            size = case.rng.randint(1, 30)
            assert await _scrolled(duel, body, size, number) == due, (body, size)
            assert await _paged(duel, body, size, number) == due, (body, size)
            unsorted = {"query": query}
            ids = sorted(doc_id for doc_id, _ in due)
            assert sorted(each for each, _ in await _scrolled(duel, unsorted, size, number)) == ids
            assert await _sliced(duel, query, case.rng) == ids
        assert [each.engine.open_readers for each in duel.parts] == [0] * len(duel.parts)


async def _disturb(duel: Duel, number: int) -> None:
    """Writes where the walk has begun, and takes it back: what is walked through stays as it was."""
    for cluster in duel.parts:
        doc_id = f"disturbance-{number}"
        await cluster.call("PUT", f"/part/_doc/{doc_id}?refresh=true", {"uid": doc_id})
        await cluster.call("DELETE", f"/part/_doc/{doc_id}?refresh=true")


async def _scrolled(duel: Duel, body: Json, size: int, number: int) -> list[tuple[str, Any]]:
    path = f"/{duel.expression}/_search?scroll=1m"
    page = await duel.local.call("POST", path, {**body, "size": size})
    scroll = {"scroll_id": page["_scroll_id"], "scroll": "1m"}
    await _disturb(duel, number)
    seen: list[tuple[str, Any]] = []
    while page["hits"]["hits"]:
        seen += [(hit["_id"], hit.get("sort")) for hit in page["hits"]["hits"]]
        assert page["hits"]["total"]["relation"] == "eq"
        page = await duel.local.call("POST", "/_search/scroll", scroll)
    await duel.local.call("DELETE", "/_search/scroll", {"scroll_id": scroll["scroll_id"]})
    assert len(seen) == page["hits"]["total"]["value"]
    return seen


async def _paged(duel: Duel, body: Json, size: int, number: int) -> list[tuple[str, Any]]:
    opened = await duel.local.call("POST", f"/{duel.expression}/_pit?keep_alive=1m")
    await _disturb(duel, number)
    asked = {**body, "size": size, "pit": {"id": opened["id"]}}
    seen: list[tuple[str, Any]] = []
    while hits := (await duel.local.call("POST", "/_search", asked))["hits"]["hits"]:
        seen += [(hit["_id"], hit["sort"][:-1]) for hit in hits]
        asked["search_after"] = hits[-1]["sort"]
    await duel.local.call("DELETE", "/_pit", {"id": opened["id"]})
    return seen


async def _sliced(duel: Duel, query: Json, rng: random.Random) -> list[str]:
    """All slices of a point in time together, by documents or by a field that many of them lack."""
    opened = await duel.local.call("POST", f"/{duel.expression}/_pit?keep_alive=1m")
    slices = rng.randint(2, 12)
    field = rng.choice(({}, {"field": "number"}))
    seen: list[str] = []
    for part in range(slices):
        answer = await duel.local.call(
            "POST",
            "/_search",
            {
                "query": query,
                "slice": {"id": part, "max": slices, **field},
                "size": MAX_WINDOW,
                "pit": {"id": opened["id"]},
            },
        )
        seen += [hit["_id"] for hit in answer["hits"]["hits"]]
    await duel.local.call("DELETE", "/_pit", {"id": opened["id"]})
    return sorted(seen)
