"""Scrolls over any number of clusters: page after page, without loss and without duplicates."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "/i,eu:i/_search?scroll=1m"


async def numbers(cluster: InProcessCluster, *values: int, shards: int = 1) -> None:
    """The index `i` with one document for each number; its id names the cluster too."""
    await cluster.call("PUT", "/i", {"settings": {"number_of_shards": shards}})
    await cluster.fill("i", {f"{cluster.name}-{value}": {"n": value} for value in values})


async def next_page(pair: Pair, page: Json, keep: str | None = "1m") -> Json:
    body = {"scroll_id": page["_scroll_id"], **({"scroll": keep} if keep else {})}
    answer: Json = await pair.local.call("POST", "/_search/scroll", body)
    return answer


async def all_pages(pair: Pair, body: Json, path: str = BOTH) -> list[Json]:
    pages = [await pair.local.call("POST", path, body)]
    while pages[-1]["hits"]["hits"]:
        pages.append(await next_page(pair, pages[-1]))
    return pages


def ids(*pages: Json) -> list[str]:
    return [hit["_id"] for page in pages for hit in page["hits"]["hits"]]


def contexts(pair: Pair) -> tuple[int, int]:
    return pair.local.engine.open_readers, pair.eu.engine.open_readers


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sort": "n"},
        {"sort": [{"k": "desc"}, "n"]},
        {"sort": "_doc"},
        {"sort": ["_score", {"n": "desc"}]},
        {"query": {"match": {"t": "word other"}}},
        {"query": {"match": {"t": "word other"}}, "sort": "k"},
        {"sort": {"missing": {"order": "asc", "unmapped_type": "long"}}},
    ],
)
async def test_pages_walk_the_union(pair: Pair, body: Json) -> None:
    """S-40: each document once, in the order of a search for all of them."""
    await numbers(pair.local, shards=2)
    await numbers(pair.eu, shards=3)
    for cluster, count in ((pair.local, 17), (pair.eu, 23)):
        documents = {
            f"{cluster.name}{n}": {"n": n, "k": n % 3, "t": "word " * (n % 4) + "other"}
            for n in range(count)
        }
        await cluster.fill("i", documents)
    pages = await all_pages(pair, {**body, "size": 6})
    assert len(ids(*pages)) == len(set(ids(*pages))) == 40
    assert [len(page["hits"]["hits"]) for page in pages] == [6] * 6 + [4, 0]
    assert {page["hits"]["total"]["value"] for page in pages} == {40}
    whole = await pair.local.call(
        "POST", "/i,eu:i/_search?ccs_minimize_roundtrips=false", {**body, "size": 40}
    )
    assert ids(*pages) == ids(whole)
    assert pages[0]["hits"]["hits"] == whole["hits"]["hits"][:6]


async def test_clusters_are_on_the_first_page_alone(pair: Pair) -> None:
    """S-41."""
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 3, 4)
    first = await pair.local.call("POST", BOTH, {"size": 2, "sort": "n"})
    assert next(iter(first)) == "_scroll_id"
    assert first["_clusters"]["successful"] == 2
    second = await next_page(pair, first)
    assert "_clusters" not in second
    assert second["_shards"] == {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
    assert second["_scroll_id"] == first["_scroll_id"]


async def test_a_remote_that_is_gone_fails_the_page(pair: Pair) -> None:
    """S-41: there is no skipping here; the next attempt goes on where it was."""
    await numbers(pair.local, 1, 3)
    await numbers(pair.eu, 2, 4)
    first = await pair.local.call("POST", BOTH, {"size": 2, "sort": "n"})
    pair.link.is_cut = True
    body = {"scroll_id": first["_scroll_id"], "scroll": "1m"}
    answer = await pair.local.request("POST", "/_search/scroll", body)
    assert (answer.status, answer.body["error"]["cluster"]) == (502, "eu")
    pair.link.is_cut = False
    assert ids(await next_page(pair, first)) == ["local-3", "eu-4"]


async def test_a_lost_context_is_a_shard_that_failed(pair: Pair) -> None:
    await numbers(pair.local, 1, 3)
    await numbers(pair.eu, 2, 4)
    first = await pair.local.call("POST", BOTH, {"size": 2, "sort": "n"})
    await pair.eu.call("DELETE", "/_search/scroll/_all")
    second = await next_page(pair, first)
    assert ids(second) == ["local-3"]
    assert second["_shards"]["failed"] == 1
    assert second["_shards"]["failures"] == [
        {
            "shard": -1,
            "index": None,
            "reason": {
                "type": "search_context_missing_exception",
                "reason": "No search context found for id [1]",
            },
        }
    ]


async def test_it_sees_nothing_that_is_written_later(pair: Pair) -> None:
    await numbers(pair.local, 1, 2, 3)
    await numbers(pair.eu, 4, 5, 6)
    first = await pair.local.call("POST", BOTH, {"size": 2, "sort": "n"})
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {"new": {"n": 3}, f"{cluster.name}-5": {"n": 0}})
    assert ids(await next_page(pair, first), await next_page(pair, first)) == [
        "local-3",
        "eu-4",
        "eu-5",
        "eu-6",
    ]


async def test_aggregations_and_the_sort_key_of_ours(pair: Pair) -> None:
    """Aggregations are the first page's; the key that ends a page is not shown."""
    await numbers(pair.local, 1, 2)
    await numbers(pair.eu, 3)
    body = {"size": 2, "sort": "n", "aggs": {"s": {"sum": {"field": "n"}}}}
    first = await pair.local.call("POST", BOTH, body)
    assert first["aggregations"]["s"]["value"] == 6.0
    assert [hit["sort"] for hit in first["hits"]["hits"]] == [[1], [2]]
    second = await next_page(pair, first)
    assert "aggregations" not in second
    assert second["hits"]["hits"][0]["sort"] == [3]
    unsorted = await pair.local.call("POST", BOTH, {"size": 1})
    assert "sort" not in unsorted["hits"]["hits"][0]
    assert unsorted["hits"]["max_score"] == 1.0
    assert (await next_page(pair, unsorted))["hits"]["max_score"] == 1.0


