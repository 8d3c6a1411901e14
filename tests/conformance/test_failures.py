"""What a failing shard or cluster makes of a search: section "Failure handling" of the checklist."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sealane.errors import TaskCancelled
from sealane.model.task import Context, TaskRegistry
from sealane.query import parse_search_body
from sealane.search.client_search import ClientSearch
from tests.conformance.conftest import Pair

Json = dict[str, Any]
TEXT = {"mappings": {"properties": {"n": {"type": "text"}}}}
SORTED = {"sort": "n"}
"""Fails on every shard where `n` is text."""


@pytest.fixture
async def failing(pair: Pair) -> Pair:
    """`i` and `eu:i` have two documents each; `eu:bad` has a shard that cannot sort by `n`."""
    for cluster, first in ((pair.local, 1), (pair.eu, 11)):
        await cluster.fill("i", {str(n): {"n": n} for n in (first, first + 1)})
    await pair.eu.call("PUT", "/bad", TEXT)
    await pair.eu.fill("bad", {"1": {"n": "text"}})
    return pair


def counted(answer: Json) -> dict[str, int]:
    """The clusters by what became of them; the counters must add up to the total (S-75)."""
    block = answer["_clusters"]
    names = ("successful", "skipped", "running", "partial", "failed")
    assert sum(block[name] for name in names) == block["total"] == len(block["details"])
    for name in names:
        with_it = [each for each in block["details"].values() if each["status"] == name]
        assert len(with_it) == block[name]
    return {name: block[name] for name in names if block[name]}


async def test_a_failing_shard_makes_its_cluster_partial(failing: Pair) -> None:
    """S-69, S-51, S-75: the rest of it answers."""
    answer = await failing.local.call("POST", "/i,eu:i,eu:bad/_search", SORTED)
    assert counted(answer) == {"successful": 1, "partial": 1}
    assert answer["_shards"]["failed"] == 1
    assert answer["_shards"]["total"] == 3
    (failure,) = answer["_shards"]["failures"]
    assert (failure["shard"], failure["index"]) == (0, "eu:bad")
    detail = answer["_clusters"]["details"]["eu"]
    assert detail["_shards"] == {"total": 2, "successful": 1, "skipped": 0, "failed": 1}
    assert detail["failures"] == [failure]
    assert [hit["sort"] for hit in answer["hits"]["hits"]] == [[1], [2], [11], [12]]


async def test_all_shards_of_a_remote_failing(failing: Pair) -> None:
    """S-70: skipped, or the search's own failure; S-78: then neither `took` nor `_shards`."""
    answer = await failing.local.call("POST", "/i,eu:bad/_search", SORTED)
    assert counted(answer) == {"successful": 1, "skipped": 1}
    detail = answer["_clusters"]["details"]["eu"]
    assert set(detail) == {"status", "indices", "timed_out", "failures"}
    assert (detail["failures"][0]["shard"], detail["failures"][0]["index"]) == (-1, None)
    assert answer["_shards"]["total"] == 1
    failing.link.skip_unavailable = False
    refused = await failing.local.request("POST", "/i,eu:bad/_search", SORTED)
    assert refused.status == 400
    assert refused.body["error"]["type"] == "search_phase_execution_exception"
    assert refused.body["error"]["cluster"] == "eu"


@pytest.mark.parametrize("skip", [True, False])
async def test_partial_answers_may_be_refused(failing: Pair, skip: bool) -> None:
    """S-74: allow_partial_search_results=false makes one failed shard the whole cluster's failure."""
    failing.link.skip_unavailable = skip
    target = "/i,eu:i,eu:bad/_search?allow_partial_search_results=false"
    answer = await failing.local.request("POST", target, SORTED)
    if skip:
        assert counted(answer.body) == {"successful": 1, "skipped": 1}
        reason = answer.body["_clusters"]["details"]["eu"]["failures"][0]["reason"]
        assert reason["reason"] == "Partial shards failure"
        assert answer.body["hits"]["total"]["value"] == 2
    else:
        assert answer.status == 400
        assert answer.body["error"]["reason"] == "Partial shards failure"


