"""How the answers of several clusters become one: sections "Modes and merge" and "Other" of the checklist."""

from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster, clusters
from tests.conformance.conftest import NOON_MS, Noon, Pair

Json = dict[str, Any]
BOTH = "/i,eu:i/_search"


async def numbers(cluster: InProcessCluster, *values: int, shards: int = 1) -> None:
    """The index `i` with one document for each number; its id names the cluster too."""
    await cluster.call("PUT", "/i", {"settings": {"number_of_shards": shards}})
    await cluster.fill("i", {f"{cluster.name}-{value}": {"n": value} for value in values})


def ids(answer: Json) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


async def test_one_search_request_for_each_remote(pair: Pair) -> None:
    """S-45: whatever the search asks for."""
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 3, 4, shards=3)
    body = {"sort": "n", "from": 1, "size": 2, "aggs": {"s": {"sum": {"field": "n"}}}}
    answer = await pair.local.call("POST", BOTH, body)
    assert pair.link.requests == 1
    assert ids(answer) == ["local-2", "eu-3"]
    assert answer["aggregations"]["s"]["value"] == 10.0


async def test_both_modes_of_execution_answer_the_same(pair: Pair) -> None:
    """S-49: but for the number of reductions."""
    await numbers(pair.local, 5, 1, 9)
    await numbers(pair.eu, 2, 8, 3)
    body = {"sort": {"n": "desc"}, "aggs": {"t": {"terms": {"field": "n"}}}}
    minimized, other = [
        await pair.local.call("POST", f"{BOTH}?ccs_minimize_roundtrips={flag}", body)
        for flag in ("true", "false")
    ]
    assert minimized["hits"] == other["hits"]
    assert minimized["aggregations"] == other["aggregations"]
    assert minimized["num_reduce_phases"] == 3
    assert "num_reduce_phases" not in other


async def test_a_deep_page_is_a_page_of_the_union(pair: Pair) -> None:
    """S-48: from=20,size=10 is global hits 21 to 30."""
    await numbers(pair.local, *range(0, 60, 2))
    await numbers(pair.eu, *range(1, 60, 2))
    answer = await pair.local.call("POST", BOTH, {"sort": "n", "from": 20, "size": 10})
    assert [hit["sort"] for hit in answer["hits"]["hits"]] == [[n] for n in range(20, 30)]


@pytest.mark.parametrize("count", [2, 3])
async def test_reductions_are_counted(tmp_path: Path, count: int) -> None:
    """S-50: one for each cluster and one for all."""
    names = ["local", "eu", "us"][:count]
    async with clusters(tmp_path, *names) as made:
        for each in made:
            await numbers(each, 1)
        for each in made[1:]:
            made[0].register(each)
        answer = await made[0].call("POST", "/i,*:i/_search")
    assert answer["num_reduce_phases"] == count + 1


@pytest.mark.parametrize(
    ("limit", "total"),
    [
        (True, {"value": 6, "relation": "eq"}),
        (6, {"value": 6, "relation": "eq"}),
        (5, {"value": 5, "relation": "gte"}),
        (2, {"value": 2, "relation": "gte"}),
        (0, {"value": 0, "relation": "gte"}),
        (False, None),
        (-1, None),
    ],
)
async def test_the_total_is_counted_as_far_as_asked(
    pair: Pair, limit: bool | int, total: Json | None
) -> None:
    """S-52, S-53: a limit that both clusters keep together is not the union's."""
    await numbers(pair.local, 1, 2, 3)
    await numbers(pair.eu, 4, 5, 6)
    answer = await pair.local.call("POST", BOTH, {"track_total_hits": limit, "size": 0})
    assert answer["hits"].get("total") == total


async def test_the_maximal_score(pair: Pair) -> None:
    """S-54: the maximum over all clusters, null when sorted by a field."""
    for cluster, boost in ((pair.local, 2), (pair.eu, 5)):
        await cluster.fill("i", {cluster.name: {"k": str(boost)}})
    boosted = [{"term": {"k.keyword": {"value": str(b), "boost": b * 10}}} for b in (2, 5)]
    query = {"bool": {"should": boosted}}
    answer = await pair.local.call("POST", BOTH, {"query": query})
    scores = [hit["_score"] for hit in answer["hits"]["hits"]]
    assert ids(answer) == ["eu", "local"]
    assert answer["hits"]["max_score"] == max(scores) == scores[0]
    sorted_ = await pair.local.call("POST", BOTH, {"query": query, "sort": "k.keyword"})
    assert sorted_["hits"]["max_score"] is None


async def test_ties_are_ordered_by_shard_then_index_then_cluster(pair: Pair) -> None:
    """S-55, S-56: the same each time, and whichever cluster answers first."""
    for cluster in (pair.local, pair.eu):
        for index in ("a", "b"):
            await cluster.fill(index, {f"{n}": {"n": 1} for n in range(3)})
    first = await pair.local.call("POST", "/a,b,eu:a,eu:b/_search", {"sort": "n", "size": 12})
    places = [hit["_index"] for hit in first["hits"]["hits"]]
    assert len(places) == 12
    assert [place.removeprefix("eu:") for place in places] == ["a"] * 6 + ["b"] * 6
    for size in (12, 5):
        body = {"sort": "n", "size": size}
        again = await pair.local.call("POST", "/eu:b,b,eu:a,a/_search", body)
        assert again["hits"]["hits"] == first["hits"]["hits"][:size]


