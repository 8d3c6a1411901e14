"""A follower over REST: what its users may do with it. It is made without a leader to talk to."""

from typing import Any

import msgspec
import pytest

from sealane.model.replication import NO_OPERATIONS, LeaderAlias
from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair
from tests.unit.cluster.leaders import following, leader

MARKER = "index.xpack.ccr.following_index"


@pytest.fixture
async def cluster(pair: Pair) -> InProcessCluster:
    """One with the follower `f` and the ordinary index `i`."""
    lead = leader(aliases={"al": LeaderAlias(filter='{"term":{"f":"x"}}', index_routing="1")})
    followed = pair.local.indices.followed
    await followed.create_follower("f", lead, {}, following(lead, copy_to=(NO_OPERATIONS,)))
    await pair.local.call("PUT", "/i/_doc/1?refresh", {"f": "a"})
    return pair.local


def reason_of(answer: Any) -> tuple[int, str, str]:
    error = answer.body["error"]
    return answer.status, error["type"], error["reason"]


WRITE = (
    403,
    "status_exception",
    "a following engine does not accept operations without an assigned sequence number",
)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/f/_doc/1", {"f": "x"}),
        ("POST", "/f/_doc", {"new_field": 1}),
        ("PUT", "/f/_create/1", {"f": "x"}),
        ("DELETE", "/f/_doc/1", None),
        ("POST", "/f/_update/1", {"doc": {"f": "y"}, "doc_as_upsert": True}),
    ],
)
async def test_documents_are_refused(
    cluster: InProcessCluster, method: str, target: str, body: Any
) -> None:
    """R-27: and a new field of theirs does not get into the mapping."""
    before = cluster.indices.metadata.index("f")
    assert reason_of(await cluster.request(method, target, body)) == WRITE
    assert cluster.indices.metadata.index("f") is before
    assert (await cluster.call("GET", "/f/_count"))["count"] == 0


async def test_items_of_a_bulk_are_refused_one_by_one(cluster: InProcessCluster) -> None:
    """R-27: those for other indices are written."""
    answer = await cluster.request(
        "POST",
        "/_bulk",
        b'{"index":{"_index":"f","_id":"1"}}\n{"f":"x"}\n'
        b'{"index":{"_index":"i","_id":"2"}}\n{"f":"x"}\n'
        b'{"delete":{"_index":"f","_id":"1"}}\n',
    )
    assert [next(iter(each.values()))["status"] for each in answer.body["items"]] == [403, 201, 403]
    assert answer.body["items"][0]["index"]["error"]["reason"] == WRITE[2]


async def test_an_alias_of_a_follower_alone_is_not_written_through(
    cluster: InProcessCluster,
) -> None:
    """R-35: is_write_index is false, so there is none to write to."""
    answer = await cluster.request("PUT", "/al/_doc/1?routing=1", {"f": "x"})
    assert answer.status == 400
    assert reason_of(answer)[1] == "illegal_argument_exception"


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        (
            "PUT",
            "/f/_mapping",
            {"properties": {"x": {"type": "long"}}},
            (
                403,
                "status_exception",
                "can't put mapping to the following indices [f]; the mapping of the following indices are "
                "self-replicated from its leader indices",
            ),
        ),
        (
            "PUT",
            "/f/_alias/x",
            None,
            (
                403,
                "status_exception",
                "can't modify aliases on indices [f]; aliases of following indices are self-replicated from their "
                "leader indices",
            ),
        ),
        (
            "DELETE",
            "/f/_alias/al",
            None,
            (
                403,
                "status_exception",
                "can't modify aliases on indices [f]; aliases of following indices are self-replicated from their "
                "leader indices",
            ),
        ),
        (
            "PUT",
            "/f/_settings",
            {MARKER: False},
            (
                400,
                "illegal_argument_exception",
                f"can not update internal setting [{MARKER}]; this setting is managed via a dedicated API",
            ),
        ),
        (
            "PUT",
            "/f/_settings",
            {"index": {"mapping": {"total_fields": {"limit": 5}}}},
            (
                400,
                "illegal_argument_exception",
                "can't update settings [index.mapping.total_fields.limit] of the following indices [f]; these "
                "settings of following indices are self-replicated from their leader indices",
            ),
        ),
    ],
)
async def test_what_comes_from_the_leader_is_refused(
    cluster: InProcessCluster, method: str, target: str, body: Any, expected: Any
) -> None:
    """R-28, R-29, R-30: as the reference says it."""
    assert reason_of(await cluster.request(method, target, body)) == expected


