"""Requests to any node of the cluster. Time is virtual."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest

from sealane.cluster.fellow_nodes import FellowNodes, Handler
from sealane.errors import (
    ActionNotFound,
    ApiError,
    ConnectTransport,
    IllegalState,
    NodeNotConnected,
    ReceiveTimeout,
)
from sealane.model.node import Address, NodeInfo
from sealane.model.task import Context, TaskRegistry
from sealane.testing.simulation import in_virtual_time
from sealane.transport import ConnectionProfile, TaskScope
from tests.unit.cluster.links import FakeDialer, FakeLink
from tests.unit.cluster.states import IDENTITY, node

A, B = node("a"), node("b")


class World:
    """Node `a` of a cluster of `a` and `b`."""

    def __init__(self) -> None:
        self.nodes = [A, B]
        self.dialer = FakeDialer()
        self.there = B
        self.dialer.there[B.address] = lambda: FakeLink(self.there, IDENTITY, self.answer)
        self.handlers: dict[str, Handler] = {}
        self.fellows = FellowNodes(
            local=lambda: A,
            nodes=lambda: self.nodes,
            dialer=self.dialer,
            handler=self.handlers.get,
            profile=ConnectionProfile(channels=6),
        )

    async def answer(self, action: str, payload: bytes) -> bytes:
        return b"b:" + payload

    async def ask(
        self,
        to: NodeInfo,
        action: str = "x",
        timeout_s: float = 5.0,
        deadline: float | None = None,
    ) -> bytes:
        with context() as ctx:
            ctx = replace(ctx, deadline=deadline)
            return await self.fellows.ask(to, action, b"hello", ctx, timeout_s=timeout_s)


@contextmanager
def context() -> Iterator[Context]:
    with TaskRegistry("a").start("test", start_ms=0) as task:
        yield Context(task=task)


@in_virtual_time
async def test_the_node_itself_is_asked_without_a_connection() -> None:
    world = World()

    async def own(payload: bytes, ctx: Context) -> bytes:
        return b"own:" + payload

    world.handlers["x"] = own
    assert await world.ask(A) == b"own:hello"
    assert world.dialer.dialled == []
    with pytest.raises(ActionNotFound):
        await world.ask(A, "y")


@in_virtual_time
async def test_its_own_handlers_errors_and_time_limit_count_too() -> None:
    world = World()

    async def failing(payload: bytes, ctx: Context) -> bytes:
        raise IllegalState("no")

    async def endless(payload: bytes, ctx: Context) -> bytes:
        await asyncio.Event().wait()
        return b""

    world.handlers.update(x=failing, y=endless)
    with pytest.raises(IllegalState):
        await world.ask(A)
    with pytest.raises(ReceiveTimeout, match=r"no answer after \[5000ms\]"):
        await world.ask(A, "y")


@in_virtual_time
async def test_a_node_that_leaves_while_it_is_dialled_is_not_kept_connected() -> None:
    world = World()

    def leaves() -> FakeLink:
        world.nodes = [A]
        world.fellows.members_changed()
        return FakeLink(B, IDENTITY, world.answer)

    world.dialer.there[B.address] = leaves
    with pytest.raises(NodeNotConnected):
        await world.ask(B)
    assert [link.is_open for link in world.dialer.links] == [False]
    await world.fellows.close()


@in_virtual_time
async def test_one_connection_serves_all_requests_to_a_node() -> None:
    world = World()
    answers: list[bytes] = []

    async def ask() -> None:
        answers.append(await world.ask(B))

    async with TaskScope("test") as scope:
        for _ in range(5):
            scope.start(ask())
        await asyncio.sleep(0.1)
    assert answers == [b"b:hello"] * 5
    assert len(world.dialer.dialled) == 1
    await world.fellows.close()
    assert not world.dialer.links[0].is_open


@in_virtual_time
async def test_a_connection_that_broke_is_made_again_by_the_next_request() -> None:
    world = World()
    await world.ask(B)
    world.dialer.links[0].close()
    assert await world.ask(B) == b"b:hello"
    assert len(world.dialer.dialled) == 2
    await world.fellows.close()


@in_virtual_time
async def test_a_node_that_cannot_be_reached_is_an_error_for_each_that_asks() -> None:
    world = World()
    del world.dialer.there[B.address]
    for _ in range(2):
        with pytest.raises(ConnectTransport):
            await world.ask(B)
    assert len(world.dialer.dialled) == 2
    await world.fellows.close()


@in_virtual_time
async def test_another_node_at_the_address_is_not_taken_for_the_one_meant() -> None:
    world = World()
    world.there = msgspec.structs.replace(B, ephemeral_id="b-2")
    with pytest.raises(ConnectTransport, match="another node answers there"):
        await world.ask(B)
    assert not world.dialer.links[0].is_open
    await world.fellows.close()


@in_virtual_time
async def test_a_node_is_dialled_where_the_membership_has_it() -> None:
    """The node of a relayed request is named by a stranger, who must not choose the address."""
    world = World()
    elsewhere = msgspec.structs.replace(B, address=Address("stranger.example", 1))
    assert await world.ask(elsewhere) == b"b:hello"
    assert world.dialer.dialled == [B.address]
    await world.fellows.close()


@in_virtual_time
async def test_a_node_that_left_is_not_dialled_and_its_connection_closed() -> None:
    world = World()
    await world.ask(B)
    world.nodes.remove(B)
    world.fellows.members_changed()
    assert not world.dialer.links[0].is_open
    with pytest.raises(NodeNotConnected, match=r"\[b\]\[b.local:9300\] Node not connected"):
        await world.ask(B)


@in_virtual_time
async def test_a_dial_that_hangs_ends_with_the_requests_time_and_goes_on_for_others() -> None:
    world = World()
    opened = asyncio.Event()
    connect = world.dialer.connect

    class Slow(FakeDialer):
        async def connect(self, *args: object, **more: object) -> FakeLink:
            await opened.wait()
            return await connect(*args, **more)  # type: ignore[arg-type]

    world.fellows._dialer = Slow()
    outcomes: list[object] = []

    async def ask(timeout_s: float) -> None:
        try:
            outcomes.append(await world.ask(B, timeout_s=timeout_s))
        except ApiError as error:
            outcomes.append(error.es_type)

    async with TaskScope("test") as scope:
        scope.start(ask(1.0))
        scope.start(ask(10.0))
        await asyncio.sleep(2.0)
        opened.set()
        await asyncio.sleep(0.1)
    assert outcomes == ["receive_timeout_transport_exception", b"b:hello"]
    await world.fellows.close()


@in_virtual_time
async def test_a_requests_deadline_counts_while_it_connects() -> None:
    world = World()
    loop = asyncio.get_running_loop()

    async def hangs(
        address: Address, profile: ConnectionProfile, *, node_name: str = ""
    ) -> FakeLink:
        await loop.create_future()
        raise AssertionError("unreachable")

    world.dialer.connect = hangs  # type: ignore[method-assign]
    with pytest.raises(ReceiveTimeout, match=r"no answer after \[500ms\]"):
        await world.ask(B, timeout_s=60.0, deadline=loop.time() + 0.5)
    assert loop.time() == 0.5
    await world.fellows.close()


@in_virtual_time
async def test_a_node_that_is_dropped_is_connected_anew_by_the_next_request() -> None:
    world = World()
    await world.ask(B)
    world.fellows.drop(B)
    world.fellows.drop(B)
    assert not world.dialer.links[0].is_open
    assert await world.ask(B) == b"b:hello"
    await world.fellows.close()