async def test_values_that_cannot_be_compared_are_an_error(pair: Pair) -> None:
    """S-57: with both kinds; but only where both clusters have hits (S-58)."""
    keyword = {"properties": {"m": {"type": "keyword"}, "n": {"type": "long"}}}
    await pair.eu.call("PUT", "/j", {"mappings": keyword})
    await pair.local.fill("i", {"1": {"n": 1, "m": 1}})
    await pair.eu.fill("j", {"2": {"n": 2, "m": "one"}})
    answer = await pair.local.request("POST", "/i,eu:j/_search", {"sort": ["n", "m"]})
    assert answer.status == 400
    assert answer.body["error"]["type"] == "illegal_argument_exception"
    assert answer.body["error"]["reason"] == (
        "Can't sort on field [m]; the field has incompatible sort types: [LONG] and [STRING] across shards!"
    )
    one = {"sort": ["n", "m"], "query": {"term": {"n": 1}}}
    assert ids(await pair.local.call("POST", "/i,eu:j/_search", one)) == ["1"]


async def test_a_cluster_without_hits_changes_nothing(pair: Pair) -> None:
    """S-58."""
    await numbers(pair.local, 3, 1)
    await pair.eu.call("PUT", "/i", {"mappings": {"properties": {"n": {"type": "long"}}}})
    body = {"sort": "n", "aggs": {"t": {"terms": {"field": "n"}}, "a": {"avg": {"field": "n"}}}}
    both = await pair.local.call("POST", BOTH, body)
    alone = await pair.local.call("POST", "/i/_search", body)
    assert both["hits"] == alone["hits"]
    assert both["aggregations"] == alone["aggregations"]


async def test_an_early_end_is_shown_only_where_one_was_asked_for(pair: Pair) -> None:
    """S-59."""
    await numbers(pair.local, *range(20))
    await numbers(pair.eu, 1)
    plain = await pair.local.call("POST", BOTH, {"size": 0})
    assert "terminated_early" not in plain
    assert plain["timed_out"] is False
    ended = await pair.local.call("POST", BOTH, {"size": 1, "terminate_after": 2})
    assert ended["terminated_early"] is True


async def test_now_is_the_same_everywhere(tmp_path: Path) -> None:
    """S-61: the coordinator's, also on a cluster with another time."""
    recent = {"query": {"range": {"at": {"gte": "now-1h"}}}}
    async with (
        clusters(tmp_path / "noon", "local", clock=Noon()) as (local,),
        clusters(tmp_path / "later", "eu", clock=_Later()) as (eu,),
    ):
        local.register(eu)
        for cluster in (local, eu):
            mapping = {"mappings": {"properties": {"at": {"type": "date"}}}}
            await cluster.call("PUT", "/i", mapping)
            await cluster.fill("i", {cluster.name: {"at": NOON_MS - 60_000}})
        assert ids(await eu.call("POST", "/i/_search", recent)) == []
        assert sorted(ids(await local.call("POST", BOTH, recent))) == ["eu", "local"]


class _Later:
    def now_ms(self) -> int:
        return NOON_MS + 86_400_000


async def test_search_after_walks_the_union(pair: Pair) -> None:
    """S-62."""
    await numbers(pair.local, *range(0, 40, 3), shards=2)
    await numbers(pair.eu, *range(1, 40, 3))
    seen: list[int] = []
    body: Json = {"sort": {"n": "desc"}, "size": 4}
    while hits := (await pair.local.call("POST", BOTH, body))["hits"]["hits"]:
        seen += [hit["sort"][0] for hit in hits]
        body["search_after"] = hits[-1]["sort"]
    assert seen == sorted([*range(0, 40, 3), *range(1, 40, 3)], reverse=True)


async def test_too_large_a_window_is_refused_by_the_remote(pair: Pair) -> None:
    """S-63: with the alias in the error."""
    await numbers(pair.eu, 1)
    pair.link.skip_unavailable = False
    answer = await pair.local.request("POST", "/eu:i/_search", {"from": 10_000})
    error = answer.body["error"]
    assert (answer.status, error["cluster"]) == (400, "eu")
    assert error["failed_shards"][0]["index"] == "eu:i"
    assert error["root_cause"][0]["reason"].startswith(
        "Result window is too large, from + size must be less than or equal to: [10000] but was [10010]."
    )


async def test_a_field_that_one_cluster_lacks_sorts_as_missing(pair: Pair) -> None:
    """S-123: with unmapped_type; without, the cluster that lacks it cannot answer."""
    await numbers(pair.local, 2, 1)
    await pair.eu.fill("i", {"none": {"other": 1}})
    key = {"order": "asc", "unmapped_type": "long"}
    answer = await pair.local.call("POST", BOTH, {"sort": {"n": key}})
    assert ids(answer) == ["local-1", "local-2", "none"]
    without = await pair.local.call("POST", BOTH, {"sort": {"n": "asc"}})
    assert without["_clusters"]["details"]["eu"]["status"] == "skipped"
