"""Points in time over any number of clusters: opening, searching again and again, closing."""

from collections.abc import Callable
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "/i,eu:i"


async def numbers(cluster: InProcessCluster, *values: int, shards: int = 1) -> None:
    """The index `i` with one document for each number; its id names the cluster too."""
    await cluster.call("PUT", "/i", {"settings": {"number_of_shards": shards}})
    await cluster.fill("i", {f"{cluster.name}-{value}": {"n": value} for value in values})


async def opened(pair: Pair, target: str = BOTH, params: str = "keep_alive=1m") -> str:
    answer = await pair.local.call("POST", f"{target}/_pit?{params}")
    found: str = answer["id"]
    return found


async def search(pair: Pair, pit: str, body: Json) -> Json:
    answer: Json = await pair.local.call("POST", "/_search", {**body, "pit": {"id": pit}})
    return answer


def values(answer: Json) -> list[int]:
    return [hit["_source"]["n"] for hit in answer["hits"]["hits"]]


def contexts(pair: Pair) -> tuple[int, int]:
    return pair.local.engine.open_readers, pair.eu.engine.open_readers


async def test_the_view_stays_while_both_clusters_are_written_to(pair: Pair) -> None:
    """S-42: documents added, changed and deleted after it was opened."""
    await numbers(pair.local, 1, 2, shards=2)
    await numbers(pair.eu, 3, 4)
    pit = await opened(pair)
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {"new": {"n": 100}, f"{cluster.name}-1": {"n": 200}})
    await pair.eu.call("DELETE", "/i/_doc/eu-4?refresh=true")
    before = await search(pair, pit, {"sort": "n"})
    assert values(before) == [1, 2, 3, 4]
    now = await pair.local.call("POST", f"{BOTH}/_search", {"sort": "n"})
    assert values(now) == [2, 3, 100, 100, 200, 200]
    await pair.local.call("DELETE", "/_pit", {"id": pit})
    assert contexts(pair) == (0, 0)


