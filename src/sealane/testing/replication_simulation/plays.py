"""Sequences of acts that chance alone would seldom draw: each leads to where histories could be mixed or lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sealane.testing.replication_simulation.faults import Faults
from sealane.testing.replication_simulation.link import State
from sealane.testing.replication_simulation.site import Site
from sealane.testing.replication_simulation.users import Users
from sealane.testing.replication_simulation.world import World

LEADER, COPY = "leader", "copy"
Play = Callable[[], Coroutine[Any, Any, None]]
_TRIES = 8


class Plays:
    """The first site leads, the second follows."""

    def __init__(self, world: World, users: Users) -> None:
        self.world = world
        self.users = users
        self.chance = world.chance

    def draw(self, faults: Faults) -> list[Play]:
        kind = self.chance.random()
        if kind < 0.15:
            return [lambda: self._fail_over(faults)]
        if kind < 0.25 and self.world.replaces:
            return [lambda: self._old_copy(faults)]
        if kind < 0.35 and self.world.replaces:
            return [lambda: self._old_copy_while_copied(faults)]
        return []

    async def _fail_over(self, faults: Faults) -> None:
        """The leader is away, its follower takes over; the leader comes back, and follows; and then all of it again."""
        here, there = self.world.sites[:2]
        name, other = LEADER, COPY
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            await self._write(here, name)
            await self._wait()
            if not await self._promote(here, there, other):
                return
            index = here.index(name)
            backup = None
            if index is not None and self.world.replaces and self.chance.random() < 0.5:
                backup = faults.back_up(here, index.uuid)
            await self._write(there, other)
            await self._write(here, name)
            if backup is not None:
                await faults.replace(backup)
                await self._write(here, name)
            if not await self._fail_back(here, name, there, other):
                return
            await self._wait()
            here, there, name, other = there, here, other, name

    async def _promote(self, here: Site, there: Site, name: str) -> bool:
        link = self.world.links[there.name, here.name]
        if self.chance.random() < 0.5:
            link.state = self.chance.choice((State.DARK, State.DEAF, State.REFUSED))
            link.cut()
        done = False
        for _ in range(_TRIES):
            if await self.users.promote(there, name) is None and there.is_up:
                done = True
                break
            await self._wait()
        link.state = State.UP
        return done

    async def _fail_back(self, here: Site, name: str, there: Site, leader: str) -> bool:
        for _ in range(_TRIES):
            error = await self.users.fail_back(here, name, there, leader)
            if error is None and here.is_up:
                return True
            await self._wait()
        return False

    async def _old_copy(self, faults: Faults) -> None:
        """The leader's data becomes what it was, and goes on with numbers that were given before."""
        site = self.world.sites[0]
        index = site.index(LEADER)
        if index is None:
            return
        backup = faults.back_up(site, index.uuid)
        if backup is None:
            return
        await self._write(site, LEADER)
        await self._wait()
        await faults.replace(backup)
        await self._write(site, LEADER)
        await self._write(site, LEADER)

    async def _old_copy_while_copied(self, faults: Faults) -> None:
        """The same in the middle of a copy."""
        here, there = self.world.sites[:2]
        await self._write(here, LEADER)
        index = here.index(LEADER)
        if index is None:
            return
        backup = faults.back_up(here, index.uuid)
        if backup is None:
            return
        await self._write(here, LEADER)
        await self.users.follow(there, "late", here, LEADER)
        await asyncio.sleep(10 ** self.chance.uniform(-3, 0))
        await faults.replace(backup)
        for _ in range(4):
            await self._write(here, LEADER)

    async def _write(self, site: Site, name: str) -> None:
        for _ in range(self.chance.randint(1, 4)):
            await self.users.write(site, name, self.chance.randint(1, 20))
        if self.chance.random() < 0.4:
            await self.users.refresh(site, name)

    async def _wait(self) -> None:
        await asyncio.sleep(10 ** self.chance.uniform(-2, 1.3))
