"""info and the two kinds of statistics: their shapes, for programs and for people."""

from typing import Any

from sealane.errors import ConnectTransport, IllegalState, IndexClosed, IndexNotFound, SecurityError
from sealane.model.followers import (
    AutoFollowedCluster,
    AutoFollowError,
    AutoFollowStats,
    CopyProgress,
    FollowerInfo,
    FollowerStatus,
    IndexFollowStats,
    Phase,
    ReadFailure,
    ShardFollowStats,
)
from sealane.model.replication import FollowParameters
from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import NOW_MS, Client, assert_error

DEFAULTS = {
    "max_read_request_operation_count": 5120,
    "max_read_request_size": "32mb",
    "max_outstanding_read_requests": 12,
    "max_write_request_operation_count": 5120,
    "max_write_request_size": "9223372036854775807b",
    "max_outstanding_write_requests": 9,
    "max_write_buffer_count": 2147483647,
    "max_write_buffer_size": "512mb",
    "max_retry_delay": "500ms",
    "read_poll_timeout": "1m",
}
_COUNTS = (
    "leader_global_checkpoint",
    "leader_max_seq_no",
    "follower_global_checkpoint",
    "follower_max_seq_no",
    "last_requested_seq_no",
    "outstanding_read_requests",
    "outstanding_write_requests",
    "write_buffer_operation_count",
    "write_buffer_size_in_bytes",
    "follower_mapping_version",
    "follower_settings_version",
    "follower_aliases_version",
    "total_read_time_millis",
    "total_read_remote_exec_time_millis",
    "successful_read_requests",
    "failed_read_requests",
    "operations_read",
    "bytes_read",
    "total_write_time_millis",
    "successful_write_requests",
    "failed_write_requests",
    "operations_written",
)
REFERENCE_FIELDS = [
    "remote_cluster",
    "leader_index",
    "follower_index",
    "shard_id",
    *_COUNTS,
    "read_exceptions",
    "time_since_last_read_millis",
]


def info(name: str, status: FollowerStatus, **more: Any) -> FollowerInfo:
    return FollowerInfo(index=name, remote_cluster="eu", leader_index="l", status=status, **more)


def shard(index: str, number: int, **more: Any) -> ShardFollowStats:
    return ShardFollowStats(
        remote_cluster="eu", leader_index="l", follower_index=index, shard_id=number, **more
    )


async def test_info(client: Client, replication: FakeReplication) -> None:
    """R-12, R-21, R-91: all ten parameters while active, none while paused; a failed one says why."""
    replication.followers.infos = [
        info(
            "a",
            FollowerStatus.ACTIVE,
            parameters=FollowParameters(max_retry_delay="1s", max_write_buffer_count=7),
        ),
        info("b", FollowerStatus.PAUSED, parameters=FollowParameters()),
        info(
            "c",
            FollowerStatus.FAILED,
            parameters=FollowParameters(),
            failure=IllegalState("of two minds"),
        ),
    ]
    answer = await client("GET", "/a,b*/_ccr/info")
    led = {"remote_cluster": "eu", "leader_index": "l"}
    assert answer.json == {
        "follower_indices": [
            {
                "follower_index": "a",
                **led,
                "status": "active",
                "parameters": {**DEFAULTS, "max_retry_delay": "1s", "max_write_buffer_count": 7},
            },
            {"follower_index": "b", **led, "status": "paused"},
            {
                "follower_index": "c",
                **led,
                "status": "failed",
                "parameters": DEFAULTS,
                "failure": {"type": "illegal_state_exception", "reason": "of two minds"},
            },
        ]
    }
    assert list(answer.json["follower_indices"][0]["parameters"]) == list(DEFAULTS)
    assert replication.followers.asked == [("a", "b*")]


async def test_info_without_followers(client: Client) -> None:
    """R-21."""
    assert (await client("GET", "/_all/_ccr/info")).json == {"follower_indices": []}
    answer = await client("GET", "/none/_ccr/info")
    assert_error(answer, 404, IndexNotFound.es_type, "no such index [none]")


