"""The union duel: several clusters searched as one answer what one index with all their documents answers.

Scores are left out, as term statistics are a cluster's own. A failing seed runs alone with
`SEALANE_SEEDS=17-17 .venv/bin/pytest tests/properties/search`.
"""

import json
import random
from typing import Any

import pytest

from tests.properties.search import generator, more
from tests.properties.search.conftest import UNION, Duel, Stage, tally
from tests.properties.search.seeds import seeds
from tests.properties.search.shrink import shrink

Json = dict[str, Any]
PAGES, AGGREGATIONS, MATCHES, WALKS = 24, 24, 12, 4
MAX_WINDOW = 10_000


@pytest.mark.parametrize("seed", seeds())
async def test_the_union_of_clusters_answers_as_one_index(seed: int, stage: Stage) -> None:
    """S-49, S-52, S-53, S-56, S-58, S-62, S-96, S-97, S-100, S-106, S-110, S-113, S-115, S-123."""
    case = generator.case(seed)
    async with stage(case) as duel:
        for _ in range(PAGES):
            await _compare(duel, generator.page(case.rng), _mode(case.rng))
        for _ in range(AGGREGATIONS):
            body = {"size": 0, "track_total_hits": True, "query": generator.query(case.rng)}
            body["aggs"] = generator.aggregations(case.rng)
            await _compare(duel, body, _mode(case.rng))
        await _compare(duel, {"size": 0, "aggs": more.pipeline(case.rng)})
        for _ in range(MATCHES):
            await _compare_matches(duel, generator.query(case.rng))
        for _ in range(WALKS):
            await _compare_walks(duel, generator.query(case.rng), generator.sort(case.rng))
        for _ in range(WALKS):
            await _check_cut_terms(duel, generator.query(case.rng))


def _mode(rng: random.Random) -> str:
    """Parameters that change how clusters are asked, and nothing of the answer."""
    return rng.choice(
        (
            "",
            "?ccs_minimize_roundtrips=false",
            "?ccs_minimize_roundtrips=false&batched_reduce_size=2",
            "?pre_filter_shard_size=1",
        )
    )


LARGE = 10_100
"""Each of two clusters is below the size from which a shard orders its documents in other ways, the union above."""


async def test_a_large_index_answers_as_two_smaller_ones(stage: Stage) -> None:
    """S-49, S-62: also where one shard is large enough for shortcuts."""
    async with stage(generator.large_case(len(seeds()), LARGE)) as duel:
        rng = duel.case.rng
        for _ in range(len(seeds())):
            await _compare(duel, generator.page(rng))
        for name in generator.SORTABLE:
            keys = [{name: rng.choice(("asc", "desc"))}, {"uid": "asc"}]
            await _compare(duel, {"sort": keys, "size": 20, "query": generator.query(rng)})
        for order in ("asc", "desc"):
            narrow = {"range": {"number": {"gte": 45}}}
            await _compare(duel, {"sort": [{"number": order}, {"uid": "asc"}], "query": narrow})
        for _ in range(4):
            body = {"size": 0, "track_total_hits": True, "query": generator.query(rng)}
            await _compare(duel, {**body, "aggs": generator.aggregations(rng, 1)})


async def _both(duel: Duel, body: Json, parameters: str = "") -> tuple[Json, Json]:
    """The answers of the clusters and of the union. Both succeed, or both fail alike; then both are empty."""
    tally["requests"] += 1
    path = f"/{duel.expression}/_search{parameters}"
    many = await duel.local.request("POST", path, body)
    one = await duel.union.request("POST", f"/{UNION}/_search", body)
    if one.status != 200:
        assert (many.status, _root(many.body)) == (one.status, _root(one.body)), body
        return {}, {}
    assert many.status == 200, (body, many.body)
    return many.body, one.body


def _root(body: Json) -> Json:
    """An error's first cause, without what differs by place. A failed merge of one cluster's shards has it below."""
    error = body["error"]
    cause = error["root_cause"][0] if error["root_cause"] else error["caused_by"]
    return {name: cause[name] for name in ("type", "reason")}


async def _compare(duel: Duel, body: Json, parameters: str = "") -> None:
    """A request that is answered differently is told with the smallest one like it."""

    async def fails(candidate: Json) -> bool:
        if candidate.get("size") != 0 and "uid" not in repr(candidate.get("sort", [])[-1:]):
            return False  # without hits, or in an order that is no matter of chance
        if _has_unordered_hits(candidate.get("aggs", {})):
            return False
        try:
            await _check(duel, candidate, parameters)
        except AssertionError:
            return True
        return False

    if await fails(body):
        least = await shrink(body, fails)
        print(f"seed {duel.case.seed}{parameters}, smallest body that fails: {json.dumps(least)}")
        await _check(duel, least, parameters)


async def _check(duel: Duel, body: Json, parameters: str) -> None:
    many, one = await _both(duel, body, parameters)
    if one:
        assert _comparable(many) == _comparable(one), body
        _check_places(duel, many["hits"]["hits"])


