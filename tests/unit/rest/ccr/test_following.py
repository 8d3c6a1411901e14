"""follow, pause, resume, unfollow: what is asked for, what is wrong with it, and the answers."""

from typing import Any

import pytest

from sealane.errors import IllegalArgument, IndexNotFound, NoSuchRemoteCluster
from sealane.model.replication import FollowParameters
from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import Client, assert_error

LED = {"remote_cluster": "eu", "leader_index": "l"}
PARSER = "indices:admin/xpack/ccr/put_follow"


async def test_three_flags(client: Client, replication: FakeReplication) -> None:
    """R-8: exactly three booleans; without waiting the follower is only made."""
    answer = await client("PUT", "/copy/_ccr/follow", LED)
    assert answer.status == 200
    assert answer.json == {
        "follow_index_created": True,
        "follow_index_shards_acked": False,
        "index_following_started": False,
    }
    (request,) = replication.followers.followed
    assert (request.index, request.remote_cluster, request.leader_index) == ("copy", "eu", "l")
    assert request.wait_for_active_shards == 0
    assert request.parameters == FollowParameters()
    assert request.timeout_s == 30


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("1", 1), ("2", 2), ("all", -1), ("index-setting", 0)]
)
async def test_how_many_shards_are_waited_for(
    client: Client, replication: FakeReplication, text: str, count: int
) -> None:
    """R-8, R-9."""
    answer = await client("PUT", f"/copy/_ccr/follow?wait_for_active_shards={text}", LED)
    assert replication.followers.followed[0].wait_for_active_shards == count
    assert answer.json["index_following_started"] is (count != 0)


async def test_a_number_of_shards_that_is_none(client: Client) -> None:
    answer = await client("PUT", "/copy/_ccr/follow?wait_for_active_shards=-2", LED)
    assert_error(
        answer, 400, "illegal_argument_exception", "shard count cannot be a negative value"
    )


@pytest.mark.parametrize("text", ["99999999999", "1_0", "%201", "ALL", ""])
async def test_a_number_of_shards_that_is_no_int(client: Client, text: str) -> None:
    """As the reference reads an int, which is narrower than Python's."""
    answer = await client("PUT", f"/copy/_ccr/follow?wait_for_active_shards={text}", LED)
    shown = text.replace("%20", " ")
    assert_error(
        answer, 400, "illegal_argument_exception", f"cannot parse ActiveShardCount[{shown}]"
    )
    assert answer.json["error"]["caused_by"] == {
        "type": "number_format_exception",
        "reason": f'For input string: "{shown}"',
    }


async def test_all_that_a_body_may_hold(client: Client, replication: FakeReplication) -> None:
    body = {
        **LED,
        "data_stream_name": "logs",
        "settings": {
            "index.number_of_replicas": 0,
            "index": {"refresh_interval": "30s"},
            "x": None,
        },
        "max_read_request_operation_count": 1024,
        "max_outstanding_read_requests": "16",
        "max_read_request_size": "1024k",
        "max_write_request_operation_count": 32768.0,
        "max_write_request_size": "16KB",
        "max_outstanding_write_requests": 8,
        "max_write_buffer_count": 512,
        "max_write_buffer_size": "0.5gb",
        "max_retry_delay": "10S",
        "read_poll_timeout": "30s",
    }
    assert (
        await client("PUT", "/copy/_ccr/follow?timeout=5s&master_timeout=-1", body)
    ).status == 200
    (request,) = replication.followers.followed
    assert request.data_stream_name == "logs"
    assert request.timeout_s == 5
    assert request.settings == {
        "index.number_of_replicas": "0",
        "index.refresh_interval": "30s",
        "index.x": None,
    }
    assert request.parameters == FollowParameters(
        max_read_request_operation_count=1024,
        max_outstanding_read_requests=16,
        max_read_request_size="1024kb",
        max_write_request_operation_count=32768,
        max_write_request_size="16kb",
        max_outstanding_write_requests=8,
        max_write_buffer_count=512,
        max_write_buffer_size="536870912b",
        max_retry_delay="10s",
        read_poll_timeout="30s",
    )


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, "1: remote_cluster is missing;2: leader_index is missing;"),
        ({"leader_index": "l"}, "1: remote_cluster is missing;"),
        ({"remote_cluster": "eu"}, "1: leader_index is missing;"),
        ({**LED, "data_stream_name": " "}, "1: data_stream_name must contain text if present;"),
        (
            {"max_retry_delay": "6m"},
            "1: remote_cluster is missing;2: leader_index is missing;"
            "3: [max_retry_delay] must be less than [5m] but was [6m];",
        ),
    ],
)
async def test_what_is_missing(
    client: Client, replication: FakeReplication, body: Any, problems: str
) -> None:
    """R-1: the field is named, and nothing is begun."""
    answer = await client("PUT", "/copy/_ccr/follow", body)
    kind = "action_request_validation_exception"
    assert_error(answer, 400, kind, f"Validation Failed: {problems}")
    assert replication.followers.followed == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        *(
            (name, value, f"{name} must be larger than 0")
            for name in (
                "max_read_request_operation_count",
                "max_outstanding_read_requests",
                "max_write_request_operation_count",
                "max_outstanding_write_requests",
                "max_write_buffer_count",
            )
            for value in (0, -1)
        ),
        *(
            (name, value, f"{name} must be larger than 0")
            for name in ("max_read_request_size", "max_write_request_size", "max_write_buffer_size")
            for value in ("0", "0b", "-1")
        ),
        ("max_retry_delay", "0", "[max_retry_delay] must be positive but was [0ms]"),
        ("max_retry_delay", "-1", "[max_retry_delay] must be positive but was [-1]"),
        ("max_retry_delay", "301s", "[max_retry_delay] must be less than [5m] but was [301s]"),
    ],
)
@pytest.mark.parametrize("call", ["follow", "resume_follow", "auto_follow"])
async def test_parameters_out_of_range(
    client: Client, call: str, name: str, value: Any, problem: str
) -> None:
    """R-12: in each call that takes them."""
    body: dict[str, Any] = {name: value}
    if call == "auto_follow":
        body |= {"remote_cluster": "eu", "leader_index_patterns": ["l*"]}
        answer = await client("PUT", "/_ccr/auto_follow/p", body)
    elif call == "follow":
        answer = await client("PUT", "/copy/_ccr/follow", {**LED, **body})
    else:
        answer = await client("POST", "/copy/_ccr/resume_follow", body)
    kind = "action_request_validation_exception"
    assert_error(answer, 400, kind, f"Validation Failed: 1: {problem};")


