"""What happens to leader, follower and the link between them, and that both are equal once it has passed."""

from pathlib import Path
from typing import Any

from sealane.engine.base import ShardState
from sealane.testing.in_process import clusters
from sealane.testing.in_process_links import Link
from sealane.transport.tasks import TaskScope
from tests.conformance.replication.conftest import Replicated, metadata_of, until


async def failing(replicated: Replicated) -> Any:
    """The stats of the shard, once reads of it have failed."""

    async def failed() -> Any:
        shard = await replicated.stats()
        return shard if shard["read_exceptions"] else None

    return await until(failed)


async def stopped(replicated: Replicated, index: str = "copy") -> Any:
    """How it is told of, once it has stopped for good."""

    async def failed() -> Any:
        [shown] = await replicated.info(index)
        return shown if shown["status"] == "failed" else None

    return await until(failed)


async def test_a_closed_leader_is_waited_for(replicated: Replicated) -> None:
    """R-37, R-90: it is told of as long as it lasts, and nobody has to do anything."""
    await replicated.made(3)
    await replicated.follow(read_poll_timeout="50ms")
    await replicated.there.call("POST", "/cities/_close")
    shard = await failing(replicated)
    [failure] = shard["read_exceptions"]
    assert failure["exception"]["type"] == "cluster_block_exception"
    assert "FORBIDDEN/4/index closed" in failure["exception"]["reason"]
    assert "fatal_exception" not in shard
    await replicated.there.call("POST", "/cities/_open")
    await replicated.write(3, 4)
    await replicated.caught_up()
    await replicated.equal()

    async def well() -> bool:
        return not (await replicated.stats())["read_exceptions"]

    await until(well)


async def test_a_deleted_leader_stops_the_follower(replicated: Replicated) -> None:
    """R-38, R-91: the reason is told, and what was copied is kept and searched."""
    await replicated.made(3)
    await replicated.follow(read_poll_timeout="50ms")
    await replicated.there.call("DELETE", "/cities")
    shown = await stopped(replicated)
    assert shown["failure"]["type"] == "index_not_found_exception"
    shard = await replicated.stats()
    assert shard["fatal_exception"]["type"] == "index_not_found_exception"
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 3


async def test_a_leader_recreated_under_its_name_is_another_index(replicated: Replicated) -> None:
    """R-101: while nobody could see it, too; the two are never mixed."""
    await replicated.made(3)
    await replicated.follow(read_poll_timeout="50ms")
    replicated.link.is_cut = True
    await replicated.there.call("DELETE", "/cities")
    await replicated.made(9)
    replicated.link.is_cut = False
    await stopped(replicated)
    assert (await replicated.here.call("GET", "/copy/_count"))["count"] == 3


async def test_a_follower_that_has_stopped_is_resumed(replicated: Replicated) -> None:
    """R-16: without being paused first, once what stopped it is put right."""
    await replicated.made(3)
    await replicated.follow(read_poll_timeout="50ms")
    replicated.here.links.add(Link("eu", replicated.here, skip_unavailable=True))
    shown = await stopped(replicated)
    assert shown["failure"]["type"] == "index_not_found_exception"
    replicated.here.links.add(replicated.link)
    await replicated.write(3, 4)
    assert (await replicated.resume()).status == 200
    await replicated.caught_up()
    await replicated.equal()
    assert [each["status"] for each in await replicated.info()] == ["active"]


async def test_a_closed_follower_catches_up_when_it_is_opened(replicated: Replicated) -> None:
    """R-40"""
    await replicated.made(3)
    await replicated.follow()
    await replicated.close()
    await replicated.write(3, 4, 5)
    assert "fatal_exception" not in await replicated.stats()
    await replicated.here.call("POST", "/copy/_open")
    await replicated.caught_up()
    assert len(await replicated.equal()) == 6


async def test_a_link_that_is_cut_under_load(replicated: Replicated) -> None:
    """R-96, R-97: requests that arrive and answers that are lost; nothing comes twice and nothing is missing."""
    await replicated.made(10)
    await replicated.follow(read_poll_timeout="20ms")
    for round in range(5):
        replicated.link.is_cut = True
        await replicated.write(*range(round * 20, round * 20 + 30))
        await failing(replicated)
        replicated.link.is_cut = False
        await replicated.there.call("DELETE", f"/cities/_doc/{round}")
    await replicated.caught_up()
    assert len(await replicated.equal()) == 105
    shard = await replicated.stats()
    assert shard["operations_written"] == shard["follower_global_checkpoint"] + 1 - 10


