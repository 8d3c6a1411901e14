"""Nested queries, counts and aggregations over random documents, against plain Python over the same documents."""

import random
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import clusters

Json = dict[str, Any]
DOCUMENTS = 60
QUERIES = 25
MAPPINGS = {
    "properties": {
        "t": {"type": "integer"},
        "n": {
            "type": "nested",
            "properties": {
                "x": {"type": "integer"},
                "k": {"type": "keyword"},
                "m": {"type": "nested", "properties": {"y": {"type": "integer"}}},
            },
        },
    }
}


def document(draw: random.Random) -> Json:
    made: Json = {"t": draw.randrange(4)}
    objects = [nested_object(draw) for _ in range(draw.randrange(4))]
    if objects or draw.random() < 0.5:
        made["n"] = objects[0] if len(objects) == 1 and draw.random() < 0.5 else objects
    return made


def nested_object(draw: random.Random) -> Json:
    made: Json = {"x": draw.randrange(5), "k": draw.choice("abc")}
    if draw.random() < 0.2:
        del made["x"]
    if draw.random() < 0.6:
        made["m"] = [{"y": draw.randrange(4)} for _ in range(draw.randrange(3))]
    return made


def objects_of(source: Json) -> list[Json]:
    held = source.get("n", [])
    return held if isinstance(held, list) else [held]


def clause(draw: random.Random) -> tuple[Json, Any]:
    """A query on one object, and what it means."""
    kind = draw.randrange(4)
    if kind == 0:
        low = draw.randrange(5)
        return {"range": {"n.x": {"gte": low}}}, lambda each: each.get("x", -1) >= low
    if kind == 1:
        letter = draw.choice("abc")
        return {"term": {"n.k": letter}}, lambda each: each["k"] == letter
    if kind == 2:
        number = draw.randrange(4)
        inner = {"nested": {"path": "n.m", "query": {"term": {"n.m.y": number}}}}
        return inner, lambda each: any(one["y"] == number for one in each.get("m", []))
    return {"exists": {"field": "n.x"}}, lambda each: "x" in each


def question(draw: random.Random) -> tuple[Json, Any]:
    (first, one), (second, other) = clause(draw), clause(draw)
    match draw.randrange(3):
        case 0:
            return {"bool": {"must": [first, second]}}, lambda each: one(each) and other(each)
        case 1:
            return {"bool": {"should": [first, second]}}, lambda each: one(each) or other(each)
    return {"bool": {"must_not": [first], "filter": [second]}}, (
        lambda each: other(each) and not one(each)
    )


@pytest.mark.parametrize("seed", range(4))
async def test_nested_queries_find_what_plain_python_finds(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    async with clusters(tmp_path, "local", "eu") as (local, eu):
        local.register(eu)
        sources = {str(at): document(draw) for at in range(DOCUMENTS)}
        for cluster, part in ((local, 0), (eu, 1)):
            body = {"mappings": MAPPINGS, "settings": {"number_of_shards": draw.randrange(1, 4)}}
            await cluster.call("PUT", "/i", body)
            mine = {key: each for key, each in sources.items() if int(key) % 2 == part}
            await cluster.fill("i", mine)
            replaced = {key: document(draw) for key in draw.sample(sorted(mine), 8)}
            await cluster.fill("i", replaced)
            sources.update(replaced)
            for key in draw.sample(sorted(mine), 3):
                await cluster.call("DELETE", f"/i/_doc/{key}?refresh=true")
                del sources[key]
        for _ in range(QUERIES):
            query, means = question(draw)
            expected = {
                key: [at for at, each in enumerate(objects_of(source)) if means(each)]
                for key, source in sources.items()
            }
            expected = {key: offsets for key, offsets in expected.items() if offsets}
            body = {
                "size": 100,
                "query": {"nested": {"path": "n", "query": query, "inner_hits": {}}},
                "aggs": {"n": {"nested": {"path": "n"}, "aggs": {"f": {"filter": query}}}},
                "sort": [{"n.x": {"nested": {"path": "n", "filter": query}, "mode": "sum"}}],
            }
            answer = await local.call("POST", "/i,eu:i/_search", body)
            found = {
                hit["_id"]: sorted(
                    inner["_nested"]["offset"] for inner in hit["inner_hits"]["n"]["hits"]["hits"]
                )
                for hit in answer["hits"]["hits"]
            }
            assert found == expected, (seed, query)
            for hit in answer["hits"]["hits"]:
                objects = objects_of(sources[hit["_id"]])
                numbers = [objects[at]["x"] for at in expected[hit["_id"]] if "x" in objects[at]]
                assert hit["sort"] == [sum(numbers) if numbers else 2**31 - 1], (seed, query)
            of_matches = sum(len(objects_of(sources[key])) for key in expected)
            assert answer["aggregations"]["n"]["doc_count"] == of_matches, (seed, query)
            matching = sum(map(len, expected.values()))
            assert answer["aggregations"]["n"]["f"]["doc_count"] == matching, (seed, query)
