"""How a follower ends: unfollowed, promoted, deleted; and how an old leader comes back."""

import asyncio
from typing import Any

from sealane.errors import IOFailure
from sealane.testing.in_process import InProcessCluster
from sealane.transport.tasks import TaskScope
from tests.conformance.replication.conftest import (
    Replicated,
    caught_up,
    complete,
    documents_of,
    equal,
    metadata_of,
    until,
)


async def leases_of(cluster: InProcessCluster, index: str) -> list[str]:
    found = metadata_of(cluster, index)
    leases = [await cluster.engine.leases(found.uuid, each) for each in range(found.shards)]
    return [lease.id for shard in leases for lease in shard]


async def test_an_unfollowed_index_is_an_ordinary_one(replicated: Replicated) -> None:
    """R-18, R-74: numbers go on, the marker is gone, and so are the leases at the leader."""
    await replicated.made(5, number_of_shards=2)
    await replicated.follow()
    assert len(await leases_of(replicated.there, "cities")) == 2
    before = [each.seq_no for each in (await documents_of(replicated.here, "copy"))[0]]
    await replicated.pause()
    await replicated.close()
    assert (await replicated.unfollow()).body == {"acknowledged": True}
    assert await leases_of(replicated.there, "cities") == []
    await replicated.here.call("POST", "/copy/_open")
    shown = await replicated.here.call("GET", "/copy/_settings?flat_settings=true")
    assert "index.xpack.ccr.following_index" not in shown["copy"]["settings"]
    await replicated.here.fill("copy", {f"mine{n}": {"n": n} for n in range(10)})
    after = [each.seq_no for each in (await documents_of(replicated.here, "copy"))[0]]
    assert after[: len(before)] == before
    assert after[len(before)] == before[-1] + 1
    assert await replicated.info("*") == []


async def test_unfollowing_while_the_leader_is_away(replicated: Replicated) -> None:
    """R-19: it is converted, what is left there is told, and removed as soon as that can be."""
    await replicated.made(5)
    await replicated.follow()
    [lease] = await leases_of(replicated.there, "cities")
    await replicated.pause()
    await replicated.close()
    replicated.link.is_cut = True
    answer = await replicated.unfollow()
    assert (answer.status, answer.body) == (200, {"acknowledged": True, "leases_pending": [lease]})
    assert metadata_of(replicated.here, "copy").following is None
    replicated.link.is_cut = False

    async def removed() -> bool:
        return not await leases_of(replicated.there, "cities")

    await until(removed)


async def test_a_deleted_follower_is_followed_no_more(replicated: Replicated) -> None:
    """R-39, R-74: it is no longer told of, and holds nothing at its leader."""
    await replicated.made(5)
    await replicated.follow()
    await replicated.here.call("DELETE", "/copy")
    assert (await replicated.here.call("GET", "/_ccr/stats"))["follow_stats"] == {"indices": []}

    async def removed() -> bool:
        return not await leases_of(replicated.there, "cities")

    await until(removed)


async def test_forgetting_a_follower_removes_its_lease_alone(replicated: Replicated) -> None:
    """R-20: another one's stays; who is forgotten and goes on has one again."""
    await replicated.made(5)
    await replicated.follow("one")
    await replicated.follow("two")
    await replicated.pause("one")
    one = metadata_of(replicated.here, "one")
    body = {
        "follower_cluster": "here",
        "follower_index": "one",
        "follower_index_uuid": one.uuid,
        "leader_remote_cluster": "eu",
    }
    shown = await replicated.there.call("POST", "/cities/_ccr/forget_follower", body)
    assert shown == {"_shards": {"total": 1, "successful": 1, "failed": 0}}
    [left] = await leases_of(replicated.there, "cities")
    assert "/two/" in left
    await replicated.resume("one")

    async def again() -> bool:
        return len(await leases_of(replicated.there, "cities")) == 2

    await until(again)
    del body["follower_index_uuid"]
    answer = await replicated.there.request("POST", "/cities/_ccr/forget_follower", body)
    assert answer.status == 400


async def promoted(replicated: Replicated, index: str = "copy") -> Any:
    return await replicated.here.call("POST", f"/{index}/_ccr/promote")


async def test_promoting_with_the_leader_lost(replicated: Replicated) -> None:
    """R-109: one call, and all that had come is there and can be written to."""
    await replicated.made(5)
    await replicated.follow()
    await replicated.write(5, 6)
    await replicated.caught_up()
    replicated.link.is_cut = True
    await promoted(replicated)
    await replicated.here.fill("copy", {"new": {"n": 1}})
    [documents] = await documents_of(replicated.here, "copy")
    assert [each.id for each in documents] == ["0", "1", "2", "3", "4", "5", "6", "new"]
    assert documents[-1].term > documents[0].term
    state = await replicated.here.engine.shard_state(metadata_of(replicated.here, "copy").uuid, 0)
    leader = metadata_of(replicated.there, "cities")
    theirs = await replicated.there.engine.shard_state(leader.uuid, 0)
    assert state.history_uuid != theirs.history_uuid
    assert state.ancestors[0].history_uuid == theirs.history_uuid
    assert state.ancestors[0].up_to == 6