async def test_opening_counts_shards_and_searching_names_clusters(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    await numbers(pair.eu, 2, shards=3)
    answer = await pair.local.call("POST", f"{BOTH}/_pit?keep_alive=1m")
    assert answer["_shards"] == {"total": 5, "successful": 5, "skipped": 0, "failed": 0}
    assert list(answer) == ["id", "_shards"]
    found = await search(pair, answer["id"], {})
    assert next(iter(found)) == "pit_id"
    details = found["_clusters"]["details"]
    assert {alias: each["indices"] for alias, each in details.items()} == {
        "(local)": "i",
        "eu": "i",
    }


async def test_one_of_this_cluster_alone_shows_no_clusters(pair: Pair) -> None:
    await numbers(pair.local, 1)
    found = await search(pair, await opened(pair, "/i"), {})
    assert "_clusters" not in found
    assert values(found) == [1]


async def test_closing_frees_the_contexts_of_all_clusters(pair: Pair) -> None:
    """S-43."""
    await numbers(pair.local, 1, shards=2)
    await numbers(pair.eu, 2, shards=3)
    pit = await opened(pair)
    assert contexts(pair) == (2, 3)
    first, second = [await pair.local.request("DELETE", "/_pit", {"id": pit}) for _ in range(2)]
    assert (first.status, first.body) == (200, {"succeeded": True, "num_freed": 5})
    assert (second.status, second.body) == (404, {"succeeded": False, "num_freed": 0})
    assert contexts(pair) == (0, 0)


async def test_a_cluster_that_is_gone_frees_nothing(pair: Pair) -> None:
    await numbers(pair.local, 1)
    await numbers(pair.eu, 2)
    pit = await opened(pair)
    pair.link.is_cut = True
    answer = await pair.local.request("DELETE", "/_pit", {"id": pit})
    assert (answer.status, answer.body) == (200, {"succeeded": False, "num_freed": 1})


async def test_a_closed_one_is_missing_on_every_shard(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    pit = await opened(pair, "/i")
    await pair.local.call("DELETE", "/_pit", {"id": pit})
    answer = await pair.local.request("POST", "/_search", {"pit": {"id": pit}})
    error = answer.body["error"]
    assert (answer.status, error["reason"], error["phase"]) == (404, "all shards failed", "query")
    assert {each["reason"]["reason"] for each in error["failed_shards"]} == {
        "No search context found for id [1]",
        "No search context found for id [2]",
    }
    assert "caused_by" not in error


async def test_contexts_that_one_cluster_lost_are_shards_that_failed(pair: Pair) -> None:
    await numbers(pair.local, 1)
    await numbers(pair.eu, 2)
    pit = await opened(pair)
    await pair.eu.call("POST", "/i/_close")
    answer = await search(pair, pit, {})
    assert values(answer) == [1]
    detail = answer["_clusters"]["details"]["eu"]
    assert detail["status"] == "skipped"
    reason = detail["failures"][0]["reason"]
    assert reason["type"] == "search_context_missing_exception"


async def test_a_remote_that_is_down_is_left_out_of_it(pair: Pair) -> None:
    await numbers(pair.local, 1)
    await numbers(pair.eu, 2)
    pair.link.is_cut = True
    pit = await opened(pair)
    pair.link.is_cut = False
    assert values(await search(pair, pit, {})) == [1]


async def test_hits_are_told_apart_by_shard_and_document(pair: Pair) -> None:
    """The numbers are those of 8.19: the shard's place among all, and the document's in it."""
    await numbers(pair.local, 7, 7)
    await pair.local.fill("i", {"again": {"n": 7}})
    await numbers(pair.eu, 7)
    pit = await opened(pair)
    answer = await search(pair, pit, {"sort": "n"})
    tied = [hit["sort"] for hit in answer["hits"]["hits"]]
    local_first = answer["hits"]["hits"][0]["_index"] == "i"
    assert tied == (
        [[7, 0], [7, 1], [7, 1 << 32]]
        if local_first
        else [[7, 0], [7, 1 << 32], [7, (1 << 32) + 1]]
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"sort": "n"}, 2),
        ({"sort": ["n", {"_shard_doc": "desc"}]}, 2),
        ({"sort": "_shard_doc"}, 1),
        ({"sort": "_doc"}, 2),
        ({"sort": "_score"}, 2),
        ({"sort": {"n": "desc"}}, 2),
    ],
)
async def test_pages_walk_the_union_in_any_sort(pair: Pair, body: Json, shown: int) -> None:
    """S-62: every document once, with many equal ones."""
    await numbers(pair.local, shards=2)
    await numbers(pair.eu, shards=3)
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {f"{cluster.name}{n}": {"n": n % 3} for n in range(13)})
    pit = await opened(pair)
    seen: list[str] = []
    page: Json = {**body, "size": 4}
    while hits := (await search(pair, pit, page))["hits"]["hits"]:
        assert {len(hit["sort"]) for hit in hits} == {shown}
        seen += [hit["_id"] for hit in hits]
        page["search_after"] = hits[-1]["sort"]
    assert len(seen) == len(set(seen)) == 26


async def test_without_a_sort_there_is_nothing_to_go_on_from(pair: Pair) -> None:
    await numbers(pair.local, 1, 2)
    pit = await opened(pair, "/i")
    assert "sort" not in (await search(pair, pit, {}))["hits"]["hits"][0]
    after = {"pit": {"id": pit}, "search_after": [1]}
    answer = await pair.local.request("POST", "/_search", after)
    assert answer.body["error"]["root_cause"][0]["reason"] == (
        "Sort must contain at least one field."
    )


async def test_as_many_values_as_keys_leave_equal_hits_equal(pair: Pair) -> None:
    await numbers(pair.local, 1, 2, 3)
    pit = await opened(pair, "/i")
    answer = await search(pair, pit, {"sort": "n", "search_after": [1]})
    assert [hit["sort"] for hit in answer["hits"]["hits"]] == [[2], [3]]


@pytest.mark.parametrize("field", [None, "n"])
@pytest.mark.parametrize("slices", [2, 5, 7, 16])
async def test_slices_make_up_the_whole(pair: Pair, slices: int, field: str | None) -> None:
    await numbers(pair.local, *range(20), shards=2)
    await numbers(pair.eu, *range(30, 50), shards=3)
    pit = await opened(pair)
    seen: list[int] = []
    for part in range(slices):
        cut = {"id": part, "max": slices, **({"field": field} if field else {})}
        answer = await search(pair, pit, {"slice": cut, "size": 50})
        assert answer["hits"]["total"]["value"] == len(answer["hits"]["hits"])
        seen += values(answer)
    assert sorted(seen) == [*range(20), *range(30, 50)]