async def test_local_settings_and_the_marker_are_shown(cluster: InProcessCluster) -> None:
    """R-29"""
    await cluster.call("PUT", "/f/_settings", {"number_of_replicas": 0, "refresh_interval": "7s"})
    shown = (await cluster.call("GET", "/f/_settings"))["f"]["settings"]["index"]
    assert shown["xpack"] == {"ccr": {"following_index": "true"}}
    assert (shown["number_of_replicas"], shown["refresh_interval"]) == ("0", "7s")
    other = (await cluster.call("GET", "/i/_settings?include_defaults"))["i"]
    assert "xpack" not in other["settings"]["index"]
    assert (await cluster.call("GET", "/f/_alias"))["f"]["aliases"] == {
        "al": {
            "filter": {"term": {"f": "x"}},
            "index_routing": "1",
            "is_write_index": False,
        }
    }


async def test_a_follower_is_read_closed_opened_and_deleted(cluster: InProcessCluster) -> None:
    """R-39, R-40"""
    for method, target in (
        ("POST", "/f/_refresh"),
        ("POST", "/f/_close"),
        ("POST", "/f/_open"),
        ("GET", "/f/_search"),
        ("DELETE", "/f"),
    ):
        assert (await cluster.request(method, target)).status == 200, target
    assert (await cluster.request("GET", "/f")).status == 404


async def test_a_half_copied_follower_is_not_searched(pair: Pair) -> None:
    """R-92: what is no state of any one moment is not shown as if it were one."""
    lead = leader()
    await pair.local.indices.followed.create_follower("half", lead, {}, following(lead))
    for _ in range(2):
        answer = await pair.local.request("GET", "/half/_search")
        assert answer.status == 503
        await pair.local.call("POST", "/half/_close")
        await pair.local.call("POST", "/half/_open")


async def test_shards_that_are_copied_are_initializing(pair: Pair) -> None:
    """R-9: whoever waits for the shards of a follower waits for the end of its copy."""
    cluster, followed = pair.local, pair.local.indices.followed
    lead = leader(shards=2, settings={"index.number_of_replicas": "0"})
    made = await followed.create_follower("half", lead, {}, following(lead))
    await cluster.call("PUT", "/i", {"settings": {"number_of_replicas": 0}})
    health = await cluster.call("GET", "/_cluster/health?level=shards")
    assert (health["status"], health["active_shards"], health["initializing_shards"]) == (
        "yellow",
        1,
        2,
    )
    assert health["active_shards_percent_as_number"] == pytest.approx(100 / 3)
    half = health["indices"]["half"]
    assert (half["status"], half["active_primary_shards"], half["initializing_shards"]) == (
        "yellow",
        0,
        2,
    )
    assert half["shards"]["1"]["primary_active"] is False
    assert half["unassigned_primary_shards"] == 0
    for wanted in (
        "wait_for_no_initializing_shards=true",
        "wait_for_active_shards=all",
        "wait_for_status=green",
    ):
        answer = await cluster.request("GET", f"/_cluster/health/half?timeout=0s&{wanted}")
        assert (answer.status, answer.body["timed_out"]) == (408, True), wanted
    done = (NO_OPERATIONS, NO_OPERATIONS)
    await followed.change_following(
        made.uuid, lambda each: msgspec.structs.replace(each, copy_to=done)
    )
    health = await cluster.call("GET", "/_cluster/health?wait_for_no_initializing_shards=true")
    assert (health["status"], health["active_shards"]) == ("green", 3)