async def test_promoting_by_pattern(replicated: Replicated) -> None:
    """R-109: each follower that a pattern names, paused or not, and no other index."""
    await replicated.made(2)
    await replicated.follow("copy-1")
    await replicated.follow("copy-2")
    await replicated.pause("copy-2")
    await replicated.here.fill("copy-mine", {"1": {"n": 1}})
    await promoted(replicated, "copy-*")
    for index in ("copy-1", "copy-2"):
        assert metadata_of(replicated.here, index).following is None
        await replicated.here.fill(index, {"new": {"n": 1}})
        assert (await replicated.here.call("GET", f"/{index}/_count"))["count"] == 3


async def test_what_is_no_follower_is_not_promoted(replicated: Replicated) -> None:
    """R-109"""
    await replicated.here.call("PUT", "/mine")
    answer = await replicated.here.request("POST", "/mine/_ccr/promote")
    assert answer.status == 400
    assert answer.body["error"]["reason"] == "index [mine] is not a follower index"
    assert (await replicated.here.request("POST", "/nothing/_ccr/promote")).status == 404


async def test_half_a_copy_is_not_promoted(replicated: Replicated) -> None:
    """R-109: it would be taken for all of the leader's documents."""
    await replicated.made(5)
    replicated.link.hold("indices:internal/admin/ccr/restore/file_chunk/get")
    asked = {"remote_cluster": "eu", "leader_index": "cities"}
    await replicated.here.call("PUT", "/copy/_ccr/follow", asked)
    await replicated.link.wait_delivered()
    answer = await replicated.here.request("POST", "/copy/_ccr/promote")
    assert answer.status == 400
    assert "it has not been copied completely" in answer.body["error"]["reason"]
    replicated.link.release()
    await replicated.caught_up()
    await replicated.equal()


async def failed_over(replicated: Replicated) -> None:
    """`cities` has operations that `copy` never got, and the other way round."""
    await replicated.made(10)
    await replicated.follow()
    await replicated.write(10, 11)
    await replicated.caught_up()
    replicated.link.is_cut = True
    await replicated.there.fill("cities", {"0": {"n": -1}, "lost": {"n": 1}, "both": {"n": 1}})
    await replicated.there.call("DELETE", "/cities/_doc/1")
    await promoted(replicated)
    await replicated.here.fill("copy", {"2": {"n": -2}, "new": {"n": 1}, "both": {"n": 2}})
    await replicated.here.call("DELETE", "/copy/_doc/3")
    replicated.link.is_cut = False


async def test_the_old_leader_follows_the_new_one(replicated: Replicated) -> None:
    """R-110: what only the old leader had is undone, and both are equal without a copy."""
    await failed_over(replicated)
    replicated.there.register(replicated.here, "us")
    body = {"remote_cluster": "us", "leader_index": "copy"}
    shown = await replicated.there.call("POST", "/cities/_ccr/failback", body)
    assert shown["shards"][0]["common_seq_no"] == 11
    assert shown["shards"][0]["undone_operations"] == 4
    await caught_up(replicated.here, "copy", replicated.there, "cities")
    documents = await equal(replicated.here, "copy", replicated.there, "cities")
    sources = {each.id: each.source for each in documents}
    assert "lost" not in sources
    assert sources["0"] == b'{"n":0}'
    assert sources["both"] == b'{"n":2}'
    assert "1" in sources
    assert "3" not in sources
    await replicated.here.fill("copy", {"later": {"n": 1}})
    await complete(replicated.there, "cities")
    await caught_up(replicated.here, "copy", replicated.there, "cities")
    await equal(replicated.here, "copy", replicated.there, "cities")
    count = await replicated.there.call("GET", "/cities/_count")
    assert count["count"] == len(documents) + 1
    refused = await replicated.there.request("PUT", "/cities/_doc/x", {"n": 1})
    assert refused.status == 403


