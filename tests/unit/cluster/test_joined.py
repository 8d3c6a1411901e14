"""A node's own side of joining: the loop that connects, joins, follows and comes back. Time is virtual."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from sealane.cluster.joined import Joined
from sealane.cluster.published import (
    FOLLOW,
    JOIN,
    LEAVE,
    FollowRequest,
    JoinRequest,
    PublishedState,
    decode,
    encode,
)
from sealane.errors import CoordinationStateRejected, NodeDisconnected, ReceiveTimeout
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.model.task import TaskRegistry
from sealane.testing.simulation import in_virtual_time
from sealane.transport import ConnectionProfile, TaskScope
from sealane.wire.families.sealane import NODES, encode_nodes
from tests.unit.cluster.fakes import FixedClock
from tests.unit.cluster.links import FakeDialer, FakeLink
from tests.unit.cluster.states import IDENTITY, member, node, state

SEED = node("m").address


class Master:
    """Answers as the node at the other end. `states` are what it tells, one a question."""

    def __init__(self, info: NodeInfo | None = None, cluster: ClusterIdentity = IDENTITY) -> None:
        self.info = info or node("m")
        self.cluster = cluster
        self.state = state("g")
        self.nodes = [node("h"), node("m")]
        self.changed = asyncio.Event()
        self.joins: list[JoinRequest] = []
        self.follows: list[FollowRequest] = []
        self.left = 0
        self.refuses: CoordinationStateRejected | None = None

    def link(self, family: str = "sealane") -> FakeLink:
        return FakeLink(self.info, self.cluster, self.answer, family)

    def publish(self, new: PublishedState) -> None:
        self.state = new
        self.changed.set()

    async def answer(self, action: str, payload: bytes) -> bytes:
        if action == NODES:
            return encode_nodes(self.nodes)
        if action == JOIN:
            self.joins.append(decode(JoinRequest, payload, JOIN))
            if self.refuses is not None:
                raise self.refuses
            return encode(self.state)
        if action == LEAVE:
            self.left += 1
            return b""
        assert action == FOLLOW
        request = decode(FollowRequest, payload, FOLLOW)
        self.follows.append(request)
        self.changed.clear()
        if self.refuses is not None:
            raise self.refuses
        if (request.term, request.version) == (self.state.term, self.state.version):
            try:
                async with asyncio.timeout(request.wait_ms / 1000):
                    await self.changed.wait()
            except TimeoutError:
                return b""
        return encode(self.state)


class Joining:
    """The loop under test, and what it has told its node."""

    def __init__(self, dialer: FakeDialer, *seeds: Address, uuid: str = "") -> None:
        self.taken: list[PublishedState] = []
        self.silences: list[int] = []
        self.joined = Joined(
            seeds=seeds or (SEED,),
            me=lambda: member("g"),
            identity=lambda: ClusterIdentity(name="one", uuid=uuid),
            take=self.taken.append,
            on_silence=lambda: self.silences.append(1),
            dialer=dialer,
            profile=ConnectionProfile(channels=1),
            tasks=TaskRegistry("id-g"),
            clock=FixedClock(),
            chance=lambda: 0.5,
            wait_s=1.0,
            patience_s=10.0,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Joined]:
        async with TaskScope("test") as scope:
            scope.start(self.joined.run())
            yield self.joined

    @property
    def reason(self) -> str:
        error = self.joined.statistics().last_error
        return "" if error is None else error.reason


@in_virtual_time
async def test_it_joins_follows_and_takes_each_state_once() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    joining = Joining(dialer)
    async with joining.running() as joined:
        assert await joined.wait_master(5.0)
        await asyncio.sleep(3.5)
        master.publish(state("g", "h", version=2))
        await asyncio.sleep(0.1)
        assert [each.version for each in joining.taken] == [1, 2]
        assert joined.statistics().joins == 1
        assert master.joins[0].member == member("g")
        assert {each.version for each in master.follows} == {1, 2}
        assert joined.master == node("m")


@in_virtual_time
async def test_a_connection_that_breaks_is_made_again_and_what_was_known_stays() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    joining = Joining(dialer)
    async with joining.running() as joined:
        await joined.wait_master(5.0)

        async def broken(action: str, payload: bytes) -> bytes:
            raise NodeDisconnected("gone")

        dialer.links[0]._answer = broken
        del dialer.there[SEED]
        await asyncio.sleep(20)
        assert not joined.has_master
        assert not await joined.wait_master(0.5)
        assert joined.state == master.state
        assert "connect_exception" in joining.reason
        dialer.there[SEED] = master.link
        assert await joined.wait_master(20)
        assert joined.statistics().joins == 2
        assert joining.reason == ""


@in_virtual_time
async def test_a_master_that_has_forgotten_it_is_joined_again() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    async with Joining(dialer).running() as joined:
        await joined.wait_master(5.0)
        master.refuses = CoordinationStateRejected("not a member")
        await asyncio.sleep(1.1)
        master.refuses = None
        assert await joined.wait_master(10)
        assert len(master.joins) >= 2


@in_virtual_time
async def test_seeds_are_tried_in_order_until_one_is_right() -> None:
    dialer, master = FakeDialer(), Master()
    wrong = Master(cluster=ClusterIdentity(name="two", uuid="x"))
    nobody, other = Address("nobody", 1), Address("other", 1)
    dialer.there = {other: wrong.link, SEED: master.link}
    async with Joining(dialer, nobody, other, SEED).running() as joined:
        assert await joined.wait_master(5.0)
        assert dialer.dialled == [nobody, other, SEED]
        assert not dialer.links[0].is_open


@in_virtual_time
async def test_why_a_seed_is_not_joined_is_told() -> None:
    for master, family, told in (
        (Master(cluster=ClusterIdentity(name="two", uuid="u")), "sealane", "of cluster [two]"),
        (Master(cluster=ClusterIdentity(name="one", uuid="x")), "sealane", "with uuid [x]"),
        (Master(info=node("g")), "sealane", "is this node itself"),
        (Master(), "elasticsearch", "is a node of [elasticsearch]"),
    ):
        dialer = FakeDialer()
        dialer.there[SEED] = lambda master=master, family=family: master.link(family)
        joining = Joining(dialer, uuid="u")
        async with joining.running():
            await asyncio.sleep(0.01)
            assert told in joining.reason
            assert master.joins == []


@in_virtual_time
async def test_the_masters_refusal_is_told() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    master.refuses = CoordinationStateRejected("too many")
    joining = Joining(dialer)
    async with joining.running() as joined:
        await asyncio.sleep(0.01)
        assert joining.reason == "too many"
        assert not joined.has_master


@in_virtual_time
async def test_tries_grow_rarer_and_never_end() -> None:
    dialer = FakeDialer()
    async with Joining(dialer).running() as joined:
        await asyncio.sleep(600)
        tries = joined.statistics().rounds
        assert 40 < tries < 100
        await asyncio.sleep(600)
        assert joined.statistics().rounds > tries


@in_virtual_time
async def test_a_master_that_moved_is_sought_where_it_last_was_and_at_the_seeds() -> None:
    dialer, master = FakeDialer(), Master()
    through = Address("forwarder", 1)
    dialer.there[through] = master.link
    async with Joining(dialer, through).running() as joined:
        await joined.wait_master(5.0)
        dialer.there = {SEED: master.link}
        master.refuses = CoordinationStateRejected("started again")
        await asyncio.sleep(1.1)
        master.refuses = None
        assert await joined.wait_master(10)
        assert dialer.dialled[-1] == SEED


@in_virtual_time
async def test_leaving_says_goodbye_and_ends_the_loop() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    async with Joining(dialer).running() as joined:
        await joined.wait_master(5.0)
        await joined.leave()
        assert master.left == 1
        master.refuses = CoordinationStateRejected("not a member")
        await asyncio.sleep(30)
        assert len(master.joins) == 1
        assert not dialer.links[0].is_open


@in_virtual_time
async def test_leaving_while_it_joins_says_goodbye_when_it_is_in() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    joining = Joining(dialer)
    slow = master.answer

    async def late(action: str, payload: bytes) -> bytes:
        await asyncio.sleep(0.5)
        return await slow(action, payload)

    master.answer = late  # type: ignore[method-assign]
    async with joining.running() as joined:
        await asyncio.sleep(0.1)
        await joined.leave()
        assert (len(master.joins), master.left) == (1, 1)
        await asyncio.sleep(5)
        assert len(master.joins) == 1
        assert joining.taken == []
        assert not joined.has_master
        assert not dialer.links[0].is_open


@in_virtual_time
async def test_leaving_waits_a_second_for_a_master_that_does_not_let_it_in() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link

    async def silent(action: str, payload: bytes) -> bytes:
        await asyncio.sleep(60)
        raise ReceiveTimeout("no answer")

    master.answer = silent  # type: ignore[method-assign]
    async with Joining(dialer).running() as joined:
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await joined.leave()
        assert asyncio.get_running_loop().time() == began + 1.0


@in_virtual_time
async def test_a_master_that_stops_answering_is_told_from_one_that_is_gone() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    joining = Joining(dialer)
    async with joining.running() as joined:
        await joined.wait_master(5.0)

        async def silent(action: str, payload: bytes) -> bytes:
            raise ReceiveTimeout("no answer")

        dialer.links[0]._answer = silent
        del dialer.there[SEED]
        await asyncio.sleep(1.5)
        assert joining.silences == [1]
        assert not joined.has_master


@in_virtual_time
async def test_a_state_of_another_cluster_is_not_taken() -> None:
    dialer, master = FakeDialer(), Master()
    dialer.there[SEED] = master.link
    master.state = msgspec.structs.replace(master.state, cluster_uuid="another")
    joining = Joining(dialer, uuid="u")
    async with joining.running() as joined:
        await asyncio.sleep(0.01)
        assert "told the state of cluster [one][another]" in joining.reason
        assert joined.state is None
        assert joining.taken == []


@in_virtual_time
async def test_a_seed_that_is_a_member_leads_to_the_master() -> None:
    dialer, master, other = FakeDialer(), Master(), Master(info=node("h"))
    door = node("h").address
    dialer.there = {door: other.link, SEED: master.link}
    async with Joining(dialer, door).running() as joined:
        assert await joined.wait_master(5.0)
        assert dialer.dialled == [door, SEED]
        assert not dialer.links[0].is_open
        assert (len(master.joins), other.joins) == (1, [])


@in_virtual_time
async def test_a_member_that_knows_no_master_is_passed_over() -> None:
    dialer, master, other = FakeDialer(), Master(), Master(info=node("h"))
    other.nodes = [node("h")]
    door = node("h").address
    dialer.there = {door: other.link}
    joining = Joining(dialer, door)
    async with joining.running():
        await asyncio.sleep(0.01)
        assert "knows no master either" in joining.reason
    dialer.there[SEED] = master.link
    async with Joining(dialer, door, SEED).running() as joined:
        assert await joined.wait_master(5.0)
