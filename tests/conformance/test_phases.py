"""Searches that ask the shards of all clusters as if they were one cluster's: the other mode of execution, and what of
it can be seen between clusters.
"""

import asyncio
from typing import Any

import pytest

from sealane.errors import NodeDisconnected
from sealane.remote.transport.messages_phases import CAN_MATCH, FETCH, FREE, QUERY, SHARDS
from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "/i,eu:i/_search?ccs_minimize_roundtrips=false"
TWO_YEARS: Json = {"properties": {"at": {"type": "date"}, "n": {"type": "long"}}}


async def numbers(cluster: InProcessCluster, *values: int, shards: int = 1) -> None:
    """The index `i` with one document for each number; its id names the cluster too."""
    await cluster.call("PUT", "/i", {"settings": {"number_of_shards": shards}})
    await cluster.fill("i", {f"{cluster.name}-{value}": {"n": value} for value in values})


async def years(cluster: InProcessCluster, *indices: int) -> None:
    """The indices `y2021`, ... with documents of that year alone."""
    for year in indices:
        await cluster.call("PUT", f"/y{year}", {"mappings": TWO_YEARS})
        documents = {f"{year}-{n}": {"at": f"{year}-0{n}-01", "n": n} for n in (1, 2)}
        await cluster.fill(f"y{year}", documents)


def ids(answer: Json) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def contexts(pair: Pair) -> tuple[int, int]:
    """Reader contexts that are open, here and there."""
    return pair.local.engine.open_readers, pair.eu.engine.open_readers


def actions(pair: Pair) -> list[str]:
    assert pair.link.answers is not None
    return [action for action, _ in pair.link.answers]


@pytest.mark.parametrize(
    "body",
    [
        {"size": 7},
        {"sort": "n", "from": 3, "size": 4, "version": True},
        {"sort": [{"n": "desc"}], "size": 2, "search_after": [6]},
        {"sort": "_doc", "size": 9},
        {"size": 0, "aggs": {"t": {"terms": {"field": "n", "size": 3}}}},
        {"query": {"range": {"n": {"gte": 4}}}, "size": 3, "fields": ["n"], "_source": False},
        {"query": {"term": {"n": {"value": 3, "_name": "three"}}}},
        {"size": 1, "collapse": {"field": "n"}, "sort": "n"},
        {"track_total_hits": 3, "size": 1},
        {"track_total_hits": False},
        {"post_filter": {"term": {"n": 2}}, "aggs": {"s": {"sum": {"field": "n"}}}},
        {"min_score": 2},
    ],
)
async def test_both_modes_find_the_same(pair: Pair, body: Json) -> None:
    """S-49."""
    await numbers(pair.local, 1, 2, 3, 3, 8, shards=2)
    await numbers(pair.eu, 2, 3, 4, 5, 6, 7, shards=3)
    one, two = [
        await pair.local.call("POST", f"/i,eu:i/_search?ccs_minimize_roundtrips={flag}", body)
        for flag in ("true", "false")
    ]
    assert two["hits"] == one["hits"]
    assert two.get("aggregations") == one.get("aggregations")
    assert two["_shards"] == one["_shards"]
    assert contexts(pair) == (0, 0)


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("scroll=1m", {}),
        ("", {"collapse": {"field": "n", "inner_hits": {"name": "all"}}}),
        ("", {"knn": {"field": "v", "query_vector": [1, 0], "k": 2, "num_candidates": 5}}),
    ],
)
async def test_what_one_trip_cannot_do_switches_it_off(
    pair: Pair, parameters: str, body: Json
) -> None:
    """S-47."""
    mappings = {"properties": {"v": {"type": "dense_vector", "dims": 2}, "n": {"type": "long"}}}
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/i", {"mappings": mappings})
        await cluster.fill("i", {f"{cluster.name}-1": {"n": 1, "v": [1, 0]}})
    pair.link.answers = []
    path = f"/i,eu:i/_search?ccs_minimize_roundtrips=true&{parameters}"
    answer = await pair.local.call("POST", path, body)
    assert sorted(ids(answer))[:2] == ["eu-1", "local-1"] or len(ids(answer)) == 1
    assert SHARDS.action in actions(pair)
    assert "num_reduce_phases" not in answer


