"""The master's side: joining, leases, publication. Time is virtual."""

import asyncio

import msgspec
import pytest

from sealane.cluster.membership import MEMBERS_MAX, Membership
from sealane.cluster.published import (
    FollowRequest,
    JoinRequest,
    LeaveRequest,
    Member,
    PublishedState,
)
from sealane.errors import CoordinationStateRejected, Rejected
from sealane.model.node import NodeInfo
from sealane.settings import Settings
from sealane.testing.simulation import in_virtual_time
from sealane.transport import TaskScope
from tests.unit.cluster.fakes import CountingIds
from tests.unit.cluster.states import IDENTITY, joining, member, node

LEASE_S = 10.0
GRACE_S = 1.0


class Scopes:
    def __init__(self) -> None:
        self.persistent = Settings()
        self.transient = Settings()


def membership(scopes: Scopes | None = None, *, start: int = 1) -> Membership:
    made = Membership(
        identity=IDENTITY,
        local=lambda: member("m", start=start),
        settings=scopes or Scopes(),
        ids=CountingIds(),
        lease_s=LEASE_S,
        grace_s=GRACE_S,
    )
    made.publish()
    return made


def joining_as(info: NodeInfo) -> JoinRequest:
    return JoinRequest(member=Member(node=info), cluster_name="one")


def names(master: Membership) -> list[str]:
    assert master.state is not None
    return [each.node.name for each in master.state.members]


def following(state: PublishedState, name: str, *, start: int = 1) -> FollowRequest:
    return FollowRequest(
        node_id=f"id-{name}",
        ephemeral_id=f"{name}-{start}",
        term=state.term,
        version=state.version,
        wait_ms=1000,
    )


@in_virtual_time
async def test_who_joins_gets_a_state_with_itself_in_it() -> None:
    master = membership()
    state = master.join(joining("g"))
    assert [each.node.name for each in state.members] == ["m", "g"]
    assert (state.master_id, state.term, state.version) == ("id-m", "m-1", 2)
    assert names(master) == ["m", "g"]
    master.close()


@in_virtual_time
async def test_each_publication_has_a_greater_version_and_an_id_of_its_own() -> None:
    master = membership()
    seen = [master.state, master.join(joining("a")), master.join(joining("b"))]
    assert [each.version for each in seen if each] == [1, 2, 3]
    assert len({each.state_uuid for each in seen if each}) == 3
    master.close()


@in_virtual_time
async def test_a_follower_hears_of_a_change_at_once() -> None:
    master = membership()
    state = master.join(joining("g"))
    async with TaskScope("test") as scope:
        asked = scope.start(master.follow(following(state, "g")))
        await asyncio.sleep(0)
        master.join(joining("h"))
        newer = await asked
    assert newer is not None
    assert [each.node.name for each in newer.members] == ["m", "g", "h"]
    master.close()


@in_virtual_time
async def test_a_follower_that_is_behind_is_answered_without_waiting() -> None:
    master = membership()
    state = master.join(joining("g"))
    master.publish()
    loop = asyncio.get_running_loop()
    began = loop.time()
    newer = await master.follow(following(state, "g"))
    assert (newer and newer.version, loop.time()) == (3, began)
    master.close()


@in_virtual_time
async def test_a_follower_of_an_earlier_start_gets_the_state_of_this_one() -> None:
    master = membership(start=2)
    state = master.join(joining("g"))
    before = msgspec.structs.replace(state, term="m-1", version=99)
    newer = await master.follow(following(before, "g"))
    assert newer == state
    master.close()


@in_virtual_time
async def test_a_question_is_answered_though_nothing_happens() -> None:
    master = membership()
    state = master.join(joining("g"))
    assert await master.follow(following(state, "g")) is None
    master.close()


@in_virtual_time
async def test_a_member_that_asks_again_and_again_stays() -> None:
    master = membership()
    state = master.join(joining("g"))
    for _ in range(30):
        assert await master.follow(following(state, "g")) is None
    assert names(master) == ["m", "g"]
    master.close()