async def test_paused_and_resumed_under_load(replicated: Replicated) -> None:
    """R-108: as often as anybody likes."""
    await replicated.made(10)
    await replicated.follow()
    for round in range(20):
        async with TaskScope("load") as scope:
            writing = scope.start(replicated.write(*range(round * 10, round * 10 + 25)))
            assert (await replicated.pause()).status == 200
            assert (await replicated.resume()).status == 200
            await writing
    await replicated.caught_up()
    assert len(await replicated.equal()) == 215


async def test_a_pause_is_longer_than_the_lease(replicated: Replicated) -> None:
    """R-70, R-103: the lease is gone, but the operations are there: it goes on, with a new one."""
    await replicated.made(3)
    await replicated.follow()
    await replicated.pause()
    leader = metadata_of(replicated.there, "cities")
    [lease] = await replicated.there.engine.leases(leader.uuid, 0)
    await replicated.there.engine.remove_lease(leader.uuid, 0, lease.id)
    await replicated.write(3, 4)
    assert (await replicated.resume()).status == 200
    await replicated.caught_up()
    await replicated.equal()
    [again] = await replicated.there.engine.leases(leader.uuid, 0)
    assert again.id == lease.id


async def test_operations_that_are_gone_are_named(replicated: Replicated) -> None:
    """R-71, R-102: it stops and says which; followed anew it is equal."""
    settings = {"index.soft_deletes.retention.operations": 0}
    await replicated.made(3, **settings)
    await replicated.follow()
    await replicated.pause()
    leader = metadata_of(replicated.there, "cities")
    [lease] = await replicated.there.engine.leases(leader.uuid, 0)
    await replicated.there.engine.remove_lease(leader.uuid, 0, lease.id)
    for round in range(3):
        await replicated.write(*range(round, round + 30))
        await replicated.there.call("POST", "/cities/_flush")

    async def trimmed() -> bool:
        await replicated.there.call("POST", "/cities/_refresh")
        return await replicated.there.engine.log_floor(leader.uuid, 0) > 3

    await until(trimmed)
    await replicated.resume()
    shown = await stopped(replicated)
    assert shown["failure"]["type"] == "resource_not_found_exception"
    assert shown["failure"]["reason"].startswith("Operations are no longer available")
    assert shown["failure"]["es.requested_operations_missing"][0] == "3"
    await replicated.pause()
    await replicated.close()
    assert (await replicated.follow()).status == 200
    await replicated.caught_up()
    await replicated.equal()


async def test_a_restart_in_the_tail(tmp_path: Path) -> None:
    """R-86, R-94: both are started again, and the follower goes on by what is stored."""
    async with clusters(tmp_path, "here", "there") as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.made(5)
        await replicated.follow()
        await replicated.write(5, 6)
    stores = {each.name: each.store for each in (here, there)}
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.write(7, 8)
        await replicated.caught_up()
        assert len(await replicated.equal()) == 9


async def test_a_restart_in_the_copy(tmp_path: Path) -> None:
    """R-92: it goes on where it was, and is not searched before it is complete."""
    async with clusters(tmp_path, "here", "there") as (here, there):
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.made(300)
        await here.call(
            "PUT",
            "/_cluster/settings",
            {
                "persistent": {
                    "ccr.indices.recovery.chunk_size": "1kb",
                    "ccr.indices.recovery.max_concurrent_file_chunks": 1,
                    "ccr.indices.recovery.max_bytes_per_sec": "20kb",
                }
            },
        )
        asked = {"remote_cluster": "eu", "leader_index": "cities"}
        await here.call("PUT", "/copy/_ccr/follow", asked)
        copy = metadata_of(here, "copy").uuid
        await here.engine.wait_for_checkpoint(copy, 0, 20, timeout_s=20.0)
    stores = {each.name: each.store for each in (here, there)}
    async with clusters(tmp_path, "here", "there", stores=stores) as (here, there):
        before = (await here.engine.shard_state(copy, 0)).checkpoint
        assert 20 <= before < 299
        assert (await here.request("GET", "/copy/_search")).status == 503
        await here.call(
            "PUT",
            "/_cluster/settings",
            {"persistent": {"ccr.indices.recovery.max_bytes_per_sec": "100mb"}},
        )
        replicated = Replicated(here, there, here.register(there, "eu"))
        await replicated.write(*range(290, 310))
        await replicated.caught_up()
        assert len(await replicated.equal()) == 310


async def test_a_fault_of_ours_is_told_and_got_over(replicated: Replicated) -> None:
    """R-90: a follower that cannot begin tries again, whatever it was that broke."""
    await replicated.made(3)
    engine = replicated.here.engine
    shard_state, faults = engine.shard_state, iter((RuntimeError("a bug"), RuntimeError("another")))

    async def broken(index_uuid: str, shard: int) -> ShardState:
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return await shard_state(index_uuid, shard)

    engine.shard_state = broken  # type: ignore[method-assign]
    answer = await replicated.follow()
    assert answer.body["index_following_started"] is True
    await replicated.equal()