async def test_a_source_that_loses_does_not_cross(pair: Pair) -> None:
    """The query phase brings no source, the fetch phase those of the page alone."""
    await numbers(pair.local, 1)
    await pair.eu.fill("i", {f"{n}": {"n": n, "secret": f"needle-{n}-"} for n in range(20)})
    pair.link.answers = []
    answer = await pair.local.call("POST", BOTH, {"sort": "n", "size": 3})
    assert set(ids(answer)) == {"0", "1", "local-1"}
    assert actions(pair) == [SHARDS.action, QUERY.action, FETCH.action]
    crossed = b"".join(payload for _, payload in pair.link.answers)
    assert [n for n in range(20) if f"needle-{n}-".encode() in crossed] == [0, 1]


async def test_a_cluster_without_a_winner_is_only_told_to_free(pair: Pair) -> None:
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 8, 9)
    pair.link.answers = []
    assert ids(await pair.local.call("POST", BOTH, {"sort": "n", "size": 2})) == [
        "local-1",
        "local-2",
    ]
    assert actions(pair) == [SHARDS.action, QUERY.action, FREE.action]
    assert contexts(pair) == (0, 0)


async def test_a_search_for_no_hits_opens_nothing(pair: Pair) -> None:
    await numbers(pair.local, 1)
    await numbers(pair.eu, 2)
    pair.link.answers = []
    answer = await pair.local.call("POST", BOTH, {"size": 0})
    assert answer["hits"]["total"]["value"] == 2
    assert actions(pair) == [SHARDS.action, QUERY.action]


@pytest.mark.parametrize(
    ("batch", "phases"), [(2, 7), (3, 4), (4, 3), (5, 2), (8, None), (512, None)]
)
async def test_batches_of_reductions_are_counted(
    pair: Pair, batch: int, phases: int | None
) -> None:
    """S-50: over eight shards, as 8.19 counts them."""
    await numbers(pair.local, 1, shards=4)
    await numbers(pair.eu, 2, shards=4)
    answer = await pair.local.call("POST", f"{BOTH}&batched_reduce_size={batch}", {"size": 1})
    assert answer.get("num_reduce_phases") == phases
    counted = await pair.local.call("POST", f"{BOTH}&batched_reduce_size={batch}", {"size": 0})
    assert "num_reduce_phases" not in counted


async def test_a_cluster_reduces_its_own_shards_in_batches(pair: Pair) -> None:
    """S-50: four shards by two are three reductions, and one more of two clusters."""
    await numbers(pair.local, 1, shards=4)
    await numbers(pair.eu, 2, shards=4)
    alone = await pair.local.call("POST", "/i/_search?batched_reduce_size=2", {"size": 1})
    assert alone["num_reduce_phases"] == 3
    remote = await pair.local.call("POST", "/eu:i/_search?batched_reduce_size=2", {"size": 1})
    assert remote["num_reduce_phases"] == 3
    both = await pair.local.call("POST", "/i,eu:i/_search?batched_reduce_size=2", {"size": 1})
    assert both["num_reduce_phases"] == 7


# -- failure -------------------------------------------------------------------------------------------------------


async def test_a_cluster_that_gives_no_shards_is_skipped(pair: Pair) -> None:
    """S-66: it fails before its shards were known, and so as a cluster."""
    await numbers(pair.local, 1)
    pair.link.is_cut = True
    answer = await pair.local.call("POST", BOTH)
    details = answer["_clusters"]["details"]
    assert details["(local)"]["status"] == "successful"
    assert details["eu"]["status"] == "skipped"
    assert "_shards" not in details["eu"]
    assert answer["_shards"] == {"total": 1, "successful": 1, "skipped": 0, "failed": 0}


async def test_a_cluster_that_may_not_be_skipped_ends_the_search(pair: Pair) -> None:
    """S-67: named in the error."""
    await numbers(pair.local, 1)
    pair.link.is_cut, pair.link.skip_unavailable = True, False
    answer = await pair.local.request("POST", BOTH)
    assert (answer.status, answer.body["error"]["cluster"]) == (502, "eu")


