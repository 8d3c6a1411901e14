"""An index follows another: what is there comes here, and what is written there after that."""

from typing import Any

import orjson

from sealane.testing.in_process import clusters
from sealane.transport.tasks import TaskScope
from tests.conformance.replication.conftest import (
    Replicated,
    caught_up,
    documents_of,
    equal,
    metadata_of,
    until,
)


def bulk(*pairs: tuple[Any, Any]) -> bytes:
    return b"".join(orjson.dumps(line) + b"\n" for pair in pairs for line in pair)


async def test_a_document_of_the_leader_arrives(replicated: Replicated) -> None:
    """R-9: the answer comes once the leader's documents can be searched here."""
    await replicated.made(3)
    answer = await replicated.follow()
    assert (answer.status, answer.body) == (
        200,
        {
            "follow_index_created": True,
            "follow_index_shards_acked": True,
            "index_following_started": True,
        },
    )
    found = await replicated.here.call("GET", "/copy/_count")
    assert found["count"] == 3
    await replicated.write(3, 4)
    await replicated.caught_up()
    assert len(await replicated.equal()) == 5


async def test_without_waiting_the_answer_comes_at_once(replicated: Replicated) -> None:
    """R-8: exactly three members, and only the first is true."""
    await replicated.made(3)
    asked = {"remote_cluster": "eu", "leader_index": "cities"}
    answer = await replicated.here.request("PUT", "/copy/_ccr/follow", asked)
    assert answer.body == {
        "follow_index_created": True,
        "follow_index_shards_acked": False,
        "index_following_started": False,
    }
    await replicated.caught_up()
    await replicated.equal()


async def test_an_empty_leader(replicated: Replicated) -> None:
    """R-42: the follower is there, nothing is counted, and the first document arrives."""
    await replicated.made(0)
    await replicated.follow()
    shard = await replicated.stats()
    assert shard["leader_global_checkpoint"] == shard["follower_global_checkpoint"] == -1
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 0
    await replicated.write(1)
    await replicated.caught_up()
    assert [each.id for each in await replicated.equal()] == ["1"]


async def test_a_leader_with_updates_and_deletions_is_copied(replicated: Replicated) -> None:
    """R-43: what is superseded or gone is not copied, and the ends are equal."""
    await replicated.made(50)
    for number in range(0, 50, 3):
        await replicated.there.call("PUT", f"/cities/_doc/{number}", {"n": -number})
    for number in range(0, 50, 7):
        await replicated.there.call("DELETE", f"/cities/_doc/{number}")
    await replicated.follow()
    await replicated.caught_up()
    assert len(await replicated.equal()) == 42


async def test_what_is_written_during_the_copy_is_there_afterwards(replicated: Replicated) -> None:
    """R-44, R-31: new documents with a new field, updates and deletions, while pages are copied."""
    await replicated.made(200)
    await replicated.here.call(
        "PUT",
        "/_cluster/settings",
        {"persistent": {"ccr.indices.recovery.chunk_size": "1kb"}},
    )
    asked = {"remote_cluster": "eu", "leader_index": "cities"}
    await replicated.here.call("PUT", "/copy/_ccr/follow", asked)
    for number in range(0, 200, 10):
        await replicated.there.call("PUT", f"/cities/_doc/{number}", {"n": -1, "name": "x"})
        await replicated.there.call("DELETE", f"/cities/_doc/{number + 1}")
        await replicated.write(1000 + number)
    await replicated.caught_up()
    assert len(await replicated.equal()) == 200
    mapping = await replicated.here.call("GET", "/copy/_mapping")
    assert "name" in mapping["copy"]["mappings"]["properties"]


async def test_versions_arrive_as_they_are(replicated: Replicated) -> None:
    """R-56: created, updated, deleted and created again, and given from outside."""
    await replicated.made(0)
    await replicated.follow()
    await replicated.there.call("PUT", "/cities/_doc/created", {"n": 1})
    for n in range(3):
        await replicated.there.call("PUT", "/cities/_doc/updated", {"n": n})
    await replicated.there.call("PUT", "/cities/_doc/again", {"n": 1})
    await replicated.there.call("DELETE", "/cities/_doc/again")
    await replicated.there.call("PUT", "/cities/_doc/again", {"n": 2})
    await replicated.there.call(
        "PUT", "/cities/_doc/outside?version=77&version_type=external", {"n": 1}
    )
    await replicated.caught_up()
    versions = {each.id: each.version for each in await replicated.equal()}
    assert versions == {"created": 1, "updated": 3, "again": 3, "outside": 77}
    shown = await replicated.here.call("GET", "/copy/_doc/outside")
    assert (shown["_version"], shown["_seq_no"]) == (77, 7)


