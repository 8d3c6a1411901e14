"""What is simulated happens as on real machines: otherwise what it finds would be its own fault."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from sealane.errors import NodeDisconnected
from sealane.model.replication import FollowState, Lease
from sealane.model.task import Context
from sealane.testing.replication_simulation.faults import Faults
from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.users import Users
from sealane.testing.replication_simulation.world import World
from sealane.testing.simulation.loop import simulate
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation
from sealane.transport.tasks import TaskScope


def _run(test: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    """On a site that runs and leads, and another that follows it."""
    loop = InlineLoop(Random(0))
    world = World(loop, 0, Trace(loop.time))
    leader, follower = world.add_site("a"), world.add_site("b")
    world.connect(follower, leader)

    async def run() -> None:
        users = Users(world)
        await leader.start()
        await follower.start()
        await users.create(leader, "leader", 1, {})
        assert await users.follow(follower, "copy", leader, "leader") is None
        await test(world)
        for site in world.sites:
            await site.stop()

    simulate(run(), loop=loop)


def test_a_program_is_started_when_the_one_before_has_ended() -> None:
    """Both would write to one disk."""

    async def test(world: World) -> None:
        site = world.site("b")
        before = site.running
        async with TaskScope("test") as scope:
            stopping = scope.start(site.stop())
            await asyncio.sleep(0)
            assert site.program is None
            await site.start()
            assert before.run_task.done()
            await stopping
        assert site.is_up
        assert site.running is not before

    _run(test)


def test_what_is_being_deleted_is_not_backed_up() -> None:
    async def test(world: World) -> None:
        site = world.site("a")
        index = site.index("leader")
        assert index is not None
        async with TaskScope("test") as scope:
            faults = Faults(world, scope, lambda: None)
            assert faults.back_up(site, index.uuid) is not None
            await Users(world).delete(site, "leader")
            assert faults.back_up(site, index.uuid) is None

    _run(test)


def test_who_is_paused_and_made_to_go_on_at_once_may_do_either() -> None:
    """Whichever is answered first: the pause may have come before."""

    async def test(world: World) -> None:
        site, users = world.site("b"), Users(world)
        index = site.index("copy")
        assert index is not None
        async with TaskScope("test") as scope:
            pausing = scope.start(users.pause(site, "copy"))
            going_on = scope.start(users.fail_back(site, "copy", world.site("a"), "leader"))
            assert (await pausing, await going_on) == (None, None)
        following = site.following(index.uuid)
        assert following is not None
        assert following.state is FollowState.ACTIVE
        assert not world.paused
        assert await users.pause(site, "copy") is None
        assert world.paused == {index.uuid}

    _run(test)


def test_a_message_that_comes_twice_may_find_nobody_the_second_time() -> None:
    async def test(world: World) -> None:
        leader, follower = world.site("a"), world.site("b")
        link = world.links["b", "a"]
        link.doubles = 1.0
        answers: list[bytes] = []

        async def answer_and_die(payload: bytes, ctx: Context) -> bytes:
            answers.append(payload)
            asyncio.get_running_loop().call_soon(scope.start, leader.kill())
            return b"answer"

        leader.running.register("a", answer_and_die)
        with follower.running.tasks.start("a", start_ms=0) as task:
            ctx = Context(task=task, start_ms=0)
            async with TaskScope("test") as scope:
                with pytest.raises(NodeDisconnected):
                    await link.ask_in_background("a", b"once", ctx)
                await asyncio.sleep(0)
        assert answers == [b"once"]

    _run(test)


def test_a_lease_on_a_former_leader_is_no_lease_on_the_one_that_is_followed() -> None:
    """It says nothing about what the index needs, and stays until it can be removed."""

    async def test(world: World) -> None:
        site, leader = world.site("b"), world.site("a")
        index = site.index("copy")
        assert index is not None
        assert index.following is not None
        world.add_site("c")
        (shard,) = leader.disk.watched(index.following.leader_uuid)
        lease_id = f"b/copy/{index.uuid}-following-a/leader/x"
        too_high = Lease(id=lease_id, retaining_seq_no=99, timestamp_ms=0, source="ccr")
        other = world.site("c").disk
        other.indices["former"] = [other.make("h")]
        (former,) = other.watched("former")
        world.judge_lease(former, too_high)
        await asyncio.sleep(10)
        with pytest.raises(Violation):
            world.judge_lease(shard, too_high)

    _run(test)