@pytest.mark.parametrize(("skip", "status"), [(True, "skipped"), (False, "failed")])
async def test_shards_that_all_fail_there_leave_the_others(
    pair: Pair, skip: bool, status: str
) -> None:
    """S-71: also where the cluster may not be skipped."""
    await numbers(pair.local, 1)
    await pair.eu.call("PUT", "/i", {"mappings": {"properties": {"n": {"type": "text"}}}})
    pair.link.skip_unavailable = skip
    answer = await pair.local.call("POST", BOTH, {"sort": "n"})
    assert ids(answer) == ["local-1"]
    detail = answer["_clusters"]["details"]["eu"]
    assert (detail["status"], "took" in detail) == (status, False)
    assert detail["_shards"] == {"total": 1, "successful": 0, "skipped": 0, "failed": 1}
    assert detail["failures"][0]["index"] == "eu:i"
    assert answer["_clusters"][status] == 1
    assert answer["_shards"]["failed"] == 1


async def test_all_shards_of_all_clusters_failed(pair: Pair) -> None:
    """S-70: an error, even where the only cluster may be skipped."""
    await pair.eu.call("PUT", "/i", {"mappings": {"properties": {"n": {"type": "text"}}}})
    answer = await pair.local.request(
        "POST", "/eu:i/_search?ccs_minimize_roundtrips=false", {"sort": "n"}
    )
    assert (answer.status, answer.body["error"]["reason"]) == (400, "all shards failed")


async def test_partial_answers_may_be_refused(pair: Pair) -> None:
    """S-74: by one failed shard of any cluster."""
    await numbers(pair.local, 1)
    await pair.eu.call("PUT", "/i", {"mappings": {"properties": {"n": {"type": "text"}}}})
    answer = await pair.local.request(
        "POST", f"{BOTH}&allow_partial_search_results=false", {"sort": "n"}
    )
    assert answer.body["error"]["reason"] == "Partial shards failure"
    assert contexts(pair) == (0, 0)


class _Breaks:
    """A link that loses the answers to one action."""

    def __init__(self, pair: Pair, action: str) -> None:
        self._ask, self._action = pair.link._ask, action
        pair.link._ask = self  # type: ignore[method-assign,assignment]

    async def __call__(self, action: str, payload: bytes, ctx: Any) -> bytes:
        answer = await self._ask(action, payload, ctx)
        if action == self._action:
            raise NodeDisconnected(f"[eu][{action}] disconnected")
        return answer


@pytest.mark.parametrize("action", [QUERY.action, FETCH.action])
async def test_a_cluster_lost_between_the_phases_is_shards_that_failed(
    pair: Pair, action: str
) -> None:
    """S-72 in this mode: 200 with what the others gave, whatever skip_unavailable is."""
    await numbers(pair.local, 5, 6)
    await numbers(pair.eu, 1, 2)
    pair.link.skip_unavailable = False
    _Breaks(pair, action)
    answer = await pair.local.call("POST", BOTH, {"sort": "n"})
    assert ids(answer) == ["local-5", "local-6"]
    assert answer["_clusters"]["details"]["eu"]["status"] == "failed"
    assert answer["_shards"]["failed"] == 1
    assert pair.local.engine.open_readers == 0


async def test_a_search_that_is_given_up_leaves_no_context(pair: Pair) -> None:
    """S-89: while the other cluster's query phase runs, and while its answer waits to be fetched."""
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 3, 4)
    for action in (QUERY.action, FETCH.action):
        reached, go_on = asyncio.Event(), asyncio.Event()
        ask = pair.link._ask

        async def held(
            name: str,
            payload: bytes,
            ctx: Any,
            *,
            action: str = action,
            ask: Any = ask,
            reached: asyncio.Event = reached,
            go_on: asyncio.Event = go_on,
        ) -> bytes:
            if name == action:
                reached.set()
                await go_on.wait()
            answer: bytes = await ask(name, payload, ctx)
            return answer

        pair.link._ask = held  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            search = group.create_task(pair.local.request("POST", BOTH, {"sort": "n"}))
            await reached.wait()
            search.cancel()
        pair.link._ask = ask  # type: ignore[method-assign]
        for _ in range(50):
            await asyncio.sleep(0)
        assert contexts(pair) == (0, 0)


