"""Asynchronous searches over several clusters: section "Async" of the checklist."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sealane.testing.in_process import Answer, InProcessCluster, clusters
from sealane.testing.in_process_links import Link
from tests.conformance.conftest import NOON_MS, Noon

Json = dict[str, Any]
ONE_TRIP = "ccs_minimize_roundtrips=true"


class Three:
    """A cluster and its remotes `eu` and `us`, with two documents each in `i`."""

    def __init__(self, local: InProcessCluster, eu: Link, us: Link) -> None:
        self.local, self.eu, self.us = local, eu, us

    async def submit(self, target: str, query: str = "", body: Json | None = None) -> Answer:
        return await self.local.request("POST", f"/{target}/_async_search?{query}", body)

    async def get(self, id: str, query: str = "") -> Json:
        answer = await self.local.call("GET", f"/_async_search/{id}?{query}")
        assert isinstance(answer, dict)
        return answer

    async def status(self, id: str) -> Json:
        answer = await self.local.call("GET", f"/_async_search/status/{id}")
        assert isinstance(answer, dict)
        return answer

    async def once(self, id: str, wanted: dict[str, str]) -> Json:
        """The answer so far, once the clusters are in these states."""
        while True:
            response = (await self.get(id))["response"]
            if statuses(response) == wanted:
                assert isinstance(response, dict)
                return response
            await asyncio.sleep(0.002)

    async def ended(self, id: str) -> Json:
        return await self.get(id, "wait_for_completion_timeout=60s")


@pytest.fixture
async def three(tmp_path: Any) -> AsyncIterator[Three]:
    async with clusters(tmp_path, "local", "eu", "us", clock=Noon()) as (local, eu, us):
        links = [local.register(eu), local.register(us)]
        for number, cluster in enumerate((local, eu, us)):
            documents = {str(n): {"n": 10 * number + n, "kind": "ab"[n % 2]} for n in (1, 2)}
            await cluster.fill("i", documents)
        yield Three(local, *links)


ALL = "i,eu:i,us:i"
SORTED: Json = {"sort": "n", "aggs": {"sum": {"sum": {"field": "n"}}}}


def sorts(response: Json) -> list[int]:
    return [hit["sort"][0] for hit in response["hits"]["hits"]]


def statuses(response: Json) -> dict[str, str]:
    return {name: each["status"] for name, each in response["_clusters"]["details"].items()}


async def test_a_search_that_ends_in_time_has_no_id(three: Three) -> None:
    """Nothing is kept of it, and the answer is as that of a plain search."""
    answer = (await three.submit(ALL, ONE_TRIP, SORTED)).body
    assert list(answer) == [
        "is_partial",
        "is_running",
        "start_time_in_millis",
        "expiration_time_in_millis",
        "completion_time_in_millis",
        "response",
    ]
    assert (answer["is_partial"], answer["is_running"]) == (False, False)
    assert answer["start_time_in_millis"] == NOON_MS
    assert answer["expiration_time_in_millis"] == NOON_MS + 5 * 86_400_000
    plain = await three.local.call("POST", f"/{ALL}/_search?{ONE_TRIP}", SORTED)
    response = answer["response"]
    assert answer["completion_time_in_millis"] == NOON_MS + response["took"]
    assert response["hits"] == plain["hits"]
    assert response["aggregations"] == plain["aggregations"]
    assert response["num_reduce_phases"] == 4


async def test_every_remote_runs_at_first(three: Three) -> None:
    """S-83, S-87: with a wait of 0 all are running, and nothing is completed."""
    three.eu.hold()
    three.us.hold()
    answer = (await three.submit(ALL, f"{ONE_TRIP}&wait_for_completion_timeout=0", SORTED)).body
    assert (answer["is_partial"], answer["is_running"]) == (True, True)
    assert "completion_time_in_millis" not in answer
    block = answer["response"]["_clusters"]
    assert (block["total"], block["running"] + block["successful"]) == (3, 3)
    for alias in ("eu", "us"):
        assert block["details"][alias] == {"status": "running", "indices": "i", "timed_out": False}
    status = await three.status(answer["id"])
    assert "completion_status" not in status
    assert "completion_time_in_millis" not in status
    three.eu.release()
    three.us.release()
    ended = await three.ended(answer["id"])
    assert (ended["is_partial"], ended["is_running"]) == (False, False)
    assert sorts(ended["response"]) == [1, 2, 11, 12, 21, 22]
    status = await three.status(answer["id"])
    assert status["completion_status"] == 200
    assert status["completion_time_in_millis"] == ended["completion_time_in_millis"]
    assert list(status)[:5] == [
        "id",
        "is_running",
        "is_partial",
        "start_time_in_millis",
        "expiration_time_in_millis",
    ]


async def test_what_has_come_is_merged(three: Three) -> None:
    """S-84: hits and aggregations of the clusters that have ended, the total a lower bound, counts that grow."""
    three.us.hold()
    query = f"{ONE_TRIP}&wait_for_completion_timeout=0"
    id = (await three.submit(ALL, query, SORTED)).body["id"]
    await three.us.wait_delivered()
    response = await three.once(id, {"(local)": "successful", "eu": "successful", "us": "running"})
    assert sorts(response) == [1, 2, 11, 12]
    assert response["aggregations"]["sum"]["value"] == 26.0
    assert response["hits"]["total"] == {"value": 4, "relation": "gte"}
    assert response["_shards"]["total"] == 2
    assert response["num_reduce_phases"] == 3
    three.us.release()
    response = (await three.ended(id))["response"]
    assert sorts(response) == [1, 2, 11, 12, 21, 22]
    assert response["hits"]["total"] == {"value": 6, "relation": "eq"}
    assert response["_shards"]["total"] == 3


async def test_in_two_round_trips_no_hits_come_before_the_end(three: Three) -> None:
    """S-85: the default of an asynchronous search."""
    three.us.hold()
    answer = (await three.submit(ALL, "wait_for_completion_timeout=0", SORTED)).body
    assert answer["response"]["hits"]["hits"] == []
    assert answer["response"]["hits"]["total"]["relation"] == "gte"
    three.us.release()
    ended = await three.ended(answer["id"])
    assert sorts(ended["response"]) == [1, 2, 11, 12, 21, 22]
    assert "num_reduce_phases" not in ended["response"]


async def test_in_two_round_trips_aggregations_grow(three: Three) -> None:
    """S-85: of the clusters whose shards have answered, while another one's have not."""
    three.us.hold("indices:data/read/search[phase/query]")
    id = (await three.submit(ALL, "wait_for_completion_timeout=0", SORTED)).body["id"]
    await three.us.wait_delivered()
    response = await three.once(id, {"(local)": "successful", "eu": "successful", "us": "running"})
    assert response["hits"]["hits"] == []
    assert response["hits"]["total"] == {"value": 4, "relation": "gte"}
    assert response["aggregations"]["sum"]["value"] == 26.0
    assert response["_shards"] == {"total": 3, "successful": 2, "skipped": 0, "failed": 0}
    three.us.release()
    ended = await three.ended(id)
    assert ended["response"]["aggregations"]["sum"]["value"] == 69.0