async def test_the_longest_retry_delay(client: Client, replication: FakeReplication) -> None:
    """R-12: five minutes are allowed, whatever the error says."""
    assert (
        await client("PUT", "/copy/_ccr/follow", {**LED, "max_retry_delay": "5m"})
    ).status == 200
    assert replication.followers.followed[0].parameters.max_retry_delay == "5m"


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ("many", "number_format_exception", 'For input string: "many"'),
        ("", "number_format_exception", "empty String"),
        (
            "3000000000",
            "illegal_argument_exception",
            "Value [3000000000] is out of range for an integer",
        ),
        (
            3000000000,
            "x_content_parse_exception",
            "[1:27] Numeric value (3000000000) out of range of int (-2147483648 - 2147483647)",
        ),
    ],
)
async def test_numbers_that_are_none(client: Client, value: Any, kind: str, reason: str) -> None:
    """R-12: with the cause that the reference gives."""
    answer = await client("PUT", "/copy/_ccr/follow", {"max_write_buffer_count": value})
    shown = f"[1:27] [{PARSER}] failed to parse field [max_write_buffer_count]"
    error = assert_error(answer, 400, "x_content_parse_exception", shown)
    assert error["caused_by"] == {"type": kind, "reason": reason}


@pytest.mark.parametrize("value", [7, "7", " 7", "7.9", 7.9])
async def test_numbers(client: Client, replication: FakeReplication, value: Any) -> None:
    """R-12: a text is as good, and a fraction is cut off."""
    body = {**LED, "max_write_buffer_count": value}
    assert (await client("PUT", "/copy/_ccr/follow", body)).status == 200
    assert replication.followers.followed[0].parameters.max_write_buffer_count == 7


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**LED, "x": 1}, f"[1:43] [{PARSER}] unknown field [x]"),
        (
            {**LED, "leader_indx": 1},
            f"[1:43] [{PARSER}] unknown field [leader_indx] did you mean [leader_index]?",
        ),
        (
            {"remote_cluster": 1},
            f"[1:19] [{PARSER}] remote_cluster doesn't support values of type: VALUE_NUMBER",
        ),
        (
            {"leader_index": None},
            f"[1:17] [{PARSER}] leader_index doesn't support values of type: VALUE_NULL",
        ),
        (
            {"max_read_request_size": 5},
            f"[1:26] [{PARSER}] max_read_request_size doesn't support values of type: VALUE_NUMBER",
        ),
        (
            {"max_retry_delay": "5x"},
            f"[1:20] [{PARSER}] failed to parse field [max_retry_delay]",
        ),
        (
            {"max_write_buffer_count": "many"},
            f"[1:27] [{PARSER}] failed to parse field [max_write_buffer_count]",
        ),
        (
            {"max_write_buffer_count": 2**31},
            f"[1:27] [{PARSER}] failed to parse field [max_write_buffer_count]",
        ),
        (
            {"settings": []},
            f"[1:13] [{PARSER}] settings doesn't support values of type: START_ARRAY",
        ),
        ([], f"[1:1] [{PARSER}] Expected START_OBJECT but was: START_ARRAY"),
    ],
)
async def test_bodies_that_cannot_be_read(
    client: Client, replication: FakeReplication, body: Any, reason: str
) -> None:
    """R-11: an unknown field, and a known one of the wrong kind."""
    answer = await client("PUT", "/copy/_ccr/follow", body)
    assert_error(answer, 400, "x_content_parse_exception", reason)
    assert replication.followers.followed == []