@in_virtual_time
async def test_a_member_that_stops_asking_expires() -> None:
    master = membership()
    state = master.join(joining("g"))
    await master.follow(following(state, "g"))
    await asyncio.sleep(LEASE_S - 0.1)
    assert names(master) == ["m", "g"]
    await asyncio.sleep(0.2)
    assert names(master) == ["m"]
    with pytest.raises(CoordinationStateRejected, match="has to join again"):
        await master.follow(following(state, "g"))
    master.close()


@in_virtual_time
async def test_a_member_that_never_asks_expires() -> None:
    master = membership()
    master.join(joining("g"))
    await asyncio.sleep(LEASE_S + 0.1)
    assert names(master) == ["m"]


@in_virtual_time
async def test_a_lost_connection_is_forgiven_for_a_short_while() -> None:
    master = membership()
    state = master.join(joining("g"))
    for _ in range(3):
        async with TaskScope("test") as scope:
            scope.start(master.follow(following(state, "g")))
            await asyncio.sleep(0.1)
        await asyncio.sleep(GRACE_S / 2)
        assert names(master) == ["m", "g"]
    await asyncio.sleep(GRACE_S)
    assert names(master) == ["m"]


@in_virtual_time
async def test_the_end_of_an_old_question_does_not_end_a_newer_one() -> None:
    master = membership()
    state = master.join(joining("g"))
    async with TaskScope("old") as old, TaskScope("new") as new:
        old.start(master.follow(following(state, "g")))
        await asyncio.sleep(0)
        fresh = new.start(master.follow(following(state, "g")))
        await asyncio.sleep(0)
        await old.close()
        assert await fresh is None
        await asyncio.sleep(GRACE_S + 0.1)
        assert names(master) == ["m", "g"]
    master.close()


@in_virtual_time
async def test_goodbye_is_at_once_and_only_for_this_start() -> None:
    master = membership()
    master.join(joining("g", start=2))
    master.leave(LeaveRequest(node_id="id-g", ephemeral_id="g-1"))
    assert names(master) == ["m", "g"]
    master.leave(LeaveRequest(node_id="id-g", ephemeral_id="g-2"))
    master.leave(LeaveRequest(node_id="id-g", ephemeral_id="g-2"))
    assert names(master) == ["m"]


@in_virtual_time
async def test_a_node_that_started_again_takes_its_own_place() -> None:
    master = membership()
    master.join(joining("g"))
    state = master.join(joining("g", start=2))
    assert [each.node.ephemeral_id for each in state.members] == ["m-1", "g-2"]
    with pytest.raises(CoordinationStateRejected):
        await master.follow(following(state, "g", start=1))
    master.close()


@in_virtual_time
async def test_joining_again_unchanged_publishes_nothing() -> None:
    master = membership()
    state = master.join(joining("g"))
    assert master.join(joining("g")) == state
    master.close()


@in_virtual_time
async def test_who_may_not_join() -> None:
    master = membership()
    other_name = msgspec.structs.replace(joining("g"), cluster_name="two")
    with pytest.raises(CoordinationStateRejected, match=r"of cluster \[two\] and cannot join"):
        master.join(other_name)
    with pytest.raises(CoordinationStateRejected, match="empty data folder"):
        master.join(joining("g", uuid="another"))
    with pytest.raises(CoordinationStateRejected, match="its data folder is a copy"):
        master.join(joining("m"))
    with pytest.raises(CoordinationStateRejected, match=r"one node that holds data.*\[m\]"):
        master.join(joining_as(node("g", roles=("data_hot",))))
    assert names(master) == ["m"]


@in_virtual_time
async def test_a_copy_of_a_folder_does_not_push_the_original_out() -> None:
    master = membership()
    state = master.join(joining("g"))
    async with TaskScope("test") as scope:
        scope.start(master.follow(following(state, "g")))
        await asyncio.sleep(0)
        with pytest.raises(CoordinationStateRejected, match="its data folder is a copy"):
            master.join(joining("g", start=7, port=9999))
    await asyncio.sleep(0)
    moved = master.join(joining("g", start=7, port=9999))
    assert moved.members[1].node.address.port == 9999
    master.close()