# -- shards that hold no match -------------------------------------------------------------------------------------

LATE: Json = {"range": {"at": {"gte": "2022-01-01"}}}


@pytest.mark.parametrize(
    ("query", "skipped"),
    [
        (LATE, 1),
        ({"range": {"at": {"gt": "2023-01-01"}}}, 2),
        ({"range": {"at": {"lt": "2021-02-01"}}}, 1),
        ({"range": {"at": {"gte": "2021-01-15", "lte": "2022-01-15"}}}, 0),
        ({"bool": {"filter": [LATE, {"match_all": {}}]}}, 1),
        ({"bool": {"should": [LATE]}}, 1),
        ({"bool": {"should": [LATE, {"term": {"n": 1}}]}}, 0),
        ({"bool": {"must_not": [{"match_all": {}}]}}, 2),
        ({"constant_score": {"filter": LATE}}, 1),
        ({"term": {"_index": "y2022"}}, 1),
        ({"term": {"unknown": 1}}, 2),
        ({"exists": {"field": "unknown"}}, 2),
        ({"range": {"n": {"gt": 50}}}, 0),
        ({"terms": {"n": []}}, 2),
        ({"match_none": {}}, 2),
        ({"match_all": {}}, 0),
        ({"match": {"unknown": "x"}}, 0),
    ],
)
async def test_shards_without_a_match_are_skipped(pair: Pair, query: Json, skipped: int) -> None:
    """As 8.19 answers: by dates, by constant and by unmapped fields, not by other numbers."""
    await years(pair.local, 2021, 2022)
    answer = await pair.local.call(
        "POST", "/y*/_search?pre_filter_shard_size=1", {"query": query, "size": 0}
    )
    shards = {"total": 2, "successful": 2, "skipped": skipped, "failed": 0}
    assert answer["_shards"] == shards


@pytest.mark.parametrize(
    ("params", "body", "skipped"),
    [
        ("", {}, 0),
        ("pre_filter_shard_size=2", {}, 0),
        ("pre_filter_shard_size=1", {}, 1),
        ("", {"sort": "n"}, 1),
        ("", {"sort": "_doc"}, 1),
        ("", {"sort": ["_score", "n"]}, 0),
        ("", {"sort": "n", "size": 0}, 1),
        ("", {"sort": "n", "aggs": {"g": {"global": {}}}}, 0),
        ("", {"sort": "n", "aggs": {"t": {"terms": {"field": "n", "min_doc_count": 0}}}}, 0),
        ("", {"sort": "n", "aggs": {"t": {"terms": {"field": "n"}}}}, 1),
    ],
)
async def test_when_shards_are_looked_through_first(
    pair: Pair, params: str, body: Json, skipped: int
) -> None:
    """With more shards than `pre_filter_shard_size`: 128, or 1 for a search that sorts by a field."""
    await years(pair.local, 2021, 2022)
    answer = await pair.local.call("POST", f"/y*/_search?{params}", {"query": LATE, **body})
    assert answer["_shards"]["skipped"] == skipped


async def test_one_shard_is_asked_for_the_shape_of_aggregations(pair: Pair) -> None:
    await years(pair.local, 2021, 2022)
    body = {"query": {"match_none": {}}, "aggs": {"t": {"terms": {"field": "n"}}}}
    answer = await pair.local.call("POST", "/y*/_search?pre_filter_shard_size=1", body)
    assert answer["_shards"]["skipped"] == 1
    assert answer["aggregations"]["t"]["buckets"] == []