async def test_a_missing_cluster_makes_the_answer_partial(three: Three) -> None:
    """S-86."""
    three.us.is_cut = True
    answer = (await three.submit(ALL, ONE_TRIP, SORTED)).body
    assert (answer["is_partial"], answer["is_running"]) == (True, False)
    assert statuses(answer["response"])["us"] == "skipped"
    assert sorts(answer["response"]) == [1, 2, 11, 12]


async def test_a_failure_keeps_what_had_come(three: Three) -> None:
    """S-91: an error of its own type, and the cluster that failed among the details."""
    three.us.is_cut, three.us.skip_unavailable = True, False
    answer = await three.submit(ALL, f"{ONE_TRIP}&keep_on_completion=true", SORTED)
    assert answer.status == 502
    body = answer.body
    assert (body["is_partial"], body["is_running"]) == (True, False)
    assert (body["error"]["type"], body["error"]["reason"]) == (
        "status_exception",
        "error while executing search",
    )
    assert body["error"]["caused_by"]["type"] == "connect_transport_exception"
    assert body["error"]["caused_by"]["cluster"] == "us"
    assert statuses(body["response"])["us"] == "failed"
    assert sorts(body["response"]) == [1, 2, 11, 12]
    again = await three.local.request("GET", f"/_async_search/{body['id']}")
    assert again.status == 502
    status = await three.status(body["id"])
    assert status["completion_status"] == 502
    assert status["_clusters"]["failed"] == 1


async def test_wrong_local_names_fail_before_there_is_an_answer(three: Three) -> None:
    for target in ("missing", "missing,eu:i"):
        answer = await three.submit(target)
        assert answer.status == 404
        assert list(answer.body)[:2] == ["is_partial", "is_running"]
        assert "response" not in answer.body
        assert answer.body["error"]["caused_by"]["type"] == "index_not_found_exception"


async def test_deleting_ends_the_search_everywhere(three: Three) -> None:
    """S-88: acknowledged, then unknown; the remotes have nothing left to do."""
    three.us.hold()
    id = (await three.submit(ALL, f"{ONE_TRIP}&wait_for_completion_timeout=0")).body["id"]
    await three.us.wait_delivered()
    assert await three.local.call("DELETE", f"/_async_search/{id}") == {"acknowledged": True}
    for method, path in (("GET", ""), ("GET", "status/"), ("DELETE", "")):
        gone = await three.local.request(method, f"/_async_search/{path}{id}")
        assert gone.status == 404
        assert gone.body["error"]["type"] == "resource_not_found_exception"
        assert gone.body["error"]["reason"] == id
    for _ in range(5):
        await asyncio.sleep(0)
    assert await tasks_of(three.local) == []


async def tasks_of(cluster: InProcessCluster) -> list[Json]:
    answer = await cluster.call("GET", "/_tasks?actions=*search*&group_by=none")
    found = answer["tasks"]
    assert isinstance(found, list)
    return found