@in_virtual_time
async def test_members_are_limited() -> None:
    master = membership()
    for number in range(MEMBERS_MAX):
        master.join(joining(f"g{number}"))
    with pytest.raises(Rejected, match=r"\[1000\] nodes have joined already"):
        master.join(joining("one-more"))
    master.join(joining("g5"))
    master.close()


@in_virtual_time
async def test_nobody_joins_before_the_master_is_ready() -> None:
    master = Membership(
        identity=IDENTITY,
        local=lambda: member("m"),
        settings=Scopes(),
        ids=CountingIds(),
        lease_s=LEASE_S,
    )
    with pytest.raises(CoordinationStateRejected, match="the master starts"):
        master.join(joining("g"))


@in_virtual_time
async def test_settings_are_part_of_the_state() -> None:
    scopes = Scopes()
    master = membership(scopes)
    scopes.persistent = Settings({"a": "1"})
    scopes.transient = Settings({"b": ("x", "y")})
    master.publish()
    assert master.state is not None
    assert master.state.persistent_settings == scopes.persistent
    assert master.state.transient_settings == scopes.transient


@in_virtual_time
async def test_an_acknowledgement_waits_until_the_members_have_the_version() -> None:
    master = membership()
    state = master.join(joining("g"))
    loop = asyncio.get_running_loop()

    async def member_loop() -> None:
        held = state
        while True:
            held = await master.follow(following(held, "g")) or held
            await asyncio.sleep(0.2)

    async with TaskScope("test") as scope:
        scope.start(member_loop())
        await asyncio.sleep(0.05)
        began = loop.time()
        assert await master.wait_taken(master.publish(), 1.0)
        assert loop.time() - began < 0.5
    master.close()


@in_virtual_time
async def test_a_state_that_was_only_sent_to_who_joins_is_not_taken_yet() -> None:
    master = membership()
    state = master.join(joining("g"))
    async with TaskScope("test") as scope:
        waiting = scope.start(master.wait_taken(state.version, 60.0))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        scope.start(master.follow(following(state, "g")))
        assert await waiting
    master.close()


@in_virtual_time
async def test_a_master_that_stops_waits_for_no_member() -> None:
    master = membership()
    master.join(joining("dead"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with TaskScope("test") as scope:
        waiting = scope.start(master.wait_taken(master.publish(), 60.0))
        await asyncio.sleep(0)
        master.close()
        await waiting
    assert loop.time() == began


@in_virtual_time
async def test_a_member_that_does_not_answer_holds_it_up_for_the_time_given_only() -> None:
    master = membership()
    master.join(joining("dead"))
    assert not await master.wait_taken(master.publish(), 1.0)
    master.close()


@in_virtual_time
async def test_a_member_that_goes_is_not_waited_for() -> None:
    master = membership()
    master.join(joining("g"))
    async with TaskScope("test") as scope:
        waiting = scope.start(master.wait_taken(master.publish(), 60.0))
        await asyncio.sleep(0)
        master.leave(LeaveRequest(node_id="id-g", ephemeral_id="g-1"))
        assert await waiting


@in_virtual_time
async def test_without_members_nothing_is_waited_for() -> None:
    master = membership()
    assert await master.wait_taken(master.publish(), 0.0)


@in_virtual_time
async def test_a_master_that_stops_ends_open_questions_and_takes_no_new_members() -> None:
    master = membership()
    state = master.join(joining("g"))
    loop = asyncio.get_running_loop()
    async with TaskScope("test") as scope:
        began = loop.time()

        async def ask() -> str:
            try:
                await master.follow(following(state, "g"))
            except CoordinationStateRejected as error:
                return error.reason
            return ""

        asked = scope.start(ask())
        await asyncio.sleep(0)
        master.close()
        assert await asked == "the master stops"
        assert loop.time() == began
    with pytest.raises(CoordinationStateRejected, match="the master stops"):
        master.join(joining("h"))
