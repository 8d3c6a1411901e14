"""Indices are followed as they come, by rules."""

from pathlib import Path
from typing import Any

from sealane.testing.in_process import clusters
from tests.conformance.replication.conftest import Replicated, caught_up, complete, equal, until


async def rule(replicated: Replicated, name: str = "all", **body: Any) -> None:
    asked = {
        "remote_cluster": "eu",
        "leader_index_patterns": ["logs-*"],
        "follow_index_pattern": "{{leader_index}}-copy",
        **body,
    }
    await replicated.here.call("PUT", f"/_ccr/auto_follow/{name}", asked)


async def figures(replicated: Replicated) -> Any:
    return (await replicated.here.call("GET", "/_ccr/stats"))["auto_follow_stats"]


async def followed(replicated: Replicated, index: str) -> None:
    """Waits until the index is there, and is what its leader is."""

    async def is_there() -> bool:
        return replicated.here.indices.metadata.index(index) is not None

    await until(is_there)
    await caught_up(replicated.there, index.removesuffix("-copy"), replicated.here, index)
    await equal(replicated.there, index.removesuffix("-copy"), replicated.here, index)


def followers(replicated: Replicated) -> set[str]:
    return {each.name for each in replicated.here.indices.metadata}


async def test_new_indices_are_followed(replicated: Replicated) -> None:
    """R-76, R-77, R-78: under the name of the rule; neither what was there, nor what is excluded."""
    await replicated.there.fill("logs-old", {"1": {"n": 1}})
    await rule(replicated, leader_index_exclusion_patterns=["logs-private-*"])
    await replicated.there.fill("logs-private-1", {"1": {"n": 1}})
    await replicated.there.fill("metrics-1", {"1": {"n": 1}})
    await replicated.there.fill("logs-new", {"1": {"n": 1}})
    await followed(replicated, "logs-new-copy")
    assert followers(replicated) == {"logs-new-copy"}
    told = await figures(replicated)
    assert told["number_of_successful_follow_indices"] == 1
    assert told["recent_auto_follow_errors"] == []
    assert [each["cluster_name"] for each in told["auto_followed_clusters"]] == ["eu"]


async def test_existing_indices_where_the_rule_says_so(replicated: Replicated) -> None:
    """R-76: as an option of ours."""
    await replicated.there.fill("logs-old", {"1": {"n": 1}})
    await rule(replicated, include_existing=True)
    await followed(replicated, "logs-old-copy")


async def test_two_rules_for_one_index(replicated: Replicated) -> None:
    """R-79: neither follows it, both say why."""
    await rule(replicated, "one")
    await rule(replicated, "two", leader_index_patterns=["logs-a*"])
    await replicated.there.fill("logs-a", {"1": {"n": 1}})

    async def errors() -> Any:
        told = (await figures(replicated))["recent_auto_follow_errors"]
        return told if len(told) == 2 else None

    told = await until(errors)
    assert {each["leader_index"] for each in told} == {"one:logs-a", "two:logs-a"}
    assert "matches with other patterns" in told[0]["auto_follow_exception"]["reason"]
    assert followers(replicated) == set()


async def test_what_came_during_a_pause_is_followed_after_it(replicated: Replicated) -> None:
    """R-80, R-81: a paused rule forgets nothing; a deleted one leaves its followers."""
    await rule(replicated)
    await replicated.here.call("POST", "/_ccr/auto_follow/all/pause")
    await replicated.there.fill("logs-a", {"1": {"n": 1}})
    await replicated.here.call("POST", "/_ccr/auto_follow/all/resume")
    await followed(replicated, "logs-a-copy")
    await replicated.here.call("DELETE", "/_ccr/auto_follow/all")
    await replicated.there.fill("logs-b", {"1": {"n": 1}})
    await replicated.there.fill("logs-a", {"2": {"n": 2}})
    await followed(replicated, "logs-a-copy")
    assert followers(replicated) == {"logs-a-copy"}


async def test_what_cannot_be_followed_is_tried_again(replicated: Replicated) -> None:
    """R-82: it is told of, and followed once what is in the way has gone."""
    await replicated.here.fill("logs-a-copy", {"mine": {"n": 1}})
    await rule(replicated)
    await replicated.there.fill("logs-a", {"1": {"n": 1}})

    async def errors() -> Any:
        return (await figures(replicated))["recent_auto_follow_errors"]

    [told] = await until(errors)
    assert told["auto_follow_exception"]["type"] == "snapshot_restore_exception"
    await replicated.here.call("DELETE", "/logs-a-copy")
    await replicated.there.fill("logs-b", {"1": {"n": 1}})
    await followed(replicated, "logs-a-copy")


async def test_a_remote_that_comes_later(replicated: Replicated) -> None:
    """R-84: while it is away the rule rests; it takes up what has come meanwhile."""
    await rule(replicated)
    replicated.link.is_cut = True
    await replicated.there.fill("logs-a", {"1": {"n": 1}})
    replicated.link.is_cut = False
    await replicated.there.fill("logs-b", {"1": {"n": 1}})
    await followed(replicated, "logs-a-copy")
    await followed(replicated, "logs-b-copy")


async def test_both_ways_without_a_circle(replicated: Replicated) -> None:
    """R-85: each follows what the other leads, and not the copies of its own."""
    replicated.there.register(replicated.here, "us")
    await rule(replicated)
    await replicated.there.call(
        "PUT",
        "/_ccr/auto_follow/back",
        {
            "remote_cluster": "us",
            "leader_index_patterns": ["logs-*"],
            "leader_index_exclusion_patterns": ["*-copy"],
            "follow_index_pattern": "{{leader_index}}-copy",
        },
    )
    await replicated.there.fill("logs-there", {"1": {"n": 1}})
    await replicated.here.fill("logs-here", {"1": {"n": 1}})
    await followed(replicated, "logs-there-copy")

    async def is_back() -> bool:
        return replicated.there.indices.metadata.index("logs-here-copy") is not None

    await until(is_back)
    assert followers(replicated) == {"logs-there-copy", "logs-here"}
    assert {each.name for each in replicated.there.indices.metadata} == {
        "logs-there",
        "logs-here-copy",
    }


async def test_a_restart_neither_loses_nor_repeats(tmp_path: Path) -> None:
    """R-86, R-83: what came while it was down is followed, what was followed is not followed anew."""
    async with clusters(tmp_path, "here", "there") as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await rule(replicated)
        await there.fill("logs-a", {"1": {"n": 1}})
        await followed(replicated, "logs-a-copy")
        await complete(here, "logs-a-copy")
        await here.call("POST", "/logs-a-copy/_ccr/promote")
        await here.call("DELETE", "/logs-a-copy")
    stores = {each.name: each.store for each in (here, there)}
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        await there.fill("logs-b", {"1": {"n": 1}})
        replicated = Replicated(here, there, here.register(there, "eu"))
        await followed(replicated, "logs-b-copy")
        assert followers(replicated) == {"logs-b-copy"}
        await there.call("DELETE", "/logs-a")
        await there.fill("logs-a", {"1": {"n": 2}})
        await followed(replicated, "logs-a-copy")