async def test_every_field_of_a_shard(client: Client, replication: FakeReplication) -> None:
    """R-87: the reference's fields in its order, each with its own value; ours in one member."""
    values = {name: at for at, name in enumerate(_COUNTS)}
    replication.followers.statistics = [
        IndexFollowStats(
            index="copy", shards=[shard("copy", 3, **values, time_since_last_read_millis=99)]
        )
    ]
    (index,) = (await client("GET", "/copy/_ccr/stats?timeout=1s")).json["indices"]
    (shown,) = index["shards"]
    assert list(shown) == [*REFERENCE_FIELDS, "sealane"]
    assert {name: shown[name] for name in _COUNTS} == values
    assert shown["shard_id"] == 3
    assert shown["time_since_last_read_millis"] == 99
    assert shown["read_exceptions"] == []
    assert shown["sealane"] == {"phase": "starting", "lag_millis": None}
    assert replication.followers.asked == [("copy",)]


async def test_lag_in_operations(client: Client, replication: FakeReplication) -> None:
    """R-88: the sum over the shards; sorted by index and shard."""
    replication.followers.statistics = [
        IndexFollowStats(
            index="b",
            shards=[
                shard("b", 1, leader_global_checkpoint=10, follower_global_checkpoint=4),
                shard("b", 0, leader_global_checkpoint=5, follower_global_checkpoint=-1),
            ],
        ),
        IndexFollowStats(
            index="a",
            shards=[shard("a", 0, leader_global_checkpoint=5, follower_global_checkpoint=5)],
        ),
    ]
    indices = (await client("GET", "/_all/_ccr/stats")).json["indices"]
    assert [(each["index"], each["total_global_checkpoint_lag"]) for each in indices] == [
        ("a", 0),
        ("b", 12),
    ]
    assert [each["shard_id"] for each in indices[1]["shards"]] == [0, 1]


async def test_errors_of_a_shard(client: Client, replication: FakeReplication) -> None:
    """R-90, R-91: failing reads, what stopped it, and the lease."""
    stats = shard(
        "copy",
        0,
        read_exceptions=[
            ReadFailure(from_seq_no=7, retries=3, error=ConnectTransport("[][::1] refused"))
        ],
        fatal_exception=IllegalState("unexpected history uuid"),
        phase=Phase.FAILED,
        lag_ms=61_000,
        retry_in_ms=400,
        last_error=ConnectTransport("[][::1] refused"),
        lease_renewed_ms=NOW_MS - 45_000,
        lease_error=SecurityError("action is unauthorized"),
        slowest="read",
    )
    replication.followers.statistics = [IndexFollowStats(index="copy", shards=[stats])]
    (index,) = (await client("GET", "/copy/_ccr/stats")).json["indices"]
    (shown,) = index["shards"]
    refused = {"type": "connect_transport_exception", "reason": "[][::1] refused"}
    assert shown["read_exceptions"] == [{"from_seq_no": 7, "retries": 3, "exception": refused}]
    assert shown["fatal_exception"] == {
        "type": "illegal_state_exception",
        "reason": "unexpected history uuid",
    }
    assert shown["sealane"] == {
        "phase": "failed",
        "lag_millis": 61_000,
        "slowest": "read",
        "retry_in_millis": 400,
        "last_error": refused,
        "lease": {
            "time_since_renewal_millis": 45_000,
            "last_error": {"type": "security_exception", "reason": "action is unauthorized"},
        },
    }


async def test_a_copy_under_way(client: Client, replication: FakeReplication) -> None:
    progress = CopyProgress(
        seq_no=40, to_seq_no=99, docs=38, total_docs=90, bytes=3800, started_ms=5, running_ms=70
    )
    stats = shard("copy", 0, phase=Phase.COPYING, copy=progress)
    replication.followers.statistics = [IndexFollowStats(index="copy", shards=[stats])]
    (index,) = (await client("GET", "/copy/_ccr/stats")).json["indices"]
    assert index["shards"][0]["sealane"]["copy"] == {
        "seq_no": 40,
        "to_seq_no": 99,
        "docs": 38,
        "total_docs": 90,
        "bytes": 3800,
        "start_time_in_millis": 5,
        "running_time_in_millis": 70,
    }