async def test_aggregations_in_a_point_in_time(pair: Pair) -> None:
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 3)
    pit = await opened(pair)
    answer = await search(pair, pit, {"size": 0, "aggs": {"s": {"sum": {"field": "n"}}}})
    assert answer["aggregations"]["s"]["value"] == 6.0


async def test_an_index_filter_leaves_shards_out(pair: Pair) -> None:
    """They are counted as skipped, and are not there later."""
    mapping = {"mappings": {"properties": {"at": {"type": "date"}}}}
    for year in (2021, 2022):
        await pair.local.call("PUT", f"/y{year}", mapping)
        await pair.local.fill(f"y{year}", {str(year): {"at": f"{year}-05-05"}})
    body = {"index_filter": {"range": {"at": {"gte": "2022-01-01"}}}}
    answer = await pair.local.call("POST", "/y*/_pit?keep_alive=1m", body)
    assert answer["_shards"] == {"total": 2, "successful": 2, "skipped": 1, "failed": 0}
    found = await search(pair, answer["id"], {})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["2022"]
    assert found["_shards"]["total"] == 1


async def test_no_index_at_all(pair: Pair) -> None:
    pit = await opened(pair, "/none*,eu:none*")
    answer = await search(pair, pit, {})
    assert answer["_shards"]["total"] == 0
    assert answer["hits"] == {
        "total": {"value": 0, "relation": "eq"},
        "max_score": 0.0,
        "hits": [],
    }
    closed = await pair.local.request("DELETE", "/_pit", {"id": pit})
    assert (closed.status, closed.body) == (200, {"succeeded": True, "num_freed": 0})


# -- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "problems"),
    [
        (
            "/i/_search",
            "1: [indices] cannot be used with point in time. Do not specify any index with point in time.;",
        ),
        ("/_search?routing=a", "1: [routing] cannot be used with point in time;"),
        ("/_search?preference=a", "1: [preference] cannot be used with point in time;"),
        (
            "/_search?ignore_unavailable=true",
            "1: [indicesOptions] cannot be used with point in time;",
        ),
        (
            "/_search?ccs_minimize_roundtrips=true",
            "1: [ccs_minimize_roundtrips] cannot be used with point in time;",
        ),
        (
            "/_search?scroll=1m",
            "1: using [point in time] is not allowed in a scroll context;",
        ),
        (
            "/i/_search?routing=1&ignore_unavailable=true",
            "1: [indices] cannot be used with point in time. Do not specify any index with point in time.;"
            "2: [indicesOptions] cannot be used with point in time;"
            "3: [routing] cannot be used with point in time;",
        ),
    ],
)
async def test_what_cannot_be_said_beside_a_point_in_time(
    pair: Pair, path: str, problems: str
) -> None:
    """S-44, and its kin."""
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", path, {"pit": {"id": await opened(pair, "/i")}})
    error = answer.body["error"]
    assert (answer.status, error["type"]) == (400, "action_request_validation_exception")
    assert error["reason"] == f"Validation Failed: {problems}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/i/_pit", "Validation Failed: 1: [keep_alive] is not specified;"),
        ("/_pit?keep_alive=1m", "Validation Failed: 1: [index] is not specified;"),
        (
            "/_pit",
            "Validation Failed: 1: [index] is not specified;2: [keep_alive] is not specified;",
        ),
        (
            "/i/_pit?keep_alive=abc",
            "failed to parse setting [keep_alive] with value [abc] as a time value: "
            "unit is missing or unrecognized",
        ),
        (
            "/i/_pit?keep_alive=1m&max_concurrent_shard_requests=0",
            "maxConcurrentShardRequests must be >= 1",
        ),
        ("/gone/_pit?keep_alive=1m", "no such index [gone]"),
        (
            "/i/_pit?keep_alive=1m&foo=1",
            "request [/i/_pit] contains unrecognized parameter: [foo]",
        ),
    ],
)
async def test_what_opens_none(pair: Pair, path: str, reason: str) -> None:
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", path)
    assert answer.body["error"]["reason"] == reason