def _comparable(answer: Json) -> Json:
    hits = answer["hits"]
    return {
        "total": hits.get("total"),
        # Where nothing scores, a cluster whose shards were all skipped makes a zero of it, as in the reference.
        "max_score": hits["max_score"] or None,
        "hits": [
            {name: hit[name] for name in hit if name not in ("_index",)} for hit in hits["hits"]
        ],
        "aggregations": _without_places(answer.get("aggregations")),
        "timed_out": answer["timed_out"],
    }


def _without_places(value: Any) -> Any:
    """Hits in aggregations name their index too."""
    if isinstance(value, dict):
        return {name: _without_places(each) for name, each in value.items() if name != "_index"}
    return [_without_places(each) for each in value] if isinstance(value, list) else value


def _has_unordered_hits(aggs: Json) -> bool:
    """Whether `top_hits` are in an order that is a matter of chance: which of equals are first hangs on shards."""
    return any(
        ("top_hits" in each and "uid" not in repr(each["top_hits"].get("sort", [])[-1:]))
        or _has_unordered_hits(each.get("aggs", {}))
        for each in aggs.values()
    )


def _check_places(duel: Duel, hits: list[Json]) -> None:
    """Every hit's `_index` names the cluster that holds the document."""
    for hit in hits:
        at = int(hit["_id"].partition("-")[0])
        assert hit["_index"] == ("part" if at == 0 else f"{duel.parts[at].name}:part"), hit


async def _compare_matches(duel: Duel, query: Json) -> None:
    """Without a sort, the order is of scores; what matches is the same."""
    many, one = await _both(duel, {"query": query, "size": MAX_WINDOW, "track_total_hits": True})
    if one:
        assert _by_id(many) == _by_id(one), query
        assert len(many["hits"]["hits"]) == many["hits"]["total"]["value"], query
        scores = [hit["_score"] for hit in many["hits"]["hits"]]
        assert scores == sorted(scores, reverse=True), query
        assert many["hits"]["max_score"] == max(scores, default=None), query


def _by_id(answer: Json) -> list[tuple[str, Json]]:
    return sorted((hit["_id"], hit["_source"]) for hit in answer["hits"]["hits"])


async def _compare_walks(duel: Duel, query: Json, sort: list[Any]) -> None:
    """Pages by search_after show each match once, in the order of one search of everything."""
    body: Json = {"query": query, "sort": sort, "track_total_hits": True}
    _, one = await _both(duel, {**body, "size": MAX_WINDOW})
    if not one:
        return
    seen: list[str] = []
    size = duel.case.rng.randint(1, 40)
    page = await duel.local.call("POST", f"/{duel.expression}/_search", {**body, "size": size})
    while page["hits"]["hits"]:
        assert page["hits"]["total"] == one["hits"]["total"], body
        seen += [hit["_id"] for hit in page["hits"]["hits"]]
        after = page["hits"]["hits"][-1]["sort"]
        page = await duel.local.call(
            "POST", f"/{duel.expression}/_search", {**body, "size": size, "search_after": after}
        )
    assert seen == [hit["_id"] for hit in one["hits"]["hits"]], (body, size)


async def _check_cut_terms(duel: Duel, query: Json) -> None:
    """S-95, S-96: with too few buckets, a count is wrong by its bound at most, and nothing is lost from the sum.

    A cluster of one shard claims no error, as the reference's does; there a count is only never too high.
    """
    rng = duel.case.rng
    terms = {
        "field": rng.choice(("word", "tag", "small")),
        "size": rng.randint(1, 6),
        "shard_size": rng.randint(1, 8),
        "show_term_doc_count_error": True,
    }
    body: Json = {"size": 0, "query": query, "aggs": {"cut": {"terms": terms}}}
    many = await duel.local.call("POST", f"/{duel.expression}/_search", body)
    whole = {"cut": {"terms": {"field": terms["field"], "size": 10_000}}}
    one = await duel.union.call("POST", f"/{UNION}/_search", {**body, "aggs": whole})
    cut, exact = many["aggregations"]["cut"], one["aggregations"]["cut"]
    counts = {bucket["key"]: bucket["doc_count"] for bucket in exact["buckets"]}
    bounded = min(duel.case.shards) > 1
    for bucket in cut["buckets"]:
        missed = counts[bucket["key"]] - bucket["doc_count"]
        assert missed >= 0, (body, cut, counts)
        assert not bounded or missed <= bucket["doc_count_error_upper_bound"], (body, cut, counts)
    shown = {bucket["key"] for bucket in cut["buckets"]}
    worst = max((count for key, count in counts.items() if key not in shown), default=0)
    if bounded and len(shown) < terms["size"]:
        assert worst <= cut["doc_count_error_upper_bound"], (body, cut, counts)
    total = sum(bucket["doc_count"] for bucket in cut["buckets"]) + cut["sum_other_doc_count"]
    assert total == sum(counts.values()), (body, cut, counts)