async def test_closing_frees_the_contexts_of_all_clusters(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    await numbers(pair.eu, 2, shards=3)
    pages = [await pair.local.call("POST", BOTH) for _ in range(2)]
    assert contexts(pair) == (4, 6)
    both = {"scroll_id": [page["_scroll_id"] for page in pages]}
    first, second = [await pair.local.request("DELETE", "/_search/scroll", both) for _ in range(2)]
    assert (first.status, first.body) == (200, {"succeeded": True, "num_freed": 10})
    assert (second.status, second.body) == (404, {"succeeded": True, "num_freed": 0})
    assert contexts(pair) == (0, 0)
    gone = await pair.local.request(
        "POST", "/_search/scroll", {"scroll_id": pages[0]["_scroll_id"]}
    )
    assert gone.status == 404
    assert gone.body["error"]["caused_by"]["type"] == "search_context_missing_exception"


async def test_all_scrolls_of_this_cluster_are_closed_at_once(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    pit = await pair.local.call("POST", "/i/_pit?keep_alive=1m")
    await pair.local.call("POST", "/i/_search?scroll=1m")
    answer = await pair.local.call("DELETE", "/_search/scroll/_all")
    assert answer == {"succeeded": True, "num_freed": 1}
    assert contexts(pair) == (2, 0)
    await pair.local.call("DELETE", "/_pit", {"id": pit["id"]})


async def test_the_last_page_may_let_it_go(pair: Pair) -> None:
    """Without a time the page shows no id, as there is no next one to be kept for."""
    await numbers(pair.local, 1, 2)
    first = await pair.local.call("POST", "/i/_search?scroll=1m", {"size": 1})
    assert "_scroll_id" not in await next_page(pair, first, keep=None)


@pytest.mark.parametrize("max_", [2, 5, 9, 13])
async def test_slices_make_up_the_whole(pair: Pair, max_: int) -> None:
    await numbers(pair.local, *range(20), shards=2)
    await numbers(pair.eu, *range(30, 50), shards=3)
    seen: list[str] = []
    for part in range(max_):
        pages = await all_pages(pair, {"slice": {"id": part, "max": max_}, "size": 3})
        seen += ids(*pages)
    assert len(seen) == len(set(seen)) == 40


async def test_a_search_that_fails_leaves_no_scroll(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    answer = await pair.local.request("POST", BOTH, {"sort": "unmapped"})
    assert answer.status >= 400
    assert contexts(pair) == (0, 0)


async def test_too_many_scrolls_are_refused(pair: Pair) -> None:
    await numbers(pair.local, 1, shards=2)
    limit = {"persistent": {"search.max_open_scroll_context": 3}}
    await pair.local.call("PUT", "/_cluster/settings", limit)
    await pair.local.call("POST", "/i/_search?scroll=1m")
    answer = await pair.local.call("POST", "/i/_search?scroll=1m")
    reason = answer["_shards"]["failures"][0]["reason"]
    assert reason == {
        "type": "too_many_scroll_contexts_exception",
        "reason": "Trying to create too many scroll contexts. Must be less than or equal to: [3]. This limit "
        "can be set by changing the [search.max_open_scroll_context] setting.",
    }


async def test_nothing_to_scroll(pair: Pair) -> None:
    first = await pair.local.call("POST", "/none*/_search?scroll=1m")
    answer = await pair.local.request("POST", "/_search/scroll", {"scroll_id": first["_scroll_id"]})
    error = answer.body["error"]
    assert (answer.status, error["reason"]) == (503, "no nodes to search on")
    assert error["root_cause"] == error["failed_shards"] == []


# -- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "body", "problem"),
    [
        ("", {"track_total_hits": False}, "disabling [track_total_hits] is not allowed in"),
        ("", {"track_total_hits": 5}, "disabling [track_total_hits] is not allowed in"),
        ("", {"from": 1}, "using [from] is not allowed in"),
        ("", {"size": 0}, "[size] cannot be [0] in"),
        ("", {"sort": "n", "search_after": [1]}, "[search_after] cannot be used in"),
        ("", {"collapse": {"field": "n"}}, "cannot use `collapse` in"),
        ("&request_cache=true", {}, "[request_cache] cannot be used in"),
    ],
)
async def test_what_a_scroll_cannot_be(pair: Pair, params: str, body: Json, problem: str) -> None:
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", f"{BOTH}{params}", body)
    assert answer.body["error"]["reason"] == f"Validation Failed: 1: {problem} a scroll context;"


async def test_a_slice_of_a_plain_search(pair: Pair) -> None:
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", "/i/_search", {"slice": {"id": 0, "max": 2}})
    assert answer.body["error"]["reason"] == (
        "Validation Failed: 1: [slice] can only be used with [scroll] or [point-in-time] requests;"
    )


async def test_a_page_that_is_too_large(pair: Pair) -> None:
    await numbers(pair.local, 1)
    answer = await pair.local.request("POST", "/i/_search?scroll=1m", {"size": 10_001})
    assert answer.body["error"]["root_cause"][0]["reason"].startswith(
        "Batch size is too large, size must be less than or equal to: [10000] but was [10001]."
    )
    assert contexts(pair) == (0, 0)


@pytest.mark.parametrize(
    ("method", "body", "reason"),
    [
        ("POST", None, "Validation Failed: 1: scrollId is missing;"),
        ("POST", {}, "Validation Failed: 1: scrollId is missing;"),
        ("POST", {"scroll_id": "abcd"}, "Cannot parse scroll id"),
        (
            "POST",
            {"scroll_id": 1},
            "Unknown parameter [scroll_id] in request body or parameter is of the wrong type[VALUE_NUMBER] ",
        ),
        (
            "POST",
            {"scroll_id": "a", "scroll": "x"},
            "failed to parse setting [scroll] with value [x] as a time value: unit is missing or unrecognized",
        ),
        ("POST", [], "Malformed content, must start with an object"),
        ("DELETE", None, "Validation Failed: 1: no scroll ids specified;"),
        ("DELETE", {"scroll_id": []}, "Validation Failed: 1: no scroll ids specified;"),
        ("DELETE", {"scroll_id": "%%"}, "Cannot parse scroll id"),
        (
            "DELETE",
            {"foo": []},
            "Unknown parameter [foo] in request body or parameter is of the wrong type[START_ARRAY] ",
        ),
    ],
)
async def test_requests_that_name_no_scroll(
    pair: Pair, method: str, body: Any, reason: str
) -> None:
    answer = await pair.local.request(method, "/_search/scroll", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


async def test_too_many_slices(pair: Pair) -> None:
    """By the index's own limit, which may be changed."""
    await numbers(pair.local, 1)
    many = {"slice": {"id": 0, "max": 1_025}}
    answer = await pair.local.request("POST", "/i/_search?scroll=1m", many)
    assert answer.body["error"]["root_cause"][0]["reason"] == (
        "The number of slices [1025] is too large. It must be less than [1024]. This limit can be set by "
        "changing the [index.max_slices_per_scroll] index level setting."
    )
    await pair.local.call("PUT", "/i/_settings", {"index.max_slices_per_scroll": 2_000})
    await pair.local.fill("i", {"next": {"n": 2}})
    assert (await pair.local.request("POST", "/i/_search?scroll=1m", many)).status == 200