async def test_it_may_not_be_kept_too_long(pair: Pair) -> None:
    """By the limit of the cluster that keeps it; what was opened elsewhere is closed."""
    await numbers(pair.local, 1)
    await numbers(pair.eu, 1)
    await pair.eu.call("PUT", "/_cluster/settings", {"persistent": {"search.max_keep_alive": "1h"}})
    answer = await pair.local.request("POST", f"{BOTH}/_pit?keep_alive=2h")
    error = answer.body["error"]
    assert (answer.status, error["phase"]) == (400, "indices:data/read/open_point_in_time")
    assert error["root_cause"][0]["reason"] == (
        "Keep alive for request (2h) is too large. It must be less than (1h). This limit can be set by "
        "changing the [search.max_keep_alive] cluster level setting."
    )
    assert contexts(pair) == (0, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"foo": 1}, "[1:2] [open_point_in_time_request] unknown field [foo]"),
        (
            {"index_filter": {"foo": {}}},
            "[1:24] [open_point_in_time_request] failed to parse field [index_filter]",
        ),
        (
            [],
            "[1:1] [open_point_in_time_request] Expected START_OBJECT but was: START_ARRAY",
        ),
    ],
)
async def test_bodies_that_open_none(pair: Pair, body: Any, reason: str) -> None:
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", "/i/_pit?keep_alive=1m", body)
    assert answer.body["error"]["reason"] == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "request body or source parameter is required"),
        ({}, "search context id is is not provided"),
        ({"id": ""}, "search context id is is not provided"),
        ({"id": ["a"]}, "the request must contain only [id field"),
        ({"id": 1}, "Input byte[] should at least have 2 bytes for base64 bytes"),
        ({"id": "%%%"}, "Illegal base64 character 25"),
        (
            {"id": "abcd", "x": 1},
            "Unknown parameter [x] in request body or parameter is of the wrong type[FIELD_NAME] ",
        ),
        ([], "Malformed content, must start with an object"),
        ({"id": "abcd"}, "Cannot parse point in time id"),
    ],
)
async def test_bodies_that_close_none(pair: Pair, body: Any, reason: str) -> None:
    answer = await pair.local.request("DELETE", "/_pit", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("pit", "reason"),
    [
        ({}, "point in time id is not provided"),
        ("x", "Unknown key for a VALUE_STRING in [pit]."),
        (None, "Unknown key for a VALUE_NULL in [pit]."),
        ({"id": 1}, "[1:14] [pit] id doesn't support values of type: VALUE_NUMBER"),
        ({"id": "a"}, "[1:14] [pit] failed to parse field [id]"),
        ({"id": "abc", "foo": 1}, "[1:20] [pit] unknown field [foo]"),
        ({"id": "abc", "keep_alive": "x"}, "[1:33] [pit] failed to parse field [keep_alive]"),
        ({"id": "abcd"}, "Cannot parse point in time id"),
    ],
)
async def test_what_names_no_point_in_time(pair: Pair, pit: Any, reason: str) -> None:
    answer = await pair.local.request("POST", "/_search", {"pit": pit})
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


def _cut(pit: str) -> str:
    return pit[:-4]


def _mistyped(pit: str) -> str:
    return pit[:20] + ("A" if pit[20] != "A" else "B") + pit[21:]


@pytest.mark.parametrize("spoil", [_cut, _mistyped, lambda pit: ""])
async def test_a_spoilt_id_is_no_id(pair: Pair, spoil: Callable[[str], str]) -> None:
    await numbers(pair.local, 1)
    pit = spoil(await opened(pair, "/i"))
    answer = await pair.local.request("POST", "/_search", {"pit": {"id": pit}})
    assert answer.status == 400


async def test_searches_of_one_request_may_be_in_one(pair: Pair) -> None:
    await numbers(pair.local, 1)
    pit = await opened(pair, "/i")
    lines = f'{{}}\n{{"pit":{{"id":"{pit}"}}}}\n' * 2
    answer = await pair.local.call("POST", "/_msearch", lines.encode())
    assert [values(each) for each in answer["responses"]] == [[1], [1]]
