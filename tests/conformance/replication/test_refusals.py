"""What is asked of followers and cannot be done: what is said, and that nothing has changed."""

from typing import Any

import pytest

from sealane.testing.in_process import Answer
from tests.conformance.replication.conftest import Replicated, metadata_of


def reason(answer: Answer) -> tuple[int, str, str]:
    error = answer.body["error"]
    return answer.status, error["type"], error["reason"]


@pytest.mark.parametrize("missing", ["remote_cluster", "leader_index"])
async def test_a_follow_needs_to_say_whom(replicated: Replicated, missing: str) -> None:
    """R-1"""
    body = {"remote_cluster": "eu", "leader_index": "cities"}
    del body[missing]
    answer = await replicated.here.request("PUT", "/copy/_ccr/follow", body)
    status, _, text = reason(answer)
    assert status == 400
    assert f"{missing} is missing" in text


async def test_an_unknown_remote(replicated: Replicated) -> None:
    """R-2"""
    body = {"remote_cluster": "asia", "leader_index": "cities"}
    answer = await replicated.here.request("PUT", "/copy/_ccr/follow", body)
    assert reason(answer) == (
        404,
        "no_such_remote_cluster_exception",
        "no such remote cluster: [asia]",
    )
    assert replicated.here.indices.metadata.index("copy") is None


@pytest.mark.parametrize("leader", ["cities", "", "x" * 256, "cit*", "_all", "a,b"])
async def test_a_leader_that_is_not_there(replicated: Replicated, leader: str) -> None:
    """R-3: also under what cannot be the name of an index."""
    answer = await replicated.follow(leader=leader)
    assert reason(answer) == (404, "index_not_found_exception", f"no such index [{leader}]")
    assert replicated.here.indices.metadata.index("copy") is None


async def test_an_alias_is_no_leader(replicated: Replicated) -> None:
    """R-4"""
    await replicated.there.call("PUT", "/cities", {"aliases": {"towns": {}}})
    answer = await replicated.follow(leader="towns")
    assert reason(answer) == (
        400,
        "illegal_argument_exception",
        "cannot follow [towns], because it is a ALIAS",
    )
    assert replicated.here.indices.metadata.index("copy") is None


async def test_a_closed_leader(replicated: Replicated) -> None:
    """R-5"""
    await replicated.made()
    await replicated.there.call("POST", "/cities/_close")
    answer = await replicated.follow()
    assert reason(answer) == (400, "index_closed_exception", "closed")


async def test_an_open_index_of_the_name_is_left_as_it_is(replicated: Replicated) -> None:
    """R-6"""
    await replicated.made()
    await replicated.here.fill("copy", {"mine": {"n": 1}})
    answer = await replicated.follow()
    assert (answer.status, answer.body["error"]["type"]) == (500, "snapshot_restore_exception")
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 1


async def test_a_closed_follower_is_copied_anew(replicated: Replicated) -> None:
    """R-7: its old content is gone, and the lease of the old one too."""
    await replicated.made(5)
    await replicated.follow()
    await replicated.pause()
    await replicated.close()
    await replicated.there.call("DELETE", "/cities")
    await replicated.made(2)
    assert (await replicated.follow()).status == 200
    await replicated.caught_up()
    assert len(await replicated.equal()) == 2


async def test_a_follower_that_runs_does_not_give_way(replicated: Replicated) -> None:
    """R-6: closed, but not paused."""
    await replicated.made()
    await replicated.follow()
    await replicated.close()
    answer = await replicated.follow()
    assert (answer.status, answer.body["error"]["type"]) == (
        400,
        "resource_already_exists_exception",
    )


async def test_settings_of_its_own(replicated: Replicated) -> None:
    """R-10: those that follow the leader's cannot be given, others stay as they were given."""
    await replicated.made()
    answer = await replicated.follow(settings={"index.number_of_shards": 5})
    assert answer.status == 400
    assert "could override leader settings" in answer.body["error"]["reason"]
    await replicated.follow(settings={"index.number_of_replicas": 3})
    shown = await replicated.here.call("GET", "/copy/_settings")
    assert shown["copy"]["settings"]["index"]["number_of_replicas"] == "3"


async def test_what_is_not_known(replicated: Replicated) -> None:
    """R-11"""
    await replicated.made()
    answer = await replicated.follow(settings={"index.no_such_thing": 5})
    assert answer.status == 400
    assert "unknown setting [index.no_such_thing]" in answer.body["error"]["reason"]
    answer = await replicated.follow(surprise=1)
    assert answer.status == 400
    assert replicated.here.indices.metadata.index("copy") is None


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (
            {"max_read_request_operation_count": 0},
            "max_read_request_operation_count must be larger than 0",
        ),
        ({"max_read_request_size": "0b"}, "max_read_request_size must be larger than 0"),
        (
            {"max_retry_delay": "6m"},
            "[max_retry_delay] must be less than [5m] but was [6m]",
        ),
    ],
)
async def test_parameters_are_judged(
    replicated: Replicated, parameters: dict[str, Any], text: str
) -> None:
    """R-12"""
    await replicated.made()
    answer = await replicated.follow(**parameters)
    assert answer.status == 400
    assert text in answer.body["error"]["reason"]