async def test_a_cut_link(failing: Pair) -> None:
    """S-65, S-67, S-81, C-73: skipped by default, then the search's failure, from one request to the next."""
    failing.link.is_cut = True
    answer = await failing.local.call("POST", "/i,eu:i/_search", SORTED)
    assert counted(answer) == {"successful": 1, "skipped": 1}
    assert answer["num_reduce_phases"] == 2
    failing.link.skip_unavailable = False
    refused = await failing.local.request("POST", "/i,eu:i/_search", SORTED)
    assert (refused.status, refused.body["error"]["type"]) == (502, "connect_transport_exception")
    assert refused.body["error"]["cluster"] == "eu"
    failing.link.is_cut = False
    answer = await failing.local.call("POST", "/i,eu:i/_search", SORTED)
    assert counted(answer) == {"successful": 2}


async def test_every_remote_skipped_and_no_local_index(failing: Pair) -> None:
    """S-68."""
    failing.link.is_cut = True
    answer = await failing.local.call(
        "POST", "/eu:i/_search", {"aggs": {"a": {"sum": {"field": "n"}}}}
    )
    assert answer["hits"] == {
        "total": {"value": 0, "relation": "eq"},
        "max_score": None,
        "hits": [],
    }
    assert answer["num_reduce_phases"] == 0
    assert answer["_shards"]["total"] == 0
    assert counted(answer) == {"skipped": 1}


async def test_the_local_cluster_is_never_skipped(failing: Pair) -> None:
    """S-21, S-65."""
    answer = await failing.local.request("POST", "/missing,eu:i/_search")
    assert answer.status == 404
    assert answer.body["error"]["type"] == "index_not_found_exception"
    await failing.local.call("PUT", "/bad", TEXT)
    await failing.local.fill("bad", {"1": {"n": "text"}})
    answer = await failing.local.request("POST", "/bad,eu:i/_search", SORTED)
    assert answer.status == 400
    assert answer.body["error"]["reason"] == "all shards failed"


@asynccontextmanager
async def under_way(pair: Pair) -> AsyncIterator[asyncio.Task[Any]]:
    """A search of both clusters whose request the remote has and does not answer until the block ends."""
    pair.link.hold()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pair.local.request("POST", "/i,eu:i/_search", SORTED))
        await pair.link.wait_delivered()
        yield task
        pair.link.release()


async def test_a_link_that_breaks_on_the_way(failing: Pair) -> None:
    """S-72, C-76: the remote is skipped, or the search fails; either way it ends."""
    async with under_way(failing) as task:
        failing.link.is_cut = True
    answer = task.result()
    assert counted(answer.body) == {"successful": 1, "skipped": 1}
    (failure,) = answer.body["_clusters"]["details"]["eu"]["failures"]
    assert failure["reason"]["type"] == "node_disconnected_exception"
    assert [hit["sort"] for hit in answer.body["hits"]["hits"]] == [[1], [2]]
    failing.link.is_cut, failing.link.skip_unavailable = False, False
    async with under_way(failing) as task:
        failing.link.is_cut = True
    answer = task.result()
    assert answer.status == 502
    assert answer.body["error"]["type"] == "node_disconnected_exception"
    assert answer.body["error"]["cluster"] == "eu"


async def test_whether_to_skip_is_decided_when_the_cluster_fails(failing: Pair) -> None:
    """S-81: a change while the search is under way counts."""
    async with under_way(failing) as task:
        failing.link.is_cut = True
        failing.link.skip_unavailable = False
    assert task.result().status == 502


async def test_a_cancelled_task_is_not_a_skipped_cluster(failing: Pair) -> None:
    """S-80: on the remote's side of the wire, too."""
    failing.link.hold()
    request = ClientSearch(expressions=("i", "eu:i"), body=parse_search_body(b"{}"))
    with TaskRegistry("n").start("indices:data/read/search", start_ms=0) as task:
        async with asyncio.TaskGroup() as group:
            search = group.create_task(
                _outcome(failing.local.searches.search(request, Context(task=task)))
            )
            await failing.link.wait_delivered()
            task.cancel("by user request")
            failing.link.release()
    assert isinstance(search.result(), TaskCancelled)


async def _outcome(call: Any) -> Any:
    try:
        return await call
    except TaskCancelled as error:
        return error