async def test_there_and_back_again(replicated: Replicated) -> None:
    """R-110: the new follower is promoted in its turn, and the first one follows it as before."""
    await failed_over(replicated)
    replicated.there.register(replicated.here, "us")
    body = {"remote_cluster": "us", "leader_index": "copy"}
    await replicated.there.call("POST", "/cities/_ccr/failback", body)
    await complete(replicated.there, "cities")
    await replicated.there.call("POST", "/cities/_ccr/promote")
    await replicated.there.fill("cities", {"back": {"n": 1}})
    await replicated.here.fill("copy", {"late": {"n": 1}})
    body = {"remote_cluster": "eu", "leader_index": "cities"}
    await replicated.here.call("POST", "/copy/_ccr/failback", body)
    await replicated.caught_up()
    ids = {each.id for each in await replicated.equal()}
    assert "back" in ids
    assert "late" not in ids


async def test_strangers_do_not_fail_back(replicated: Replicated) -> None:
    """R-110: without one history in common there is no way back, and nothing is undone."""
    await replicated.made(3)
    await replicated.here.fill("copy", {"mine": {"n": 1}})
    body = {"remote_cluster": "eu", "leader_index": "cities"}
    answer = await replicated.here.request("POST", "/copy/_ccr/failback", body)
    assert answer.status == 400
    assert "has no history in common" in answer.body["error"]["reason"]
    await replicated.here.fill("copy", {"mine too": {"n": 1}})
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 2


async def test_a_follower_is_verified(replicated: Replicated) -> None:
    """R-91: counts and hashes of both sides, at one checkpoint of each shard."""
    await replicated.made(40, number_of_shards=2)
    await replicated.follow()
    for number in range(0, 40, 4):
        await replicated.there.call("DELETE", f"/cities/_doc/{number}")
    shown = await replicated.here.call("GET", "/copy/_ccr/verify")
    assert shown["equal"] is True
    assert sum(each["leader"]["docs"] for each in shown["shards"]) == 30


async def test_a_failback_that_is_refused_leaves_no_lease(replicated: Replicated) -> None:
    """R-74, R-110: also where it is refused after its leader was asked to keep operations for it."""
    await replicated.made(5)
    await replicated.follow()
    await promoted(replicated)
    await replicated.here.call("PUT", "/copy/_mapping", {"properties": {"a": {"type": "keyword"}}})
    await replicated.there.call("PUT", "/cities/_mapping", {"properties": {"a": {"type": "long"}}})
    body = {"remote_cluster": "eu", "leader_index": "cities"}
    answer = await replicated.here.request("POST", "/copy/_ccr/failback", body)
    assert answer.status == 400, answer.body
    assert metadata_of(replicated.here, "copy").following is None
    assert await leases_of(replicated.there, "cities") == []


async def test_an_index_that_follows_again_at_once_keeps_its_lease(replicated: Replicated) -> None:
    """R-66, R-110: what a promotion has left at the leader is not removed once the index needs it again."""
    await replicated.made(5)
    await replicated.follow()
    leases = await leases_of(replicated.there, "cities")
    pending = replicated.here.replication.followers._pending
    add, noting, noted = pending.add, asyncio.Event(), asyncio.Event()

    async def slow_add(*lease: Any) -> None:
        noting.set()
        await noted.wait()
        await add(*lease)

    pending.add = slow_add  # type: ignore[method-assign, assignment]  # the disk takes its time
    body = {"remote_cluster": "eu", "leader_index": "cities"}
    async with TaskScope("test") as scope:
        promotion = scope.start(promoted(replicated))
        await noting.wait()
        failback = scope.start(replicated.here.call("POST", "/copy/_ccr/failback", body))
        await asyncio.wait({failback}, timeout=0.2)
        noted.set()
        await promotion
        await failback
    assert await leases_of(replicated.there, "cities") == leases


async def test_a_failback_that_came_to_nothing_is_given_up(replicated: Replicated) -> None:
    """R-110: where the new leader is lost before anything was undone, the old one is an ordinary index again, and all
    that it had is there.
    """
    await replicated.made(5)
    await replicated.follow()
    await promoted(replicated)
    await replicated.there.fill("cities", {"lost": {"n": 1}})
    back = replicated.there.register(replicated.here, "us")
    roll_back = replicated.there.engine.roll_back

    async def full(*_: Any) -> None:
        raise IOFailure("no space left")

    replicated.there.engine.roll_back = full  # type: ignore[method-assign, assignment]
    body = {"remote_cluster": "us", "leader_index": "copy"}
    answer = await replicated.there.request("POST", "/cities/_ccr/failback", body)
    assert answer.status == 500
    assert metadata_of(replicated.there, "cities").following is not None
    replicated.there.engine.roll_back = roll_back  # type: ignore[method-assign]
    back.is_cut = True
    await replicated.there.call("POST", "/cities/_ccr/promote")
    await replicated.there.fill("cities", {"new": {"n": 2}})
    assert (await replicated.there.call("GET", "/cities/_count"))["count"] == 7