async def test_no_body(client: Client) -> None:
    answer = await client("PUT", "/copy/_ccr/follow")
    reason = "request body or source parameter is required"
    assert_error(answer, 400, "parse_exception", reason)


async def test_the_body_as_a_parameter(client: Client, replication: FakeReplication) -> None:
    source = "%7B%22remote_cluster%22:%22eu%22,%22leader_index%22:%22l%22%7D"
    target = f"/copy/_ccr/follow?source={source}&source_content_type=application/json"
    assert (await client("PUT", target)).status == 200
    assert replication.followers.followed[0].leader_index == "l"


async def test_an_unknown_query_parameter(client: Client) -> None:
    answer = await client("PUT", "/copy/_ccr/follow?wait_for_active_shard=1", LED)
    reason = (
        "request [/copy/_ccr/follow] contains unrecognized parameter: [wait_for_active_shard] -> "
        "did you mean [wait_for_active_shards]?"
    )
    assert_error(answer, 400, "illegal_argument_exception", reason)


async def test_an_unknown_remote(client: Client, replication: FakeReplication) -> None:
    """R-2: the error of whoever knows is the answer."""
    replication.followers.failing["copy"] = NoSuchRemoteCluster("x")
    answer = await client("PUT", "/copy/_ccr/follow", LED)
    assert_error(answer, 404, "no_such_remote_cluster_exception", "no such remote cluster: [x]")


async def test_pause(client: Client, replication: FakeReplication) -> None:
    """R-13."""
    answer = await client("POST", "/copy/_ccr/pause_follow?master_timeout=1s")
    assert answer.json == {"acknowledged": True}
    assert replication.followers.paused == ["copy"]
    replication.followers.failing["copy"] = IllegalArgument("no shard follow tasks for [copy]")
    answer = await client("POST", "/copy/_ccr/pause_follow")
    assert_error(answer, 400, "illegal_argument_exception", "no shard follow tasks for [copy]")
    replication.followers.failing["gone"] = IndexNotFound("gone")
    assert (await client("POST", "/gone/_ccr/pause_follow")).status == 404


async def test_pause_takes_no_body(client: Client) -> None:
    answer = await client("POST", "/copy/_ccr/pause_follow", {"a": 1})
    reason = "request [POST /copy/_ccr/pause_follow] does not support having a body"
    assert_error(answer, 400, "illegal_argument_exception", reason)


@pytest.mark.parametrize("body", [None, {}])
async def test_resume_without_parameters_takes_the_defaults(
    client: Client, replication: FakeReplication, body: Any
) -> None:
    """R-14."""
    answer = await client("POST", "/copy/_ccr/resume_follow", body)
    assert answer.json == {"acknowledged": True}
    assert replication.followers.resumed == [("copy", FollowParameters())]


async def test_resume_knows_the_parameters_alone(
    client: Client, replication: FakeReplication
) -> None:
    """R-14: what is not given is not what it was."""
    body = {"max_retry_delay": "1s"}
    assert (await client("POST", "/copy/_ccr/resume_follow", body)).status == 200
    assert replication.followers.resumed == [("copy", FollowParameters(max_retry_delay="1s"))]
    answer = await client("POST", "/copy/_ccr/resume_follow", LED)
    reason = "[1:2] [cluster:admin/xpack/ccr/resume_follow] unknown field [remote_cluster]"
    assert_error(answer, 400, "x_content_parse_exception", reason)


async def test_unfollow(client: Client, replication: FakeReplication) -> None:
    """R-17, R-19: a lease that is still there is told, and the call has done its work."""
    answer = await client("POST", "/copy/_ccr/unfollow?timeout=1s&master_timeout=1s")
    assert answer.json == {"acknowledged": True}
    replication.followers.leases_pending = ("us/copy/u-following-eu/l/v",)
    answer = await client("POST", "/copy/_ccr/unfollow")
    assert answer.json == {
        "acknowledged": True,
        "leases_pending": ["us/copy/u-following-eu/l/v"],
    }
    reason = (
        "cannot convert the follower index [copy] to a non-follower, because it has not been paused"
    )
    replication.followers.failing["copy"] = IllegalArgument(reason)
    answer = await client("POST", "/copy/_ccr/unfollow")
    assert_error(answer, 400, "illegal_argument_exception", reason)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/copy/_ccr/follow", "PUT"),
        ("GET", "/copy/_ccr/unfollow", "POST"),
        ("PUT", "/copy/_ccr/pause_follow", "POST"),
        ("POST", "/copy/_ccr/info", "GET"),
        ("DELETE", "/_ccr/stats", "GET"),
    ],
)
async def test_other_methods(client: Client, method: str, path: str, allowed: str) -> None:
    answer = await client(method, path)
    assert answer.status == 405
    assert allowed in answer.headers["allow"]