async def test_each_cluster_skips_its_own_shards(pair: Pair) -> None:
    """In the first mode by its own count of shards."""
    for cluster in (pair.local, pair.eu):
        await years(cluster, 2021, 2022)
    answer = await pair.local.call("POST", "/y*,eu:y*/_search", {"query": LATE, "sort": "at"})
    assert answer["_shards"] == {"total": 4, "successful": 4, "skipped": 2, "failed": 0}
    assert answer["_clusters"]["details"]["eu"]["_shards"]["skipped"] == 1
    assert len(answer["hits"]["hits"]) == 4


async def test_remote_shards_are_skipped_before_they_are_asked(pair: Pair) -> None:
    """In the second mode remote ones always, local ones by the rule for all shards together."""
    for cluster in (pair.local, pair.eu):
        await years(cluster, 2021, 2022)
    path = "/y*,eu:y*/_search?ccs_minimize_roundtrips=false"
    unsorted = await pair.local.call("POST", path, {"query": LATE})
    assert unsorted["_shards"]["skipped"] == 1
    assert unsorted["_clusters"]["details"]["(local)"]["_shards"]["skipped"] == 0
    by_date = await pair.local.call("POST", path, {"query": LATE, "sort": "at"})
    assert by_date["_shards"]["skipped"] == 2
    assert len(by_date["hits"]["hits"]) == 4


async def test_a_search_in_a_point_in_time_skips_too(pair: Pair) -> None:
    for cluster in (pair.local, pair.eu):
        await years(cluster, 2021, 2022)
    opened = await pair.local.call("POST", "/y*,eu:y*/_pit?keep_alive=1m")
    pair.link.answers = []
    body = {"pit": {"id": opened["id"]}, "query": LATE, "sort": "at"}
    answer = await pair.local.call("POST", "/_search", body)
    assert answer["_shards"] == {"total": 4, "successful": 4, "skipped": 2, "failed": 0}
    assert actions(pair) == [CAN_MATCH.action, QUERY.action, FETCH.action]


@pytest.mark.parametrize("flag", ["true", "false"])
@pytest.mark.parametrize(
    ("params", "shards", "found"), [("routing=a", 2, 2), ("preference=_shards:0", 2, None)]
)
async def test_routing_leads_to_some_shards_of_each_cluster(
    pair: Pair, flag: str, params: str, shards: int, found: int | None
) -> None:
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/i", {"settings": {"number_of_shards": 4}})
        await cluster.call("PUT", f"/i/_doc/{cluster.name}?routing=a&refresh=true", {"n": 1})
    path = f"/i,eu:i/_search?{params}&ccs_minimize_roundtrips={flag}"
    answer = await pair.local.call("POST", path)
    assert answer["_shards"]["total"] == shards
    assert found is None or len(ids(answer)) == found


async def test_the_filter_of_an_alias_goes_with_its_shards(pair: Pair) -> None:
    """S-22: in both modes, in a point in time, and through all pages of a scroll."""
    await numbers(pair.local, 1)
    await numbers(pair.eu, 1, 2, 3, 4, shards=2)
    odd = {"bool": {"should": [{"term": {"n": 1}}, {"term": {"n": 3}}]}}
    alias = {"add": {"index": "i", "alias": "odd", "filter": odd}}
    await pair.eu.call("POST", "/_aliases", {"actions": [alias]})
    expected = ["eu-1", "eu-3"]
    body: Json = {"sort": "n"}
    for flag in ("true", "false"):
        path = f"/eu:odd/_search?ccs_minimize_roundtrips={flag}"
        assert ids(await pair.local.call("POST", path, body)) == expected
    opened = await pair.local.call("POST", "/eu:odd/_pit?keep_alive=1m")
    pit = {"pit": {"id": opened["id"]}}
    assert ids(await pair.local.call("POST", "/_search", {**body, **pit})) == expected
    first = await pair.local.call("POST", "/eu:odd/_search?scroll=1m", {**body, "size": 1})
    scroll = {"scroll_id": first["_scroll_id"], "scroll": "1m"}
    second = await pair.local.call("POST", "/_search/scroll", scroll)
    third = await pair.local.call("POST", "/_search/scroll", scroll)
    assert ids(first) + ids(second) + ids(third) == expected