async def test_routing_and_made_ids_arrive(replicated: Replicated) -> None:
    """R-57, R-41: documents lie on the same shards, also those whose routing is not their id."""
    await replicated.made(30, number_of_shards=3)
    lines = bulk(
        *(({"index": {"_id": f"r{n}", "routing": f"k{n % 4}"}}, {"n": n}) for n in range(20)),
        *(({"index": {}}, {"n": n}) for n in range(10)),
    )
    await replicated.there.call("POST", "/cities/_bulk", lines)
    await replicated.follow()
    await replicated.there.call("POST", "/cities/_bulk", lines)
    await replicated.caught_up()
    assert len(await replicated.equal()) == 70
    assert metadata_of(replicated.here, "copy").shards == 3
    assert all(await documents_of(replicated.here, "copy"))
    shown = await replicated.here.call("GET", "/copy/_doc/r1?routing=k1")
    assert shown["found"]
    assert shown["_routing"] == "k1"


async def test_a_page_smaller_than_a_document(replicated: Replicated) -> None:
    """R-48: an operation larger than every limit of a read arrives none the less."""
    await replicated.made(0)
    answer = await replicated.follow(max_read_request_size="10b", max_write_request_size="10b")
    assert answer.status == 200
    await replicated.there.call("PUT", "/cities/_doc/large", {"text": "x" * 100_000})
    await replicated.write(1, 2, 3)
    await replicated.caught_up()
    assert len(await replicated.equal()) == 4


async def test_two_followers_know_nothing_of_each_other(replicated: Replicated) -> None:
    """R-64: one that is paused and ended leaves the other alone; each has a lease of its own."""
    await replicated.made(5)
    await replicated.follow("one")
    await replicated.follow("two")
    leader = metadata_of(replicated.there, "cities")
    assert len(await replicated.there.engine.leases(leader.uuid, 0)) == 2
    await replicated.pause("one")
    await replicated.close("one")
    assert (await replicated.unfollow("one")).status == 200
    assert len(await replicated.there.engine.leases(leader.uuid, 0)) == 1
    await replicated.write(5, 6)
    await replicated.caught_up("two")
    assert len(await replicated.equal("two")) == 7


async def test_the_lease_is_named_as_the_references(replicated: Replicated) -> None:
    """R-66, R-68: there is one on every shard, before anything has been copied."""
    await replicated.made(9, number_of_shards=3)
    asked = {"remote_cluster": "eu", "leader_index": "cities"}
    held = "indices:internal/admin/ccr/restore/session/put"
    replicated.link.hold(held)
    await replicated.here.call("PUT", "/copy/_ccr/follow", asked)
    await replicated.link.wait_delivered()
    leader, follower = (
        metadata_of(replicated.there, "cities"),
        metadata_of(replicated.here, "copy"),
    )
    wanted = f"here/copy/{follower.uuid}-following-eu/cities/{leader.uuid}"

    async def everywhere() -> bool:
        leases = [await replicated.there.engine.leases(leader.uuid, each) for each in range(3)]
        return all([lease.id for lease in each] == [wanted] for each in leases)

    await until(everywhere)
    shown = await replicated.there.call("GET", "/cities/_stats?level=shards")
    first = shown["indices"]["cities"]["shards"]["0"][0]["retention_leases"]["leases"][0]
    assert (first["id"], first["source"]) == (wanted, "ccr")
    replicated.link.release()
    await replicated.caught_up()
    await replicated.equal()


async def test_a_chain_ends_equal(replicated: Replicated) -> None:
    """R-65: what is written at the first arrives at the third, under the first one's numbers."""
    folder = replicated.here.folder.parent
    async with clusters(folder, "third") as (third,):
        third.register(replicated.here, "mid")
        await replicated.made(10)
        await replicated.follow()
        asked = {"remote_cluster": "mid", "leader_index": "copy"}
        await third.call("PUT", "/last/_ccr/follow?wait_for_active_shards=1", asked)
        await replicated.write(*range(10, 30))
        await replicated.caught_up()
        await caught_up(replicated.here, "copy", third, "last")
        assert len(await equal(replicated.there, "cities", third, "last")) == 30


async def test_two_clusters_do_not_follow_each_other_in_a_circle(replicated: Replicated) -> None:
    """A copy of an index of one's own cluster is not followed."""
    replicated.there.register(replicated.here, "us")
    await replicated.made(1)
    await replicated.follow()
    asked = {"remote_cluster": "us", "leader_index": "copy"}
    answer = await replicated.there.request("PUT", "/circle/_ccr/follow", asked)
    assert answer.status == 400
    assert "it is itself a copy of an index of this cluster" in answer.body["error"]["reason"]
    assert replicated.there.indices.metadata.index("circle") is None


async def test_it_is_not_searched_before_it_is_complete(replicated: Replicated) -> None:
    """A follower whose copy is under way is of no one moment: searches hear that instead of half an answer."""
    await replicated.made(20)
    replicated.link.hold("indices:internal/admin/ccr/restore/file_chunk/get")
    asked = {"remote_cluster": "eu", "leader_index": "cities"}
    async with TaskScope("test") as scope:
        waiting = scope.start(
            replicated.here.call("PUT", "/copy/_ccr/follow?wait_for_active_shards=1", asked)
        )
        await replicated.link.wait_delivered()
        answer = await replicated.here.request("GET", "/copy/_search")
        assert answer.status == 503
        assert not waiting.done()
        replicated.link.release()
        assert (await waiting)["index_following_started"]
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 20