async def test_for_people(client: Client, replication: FakeReplication) -> None:
    """R-87: with `human` each size and time is there as a text before its figure."""
    stats = shard(
        "copy",
        0,
        write_buffer_size_in_bytes=1536,
        total_read_time_millis=90_000,
        total_read_remote_exec_time_millis=12,
        bytes_read=3 << 20,
        total_write_time_millis=0,
    )
    replication.followers.statistics = [IndexFollowStats(index="copy", shards=[stats])]
    for target, member in (("/copy/_ccr/stats", None), ("/_ccr/stats", "follow_stats")):
        body = (await client("GET", f"{target}?human")).json
        shown = (body if member is None else body[member])["indices"][0]["shards"][0]
        texts = {name: shown[name] for name in shown if name not in [*REFERENCE_FIELDS, "sealane"]}
        assert texts == {
            "write_buffer_size": "1.5kb",
            "total_read_time": "1.5m",
            "total_read_remote_exec_time": "12ms",
            "total_read": "3mb",
            "total_write_time": "0s",
        }
        names = list(shown)
        assert names.index("total_read") + 1 == names.index("bytes_read")


async def test_statistics_of_what_does_not_follow(client: Client) -> None:
    """R-22."""
    answer = await client("GET", "/none/_ccr/stats")
    reason = "No shard follow tasks for follower indices [none]"
    assert_error(answer, 404, "resource_not_found_exception", reason)
    assert (await client("GET", "/_all/_ccr/stats")).json == {"indices": []}


async def test_both_parts_with_nothing_configured(
    client: Client, replication: FakeReplication
) -> None:
    """R-23."""
    answer = await client("GET", "/_ccr/stats?timeout=1s&master_timeout=1s")
    assert answer.json == {
        "auto_follow_stats": {
            "number_of_failed_follow_indices": 0,
            "number_of_failed_remote_cluster_state_requests": 0,
            "number_of_successful_follow_indices": 0,
            "recent_auto_follow_errors": [],
            "auto_followed_clusters": [],
        },
        "follow_stats": {"indices": []},
    }
    assert replication.followers.asked == [None]


async def test_statistics_of_rules(client: Client, replication: FakeReplication) -> None:
    """R-82."""
    closed = IndexClosed("l-1", "u")
    replication.rules.statistics = AutoFollowStats(
        successful_follow_indices=4,
        failed_follow_indices=2,
        failed_remote_cluster_state_requests=1,
        errors=[AutoFollowError(subject="p:l-1", timestamp_ms=NOW_MS, error=closed)],
        clusters=[
            AutoFollowedCluster(
                alias="eu", time_since_last_check_ms=100, last_seen_metadata_version=7
            ),
            AutoFollowedCluster(
                alias="us",
                time_since_last_check_ms=-1,
                last_seen_metadata_version=0,
                last_error=IllegalState("not now"),
            ),
        ],
    )
    answer = await client("GET", "/_ccr/stats")
    assert answer.json["auto_follow_stats"] == {
        "number_of_failed_follow_indices": 2,
        "number_of_failed_remote_cluster_state_requests": 1,
        "number_of_successful_follow_indices": 4,
        "recent_auto_follow_errors": [
            {
                "leader_index": "p:l-1",
                "timestamp": NOW_MS,
                "auto_follow_exception": closed.to_cause(),
            }
        ],
        "auto_followed_clusters": [
            {
                "cluster_name": "eu",
                "time_since_last_check_millis": 100,
                "last_seen_metadata_version": 7,
            },
            {
                "cluster_name": "us",
                "time_since_last_check_millis": -1,
                "last_seen_metadata_version": 0,
                "sealane": {"last_error": {"type": "illegal_state_exception", "reason": "not now"}},
            },
        ],
    }
