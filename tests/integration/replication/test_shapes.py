"""Who follows whom: chains, many followers, both ways; and clusters that change their parts."""

from pathlib import Path

import pytest

from tests.integration.replication.clusters import (
    Clusters,
    Pair,
    clusters,
    ids,
    two,
    until,
    written_to,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_a_chain_of_three(tmp_path: Path) -> None:
    """R-65: the last has the first one's history; the one between may be killed."""
    first: Pair = ("a", "one", "b", "copy")
    second: Pair = ("b", "copy", "c", "far")
    async with clusters(tmp_path, "abc", [("b", "a"), ("c", "b")]) as made:
        await made.made("a", "one", 100, shards=2)
        await made.follow(first)
        await made.follow(second)
        async with written_to(made, "a", "one") as acknowledged:
            await made.until(second, lambda shard: shard["operations_written"] > 100)
            await made.kill("b")
            await made.start("b")
            reached = (await made.until(second, bool))["follower_global_checkpoint"]
            await made.until(
                second, lambda shard: shard["follower_global_checkpoint"] > reached + 100
            )
        assert ids(await made.equal(first, second)) >= set(acknowledged)
        assert await made.history("c", "far") == await made.history("a", "one")


async def test_five_followers_of_one_leader(tmp_path: Path) -> None:
    """R-64: none waits for another: one is paused, one is killed, and one is cut off."""
    names = "bcdef"
    pairs: list[Pair] = [("a", "one", name, "copy") for name in names]
    async with clusters(tmp_path, "a" + names, [(name, "a") for name in names]) as made:
        await made.made("a", "one", 100)
        for pair in pairs:
            await made.follow(pair)
        async with written_to(made, "a", "one") as acknowledged:
            await made["b"].call("POST", "/copy/_ccr/pause_follow")
            await made.kill("c")
            made.link("d", "a").refuses = True
            made.link("d", "a").cut()
            for pair in pairs[3:]:
                await made.until(pair, lambda shard: shard["operations_written"] > 300)
            assert len(await leases(made)) == len(names)
            await made["b"].call("POST", "/copy/_ccr/resume_follow")
            await made.start("c")
            made.link("d", "a").heal()
        assert ids(await made.equal(*pairs)) >= set(acknowledged)


async def leases(made: Clusters) -> list[str]:
    stats = await made["a"].call("GET", "/one/_stats?level=shards")
    (shard,) = stats["indices"]["one"]["shards"]["0"]
    return [each["id"] for each in shard["retention_leases"]["leases"]]


async def test_both_ways_without_a_loop(tmp_path: Path) -> None:
    """R-85: rules on both sides that would match each other's copies make one copy of each index."""
    async with clusters(tmp_path, "ab", [("a", "b"), ("b", "a")]) as made:
        for here, there in (("a", "b"), ("b", "a")):
            rule = {
                "remote_cluster": there,
                "leader_index_patterns": ["logs-*"],
                "follow_index_pattern": "{{leader_index}}-copy",
            }
            await made[here].call("PUT", f"/_ccr/auto_follow/from-{there}", rule)
        await made.made("a", "logs-a", 20)
        await made.made("b", "logs-b", 30)
        pairs: list[Pair] = [
            ("a", "logs-a", "b", "logs-a-copy"),
            ("b", "logs-b", "a", "logs-b-copy"),
        ]
        for pair in pairs:
            await made.until(pair, bool)
        await made.equal(*pairs)
        await made.made("a", "logs-a2", 5)
        await made.equal(("a", "logs-a2", "b", "logs-a2-copy"))
        for name in "ab":
            rows = await made[name].call("GET", "/_cat/indices?format=json&h=index")
            wanted = {"logs-a", "logs-b", "logs-a2"}
            assert {row["index"].removesuffix("-copy") for row in rows} == wanted
            assert len(rows) == len(wanted)


async def test_failover_and_failback(tmp_path: Path) -> None:
    """R-109, R-110: the leader is killed under load, its follower is promoted and written to; the old leader comes back
    with what nobody else has, and follows.
    """
    there: Pair = ("a", "one", "b", "one")
    back: Pair = ("b", "one", "a", "one")
    async with clusters(tmp_path, "ab", [("b", "a"), ("a", "b")]) as made:
        await made.made("a", "one", 200, shards=2, kept=100_000)
        await made.follow(there)
        async with written_to(made, "a", "one"):
            await made.until(there, lambda shard: shard["operations_written"] > 200)
            await made["b"].call("POST", "/one/_ccr/pause_follow")
            await made.write("a", "one", range(10_000, 10_050))  # never seen by b
            await made.kill("a")
        promoted = await made["b"].call("POST", "/one/_ccr/promote")
        checkpoints = promoted["indices"]["one"]["checkpoints"]
        assert len(checkpoints) == 2
        await made.write("b", "one", range(20_000, 20_100))
        await made.write("b", "one", range(50), changed=True)
        before = await made.history("b", "one")

        await made.start("a")
        assert await made.history("a", "one") != before

        async def failed_back() -> object:
            body = {"remote_cluster": "b", "leader_index": "one"}
            answer = await made["a"].ask("POST", "/one/_ccr/failback", body)
            return answer if answer.status == 200 else None

        answer = await until(failed_back)
        undone = sum(shard["undone_operations"] for shard in answer.body["shards"])
        assert undone >= 50
        found = ids(await made.equal(back))
        assert found >= set(range(20_000, 20_100)) | set(range(200))
        assert not found & set(range(10_000, 10_050))
        assert await made.history("a", "one") == before
        refused = await made["a"].ask("PUT", "/one/_doc/1", {})
        assert refused.status == 403
        await made.kill("a")
        await made.write("b", "one", range(30_000, 30_010))
        await made.start("a")
        assert ids(await made.equal(back)) >= set(range(30_000, 30_010))


async def test_promoted_with_the_leader_gone_nothing_below_the_checkpoint_is_missing(
    tmp_path: Path,
) -> None:
    """R-109: by what the leader has when it comes back."""
    there: Pair = ("a", "one", "b", "copy")
    async with two(tmp_path) as made:
        await made.made("a", "one", 10)
        await made.follow(there)
        async with written_to(made, "a", "one"):
            await made.until(there, lambda shard: shard["operations_written"] > 150)
            await made.kill("a")
        promoted = await made["b"].call("POST", "/copy/_ccr/promote")
        (checkpoint,) = promoted["indices"]["copy"]["checkpoints"]
        assert promoted["indices"]["copy"]["leases_pending"]
        first = await made["b"].call("PUT", "/copy/_doc/new", {"n": -1})
        assert first["_seq_no"] == checkpoint + 1
        await made.start("a")
        await made["a"].call("POST", "/one/_refresh")
        await made["b"].call("POST", "/copy/_refresh")
        body = {"size": 10_000, "query": {"range": {"n": {"gte": 0}}}, "seq_no_primary_term": True}
        theirs = (await made["a"].call("POST", "/one/_search", body))["hits"]["hits"]
        ours = (await made["b"].call("POST", "/copy/_search", body))["hits"]["hits"]
        wanted = {hit["_id"]: hit["_seq_no"] for hit in theirs if hit["_seq_no"] <= checkpoint}
        has = {hit["_id"]: hit["_seq_no"] for hit in ours}
        assert wanted.items() <= has.items()
        assert all(seq_no <= checkpoint for seq_no in has.values())