async def test_a_local_search_has_no_clusters(three: Three) -> None:
    """S-92: neither in its answer nor in its status."""
    answer = (await three.submit("i", "keep_on_completion=true", SORTED)).body
    assert "_clusters" not in answer["response"]
    status = await three.status(answer["id"])
    assert "_clusters" not in status
    assert status["_shards"] == {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    assert status["completion_status"] == 200


async def test_the_shards_of_a_local_search_are_known_before_it_ends(three: Three) -> None:
    """S-92: with a wait of 0 its shards are counted, whether they have answered or not."""
    await three.local.call("PUT", "/j", {"settings": {"number_of_shards": 3}})
    query = "wait_for_completion_timeout=0&keep_on_completion=true"
    answer = (await three.submit("i,j", query)).body
    assert answer["response"]["_shards"]["total"] == 4
    assert (await three.ended(answer["id"]))["response"]["_shards"]["successful"] == 4


async def test_a_kept_answer_is_there_as_often_as_it_is_wanted(three: Three) -> None:
    answer = (await three.submit(ALL, f"{ONE_TRIP}&keep_on_completion=true", SORTED)).body
    for _ in range(2):
        again = await three.get(answer["id"])
        assert again["response"]["hits"] == answer["response"]["hits"]
    typed = await three.get(answer["id"], "typed_keys=true")
    assert typed["response"]["aggregations"]["sum#sum"]["value"] == 69.0


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("keep_alive=999ms", "[keep_alive] must be greater or equals than 1 second, got:999ms"),
        ("keep_alive=0", "[keep_alive] must be greater or equals than 1 second, got:0s"),
        ("scroll=1m", "[scroll] queries are not supported"),
        (
            "pre_filter_shard_size=2",
            "[pre_filter_shard_size] cannot be changed for async search queries",
        ),
    ],
)
async def test_what_an_asynchronous_search_may_not_ask(
    three: Three, query: str, problem: str
) -> None:
    answer = await three.submit(ALL, query)
    assert answer.status == 400
    assert answer.body["error"]["type"] == "action_request_validation_exception"
    assert answer.body["error"]["reason"] == f"Validation Failed: 1: {problem};"


async def test_several_problems_are_told_together(three: Three) -> None:
    answer = await three.submit("i", "keep_alive=1ms&scroll=1m")
    assert answer.body["error"]["reason"] == (
        "Validation Failed: 1: [scroll] queries are not supported;"
        "2: [keep_alive] must be greater or equals than 1 second, got:1ms;"
    )


@pytest.mark.parametrize("id", ["x", "abc", "!!!!", "Fm==", "AAAA"])
async def test_what_is_no_id(three: Three, id: str) -> None:
    for method, path in (("GET", ""), ("GET", "status/"), ("DELETE", "")):
        answer = await three.local.request(method, f"/_async_search/{path}{id}")
        assert answer.status == 400
        assert answer.body["error"]["reason"] == f"invalid id: [{id}]"


async def test_an_answer_that_is_too_large_is_not_kept(three: Three) -> None:
    """Whoever waited for it has it; whoever asks later is told why there is none."""
    await three.local.call(
        "PUT",
        "/_cluster/settings",
        {"persistent": {"search.max_async_search_response_size": "10b"}},
    )
    answer = (await three.submit(ALL, f"{ONE_TRIP}&keep_on_completion=true", SORTED)).body
    assert len(answer["response"]["hits"]["hits"]) == 6
    again = await three.local.request("GET", f"/_async_search/{answer['id']}")
    assert again.status == 400
    assert again.body["error"]["reason"] == (
        "Can't store an async search response larger than [10] bytes. This limit can be set by changing the "
        "[search.max_async_search_response_size] setting."
    )
    assert "response" not in again.body


async def test_only_so_many_are_kept(three: Three) -> None:
    await three.local.call(
        "PUT", "/_cluster/settings", {"persistent": {"search.async_search.max_searches": 1}}
    )
    kept = (await three.submit("i", "keep_on_completion=true")).body["id"]
    refused = await three.submit("i")
    assert refused.status == 429
    assert refused.body["error"]["type"] == "es_rejected_execution_exception"
    await three.local.call("DELETE", f"/_async_search/{kept}")
    assert (await three.submit("i")).status == 200


async def test_a_point_in_time_can_be_searched(three: Three) -> None:
    """It takes no `ccs_minimize_roundtrips`, and so is not refused for the default of such searches."""
    pit = (await three.local.call("POST", f"/{ALL}/_pit?keep_alive=1m"))["id"]
    body = {**SORTED, "pit": {"id": pit}}
    target = "/_async_search?wait_for_completion_timeout=60s"
    answer = await three.local.call("POST", target, body)
    response = answer["response"]
    assert answer["is_running"] is False
    assert response["pit_id"] == pit
    assert [hit["sort"][0] for hit in response["hits"]["hits"]] == [1, 2, 11, 12, 21, 22]
    refused = await three.local.request("POST", f"{target}&ccs_minimize_roundtrips=false", body)
    assert refused.status == 400
