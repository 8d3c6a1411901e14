import asyncio
from typing import Any

import msgspec
import pytest

from sealane.cluster.store import MemoryStateStore
from sealane.errors import ConnectTransport, IOFailure, LeaseNotFound
from sealane.model.replication import ShardRef
from sealane.model.security import ANONYMOUS
from sealane.model.task import TaskRegistry
from sealane.replication.follower.asking import Askings
from sealane.replication.pending_leases import KEY_PREFIX, LeftLease, PendingLeases
from sealane.testing.simulation import in_virtual_time
from sealane.transport.tasks import TaskScope

WEEK_MS = 7 * 24 * 3600 * 1000


class Wall:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


class Leader:
    """Feeds and a ChangeFeed, as far as leases are removed."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.removed: list[tuple[str, int]] = []
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def feed(self, alias: str) -> "Leader":
        return self

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Any) -> None:
        self.asked += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.removed.append((lease_id, shard.shard))


class Disk(MemoryStateStore):
    is_full = False

    async def compare_and_set(self, changes: Any, expected: Any) -> int:
        if self.is_full:
            raise IOFailure("no space")
        return await super().compare_and_set(changes, expected)


def made(store: MemoryStateStore, leader: Leader, wall: Wall) -> PendingLeases:
    return PendingLeases(
        store=store,
        feeds=leader,  # type: ignore[arg-type]  # no more of it is used
        askings=Askings(TaskRegistry("n"), wall, decode=lambda _: ANONYMOUS),
        clock=wall,
        chance=lambda: 0.5,
    )


def lease(wall: Wall) -> LeftLease:
    return LeftLease(
        lease_id="l",
        remote_cluster="eu",
        leader_index="cities",
        leader_uuid="u",
        shards=2,
        subject="",
        since_ms=wall.now_ms(),
    )


async def test_all_shards_are_asked_at_once() -> None:
    """R-74: and what is removed is forgotten."""
    store, leader, wall = MemoryStateStore(), Leader(), Wall()
    pending = made(store, leader, wall)
    await pending.add("f", lease(wall))
    assert await pending.settle("f", within_s=5.0) == ()
    assert leader.removed == [("l", 0), ("l", 1)]
    assert await store.scan(KEY_PREFIX) == {}


async def test_one_that_is_not_there_is_removed() -> None:
    """R-19"""
    store, leader, wall = MemoryStateStore(), Leader(), Wall()
    leader.error = LeaseNotFound("l")
    pending = made(store, leader, wall)
    await pending.add("f", lease(wall))
    assert await pending.settle("f", within_s=5.0) == ()


def test_a_fault_of_ours_does_not_end_the_trying() -> None:
    """R-74: it is told, and the leases are removed once it is over."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.error = RuntimeError("a bug")
        pending = made(store, leader, wall)
        async with TaskScope("test") as scope:
            scope.start(pending.run())
            await pending.add("f", lease(wall))
            await asyncio.sleep(60)
            assert pending.last_error is not None
            assert "a bug" in pending.last_error.reason
            leader.error = None
            await asyncio.sleep(600)
            assert leader.removed == [("l", 0), ("l", 1)]
            assert pending.last_error is None

    in_virtual_time(work)


def test_it_is_tried_until_the_leader_is_back() -> None:
    """R-19, R-74: with longer and longer pauses, and the last error is told."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.error = ConnectTransport("down")
        pending = made(store, leader, wall)
        async with TaskScope("test") as scope:
            scope.start(pending.run())
            await pending.add("f", lease(wall))
            assert await pending.settle("f", within_s=5.0) == ("l",)
            await asyncio.sleep(3600)
            assert 15 < leader.asked < 40
            assert pending.lease_ids == ("l",)
            assert pending.last_error is leader.error
            leader.error = None
            await asyncio.sleep(300)
            assert leader.removed == [("l", 0), ("l", 1)]
            assert list(pending.lease_ids) == []

    in_virtual_time(work)


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    """R-19: the call ends in time."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.gate.clear()
        pending = made(store, leader, wall)
        await pending.add("f", lease(wall))
        began = asyncio.get_running_loop().time()
        assert await pending.settle("f", within_s=5.0) == ("l",)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)

    in_virtual_time(work)


def test_a_restart_forgets_none() -> None:
    """R-19"""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        await made(store, leader, wall).add("f", lease(wall))
        again = made(store, leader, wall)
        await again.load()
        assert again.lease_ids == ("l",)
        async with TaskScope("test") as scope:
            scope.start(again.run())
            await asyncio.sleep(5)
        assert leader.removed == [("l", 0), ("l", 1)]

    in_virtual_time(work)


def test_a_full_disk_is_no_error_of_what_has_happened() -> None:
    """R-19, R-104: it is kept in memory until it can be stored, and is removed all the same."""

    async def work() -> None:
        store, leader, wall = Disk(), Leader(), Wall()
        store.is_full = True
        leader.error = ConnectTransport("down")
        pending = made(store, leader, wall)
        async with TaskScope("test") as scope:
            scope.start(pending.run())
            await pending.add("f", lease(wall))
            assert await pending.settle("f", within_s=1.0) == ("l",)
            store.is_full = False
            await asyncio.sleep(10)
            assert list(await store.scan(KEY_PREFIX)) == [f"{KEY_PREFIX}f/l"]
            leader.error = None
            await asyncio.sleep(600)
            assert await store.scan(KEY_PREFIX) == {}

    in_virtual_time(work)


def test_an_index_that_follows_again_keeps_its_lease() -> None:
    """R-110: also where its removal was under way; nothing is removed after that."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.error = ConnectTransport("down")
        pending = made(store, leader, wall)
        async with TaskScope("test") as scope:
            scope.start(pending.run())
            await pending.add("f", lease(wall))
            await pending.settle("f", within_s=1.0)
            await pending.forget("f", "l")
            leader.error = None
            await asyncio.sleep(600)
            assert leader.removed == []
            assert await store.scan(KEY_PREFIX) == {}

    in_virtual_time(work)


def test_a_lease_at_a_former_leader_is_removed_though_another_is_followed_since() -> None:
    """R-74, R-110: and that of the other one is kept."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.error = ConnectTransport("down")
        pending = made(store, leader, wall)
        await pending.add("f", lease(wall))
        await pending.add("f", msgspec.structs.replace(lease(wall), lease_id="m"))
        assert await pending.settle("f", within_s=1.0) == ("m", "l")
        await pending.forget("f", "m")
        again = made(store, leader, wall)
        await again.load()
        leader.error = None
        assert await again.settle("f", within_s=1.0) == ()
        assert leader.removed == [("l", 0), ("l", 1)]

    in_virtual_time(work)


def test_in_the_end_it_is_left_to_expire() -> None:
    """R-70: the leader has dropped it long ago."""

    async def work() -> None:
        store, leader, wall = MemoryStateStore(), Leader(), Wall()
        leader.error = ConnectTransport("gone for good")
        pending = made(store, leader, wall)
        await pending.add("f", lease(wall))
        wall.ms += WEEK_MS
        assert await pending.settle("f", within_s=1.0) == ()
        assert leader.asked == 0

    in_virtual_time(work)
