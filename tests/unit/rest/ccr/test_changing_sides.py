"""Leases that are forgotten, and our own calls: promote, failback, verify."""

from typing import Any

import pytest

from sealane.errors import IllegalArgument, LeaseNotFound
from sealane.model.followers import Promoted, ShardsAnswer, Verified, VerifiedShard
from tests.unit.rest.ccr.replication import FakeReplication
from tests.unit.rest.fakes import Client, assert_error

FORGET = {
    "follower_cluster": "us",
    "follower_index": "copy",
    "follower_index_uuid": "u",
    "leader_remote_cluster": "eu",
}


async def test_forget_follower(client: Client, replication: FakeReplication) -> None:
    """R-20: the answer counts shards."""
    answer = await client("POST", "/l/_ccr/forget_follower?timeout=1s", FORGET)
    assert answer.json == {"_shards": {"total": 1, "successful": 1, "failed": 0}}
    (request,) = replication.leases.forgotten
    assert (request.leader_index, request.follower_index_uuid) == ("l", "u")
    missing = LeaseNotFound("us/copy/u-following-eu/l/v")
    replication.leases.answer = ShardsAnswer(total=2, successful=1, failures=[("l", 1, missing)])
    answer = await client("POST", "/l/_ccr/forget_follower", FORGET)
    assert answer.status == 200
    assert answer.json["_shards"] == {
        "total": 2,
        "successful": 1,
        "failed": 1,
        "failures": [
            {
                "shard": 1,
                "index": "l",
                "status": "NOT_FOUND",
                "reason": {
                    "type": "retention_lease_not_found_exception",
                    "reason": "retention lease with ID [us/copy/u-following-eu/l/v] not found",
                },
            }
        ],
    }


@pytest.mark.parametrize("name", FORGET)
async def test_a_field_is_missing(client: Client, replication: FakeReplication, name: str) -> None:
    """R-20: all four are needed."""
    body = {key: value for key, value in FORGET.items() if key != name}
    answer = await client("POST", "/l/_ccr/forget_follower", body)
    reason = f"Validation Failed: 1: {name} is missing;"
    assert_error(answer, 400, "action_request_validation_exception", reason)
    assert replication.leases.forgotten == []


async def test_an_unknown_field(client: Client) -> None:
    answer = await client("POST", "/l/_ccr/forget_follower", {**FORGET, "x": 1})
    assert answer.json["error"]["reason"].endswith(
        "[indices:admin/xpack/ccr/forget_follower] unknown field [x]"
    )


async def test_promote(client: Client, replication: FakeReplication) -> None:
    replication.followers.promotions = [
        Promoted(index="a", checkpoints=(4, 9)),
        Promoted(index="b", checkpoints=(0,), leases_pending=("x",)),
        Promoted(index="c", error=IllegalArgument("not this one")),
    ]
    answer = await client("POST", "/a,b,c/_ccr/promote?timeout=1m")
    assert answer.json == {
        "acknowledged": False,
        "indices": {
            "a": {"promoted": True, "checkpoints": [4, 9]},
            "b": {"promoted": True, "checkpoints": [0], "leases_pending": ["x"]},
            "c": {
                "promoted": False,
                "error": {"type": "illegal_argument_exception", "reason": "not this one"},
            },
        },
    }
    assert replication.followers.asked == [("a", "b", "c")]


async def test_promoting_one_that_cannot_be(client: Client, replication: FakeReplication) -> None:
    """A failure of the only one is an error like any other."""
    replication.followers.promotions = [Promoted(index="c", error=IllegalArgument("no"))]
    answer = await client("POST", "/c/_ccr/promote")
    assert_error(answer, 400, "illegal_argument_exception", "no")


async def test_failback(client: Client, replication: FakeReplication) -> None:
    body = {
        "remote_cluster": "us",
        "leader_index": "copy",
        "settings": {"number_of_replicas": 0},
        "max_retry_delay": "1s",
    }
    answer = await client("POST", "/l/_ccr/failback", body)
    assert answer.json == {
        "acknowledged": True,
        "shards": [
            {"shard": 0, "common_seq_no": 9, "undone_operations": 2, "touched_documents": 1},
            {"shard": 1, "common_seq_no": -1, "undone_operations": 0, "touched_documents": 0},
        ],
    }
    (request,) = replication.followers.failed_back
    assert (request.index, request.remote_cluster, request.leader_index) == ("l", "us", "copy")
    assert request.settings == {"index.number_of_replicas": "0"}
    assert request.parameters.max_retry_delay == "1s"
    answer = await client("POST", "/l/_ccr/failback", {})
    reason = "Validation Failed: 1: remote_cluster is missing;2: leader_index is missing;"
    assert_error(answer, 400, "action_request_validation_exception", reason)


@pytest.mark.parametrize(
    ("there", "equal"),
    [
        ({"follower_docs": 5, "follower_hash": "h"}, True),
        ({"follower_docs": 4, "follower_hash": "h"}, False),
        ({"follower_docs": 5, "follower_hash": "g"}, False),
    ],
)
async def test_verify(
    client: Client, replication: FakeReplication, there: Any, equal: bool
) -> None:
    """Equal are those with as many documents of the same hash at one checkpoint."""
    shard = VerifiedShard(shard=0, checkpoint=8, leader_docs=5, leader_hash="h", **there)
    replication.followers.verified = Verified(
        index="copy", remote_cluster="eu", leader_index="l", shards=[shard]
    )
    answer = await client("GET", "/copy/_ccr/verify")
    assert answer.json == {
        "follower_index": "copy",
        "remote_cluster": "eu",
        "leader_index": "l",
        "equal": equal,
        "shards": [
            {
                "shard": 0,
                "equal": equal,
                "checkpoint": 8,
                "leader": {"docs": 5, "hash": "h"},
                "follower": {"docs": there["follower_docs"], "hash": there["follower_hash"]},
            }
        ],
    }


async def test_a_shard_that_could_not_be_compared(
    client: Client, replication: FakeReplication
) -> None:
    """It is never taken for equal."""
    replication.followers.verified = Verified(
        index="copy",
        remote_cluster="eu",
        leader_index="l",
        shards=[VerifiedShard(shard=0, error=IllegalArgument("no"))],
    )
    body = (await client("GET", "/copy/_ccr/verify")).json
    assert body["equal"] is False
    assert body["shards"] == [
        {
            "shard": 0,
            "equal": False,
            "error": {"type": "illegal_argument_exception", "reason": "no"},
        }
    ]
