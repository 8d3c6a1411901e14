"""`_stats?level=shards`: the history of each shard, and what is retained of it for followers."""

from typing import Any

import pytest

from sealane.model.replication import LEASE_SOURCE, lease_id
from tests.conformance.conftest import NOON_MS, Pair

LEASE = lease_id(
    follower_cluster="local",
    follower_index="f",
    follower_uuid="f-uuid",
    alias="eu",
    leader_index="lead",
    leader_uuid="l-uuid",
)
# The members of one shard as Elasticsearch 8.19 answers, of those that have a meaning here.
SHARD = {"routing", "docs", "shard_stats", "store", "commit", "seq_no", "retention_leases"}


@pytest.fixture
async def leader(pair: Pair) -> Pair:
    """Two shards, of which one has two operations on one document."""
    await pair.eu.call("PUT", "/lead", {"settings": {"number_of_shards": 2}})
    for _ in range(2):
        await pair.eu.call("PUT", "/lead/_doc/1?refresh", {"a": 1})
    return pair


async def shards_of(pair: Pair, target: str) -> dict[str, list[dict[str, Any]]]:
    answer = await pair.eu.call("GET", target)
    shards: dict[str, list[dict[str, Any]]] = answer["indices"]["lead"]["shards"]
    return shards


async def test_each_shard_tells_its_history(leader: Pair) -> None:
    shards = await shards_of(leader, "/lead/_stats?level=shards")
    assert sorted(shards) == ["0", "1"]
    (used,) = [each for (each,) in shards.values() if each["seq_no"]["max_seq_no"] >= 0]
    (empty,) = [each for (each,) in shards.values() if each["seq_no"]["max_seq_no"] < 0]
    assert set(used) == set(empty) == SHARD
    assert used["seq_no"] == {"max_seq_no": 1, "local_checkpoint": 1, "global_checkpoint": 1}
    assert empty["seq_no"] == {"max_seq_no": -1, "local_checkpoint": -1, "global_checkpoint": -1}
    assert used["docs"]["count"] == 1
    assert empty["docs"]["count"] == 0
    assert used["shard_stats"] == {"total_count": 1}
    assert set(used["store"]) == {
        "size_in_bytes",
        "total_data_set_size_in_bytes",
        "reserved_in_bytes",
    }
    routing = used["routing"]
    assert isinstance(routing.pop("node"), str)
    assert routing == {"state": "STARTED", "primary": True, "relocating_node": None}
    committed = used["commit"]["user_data"]
    assert committed["history_uuid"] != empty["commit"]["user_data"]["history_uuid"]
    assert (committed["max_seq_no"], committed["local_checkpoint"]) == ("1", "1")
    assert committed["es_version"] == "8536000"


async def test_metrics_choose_the_figures_and_leave_the_history(leader: Pair) -> None:
    shards = await shards_of(leader, "/lead/_stats/docs?level=shards")
    assert set(shards["0"][0]) == {"routing", "docs", "commit", "seq_no", "retention_leases"}


async def test_leases_are_shown_where_they_are(leader: Pair) -> None:
    """R-68: id and source name who follows what, by shard."""
    view = leader.eu.indices.metadata.index("lead")
    assert view is not None
    engine = leader.eu.indices.opened.engine
    before = (await shards_of(leader, "/lead/_stats?level=shards"))["1"][0]["retention_leases"]
    assert before == {"primary_term": 1, "version": 0, "leases": []}
    await engine.add_lease(view.uuid, 1, LEASE, 0, LEASE_SOURCE)
    shards = await shards_of(leader, "/lead/_stats?level=shards")
    assert shards["0"][0]["retention_leases"]["leases"] == []
    assert shards["1"][0]["retention_leases"] == {
        "primary_term": 1,
        "version": NOON_MS,
        "leases": [
            {
                "id": "local/f/f-uuid-following-eu/lead/l-uuid",
                "retaining_seq_no": 0,
                "timestamp": NOON_MS,
                "source": "ccr",
            }
        ],
    }


async def test_other_levels_have_no_shards(leader: Pair) -> None:
    by_index = await leader.eu.call("GET", "/lead/_stats")
    assert set(by_index["indices"]["lead"]) == {"uuid", "health", "status", "primaries", "total"}
    assert "indices" not in await leader.eu.call("GET", "/lead/_stats?level=cluster")
