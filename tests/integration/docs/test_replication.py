"""The page about disaster recovery, pasted as it stands: three clusters that follow each other, fail over and back."""

from pathlib import Path
from typing import Any

from tests.integration.docs.pages import Output, Page, run

PAGE = "replication-disaster-recovery.md"
SECTIONS = (
    "Three clusters",
    "One way",
    "Failover",
    "Failback",
    "Chained",
    "Fan-out",
    "Both ways",
    "The end",
)


def with_member(output: Output, wanted: str) -> list[Any]:
    """The answers that have it."""
    return [each for each in output.answers() if wanted in each]


def test_the_page_from_top_to_bottom(tmp_path: Path) -> None:
    """R-64, R-65, R-85, R-109, R-110: one way, failover, failback with what was never copied undone, a planned change
    back, a chain, two followers of one leader, and both ways without a loop.
    """
    page = Page(PAGE)
    blocks = [block for section in SECTIONS for block in page.blocks(f"## {section}")]
    _, followed, lost, promoted, back, returned, chained, fanned, both, _ = run(blocks, tmp_path)

    (verified,) = with_member(followed, "equal")
    assert verified["equal"] is True
    assert verified["shards"][0]["follower"]["docs"] == 2
    assert {"acknowledged": True} in lost.answers()

    answer, written = promoted.answers()
    assert answer["acknowledged"] is True
    assert answer["indices"]["orders"]["promoted"] is True
    assert answer["indices"]["orders"]["checkpoints"] == [1]
    assert written["_id"] == "4"
    assert written["_seq_no"] == 2

    failed_back, undone, level = back.answers()
    (shard,) = failed_back["shards"]
    assert shard["common_seq_no"] == 1
    assert shard["undone_operations"] == 1
    assert undone["found"] is False
    assert level["equal"] is True

    assert [each.get("acknowledged") for each in with_member(returned, "indices")] == [True]
    (again,) = with_member(returned, "shards")
    assert [each["undone_operations"] for each in again["shards"]] == [0]

    started = {
        "follow_index_created": True,
        "follow_index_shards_acked": True,
        "index_following_started": True,
    }
    assert started in chained.answers()
    assert started in fanned.answers()
    (leases,) = with_member(fanned, "indices")
    (shards,) = leases["indices"]["orders"]["shards"].values()
    held = {
        lease["id"].partition("-following-")[0] for lease in shards[0]["retention_leases"]["leases"]
    }
    assert {each.rpartition("/")[0] for each in held} == {"west/orders", "north/orders-direct"}

    lists = [line.split() for line in both.text.splitlines() if line.startswith("logs-")]
    east = [["logs-east", "1"], ["logs-west-copy", "1"]]
    assert lists == [*east, ["logs-east-copy", "1"], ["logs-west", "1"]]