async def test_pausing_what_cannot_be_paused(replicated: Replicated) -> None:
    """R-13"""
    await replicated.made()
    await replicated.here.call("PUT", "/mine")
    assert reason(await replicated.pause("nothing")) == (
        404,
        "index_not_found_exception",
        "no such index [nothing]",
    )
    assert reason(await replicated.pause("mine")) == (
        400,
        "illegal_argument_exception",
        "index [mine] is not a follower index",
    )
    await replicated.follow()
    assert (await replicated.pause()).body == {"acknowledged": True}
    assert reason(await replicated.pause()) == (
        400,
        "illegal_argument_exception",
        "no shard follow tasks for [copy]",
    )


async def test_resuming_what_runs(replicated: Replicated) -> None:
    """R-16: it is refused, and goes on as before."""
    await replicated.made()
    await replicated.follow()
    status, kind, text = reason(await replicated.resume())
    uuid = metadata_of(replicated.here, "copy").uuid
    assert (status, kind) == (400, "resource_already_exists_exception")
    assert text == f"task with id {{{uuid}-0}} already exist"
    await replicated.write(8, 9)
    await replicated.caught_up()
    await replicated.equal()


async def test_resuming_what_never_followed(replicated: Replicated) -> None:
    """R-14"""
    await replicated.here.call("PUT", "/mine")
    assert reason(await replicated.resume("mine")) == (
        400,
        "illegal_argument_exception",
        "follow index [mine] does not have ccr metadata",
    )


async def test_a_leader_of_the_same_name_is_not_the_same(replicated: Replicated) -> None:
    """R-15: nothing of the other index is mixed in."""
    await replicated.made(3)
    await replicated.follow()
    await replicated.pause()
    old = metadata_of(replicated.there, "cities").uuid
    await replicated.there.call("DELETE", "/cities")
    await replicated.made(7)
    new = metadata_of(replicated.there, "cities").uuid
    assert reason(await replicated.resume()) == (
        400,
        "illegal_argument_exception",
        f"follow index [copy] should reference [{old}] as leader index but instead reference [{new}]",
    )
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 3


async def test_both_must_be_open_to_resume(replicated: Replicated) -> None:
    """R-14"""
    await replicated.made(3)
    await replicated.follow()
    await replicated.pause()
    await replicated.close()
    assert reason(await replicated.resume()) == (
        400,
        "illegal_argument_exception",
        "leader and follow index must be open",
    )


async def test_unfollow_in_its_order(replicated: Replicated) -> None:
    """R-17"""
    await replicated.made()
    await replicated.follow()
    refusal = "cannot convert the follower index [copy] to a non-follower, because it has not been"
    assert reason(await replicated.unfollow())[2] == f"{refusal} paused"
    await replicated.pause()
    assert reason(await replicated.unfollow()) == (
        400,
        "illegal_argument_exception",
        f"{refusal} closed",
    )
    await replicated.close()
    assert (await replicated.unfollow()).body == {"acknowledged": True}
    assert reason(await replicated.unfollow())[2] == "index [copy] is not a follower index"


async def test_stats_of_what_does_not_run(replicated: Replicated) -> None:
    """R-22, R-23"""
    assert (await replicated.here.call("GET", "/_all/_ccr/stats")) == {"indices": []}
    whole = await replicated.here.call("GET", "/_ccr/stats")
    assert whole["follow_stats"] == {"indices": []}
    assert whole["auto_follow_stats"]["number_of_successful_follow_indices"] == 0
    answer = await replicated.here.request("GET", "/copy/_ccr/stats")
    assert reason(answer) == (
        404,
        "resource_not_found_exception",
        "No shard follow tasks for follower indices [copy]",
    )
    await replicated.made()
    await replicated.follow()
    await replicated.pause()
    assert (await replicated.here.request("GET", "/copy/_ccr/stats")).status == 404
    await replicated.follow("other")
    answer = await replicated.here.request("GET", "/other,copy/_ccr/stats")
    assert reason(answer)[2] == "No shard follow tasks for follower indices [copy]"
    both = await replicated.here.call("GET", "/_all/_ccr/stats")
    assert [each["index"] for each in both["indices"]] == ["other"]


async def test_info_tells_of_followers_alone(replicated: Replicated) -> None:
    """R-21, R-12, R-14: parameters with their defaults, none while paused; a resume forgets earlier ones."""
    await replicated.made()
    await replicated.here.call("PUT", "/mine")
    await replicated.follow(max_read_request_operation_count=7, read_poll_timeout="3s")
    [shown] = await replicated.info("*")
    assert shown["status"] == "active"
    assert shown["parameters"] == {
        "max_read_request_operation_count": 7,
        "max_read_request_size": "32mb",
        "max_outstanding_read_requests": 12,
        "max_write_request_operation_count": 5120,
        "max_write_request_size": "9223372036854775807b",
        "max_outstanding_write_requests": 9,
        "max_write_buffer_count": 2147483647,
        "max_write_buffer_size": "512mb",
        "max_retry_delay": "500ms",
        "read_poll_timeout": "3s",
    }
    await replicated.pause()
    [shown] = await replicated.info("*")
    assert shown["status"] == "paused"
    assert "parameters" not in shown
    await replicated.resume(max_outstanding_read_requests=1)
    [shown] = await replicated.info("*")
    assert shown["parameters"]["max_outstanding_read_requests"] == 1
    assert shown["parameters"]["max_read_request_operation_count"] == 5120
    assert (await replicated.here.request("GET", "/nothing/_ccr/info")).status == 404
    assert await replicated.info("mine") == []
